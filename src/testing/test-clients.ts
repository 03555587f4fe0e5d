/** App clients of a test pool, checked against Cognito's limits. */
import { randomInt } from 'node:crypto'
import {
  type Members,
  OptionError,
  readMembers,
  readNumber,
  readStrings,
  show,
} from '../core/option-error.ts'
import { checkScope } from '../core/scopes.ts'

const CLIENT_MEMBERS = [
  ...['clientId', 'clientSecrets', 'scopes', 'flows', 'oauth', 'accessTokenValidity'],
]
const FLOWS: readonly unknown[] = ['client_credentials', 'code', 'implicit']
/** Cognito's `[\w+]+`, and the punctuation of readable names; no colon, it ends the id in Basic. */
const CLIENT_ID = /^[\w+.-]{1,128}$/
/** What RFC 6749 appendix A.2 allows, bounded. */
const SECRET = /^[\x20-\x7E]{1,128}$/
const SECRET_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'
const SECRET_LENGTH = 51
const MAX_SECRETS = 2
const MAX_SCOPES = 50
const DEFAULT_CLIENTS = [{ clientId: 'test-client' }]

/** A way to get tokens that an app client may be allowed. */
export type OAuthFlow = 'client_credentials' | 'code' | 'implicit'

/** An app client of a test pool. */
export interface TestClient {
  /** 1–128 letters, digits and `_ + . -`. */
  readonly clientId: string
  /**
   * One or two, as while a secret is rotated; 1–128 printable ASCII characters each. Default: one,
   * generated.
   */
  readonly clientSecrets?: readonly string[]
  /**
   * Scopes it may ask for, at most 50, defined by the resource servers if the pool has any. Default:
   * every scope of the resource servers.
   */
  readonly scopes?: readonly string[]
  /**
   * Default `['client_credentials']`. Without that one the token endpoint answers
   * `unauthorized_client`.
   */
  readonly flows?: readonly OAuthFlow[]
  /**
   * Whether OAuth is enabled on the client (`AllowedOAuthFlowsUserPoolClient`). Default true; with
   * false the token endpoint answers `invalid_grant`.
   */
  readonly oauth?: boolean
  /** Life of its access tokens in seconds, 300 to 86,400. Default 3600. */
  readonly accessTokenValidity?: number
}

/** An app client with every default filled in; frozen. */
export type ResolvedTestClient = Required<TestClient>

/** A generated secret looks like Cognito's. */
function generateSecret(): string {
  const random = Array.from({ length: SECRET_LENGTH }, () => SECRET_ALPHABET[randomInt(36)])
  return random.join('')
}

/** Never shows what it refuses: it may be a secret that is in use somewhere. */
function readSecrets(value: unknown, place: string): readonly string[] {
  if (value === undefined) return [generateSecret()]
  if (!Array.isArray(value) || value.length < 1 || value.length > MAX_SECRETS) {
    throw new OptionError(place, 'is not one or two secrets: pass an array of one or two strings')
  }
  const secrets = Array.from(value, (secret: unknown, index) => {
    if (typeof secret === 'string' && SECRET.test(secret)) return secret
    throw new OptionError(
      `${place}[${index}]`,
      'is no secret: use 1 to 128 printable ASCII characters',
    )
  })
  if (secrets[0] === secrets[1]) {
    throw new OptionError(`${place}[1]`, 'is the same as the first: leave it out')
  }
  return secrets
}

function readFlows(value: unknown, place: string): readonly OAuthFlow[] {
  if (value === undefined) return ['client_credentials']
  if (!Array.isArray(value)) {
    throw new OptionError(place, `is ${show(value)}: pass an array of flows`)
  }
  const flows = readStrings(value, place, 'flow')
  for (const [index, flow] of flows.entries()) {
    if (!FLOWS.includes(flow)) {
      throw new OptionError(`${place}[${index}]`, `is ${show(flow)}: use ${FLOWS.join(', ')}`)
    }
  }
  return flows as OAuthFlow[]
}

function readScopes(
  value: unknown,
  place: string,
  defined: readonly string[] | undefined,
): readonly string[] {
  if (value !== undefined && !Array.isArray(value)) {
    throw new OptionError(place, `is ${show(value)}: pass an array of scopes`)
  }
  const scopes: readonly unknown[] = value ?? defined ?? []
  if (scopes.length > MAX_SCOPES) {
    const source = value === undefined ? 'would be all' : 'has'
    throw new OptionError(
      place,
      `${source} ${scopes.length} scopes: Cognito takes at most ${MAX_SCOPES} a client, name fewer`,
    )
  }
  const known = defined === undefined ? undefined : new Set(defined)
  const seen = new Set<string>()
  return Array.from(scopes, (entry, index) => {
    const at = `${place}[${index}]`
    const scope = checkScope(entry, at)
    // Cognito's own scopes (openid, …) have no resource server.
    if (known?.has(scope) === false && scope.includes('/')) {
      throw new OptionError(
        at,
        `is ${show(scope)}: no resource server defines it; define it or correct the spelling`,
      )
    }
    if (seen.has(scope)) throw new OptionError(at, `is ${show(scope)} a second time: leave it out`)
    seen.add(scope)
    return scope
  })
}

function readOauth(members: Members, place: string): boolean {
  const { oauth = true } = members
  if (typeof oauth !== 'boolean') {
    throw new OptionError(`${place}.oauth`, `is ${show(oauth)}: use true or false`)
  }
  return oauth
}

function readClient(
  value: unknown,
  place: string,
  defined: readonly string[] | undefined,
): ResolvedTestClient {
  const members = readMembers(value, CLIENT_MEMBERS, place)
  const { clientId } = members
  if (typeof clientId !== 'string' || !CLIENT_ID.test(clientId)) {
    throw new OptionError(
      `${place}.clientId`,
      `is ${show(clientId)}: use 1 to 128 letters, digits and _ + . -`,
    )
  }
  return Object.freeze({
    clientId,
    clientSecrets: Object.freeze(readSecrets(members['clientSecrets'], `${place}.clientSecrets`)),
    scopes: Object.freeze(readScopes(members['scopes'], `${place}.scopes`, defined)),
    flows: Object.freeze(readFlows(members['flows'], `${place}.flows`)),
    oauth: readOauth(members, place),
    accessTokenValidity: readNumber(members, 'accessTokenValidity', place, {
      ...{ fallback: 3600, min: 300, max: 86_400, unit: 'seconds', integer: true },
    }),
  })
}

/**
 * @param value The caller's clients; undefined stands for one client with every default.
 * @param defined The scopes of the pool's resource servers; undefined lets any well-formed one pass.
 */
export function readTestClients(
  value: unknown,
  defined: readonly string[] | undefined,
): readonly ResolvedTestClient[] {
  const list = value ?? DEFAULT_CLIENTS
  if (!Array.isArray(list) || list.length === 0) {
    throw new OptionError('clients', `is ${show(list)}: define at least one app client`)
  }
  const seen = new Set<string>()
  const clients = Array.from(list, (entry: unknown, index) => {
    const client = readClient(entry, `clients[${index}]`, defined)
    if (seen.has(client.clientId)) {
      throw new OptionError(
        `clients[${index}].clientId`,
        `is ${show(client.clientId)} a second time: give each app client its own id`,
      )
    }
    seen.add(client.clientId)
    return client
  })
  return Object.freeze(clients)
}
