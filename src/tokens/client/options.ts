/** Options of a token client and of its calls, validated before use. */

import { type Logger, readLogger, safeLogger } from '../../core/options/logger.ts'
import {
  describeUrl,
  listInsecureOrigins,
  readInsecureHttp,
  readServiceUrl,
} from '../../core/options/secure-url.ts'
import {
  describeValue,
  type Members,
  OptionError,
  readClientIds,
  readFunction,
  readMembers,
  readNumber,
} from '../../core/options/validate.ts'
import { checkScope, type Scope } from '../../core/scopes.ts'
import { monotonicNow, wallClock } from '../../core/util/time.ts'
import type { RegionalTokenApis } from '../oauth/failover.ts'
import type { AuthMethod } from '../oauth/protocol.ts'
import { readTokenApis, type UserPoolsApiOptions } from '../oauth/token-api-options.ts'
import type { TokenStore } from '../store/token-store.ts'
import { readClientMetadata } from './client-metadata.ts'
import type { SecretSource } from './types.ts'

const AUTH_METHODS: readonly unknown[] = ['client_secret_basic', 'client_secret_post']

/** Options of {@link createTokenClient}. */
export interface TokenClientOptions {
  /**
   * `https://<domain>.auth.<region>.amazoncognito.com/oauth2/token`, or the whole URL of a proxy in front of it;
   * http on loopback only, unless {@link TokenClientOptions.insecureHttp}. Either this or `userPoolsApi` is required.
   * `[primary, secondary]` for a pool with a replica: the secondary Region takes over while the primary fails.
   */
  readonly tokenEndpoint?: string | readonly [primary: string, secondary?: string]
  /**
   * Requests tokens with GetClientToken instead of `/oauth2/token`: `{ region }`, or `{ endpoint }` for a VPC
   * interface endpoint (AWS PrivateLink). The pool needs no domain. The app client has the flow
   * `ALLOW_CLIENT_TOKEN_AUTH`. `[primary, secondary]` for a pool with a replica, as for `tokenEndpoint`.
   */
  readonly userPoolsApi?:
    | UserPoolsApiOptions
    | readonly [primary: UserPoolsApiOptions, secondary?: UserPoolsApiOptions]
  /** ID of the app client. It contains no colon, which would end it in a Basic header (RFC 7617 section 2). */
  readonly clientId: string
  /**
   * The client secret, or a function that returns it. The function is called once and may take 5 s. After
   * `invalid_client` it is called again, at most every 30 s, so the client finds a rotated secret.
   */
  readonly clientSecret: SecretSource
  /**
   * Scopes of calls without `scopes`, at most 50.
   *
   * @defaultValue Requests without scopes: the token has all scopes of the app client
   */
  readonly scopes?: Scope | readonly Scope[]
  /**
   * Client metadata of calls without `clientMetadata`: strings for the pre-token-generation trigger, at most 4,096
   * characters as JSON. AWS does not encrypt it, so it must contain no secret.
   *
   * @defaultValue No client metadata
   */
  readonly clientMetadata?: Readonly<Record<string, string>>
  /**
   * Sends the secret in the Authorization header, or in the form (RFC 6749 section 2.3.1). Not with `userPoolsApi`.
   *
   * @defaultValue `'client_secret_basic'`
   */
  readonly authMethod?: AuthMethod
  /**
   * Origins that `client.fetch` may send tokens to, for example `['https://api.example.com']`. Only
   * `client.fetch` needs them. http on loopback only, unless {@link TokenClientOptions.insecureHttp}.
   *
   * @defaultValue None: `client.fetch` throws
   */
  readonly origins?: readonly string[]
  /**
   * `true` permits `http:` outside loopback in `origins`, `tokenEndpoint` and `userPoolsApi.endpoint`, for networks
   * that encrypt or are trusted (a service mesh, Docker Compose). Secrets and tokens are then sent unencrypted. It does
   * not apply to hosts of AWS. The client warns once in `logger`. Without a logger it calls `process.emitWarning` with the code
   * `COGNITO_M2M_INSECURE_HTTP`.
   *
   * @defaultValue `false`
   */
  readonly insecureHttp?: boolean
  /**
   * Shares tokens: processes with the same store and secret send one token request. Entries of a shared store
   * are sealed under a key derived from the secret. The client does not close the store.
   *
   * @defaultValue No store: each client caches its own tokens
   */
  readonly store?: TokenStore
  /**
   * Longest wait of a caller for a token, in seconds, from 0.001 to 300: secret, store and token endpoint together.
   * Then the call rejects with `ERR_TOKEN_TIMEOUT`. The token request continues. The `timeout` of a call overrides it.
   *
   * @defaultValue `20`
   */
  readonly timeout?: number
  /**
   * Receives one warning for each failed token request.
   *
   * @defaultValue No logger
   */
  readonly logger?: Logger
  /**
   * Transport of token requests and of `client.fetch`.
   *
   * @defaultValue `globalThis.fetch`
   */
  readonly fetch?: typeof globalThis.fetch
  /**
   * Wall clock in milliseconds, for expiry.
   *
   * @defaultValue `Date.now`
   */
  readonly now?: () => number
  /**
   * Monotonic clock in milliseconds, for expiry, intervals and backoff.
   *
   * @defaultValue `performance.now`
   */
  readonly monotonicNow?: () => number
}

