/** The resource servers behind an app's routes, where it defines them and where it only names scopes. */

import type { AppRoute } from '../../contract/infra/index.ts'
import { describedScopes, isReserved, type ResourceServer } from '../../core/scopes.ts'
import type { Inspection } from '../app-loader/inspection.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'

/**
 * What is defined, and resource servers made of what routes ask for beside it: a scope that nobody described
 * is described by its own name.
 *
 * @throws {CommandFailure} for a scope that its own resource server does not define: it may be misspelt.
 */
export function resourceServersOf({ routes, resourceServers }: Inspection): ResourceServer[] {
  const defined = new Set(
    resourceServers.flatMap((it) => describedScopes(it).map(([scope]) => scope)),
  )
  const identifiers = new Set(resourceServers.map(({ identifier }) => identifier))
  const derived = new Map<string, Map<string, string>>()
  for (const route of routes) {
    for (const scope of scopesOf(route)) {
      if (defined.has(scope) || isReserved(scope)) continue
      const slash = scope.lastIndexOf('/')
      const identifier = scope.slice(0, slash)
      if (identifiers.has(identifier)) {
        throw new CommandFailure(
          EXIT.usage,
          `${route.method} ${route.path} asks for ${scope}, which is not among the scopes of ${identifier}: define it or correct the spelling`,
        )
      }
      const scopes = derived.get(identifier) ?? new Map<string, string>()
      derived.set(identifier, scopes.set(scope.slice(slash + 1), scope))
    }
  }
  const made = [...derived].map(([identifier, scopes]) => ({
    identifier,
    scopes: Object.fromEntries(scopes),
  }))
  return [...resourceServers, ...made]
}

function scopesOf({ auth }: AppRoute): readonly string[] {
  if (auth === false) return []
  const { scopes = [], anyOf = [] } = auth
  return [...scopes, ...anyOf.flat()]
}
