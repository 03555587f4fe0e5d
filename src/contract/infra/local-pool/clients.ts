/** Resource servers and clients of a template → those of a local pool, as far as they are known. */
import {
  isReserved,
  listDescribedScopes,
  type ResourceServerDefinition,
} from '../../../core/scopes.ts'
import { toPrintable } from '../../../core/util/text.ts'
import { isMachineClient } from '../check/scopes.ts'
import type { Fact, InfraClient, InfraResourceServer } from '../model/model.ts'
import type { ReportSkipped } from './members.ts'

/** Leaves room for a number. */
const MAX_CLIENT_ID_LENGTH = 120

/** The client's name where the template tells it, else its logical id, in letters that an id may have. */
export function assignClientIds(clients: readonly InfraClient[]): ReadonlyMap<InfraClient, string> {
  const used = new Set<string>()
  // Numbers that are taken need not be tried again by each client of that name.
  const next = new Map<string, number>()
  return new Map(
    clients.map((client) => {
      const wanted = toValidClientId(client)
      let id = wanted
      let count = next.get(wanted) ?? 2
      for (; used.has(id); count += 1) id = `${wanted}-${count}`
      next.set(wanted, count)
      used.add(id)
      return [client, id]
    }),
  )
}

/** Terraform's address without its type. */
export const getLocalName = (id: string): string => id.slice(id.lastIndexOf('.') + 1)

function toValidClientId({ id, name }: InfraClient): string {
  const text = name?.value ?? getLocalName(id)
  const fit = text.slice(0, MAX_CLIENT_ID_LENGTH).replaceAll(/[^\w+.-]+/g, '-')
  return fit.replaceAll(/^-+|-+$/g, '') || 'client'
}

export type PoolFlow = 'client_credentials' | 'code' | 'implicit'

/** A client as `startUserPool` and `createTestUserPool` of `cognito-m2m/testing` take it. */
export interface PoolClientOptions {
  /** The client's name where the template tells it, else its logical id, made to fit. */
  readonly clientId: string
  /** Empty where the template generates no secret; left out where it does. */
  readonly clientSecrets?: readonly string[]
  readonly scopes: readonly string[]
  readonly flows: readonly PoolFlow[]
  readonly oauth: boolean
  /** Seconds. */
  readonly accessTokenValidity: number
}

const DEFAULT_LIFETIME = 3600
const SET_PARAMETERS = 'give its parameters a value'

export function toPoolServer(
  { id, at, identifier, scopes, scopesComplete }: InfraResourceServer,
  reportSkipped: ReportSkipped,
): readonly ResourceServerDefinition[] {
  const name = toPrintable(id)
  if (identifier?.value === undefined) {
    reportSkipped(identifier?.at ?? at, `the identifier of ${name} is not known`, SET_PARAMETERS)
    return []
  }
  const known = scopes.filter((scope) => scope.name?.value !== undefined)
  for (const scope of scopes) {
    if (!known.includes(scope))
      reportSkipped(scope.at, `the name of a scope of ${name} is not known`, SET_PARAMETERS)
  }
  if (!scopesComplete && known.length === scopes.length) {
    reportSkipped(at, `${name} may define more scopes than are written`, SET_PARAMETERS)
  }
  if (known.length === 0) return []
  const described = known.map((scope) => {
    const text = scope.name?.value as string
    // Nothing but documents shows it.
    return [text, scope.description?.value ?? text]
  })
  return [{ identifier: identifier.value, scopes: Object.fromEntries(described) }]
}

/**
 * @param servers Undefined where the templates define none: then any scope may be granted.
 * @returns Undefined where too little of it is known.
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
    reportSkipped(flows?.at ?? at, `the OAuth flows of ${name} are not known`, SET_PARAMETERS)
    return undefined
  }
  if (!isKnown(oauth)) {
    reportSkipped(oauth?.at ?? at, `whether OAuth is on for ${name} is not known`, SET_PARAMETERS)
    return undefined
  }
  // A machine has a secret, or it is not deployed.
  const machine = isMachineClient(client)
  if (!machine && !isKnown(generateSecret)) {
    reportSkipped(
      generateSecret?.at ?? at,
      `whether ${name} has a secret is not known`,
      SET_PARAMETERS,
    )
    return undefined
  }
  return {
    clientId,
    ...(machine || generateSecret?.value === true ? {} : { clientSecrets: [] }),
    scopes: listGrantedScopes(client, servers, reportSkipped),
    flows: (flows?.items ?? []).map(({ value }) => value as PoolFlow),
    oauth: oauth?.value === true,
    accessTokenValidity: getTokenLifetime(client, reportSkipped),
  }
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
    if (value === undefined) reportSkipped(at, `a scope of ${name} is not known`, SET_PARAMETERS)
    else if (defined === undefined || defined.has(value) || isReserved(value)) granted.add(value)
    else {
      const message = `${name} is granted ${toPrintable(value)}, which nothing here defines for certain`
      reportSkipped(at, message, 'pass the template that defines it as well')
    }
  }
  const isReported = scopes?.items.some(({ value }) => value === undefined) === true
  if (!(scopes?.complete ?? complete) && !isReported) {
    reportSkipped(
      scopes?.at ?? at,
      `${name} may be granted more scopes than are written`,
      SET_PARAMETERS,
    )
  }
  return [...granted]
}

function getTokenLifetime(client: InfraClient, reportSkipped: ReportSkipped): number {
  const { id, at, complete, accessTokenValidity } = client
  if (accessTokenValidity === undefined && complete) return DEFAULT_LIFETIME
  if (accessTokenValidity?.value !== undefined) return accessTokenValidity.value
  const message = `how long tokens of ${toPrintable(id)} live is not known: here ${DEFAULT_LIFETIME} s`
  reportSkipped(accessTokenValidity?.at ?? at, message, SET_PARAMETERS)
  return DEFAULT_LIFETIME
}
