/** Resolves references to user pools across templates that are deployed together. */
import type { Fact, InfraModel } from '../model/model.ts'
import type { Source } from '../resolve/value.ts'

/** The user pool that a fact refers to, as far as the templates determine it. */
export interface PoolLink {
  /**
   * `created`: a template creates the pool. `named`: the template has its literal ID. `published`: the name
   * of an export or parameter that no template publishes. `unknown`: it can be any pool. A pool that is not
   * `created` can still be identical to one that is.
   */
  readonly kind: 'created' | 'named' | 'published' | 'unknown'
  /** Identifies the pool. */
  readonly key: string
  /** True if the reference is unknown, and the only created pool is assumed. */
  readonly assumed?: true
}

export type ResolvePool = (model: InfraModel, fact?: Fact<string>) => PoolLink

/** Longest chain of publications that refer to publications. */
const MAX_STEPS = 10
/** A pool id, alone or at the end of an ARN or an issuer. */
const POOL_ID = /(?:^|\/)([a-z0-9-]+_[0-9A-Za-z]+)$/

/** An SSM parameter or an export. */
interface Publication {
  readonly model: InfraModel
  readonly name: Fact<string> | undefined
  readonly value: Fact<string> | undefined
  readonly conditional: boolean
}

/**
 * Creates a resolver that follows references within a template, and SSM parameters and exports across templates. An
 * unknown reference is assumed to be the only pool that the templates create, if there is exactly one.
 */
export function createPoolResolver(models: readonly InfraModel[]): ResolvePool {
  const parameters: Publication[] = models.flatMap((model) =>
    model.parameters.map(({ name, value, conditional }) => ({ model, name, value, conditional })),
  )
  const exports: Publication[] = models.flatMap((model) =>
    model.outputs.map(({ exported: name, value, conditional }) => {
      return { model, name, value, conditional }
    }),
  )
  const complete = models.every((model) => model.complete)
  const created = models.flatMap((model) =>
    model.userPools.map(({ id }) => linkToCreated(model, id)),
  )

  function linkToCreated(model: InfraModel, id: string): PoolLink {
    return { kind: 'created', key: `${models.indexOf(model)} ${id}` }
  }

  function link(
    model: InfraModel,
    fact: Fact<string> | undefined,
    steps: number,
  ): PoolLink | undefined {
    if (fact === undefined || steps > MAX_STEPS) return undefined
    if (fact.value !== undefined) {
      const [, id] = POOL_ID.exec(fact.value) ?? []
      return id === undefined ? undefined : { kind: 'named', key: id }
    }
    const created = model.userPools
      .filter(({ id }) => fact.refs.includes(id))
      .map(({ id }) => linkToCreated(model, id))
    return findCommonPool(
      created.length > 0
        ? created
        : listPoolSources(fact).map((source) => linkToSource(source, steps)),
    )
  }

  function linkToSource({ ssm, imported }: Source, steps: number): PoolLink | undefined {
    if (ssm !== undefined) return linkToPublished(parameters, ssm, 'parameter', steps)
    return linkToPublished(exports, imported as string, 'export', steps)
  }

  function linkToPublished(
    publications: readonly Publication[],
    name: string,
    kind: 'parameter' | 'export',
    steps: number,
  ): PoolLink | undefined {
    const found = publications.filter((one) => one.name?.value === name)
    if (found.length > 0) {
      return findCommonPool(
        found.map(({ model, value, conditional }) =>
          conditional ? undefined : link(model, value, steps + 1),
        ),
      )
    }
    // A publication with an unknown name may be the one.
    const mayBePublished = publications.some(
      (one) => one.name !== undefined && one.name.value === undefined,
    )
    return mayBePublished || !complete ? undefined : { kind: 'published', key: `${kind} ${name}` }
  }

  let unknownCount = 0
  function createUnknownLink(): PoolLink {
    const [pool, ...others] = created
    if (pool === undefined) return { kind: 'unknown', key: '' }
    if (others.length === 0) return { ...pool, assumed: true }
    unknownCount += 1
    return { kind: 'unknown', key: `unknown ${unknownCount}` }
  }

  return (model, fact) => link(model, fact, 0) ?? createUnknownLink()
}

/** Returns the pool that all links identify, or undefined. */
function findCommonPool(links: readonly (PoolLink | undefined)[]): PoolLink | undefined {
  const keys = new Set(links.map((link) => link?.key))
  return keys.size === 1 ? links[0] : undefined
}

/** Lists the pieces of a text that may contain the id of a pool. */
const listPoolSources = ({ source, pieces = [source] }: Fact<string>): readonly Source[] =>
  pieces.filter(
    (piece): piece is Source =>
      typeof piece !== 'string' && (piece.ssm !== undefined || piece.imported !== undefined),
  )

/** Whether two links may identify the same pool. */
export const mayBeSamePool = (a: PoolLink, b: PoolLink): boolean =>
  a.key === b.key || a.kind !== b.kind || a.kind === 'published' || a.kind === 'unknown'

/** Whether two links identify the same pool, as far as the templates determine it. */
export const isSamePool = (a: PoolLink, b: PoolLink): boolean => a.key === b.key
