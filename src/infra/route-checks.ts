/** Routes of apps and of API Gateway: the scopes they ask for, and whether both say the same. */

import { printable } from '../core/printable.ts'
import type { ReadRoute } from './app-route.ts'
import { closest } from './client-checks.ts'
import { type Finding, finding } from './finding.ts'
import type { FactList, InfraAuthorizer, InfraClient, InfraModel, InfraRoute } from './model.ts'
import { gatewayRoute } from './route-match.ts'
import {
  clientsOf,
  grants,
  identifierOf,
  isMachine,
  isPersons,
  type ScopeTable,
} from './scope-table.ts'
import type { Position } from './template-error.ts'

/** Where an app says what its routes need, and what is to be done where it says too little. */
type Said = keyof typeof OPEN
const OPEN = {
  code: 'guard it in code too: who reaches the app past the gateway gets in',
  'the document': 'name its scopes under security: callers read that they need no token',
} as const

/** Seconds a token lives where the client says nothing. */
const DEFAULT_LIFETIME = 3600

/** Scopes that a gateway's authorizer admits. */
export function checkGateway(
  model: InfraModel,
  table: ScopeTable,
  models: readonly InfraModel[],
): Finding[] {
  const lists = new Set<FactList<string>>()
  const guarded = model.routes.filter(({ authorization }) => authorization === 'cognito')
  for (const { scopes } of [...model.authorizers, ...guarded]) {
    if (scopes !== undefined) lists.add(scopes)
  }
  return [
    ...[...lists].flatMap(({ items }) =>
      items.flatMap(({ at, value }) => undefinedScope(at, value, table)),
    ),
    ...model.routes.flatMap((route) => withoutScopes(route, model, models)),
  ]
}

function undefinedScope(at: Position, scope: string | undefined, table: ScopeTable): Finding[] {
  if (scope === undefined || !table.isMissing(scope)) return []
  const message = `${printable(scope)} is required and no resource server defines it: no caller can have it`
  return [finding(at, 'error', 'scope-undefined', message, closest(scope, table))]
}

function withoutScopes(
  route: InfraRoute,
  model: InfraModel,
  models: readonly InfraModel[],
): Finding[] {
  const { authorization, authorizer, scopes, complete } = route
  const known = model.authorizers.find(({ id }) => id === authorizer)
  const none = scopes === undefined ? complete : scopes.complete && scopes.items.length === 0
  if (authorization !== 'cognito' || known?.kind !== 'rest' || !none) return []
  const clients = clientsOf(known, model, models)
  // ID tokens are people's: an API for them is what such an authorizer is for.
  if (clients.length > 0 && clients.every(isPersons)) return []
  return [
    finding(
      route.at,
      clients.length > 0 && clients.every(isMachine) ? 'error' : 'warning',
      'authorizer-no-scopes',
      `${printable(route.id)} has a Cognito authorizer without scopes: it expects an ID token and refuses access tokens`,
      'name the scopes it admits (AuthorizationScopes, authorization_scopes), unless it is for people alone',
    ),
  ]
}

/** Tokens that a proxy, and decisions that a gateway, keeps for longer than a token lives. */
export function checkLifetimes(
  models: readonly InfraModel[],
  proxyTtl: number | undefined,
): Finding[] {
  const kept = models.flatMap((model) =>
    model.authorizers.flatMap((authorizer) => keptDecisions(authorizer, model, models)),
  )
  if (proxyTtl === undefined) return kept
  const tokens = models.flatMap(({ clients }) => clients).filter(isMachine)
  return tokens
    .flatMap((client): Finding[] => {
      const lifetime = lifetimeOf(client)
      if (lifetime === undefined || proxyTtl < lifetime) return []
      const at = client.accessTokenValidity?.at ?? client.at
      const message = `${printable(client.id)}'s tokens live ${lifetime} s, the proxy keeps them ${proxyTtl} s`
      const fix = `keep them for less than ${lifetime} s, or let them live longer (AccessTokenValidity, access_token_validity)`
      return [finding(at, 'error', 'lifetime-ttl', message, fix)]
    })
    .concat(kept)
}

