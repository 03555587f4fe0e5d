/**
 * Compiles routes to cacheable policies. `*` in a policy resource matches slashes and the empty text too,
 * so a route's wildcard reaches beyond the route. Each part of the API that a pattern may reach is a
 * region, with the route that owns it.
 */

import { isSatisfiedBy } from '../../core/authorize.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import { type CompiledRequirement, implies } from '../../core/requirement.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import {
  globContains,
  globsOverlap,
  listAmbiguousGlobs,
  METHODS,
  type Route,
  type RouteRequirement,
  type Routes,
} from './routes.ts'

/** The largest result of an authorizer that API Gateway accepts. */
export const MAX_RESULT_BYTES = 8192
/** Size of a resource besides its pattern: everything before the method, quotes and a comma. */
const RESOURCE_OVERHEAD_BYTES = 100
/** Size of a policy besides its resources, with the context. */
const POLICY_OVERHEAD_BYTES = 1536

/** One pattern per method: a wildcard would match methods that no route has. */
const ALL_ROUTES = METHODS.map((method) => `${method}/*`)

/** What a token may call, as patterns of `METHOD/path`. A Deny takes precedence over every Allow. */
export interface PolicyGrant {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
}

/**
 * @param defaultRequirement The requirement of routes that are not declared.
 * @throws {OptionError} `ERR_OPTION_INVALID` if no policy can express the requirements exactly.
 */
export function compilePolicy(
  routes: Routes,
  defaultRequirement: RouteRequirement,
): (token: VerifiedToken) => PolicyGrant {
  const { declared, overreach } = listRegions(routes, defaultRequirement)
  const ambiguous = listAmbiguousGlobs(listLiterals(routes))
  const undeclared: PolicyRegion = {
    glob: '*',
    owner: 'default',
    requirement: defaultRequirement as PolicyRegion['requirement'],
  }
  const owned = [...declared, ...overreach.filter(({ owner }) => owner !== undeclared.owner)]
  // A Deny may cover undeclared paths and the spelling with a trailing slash, but no route.
  const mustStayAllowed = owned.filter(
    ({ glob }, index) => index < declared.length || !glob.endsWith('/'),
  )
  const mustDeny = (region: PolicyRegion, by: PolicyRegion): boolean =>
    canReachOnlyOne(by, region) && reaches(by, region)
  const denied = [...declared, ...overreach].filter((region) =>
    declared.some((by) => mustDeny(region, by)),
  )
  assertExact(denied, mustStayAllowed)
  assertNoDecodedMatch(declared)
  const size = estimateBytes([
    ...minimizeGlobs([...declared, ...denied]),
    ...listAmbiguousDenies(declared, ambiguous),
  ])
  if (size > MAX_RESULT_BYTES) {
    throw new OptionError(
      'resultTtl',
      `expected 0 for this many routes, because a policy for all of them may take ${size} of ${MAX_RESULT_BYTES} bytes. Set it to 0, or combine routes with {name+}.`,
    )
  }
  return (token) => {
    const isMet = ({ requirement }: PolicyRegion): boolean => isSatisfiedBy(token, requirement)
    const allExcept = isMet(undeclared) && allowAllExcept(owned, mustStayAllowed, isMet, ambiguous)
    if (allExcept) return allExcept
    const reached = declared.filter(isMet)
    const unreachable = denied.filter(
      (region) => !isMet(region) && reached.some((by) => reaches(by, region)),
    )
    return {
      allow: minimizeGlobs(reached),
      deny: [...minimizeGlobs(unreachable), ...listAmbiguousDenies(reached, ambiguous)],
    }
  }
}

