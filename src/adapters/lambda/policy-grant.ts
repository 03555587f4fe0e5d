/**
 * What a policy that API Gateway keeps says about a token: one answer for every declared route, so
 * that it grants what a fresh one would and nothing more. What a wildcard must not reach gets a Deny;
 * routes that cannot be told apart that way are refused at creation.
 */
import { OptionError } from '../../core/options/validate.ts'
import { isMetBy } from '../../core/requirement.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import {
  type Area,
  areasOf,
  denies,
  isGreedyArea,
  mayDiffer,
  reaches,
  readsLike,
} from './policy-region.ts'
import { ambiguousGlobs, contains, METHODS, type Need, type Routes } from './routes.ts'

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
    const isMet = ({ need }: Area): boolean => isMetBy(token, need)
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
