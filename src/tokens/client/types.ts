/** Public types of the token client: options of calls, results and status. */
import type { Scope } from '../../core/scopes.ts'
import type { TokenRegion } from '../oauth/protocol.ts'
import type { StoreStatus } from '../store/resilient-store.ts'
import type { TokenClientErrorCode } from './errors.ts'

/** The client secret, or a function that returns it, for example from Secrets Manager, SSM or Vault. */
export type SecretSource = string | (() => string | Promise<string>)

/** An access token. All callers get the same frozen object while it is cached. */
export interface AccessToken {
  /** The token, for the header `Authorization: Bearer …`. */
  readonly accessToken: string
  /** Expiry in epoch seconds. */
  readonly expiresAt: number
  /** Scopes in alphabetical order: of the claim `scope`, or as requested. Not verified. */
  readonly scopes: readonly string[]
}

/** Options of `getToken`, `renew` and, without `signal`, `fetch`. */
export interface GetTokenOptions {
  /**
   * Scopes as `identifier/name`, at most 50. All of them are requested. Order and duplicates do not matter.
   *
   * @defaultValue The client's `scopes`
   */
  readonly scopes?: Scope | readonly Scope[]
  /**
   * Client metadata for the pre-token-generation trigger, at most 4,096 characters as JSON. Each value has a
   * separate token: use few values. `{}` sends none.
   *
   * @defaultValue The client's `clientMetadata`
   */
  readonly clientMetadata?: Readonly<Record<string, string>>
  /**
   * Longest wait of this call, in seconds, from 0.001 to 300. Then the call returns the cached token if it can
   * still be served, or rejects with `ERR_TOKEN_TIMEOUT`.
   *
   * @defaultValue The client's `timeout`, 20 s
   */
  readonly timeout?: number
  /**
   * Ends the wait of this call, which rejects with the signal's reason. The token request continues for other
   * callers. An aborted signal rejects at once, even if a token is cached.
   *
   * @defaultValue No signal
   */
  readonly signal?: AbortSignal
}

/**
 * `fetch` with `Authorization: Bearer …`, for the client's `origins` only. It follows at most five redirects
 * within the origin of the URL. After 401 `invalid_token` it renews the token as `renew` does and sends the
 * request once more. If no other token is available, or the body is a stream, it returns the 401 response.
 *
 * @param target An absolute URL without credentials, or a `Request`, whose body is read into memory.
 * @param init The options of `fetch`. As for `fetch`, each replaces that of the `Request`: `headers` replaces all its
 *   headers. `signal` also ends the wait for a token. An Authorization header is an error.
 * @param options `scopes` of the token and `timeout` of the wait for it, as for `getToken`. The timeout does not
 *   apply to the request to the API.
 * @returns The response of the API, with any status.
 * @throws {TokenClientError} `ERR_FETCH_ORIGIN`, `ERR_FETCH_AUTHORIZATION`, `ERR_FETCH_REDIRECT`, and
 *   the errors of `getToken`.
 * @throws {OptionError} `ERR_OPTION_INVALID` without the option `origins`, and for an invalid URL.
 * @throws The error of `fetch`, unchanged.
 * @example
 * ```ts
 * const response = await client.fetch('https://orders.example.com/orders', { method: 'POST', body }, { timeout: 2 })
 * ```
 * @see RFC 6750 section 3.1 (`invalid_token`)
 */
export type AuthorizedFetch = (
  target: string | URL | Request,
  init?: RequestInit,
  options?: Omit<GetTokenOptions, 'signal'>,
) => Promise<Response>

/** The last failed token request of a scope set. Contains no secret and no token. */
export interface TokenRequestFailure {
  readonly code: TokenClientErrorCode
  /** Time of the failure in epoch seconds. */
  readonly at: number
  /** `error` of the response, for example `invalid_scope` (RFC 6749 section 5.2). */
  readonly error: string | null
  /** HTTP status of the response. */
  readonly status: number | null
  /** Cognito's `x-amz-cognito-request-id`, or `x-amzn-requestid` of GetClientToken. */
  readonly requestId: string | null
  /** System error code of the transport, for example `ECONNREFUSED`. */
  readonly errno: string | null
  /** `Retry-After` of the token endpoint in seconds, without an upper limit. */
  readonly retryAfter: number | null
}

