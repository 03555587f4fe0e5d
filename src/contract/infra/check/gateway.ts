/** Finds the API Gateway route and the authorizer of an app route. Findings about authorizers. */

import { toPrintable } from '../../../core/util/text.ts'
import type { ReadRoute } from '../app/route.ts'
import type { InfraAuthorizer, InfraModel, InfraRoute } from '../model/model.ts'
import { chooseByDialect, servesMachinesOnly } from './clients.ts'
import { createFinding, type Finding } from './finding.ts'
import { isCertainlySamePool, isCognitoIssuer, mayBeSamePool, type PoolLink } from './pools.ts'
import { checkDefined, isMachineClient, isUserClient, type ScopeIndex } from './scopes.ts'

/** The routes of one API. */
export interface Gateway {
  readonly model: InfraModel
  readonly routes: readonly { readonly route: InfraRoute; readonly parts: readonly string[] }[]
  /** Whether the method or path of a route is unknown. */
  readonly hasUnknownRoutes: boolean
}

type PathParts = readonly string[]

/** Matches any one part. */
const ANY_PART = '*'
/** Matches all remaining parts. */
const ANY_PARTS = '**'

const isParameter = (part: string): boolean => /^(?::\w+|\{[\w.-]+\})$/.test(part)
const isRest = (part: string): boolean => /^(?:\*\w*|\{[\w.-]+\+\}|\{\*\w+\})$/.test(part)
/** Whether a part contains pattern syntax of a web framework. */
const isPattern = (part: string): boolean => /[{}()*?+:|\\]/.test(part)

/** Returns undefined if a part combines a name and a pattern: the requests that it matches are unknown. */
function parsePath(path: string): PathParts | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => (isRest(part) ? ANY_PARTS : isParameter(part) ? ANY_PART : part))
  return parts.some((part) => part !== ANY_PART && part !== ANY_PARTS && isPattern(part))
    ? undefined
    : parts
}

/** Scores how closely a path of the gateway matches. -1 is no match. */
function scoreMatch(gateway: PathParts, app: PathParts): number {
  let score = 0
  for (const [index, part] of gateway.entries()) {
    const appPart = app[index]
    if (part === ANY_PARTS) return appPart === undefined ? -1 : score
    if (appPart === undefined || appPart === ANY_PARTS) return -1
    if (part === appPart) score += part === ANY_PART ? 2 : 4
    else if (part === ANY_PART) score += 2
    else return -1
  }
  return gateway.length === app.length ? score + 1 : -1
}

interface RouteMatch {
  /** Whether no other route could match more closely. */
  readonly exact: boolean
  readonly routes: readonly InfraRoute[]
}

/** Finds the routes of the closest path. The method takes precedence over `ANY`. */
function findBestMatch({ routes }: Gateway, method: string, app: PathParts): RouteMatch {
  let bestScore = 0
  let best: Gateway['routes'] = []
  for (const candidate of routes) {
    const score = scoreMatch(candidate.parts, app)
    if (score === bestScore) best = [...best, candidate]
    else if (score > bestScore) [bestScore, best] = [score, [candidate]]
  }
  const withMethod = (name: string) => best.filter(({ route }) => route.method?.value === name)
  const exactMethod = withMethod(method)
  // A REST API selects the path first, and does not fall back to another path if the method is missing.
  const found = exactMethod.length > 0 ? exactMethod : withMethod('ANY')
  return {
    exact: exactMethod.length > 0 && best.some(({ parts }) => parts.join('/') === app.join('/')),
    routes: found.map(({ route }) => route),
  }
}

/** Lists the path, and the path without the part that the mapping of a domain may remove. */
function listPaths({ path, basePath }: ReadRoute): readonly PathParts[] {
  const all = basePath === '' ? [path] : [path, path.slice(basePath.length)]
  return all.map(parsePath).filter((parts) => parts !== undefined)
}

/** Lists a key for each possible path of a route. Routes with a common key serve the same requests. */
export const listRouteKeys = (route: ReadRoute): readonly string[] =>
  listPaths(route).map((parts) => [route.method, ...parts].join('/'))

/** Finds the only API that serves, or may serve, one of the routes. Undefined if there are several. */
export function findGateway(
  models: readonly InfraModel[],
  routes: readonly ReadRoute[],
): Gateway | undefined {
  const gateways = models
    .flatMap(listGateways)
    .filter(
      (gateway) =>
        gateway.hasUnknownRoutes ||
        routes.some((route) =>
          listPaths(route).some(
            (parts) => findBestMatch(gateway, route.method, parts).routes.length > 0,
          ),
        ),
    )
  return gateways.length === 1 ? gateways[0] : undefined
}

function listGateways(model: InfraModel): readonly Gateway[] {
  const apis = new Set(model.routes.map(({ api }) => api))
  return [...apis].map((api) => {
    const apiRoutes = model.routes.filter((route) => route.api === api)
    const routes = apiRoutes.flatMap((route) => {
      const parts = route.path?.value === undefined ? undefined : parsePath(route.path.value)
      return parts === undefined || route.method?.value === undefined ? [] : [{ route, parts }]
    })
    return { model, routes, hasUnknownRoutes: routes.length < apiRoutes.length }
  })
}

