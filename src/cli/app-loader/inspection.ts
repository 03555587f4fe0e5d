/** Types of an inspection, and the requirement that several guards combine to. */
import type { AppRequirement, AppRoute } from '../../contract/infra/index.ts'
import type { RequirementSummary } from '../../core/introspection.ts'
import { omitUndefined } from '../../core/options/validate.ts'
import type { ResourceServerDefinition } from '../../core/scopes.ts'

/** Input of the child process. */
export interface Job {
  /** The module, as in the command line. */
  readonly name: string
  /** `file:` URLs. */
  readonly module: string
  readonly scopes?: string
}

/** Routes and scopes of a module. */
export interface Inspection {
  readonly routes: readonly AppRoute[]
  /** Results of `defineScopes` that the module exports. */
  readonly resourceServers: readonly ResourceServerDefinition[]
}

/** Routes of one app. */
export interface AppRoutes {
  readonly routes: readonly AppRoute[]
  /** Whether the app has a guard of this package. */
  readonly hasGuard: boolean
}

/** Combines requirements, all of which a request must meet. Returns `false` for none. */
export function combineRequirements(requirements: readonly RequirementSummary[]): AppRoute['auth'] {
  if (requirements.length === 0) return false
  const scopes = [...new Set(requirements.flatMap(({ allOf }) => allOf))]
  const anyOf = combineAlternatives(requirements.map((it) => it.anyOf))
  // One requirement with a mandatory token makes the token mandatory.
  const optional = requirements.every((it) => it.optional)
  return omitUndefined<AppRequirement>({
    scopes: scopes.length > 0 ? scopes : undefined,
    anyOf: anyOf.length > 0 ? anyOf : undefined,
    optional: optional ? true : undefined,
  })
}

/** Combines one scope of each list: the Cartesian product of distinct lists. */
function combineAlternatives(
  lists: readonly (readonly string[])[],
): readonly (string | readonly string[])[] {
  const distinct = new Map(lists.map((list) => [list.join(' '), list]))
  distinct.delete('')
  let choices: readonly (readonly string[])[] = [[]]
  for (const list of distinct.values()) {
    choices = choices.flatMap((one) => list.map((scope) => [...new Set([...one, scope])]))
  }
  return choices
    .filter((choice) => choice.length > 0)
    .map((choice) => (choice.length === 1 ? (choice[0] as string) : choice))
}
