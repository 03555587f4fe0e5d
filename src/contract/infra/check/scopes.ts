/** The scopes that templates define and grant, and findings about single scopes. */
import { isReserved } from '../../../core/scopes.ts'
import { toPrintable } from '../../../core/util/text.ts'
import type { ReadRoute } from '../app/route.ts'
import type {
  Fact,
  FactList,
  InfraClient,
  InfraModel,
  InfraResourceServer,
} from '../model/model.ts'
import type { Position } from '../position.ts'
import { createFinding, type Finding } from './finding.ts'
import {
  createPoolResolver,
  isSamePool,
  mayBeSamePool,
  type PoolLink,
  type ResolvePool,
} from './pools.ts'

export interface DefinedScope {
  readonly scope: string
  readonly pool: PoolLink
  readonly model: InfraModel
  readonly server: InfraResourceServer
  readonly fact: Fact<string>
}

/** A client with its pool. */
export interface PooledClient {
  readonly client: InfraClient
  readonly pool: PoolLink
}

export interface ScopeIndex {
  readonly resolvePool: ResolvePool
  readonly clients: readonly PooledClient[]
  readonly defined: readonly DefinedScope[]
  /** Finds the definitions of a scope that may be in the pool. */
  readonly findDefinitions: (scope: string, pool: PoolLink) => readonly DefinedScope[]
  /** Finds the definitions of a scope in all pools. */
  readonly findInAnyPool: (scope: string) => readonly DefinedScope[]
  /** Finds the scopes of the same resource server that may be in the pool. */
  readonly findSiblings: (scope: string, pool: PoolLink) => readonly DefinedScope[]
  /** Whether the scope is certainly undefined in the pool. */
  readonly isMissing: (scope: string, pool: PoolLink) => boolean
  /** Whether the scope is certainly granted to no client of the pool. */
  readonly isUnused: (scope: string, pool: PoolLink) => boolean
}

/** Returns the part of a scope before its last slash. */
export const parseIdentifier = (scope: string): string =>
  scope.slice(0, Math.max(scope.lastIndexOf('/'), 0))

export function createScopeIndex(models: readonly InfraModel[]): ScopeIndex {
  const resolvePool = createPoolResolver(models)
  const complete = models.every((model) => model.complete)
  /** Whether the templates alone determine the content of the pool. */
  const isTemplateOnly = ({ kind }: PoolLink): boolean => complete && kind === 'created'
  const servers = models.flatMap((model) =>
    model.resourceServers.map((server) =>
      indexServer(server, resolvePool(model, server.userPool), model),
    ),
  )
  const defined = servers.flatMap(({ scopes }) => scopes)
  const byScope = groupBy(defined, ({ scope }) => scope)
  const byIdentifier = groupBy(defined, ({ scope }) => parseIdentifier(scope))
  const findDefinitions: ScopeIndex['findDefinitions'] = (scope, pool) =>
    (byScope.get(scope) ?? []).filter((one) => mayBeSamePool(one.pool, pool))
  const clients = models.flatMap((model) =>
    model.clients.map((client) => ({ client, pool: resolvePool(model, client.userPool) })),
  )
  return {
    resolvePool,
    clients,
    defined,
    findDefinitions,
    findInAnyPool: (scope) => byScope.get(scope) ?? [],
    findSiblings: (scope, pool) =>
      (byIdentifier.get(parseIdentifier(scope)) ?? []).filter((one) =>
        mayBeSamePool(one.pool, pool),
      ),
    isMissing(scope, pool) {
      if (isReserved(scope) || findDefinitions(scope, pool).length > 0) return false
      const possible = servers.filter((server) => mayBeSamePool(server.pool, pool))
      const matching = possible.filter(({ identifier }) => identifier === parseIdentifier(scope))
      const nameless = possible.filter(({ identifier }) => identifier === undefined)
      if (matching.some(({ isComplete }) => !isComplete)) return false
      if (matching.some((one) => isSamePool(one.pool, pool))) {
        // Identifiers are unique within a pool, so a nameless server with this identifier is in another one.
        return nameless.every((one) => matching.some((it) => isSamePool(it.pool, one.pool)))
      }
      const certain = possible.some((one) => isSamePool(one.pool, pool))
      return isTemplateOnly(pool) && certain && nameless.length === 0
    },
    isUnused: createUnusedCheck(clients, isTemplateOnly),
  }
}

function indexServer(server: InfraResourceServer, pool: PoolLink, model: InfraModel) {
  const identifier = server.identifier?.value
  const names = server.scopes.map(({ name }) => name)
  const scopes: DefinedScope[] = names.flatMap((fact) =>
    identifier === undefined || fact?.value === undefined
      ? []
      : [{ scope: `${identifier}/${fact.value}`, pool, model, server, fact }],
  )
  const isComplete = server.scopesComplete && names.every((name) => name?.value !== undefined)
  return { pool, identifier, scopes, isComplete }
}

function createUnusedCheck(
  clients: readonly PooledClient[],
  isTemplateOnly: (pool: PoolLink) => boolean,
): ScopeIndex['isUnused'] {
  const granted = groupBy(
    clients.flatMap(({ client, pool }) => listGrants(client).map(({ value }) => ({ value, pool }))),
    ({ value }) => value,
  )
  const grantsKnownByPool = new Map<string, boolean>()
  const grantsKnown = (pool: PoolLink): boolean => {
    const matching = clients.filter((one) => mayBeSamePool(one.pool, pool))
    return matching.length > 0 && matching.every(({ client }) => areGrantsComplete(client))
  }
  return (scope, pool) => {
    if (!grantsKnownByPool.has(pool.key))
      grantsKnownByPool.set(pool.key, isTemplateOnly(pool) && grantsKnown(pool))
    const grants = granted.get(scope) ?? []
    return (
      grantsKnownByPool.get(pool.key) === true &&
      !grants.some((one) => mayBeSamePool(one.pool, pool))
    )
  }
}

