/** Resolves references to user pools across templates that are deployed together. */
import { OptionError } from '../../../core/options/validate.ts'
import { toPrintable } from '../../../core/util/text.ts'
import type { Fact, InfraModel, InfraUserPool } from '../model/model.ts'
import type { Source } from '../resolve/value.ts'
import {
  type ExternalReference,
  groupExternalPools,
  type PoolGroups,
  type PoolName,
  readPoolName,
} from './pool-names.ts'
import {
  createTextComparer,
  createTextReader,
  isSameText,
  type SymbolicText,
  type TextReader,
} from './symbolic.ts'

/** The user pool that a fact refers to, as far as the templates determine it. */
export interface PoolLink {
  /**
   * `created`: a template creates the pool. `named`: the template has its literal ID. `external`: the template has a
   * name of the pool, such as a parameter or an export, which no template resolves. `unknown`: it can be any pool. A
   * pool that is not `created` can still be identical to one that is.
   */
  readonly kind: 'created' | 'named' | 'external' | 'unknown'
  /** Links with the same key are one pool, at least by an assumption. */
  readonly key: string
  /** Links with the same identity are certainly one pool. */
  readonly identity: string
  /** A readable name: `Pool`, `/auth/pool-id`, `eu-west-1_Ab1`. Not escaped. */
  readonly name: string
  /** True if the reference may be one to another pool, and the only created pool is assumed. */
  readonly assumed?: true
  /** True if the templates create the pool under a condition, or several pools by one resource. */
  readonly isConditional?: true
  /** True if a resource of a user pool refers to it too, so that it is no other identity provider. */
  readonly isUserPool?: true
}

export type ResolvePool = (model: InfraModel, fact?: Fact<string>) => PoolLink

/** Longest chain of publications that refer to publications. */
const MAX_STEPS = 10
const UNNAMED = 'a user pool without a name'

/** An SSM parameter or an export. */
interface Publication {
  readonly model: InfraModel
  readonly name: SymbolicText
  readonly value: Fact<string> | undefined
  readonly conditional: boolean
}

/**
 * Creates a resolver that follows references within a template, and SSM parameters and exports across templates. An
 * unknown reference of a template without a pool means the only pool that the other templates create, if there is
 * exactly one. Names that no template resolves are assumed to be one pool if they share a stem, or if there is only one
 * such pool.
 *
 * @param groups Names of pools. The names of a group are certainly one pool.
 * @throws {OptionError} `ERR_OPTION_INVALID` if a group has several pools that the templates create.
 */
export function createPoolResolver(
  models: readonly InfraModel[],
  groups: PoolGroups = [],
): ResolvePool {
  const resolver = new PoolResolver(models, groups)
  return (model, fact) => resolver.resolve(model, fact)
}

class PoolResolver {
  readonly #indexes: ReadonlyMap<InfraModel, number>
  readonly #reader: TextReader
  readonly #complete: boolean
  readonly #created: readonly PoolLink[]
  readonly #parameters: readonly Publication[]
  readonly #exports: readonly Publication[]
  /** The declared pool of each name. */
  readonly #declared: ReadonlyMap<string, PoolLink>
  /** The key of the assumed group of each external identity. */
  readonly #groupKeys: ReadonlyMap<string, string>
  readonly #external: readonly PoolLink[]
  /** The keys of names that resources of a user pool refer to. */
  readonly #userPoolKeys: ReadonlySet<string>
  readonly #mayBeSame = createTextComparer()
  #unknownCount = 0

  constructor(models: readonly InfraModel[], groups: PoolGroups) {
    this.#indexes = new Map(models.map((model, index) => [model, index]))
    this.#reader = createTextReader(models)
    this.#complete = models.every((model) => model.complete)
    this.#created = models.flatMap((model) =>
      model.userPools.map((userPool) => this.#linkToCreated(model, userPool)),
    )
    this.#parameters = models.flatMap((model) =>
      model.parameters.flatMap((one) => this.#toPublication(model, one.name, one)),
    )
    this.#exports = models.flatMap((model) =>
      model.outputs.flatMap((one) => this.#toPublication(model, one.exported, one)),
    )
    this.#declared = new Map(
      groups.flatMap((names, index) => {
        const link = this.#linkToDeclared(names, index)
        return names.map((name): [string, PoolLink] => [name, link])
      }),
    )
    const references = models.flatMap((model) => this.#listExternalReferences(model))
    this.#groupKeys = groupExternalPools(references)
    this.#userPoolKeys = new Set(
      references.filter(({ role }) => role === 'id').map(({ link }) => this.#getKey(link)),
    )
    this.#external = references
      .filter(({ role }) => role !== 'issuer')
      .map(({ link }) => this.#applyGroup(link))
  }

  resolve(model: InfraModel, fact: Fact<string> | undefined): PoolLink {
    const link = this.#link(model, fact, 0)
    return link === undefined ? this.#createUnknownLink(model, fact) : this.#applyGroup(link)
  }

  #toPublication(
    model: InfraModel,
    name: Fact<string> | undefined,
    { value, conditional }: { readonly value?: Fact<string>; readonly conditional: boolean },
  ): Publication[] {
    if (name === undefined) return []
    return [{ model, name: this.#reader.readFact(model, name), value, conditional }]
  }

  #linkToCreated(model: InfraModel, { id, conditional }: InfraUserPool): PoolLink {
    const key = `${this.#indexes.get(model)} ${id}`
    const link: PoolLink = { kind: 'created', key, identity: key, name: id }
    return conditional ? { ...link, isConditional: true } : link
  }

  #linkToDeclared(names: readonly string[], index: number): PoolLink {
    const [created, ...others] = this.#created.filter(({ name }) => names.includes(name))
    if (others.length > 0) {
      throw new OptionError(
        `pools[${index}]`,
        `expected names of one user pool, got ${others.length + 1} pools that the templates create. Remove names.`,
      )
    }
    const key = `pools ${index}`
    return created ?? { kind: 'external', key, identity: key, name: names[0] as string }
  }