/** Allows undeclared routes too; undefined if the denied regions would cover a route that is allowed. */
function allowAllExcept(
  owned: readonly PolicyRegion[],
  mustStayAllowed: readonly PolicyRegion[],
  isMet: (region: PolicyRegion) => boolean,
  ambiguous: readonly string[],
): PolicyGrant | undefined {
  const denied = owned.filter((region) => !isMet(region))
  const exact = !denied.some((region) =>
    mustStayAllowed.some((it) => isMet(it) && denies(region, it)),
  )
  const deny = [...minimizeGlobs(denied), ...ambiguous]
  return exact && estimateBytes([...ALL_ROUTES, ...deny]) <= MAX_RESULT_BYTES
    ? { allow: ALL_ROUTES, deny }
    : undefined
}

/** Denies ambiguous paths to a token that may call a greedy route. */
function listAmbiguousDenies(
  reached: readonly PolicyRegion[],
  globs: readonly string[],
): readonly string[] {
  return reached.some(isGreedyRegion) ? globs : []
}

function listLiterals({ list }: Routes): string[] {
  return list.flatMap(({ segments }) =>
    segments.filter(({ kind }) => kind === 'literal').map(({ text }) => text),
  )
}

/** API Gateway may compare the decoded path: it must not match a route with a weaker requirement. */
function assertNoDecodedMatch(declared: readonly PolicyRegion[]): void {
  for (const by of declared) {
    const hit = declared.find((region) => mayDecodeInto(region, by) && canReachOnlyOne(by, region))
    if (hit === undefined) continue
    throw new OptionError(
      'resultTtl',
      `expected 0 for these routes: with an encoded slash, a path of ${hit.owner} can match ${by.owner}, and a cached policy sees only the path. Require for ${by.owner} all that ${hit.owner} requires, or set resultTtl to 0.`,
    )
  }
}

function assertExact(
  denied: readonly PolicyRegion[],
  mustStayAllowed: readonly PolicyRegion[],
): void {
  for (const region of denied) {
    const hit = mustStayAllowed.find((it) => canReachOnlyOne(it, region) && denies(region, it))
    if (hit === undefined) continue
    throw new OptionError(
      'resultTtl',
      `expected 0 for these routes: in a cached policy * matches slashes too, so denying ${region.glob} (${region.owner}) also denies ${hit.glob} (${hit.owner}). Use the same requirement for both, or set resultTtl to 0${region.owner === 'default' ? ', or default to {}' : ''}.`,
    )
  }
}

/** Removes duplicate patterns and those that another pattern contains. */
function minimizeGlobs(regions: readonly PolicyRegion[]): string[] {
  const globs = [...new Set(regions.map(({ glob }) => glob))]
  return globs.filter((it) => !globs.some((by) => by !== it && globContains(by, it)))
}

function estimateBytes(globs: readonly string[]): number {
  return globs.reduce(
    (sum, glob) => sum + glob.length + RESOURCE_OVERHEAD_BYTES,
    POLICY_OVERHEAD_BYTES,
  )
}

/** A segment that no route has: it represents every text that a wildcard matches. */
const WILDCARD_SEGMENT = '\u0000'

/** A part of the API that one route owns. */
interface PolicyRegion {
  /** `METHOD/path` with `*`. */
  readonly glob: string
  /** The key of the route; `default` if no route is declared for it. */
  readonly owner: string
  readonly requirement: CompiledRequirement
}

/** The regions of an API. */
interface ApiRegions {
  /** One per route and method. */
  readonly declared: readonly PolicyRegion[]
  /** What else their wildcards match, and the same paths with a trailing slash. */
  readonly overreach: readonly PolicyRegion[]
}

/** @throws {OptionError} `ERR_OPTION_INVALID` for a requirement that no policy can express. */
function listRegions(routes: Routes, defaultRequirement: RouteRequirement): ApiRegions {
  const undeclared = {
    owner: 'default',
    requirement: assertCacheable(defaultRequirement, 'default'),
  }
  const declared = routes.list.flatMap(listRouteRegions)
  return {
    declared,
    overreach: declared.flatMap((region) => listOverreach(region, declared, routes, undeclared)),
  }
}

