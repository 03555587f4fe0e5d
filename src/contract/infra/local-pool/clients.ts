/** Converts resource servers and clients of a template to options of a local pool. Skips unknown parts. */

import { omitUndefined } from '../../../core/options/validate.ts'
import {
  isReserved,
  listDescribedScopes,
  type ResourceServerDefinition,
} from '../../../core/scopes.ts'
import { toPrintable } from '../../../core/util/text.ts'
import { isMachineClient } from '../check/scopes.ts'
import type { Fact, InfraClient, InfraResourceServer } from '../model/model.ts'
import type { ReportSkipped } from './members.ts'

/** Longest id without its number, in characters. Ids have at most 128. */
const MAX_CLIENT_ID_LENGTH = 120

/** Derives unique client ids from the names of the clients, or else from their logical ids. */
export function assignClientIds(clients: readonly InfraClient[]): ReadonlyMap<InfraClient, string> {
  const usedIds = new Set<string>()
  // The next number for each id keeps this linear if many clients have the same name.
  const next = new Map<string, number>()
  return new Map(
    clients.map((client) => {
      const base = toValidClientId(client)
      let id = base
      let count = next.get(base) ?? 2
      for (; usedIds.has(id); count += 1) id = `${base}-${count}`
      next.set(base, count)
      usedIds.add(id)
      return [client, id]
    }),
  )
}

/** Returns a Terraform address without its type. */
export const getLocalName = (id: string): string => id.slice(id.lastIndexOf('.') + 1)

function toValidClientId({ id, name }: InfraClient): string {
  const text = name?.value ?? getLocalName(id)
  const valid = text.slice(0, MAX_CLIENT_ID_LENGTH).replaceAll(/[^\w+.-]+/g, '-')
  return valid.replaceAll(/^-+|-+$/g, '') || 'client'
}

/** An OAuth flow of an app client. */
export type PoolFlow = 'client_credentials' | 'code' | 'implicit'

/** An app client, for `startUserPool` and `createTestUserPool` of `cognito-m2m/testing`. */
export interface PoolClientOptions {
  /**
   * The name of the client in the template, or else its logical id. Characters that an id cannot have become `-`, and
   * repeated ids get a number.
   */
  readonly clientId: string
  /** Empty for a public client. Missing if the template generates a secret: the pool then generates one. */
  readonly clientSecrets?: readonly string[]
  /** The scopes that the client can request. */
  readonly scopes: readonly string[]
  readonly flows: readonly PoolFlow[]
  /** Whether OAuth is enabled. */
  readonly oauth: boolean
  /** The lifetime of access tokens, in seconds. */
  readonly accessTokenValidity: number
}

/** Seconds, the default of Cognito. */
const DEFAULT_LIFETIME = 3600
const PASS_PARAMETERS = 'pass the parameters that it depends on'

export function toPoolServer(
  { id, at, identifier, scopes, scopesComplete }: InfraResourceServer,
  reportSkipped: ReportSkipped,
): readonly ResourceServerDefinition[] {
  const name = toPrintable(id)
  if (identifier?.value === undefined) {
    reportSkipped(identifier?.at ?? at, `the identifier of ${name} is unknown`, PASS_PARAMETERS)
    return []
  }
  const knownScopes = scopes.filter((scope) => scope.name?.value !== undefined)
  for (const scope of scopes) {
    if (!knownScopes.includes(scope))
      reportSkipped(scope.at, `the name of a scope of ${name} is unknown`, PASS_PARAMETERS)
  }
  if (!scopesComplete && knownScopes.length === scopes.length) {
    reportSkipped(at, `${name} may define scopes that the template does not list`, PASS_PARAMETERS)
  }
  if (knownScopes.length === 0) return []
  const described = knownScopes.map((scope) => {
    const text = scope.name?.value as string
    // Only documents show the description, so any text is valid.
    return [text, scope.description?.value ?? text]
  })
  return [{ identifier: identifier.value, scopes: Object.fromEntries(described) }]
}

/**
 * @param servers Undefined if the templates define no resource servers: then any scope can be granted.
 * @returns Undefined if a required value is unknown.
 */
export function toPoolClient(
  client: InfraClient,
  clientId: string,
  servers: readonly ResourceServerDefinition[] | undefined,
  reportSkipped: ReportSkipped,
): PoolClientOptions | undefined {
  const { id, at, complete, flows, oauth, generateSecret } = client
  const name = toPrintable(id)
  const isKnown = (fact: Fact<boolean> | undefined): boolean =>
    fact === undefined ? complete : fact.value !== undefined
  if (!(flows?.complete ?? complete)) {
    reportSkipped(flows?.at ?? at, `the OAuth flows of ${name} are unknown`, PASS_PARAMETERS)
    return undefined
  }
  if (!isKnown(oauth)) {
    const message = `it is unknown whether ${name} enables OAuth`
    reportSkipped(oauth?.at ?? at, message, PASS_PARAMETERS)
    return undefined
  }
  // The deployment fails if a machine client has no secret.
  const hasSecret = isMachineClient(client) || generateSecret?.value === true
  if (!hasSecret && !isKnown(generateSecret)) {
    const message = `it is unknown whether ${name} has a secret`
    reportSkipped(generateSecret?.at ?? at, message, PASS_PARAMETERS)
    return undefined
  }
  return omitUndefined<PoolClientOptions>({
    clientId,
    clientSecrets: hasSecret ? undefined : [],
    scopes: listGrantedScopes(client, servers, reportSkipped),
    flows: (flows?.items ?? []).map(({ value }) => value as PoolFlow),
    oauth: oauth?.value === true,
    accessTokenValidity: getTokenLifetime(client, reportSkipped),
  })
}

function listGrantedScopes(
  { id, at, complete, scopes }: InfraClient,
  servers: readonly ResourceServerDefinition[] | undefined,
  reportSkipped: ReportSkipped,
): readonly string[] {
  const name = toPrintable(id)
  const defined = servers && new Set(servers.flatMap(listDescribedScopes).map(([scope]) => scope))
  const granted = new Set<string>()
  for (const { at, value } of scopes?.items ?? []) {
    if (value === undefined) reportSkipped(at, `a scope of ${name} is unknown`, PASS_PARAMETERS)
    else if (defined === undefined || defined.has(value) || isReserved(value)) granted.add(value)
    else {
      const message = `${name} is granted ${toPrintable(value)}, which may be undefined in this user pool`
      reportSkipped(at, message, 'pass the template that defines it too')
    }
  }
  const isReported = scopes?.items.some(({ value }) => value === undefined) === true
  if (!(scopes?.complete ?? complete) && !isReported) {
    const message = `${name} may be granted scopes that the template does not list`
    reportSkipped(scopes?.at ?? at, message, PASS_PARAMETERS)
  }
  return [...granted]
}

function getTokenLifetime(client: InfraClient, reportSkipped: ReportSkipped): number {
  const { id, at, complete, accessTokenValidity } = client
  if (accessTokenValidity === undefined && complete) return DEFAULT_LIFETIME
  if (accessTokenValidity?.value !== undefined) return accessTokenValidity.value
  const message = `the token lifetime of ${toPrintable(id)} is unknown: the default of ${DEFAULT_LIFETIME} s applies`
  reportSkipped(accessTokenValidity?.at ?? at, message, PASS_PARAMETERS)
  return DEFAULT_LIFETIME
}
