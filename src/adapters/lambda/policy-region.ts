/**
 * What a policy can tell apart. In a resource `*` matches slashes and nothing too, so a route's
 * wildcard reaches beyond the route: each part of the API that a pattern may reach is an area of its
 * own, with the route that owns it.
 */
import { describeValue, OptionError } from '../../core/options/validate.ts'
import { type CompiledRequirement, implies, isSatisfiedBy } from '../../core/requirement.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import {
  ambiguousGlobs,
  contains,
  METHODS,
  type Need,
  overlap,
  type Route,
  type Routes,
} from './routes.ts'

/** What API Gateway takes as the result of an authorizer, in bytes. */
export const MAX_RESULT = 8192
/** Bytes around a resource: everything before its method, quotes and a comma. */
const PREFIX = 100
/** Bytes around all of them: the policy itself and the context. */
const FRAME = 1536

/** No wildcard for the method: it would reach methods no route has. */
const EVERYTHING = METHODS.map((method) => `${method}/*`)

/** Patterns of `METHOD/path`; a Deny beats every Allow. */
export interface Reach {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
}

/**
 * @param fallback What routes that were not declared need.
 * @throws {OptionError} `ERR_OPTION_INVALID` where no policy can say it exactly.
 */
export function planReach(routes: Routes, fallback: Need): (token: VerifiedToken) => Reach {
  const { declared, beyond } = areasOf(routes, fallback)
  const ambiguous = ambiguousGlobs(literalsOf(routes))
  const rest: Area = { glob: '*', owner: 'default', need: fallback as Area['need'] }
  const owned = [...declared, ...beyond.filter(({ owner }) => owner !== rest.owner)]
  // A Deny may reach paths nobody declared and the spelling with a slash at the end, but no route.
  const kept = owned.filter(({ glob }, index) => index < declared.length || !glob.endsWith('/'))
  const mustDeny = (area: Area, by: Area): boolean => mayDiffer(by, area) && reaches(by, area)
  const denied = [...declared, ...beyond].filter((area) =>
    declared.some((by) => mustDeny(area, by)),
  )
  checkExact(denied, kept)
  checkDecoded(declared)
  const size = sizeOf([...globsOf([...declared, ...denied]), ...unambiguous(declared, ambiguous)])
  if (size > MAX_RESULT) {
    throw new OptionError(
      'resultTtl',
      `cannot be above 0 with so many routes: a policy for all of them may take ${size} of ${MAX_RESULT} bytes; set it to 0, or write routes with {name+}`,
    )
  }
  return (token) => {
    const isMet = ({ need }: Area): boolean => isSatisfiedBy(token, need)
    const open = isMet(rest) && allBut(owned, kept, isMet, ambiguous)
    if (open) return open
    const reached = declared.filter(isMet)
    const out = denied.filter((area) => !isMet(area) && reached.some((by) => reaches(by, area)))
    return { allow: globsOf(reached), deny: [...globsOf(out), ...unambiguous(reached, ambiguous)] }
  }
}

/** Undeclared routes included, where what is left out can be said without touching the rest. */
function allBut(
  owned: readonly Area[],
  kept: readonly Area[],
  isMet: (area: Area) => boolean,
  ambiguous: readonly string[],
): Reach | undefined {
  const out = owned.filter((area) => !isMet(area))
  const exact = !out.some((area) => kept.some((it) => isMet(it) && denies(area, it)))
  const deny = [...globsOf(out), ...ambiguous]
  return exact && sizeOf([...EVERYTHING, ...deny]) <= MAX_RESULT
    ? { allow: EVERYTHING, deny }
    : undefined
}

/** What a token that reaches a greedy route is kept out of. */
function unambiguous(reached: readonly Area[], globs: readonly string[]): readonly string[] {
  return reached.some(isGreedyArea) ? globs : []
}

function literalsOf({ list }: Routes): string[] {
  return list.flatMap(({ segments }) =>
    segments.filter(({ kind }) => kind === 'literal').map(({ text }) => text),
  )
}

/** API Gateway may compare the decoded path: a policy must not let in what reads like a laxer route. */
function checkDecoded(declared: readonly Area[]): void {
  for (const by of declared) {
    const hit = declared.find((area) => readsLike(area, by) && mayDiffer(by, area))
    if (hit === undefined) continue
    throw new OptionError(
      'resultTtl',
      `cannot be above 0 here: with an encoded slash a path of ${hit.owner} may read like one of ${by.owner}, and a kept policy knows the path alone; let ${by.owner} need all that ${hit.owner} needs, or set resultTtl to 0`,
    )
  }
}

function checkExact(denied: readonly Area[], kept: readonly Area[]): void {
  for (const area of denied) {
    const hit = kept.find((it) => mayDiffer(it, area) && denies(area, it))
    if (hit === undefined) continue
    throw new OptionError(
      'resultTtl',
      `cannot be above 0 here: in a kept policy * matches slashes too, so keeping a token out of ${area.glob} (${area.owner}) keeps it out of ${hit.glob} (${hit.owner}) as well; ask the same of both, or set resultTtl to 0${area.owner === 'default' ? ', or default to {}' : ''}`,
    )
  }
}

/** Each pattern once, and none that another one contains. */
function globsOf(areas: readonly Area[]): string[] {
  const globs = [...new Set(areas.map(({ glob }) => glob))]
  return globs.filter((it) => !globs.some((by) => by !== it && contains(by, it)))
}

function sizeOf(globs: readonly string[]): number {
  return globs.reduce((sum, glob) => sum + glob.length + PREFIX, FRAME)
}

/** A segment no route names: it stands for every text a wildcard may take. */
const ANYTHING = '\u0000'

/** A part of the API with one owner. */
interface Area {
  /** `METHOD/path` with `*`. */
  readonly glob: string
  /** The key of the route it belongs to; `default` where none was declared. */
  readonly owner: string
  readonly need: CompiledRequirement
}

/** The areas of an API. */
interface Areas {
  /** One per route and method. */
  readonly declared: readonly Area[]
  /** What their wildcards reach besides, and the same paths with a slash at the end. */
  readonly beyond: readonly Area[]
}

/** @throws {OptionError} `ERR_OPTION_INVALID` for what a policy cannot say at all. */
function areasOf(routes: Routes, fallback: Need): Areas {
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
  const compiled = judgeable(need, `routes[${describeValue(key)}]`)
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
function mayDiffer(one: Area, other: Area): boolean {
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
function readsLike(area: Area, by: Area): boolean {
  return within(by, area) && (isGreedyArea(by) || depthOf(by) > depthOf(area))
}

/** Whether the owner of an area takes paths of any length. */
function isGreedyArea({ owner }: Area): boolean {
  return owner.endsWith('+}')
}

function depthOf({ glob }: Area): number {
  return glob.split('/').length
}

function within(inner: Area, outer: Area): boolean {
  return contains(outer.glob, inner.glob) && !contains(inner.glob, outer.glob)
}
