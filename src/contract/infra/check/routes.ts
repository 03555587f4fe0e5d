/** Findings about app routes: compares code, OpenAPI document and API Gateway. */
import { toPrintable } from '../../../core/util/text.ts'
import type { ReadRoute } from '../app/route.ts'
import type { InfraModel, InfraRoute } from '../model/model.ts'
import { createFinding, type Finding, type Subject } from './finding.ts'
import {
  findAuthorizer,
  findGatewayRoute,
  type Gateway,
  listAuthorizerPools,
  listRouteKeys,
} from './gateway.ts'
import type { PoolLink } from './pools.ts'
import { checkDefined, hasAllItems, type ScopeIndex, toScopeReference } from './scopes.ts'
import { createLiteral } from './symbolic.ts'

/** Compares the routes that both the code and the document have. */
export function checkDocument(
  code: readonly ReadRoute[],
  documented: readonly ReadRoute[],
): Finding[] {
  const byKey = new Map<string, Set<ReadRoute>>()
  for (const route of code) {
    for (const key of listRouteKeys(route)) {
      byKey.set(key, (byKey.get(key) ?? new Set()).add(route))
    }
  }
  return documented.flatMap((route) => {
    const found = new Set(listRouteKeys(route).flatMap((key) => [...(byKey.get(key) ?? [])]))
    const [codeRoute] = found
    if (codeRoute === undefined || found.size > 1 || codeRoute.other || route.other) return []
    const codeRequirement = describeRequirement(codeRoute)
    const documentRequirement = describeRequirement(route)
    if (codeRequirement === documentRequirement) return []
    const { file, line } = codeRoute.at
    const message = `${formatRoute(route)} requires ${documentRequirement} in the document and ${codeRequirement} at ${toPrintable(file)}:${line}`
    const fix = 'correct one of the two, or generate the document from the code'
    return createFinding(route.at, 'error', 'document-differs', message, fix, toSubject(route))
  })
}

/** Describes a requirement. Requirements that accept the same callers have the same description. */
function describeRequirement({ allowsAnonymous, alternatives }: ReadRoute): string {
  if (allowsAnonymous) return 'no token'
  // A set that contains another one is redundant.
  const minimal = alternatives.filter(
    (choice) =>
      !alternatives.some(
        (other) => other.length < choice.length && other.every((scope) => choice.includes(scope)),
      ),
  )
  const texts = minimal.map((choice) =>
    choice.length === 0
      ? 'a token'
      : [...choice]
          .sort()
          .map((scope) => toPrintable(scope))
          .join(' and '),
  )
  return [...new Set(texts)].sort().join(', or ')
}

/** Lists the pools whose tokens reach the app through its API, at least one. */
export function listAppPools(
  [first]: readonly InfraModel[],
  gateway: Gateway | undefined,
  routes: readonly ReadRoute[],
  scopeIndex: ScopeIndex,
): readonly PoolLink[] {
  const unknown = [scopeIndex.resolvePool(first as InfraModel)]
  if (gateway === undefined) return unknown
  const { model } = gateway
  const pools = routes.flatMap((route) => {
    const found = findGatewayRoute(gateway, route)
    const authorizer = found && findAuthorizer(model, found, scopeIndex)
    return authorizer === undefined ? [] : listAuthorizerPools(model, authorizer, scopeIndex)
  })
  return pools.length === 0 ? unknown : pools
}

/** Checks the scopes that app routes require. */
export const checkAppScopes = (
  routes: readonly ReadRoute[],
  scopeIndex: ScopeIndex,
  pools: readonly PoolLink[],
): Finding[] =>
  routes.flatMap((route) =>
    route.alternatives.flat().flatMap((value) => {
      const { resource } = toSubject(route)
      const at = route.findScopePosition(value)
      return checkDefined({ ...toScopeReference(value), at, resource }, scopeIndex, pools)
    }),
  )

