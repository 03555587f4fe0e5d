/**
 * What a policy can tell apart. In a resource `*` matches slashes and nothing too, so a route's
 * wildcard reaches beyond the route: each part of the API that a pattern may reach is an area of its
 * own, with the route that owns it.
 */
import { OptionError, show } from '../../core/options/validate.ts'
import { type CompiledRequirement, implies } from '../../core/requirement.ts'
import { contains, METHODS, type Need, overlap, type Route, type Routes } from './routes.ts'

/** A segment no route names: it stands for every text a wildcard may take. */
const ANYTHING = '\u0000'

/** A part of the API with one owner. */
export interface Area {
  /** `METHOD/path` with `*`. */
  readonly glob: string
  /** The key of the route it belongs to; `default` where none was declared. */
  readonly owner: string
  readonly need: CompiledRequirement
}

/** The areas of an API. */
export interface Areas {
  /** One per route and method. */
  readonly declared: readonly Area[]
  /** What their wildcards reach besides, and the same paths with a slash at the end. */
  readonly beyond: readonly Area[]
}

/** @throws {OptionError} `ERR_OPTION_INVALID` for what a policy cannot say at all. */
export function areasOf(routes: Routes, fallback: Need): Areas {
  const rest = { owner: 'default', need: judgeable(fallback, 'default') }
  const declared = routes.list.flatMap(areasOfRoute)
  return { declared, beyond: declared.flatMap((area) => beyondOf(area, declared, routes, rest)) }
}

/** API Gateway answers a request without a token by itself where it keeps results. */
function judgeable(need: Need, place: string): CompiledRequirement {
  if (need === false || need.optional) {
    throw new OptionError(
      place,
      'lets requests without a token pass, which needs resultTtl 0: take the authorizer off that route, or set it',
    )
  }
  if (need.check !== undefined) {
    throw new OptionError(place, 'has a check, which decides per request: set resultTtl to 0')
  }
  return need
}

function areasOfRoute({ key, method, segments, need }: Route): Area[] {
  const compiled = judgeable(need, `routes[${show(key)}]`)
  const path = segments.map(({ kind, text }) => (kind === 'literal' ? text : '*')).join('/')
  const methods = method === 'ANY' ? METHODS : [method]
  return methods.map((it) => ({ glob: `${it}/${path}`, owner: key, need: compiled }))
}

/** Each wildcard takes nothing and several segments as well as one. */
function beyondOf(
  area: Area,
  declared: readonly Area[],
  routes: Routes,
  rest: Omit<Area, 'glob'>,
): Area[] {
  const { glob } = area
  const wildcards = [...glob.matchAll(/\*/g)].map(({ index }) => index)
  const globs = wildcards.flatMap((at) =>
    ['', '*/*'].map((instead) => `${glob.slice(0, at)}${instead}${glob.slice(at + 1)}`),
  )
  return [...globs, `${glob}/`].flatMap((it) => {
    const [method = '', ...path] = it.replaceAll('*', ANYTHING).split('/')
    const route = routes.match(method, `/${path.join('/')}`)
    const { owner, need } = route ? { owner: route.key, need: route.need } : rest
    // What a wildcard takes may be plain text of a route that goes on for ever behind it.
    const greedy = declared.filter(
      (other) =>
        isGreedyArea(other) &&
        ![owner, area.owner].includes(other.owner) &&
        !it.endsWith('/') &&
        overlap(other.glob, it) &&
        within(area, other),
    )
    return [{ owner, need: need as CompiledRequirement }, ...greedy].map((by) => ({
      glob: it,
      owner: by.owner,
      need: by.need,
    }))
  })
}

/** Whether there may be a token that reaches `one` and not `other`. */
export function mayDiffer(one: Area, other: Area): boolean {
  return !implies(one.need, other.need)
}

/** Whether allowing `by` lets a token into `area`: not where it is only a part with its own owner. */
export function reaches(by: Area, area: Area): boolean {
  return overlap(by.glob, area.glob) && !within(by, area)
}

/** Whether denying `area` keeps a token out of `other` too: not where it is only a part of that. */
export function denies(area: Area, other: Area): boolean {
  return overlap(area.glob, other.glob) && !within(area, other)
}

/**
 * Whether a path of `area` may read like one of `by` once API Gateway has decoded it: an encoded slash
 * in a parameter makes it longer.
 */
export function readsLike(area: Area, by: Area): boolean {
  return within(by, area) && (isGreedyArea(by) || depthOf(by) > depthOf(area))
}

/** Whether the owner of an area takes paths of any length. */
export function isGreedyArea({ owner }: Area): boolean {
  return owner.endsWith('+}')
}

function depthOf({ glob }: Area): number {
  return glob.split('/').length
}

function within(inner: Area, outer: Area): boolean {
  return contains(outer.glob, inner.glob) && !contains(inner.glob, outer.glob)
}
