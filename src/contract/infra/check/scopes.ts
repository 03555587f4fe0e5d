/** The scopes that templates define and grant, and every finding about one scope. */
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

/** A client, and what is known of its pool. */
export interface PooledClient {
  readonly client: InfraClient
  readonly pool: PoolLink
}

export interface ScopeIndex {
  readonly resolvePool: ResolvePool
  readonly clients: readonly PooledClient[]
  readonly defined: readonly DefinedScope[]
  /** Definitions of a scope, in the pool that is asked about as far as that can be told. */
  readonly findDefinitions: (scope: string, pool: PoolLink) => readonly DefinedScope[]
  /** Definitions of a scope in whichever pool. */
  readonly findInAnyPool: (scope: string) => readonly DefinedScope[]
  /** What the resource server of a scope defines in this pool, as far as that can be told. */
  readonly findSiblings: (scope: string, pool: PoolLink) => readonly DefinedScope[]
  /** True only where none of the templates, and nothing beside them, defines the scope in this pool. */
  readonly isMissing: (scope: string, pool: PoolLink) => boolean
  /** True only where certainly no client of this pool is granted the scope. */
  readonly isUnused: (scope: string, pool: PoolLink) => boolean
}

/** A scope is written `identifier/name`, split at the last slash. */
export const parseIdentifier = (scope: string): string =>
  scope.slice(0, Math.max(scope.lastIndexOf('/'), 0))

export function createScopeIndex(models: readonly InfraModel[]): ScopeIndex {
  const resolvePool = createPoolResolver(models)
  const complete = models.every((model) => model.complete)
  /** Whether nothing but the templates says what is in it. */
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
    ...{ resolvePool, clients, defined, findDefinitions },
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
      if (matching.some(({ closed }) => !closed)) return false
      if (matching.some((one) => isSamePool(one.pool, pool))) {
        // An identifier is a pool's only once, so only another pool may have it a second time.
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
  /** Whether every scope of it is known. */
  const closed = server.scopesComplete && names.every((name) => name?.value !== undefined)
  return { pool, identifier, scopes, closed }
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
    const owners = granted.get(scope) ?? []
    return (
      grantsKnownByPool.get(pool.key) === true &&
      !owners.some((one) => mayBeSamePool(one.pool, pool))
    )
  }
}

/** Whether every scope that it is granted is known. */
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

/** The scopes that a client is granted, as far as they are known. */
export const listGrants = ({ scopes }: InfraClient): Grant[] =>
  (scopes?.items ?? []).flatMap(({ at, value, refs }) =>
    value === undefined ? [] : [{ at, value, refs }],
  )

/** Whether only people get tokens by it; false where that cannot be told. */
export const isUserClient = ({ flows, complete }: InfraClient): boolean =>
  flows === undefined
    ? complete
    : flows.complete && flows.items.every(({ value }) => value !== 'client_credentials')

/** Whether a client requests tokens with client credentials; false if that is unknown. */
export const isMachineClient = ({ flows }: InfraClient): boolean =>
  flows?.items.some(({ value }) => value === 'client_credentials') === true

/** A scope that none of these pools has. */
export function checkDefined(
  at: Position,
  scope: string,
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
    ),
  ]
}

/** Names where else it is defined, what else its resource server defines, or what has its name elsewhere. */
function suggestDefinition(scope: string, scopeIndex: ScopeIndex, pool: PoolLink): string {
  const [elsewhere] = scopeIndex.findInAnyPool(scope)
  if (elsewhere !== undefined) {
    const { file, line } = elsewhere.fact.at
    return `define it there too: ${toPrintable(elsewhere.server.id)} (${toPrintable(file)}:${line}) belongs to another user pool`
  }
  const siblings = scopeIndex.findSiblings(scope, pool)
  const name = scope.slice(parseIdentifier(scope).length)
  const meant =
    siblings.length > 0 ? siblings : scopeIndex.defined.filter((one) => one.scope.endsWith(name))
  const near = new Set(meant.map((one) => one.scope))
  const names = [...near].slice(0, 5).map((name) => toPrintable(name))
  return names.length === 0
    ? 'define it, correct the spelling, or check the template that defines it too'
    : `define it, or use ${names.length === 1 ? '' : 'one of '}${names.join(', ')}`
}

export const checkUnused = ({ defined, isUnused }: ScopeIndex): Finding[] =>
  defined
    .filter(({ scope, pool }) => isUnused(scope, pool))
    .map(({ scope, fact }) =>
      createFinding(
        fact.at,
        'warning',
        'scope-unused',
        `${toPrintable(scope)} is granted to no client`,
        'grant it to the client that needs it, or remove it',
      ),
    )

/** Scopes that no route of the app needs. */
export function checkLeastPrivilege(
  routes: readonly ReadRoute[],
  scopeIndex: ScopeIndex,
  pools: readonly PoolLink[],
): Finding[] {
  const needed = new Set(routes.flatMap(({ alternatives }) => alternatives.flat()))
  const servers = new Set([...needed].map(parseIdentifier))
  return scopeIndex.clients
    .filter(
      ({ client, pool }) => isMachineClient(client) && pools.some((one) => isSamePool(one, pool)),
    )
    .flatMap(({ client, pool }) => {
      // Scopes of resource servers that the app does not use are another app's.
      const spare = listGrants(client).filter(
        ({ value }) =>
          !needed.has(value) &&
          servers.has(parseIdentifier(value)) &&
          !scopeIndex.isMissing(value, pool),
      )
      return spare.map(({ at, value }) => {
        const message = `${toPrintable(client.id)} is granted ${toPrintable(value)}, which no route requires`
        const fix =
          'remove it from the client, and from the resource server if no other app requires it'
        return createFinding(at, 'warning', 'client-over-granted', message, fix)
      })
    })
}
