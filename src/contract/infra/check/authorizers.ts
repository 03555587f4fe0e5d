/** Authorizers of API Gateway: the scopes they admit, and those that admit no access token. */

import { toPrintable } from '../../../core/util/text.ts'
import type { FactList, InfraAuthorizer, InfraModel, InfraRoute } from '../model/model.ts'
import type { Position } from '../position.ts'
import { definingFix, inDialect } from './clients.ts'
import { type Finding, finding } from './finding.ts'
import { areOne, mayBeOne, type PoolLink } from './pools.ts'
import { isMachine, isPersons, type ScopeTable } from './scope-index.ts'

/** The pools an authorizer admits tokens of, one at least. */
export function poolsOf(
  model: InfraModel,
  { userPools }: InfraAuthorizer,
  { poolOf }: ScopeTable,
): readonly PoolLink[] {
  const pools = (userPools?.items ?? []).map((item) => poolOf(model, item))
  return pools.length === 0 ? [poolOf(model)] : pools
}

/** Whether it certainly judges Cognito's tokens: a JWT authorizer takes any issuer's. */
export function isCognito(
  model: InfraModel,
  { kind, userPools }: InfraAuthorizer,
  { poolOf }: ScopeTable,
): boolean {
  if (kind === 'rest') return true
  return (userPools?.items ?? []).some((item) => {
    const texts = item.pieces ?? [item.value]
    const named = texts.some((text) => typeof text === 'string' && /cognito-idp\./.test(text))
    const pool = poolOf(model, item)
    return named || (pool.kind === 'created' && pool.assumed === undefined)
  })
}

/** The authorizer that judges a route, where it is one of Cognito's for certain. */
export function authorizerOf(
  model: InfraModel,
  { authorization, authorizer }: InfraRoute,
  table: ScopeTable,
): InfraAuthorizer | undefined {
  const found = model.authorizers.find(({ id }) => id === authorizer)
  if (authorization !== 'cognito' || found === undefined) return undefined
  return isCognito(model, found, table) ? found : undefined
}

export function checkGateway(model: InfraModel, table: ScopeTable): Finding[] {
  const admitted = (scopes: FactList<string> | undefined, authorizer: InfraAuthorizer) => {
    const pools = poolsOf(model, authorizer, table)
    return (scopes?.items ?? []).flatMap(({ at, value }) =>
      value === undefined ? [] : undefinedScope(at, value, table, pools),
    )
  }
  return [
    ...model.authorizers
      .filter((authorizer) => isCognito(model, authorizer, table))
      .flatMap((authorizer) => admitted(authorizer.scopes, authorizer)),
    ...model.routes.flatMap((route) => {
      const authorizer = authorizerOf(model, route, table)
      if (authorizer === undefined) return []
      return [
        ...admitted(route.scopes, authorizer),
        ...withoutScopes(model, route, authorizer, table),
      ]
    }),
  ]
}

/** A scope that none of these pools has. */
export function undefinedScope(
  at: Position,
  scope: string,
  table: ScopeTable,
  pools: readonly PoolLink[],
): Finding[] {
  if (!pools.every((pool) => table.isMissing(scope, pool))) return []
  const message = `${toPrintable(scope)} is required and no resource server defines it: no caller can have it`
  return [
    finding(
      at,
      'error',
      'scope-undefined',
      message,
      definingFix(scope, table, pools[0] as PoolLink),
    ),
  ]
}

function withoutScopes(
  model: InfraModel,
  route: InfraRoute,
  authorizer: InfraAuthorizer,
  table: ScopeTable,
): Finding[] {
  const { scopes, complete } = route
  const pools = poolsOf(model, authorizer, table)
  const none =
    scopes === undefined
      ? complete && authorizer.complete
      : scopes.complete && scopes.items.length === 0
  if (authorizer.kind !== 'rest' || !none) return []
  const callers = table.clients.filter((one) => pools.some((pool) => mayBeOne(one.pool, pool)))
  // An API for people alone is what such an authorizer is for.
  if (callers.length > 0 && callers.every(({ client }) => isPersons(client))) return []
  const machines = callers.filter(
    ({ client, pool }) =>
      isMachine(client) && !client.conditional && pools.some((one) => areOne(one, pool)),
  )
  // Where users may be among the callers, it may be meant for their ID tokens.
  const machinesOnly = machines.length > 0 && callers.every(({ client }) => isMachine(client))
  return [
    finding(
      scopes?.at ?? route.at,
      machinesOnly ? 'error' : 'warning',
      'authorizer-no-scopes',
      `${toPrintable(route.id)} has a Cognito authorizer without scopes: it expects an ID token and refuses access tokens`,
      `name the scopes it admits (${inDialect(model, 'AuthorizationScopes', 'authorization_scopes')}), unless ID tokens are what it is for`,
    ),
  ]
}
