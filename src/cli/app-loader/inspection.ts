/** What an inspection reads of an app: its routes and scopes, and the requirement that several guards combine to. */
import type { AppRoute } from '../../contract/infra/index.ts'
import type { RequirementSummary } from '../../core/introspection.ts'
import type { ResourceServerDefinition } from '../../core/scopes.ts'

/** What is to be read. */
export interface Job {
  /** The module as it was named. */
  readonly name: string
  /** `file:` URLs. */
  readonly module: string
  readonly scopes?: string
}

/** What a module's app declares. */
export interface Inspection {
  readonly routes: readonly AppRoute[]
  /** What `defineScopes` gave and the module exports. */
  readonly resourceServers: readonly ResourceServerDefinition[]
}

/** A part of it: one app's routes. */
export interface AppRoutes {
  readonly routes: readonly AppRoute[]
  /** Whether any guard of this package stands in the app. */
  readonly hasGuard: boolean
}

/** Every one of them has to be met. `false` where there is none. */
export function combineRequirements(needs: readonly RequirementSummary[]): AppRoute['auth'] {
  if (needs.length === 0) return false
  const scopes = [...new Set(needs.flatMap(({ allOf }) => allOf))]
  const anyOf = combineAlternatives(needs.map((need) => need.anyOf))
  // One that needs a token makes every request bring one.
  const optional = needs.every((need) => need.optional)
  return {
    ...(scopes.length > 0 && { scopes }),
    ...(anyOf.length > 0 && { anyOf }),
    ...(optional && { optional }),
  }
}

/** One of each list: a scope, or several where lists differ. */
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