/** Whether every granted scope is known. */
const areGrantsComplete = ({ complete, scopes }: InfraClient): boolean =>
  complete && (scopes === undefined || isListKnown(scopes))

export const isListKnown = ({ complete, items }: FactList<string>): boolean =>
  complete && items.every(({ value }) => value !== undefined)

function groupBy<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups
}

export interface Grant {
  readonly at: Position
  readonly value: string
  readonly refs: readonly string[]
}

/** Lists the known scopes that a client is granted. */
export const listGrants = ({ scopes }: InfraClient): Grant[] =>
  (scopes?.items ?? []).flatMap(({ at, value, refs }) =>
    value === undefined ? [] : [{ at, value, refs }],
  )

/** Whether only users get tokens from the client. False if its flows are unknown. */
export const isUserClient = ({ flows, complete }: InfraClient): boolean =>
  flows === undefined
    ? complete
    : flows.complete && flows.items.every(({ value }) => value !== 'client_credentials')

/** Whether a client requests tokens with client credentials; false if that is unknown. */
export const isMachineClient = ({ flows }: InfraClient): boolean =>
  flows?.items.some(({ value }) => value === 'client_credentials') === true

/** A scope that a route or an authorizer requires. */
export interface RequiredScope {
  readonly at: Position
  readonly resource: string
  readonly value: string
}

/** Reports a scope that none of these pools defines. */
export function checkDefined(
  { at, resource, value: scope }: RequiredScope,
  scopeIndex: ScopeIndex,
  pools: readonly PoolLink[],
): Finding[] {
  if (!pools.every((pool) => scopeIndex.isMissing(scope, pool))) return []
  const message = `${toPrintable(scope)} is required and no resource server defines it: no caller can have it`
  return [
    createFinding(
      at,
      'error',
      'scope-undefined',
      message,
      suggestDefinition(scope, scopeIndex, pools[0] as PoolLink),
      { resource, value: scope },
    ),
  ]
}

export function checkGrant(
  { id }: InfraClient,
  { at, value }: Grant,
  scopeIndex: ScopeIndex,
  pool: PoolLink,
): Finding[] {
  if (!scopeIndex.isMissing(value, pool)) return []
  const message = `${toPrintable(id)} is granted ${toPrintable(value)}, which no resource server of its pool defines`
  return [
    createFinding(
      at,
      'error',
      'grant-undefined',
      message,
      suggestDefinition(value, scopeIndex, pool),
      { resource: id, value },
    ),
  ]
}

/** Suggests the definition in another pool, other scopes of the resource server, or scopes with the same name. */
function suggestDefinition(scope: string, scopeIndex: ScopeIndex, pool: PoolLink): string {
  const [elsewhere] = scopeIndex.findInAnyPool(scope)
  if (elsewhere !== undefined) {
    const { file, line } = elsewhere.fact.at
    return `define it there too: ${toPrintable(elsewhere.server.id)} (${toPrintable(file)}:${line}) belongs to another user pool`
  }
  const siblings = scopeIndex.findSiblings(scope, pool)
  const name = scope.slice(parseIdentifier(scope).length)
  const candidates =
    siblings.length > 0 ? siblings : scopeIndex.defined.filter((one) => one.scope.endsWith(name))
  const scopes = new Set(candidates.map((one) => one.scope))
  const names = [...scopes].slice(0, 5).map((name) => toPrintable(name))
  return names.length === 0
    ? 'define it, correct the spelling, or check the template that defines it too'
    : `define it, or use ${names.length === 1 ? '' : 'one of '}${names.join(', ')}`
}

export const checkUnused = ({ defined, isUnused }: ScopeIndex): Finding[] =>
  defined
    .filter(({ scope, pool }) => isUnused(scope, pool))
    .map(({ scope, fact, server }) =>
      createFinding(
        fact.at,
        'warning',
        'scope-unused',
        `${toPrintable(scope)} is granted to no client`,
        'grant it to the client that needs it, or remove it',
        { resource: server.id, value: scope },
      ),
    )

/** Reports granted scopes that no route of the app requires. */
export function checkLeastPrivilege(
  routes: readonly ReadRoute[],
  scopeIndex: ScopeIndex,
  pools: readonly PoolLink[],
): Finding[] {
  const required = new Set(routes.flatMap(({ alternatives }) => alternatives.flat()))
  const servers = new Set([...required].map(parseIdentifier))
  return scopeIndex.clients
    .filter(
      ({ client, pool }) => isMachineClient(client) && pools.some((one) => isSamePool(one, pool)),
    )
    .flatMap(({ client, pool }) => {
      // Scopes of other resource servers belong to another app.
      const excess = listGrants(client).filter(
        ({ value }) =>
          !required.has(value) &&
          servers.has(parseIdentifier(value)) &&
          !scopeIndex.isMissing(value, pool),
      )
      return excess.map(({ at, value }) => {
        const message = `${toPrintable(client.id)} is granted ${toPrintable(value)}, which no route requires`
        const fix =
          'remove it from the client, and from the resource server if no other app requires it'
        const subject = { resource: client.id, value }
        return createFinding(at, 'warning', 'client-over-granted', message, fix, subject)
      })
    })
}
