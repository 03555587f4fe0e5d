/** Names of one user pool: groups that the caller declares, and groups that are assumed. */
import { describeValue, OptionError } from '../../../core/options/validate.ts'
import { toPrintable } from '../../../core/util/text.ts'
import { getPoolStem } from './pool-names.ts'

/** Each group lists names of one user pool. */
export type PoolGroups = readonly (readonly string[])[]

/**
 * Validates the option `pools`.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` with the path of the invalid group or name.
 */
export function readPoolGroups(value: unknown, optionPath: string): PoolGroups {
  if (!Array.isArray(value)) {
    throw new OptionError(
      optionPath,
      `expected an array of groups of names, got ${describeValue(value)}. Pass an array of arrays.`,
    )
  }
  const paths = new Map<string, string>()
  return value.map((group: unknown, index) => {
    const path = `${optionPath}[${index}]`
    if (!Array.isArray(group) || group.length < 2) {
      const actual = Array.isArray(group) ? `${group.length} names` : describeValue(group)
      throw new OptionError(
        path,
        `expected at least two names of one user pool, got ${actual}. List every name of the pool.`,
      )
    }
    return group.map((name: unknown, position) => readName(name, `${path}[${position}]`, paths))
  })
}

/** A pool id, alone or at the end of an ARN or issuer. */
const ARN_OR_ISSUER = /^(?:arn:|https:\/\/).*\/([^/]+)$/

function readName(name: unknown, optionPath: string, paths: Map<string, string>): string {
  if (typeof name !== 'string' || name === '') {
    throw new OptionError(
      optionPath,
      `expected a name, id or address of a user pool, got ${describeValue(name)}. Pass a string.`,
    )
  }
  const [, id = name] = ARN_OR_ISSUER.exec(name) ?? []
  const earlier = paths.get(id)
  if (earlier !== undefined) {
    throw new OptionError(
      optionPath,
      `expected a name that is in one group once, got ${toPrintable(id)}, which is ${earlier} too. Remove one of the two.`,
    )
  }
  paths.set(id, optionPath)
  return id
}

/** A reference to a pool that no template creates. */
export interface ExternalReference {
  readonly identity: string
  readonly name: string
  /** Whether the name is a literal pool id. */
  readonly isId: boolean
  /**
   * What refers to the pool. `id`: resources of the pool. `authorizer`: authorizers, by its ARN or issuer. `issuer`:
   * authorizers, by an issuer that may be another identity provider.
   */
  readonly role: 'id' | 'authorizer' | 'issuer'
}

/**
 * Groups names that are assumed to be one pool. Names with a common stem are one, and so are all names of certain user
 * pools if there is at most one for each role.
 *
 * @returns The key of the group of each identity.
 */
export function groupExternalPools(
  references: readonly ExternalReference[],
): ReadonlyMap<string, string> {
  const stems = new Map<string, string>()
  const keys = new Map<string, string>()
  for (const { identity, name, isId } of references) {
    if (keys.has(identity)) continue
    const stem = isId ? identity : getPoolStem(name)
    const first = stems.get(stem)
    keys.set(identity, first ?? identity)
    if (first === undefined) stems.set(stem, identity)
  }
  const countPools = (passes: (reference: ExternalReference) => boolean): number =>
    new Set(references.filter(passes).map(({ identity }) => keys.get(identity))).size
  const isOnlyPool =
    countPools(({ role }) => role === 'id') <= 1 &&
    countPools(({ role }) => role === 'authorizer') <= 1 &&
    countPools(({ isId }) => isId) <= 1
  const certain = references.filter(({ role }) => role !== 'issuer')
  const [only] = certain.map(({ identity }) => keys.get(identity) as string)
  if (!isOnlyPool || only === undefined) return keys
  const merged = new Set(certain.map(({ identity }) => keys.get(identity)))
  return new Map([...keys].map(([identity, key]) => [identity, merged.has(key) ? only : key]))
}
