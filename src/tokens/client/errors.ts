/** `TokenClientError`: the error codes of the token client and their messages. */
import { StacklessError } from '../../core/errors.ts'

const messages = {
  ERR_TOKEN_REQUEST_REFUSED: 'The token endpoint rejected the token request',
  ERR_TOKEN_REQUEST_TIMEOUT: 'The token endpoint did not respond in time',
  ERR_TOKEN_REQUEST_NETWORK: 'The connection to the token endpoint failed',
  ERR_TOKEN_REQUEST_STATUS: 'The token endpoint responded with an error status',
  ERR_TOKEN_RESPONSE_REDIRECT:
    'The token endpoint responded with a redirect, which is not followed',
  ERR_TOKEN_RESPONSE_TOO_LARGE: 'The response of the token endpoint is too large',
  ERR_TOKEN_RESPONSE_INVALID: 'The response of the token endpoint contains no usable token',
  ERR_TOKEN_TIMEOUT: 'No token was available within the timeout of the call',
  ERR_CLIENT_SECRET_UNAVAILABLE:
    'clientSecret(): expected a non-empty string within 5 s, got none. Log the error inside the function.',
  ERR_CLIENT_CLOSED: 'The token client is closed',
  ERR_FETCH_ORIGIN: 'The origin of the URL is not one of the configured origins',
  ERR_FETCH_AUTHORIZATION: 'The request already has an Authorization header',
  ERR_FETCH_REDIRECT: 'The redirect of the API cannot be followed with the token and the body',
} as const

/** Every code a {@link TokenClientError} can have. */
export type TokenClientErrorCode = keyof typeof messages

/** Facts of a failure. They contain no part of the request. */
export interface TokenClientFacts {
  /** `error` of the response (RFC 6749 section 5.2). */
  readonly error?: string | undefined
  /** HTTP status. */
  readonly status?: number | undefined
  /** Exception of the user pools API. */
  readonly exception?: string | undefined
  readonly requestId?: string | undefined
  readonly errno?: string | undefined
  /** Seconds. */
  readonly retryAfter?: number | undefined
}

/**
 * Thrown when no token is available, or when a token must not be sent. It contains no secret, no token and no stack.
 * Of a response it contains only the members below.
 *
 * @see docs/errors.md for the cause of each code and what to do.
 */
export class TokenClientError extends StacklessError {
  override readonly name = 'TokenClientError'
  /** Stable across releases; the message is not. */
  readonly code: TokenClientErrorCode
  /** `error` of the response, for example `invalid_scope` (RFC 6749 section 5.2). */
  readonly error: string | undefined
  /** HTTP status of the response. */
  readonly status: number | undefined
  /**
   * Exception of the user pools API, for example `NotAuthorizedException`. `error` is its equivalent at
   * `/oauth2/token`.
   */
  readonly exception: string | undefined
  /** Cognito's `x-amz-cognito-request-id`, or `x-amzn-requestid` of GetClientToken, for AWS Support. */
  readonly requestId: string | undefined
  /** System error code of the transport, for example `ECONNREFUSED`. */
  readonly errno: string | undefined
  /** `Retry-After` of the token endpoint in seconds, without an upper limit. */
  readonly retryAfter: number | undefined

  constructor(code: TokenClientErrorCode, facts: TokenClientFacts = {}) {
    super(facts.error === undefined ? messages[code] : `${messages[code]}: ${facts.error}`)
    this.code = code
    this.error = facts.error
    this.status = facts.status
    this.exception = facts.exception
    this.requestId = facts.requestId
    this.errno = facts.errno
    this.retryAfter = facts.retryAfter
    this.dropStack()
  }
}
