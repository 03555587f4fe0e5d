/** Routes of apps and of API Gateway: the scopes they ask for, and whether both say the same. */
import { toPrintable } from '../../../core/util/text.ts'
import type { ReadRoute } from '../app/route.ts'
import type { InfraModel, InfraRoute } from '../model/model.ts'
import { authorizerOf, poolsOf, undefinedScope } from './authorizers.ts'
import { type Finding, finding } from './finding.ts'
import { type Gateway, gatewayRoute, shapesOf } from './match.ts'
import { areOne, type PoolLink } from './pools.ts'
import { areKnown, grants, identifierOf, isMachine, type ScopeTable } from './scope-index.ts'

/** Routes that only one of the two has are not compared. */
export function checkDocument(
  code: readonly ReadRoute[],
  documented: readonly ReadRoute[],
): Finding[] {
  const byShape = new Map<string, Set<ReadRoute>>()
  for (const route of code) {
    for (const shape of shapesOf(route)) {
      byShape.set(shape, (byShape.get(shape) ?? new Set()).add(route))
    }
  }
  return documented.flatMap((route) => {
    const found = new Set(shapesOf(route).flatMap((shape) => [...(byShape.get(shape) ?? [])]))
    const [own] = found
    if (own === undefined || found.size > 1 || own.other || route.other) return []
    const [said, written] = [need(own), need(route)]
    if (said === written) return []
    const { file, line } = own.at
    const what = toPrintable(`${route.method} ${route.path}`)
    const message = `${what} needs ${written} in the document and ${said} at ${toPrintable(file)}:${line}`
    const fix = 'correct the one that is wrong, or make the document of the code'
    return finding(route.at, 'error', 'document-differs', message, fix)
  })
}

/** One text for requirements that let the same callers through. */
function need({ open, alternatives }: ReadRoute): string {
  if (open) return 'no token'
  // Who meets more than another choice asks for meets that one too.
  const least = alternatives.filter(
    (choice) =>
      !alternatives.some(
        (other) => other.length < choice.length && other.every((scope) => choice.includes(scope)),
      ),
  )
  const texts = least.map((choice) =>
    choice.length === 0
      ? 'a token'
      : [...choice]
          .sort()
          .map((scope) => toPrintable(scope))
          .join(' and '),
  )
  return [...new Set(texts)].sort().join(', or ')
}

type Pools = readonly PoolLink[]

/** The pools whose tokens reach the app through its API, one at least. */
export function appPools(
  [first]: readonly InfraModel[],
  gateway: Gateway | undefined,
  routes: readonly ReadRoute[],
  table: ScopeTable,
): Pools {
  const unknown = [table.poolOf(first as InfraModel)]
  if (gateway === undefined) return unknown
  const { model } = gateway
  const pools = routes.flatMap((route) => {
    const found = gatewayRoute(gateway, route)
    const authorizer = found && authorizerOf(model, found, table)
    return authorizer === undefined ? [] : poolsOf(model, authorizer, table)
  })
  return pools.length === 0 ? unknown : pools
}

/** Scopes that an app asks for. */
export const checkAppScopes = (
  routes: readonly ReadRoute[],
  table: ScopeTable,
  pools: Pools,
): Finding[] =>
  routes.flatMap(({ alternatives, placeOf }) =>
    alternatives.flat().flatMap((scope) => undefinedScope(placeOf(scope), scope, table, pools)),
  )

/** Routes that everyone may call, although they say what a caller needs. */
export const checkUnprotected = (routes: readonly ReadRoute[]): Finding[] =>
  routes
    .filter(({ unprotected }) => unprotected)
    .map((route) => {
      const message = `${nameOf(route)} declares config.auth, and no registration of cognitoAuth reaches it`
      const fix =
        'wrap the plugin that registers cognitoAuth in fastify-plugin, or register cognitoAuth in a context around the route'
      return finding(route.at, 'error', 'route-unprotected', message, fix)
    })

