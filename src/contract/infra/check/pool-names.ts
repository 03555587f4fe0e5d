/** Names by which templates refer to user pools that they do not create. */

import { describeValue, OptionError } from '../../../core/options/validate.ts'
import { toPrintable } from '../../../core/util/text.ts'
import type { Fact, InfraModel } from '../model/model.ts'
import { formatSource, type Source } from '../resolve/value.ts'
import {
  createText,
  createTextReader,
  getLiteral,
  type SymbolicText,
  type TextReader,
} from './symbolic.ts'

/** A reference to a user pool by its id, or by a name that only the deployment resolves. */
export interface PoolName {
  /** `id`: a literal pool id. */
  readonly kind: 'id' | 'name'
  /** References with the same identity are certainly one pool. */
  readonly identity: string
  /** Readable. Not escaped. */
  readonly name: string
  /** The origin of a value that is one unknown piece. */
  readonly source: Source | undefined
}

/** A pool id: the last part of an ARN or issuer. */
const POOL_ID = /^[a-z0-9-]+_[0-9A-Za-z]+$/
/** Attributes of a data source of user pools, whose values identify one pool: `arn`, `ids.0`. */
const POOL_ATTRIBUTE = /^(?:id|arn|endpoint|ids|arns|user_pool_id)(?=\.|$)/
const POOL_DATA = /^(?:.*\.)?data\.aws_cognito_user_pools?\./

/**
 * @param index The number of the model. It distinguishes the parameters of templates.
 * @returns Undefined if nothing identifies the pool.
 */
export function readPoolName(
  reader: TextReader,
  model: InfraModel,
  index: number,
  fact: Fact<string>,
): PoolName | undefined {
  const tail = takeLastPart(reader.readFact(model, fact))
  const literal = getLiteral(tail)
  if (literal !== undefined) {
    if (!POOL_ID.test(literal)) return undefined
    return { kind: 'id', identity: literal, name: literal, source: undefined }
  }
  if (tail.key === '') return undefined
  const last = fact.pieces === undefined ? fact.source : fact.pieces.at(-1)
  if (typeof last !== 'object' || tail.pieces.length > 1)
    return { kind: 'name', identity: tail.key, name: tail.label, source: undefined }
  const { resource = '', attribute = '' } = last
  const identity = POOL_DATA.test(resource)
    ? `${index} ${resource} ${attribute.replace(POOL_ATTRIBUTE, '')}`
    : tail.key
  return { kind: 'name', identity, name: nameSource(model, last), source: last }
}

/** Lists every name that templates have for a user pool: those of references, pools, SSM parameters and exports. */
export function listPoolNames(models: readonly InfraModel[]): ReadonlySet<string> {
  const reader = createTextReader(models)
  const names = new Set<string>()
  for (const [index, model] of models.entries()) {
    const { resourceServers, clients, domains, authorizers, parameters, outputs } = model
    const references = [
      ...[...resourceServers, ...clients, ...domains].map(({ userPool }) => userPool),
      ...authorizers.flatMap(({ userPools }) => userPools?.items ?? []),
      ...[...parameters, ...outputs].map(({ value }) => value),
    ]
    for (const fact of references) {
      const found = fact && readPoolName(reader, model, index, fact)
      if (found !== undefined) names.add(found.name)
    }
    const published = [
      ...parameters.map(({ name }) => name),
      ...outputs.map(({ exported }) => exported),
    ]
    for (const name of published)
      if (name !== undefined) names.add(reader.readFact(model, name).label)
    for (const { id } of model.userPools) names.add(id)
  }
  return names
}

/** Returns the part of an ARN or issuer after the last slash. */
function takeLastPart({ pieces }: SymbolicText): SymbolicText {
  const index = pieces.findLastIndex((piece) => typeof piece === 'string' && piece.includes('/'))
  if (index < 0) return createText(pieces)
  const piece = pieces[index] as string
  return createText([piece.slice(piece.lastIndexOf('/') + 1), ...pieces.slice(index + 1)])
}

function nameSource({ dialect }: InfraModel, source: Source): string {
  const { resource, parameter, ssm, imported } = source
  if (parameter !== undefined) return dialect === 'terraform' ? `var.${parameter}` : parameter
  if (resource === undefined) return (ssm ?? imported) as string
  return formatSource(source).slice('${'.length, -1)
}

/** Words at the end of a name that say how it identifies the pool: `UserPoolId`, `user_pool_arn`, `userpoolid`. */
const ROLES = [
  /[-_./:](?:ids?|arns?|issuer|issuer[-_]?ur[li]|ur[li]|endpoint|provider)$/i,
  /(?<=[a-z0-9])(?:I[dD]s?|A(?:rn|RN)s?|Issuer(?:U[rR][iIlL])?|Endpoint|Provider)$/,
  /(?<=pool)(?:id|arn|issuer)$/i,
]
/** The attribute of a data source that is the value of an SSM parameter. */
const VALUE = /\.(?:insecure_)?value$/
const INDEX = /\.\d+$/
/** Shortest stem that identifies a pool, in characters. */
const MIN_STEM_LENGTH = 3

/** Returns the common part of the names of one pool: `…/CognitoUserPool` of `…/CognitoUserPoolArn`. */
export function getPoolStem(name: string): string {
  // Items of a list are several pools.
  const [index = ''] = INDEX.exec(name) ?? []
  const value = name.replace(INDEX, '').replace(VALUE, '')
  const stem = ROLES.reduce((text, role) => text.replace(role, ''), value)
  const common = `${stem.length < MIN_STEM_LENGTH ? value : stem}${index}`
  return common.toLowerCase().replaceAll(/[^a-z0-9$]/g, '')
}

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