/** With caching on, API Gateway itself responds to a request without a token. */
function assertCacheable(requirement: RouteRequirement, optionPath: string): CompiledRequirement {
  if (requirement === false || requirement.optional) {
    throw new OptionError(
      optionPath,
      'expected a required token with resultTtl above 0, got a public or optional route. Remove the authorizer from the route, or set resultTtl to 0.',
    )
  }
  if (requirement.check !== undefined) {
    throw new OptionError(
      optionPath,
      'expected no `check` with resultTtl above 0, because a check decides about one request. Set resultTtl to 0.',
    )
  }
  return requirement
}

function listRouteRegions({ key, method, segments, requirement }: Route): PolicyRegion[] {
  const compiled = assertCacheable(requirement, `routes[${describeValue(key)}]`)
  const path = segments.map(({ kind, text }) => (kind === 'literal' ? text : '*')).join('/')
  const methods = method === 'ANY' ? METHODS : [method]
  return methods.map((it) => ({ glob: `${it}/${path}`, owner: key, requirement: compiled }))
}

/** Each wildcard matches the empty text and several segments, besides the one that its route has. */
function listOverreach(
  region: PolicyRegion,
  declared: readonly PolicyRegion[],
  routes: Routes,
  undeclared: Omit<PolicyRegion, 'glob'>,
): PolicyRegion[] {
  const { glob } = region
  const wildcards = [...glob.matchAll(/\*/g)].map(({ index }) => index)
  const globs = wildcards.flatMap((index) =>
    ['', '*/*'].map((text) => `${glob.slice(0, index)}${text}${glob.slice(index + 1)}`),
  )
  return [...globs, `${glob}/`].flatMap((it) => {
    const [method = '', ...path] = it.replaceAll('*', WILDCARD_SEGMENT).split('/')
    const route = routes.findByPath(method, `/${path.join('/')}`)
    const { owner, requirement } = route
      ? { owner: route.key, requirement: route.requirement }
      : undeclared
    // The text a wildcard matches may be the literal text of a greedy route.
    const greedy = declared.filter(
      (other) =>
        isGreedyRegion(other) &&
        ![owner, region.owner].includes(other.owner) &&
        !it.endsWith('/') &&
        globsOverlap(other.glob, it) &&
        isWithin(region, other),
    )
    return [{ owner, requirement: requirement as CompiledRequirement }, ...greedy].map((by) => ({
      glob: it,
      owner: by.owner,
      requirement: by.requirement,
    }))
  })
}

/** Whether a token may satisfy the requirement of `one` and not that of `other`. */
function canReachOnlyOne(one: PolicyRegion, other: PolicyRegion): boolean {
  return !implies(one.requirement, other.requirement)
}

/** Whether allowing `by` allows `region` too; not if `by` is only a part of it with its own owner. */
export function reaches(by: PolicyRegion, region: PolicyRegion): boolean {
  return globsOverlap(by.glob, region.glob) && !isWithin(by, region)
}

/** Whether denying `region` denies `other` too; not if it is only a part of that. */
export function denies(region: PolicyRegion, other: PolicyRegion): boolean {
  return globsOverlap(region.glob, other.glob) && !isWithin(region, other)
}

/**
 * Whether a path of `region` may match `by` once API Gateway has decoded it: an encoded slash in a
 * parameter adds a segment.
 */
function mayDecodeInto(region: PolicyRegion, by: PolicyRegion): boolean {
  return isWithin(by, region) && (isGreedyRegion(by) || countSegments(by) > countSegments(region))
}

/** Whether the owner of a region matches paths of any length. */
function isGreedyRegion({ owner }: PolicyRegion): boolean {
  return owner.endsWith('+}')
}

function countSegments({ glob }: PolicyRegion): number {
  return glob.split('/').length
}

function isWithin(inner: PolicyRegion, outer: PolicyRegion): boolean {
  return globContains(outer.glob, inner.glob) && !globContains(inner.glob, outer.glob)
}
