/** API Gateway: the route that serves a request, the authorizer that protects it, and findings about authorizers. */

import { toPrintable } from '../../../core/util/text.ts'
import type { ReadRoute } from '../app/route.ts'
import type { FactList, InfraAuthorizer, InfraModel, InfraRoute } from '../model/model.ts'
import { chooseByDialect } from './clients.ts'
import { createFinding, type Finding } from './finding.ts'
import { isSamePool, mayBeSamePool, type PoolLink } from './pools.ts'
import { checkDefined, isMachineClient, isUserClient, type ScopeIndex } from './scopes.ts'

/** The routes of one API. */
export interface Gateway {
  readonly model: InfraModel
  readonly routes: readonly { readonly route: InfraRoute; readonly parts: readonly string[] }[]
  /** Whether it has routes whose method or path is not known. */
  readonly hasUnknownRoutes: boolean
}

type PathParts = readonly string[]

/** Names no part in particular. */
const ANY_PART = '*'
/** Takes every part that is left. */
const ANY_PARTS = '**'

const isParameter = (part: string): boolean => /^(?::\w+|\{[\w.-]+\})$/.test(part)
const isRest = (part: string): boolean => /^(?:\*\w*|\{[\w.-]+\+\}|\{\*\w+\})$/.test(part)
/** What frameworks take for more than a name. */
const isUnclear = (part: string): boolean => /[{}()*?+:|\\]/.test(part)

/** Undefined where a part is not all name and not all parameter: what it matches cannot be told. */
function parsePath(path: string): PathParts | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => (isRest(part) ? ANY_PARTS : isParameter(part) ? ANY_PART : part))
  return parts.some((part) => part !== ANY_PART && part !== ANY_PARTS && isUnclear(part))
    ? undefined
    : parts
}

/** How closely a gateway's path fits: -1 not at all, else the more the closer. */
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
  /** Whether none could be closer. */
  readonly exact: boolean
  readonly routes: readonly InfraRoute[]
}

/** The routes of the closest path; a method of its own goes before `ANY`. */
function findBestMatch({ routes }: Gateway, method: string, app: PathParts): RouteMatch {
  let close = 0
  let fits: Gateway['routes'] = []
  for (const one of routes) {
    const score = scoreMatch(one.parts, app)
    if (score === close) fits = [...fits, one]
    else if (score > close) [close, fits] = [score, [one]]
  }
  const called = (name: string) => fits.filter(({ route }) => route.method?.value === name)
  const named = called(method)
  // A REST API looks for the path first: where that one has no such method, no other path is asked.
  const found = named.length > 0 ? named : called('ANY')
  return {
    exact: named.length > 0 && fits.some(({ parts }) => parts.join('/') === app.join('/')),
    routes: found.map(({ route }) => route),
  }
}

/** The path as it is written, and without what a domain's mapping may take off its front. */
function listPaths({ path, basePath }: ReadRoute): readonly PathParts[] {
  const all = [path, ...(basePath === '' ? [] : [path.slice(basePath.length)])]
  return all.map(parsePath).filter((parts) => parts !== undefined)
}

/** One text for each reading of a route: routes that share one serve the same requests. */
export const listRouteKeys = (route: ReadRoute): readonly string[] =>
  listPaths(route).map((parts) => [route.method, ...parts].join('/'))

/**
 * The API that these routes are behind: the only one that any of them fits, or may fit. Where several do,
 * it cannot be told.
 */
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

/** The route that requests come through. Undefined where there is none, or it cannot be told. */
export function findGatewayRoute(gateway: Gateway, app: ReadRoute): InfraRoute | undefined {
  const fits = listPaths(app)
    .map((parts) => findBestMatch(gateway, app.method, parts))
    .filter(({ routes }) => routes.length > 0)
  const found = new Set(fits.flatMap(({ routes }) => routes))
  const [route] = found
  if (route === undefined || found.size > 1 || route.conditional) return undefined
  // One that is not known may be closer, unless none can be.
  const open = gateway.hasUnknownRoutes || !gateway.model.complete
  return open && !fits.some(({ exact }) => exact) ? undefined : route
}

/** The pools an authorizer admits tokens of, one at least. */
export function listAuthorizerPools(
  model: InfraModel,
  { userPools }: InfraAuthorizer,
  { resolvePool }: ScopeIndex,
): readonly PoolLink[] {
  const pools = (userPools?.items ?? []).map((item) => resolvePool(model, item))
  return pools.length === 0 ? [resolvePool(model)] : pools
}

/** Whether it certainly verifies Cognito's tokens: a JWT authorizer takes any issuer's. */
export function isCognitoAuthorizer(
  model: InfraModel,
  { kind, userPools }: InfraAuthorizer,
  { resolvePool }: ScopeIndex,
): boolean {
  if (kind === 'rest') return true
  return (userPools?.items ?? []).some((item) => {
    const texts = item.pieces ?? [item.value]
    const named = texts.some((text) => typeof text === 'string' && /cognito-idp\./.test(text))
    const pool = resolvePool(model, item)
    return named || (pool.kind === 'created' && pool.assumed === undefined)
  })
}

/** The authorizer that protects a route, where it is one of Cognito's for certain. */
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
  const admitted = (scopes: FactList<string> | undefined, authorizer: InfraAuthorizer) => {
    const pools = listAuthorizerPools(model, authorizer, scopeIndex)
    return (scopes?.items ?? []).flatMap(({ at, value }) =>
      value === undefined ? [] : checkDefined(at, value, scopeIndex, pools),
    )
  }
  return [
    ...model.authorizers
      .filter((authorizer) => isCognitoAuthorizer(model, authorizer, scopeIndex))
      .flatMap((authorizer) => admitted(authorizer.scopes, authorizer)),
    ...model.routes.flatMap((route) => {
      const authorizer = findAuthorizer(model, route, scopeIndex)
      if (authorizer === undefined) return []
      return [
        ...admitted(route.scopes, authorizer),
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
  const none =
    scopes === undefined
      ? complete && authorizer.complete
      : scopes.complete && scopes.items.length === 0
  if (authorizer.kind !== 'rest' || !none) return []
  const callers = scopeIndex.clients.filter((one) =>
    pools.some((pool) => mayBeSamePool(one.pool, pool)),
  )
  // An API for people alone is what such an authorizer is for.
  if (callers.length > 0 && callers.every(({ client }) => isUserClient(client))) return []
  const machines = callers.filter(
    ({ client, pool }) =>
      isMachineClient(client) && !client.conditional && pools.some((one) => isSamePool(one, pool)),
  )
  // Where users may be among the callers, it may be meant for their ID tokens.
  const machinesOnly = machines.length > 0 && callers.every(({ client }) => isMachineClient(client))
  return [
    createFinding(
      scopes?.at ?? route.at,
      machinesOnly ? 'error' : 'warning',
      'authorizer-no-scopes',
      `${toPrintable(route.id)} has a Cognito authorizer without scopes: it expects an ID token and rejects access tokens`,
      `list the scopes that it accepts (${chooseByDialect(model, 'AuthorizationScopes', 'authorization_scopes')}), unless it is for ID tokens`,
    ),
  ]
}
