/** Routes of apps and of API Gateway: the scopes they ask for, and whether both say the same. */

import { printable } from '../core/printable.ts'
import type { ReadRoute } from './app-route.ts'
import { closest } from './client-checks.ts'
import { type Finding, finding } from './finding.ts'
import type { FactList, InfraModel, InfraRoute } from './model.ts'
import { gatewayRoute } from './route-match.ts'
import { grants, isMachine, type ScopeTable } from './scope-table.ts'
import type { Position } from './template-error.ts'

/** Seconds a token lives where the client says nothing. */
const DEFAULT_LIFETIME = 3600

/** Scopes that a gateway's authorizer admits. */
export function checkGateway(model: InfraModel, table: ScopeTable, machines: boolean): Finding[] {
  const lists = new Set<FactList<string>>()
  for (const { scopes } of [...model.authorizers, ...model.routes]) {
    if (scopes !== undefined) lists.add(scopes)
  }
  return [
    ...[...lists].flatMap(({ items }) =>
      items.flatMap(({ at, value }) => undefinedScope(at, value, table)),
    ),
    ...model.routes.flatMap((route) => withoutScopes(route, model, machines)),
  ]
}

function undefinedScope(at: Position, scope: string | undefined, table: ScopeTable): Finding[] {
  if (scope === undefined || !table.isMissing(scope)) return []
  const message = `${printable(scope)} is required and no resource server defines it: no caller can have it`
  return [finding(at, 'error', 'scope-undefined', message, closest(scope, table))]
}

function withoutScopes(route: InfraRoute, model: InfraModel, machines: boolean): Finding[] {
  const { authorization, authorizer, scopes, complete } = route
  const known = model.authorizers.find(({ id }) => id === authorizer)
  const none = scopes === undefined ? complete : scopes.complete && scopes.items.length === 0
  if (authorization !== 'cognito' || known?.kind !== 'rest' || !none) return []
  return [
    finding(
      route.at,
      machines ? 'error' : 'warning',
      'authorizer-no-scopes',
      `${printable(route.id)} has a Cognito authorizer without scopes: it expects an ID token and refuses access tokens`,
      'name the scopes it admits (AuthorizationScopes, authorization_scopes)',
    ),
  ]
}

/** Decisions kept longer than the shortest-lived token they were made about. */
export function checkLifetimes(
  models: readonly InfraModel[],
  proxyTtl: number | undefined,
): Finding[] {
  const clients = models.flatMap(({ clients }) => clients).filter(isMachine)
  const found: Finding[] = []
  for (const { id, at, accessTokenValidity, complete } of clients) {
    const written = accessTokenValidity !== undefined
    const lifetime = written ? accessTokenValidity.value : complete ? DEFAULT_LIFETIME : undefined
    if (lifetime === undefined) continue
    const whose = `${printable(id)}'s tokens live ${lifetime} s`
    if (proxyTtl !== undefined && proxyTtl >= lifetime) {
      const message = `${whose}, the proxy keeps them ${proxyTtl} s`
      found.push(
        finding(
          written ? accessTokenValidity.at : at,
          'error',
          'lifetime-ttl',
          message,
          'keep them for less',
        ),
      )
    }
    for (const { id: name, ttl } of models.flatMap(({ authorizers }) => authorizers)) {
      if (ttl?.value === undefined || ttl.value < lifetime) continue
      const message = `${whose}, ${printable(name)} keeps its decisions ${ttl.value} s`
      found.push(finding(ttl.at, 'warning', 'lifetime-ttl', message, 'keep decisions for less'))
    }
  }
  return found
}

/** Scopes that an app asks for. */
export const checkAppScopes = (routes: readonly ReadRoute[], table: ScopeTable): Finding[] =>
  routes.flatMap(({ alternatives, placeOf }) =>
    alternatives.flat().flatMap((scope) => undefinedScope(placeOf(scope), scope, table)),
  )

/** Scopes that no route of the app needs. */
export function checkLeastPrivilege(
  models: readonly InfraModel[],
  routes: readonly ReadRoute[],
): Finding[] {
  const needed = new Set(routes.flatMap(({ alternatives }) => alternatives.flat()))
  const servers = new Set([...needed].map((scope) => scope.slice(0, scope.lastIndexOf('/'))))
  return models
    .flatMap(({ clients }) => clients)
    .filter(isMachine)
    .flatMap((client) => {
      // Scopes of resource servers that the app does not use are another app's.
      const spare = grants(client).filter(
        (scope) => !needed.has(scope) && servers.has(scope.slice(0, scope.lastIndexOf('/'))),
      )
      if (spare.length === 0) return []
      const names = spare.map((scope) => printable(scope)).join(', ')
      return finding(
        client.scopes?.at ?? client.at,
        'warning',
        'client-over-granted',
        `${printable(client.id)} is granted ${names}, which no route needs`,
        'take it from the client, or from the resource server too',
      )
    })
}

/** What code and gateway say about the same route. */
export function checkAgreement(
  models: readonly InfraModel[],
  routes: readonly ReadRoute[],
): Finding[] {
  const gateway = models.flatMap((model) => model.routes)
  return routes.flatMap((route) => {
    const found = gatewayRoute(gateway, route)
    return found === undefined ? [] : compared(route, found)
  })
}

function compared(app: ReadRoute, gateway: InfraRoute): Finding[] {
  const what = printable(`${app.method} ${app.path}`)
  const there = `${printable(gateway.at.file)}:${gateway.at.line}`
  if (app.other) return []
  if (app.open && gateway.authorization === 'cognito') {
    const message = `${what} is open in code and guarded at ${there}`
    const fix = 'guard it in code too: who reaches the app past the gateway gets in'
    return [finding(app.at, 'error', 'route-open-in-code', message, fix)]
  }
  if (!app.open && gateway.authorization === 'none') {
    const message = `${what} is guarded in code and open at ${there}`
    const fix = 'set the authorizer on it, or leave the judging to the code on purpose'
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
    const names = choice.map((scope) => printable(scope)).join(', ')
    const message = `${what} asks for ${names}, which its authorizer at ${there} does not admit`
    const fix = 'add it to the scopes of the authorizer, or correct the route'
    return finding(app.placeOf(first), 'error', 'authorizer-excludes', message, fix)
  })
}
