/** The token client: asks Cognito about once per token lifetime, however often it is asked itself. */
import { nextInstance } from '../../core/diagnostics.ts'
import { INSECURE_HTTP_WARNING } from '../../core/options/secure-url.ts'
import { elapsedClock } from '../../core/util/clock.ts'
import type { StoreStatus } from '../store/resilient-store.ts'
import { TokenClientError, type TokenClientErrorCode } from './errors.ts'
import { type AuthorizedFetch, authorizedFetch } from './fetch.ts'
import { type ClientOptions, readClientOptions, type TokenClientOptions } from './options.ts'
import { type GetTokenOptions, ScopeSets } from './scope-keys.ts'
import { type AccessToken, HeldToken } from './token-holder.ts'
import { readWaitLimits, TokenSource, type WaitLimits } from './token-source.ts'

/** The last failure of a scope set's token requests. Holds no secret and no token. */
export interface TokenRequestFailure {
  readonly code: TokenClientErrorCode
  /** When it failed, in epoch seconds. */
  readonly at: number
  /** `error` of the response, for example `invalid_scope` (RFC 6749 section 5.2). */
  readonly error: string | null
  /** HTTP status. */
  readonly status: number | null
  /** Cognito's `x-amz-cognito-request-id`. */
  readonly requestId: string | null
  /** System error code of the transport, for example `ECONNREFUSED`. */
  readonly errno: string | null
  /** Seconds the token endpoint asked to wait; not clamped. */
  readonly retryAfter: number | null
}

/** One scope set of a token client. */
export interface ScopeSetStatus {
  /** In alphabetical order; null: no scopes are named, the token has all that the app client may have. */
  readonly scopes: readonly string[] | null
  /** Until when the cached token is served, in epoch seconds; null without one. Its expiry is up to 5 s later. */
  readonly cachedUntil: number | null
  /** Why the last token request failed; null if it did not, or none has ended yet. */
  readonly lastError: TokenRequestFailure | null
  /**
   * Seconds until a call causes the next token request: until the cached token is due for renewal, or until
   * the backoff ends. 0: the next call does. null while a token request is in flight.
   */
  readonly nextAttempt: number | null
  /** Whether a token request is in flight. */
  readonly isRequesting: boolean
}

/** What `status()` of a token client returns: a frozen snapshot, without tokens. */
export interface TokenClientStatus {
  /** Number of the client in its process, as its events have it. */
  readonly instance: number
  /** Scope sets that were asked for and are still held, at most 64. */
  readonly scopeSets: readonly ScopeSetStatus[]
  /** Of the option `store`; null without one. */
  readonly store: StoreStatus | null
}

/** @param failure `at` in milliseconds. */
export function describeFailure(failure: {
  readonly error: TokenClientError
  readonly at: number
}): TokenRequestFailure {
  const { code, error, status, requestId, errno, retryAfter } = failure.error
  return Object.freeze({
    code,
    at: Math.floor(failure.at / 1000),
    error: error ?? null,
    status: status ?? null,
    requestId: requestId ?? null,
    errno: errno ?? null,
    retryAfter: retryAfter ?? null,
  })
}

/** Access tokens of one app client. */
export interface TokenClient {
  /**
   * A valid access token. While one is cached, the call does not wait. From 75 % of its life on, calls renew
   * it in the background. In its last 5 minutes, an eighth of a shorter life, they wait at most 1 s for the
   * renewal and then get the cached one, until 5 s before it expires. Without one, all callers of a scope
   * set wait for one token request, each at most `timeout` (20 s): secret, store and token endpoint together.
   *
   * @throws {TokenClientError} with one of {@link TokenClientErrorCode}: `ERR_TOKEN_TIMEOUT` after
   *   `timeout`. If a token request failed, the endpoint is left alone for 1 to 60 s. Callers without a token
   *   get the same error meanwhile.
   * @throws {OptionError} `ERR_OPTION_INVALID` for malformed options.
   * @throws The reason of `signal`, once it is aborted.
   * @example
   * ```ts
   * const { accessToken } = await client.getToken({ scopes: 'orders/read', timeout: 2 })
   * ```
   */
  getToken(options?: GetTokenOptions): Promise<AccessToken>
  /**
   * The token to use after an API refused one with 401 `invalid_token`, for who does not use
   * `client.fetch`: another one, or the same where no other may be had, or not within `timeout`. Asks for
   * one only if the refused one is still held, and at most once a minute per scope set.
   *
   * @param refused What `getToken` gave for the same options.
   * @throws The reason of `signal`, once it is aborted.
   */
  renew(refused: AccessToken, options?: GetTokenOptions): Promise<AccessToken>
  readonly fetch: AuthorizedFetch
  /** A frozen snapshot: until when tokens are cached, what failed last, the store. Contains no token. */
  status(): TokenClientStatus
  /**
   * Ends requests and waits at once; later calls get `ERR_CLIENT_CLOSED`. Nothing has to be closed to exit.
   */
  close(): void
}

/**
 * Makes a token client. Nothing is asked for until a token is needed.
 *
 * ```ts
 * const client = createTokenClient({
 *   tokenEndpoint: 'https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token',
 *   clientId: '5kek0i61pgkokoob4fsm9fo9it',
 *   clientSecret: process.env['CLIENT_SECRET'] ?? '',
 *   origins: ['https://orders.example.com'],
 * })
 * const response = await client.fetch('https://orders.example.com/orders')
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 */
export function createTokenClient(options: TokenClientOptions): TokenClient {
  const read = readClientOptions(options)
  const { now, logger, clientId } = read
  warnOfInsecureHttp(read)
  const instance = nextInstance()
  const elapsed = elapsedClock(now, read.monotonicNow)
  const source = new TokenSource(read, elapsed)
  const { closed } = source
  const world = { instance, clientId, elapsed, now, logger, closed }
  const make = (scopes: readonly string[] | undefined): HeldToken =>
    new HeldToken({ ...world, scopes, obtain: (held) => source.obtain(scopes, held) })
  const sets = new ScopeSets(make, read.scopes)
  const holderOf = (options: GetTokenOptions | undefined): HeldToken => {
    if (closed.aborted) throw new TokenClientError('ERR_CLIENT_CLOSED')
    return sets.of(options)
  }
  const usual: WaitLimits = { timeoutMs: read.timeoutMs, signal: undefined }
  return Object.freeze({
    // Not async: for a held token there is one promise, made when it came.
    getToken(options?: GetTokenOptions) {
      try {
        return holderOf(options).get(readWaitLimits(options, usual))
      } catch (error) {
        return Promise.reject(error)
      }
    },
    renew: async (refused: AccessToken, options?: GetTokenOptions) =>
      holderOf(options).insteadOf(refused, readWaitLimits(options, usual)),
    fetch: authorizedFetch(read, holderOf),
    status: () => {
      const store = source.storeStatus()
      return Object.freeze({
        instance,
        scopeSets: Object.freeze(sets.status()),
        store: store === undefined ? null : Object.freeze(store),
      })
    },
    close: () => source.close(),
  })
}

/** Once for each client; without a logger, operators would not know. */
function warnOfInsecureHttp({ insecureOrigins, hasLogger, logger }: ClientOptions): void {
  if (insecureOrigins.length === 0) return
  if (hasLogger) logger.warn({ origins: insecureOrigins }, INSECURE_HTTP_WARNING)
  else {
    process.emitWarning(`${INSECURE_HTTP_WARNING} to ${insecureOrigins.join(', ')}`, {
      code: 'COGNITO_M2M_INSECURE_HTTP',
    })
  }
}