const OPTION_NAMES: readonly (keyof TokenClientOptions)[] = [
  'tokenEndpoint',
  'userPoolsApi',
  'clientId',
  'clientSecret',
  'scopes',
  'clientMetadata',
  'authMethod',
  'origins',
  'insecureHttp',
  'store',
  'timeout',
  'logger',
  'fetch',
  'now',
  'monotonicNow',
]

/** Options of a token client after validation. Durations in milliseconds. */
export interface ClientOptions {
  readonly api: RegionalTokenApis
  readonly clientId: string
  readonly clientSecret: SecretSource
  readonly scopes: readonly string[] | undefined
  /** JSON of the option `clientMetadata`. */
  readonly metadata: string | undefined
  readonly authMethod: AuthMethod
  readonly origins: ReadonlySet<string> | undefined
  /** Origins of `origins` and of the token API that use http over a network. Empty without `insecureHttp`. */
  readonly insecureOrigins: readonly string[]
  readonly store: TokenStore | undefined
  readonly timeoutMs: number
  readonly logger: Logger
  readonly hasLogger: boolean
  readonly fetch: typeof globalThis.fetch
  readonly now: () => number
  readonly monotonicNow: () => number
}

/** @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix. */
export function readClientOptions(options: unknown): ClientOptions {
  const members = readMembers(options, OPTION_NAMES, '')
  const insecureHttp = readInsecureHttp(members)
  const api = readTokenApis(members, insecureHttp)
  const origins = 'origins' in members ? readOrigins(members['origins'], insecureHttp) : undefined
  const logger = readLogger(members['logger'])
  return {
    api,
    clientId: readClientId(members['clientId']),
    clientSecret: readSecret(members['clientSecret']),
    scopes: 'scopes' in members ? readScopes(members['scopes'], 'scopes') : undefined,
    metadata:
      'clientMetadata' in members
        ? readClientMetadata(members['clientMetadata'], 'clientMetadata')
        : undefined,
    authMethod: readAuthMethod(members, api),
    origins,
    insecureOrigins: listInsecureOrigins([...api.urls, ...(origins ?? [])]),
    store: members['store'] as TokenStore | undefined,
    timeoutMs: readTimeout(members),
    logger: safeLogger(logger),
    hasLogger: logger !== undefined,
    ...readEnvironment(members),
  }
}

function readAuthMethod({ authMethod }: Members, { kind }: RegionalTokenApis): AuthMethod {
  if (authMethod === undefined) return 'client_secret_basic'
  if (kind === 'userPoolsApi') {
    throw new OptionError(
      'authMethod',
      `expected no authMethod with userPoolsApi, got ${describeValue(authMethod)}. Remove it: GetClientToken has one place for the secret.`,
    )
  }
  if (!AUTH_METHODS.includes(authMethod)) {
    throw new OptionError(
      'authMethod',
      `expected one of ${AUTH_METHODS.join(', ')}, got ${describeValue(authMethod)}. Pass one of these.`,
    )
  }
  return authMethod as AuthMethod
}

function readEnvironment(members: Members): Pick<ClientOptions, 'fetch' | 'now' | 'monotonicNow'> {
  return {
    // Reads the global at each request: tracing and tests replace it later.
    fetch: readFunction(members, 'fetch') ?? ((...args) => globalThis.fetch(...args)),
    now: wallClock(readFunction(members, 'now') ?? Date.now),
    monotonicNow: readFunction(members, 'monotonicNow') ?? monotonicNow,
  }
}