/** One scope set of a token client. */
export interface ScopeSetStatus {
  /** In alphabetical order. null for calls without scopes: the token has all scopes of the app client. */
  readonly scopes: readonly string[] | null
  /** Names of its client metadata, in alphabetical order. Empty without client metadata. */
  readonly metadataNames: readonly string[]
  /** End of use of the cached token in epoch seconds, up to 5 s before it expires. null without a token. */
  readonly cachedUntil: number | null
  /** The failure of the last token request. null if it succeeded, or if none has ended yet. */
  readonly lastError: TokenRequestFailure | null
  /**
   * Seconds until a call can start a token request: until the cached token is due for renewal, or until the
   * backoff ends. 0 if the next call starts one. null while a token request is in flight.
   */
  readonly nextAttempt: number | null
  /** Whether a token request is in flight. */
  readonly isRequesting: boolean
}

/** Result of `status()` of a token client: a frozen snapshot without tokens. */
export interface TokenClientStatus {
  /** Number of the client in its process, as in its events. */
  readonly instance: number
  /** The Region that serves token requests: `'secondary'` while the primary fails, otherwise `'primary'`. */
  readonly region: TokenRegion
  /**
   * The scope sets that calls have used, at most 64. Other client metadata is another set. The least recently used one
   * is evicted first.
   */
  readonly scopeSets: readonly ScopeSetStatus[]
  /** Status of the option `store`. null without one. */
  readonly store: StoreStatus | null
}

/** Access tokens of one app client. */
export interface TokenClient {
  /**
   * Returns a valid access token.
   *
   * A call with a cached token does not wait. From 75 % of the token's lifetime on, calls renew it in the
   * background. In its last 5 minutes, or the last eighth of a shorter lifetime, a call waits at most 1 s for the
   * renewal. Then it gets the cached token, until 5 s before expiry.
   *
   * Without a cached token, all callers of a scope set wait for one token request. Each waits at most `timeout`
   * (20 s) for secret, store and token endpoint together.
   *
   * @param options `scopes`, `clientMetadata`, `timeout` and `signal` of this call.
   * @returns The same frozen object for all callers while it is cached.
   * @throws {TokenClientError} One of {@link TokenClientErrorCode}, for example `ERR_TOKEN_TIMEOUT`. After a failed
   *   token request, no other is sent for 1 to 60 s. Callers without a token get the same error in that time.
   * @throws {OptionError} `ERR_OPTION_INVALID` for invalid options.
   * @throws The reason of `signal` after an abort.
   * @example
   * ```ts
   * const { accessToken } = await client.getToken({ scopes: 'orders/read', timeout: 2 })
   * ```
   */
  getToken(options?: GetTokenOptions): Promise<AccessToken>
  /**
   * Returns the token to use after an API rejected one with 401 `invalid_token`. `client.fetch` calls it itself.
   * A token is requested only if the rejected one is still cached, at most once a minute per scope set.
   *
   * @param rejected The result of `getToken` for the same options.
   * @param options The options of that call. `timeout` and `signal` apply to this wait.
   * @returns Another token, or the rejected one if no other is available within `timeout`.
   * @throws {TokenClientError} As `getToken`, if the rejected token is no longer cached.
   * @throws {OptionError} `ERR_OPTION_INVALID` for invalid options.
   * @throws The reason of `signal` after an abort.
   */
  renew(rejected: AccessToken, options?: GetTokenOptions): Promise<AccessToken>
  /**
   * Gets tokens before the first call needs them, for example while a function starts.
   *
   * @param sets Options of one call of `getToken` for each token. None stands for a call without options.
   * @returns Whether all tokens are available. A failed token request is logged, and later calls send another one.
   * @throws {TokenClientError} `ERR_CLIENT_CLOSED` after `close()`.
   * @throws {OptionError} `ERR_OPTION_INVALID` for invalid options, before any token request.
   * @example
   * ```ts
   * await client.prefetch({ scopes: 'orders/read' }, { scopes: 'orders/write' })
   * ```
   */
  prefetch(...sets: readonly GetTokenOptions[]): Promise<boolean>
  /** Sends a request with a token of this client: {@link AuthorizedFetch}. */
  readonly fetch: AuthorizedFetch
  /** Returns a frozen snapshot: cached scope sets, their last failure, and the store. Contains no token. */
  status(): TokenClientStatus
  /**
   * Ends requests and waits at once. Later calls reject with `ERR_CLIENT_CLOSED`. The client has no timers while it
   * is idle, so a process can exit without this call.
   */
  close(): void
}
