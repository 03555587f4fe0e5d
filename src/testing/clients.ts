/** Validates the resource servers and app clients of a generated user pool. */
import { randomBytes } from 'node:crypto'
import {
  describeValue,
  type Members,
  OptionError,
  readMembers,
  readNumber,
} from '../core/options/validate.ts'
import {
  checkScope,
  listDescribedScopes,
  MAX_SCOPES_PER_CLIENT,
  type ResourceServerDefinition,
} from '../core/scopes.ts'

/** An OAuth flow that an app client can have. */
export type OAuthFlow = 'client_credentials' | 'code' | 'implicit'

/** Definition of an app client. */
export interface TestClient {
  /** 1 to 128 letters, digits and `_ + . -`. */
  readonly clientId: string
  /**
   * One or two secrets. The pool accepts both, as Cognito does during a rotation. An empty array makes a
   * public client, which cannot have the flow `client_credentials`.
   *
   * @defaultValue One generated secret.
   */
  readonly clientSecrets?: readonly string[]
  /**
   * Scopes that the client may request, at most 50.
   *
   * @defaultValue Every scope of the pool's resource servers.
   */
  readonly scopes?: readonly string[]
  /**
   * Allowed flows. Without `client_credentials`, token requests get `unauthorized_client`.
   *
   * @defaultValue `['client_credentials']`
   */
  readonly flows?: readonly OAuthFlow[]
  /**
   * Whether OAuth is enabled on the client. If not, token requests get `invalid_grant`.
   *
   * @defaultValue `true`
   */
  readonly oauth?: boolean
  /**
   * Whether GetClientToken issues tokens to the client: its flow `ALLOW_CLIENT_TOKEN_AUTH`. It requires a secret, and
   * does not depend on `flows` and `oauth`.
   *
   * @defaultValue `true` for a client that gets tokens from `/oauth2/token`
   */
  readonly clientToken?: boolean
  /**
   * Lifetime of an access token in seconds, 300 to 86,400.
   *
   * @defaultValue 3600
   */
  readonly accessTokenValidity?: number
}

/** An app client with all defaults applied. */
export type PoolClient = Required<TestClient>

const MEMBERS = [
  'clientId',
  'clientSecrets',
  'scopes',
  'flows',
  'oauth',
  'clientToken',
  'accessTokenValidity',
]
const CLIENT_ID_PATTERN = /^[\w+.-]{1,128}$/
/** No control characters: HTTP headers cannot carry them. */
const SECRET_PATTERN = /^\P{Cc}{1,128}$/u
const FLOWS: readonly unknown[] = ['client_credentials', 'code', 'implicit']

/** Lists every scope of the resource servers as `identifier/name`. */
export function listScopes(resourceServers: readonly ResourceServerDefinition[]): string[] {
  return resourceServers.flatMap((server) => listDescribedScopes(server).map(([scope]) => scope))
}

/** @param resourceServers If there are none, any well-formed scope is valid. */
export function readClients(
  value: unknown = [{ clientId: 'test-client' }],
  resourceServers: readonly ResourceServerDefinition[] = [],
): readonly PoolClient[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new OptionError(
      'clients',
      `expected a non-empty array of app clients, got ${describeValue(value)}. Add an app client.`,
    )
  }
  const defined = resourceServers.length === 0 ? undefined : new Set(listScopes(resourceServers))
  const clientIds = new Set<string>()
  return value.map((item, index) => {
    const client = readClient(item, `clients[${index}]`, defined)
    if (clientIds.has(client.clientId)) {
      throw new OptionError(
        `clients[${index}].clientId`,
        `expected a different id for each client, got ${describeValue(client.clientId)} twice. Merge the two.`,
      )
    }
    clientIds.add(client.clientId)
    return client
  })
}