/** Finds the gateway route that serves an app route. Undefined if there is none, or it is unknown which one. */
export function findGatewayRoute(gateway: Gateway, app: ReadRoute): InfraRoute | undefined {
  const matches = listPaths(app)
    .map((parts) => findBestMatch(gateway, app.method, parts))
    .filter(({ routes }) => routes.length > 0)
  const found = new Set(matches.flatMap(({ routes }) => routes))
  const [route] = found
  if (route === undefined || found.size > 1 || route.conditional) return undefined
  // An unknown route may match more closely, unless the match is exact.
  const mayHaveOthers = gateway.hasUnknownRoutes || !gateway.model.complete
  return mayHaveOthers && !matches.some(({ exact }) => exact) ? undefined : route
}

/** Lists the pools whose tokens an authorizer accepts, at least one. */
export function listAuthorizerPools(
  model: InfraModel,
  { userPools }: InfraAuthorizer,
  { resolvePool }: ScopeIndex,
): readonly PoolLink[] {
  const pools = (userPools?.items ?? []).map((item) => resolvePool(model, item))
  return pools.length === 0 ? [resolvePool(model)] : pools
}

/** Whether the authorizer certainly verifies Cognito tokens. A JWT authorizer may have another issuer. */
export function isCognitoAuthorizer(
  model: InfraModel,
  { kind, userPools }: InfraAuthorizer,
  { resolvePool }: ScopeIndex,
): boolean {
  if (kind === 'rest') return true
  return (userPools?.items ?? []).some((item) => {
    const pool = resolvePool(model, item)
    const isPool = pool.isUserPool === true || (pool.kind === 'created' && pool.assumed !== true)
    return isPool || isCognitoIssuer(item)
  })
}

/** Finds the authorizer of a route. Undefined unless it certainly verifies Cognito tokens. */
export function findAuthorizer(
  model: InfraModel,
  { authorization, authorizer }: InfraRoute,
  scopeIndex: ScopeIndex,
): InfraAuthorizer | undefined {
  const found = model.authorizers.find(({ id }) => id === authorizer)
  if (authorization !== 'cognito' || found === undefined) return undefined
  return isCognitoAuthorizer(model, found, scopeIndex) ? found : undefined
}

export function checkAuthorizers(model: InfraModel, scopeIndex: ScopeIndex): Finding[] {
  const checkAccepted = (
    { id, scopes }: InfraAuthorizer | InfraRoute,
    authorizer: InfraAuthorizer,
  ) => {
    const pools = listAuthorizerPools(model, authorizer, scopeIndex)
    return scopeIndex
      .listScopes(model, scopes)
      .flatMap((scope) => checkDefined({ ...scope, resource: id }, scopeIndex, pools))
  }
  return [
    ...model.authorizers
      .filter((authorizer) => isCognitoAuthorizer(model, authorizer, scopeIndex))
      .flatMap((authorizer) => checkAccepted(authorizer, authorizer)),
    ...model.routes.flatMap((route) => {
      const authorizer = findAuthorizer(model, route, scopeIndex)
      if (authorizer === undefined) return []
      return [
        ...checkAccepted(route, authorizer),
        ...checkScopesPresent(model, route, authorizer, scopeIndex),
      ]
    }),
  ]
}

function checkScopesPresent(
  model: InfraModel,
  route: InfraRoute,
  authorizer: InfraAuthorizer,
  scopeIndex: ScopeIndex,
): Finding[] {
  const { scopes, complete } = route
  const pools = listAuthorizerPools(model, authorizer, scopeIndex)
  const hasNoScopes =
    scopes === undefined
      ? complete && authorizer.complete
      : scopes.complete && scopes.items.length === 0
  if (authorizer.kind !== 'rest' || !hasNoScopes) return []
  const callers = scopeIndex.clients.filter((one) =>
    pools.some((pool) => mayBeSamePool(one.pool, pool)),
  )
  // An authorizer without scopes is correct for an API that serves users only.
  if (callers.length > 0 && callers.every(({ client }) => isUserClient(client))) return []
  const machines = callers.filter(
    ({ client, pool }) =>
      isMachineClient(client) &&
      !client.conditional &&
      pools.some((one) => isCertainlySamePool(one, pool)),
  )
  // If users can sign in with a client, the authorizer may be intended for their ID tokens.
  const users = callers.find(({ client }) => !servesMachinesOnly(client))
  const name = chooseByDialect(model, 'AuthorizationScopes', 'authorization_scopes')
  const reason =
    users === undefined ? '' : ` of users, who may sign in with ${toPrintable(users.client.id)}`
  return [
    createFinding(
      scopes?.at ?? route.at,
      machines.length > 0 && users === undefined ? 'error' : 'warning',
      'authorizer-no-scopes',
      `${toPrintable(route.id)} has a Cognito authorizer without scopes: it expects an ID token and rejects access tokens`,
      `list the scopes that it accepts (${name}), unless it is for ID tokens${reason}`,
      { resource: route.id },
    ),
  ]
}
