/** Which scopes the templates define and grant, and how sure that is. */
import type { Fact, InfraClient, InfraModel, InfraResourceServer } from './model.ts'

/** Scopes that Cognito itself defines. */
const RESERVED = new Set(['openid', 'email', 'phone', 'profile', 'aws.cognito.signin.user.admin'])

export interface DefinedScope {
  readonly scope: string
  readonly server: InfraResourceServer
  readonly fact: Fact<string>
}

export interface ScopeTable {
  readonly defined: ReadonlyMap<string, DefinedScope>
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
  const defined = new Map<string, DefinedScope>()
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
      defined.set(scope, { scope, server, fact })
    }
  }
  const serversKnown =
    complete &&
    servers.length > 0 &&
    servers.every(({ identifier }) => identifier?.value !== undefined)
  return {
    defined,
    isMissing: (scope) =>
      !defined.has(scope) &&
      !RESERVED.has(scope) &&
      (closed.get(identifierOf(scope)) ?? serversKnown),
    granted: new Set(clients.flatMap(grants)),
    grantsKnown:
      complete &&
      clients.length > 0 &&
      clients.every((client) => client.complete && client.scopes?.complete !== false),
  }
}

export const grants = ({ scopes }: InfraClient): string[] =>
  (scopes?.items ?? []).flatMap(({ value }) => (value === undefined ? [] : [value]))

/** Whether a client asks for tokens of its own; false where that cannot be told. */
export const isMachine = ({ flows }: InfraClient): boolean =>
  flows?.items.some(({ value }) => value === 'client_credentials') === true