function readClient(value: unknown, optionPath: string, defined?: ReadonlySet<string>): PoolClient {
  const members = readMembers(value, MEMBERS, optionPath)
  const { clientId, oauth = true } = members
  if (typeof clientId !== 'string' || !CLIENT_ID_PATTERN.test(clientId)) {
    throw new OptionError(
      `${optionPath}.clientId`,
      `expected 1 to 128 letters, digits and _ + . -, got ${describeValue(clientId)}. Change the id.`,
    )
  }
  if (typeof oauth !== 'boolean') {
    throw new OptionError(
      `${optionPath}.oauth`,
      `expected a boolean, got ${describeValue(oauth)}. Pass true or false.`,
    )
  }
  const flows = readFlows(members, optionPath)
  const clientSecrets = readSecrets(members, optionPath, flows)
  return Object.freeze({
    clientId,
    clientSecrets,
    scopes: readClientScopes(members, optionPath, defined),
    flows,
    oauth,
    clientToken: readClientToken(members, optionPath, {
      hasSecret: clientSecrets.length > 0,
      defaultValue: oauth && flows.includes('client_credentials'),
    }),
    accessTokenValidity: readNumber(members, 'accessTokenValidity', optionPath, {
      defaultValue: 3600,
      min: 300,
      max: 86_400,
      unit: 'seconds',
      integer: true,
    }),
  })
}

function readClientToken(
  members: Members,
  optionPath: string,
  { hasSecret, defaultValue }: { readonly hasSecret: boolean; readonly defaultValue: boolean },
): boolean {
  const { clientToken = defaultValue } = members
  if (typeof clientToken !== 'boolean') {
    throw new OptionError(
      `${optionPath}.clientToken`,
      `expected a boolean, got ${describeValue(clientToken)}. Pass true or false.`,
    )
  }
  if (hasSecret || !clientToken) return clientToken
  throw new OptionError(
    `${optionPath}.clientToken`,
    'expected a secret for GetClientToken, got a public client. Add a secret, or pass false.',
  )
}

/** Reads the secrets. Messages never show one, not even an invalid one. */
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
      'expected a secret for the flow client_credentials, got an empty array. Add a secret, or set other flows.',
    )
  }
  const isWellFormed =
    Array.isArray(clientSecrets) &&
    clientSecrets.length <= 2 &&
    clientSecrets.every((secret) => typeof secret === 'string' && SECRET_PATTERN.test(secret)) &&
    new Set(clientSecrets).size === clientSecrets.length
  if (!isWellFormed) {
    throw new OptionError(
      `${optionPath}.clientSecrets`,
      'expected at most two different strings of 1 to 128 characters without control characters, got another value. Change the secrets.',
    )
  }
  return Object.freeze([...(clientSecrets as string[])])
}

/** 51 lower-case letters and digits, the form of Cognito's secrets. */
export function generateSecret(): string {
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
    if (all.length <= MAX_SCOPES_PER_CLIENT) return Object.freeze(all)
    throw new OptionError(
      at,
      `expected at most ${MAX_SCOPES_PER_CLIENT} scopes, got all ${all.length} of the resource servers. Set the scopes of the client.`,
    )
  }
  if (!Array.isArray(scopes) || scopes.length > MAX_SCOPES_PER_CLIENT) {
    throw new OptionError(
      at,
      `expected an array of at most ${MAX_SCOPES_PER_CLIENT} scopes, got ${describeValue(scopes)}. Pass an array, or remove scopes.`,
    )
  }
  const read = scopes.map((scope, index) => {
    const checked = checkScope(scope, `${at}[${index}]`)
    if (defined !== undefined && checked.includes('/') && !defined.has(checked)) {
      throw new OptionError(
        `${at}[${index}]`,
        `expected a scope of a resource server, got ${describeValue(checked)}. Define it or correct the spelling.`,
      )
    }
    return checked
  })
  return Object.freeze([...new Set(read)])
}

function readFlows({ flows }: Members, optionPath: string): readonly OAuthFlow[] {
  if (flows === undefined) return Object.freeze<OAuthFlow[]>(['client_credentials'])
  if (!Array.isArray(flows)) {
    throw new OptionError(
      `${optionPath}.flows`,
      `expected an array of flows, got ${describeValue(flows)}. Pass an array of their names.`,
    )
  }
  for (const flow of flows as unknown[]) {
    if (FLOWS.includes(flow)) continue
    throw new OptionError(
      `${optionPath}.flows`,
      `expected only ${FLOWS.join(', ')}, got ${describeValue(flow)}. Remove it or correct the spelling.`,
    )
  }
  return Object.freeze([...(flows as OAuthFlow[])])
}
