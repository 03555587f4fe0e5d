/** Error codes of the token client and their messages. */
import { StacklessError } from '../../core/errors.ts'

const messages = {
  ERR_TOKEN_REQUEST_REFUSED: 'Cognito refused the token request',
  ERR_TOKEN_REQUEST_TIMEOUT: 'The token endpoint did not answer in time',
  ERR_TOKEN_REQUEST_NETWORK: 'The token endpoint could not be reached',
  ERR_TOKEN_REQUEST_STATUS: 'The token endpoint answered with an error status',
  ERR_TOKEN_RESPONSE_REDIRECT: 'The token endpoint redirects, which is not followed',
  ERR_TOKEN_RESPONSE_TOO_LARGE: 'The answer of the token endpoint is too large',
  ERR_TOKEN_RESPONSE_INVALID: 'The answer of the token endpoint holds no usable token',
  ERR_TOKEN_TIMEOUT: 'No token was available within the timeout of the call',
  ERR_CLIENT_SECRET_UNAVAILABLE: 'The function given as clientSecret told no secret',
  ERR_CLIENT_CLOSED: 'The token client was closed',
  ERR_FETCH_ORIGIN: 'The URL is not of one of the origins that get a token',
  ERR_FETCH_AUTHORIZATION: 'The request has an Authorization header of its own',
  ERR_FETCH_REDIRECT: 'The API redirects where the token or the body cannot follow',
} as const

/** Every code a {@link TokenClientError} can have. */
export type TokenClientErrorCode = keyof typeof messages

/** Facts of a failure. Nothing of the request is quoted. */
export interface TokenClientFacts {
  /** `error` of Cognito's answer (RFC 6749 section 5.2). */
  readonly error?: string
  /** HTTP status. */
  readonly status?: number
  readonly requestId?: string
  readonly errno?: string
  /** Seconds. */
  readonly retryAfter?: number
}

/**
 * Why no token is available, or why one was not sent. Contains no secret, no token and no stack. Of a response it
 * has only the members below.
 */
export class TokenClientError extends StacklessError {
  override readonly name = 'TokenClientError'
  /** Stable across releases; the message is not. */
  readonly code: TokenClientErrorCode
  /** `error` of Cognito's answer, for example `invalid_scope` (RFC 6749 section 5.2). */
  readonly error: string | undefined
  /** HTTP status the token endpoint answered with. */
  readonly status: number | undefined
  /** Cognito's `x-amz-cognito-request-id`, for AWS's support. */
  readonly requestId: string | undefined
  /** System error code of the transport, for example `ECONNREFUSED`. */
  readonly errno: string | undefined
  /** Seconds the token endpoint asked to wait; not clamped. */
  readonly retryAfter: number | undefined

  constructor(code: TokenClientErrorCode, facts: TokenClientFacts = {}) {
    super(facts.error === undefined ? messages[code] : `${messages[code]}: ${facts.error}`)
    this.code = code
    this.error = facts.error
    this.status = facts.status
    this.requestId = facts.requestId
    this.errno = facts.errno
    this.retryAfter = facts.retryAfter
    this.dropStack()
  }
}