/** Once an authorizer, for the client whose tokens are gone first. */
function keptDecisions(
  authorizer: InfraAuthorizer,
  model: InfraModel,
  models: readonly InfraModel[],
): Finding[] {
  const { id, ttl } = authorizer
  const seconds = ttl?.value
  if (ttl === undefined || seconds === undefined) return []
  let shortest: { readonly client: InfraClient; readonly lifetime: number } | undefined
  for (const client of clientsOf(authorizer, model, models).filter(isMachine)) {
    const lifetime = lifetimeOf(client)
    if (lifetime === undefined || lifetime >= (shortest?.lifetime ?? seconds + 1)) continue
    shortest = { client, lifetime }
  }
  if (shortest === undefined) return []
  const { client, lifetime } = shortest
  const message = `${printable(client.id)}'s tokens live ${lifetime} s, ${printable(id)} keeps its decisions ${seconds} s`
  const fix = `keep decisions for less than ${lifetime} s (AuthorizerResultTtlInSeconds, authorizer_result_ttl_in_seconds)`
  return [finding(ttl.at, 'warning', 'lifetime-ttl', message, fix)]
}

const lifetimeOf = ({ accessTokenValidity, complete }: InfraClient): number | undefined =>
  accessTokenValidity === undefined
    ? complete
      ? DEFAULT_LIFETIME
      : undefined
    : accessTokenValidity.value

/** Scopes that an app asks for. */
export const checkAppScopes = (routes: readonly ReadRoute[], table: ScopeTable): Finding[] =>
  routes.flatMap(({ alternatives, placeOf }) =>
    alternatives.flat().flatMap((scope) => undefinedScope(placeOf(scope), scope, table)),
  )

/** Scopes that no route of the app needs. */
export function checkLeastPrivilege(
  models: readonly InfraModel[],
  routes: readonly ReadRoute[],
  { defined }: ScopeTable,
): Finding[] {
  const needed = new Set(routes.flatMap(({ alternatives }) => alternatives.flat()))
  const servers = new Set([...needed].map(identifierOf))
  return models
    .flatMap(({ clients }) => clients)
    .filter(isMachine)
    .flatMap((client) => {
      // Scopes of resource servers that the app does not use are another app's.
      const spare = grants(client).filter(
        ({ value: scope }) =>
          defined.has(scope) && !needed.has(scope) && servers.has(identifierOf(scope)),
      )
      const [first] = spare
      if (first === undefined) return []
      const names = spare.map(({ value }) => printable(value)).join(', ')
      return finding(
        first.at,
        'warning',
        'client-over-granted',
        `${printable(client.id)} is granted ${names}, which no route needs`,
        'take it from the client; where no other app needs it, from the resource server too',
      )
    })
}

/**
 * What an app and its gateway say about the same route.
 *
 * @param source Where the app says it.
 */
export function checkAgreement(
  models: readonly InfraModel[],
  routes: readonly ReadRoute[],
  table: ScopeTable,
  source: Said,
): Finding[] {
  const gateway = models.flatMap((model) => model.routes)
  return routes.flatMap((route) => {
    const found = gatewayRoute(gateway, route)
    return found === undefined ? [] : compared(route, found, table, source)
  })
}

function compared(app: ReadRoute, gateway: InfraRoute, table: ScopeTable, source: Said): Finding[] {
  const what = printable(`${app.method} ${app.path}`)
  const there = `${printable(gateway.at.file)}:${gateway.at.line}`
  if (app.other) return []
  if (app.open && gateway.authorization === 'cognito') {
    const message = `${what} is open in ${source} and guarded at ${there}`
    return [finding(app.at, 'error', 'route-open-in-code', message, OPEN[source])]
  }
  if (!app.open && gateway.authorization === 'none') {
    // In words that are the same for code and document: it is one place.
    const own = printable(`${gateway.method?.value} ${gateway.path?.value}`)
    const message = `${printable(gateway.id)} lets anyone through to ${own}, which asks for a token`
    const fix = 'set the authorizer on it, or leave the judging to the app on purpose'
    return [finding(gateway.at, 'warning', 'route-open-in-template', message, fix)]
  }
  const { scopes } = gateway
  if (app.open || gateway.authorization !== 'cognito' || scopes?.complete !== true) return []
  if (scopes.items.length === 0) return []
  const admitted = new Set(scopes.items.map(({ value }) => value))
  return app.alternatives.flatMap((choice) => {
    const [first] = choice
    // A caller has to have every scope of a choice, so one admitted suffices.
    if (first === undefined || choice.some((scope) => admitted.has(scope))) return []
    // What is defined nowhere is told as that.
    if (choice.some((scope) => table.isMissing(scope))) return []
    const names = choice.map((scope) => printable(scope)).join(', ')
    const message = `${what} asks for ${names}, which its authorizer at ${there} does not admit`
    const fix = 'add it to the scopes of the authorizer, or correct the route'
    return finding(app.placeOf(first), 'error', 'authorizer-excludes', message, fix)
  })
}
