/** How a token client is: what it holds, what failed last, and when it requests a token again. */
import type { StoreStatus } from '../store/resilient-store.ts'
import type { TokenClientError, TokenClientErrorCode } from './errors.ts'

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
