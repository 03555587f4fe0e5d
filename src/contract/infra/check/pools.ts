/** Which user pool a fact means, across templates that are deployed together. */
import type { Fact, InfraModel } from '../model/model.ts'
import type { Source } from '../resolve/value.ts'

/** What is known of the pool that a fact names. */
export interface PoolLink {
  /**
   * `created`: a template creates the pool. `named`: the template has its literal ID. `published`: the name
   * of an export or parameter that no template publishes. `unknown`: it can be any pool. A pool that is not
   * `created` can still be identical to one that is.
   */
  readonly kind: 'created' | 'named' | 'published' | 'unknown'
  /** One key, one pool. */
  readonly key: string
  /** Whether it is what is unknown is taken for. */
  readonly assumed?: true
}

export type ResolvePool = (model: InfraModel, fact?: Fact<string>) => PoolLink

/** Publications that are made of publications. */
const MAX_STEPS = 10
/** An id alone, and at the end of an ARN or an issuer. */
const POOL_ID = /(?:^|\/)([a-z0-9-]+_[0-9A-Za-z]+)$/

interface Publication {
  readonly model: InfraModel
  readonly name?: Fact<string>
  readonly value?: Fact<string>
  readonly conditional: boolean
}

/**
 * Follows references within a template, and names of SSM parameters and exports from the template that
 * consumes them to the one that publishes them. What is unknown is taken for the pool of templates that are
 * deployed together, where that is one.
 */
export function createPoolResolver(models: readonly InfraModel[]): ResolvePool {
  const parameters: Publication[] = models.flatMap((model) =>
    model.parameters.map((parameter) => ({ model, ...parameter })),
  )
  const exports: Publication[] = models.flatMap((model) =>
    model.outputs.map(({ exported, ...output }) => ({
      ...{ model, ...output },
      ...(exported && { name: exported }),
    })),
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
      created.length > 0 ? created : listPoolSources(fact).map((source) => consumed(source, steps)),
    )
  }

  function consumed({ ssm, imported }: Source, steps: number): PoolLink | undefined {
    if (ssm !== undefined) return published(parameters, ssm, 'parameter', steps)
    return published(exports, imported as string, 'export', steps)
  }

  function published(
    publications: readonly Publication[],
    name: string,
    what: string,
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
    // A publication whose name is not known may be the one.
    const open = publications.some((one) => one.name !== undefined && one.name.value === undefined)
    return open || !complete ? undefined : { kind: 'published', key: `${what} ${name}` }
  }

  let unknowns = 0
  function unknown(): PoolLink {
    const [pool, ...others] = created
    if (pool === undefined) return { kind: 'unknown', key: '' }
    if (others.length === 0) return { ...pool, assumed: true }
    unknowns += 1
    return { kind: 'unknown', key: `unknown ${unknowns}` }
  }

  return (model, fact) => link(model, fact, 0) ?? unknown()
}

/** The one pool that all of them mean. */
function findCommonPool(links: readonly (PoolLink | undefined)[]): PoolLink | undefined {
  const keys = new Set(links.map((link) => link?.key))
  return keys.size === 1 ? links[0] : undefined
}

/** Of a text that is put together, what a pool's id may be in. */
const listPoolSources = ({ source, pieces = [source] }: Fact<string>): readonly Source[] =>
  pieces.filter(
    (piece): piece is Source =>
      typeof piece !== 'string' && (piece.ssm !== undefined || piece.imported !== undefined),
  )

/** Whether they cannot be told apart: what one of them has may be the other's. */
export const mayBeSamePool = (a: PoolLink, b: PoolLink): boolean =>
  a.key === b.key || a.kind !== b.kind || a.kind === 'published' || a.kind === 'unknown'

/** Whether they are one pool, for all that is known. */
export const isSamePool = (a: PoolLink, b: PoolLink): boolean => a.key === b.key
