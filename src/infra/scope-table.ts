/** Which scopes the templates define and grant, and how sure that is. */
import type {
  Fact,
  InfraAuthorizer,
  InfraClient,
  InfraModel,
  InfraResourceServer,
} from './model.ts'
import type { Position } from './template-error.ts'

/** Scopes that Cognito itself defines. */
const RESERVED = new Set(['openid', 'email', 'phone', 'profile', 'aws.cognito.signin.user.admin'])

export interface DefinedScope {
  readonly scope: string
  readonly server: InfraResourceServer
  readonly fact: Fact<string>
}

export interface ScopeTable {
  /** Several where two pools have resource servers of one identifier, or conditions choose between them. */
  readonly defined: ReadonlyMap<string, readonly DefinedScope[]>
  /** True only where a scope that is not in the table is certainly defined by none of the templates. */
  readonly isMissing: (scope: string) => boolean
  readonly granted: ReadonlySet<string>
  /** Whether every scope that any client is granted is known. */
  readonly grantsKnown: boolean
}

/** A scope is written `identifier/name`, split at the last slash. */
export const identifierOf = (scope: string): string => scope.slice(0, scope.lastIndexOf('/'))

export function scopeTable(models: readonly InfraModel[]): ScopeTable {
  const servers = models.flatMap(({ resourceServers }) => resourceServers)
  const clients = models.flatMap(({ clients }) => clients)
  const complete = models.every((model) => model.complete)
  const defined = new Map<string, DefinedScope[]>()
  /** Identifiers of which every scope is known. */
  const closed = new Map<string, boolean>()
  for (const server of servers) {
    const identifier = server.identifier?.value
    if (identifier === undefined) continue
    const names = server.scopes.map(({ name }) => name)
    const known = server.scopesComplete && names.every((name) => name?.value !== undefined)
    closed.set(identifier, known && closed.get(identifier) !== false)
    for (const fact of names) {
      if (fact?.value === undefined) continue
      const scope = `${identifier}/${fact.value}`
      defined.set(scope, [...(defined.get(scope) ?? []), { scope, server, fact }])
    }
  }
  // Other templates may define scopes for a pool that none of these has, and have clients of it.
  const poolsKnown = complete && models.every((model) => poolsAreHere(model, models))
  const serversKnown =
    poolsKnown &&
    servers.length > 0 &&
    servers.every(({ identifier }) => identifier?.value !== undefined)
  return {
    defined,
    isMissing: (scope) =>
      !defined.has(scope) &&
      !RESERVED.has(scope) &&
      (closed.get(identifierOf(scope)) ?? serversKnown),
    granted: new Set(clients.flatMap(grants).map(({ value }) => value)),
    grantsKnown:
      poolsKnown &&
      clients.length > 0 &&
      clients.every((client) => client.complete && client.scopes?.complete !== false),
  }
}

/** Whether the pools of a template's resource servers are in the templates that are looked at. */
function poolsAreHere(model: InfraModel, models: readonly InfraModel[]): boolean {
  if (models.some((other) => other !== model && other.userPools.length > 0)) return true
  return model.resourceServers.every(
    (server) =>
      server.userPool === undefined || model.userPools.some(({ id }) => id === poolOf(server)),
  )
}

/** Scopes that a client is certainly granted. */
export const grants = ({ scopes }: InfraClient): { at: Position; value: string }[] =>
  (scopes?.items ?? []).flatMap(({ at, value }) => (value === undefined ? [] : [{ at, value }]))

/** Whether a client asks for tokens of its own; false where that cannot be told. */
export const isMachine = ({ flows }: InfraClient): boolean =>
  flows?.items.some(({ value }) => value === 'client_credentials') === true

/** The user pool's id in its model; undefined where the pool is not in the template. */
export const poolOf = ({ userPool }: { readonly userPool?: Fact<string> }): string | undefined =>
  userPool?.source.resource

/** Whether only people sign in with it; false where that cannot be told. */
export const isPersons = ({ flows, complete }: InfraClient): boolean =>
  flows === undefined
    ? complete
    : flows.complete && flows.items.every(({ value }) => value !== 'client_credentials')

/** Clients whose tokens an authorizer may be shown: those of its pools, and those of pools not known. */
export function clientsOf(
  { userPools }: InfraAuthorizer,
  model: InfraModel,
  models: readonly InfraModel[],
): readonly InfraClient[] {
  const judged = userPools?.items.map(({ source }) => source.resource) ?? [undefined]
  return models.flatMap((one) =>
    one.clients.filter((client) => {
      const pool = poolOf(client)
      // Ids are one template's own.
      return (
        one !== model || pool === undefined || judged.includes(pool) || judged.includes(undefined)
      )
    }),
  )
}