/** Scopes that no route of the app needs. */
export function checkLeastPrivilege(
  routes: readonly ReadRoute[],
  table: ScopeTable,
  pools: Pools,
): Finding[] {
  const needed = new Set(routes.flatMap(({ alternatives }) => alternatives.flat()))
  const servers = new Set([...needed].map(identifierOf))
  return table.clients
    .filter(({ client, pool }) => isMachine(client) && pools.some((one) => areOne(one, pool)))
    .flatMap(({ client, pool }) => {
      // Scopes of resource servers that the app does not use are another app's.
      const spare = grants(client).filter(
        ({ value }) =>
          !needed.has(value) && servers.has(identifierOf(value)) && !table.isMissing(value, pool),
      )
      return spare.map(({ at, value }) => {
        const message = `${toPrintable(client.id)} is granted ${toPrintable(value)}, which no route needs`
        const fix =
          'take it from the client, and from the resource server where no other app needs it'
        return finding(at, 'warning', 'client-over-granted', message, fix)
      })
    })
}

/** What an app and its API say about the same route; `where` the app says it. */
export const checkAgreement = (
  gateway: Gateway,
  routes: readonly ReadRoute[],
  table: ScopeTable,
  where: string,
): Finding[] =>
  routes.flatMap((route) => {
    const found = route.other ? undefined : gatewayRoute(gateway, route)
    if (found === undefined) return []
    const guards = comparedGuards(route, found, where)
    const authorizer = authorizerOf(gateway.model, found, table)
    if (guards.length > 0 || authorizer === undefined) return guards
    const pools = poolsOf(gateway.model, authorizer, table)
    // What is defined nowhere is told as that.
    const isDefined = (scope: string) => !pools.every((pool) => table.isMissing(scope, pool))
    return comparedScopes(route, found, isDefined)
  })

function comparedGuards(app: ReadRoute, gateway: InfraRoute, where: string): Finding[] {
  const what = nameOf(app)
  if (app.open && gateway.authorization === 'cognito') {
    const message = `${what} is open in ${where} and guarded at ${placeOf(gateway)}`
    const fix =
      where === 'code'
        ? 'guard it in code too: who reaches the app past the gateway gets in'
        : 'name what it needs there: who reads it sends no token and is refused'
    return [finding(app.at, 'error', 'route-open-in-code', message, fix)]
  }
  if (!app.open && gateway.authorization === 'none') {
    // In words that code and document share: it is one place.
    const own = toPrintable(`${gateway.method?.value} ${gateway.path?.value}`)
    const message = `${toPrintable(gateway.id)} lets anyone through to ${own}, which the app guards`
    const fix = 'set the authorizer on it, or leave the judging to the app on purpose'
    return [finding(gateway.at, 'warning', 'route-open-in-template', message, fix)]
  }
  return []
}

function comparedScopes(
  app: ReadRoute,
  gateway: InfraRoute,
  isDefined: (scope: string) => boolean,
): Finding[] {
  const { scopes } = gateway
  if (app.open || scopes === undefined || !areKnown(scopes) || scopes.items.length === 0) return []
  const admitted = new Set(scopes.items.map(({ value }) => value))
  return app.alternatives.flatMap((choice) => {
    const [first] = choice
    // A caller has to have every scope of a choice, so one that is admitted suffices.
    if (first === undefined || choice.some((scope) => admitted.has(scope))) return []
    if (!choice.every(isDefined)) return []
    const names = choice.map((scope) => toPrintable(scope)).join(', ')
    const message = `${nameOf(app)} asks for ${names}, which its authorizer at ${placeOf(gateway)} does not admit`
    const fix = 'add it to the scopes of the authorizer, or correct the route'
    return finding(app.placeOf(first), 'error', 'authorizer-excludes', message, fix)
  })
}

const nameOf = ({ method, path }: ReadRoute): string => toPrintable(`${method} ${path}`)

const placeOf = ({ at: { file, line } }: InfraRoute): string => `${toPrintable(file)}:${line}`