  /** Lists the references to pools that no template creates. */
  #listExternalReferences(model: InfraModel): readonly (ExternalReference & { link: PoolLink })[] {
    const toReference = (fact: Fact<string> | undefined, role: ExternalReference['role']) => {
      const link = this.#link(model, fact, 0)
      if (link?.kind !== 'named' && link?.kind !== 'external') return []
      return [{ link, identity: link.identity, name: link.name, isId: link.kind === 'named', role }]
    }
    const members = [...model.resourceServers, ...model.clients, ...model.domains]
    return [
      ...members.flatMap(({ userPool }) => toReference(userPool, 'id')),
      ...model.authorizers.flatMap(({ kind, userPools }) =>
        (userPools?.items ?? []).flatMap((item) =>
          toReference(item, kind === 'rest' || isCognitoIssuer(item) ? 'authorizer' : 'issuer'),
        ),
      ),
    ]
  }

  #applyGroup(link: PoolLink): PoolLink {
    const key = this.#getKey(link)
    return this.#userPoolKeys.has(key) ? { ...link, key, isUserPool: true } : { ...link, key }
  }

  #getKey({ identity, key }: PoolLink): string {
    return this.#groupKeys.get(identity) ?? key
  }

  #link(model: InfraModel, fact: Fact<string> | undefined, steps: number): PoolLink | undefined {
    if (fact === undefined || steps > MAX_STEPS) return undefined
    const created = model.userPools
      .filter(({ id }) => fact.value === undefined && fact.refs.includes(id))
      .map((userPool) => this.#linkToCreated(model, userPool))
    const [first] = created
    if (first !== undefined && isReferenceTo(fact, first.name)) return first
    if (created.length > 0) return this.#linkToChoice(findCommonPool(created))
    const name = readPoolName(this.#reader, model, this.#indexes.get(model) as number, fact)
    if (name === undefined) return undefined
    return this.#declared.get(name.name) ?? this.#linkToName(model, name, steps)
  }

  /** Links to the only created pool of an expression that may select another pool: `!If [Create, !Ref Pool, !Ref Id]`. */
  #linkToChoice(pool: PoolLink | undefined): PoolLink | undefined {
    return pool && { ...pool, identity: this.#createUniqueKey(), assumed: true }
  }

  #createUniqueKey(): string {
    this.#unknownCount += 1
    return `unknown ${this.#unknownCount}`
  }

  #linkToName(
    model: InfraModel,
    { kind, identity, name, source }: PoolName,
    steps: number,
  ): PoolLink | undefined {
    if (kind === 'id') return { kind: 'named', key: identity, identity, name }
    const published = source && this.#findPublished(model, source, steps)
    if (published?.link !== undefined) return published.link
    const only = this.#created.length === 1 ? this.#created[0] : undefined
    if (published === undefined) {
      // A template that creates a pool refers to it directly, so another reference means another pool.
      if (only !== undefined && model.userPools.length === 0) return { ...only, assumed: true }
    } else if (only !== undefined && !(published.isCertain && this.#complete)) {
      return { ...only, identity, name, assumed: true }
    }
    return { kind: 'external', key: identity, identity, name }
  }

  /**
   * Finds what an SSM parameter or export publishes. Undefined for other sources.
   *
   * @returns `isCertain`: whether no template publishes the name.
   */
  #findPublished(
    model: InfraModel,
    source: Source,
    steps: number,
  ): { readonly link?: PoolLink | undefined; readonly isCertain: boolean } | undefined {
    const name = this.#reader.readName(model, source)
    if (name === undefined) return undefined
    const publications = source.ssm === undefined ? this.#exports : this.#parameters
    const same = publications.filter((one) => isSameText(one.name, name))
    const candidates =
      same.length > 0 ? same : publications.filter((one) => this.#mayBeSame(one.name, name))
    if (candidates.length === 0) return { isCertain: true }
    const link = findCommonPool(
      candidates.map((one) =>
        one.conditional ? undefined : this.#link(one.model, one.value, steps + 1),
      ),
    )
    if (same.length > 0) return { link, isCertain: false }
    if (this.#created.length < 2 || link?.kind !== 'created') return { isCertain: false }
    // Only this pool may be published by the name, which is an assumption.
    return { link: { ...link, identity: name.key, name: name.label }, isCertain: false }
  }

  #createUnknownLink(model: InfraModel, fact: Fact<string> | undefined): PoolLink {
    const [pool, ...others] = this.#created
    // A template that creates a pool refers to it directly, so an unknown reference means another pool.
    const mayBeCreated = fact === undefined || model.userPools.length === 0
    if (pool !== undefined && others.length === 0 && mayBeCreated) return { ...pool, assumed: true }
    const unique = this.#createUniqueKey()
    const [key = '', ...otherKeys] = new Set(this.#external.map((link) => link.key))
    const [identity = '', ...more] = new Set(this.#external.map((link) => link.identity))
    if (pool !== undefined || otherKeys.length > 0)
      return { kind: 'unknown', key: unique, identity: unique, name: UNNAMED }
    // A missing reference means the only pool that the templates name.
    const isOnly = fact === undefined && more.length === 0
    return { kind: 'unknown', key, identity: isOnly ? identity : unique, name: UNNAMED }
  }
}

/** Whether the value is an attribute of the resource, or a text with it at the end, as ARNs and issuers have. */
function isReferenceTo({ source, pieces }: Fact<string>, id: string): boolean {
  const last = pieces === undefined ? source : pieces.findLast((piece) => typeof piece === 'object')
  return last?.resource === id
}

/** Returns the pool that all links identify, or undefined. */
function findCommonPool(links: readonly (PoolLink | undefined)[]): PoolLink | undefined {
  const identities = new Set(links.map((link) => link?.identity))
  return identities.size === 1 ? links[0] : undefined
}

/** Stands for an unknown piece of a text. */
const UNKNOWN = '*'
/** The start of an issuer of Cognito, in any partition. The Region and the domain may be unknown pieces. */
const COGNITO_ISSUER =
  /^(?:https?:\/\/)?(?:issuer-)?cognito-idp\.(?:[a-z\d-]+|\*)\.(?:amazonaws\.(?:com(?:\.cn)?|eu)|[a-z\d.-]+\.gov|cloud\.adc-e\.uk|\*)(?:\/|$)/i
const POOL_DATA = /(?:^|\.)data\.aws_cognito_user_pools?\./

/** Whether the text is certainly the issuer of a user pool. */
export function isCognitoIssuer({
  value,
  source,
  pieces = [value ?? source],
}: Fact<string>): boolean {
  const text = pieces.map((piece) => (typeof piece === 'string' ? piece : UNKNOWN)).join('')
  return (
    COGNITO_ISSUER.test(text) ||
    pieces.some((piece) => typeof piece !== 'string' && POOL_DATA.test(piece.resource ?? ''))
  )
}

/** Whether two links may identify the same pool. */
export const mayBeSamePool = (a: PoolLink, b: PoolLink): boolean =>
  a.key === b.key || a.kind !== b.kind || isUncertain(a) || isUncertain(b)

/** Whether another link may identify the same pool. */
const isUncertain = ({ kind, key, identity }: PoolLink): boolean =>
  kind === 'external' || kind === 'unknown' || key !== identity

/** Groups items, so that those that may be in a pool are found without a comparison of each one. */
export function indexByPool<T extends { readonly pool: PoolLink }>(
  items: readonly T[],
): (pool: PoolLink) => readonly T[] {
  const isCertain = (pool: PoolLink): boolean => pool.kind === 'created' && !isUncertain(pool)
  const certain = groupBy(
    items.filter(({ pool }) => isCertain(pool)),
    ({ pool }) => pool.key,
  )
  const others = items.filter(({ pool }) => !isCertain(pool))
  const found = new Map<string, readonly T[]>()
  return (pool) => {
    if (!isCertain(pool)) return items.filter((one) => mayBeSamePool(one.pool, pool))
    const known = found.get(pool.key) ?? [...(certain.get(pool.key) ?? []), ...others]
    found.set(pool.key, known)
    return known
  }
}

export function groupBy<T>(
  items: readonly T[],
  key: (item: T) => string,
): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups
}

/** Whether two links identify the same pool, as far as the templates determine it or by an assumption. */
export const isSamePool = (a: PoolLink, b: PoolLink): boolean => a.key === b.key

/** Whether two links identify the same pool without an assumption about names. */
export const isCertainlySamePool = (a: PoolLink, b: PoolLink): boolean => a.identity === b.identity

/** Whether the templates create the pool, and the link depends on no assumption. */
export const isCertainlyCreated = ({ kind, key, identity, assumed }: PoolLink): boolean =>
  kind === 'created' && key === identity && assumed !== true

/** Returns the assumption by which two links identify the same pool. Undefined if there is none. */
export function describeAssumption(a: PoolLink, b: PoolLink): string | undefined {
  if (isCertainlySamePool(a, b)) return undefined
  return a.name === b.name
    ? `${toPrintable(a.name)} is the same user pool in all templates`
    : `${toPrintable(a.name)} and ${toPrintable(b.name)} are the same user pool`
}
