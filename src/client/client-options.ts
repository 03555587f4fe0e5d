/** What a token client is made with: checked when it is made. */

import { type Logger, readLogger, safeLogger } from '../core/logger.ts'
import {
  type Members,
  OptionError,
  readFunction,
  readMembers,
  readStrings,
  show,
} from '../core/option-error.ts'
import type { Scope } from '../core/register.ts'
import { readSecureUrl } from '../core/secure-url.ts'
import type { TokenStore } from '../store/token-store.ts'
import type { SecretSource } from './client-secret.ts'
import { wallClock } from './elapsed-clock.ts'
import { readScopes } from './scope-sets.ts'
import type { AuthMethod } from './token-request.ts'

const METHODS: readonly unknown[] = ['client_secret_basic', 'client_secret_post']

/** Options of {@link createTokenClient}. */
export interface TokenClientOptions {
  /** `https://<domain>.auth.<region>.amazoncognito.com/oauth2/token`; http on loopback only. */
  readonly tokenEndpoint: string
  /** The app client's id. */
  readonly clientId: string
  /**
   * Its secret, or a function that tells it. A function is asked once, within 5 s, and again after
   * Cognito answered `invalid_client`, at most every 30 s: a rotated secret heals itself.
   */
  readonly clientSecret: SecretSource
  /**
   * Scopes of a token for which none are named; default none named either, which gets all that the
   * app client may have.
   */
  readonly scopes?: Scope | readonly Scope[]
  /** How the secret travels: in the Authorization header (default) or in the form. */
  readonly authMethod?: AuthMethod
  /**
   * Where `client.fetch` may send tokens, and it alone needs them: `['https://api.example.com']`;
   * http on loopback only.
   */
  readonly origins?: readonly string[]
  /**
   * Shares tokens: processes with one store and the same secret ask once between them. In a store
   * others can read, entries are sealed under a key derived from the secret. It stays yours to close.
   * Default none: each client holds its own.
   */
  readonly store?: TokenStore
  /** Where failed token requests are told; default nowhere. */
  readonly logger?: Logger
  /** Transport of token requests and of `client.fetch`; default the platform's. */
  readonly fetch?: typeof globalThis.fetch
  /** Wall clock in milliseconds, for expiry. Default `Date.now`. */
  readonly now?: () => number
  /** Monotonic clock in milliseconds, for expiry, intervals and backoff. Default `performance.now`. */
  readonly monotonicNow?: () => number
}

const NAMES: readonly (keyof TokenClientOptions)[] = [
  ...(['tokenEndpoint', 'clientId', 'clientSecret', 'scopes', 'authMethod', 'origins'] as const),
  ...(['store', 'logger', 'fetch', 'now', 'monotonicNow'] as const),
]

/** The same, read. */
export interface ClientOptions {
  readonly tokenEndpoint: string
  readonly clientId: string
  readonly clientSecret: SecretSource
  readonly scopes: readonly string[] | undefined
  readonly authMethod: AuthMethod
  readonly origins: ReadonlySet<string> | undefined
  readonly store: TokenStore | undefined
  readonly logger: Logger
  readonly fetch: typeof globalThis.fetch
  readonly now: () => number
  readonly monotonicNow: () => number
}

/** @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix. */
export function readClientOptions(options: unknown): ClientOptions {
  const members = readMembers(options, NAMES, '')
  const { authMethod = 'client_secret_basic' } = members
  if (!METHODS.includes(authMethod)) {
    throw new OptionError('authMethod', `is ${show(authMethod)}: use one of ${METHODS.join(', ')}`)
  }
  return {
    tokenEndpoint: readUrl(members['tokenEndpoint'], 'tokenEndpoint').href,
    clientId: readClientId(members['clientId']),
    clientSecret: readSecret(members['clientSecret']),
    scopes: 'scopes' in members ? readScopes(members['scopes'], 'scopes') : undefined,
    authMethod: authMethod as AuthMethod,
    origins: 'origins' in members ? readOrigins(members['origins']) : undefined,
    store: members['store'] as TokenStore | undefined,
    logger: safeLogger(readLogger(members['logger'])),
    ...readWorld(members),
  }
}

function readWorld(members: Members): Pick<ClientOptions, 'fetch' | 'now' | 'monotonicNow'> {
  return {
    // Looked up at each request, so that what replaces the platform's later (tracing, tests) is used.
    fetch: readFunction(members, 'fetch') ?? ((...given) => globalThis.fetch(...given)),
    now: wallClock(readFunction(members, 'now') ?? Date.now),
    monotonicNow: readFunction(members, 'monotonicNow') ?? (() => performance.now()),
  }
}

function readUrl(value: unknown, place: string): URL {
  if (typeof value !== 'string') {
    throw new OptionError(place, `is ${show(value)}: pass an https URL as a string`)
  }
  return readSecureUrl(value, place)
}

/** RFC 7617 section 2: a colon would end it in the header. */
function readClientId(value: unknown): string {
  const [clientId = ''] = readStrings(value, 'clientId', 'app client id')
  if (Array.isArray(value) || clientId.includes(':')) {
    throw new OptionError('clientId', 'is not one app client id: pass a string without colons')
  }
  return clientId
}

/** Never shown, whatever it is. */
function readSecret(value: unknown): SecretSource {
  if (typeof value === 'function' || (typeof value === 'string' && value !== '')) {
    return value as SecretSource
  }
  throw new OptionError(
    'clientSecret',
    'is missing or no secret: pass a non-empty string, or a function that tells one',
  )
}

function readOrigins(value: unknown): ReadonlySet<string> {
  if (!Array.isArray(value) || value.length === 0) {
    throw new OptionError(
      'origins',
      `is ${show(value)}: pass an array, for example ["https://api.example.com"]`,
    )
  }
  const origins = value.map((item: unknown, index) => {
    const place = `origins[${index}]`
    const url = readUrl(item, place)
    // A path would be read as a limit, and is none.
    if (url.href !== `${url.origin}/`) {
      throw new OptionError(place, `is ${show(item)}: pass scheme, host and port alone`)
    }
    return url.origin
  })
  return new Set(origins)
}