/** Reports routes that declare a requirement which nothing enforces. */
export const checkUnprotected = (routes: readonly ReadRoute[]): Finding[] =>
  routes
    .filter(({ unprotected }) => unprotected)
    .map((route) => {
      const message = `${formatRoute(route)} declares config.auth, and no registration of cognitoAuth reaches it`
      const fix =
        'wrap the plugin that registers cognitoAuth in fastify-plugin, or register cognitoAuth in a context around the route'
      return createFinding(route.at, 'error', 'route-unprotected', message, fix, toSubject(route))
    })

/** Compares the routes of an app with those of its API. */
export const checkAgreement = (
  gateway: Gateway,
  routes: readonly ReadRoute[],
  scopeIndex: ScopeIndex,
  origin: 'code' | 'the document',
): Finding[] =>
  routes.flatMap((route) => {
    const found = route.other ? undefined : findGatewayRoute(gateway, route)
    if (found === undefined) return []
    const findings = compareProtection(route, found, origin)
    const authorizer = findAuthorizer(gateway.model, found, scopeIndex)
    if (findings.length > 0 || authorizer === undefined) return findings
    const pools = listAuthorizerPools(gateway.model, authorizer, scopeIndex)
    // Undefined scopes have the finding scope-undefined instead.
    const isDefined = (scope: string) =>
      scopeIndex.evaluate(toScopeReference(scope), pools).kind !== 'missing'
    const accepted = scopeIndex.listScopes(gateway.model, found.scopes).map(({ text }) => text)
    const mayAccept = (scope: string) =>
      accepted.some((one) => scopeIndex.mayBeSame(one, createLiteral(scope)))
    return compareScopes(route, found, mayAccept, isDefined)
  })

function compareProtection(
  app: ReadRoute,
  gateway: InfraRoute,
  origin: 'code' | 'the document',
): Finding[] {
  if (app.allowsAnonymous && gateway.authorization === 'cognito') {
    const message = `${formatRoute(app)} is public in ${origin} and protected at ${formatPosition(gateway)}`
    const fix =
      origin === 'code'
        ? 'protect it in code too: requests that bypass the gateway reach the app'
        : 'add its requirement to the document: clients that follow it send no token and are rejected'
    return [createFinding(app.at, 'error', 'route-open-in-code', message, fix, toSubject(app))]
  }
  if (!app.allowsAnonymous && gateway.authorization === 'none') {
    // The same text for code and document, so that duplicates are removed.
    const templateRoute = toPrintable(`${gateway.method?.value} ${gateway.path?.value}`)
    const message = `${toPrintable(gateway.id)} has no authorizer for ${templateRoute}, which the app protects`
    const fix = 'set the authorizer, or leave the check to the app deliberately'
    const subject = { resource: gateway.id, value: templateRoute }
    return [createFinding(gateway.at, 'warning', 'route-open-in-template', message, fix, subject)]
  }
  return []
}

function compareScopes(
  app: ReadRoute,
  gateway: InfraRoute,
  mayAccept: (scope: string) => boolean,
  isDefined: (scope: string) => boolean,
): Finding[] {
  const { scopes } = gateway
  if (
    app.allowsAnonymous ||
    scopes === undefined ||
    !hasAllItems(scopes) ||
    scopes.items.length === 0
  )
    return []
  return app.alternatives.flatMap((choice) => {
    const [first] = choice
    // A caller has every scope of the set, so the authorizer must accept only one of them.
    if (first === undefined || choice.some(mayAccept)) return []
    if (!choice.every(isDefined)) return []
    const names = choice.map((scope) => toPrintable(scope)).join(', ')
    const message = `${formatRoute(app)} requires ${names}, which its authorizer at ${formatPosition(gateway)} does not accept`
    const fix = 'add it to the scopes of the authorizer, or correct the route'
    const subject = { ...toSubject(app), value: choice.join(' ') }
    const at = app.findScopePosition(first)
    return createFinding(at, 'error', 'authorizer-excludes', message, fix, subject)
  })
}

const toSubject = ({ method, path }: ReadRoute): Subject => ({ resource: `${method} ${path}` })

const formatRoute = (route: ReadRoute): string => toPrintable(toSubject(route).resource)

const formatPosition = ({ at: { file, line } }: InfraRoute): string =>
  `${toPrintable(file)}:${line}`
