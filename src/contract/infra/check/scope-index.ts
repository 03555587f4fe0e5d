/** Which scopes the templates define and grant, in which pool, and how sure that is. */
import { isReserved } from '../../../core/scopes.ts'
import type {
  Fact,
  FactList,
  InfraClient,
  InfraModel,
  InfraResourceServer,
} from '../model/model.ts'
import type { Position } from '../position.ts'
import { areOne, mayBeOne, type PoolLink, type PoolOf, poolLinks } from './pools.ts'

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

export interface ScopeTable {
  readonly poolOf: PoolOf
  readonly clients: readonly PooledClient[]
  readonly defined: readonly DefinedScope[]
  /** Definitions of a scope, in the pool that is asked about as far as that can be told. */
  readonly definitions: (scope: string, pool: PoolLink) => readonly DefinedScope[]
  /** Definitions of a scope in whichever pool. */
  readonly elsewhere: (scope: string) => readonly DefinedScope[]
  /** What the resource server of a scope defines in this pool, as far as that can be told. */
  readonly siblings: (scope: string, pool: PoolLink) => readonly DefinedScope[]
  /** True only where none of the templates, and nothing beside them, defines the scope in this pool. */
  readonly isMissing: (scope: string, pool: PoolLink) => boolean
  /** True only where certainly no client of this pool is granted the scope. */
  readonly isUngranted: (scope: string, pool: PoolLink) => boolean
}

/** A scope is written `identifier/name`, split at the last slash. */
export const identifierOf = (scope: string): string =>
  scope.slice(0, Math.max(scope.lastIndexOf('/'), 0))

export function scopeTable(models: readonly InfraModel[]): ScopeTable {
  const poolOf = poolLinks(models)
  const complete = models.every((model) => model.complete)
  /** Whether nothing but the templates says what is in it. */
  const isOurs = ({ kind }: PoolLink): boolean => complete && kind === 'created'
  const servers = models.flatMap((model) =>
    model.resourceServers.map((server) => toServer(server, poolOf(model, server.userPool), model)),
  )
  const defined = servers.flatMap(({ scopes }) => scopes)
  const byScope = grouped(defined, ({ scope }) => scope)
  const byIdentifier = grouped(defined, ({ scope }) => identifierOf(scope))
  const definitions: ScopeTable['definitions'] = (scope, pool) =>
    (byScope.get(scope) ?? []).filter((one) => mayBeOne(one.pool, pool))
  const clients = models.flatMap((model) =>
    model.clients.map((client) => ({ client, pool: poolOf(model, client.userPool) })),
  )
  return {
    ...{ poolOf, clients, defined, definitions },
    elsewhere: (scope) => byScope.get(scope) ?? [],
    siblings: (scope, pool) =>
      (byIdentifier.get(identifierOf(scope)) ?? []).filter((one) => mayBeOne(one.pool, pool)),
    isMissing(scope, pool) {
      if (isReserved(scope) || definitions(scope, pool).length > 0) return false
      const possible = servers.filter((server) => mayBeOne(server.pool, pool))
      const own = possible.filter(({ identifier }) => identifier === identifierOf(scope))
      const nameless = possible.filter(({ identifier }) => identifier === undefined)
      if (own.some(({ closed }) => !closed)) return false
      if (own.some((one) => areOne(one.pool, pool))) {
        // An identifier is a pool's only once, so only another pool may have it a second time.
        return nameless.every((one) => own.some((it) => areOne(it.pool, one.pool)))
      }
      const certain = possible.some((one) => areOne(one.pool, pool))
      return isOurs(pool) && certain && nameless.length === 0
    },
    isUngranted: ungranted(clients, isOurs),
  }
}

function toServer(server: InfraResourceServer, pool: PoolLink, model: InfraModel) {
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

function ungranted(
  clients: readonly PooledClient[],
  isOurs: (pool: PoolLink) => boolean,
): ScopeTable['isUngranted'] {
  const granted = grouped(
    clients.flatMap(({ client, pool }) => grants(client).map(({ value }) => ({ value, pool }))),
    ({ value }) => value,
  )
  const known = new Map<string, boolean>()
  const grantsKnown = (pool: PoolLink): boolean => {
    const own = clients.filter((one) => mayBeOne(one.pool, pool))
    return own.length > 0 && own.every(({ client }) => isKnown(client))
  }
  return (scope, pool) => {
    if (!known.has(pool.key)) known.set(pool.key, isOurs(pool) && grantsKnown(pool))
    const owners = granted.get(scope) ?? []
    return known.get(pool.key) === true && !owners.some((one) => mayBeOne(one.pool, pool))
  }
}

/** Whether every scope that it is granted is known. */
const isKnown = ({ complete, scopes }: InfraClient): boolean =>
  complete && (scopes === undefined || areKnown(scopes))

export const areKnown = ({ complete, items }: FactList<string>): boolean =>
  complete && items.every(({ value }) => value !== undefined)

function grouped<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, T[]> {
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
export const grants = ({ scopes }: InfraClient): Grant[] =>
  (scopes?.items ?? []).flatMap(({ at, value, refs }) =>
    value === undefined ? [] : [{ at, value, refs }],
  )

/** Whether only people get tokens by it; false where that cannot be told. */
export const isPersons = ({ flows, complete }: InfraClient): boolean =>
  flows === undefined
    ? complete
    : flows.complete && flows.items.every(({ value }) => value !== 'client_credentials')

/** Whether a client asks for tokens of its own; false where that cannot be told. */
export const isMachine = ({ flows }: InfraClient): boolean =>
  flows?.items.some(({ value }) => value === 'client_credentials') === true
