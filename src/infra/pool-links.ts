/** Which user pool a fact means, across templates that are deployed together. */
import type { Fact, InfraModel } from './model.ts'
import type { Source } from './value.ts'

/** What is known of the pool that a fact names; nothing where it could be any of the templates'. */
export interface PoolLink {
  /**
   * `created`: by one of the templates. `named`: an id that is written out. `published`: what no template
   * publishes, under this name. One that is not `created` here may be one of these all the same.
   */
  readonly kind: 'created' | 'named' | 'published'
  /** One key, one pool. */
  readonly key: string
}

export type PoolOf = (model: InfraModel, fact: Fact<string> | undefined) => PoolLink | undefined

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
 * consumes them to the one that publishes them.
 */
export function poolLinks(models: readonly InfraModel[]): PoolOf {
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

  function link(model: InfraModel, fact: Fact<string> | undefined, steps: number) {
    if (fact === undefined || steps > MAX_STEPS) return undefined
    if (fact.value !== undefined) {
      const [, id] = POOL_ID.exec(fact.value) ?? []
      return id === undefined ? undefined : ({ kind: 'named', key: id } as const)
    }
    const own: PoolLink[] = model.userPools
      .filter(({ id }) => fact.refs.includes(id))
      .map(({ id }) => ({ kind: 'created', key: `${models.indexOf(model)} ${id}` }))
    return only(own.length > 0 ? own : sourcesOf(fact).map((source) => consumed(source, steps)))
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
      return only(
        found.map(({ model, value, conditional }) =>
          conditional ? undefined : link(model, value, steps + 1),
        ),
      )
    }
    // A publication whose name is not known may be the one.
    const open = publications.some((one) => one.name !== undefined && one.name.value === undefined)
    return open || !complete ? undefined : { kind: 'published', key: `${what} ${name}` }
  }

  return (model, fact) => link(model, fact, 0)
}

/** The one pool that all of them mean. */
function only(links: readonly (PoolLink | undefined)[]): PoolLink | undefined {
  const keys = new Set(links.map((link) => link?.key))
  return keys.size === 1 ? links[0] : undefined
}

/** Of a text that is put together, what a pool's id may be in. */
const sourcesOf = ({ source, pieces = [source] }: Fact<string>): readonly Source[] =>
  pieces.filter(
    (piece): piece is Source =>
      typeof piece !== 'string' && (piece.ssm !== undefined || piece.imported !== undefined),
  )

/** Whether they cannot be told apart: what one of them has may be the other's. */
export const mayBeOne = (a: PoolLink | undefined, b: PoolLink | undefined): boolean =>
  a === undefined ||
  b === undefined ||
  a.key === b.key ||
  a.kind !== b.kind ||
  a.kind === 'published'

/** Whether they are one pool, where templates that are deployed together name none else. */
export const areOne = (a: PoolLink | undefined, b: PoolLink | undefined): boolean =>
  a === undefined || b === undefined || a.key === b.key