/** RFC 7617 section 2: a colon would end the id in a Basic header. */
function readClientId(value: unknown): string {
  const [clientId = ''] = readClientIds(value, 'clientId')
  if (Array.isArray(value) || clientId.includes(':')) {
    throw new OptionError(
      'clientId',
      `expected one app client id without colons, got ${describeValue(value)}. Pass the id as a string.`,
    )
  }
  return clientId
}

/** The error names the type only: the value may be a secret. */
function readSecret(value: unknown): SecretSource {
  if (typeof value === 'function' || (typeof value === 'string' && value !== '')) {
    return value as SecretSource
  }
  throw new OptionError(
    'clientSecret',
    `expected a non-empty string or a function, got ${value === '' ? 'an empty string' : typeof value}. Pass the secret, or a function that returns it.`,
  )
}

function readOrigins(value: unknown, insecureHttp: boolean): ReadonlySet<string> {
  if (!Array.isArray(value) || value.length === 0) {
    throw new OptionError(
      'origins',
      `expected a non-empty array of origins, got ${describeValue(value)}. Pass for example ["https://api.example.com"].`,
    )
  }
  const origins = value.map((item: unknown, index) => {
    const optionPath = `origins[${index}]`
    if (typeof item !== 'string') {
      throw new OptionError(
        optionPath,
        `expected an https URL as a string, got ${describeValue(item)}. Pass a string.`,
      )
    }
    const url = readServiceUrl(item, optionPath, insecureHttp)
    // A path could be taken for a restriction, but it would have no effect.
    if (url.href !== `${url.origin}/`) {
      throw new OptionError(
        optionPath,
        `expected scheme, host and port only, got ${describeUrl(item)}. Use ${url.origin}.`,
      )
    }
    return url.origin
  })
  return new Set(origins)
}

/** Seconds that a caller without a token waits by default. */
const DEFAULT_TIMEOUT = 20

/** Seconds. A token request with all retries takes less. */
const MAX_TIMEOUT = 300

/** Seconds. With 0, no caller would wait for the token request. */
const MIN_TIMEOUT = 0.001

/** Limits of one caller's wait. */
export interface WaitLimits {
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/**
 * The option `timeout` of a client or a call, in milliseconds.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`.
 */
function readTimeout(members: Members): number {
  const range = {
    defaultValue: DEFAULT_TIMEOUT,
    min: MIN_TIMEOUT,
    max: MAX_TIMEOUT,
    unit: 'seconds',
  }
  return readNumber(members, 'timeout', '', range) * 1000
}

/**
 * Reads the options `timeout` and `signal` of a call.
 *
 * @param defaults Used for options that the call does not have.
 * @throws {OptionError} `ERR_OPTION_INVALID`.
 * @throws The signal's reason, if it is aborted.
 */
export function readWaitLimits(
  options: { readonly timeout?: unknown; readonly signal?: unknown } | undefined,
  defaults: WaitLimits,
): WaitLimits {
  // Own properties only: a polluted prototype must not change the limits.
  const hasTimeout = options !== undefined && Object.hasOwn(options, 'timeout')
  const hasSignal = options !== undefined && Object.hasOwn(options, 'signal')
  if (!hasTimeout && !hasSignal) return defaults
  const timeoutMs = hasTimeout ? readTimeout({ timeout: options.timeout }) : defaults.timeoutMs
  return { timeoutMs, signal: hasSignal ? readSignal(options.signal) : defaults.signal }
}

/**
 * @throws {OptionError} `ERR_OPTION_INVALID` for anything but an AbortSignal.
 * @throws The signal's reason, if it is aborted.
 */
export function readSignal(signal: unknown): AbortSignal {
  if (!(signal instanceof AbortSignal)) {
    throw new OptionError(
      'signal',
      `expected an AbortSignal, got ${describeValue(signal)}. Pass an AbortSignal or leave it out.`,
    )
  }
  signal.throwIfAborted()
  return signal
}

/** Cognito's quota of scopes per app client. */
const MAX_SCOPES = 50

/**
 * Reads the option `scopes`.
 *
 * @returns The scopes in alphabetical order, without duplicates.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`.
 */
export function readScopes(value: unknown, optionPath: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  const getItemPath = (index: number): string =>
    Array.isArray(value) ? `${optionPath}[${index}]` : optionPath
  const scopes = new Set(list.map((scope, index) => checkScope(scope, getItemPath(index))))
  if (scopes.size === 0 || scopes.size > MAX_SCOPES) {
    throw new OptionError(
      optionPath,
      `expected 1 to ${MAX_SCOPES} scopes, got ${scopes.size}. Change the list or leave it out.`,
    )
  }
  return Object.freeze([...scopes].sort())
}
