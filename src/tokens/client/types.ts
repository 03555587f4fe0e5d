/** Public types of the token client: what a call takes, what it returns, and the status. */
import type { Scope } from '../../core/scopes.ts'
import type { StoreStatus } from '../store/resilient-store.ts'
import type { TokenClientErrorCode } from './errors.ts'

/** The client secret, or a function that returns it, for example from Secrets Manager, SSM or Vault. */
export type SecretSource = string | (() => string | Promise<string>)

/** An access token; the same frozen object for every caller as long as it is held. */
export interface AccessToken {
  /** For the header `Authorization: Bearer …`. */
  readonly accessToken: string
  /** When it expires, in epoch seconds. */
  readonly expiresAt: number
  /** Its scopes in alphabetical order: of its claim `scope`, else as requested. */
  readonly scopes: readonly string[]
}

/** What a caller asks for. */
export interface GetTokenOptions {
  /**
   * Scopes as `identifier/name`, at most 50. All of them are requested. Order and duplicates do not matter.
   *
   * @defaultValue The client's `scopes`
   */
  readonly scopes?: Scope | readonly Scope[]
  /**
   * Longest wait of this call, in seconds, from 0.001 to 300: then it rejects with `ERR_TOKEN_TIMEOUT`. A
   * cached token that is not over is returned instead.
   *
   * @defaultValue The client's `timeout`, 20 s
   */
  readonly timeout?: number
  /**
   * Ends the wait of this call and of no other: it rejects with the signal's reason. The token request goes
   * on for other callers. An aborted signal rejects at once, even if a token is cached.
   */
  readonly signal?: AbortSignal
}

/**
 * `fetch` with `Authorization: Bearer …`, to the client's `origins` alone. Redirects are followed
 * within the origin of the URL, at most five. On 401 `invalid_token` the token is renewed and the
 * request sent once more, if its body can be (a stream cannot) and as `renew` allows; else the 401 is
 * the answer.
 *
 * @param init As of `fetch`. Its signal ends the waiting for a token too. An Authorization header of
 *   your own is neither sent nor overwritten but refused.
 * @param options `scopes` of the token and `timeout` of the wait for it, as for `getToken`. It does not bound the
 *   request to the API.
 * @throws {TokenClientError} `ERR_FETCH_ORIGIN`, `ERR_FETCH_AUTHORIZATION`, `ERR_FETCH_REDIRECT`, and
 *   those of `getToken`; what `fetch` itself throws is passed on.
 * @throws {OptionError} `ERR_OPTION_INVALID` without the option `origins`, and for what is no URL.
 */
export type AuthorizedFetch = (
  url: string | URL,
  init?: RequestInit,
  options?: Omit<GetTokenOptions, 'signal'>,
) => Promise<Response>

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
   * Returns the token to use after an API rejected one with 401 `invalid_token`. `client.fetch` does this
   * itself. Returns the same token if no other is available within `timeout`. Requests a token only if the
   * rejected one is still cached, and at most once a minute per scope set.
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
