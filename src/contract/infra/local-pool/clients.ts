/** Converts resource servers and clients of a template to options of a local pool. Skips unknown parts. */

import { omitUndefined } from '../../../core/options/validate.ts'
import {
  isReserved,
  listDescribedScopes,
  type ResourceServerDefinition,
} from '../../../core/scopes.ts'
import { toPrintable } from '../../../core/util/text.ts'
import { CLIENT_TOKEN_FLOW } from '../check/clients.ts'
import { isMachineClient } from '../check/scopes.ts'
import type { Fact, InfraClient, InfraResourceServer } from '../model/model.ts'
import type { Position } from '../position.ts'
import type { ReportSkipped } from './members.ts'
import { type ListParameters, type MaybeUnknown, suggestParameters } from './parameters.ts'

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
  /** Whether the client has the flow `ALLOW_CLIENT_TOKEN_AUTH`, which GetClientToken needs. Missing for a public client. */
  readonly clientToken?: boolean
  /** The lifetime of access tokens, in seconds. */
  readonly accessTokenValidity: number
}

/** Seconds, the default of Cognito. */
const DEFAULT_LIFETIME = 3600

/** Reports a value with the parameters that the facts depend on. Without parameters, it reports the fix. */
export type ReportUnknown = (
  at: Position,
  message: string,
  facts: readonly MaybeUnknown[],
  fix?: string,
) => void

export function createUnknownReporter(
  reportSkipped: ReportSkipped,
  listParameters: ListParameters,
): ReportUnknown {
  return (at, message, facts, fix = 'write the value in the template') => {
    const parameters = listParameters(facts)
    reportSkipped(at, message, suggestParameters(parameters) ?? fix, parameters)
  }
}

export function toPoolServer(
  { id, at, identifier, scopes, scopesComplete }: InfraResourceServer,
  reportUnknown: ReportUnknown,
): readonly ResourceServerDefinition[] {
  const name = toPrintable(id)
  if (identifier?.value === undefined) {
    reportUnknown(identifier?.at ?? at, `the identifier of ${name} is unknown`, [identifier])
    return []
  }
  const knownScopes = scopes.filter((scope) => scope.name?.value !== undefined)
  for (const scope of scopes) {
    if (!knownScopes.includes(scope))
      reportUnknown(scope.at, `the name of a scope of ${name} is unknown`, [scope.name])
  }
  if (!scopesComplete && knownScopes.length === scopes.length) {
    reportUnknown(at, `${name} may define scopes that the template does not list`, [])
  }
  if (knownScopes.length === 0) return []
  const described = knownScopes.map((scope) => {
    const text = scope.name?.value as string
    // Only documents show the description, so any text is valid.
    return [text, scope.description?.value ?? text]
  })
  return [{ identifier: identifier.value, scopes: Object.fromEntries(described) }]
}

const PASS_TEMPLATE = 'pass the template that defines it too'

interface PoolContext {
  /** Undefined if the templates define no resource servers: then any scope can be granted. */
  readonly servers: readonly ResourceServerDefinition[] | undefined
  /** The identifiers of the resource servers of the pool. */
  readonly identifiers: readonly (Fact<string> | undefined)[]
  readonly reportUnknown: ReportUnknown
}

/** @returns Undefined if a required value is unknown, or a machine client has no known scope. */
export function toPoolClient(
  client: InfraClient,
  clientId: string,
  context: PoolContext,
): PoolClientOptions | undefined {
  const { id, at, complete, flows, oauth, generateSecret } = client
  const { reportUnknown } = context
  const name = toPrintable(id)
  const isKnown = (fact: Fact<boolean> | undefined): boolean =>
    fact === undefined ? complete : fact.value !== undefined
  if (!(flows?.complete ?? complete)) {
    reportUnknown(flows?.at ?? at, `the OAuth flows of ${name} are unknown`, [flows])
    return undefined
  }
  if (!isKnown(oauth)) {
    reportUnknown(oauth?.at ?? at, `it is unknown whether ${name} enables OAuth`, [oauth])
    return undefined
  }
  // The deployment fails if a machine client has no secret.
  const hasSecret = isMachineClient(client) || generateSecret?.value === true
  if (!hasSecret && !isKnown(generateSecret)) {
    const message = `it is unknown whether ${name} has a secret`
    reportUnknown(generateSecret?.at ?? at, message, [generateSecret])
    return undefined
  }
  const scopes = listGrantedScopes(client, context)
  if (isMachineClient(client) && scopes.length === 0 && mayBeGranted(client)) {
    const message = `no scope of ${name} is certain, and a token without scope is of no use`
    const hasKnownScope = client.scopes?.items.some(({ value }) => value !== undefined) === true
    // A known scope is skipped if its resource server is unknown.
    const facts = hasKnownScope ? [client.scopes, ...context.identifiers] : [client.scopes]
    reportUnknown(client.scopes?.at ?? at, message, facts)
    return undefined
  }
  return omitUndefined<PoolClientOptions>({
    clientId,
    clientSecrets: hasSecret ? undefined : [],
    scopes,
    flows: (flows?.items ?? []).map(({ value }) => value as PoolFlow),
    oauth: oauth?.value === true,
    clientToken: hasSecret ? hasClientTokenFlow(client) : undefined,
    accessTokenValidity: getTokenLifetime(client, reportUnknown),
  })
}

function hasClientTokenFlow({ explicitAuthFlows }: InfraClient): boolean {
  return explicitAuthFlows?.items.some(({ value }) => value === CLIENT_TOKEN_FLOW) === true
}

/** Whether the deployed client has scopes, or may have some. */
const mayBeGranted = ({ scopes, complete }: InfraClient): boolean =>
  scopes === undefined ? !complete : !scopes.complete || scopes.items.length > 0

function listGrantedScopes(
  { id, at, complete, scopes }: InfraClient,
  { servers, identifiers, reportUnknown }: PoolContext,
): readonly string[] {
  const name = toPrintable(id)
  const defined = servers && new Set(servers.flatMap(listDescribedScopes).map(([scope]) => scope))
  const granted = new Set<string>()
  for (const fact of scopes?.items ?? []) {
    const { at, value } = fact
    if (value === undefined) reportUnknown(at, `a scope of ${name} is unknown`, [fact])
    else if (defined === undefined || defined.has(value) || isReserved(value)) granted.add(value)
    else {
      const message = `${name} is granted ${toPrintable(value)}, which may be undefined in this user pool`
      reportUnknown(at, message, identifiers, PASS_TEMPLATE)
    }
  }
  const isReported = scopes?.items.some(({ value }) => value === undefined) === true
  if (!(scopes?.complete ?? complete) && !isReported) {
    const message = `${name} may be granted scopes that the template does not list`
    reportUnknown(scopes?.at ?? at, message, [scopes])
  }
  return [...granted]
}

function getTokenLifetime(client: InfraClient, reportUnknown: ReportUnknown): number {
  const { id, at, complete, accessTokenValidity } = client
  if (accessTokenValidity === undefined && complete) return DEFAULT_LIFETIME
  if (accessTokenValidity?.value !== undefined) return accessTokenValidity.value
  const message = `the token lifetime of ${toPrintable(id)} is unknown: the default of ${DEFAULT_LIFETIME} s applies`
  reportUnknown(accessTokenValidity?.at ?? at, message, [accessTokenValidity])
  return DEFAULT_LIFETIME
}
