/** Validates the resource servers and app clients of a generated user pool. */
import { randomBytes } from 'node:crypto'
import {
  describeValue,
  type Members,
  OptionError,
  readMembers,
  readNumber,
} from '../core/options/validate.ts'
import { checkScope, listDescribedScopes, type ResourceServerDefinition } from '../core/scopes.ts'

/** An OAuth flow an app client may be allowed. */
export type OAuthFlow = 'client_credentials' | 'code' | 'implicit'

/** An app client, as it is defined. */
export interface TestClient {
  /** 1–128 letters, digits and `_ + . -`. */
  readonly clientId: string
  /**
   * One or two, both accepted, as while Cognito rotates them. Default: one, generated. Empty: a public
   * client, which has none and may not have the flow `client_credentials`.
   */
  readonly clientSecrets?: readonly string[]
  /** At most 50. Default: every scope of the pool's resource servers. */
  readonly scopes?: readonly string[]
  /** Default `['client_credentials']`. Without it token requests are answered `unauthorized_client`. */
  readonly flows?: readonly OAuthFlow[]
  /** `false`: OAuth is not enabled on the client, which Cognito answers with `invalid_grant`. */
  readonly oauth?: boolean
  /** Seconds a token lives; 300 to 86,400, default 3,600. */
  readonly accessTokenValidity?: number
}

/** An app client with everything decided. */
export type PoolClient = Required<TestClient>

const MEMBERS = ['clientId', 'clientSecrets', 'scopes', 'flows', 'oauth', 'accessTokenValidity']
const CLIENT_ID_PATTERN = /^[\w+.-]{1,128}$/
/** No control characters, which neither a header nor a person gets right. */
const SECRET_PATTERN = /^\P{Cc}{1,128}$/u
const FLOWS: readonly unknown[] = ['client_credentials', 'code', 'implicit']
const MAX_SCOPES = 50

/** Every scope of these resource servers, as tokens carry them. */
export function listScopes(resourceServers: readonly ResourceServerDefinition[]): string[] {
  return resourceServers.flatMap((server) => listDescribedScopes(server).map(([scope]) => scope))
}

/** @param resourceServers Where there are none, any well-formed scope passes. */
export function readClients(
  value: unknown = [{ clientId: 'test-client' }],
  resourceServers: readonly ResourceServerDefinition[] = [],
): readonly PoolClient[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new OptionError('clients', `is ${describeValue(value)}: pass an array of app clients`)
  }
  const defined = resourceServers.length === 0 ? undefined : new Set(listScopes(resourceServers))
  const seen = new Set<string>()
  return value.map((item, index) => {
    const client = readClient(item, `clients[${index}]`, defined)
    if (seen.has(client.clientId)) {
      throw new OptionError(
        `clients[${index}].clientId`,
        `repeats ${describeValue(client.clientId)}: merge the two`,
      )
    }
    seen.add(client.clientId)
    return client
  })
}

function readClient(value: unknown, optionPath: string, defined?: ReadonlySet<string>): PoolClient {
  const members = readMembers(value, MEMBERS, optionPath)
  const { clientId, oauth = true } = members
  if (typeof clientId !== 'string' || !CLIENT_ID_PATTERN.test(clientId)) {
    throw new OptionError(
      `${optionPath}.clientId`,
      `is ${describeValue(clientId)}: use 1 to 128 letters, digits and _ + . -`,
    )
  }
  if (typeof oauth !== 'boolean') {
    throw new OptionError(`${optionPath}.oauth`, `is ${describeValue(oauth)}: pass true or false`)
  }
  const flows = readFlows(members, optionPath)
  return Object.freeze({
    clientId,
    clientSecrets: readSecrets(members, optionPath, flows),
    scopes: readClientScopes(members, optionPath, defined),
    flows,
    oauth,
    accessTokenValidity: readNumber(members, 'accessTokenValidity', optionPath, {
      ...{ defaultValue: 3600, min: 300, max: 86_400, unit: 'seconds', integer: true },
    }),
  })
}

/** The message never shows a secret, not even a wrong one. */
function readSecrets(
  { clientSecrets }: Members,
  optionPath: string,
  flows: readonly OAuthFlow[],
): readonly string[] {
  if (clientSecrets === undefined) return Object.freeze([generateSecret()])
  const isPublic = Array.isArray(clientSecrets) && clientSecrets.length === 0
  if (isPublic && flows.includes('client_credentials')) {
    throw new OptionError(
      `${optionPath}.clientSecrets`,
      'is an empty array: client_credentials needs a secret; give it one, or name its flows',
    )
  }
  const wellFormed =
    Array.isArray(clientSecrets) &&
    clientSecrets.length <= 2 &&
    clientSecrets.every((secret) => typeof secret === 'string' && SECRET_PATTERN.test(secret)) &&
    new Set(clientSecrets).size === clientSecrets.length
  if (!wellFormed) {
    throw new OptionError(
      `${optionPath}.clientSecrets`,
      'is not valid: pass an array of at most two different strings, each of 1 to 128 characters without control characters',
    )
  }
  return Object.freeze([...(clientSecrets as string[])])
}

/** 51 lower-case letters and digits, as Cognito's. */
function generateSecret(): string {
  return BigInt(`0x${randomBytes(40).toString('hex')}`)
    .toString(36)
    .padStart(51, '0')
    .slice(0, 51)
}

function readClientScopes(
  { scopes }: Members,
  optionPath: string,
  defined: ReadonlySet<string> | undefined,
): readonly string[] {
  const at = `${optionPath}.scopes`
  if (scopes === undefined) {
    const all = [...(defined ?? [])]
    if (all.length <= MAX_SCOPES) return Object.freeze(all)
    throw new OptionError(
      at,
      `is left out, which means all ${all.length} of the resource servers: name at most ${MAX_SCOPES}`,
    )
  }
  if (!Array.isArray(scopes) || scopes.length > MAX_SCOPES) {
    throw new OptionError(
      at,
      `is ${describeValue(scopes)}: pass an array of at most ${MAX_SCOPES} scopes`,
    )
  }
  const read = scopes.map((scope, index) => {
    const known = checkScope(scope, `${at}[${index}]`)
    if (defined !== undefined && known.includes('/') && !defined.has(known)) {
      throw new OptionError(
        `${at}[${index}]`,
        `is ${describeValue(known)}: no resource server defines it; define it or correct the spelling`,
      )
    }
    return known
  })
  return Object.freeze([...new Set(read)])
}

function readFlows({ flows }: Members, optionPath: string): readonly OAuthFlow[] {
  if (flows === undefined) return Object.freeze<OAuthFlow[]>(['client_credentials'])
  if (!Array.isArray(flows)) {
    throw new OptionError(
      `${optionPath}.flows`,
      `is ${describeValue(flows)}: pass an array of flows`,
    )
  }
  for (const flow of flows as unknown[]) {
    if (FLOWS.includes(flow)) continue
    throw new OptionError(
      `${optionPath}.flows`,
      `has ${describeValue(flow)}: use ${FLOWS.join(', ')}`,
    )
  }
  return Object.freeze([...(flows as OAuthFlow[])])
}
