/** The errors of the core: every code with its HTTP status and text, and the classes that carry them. */

import { runInNewContext } from 'node:vm'

/**
 * The Error constructor of a separate realm, with a stack trace limit of 0. A constructor uses the limit of
 * its realm. The limit of this realm belongs to the app, and is read-only under `--frozen-intrinsics`.
 */
const ForeignError = runInNewContext('Error.stackTraceLimit = 0; Error') as ErrorConstructor

/**
 * An error without a stack. Collecting one would cost more than the rest of a refused request. Loggers and
 * default error handlers print whatever stack there is.
 */
export class StacklessError extends Error {
  /** To be called last in a constructor: V8 makes every member behind a deleted one three times slower. */
  protected dropStack(): void {
    Reflect.deleteProperty(this, 'stack')
  }
}

// `super()` now calls the foreign constructor. Instances still inherit from this realm's Error.prototype.
Object.setPrototypeOf(StacklessError, ForeignError)

/** Returns an error unchanged, and an {@link InternalError} for any other value that was thrown. */
export function ensureError(thrown: unknown, message: string): Error {
  try {
    if (thrown instanceof Error) return thrown
  } catch {
    // A Proxy may throw when its prototype is read.
  }
  return new InternalError('ERR_INTERNAL', message)
}

/** Causes a 500 response. The cause is in the log only. */
export class InternalError extends StacklessError {
  override readonly name = 'InternalError'
  readonly code: 'ERR_OPTION_INVALID' | 'ERR_INTERNAL'
  readonly statusCode = 500
  /** The same, for error handlers that do not read `statusCode`. */
  readonly status = 500
  readonly headers: Readonly<Record<string, string>> = { 'cache-control': 'no-store' }

  constructor(code: InternalError['code'], message: string) {
    super(message)
    this.code = code
    this.dropStack()
  }

  /** The response body. */
  toJSON(): object {
    const { statusCode, code, message } = this
    return { statusCode, code, error: 'Internal Server Error', message }
  }
}

/**
 * Runs a plugin so that it always rejects with an error. Fastify takes a falsy rejection for success, and the
 * app would start unprotected.
 */
export async function rejectWithError(register: () => Promise<void> | void): Promise<void> {
  try {
    await register()
  } catch (error) {
    throw ensureError(error, 'cognito-m2m: registration failed')
  }
}

/**
 * Status, reason phrase, message and the `error` of the challenge (RFC 6750 section 3) per code. `bare` means
 * that no token was sent, or that a new one could not help; `none` means that nothing was decided. All texts
 * are constants, without any part of the request.
 */
export const AUTH_ERRORS = {
  ERR_TOKEN_MISSING: {
    statusCode: 401,
    error: 'Unauthorized',
    message: 'An access token is required',
    challenge: 'bare',
  },
  ERR_REQUEST_INVALID: {
    statusCode: 400,
    error: 'Bad Request',
    message: 'The request must carry exactly one Authorization header with one bearer token',
    challenge: 'invalid_request',
  },
  ERR_TOKEN_INVALID: {
    statusCode: 401,
    error: 'Unauthorized',
    message: 'The access token is malformed',
    challenge: 'invalid_token',
  },
  ERR_TOKEN_ISSUER: {
    statusCode: 401,
    error: 'Unauthorized',
    message: 'The access token was issued by another user pool',
    challenge: 'invalid_token',
  },
  ERR_TOKEN_USE: {
    statusCode: 401,
    error: 'Unauthorized',
    message: 'The token is not an access token of the kind required here',
    challenge: 'invalid_token',
  },
  ERR_TOKEN_AUDIENCE: {
    statusCode: 401,
    error: 'Unauthorized',
    message: 'The access token was issued for another audience',
    challenge: 'invalid_token',
  },
  ERR_TOKEN_EXPIRED: {
    statusCode: 401,
    error: 'Unauthorized',
    message: 'The access token expired',
    challenge: 'invalid_token',
  },
  ERR_TOKEN_NOT_ACTIVE: {
    statusCode: 401,
    error: 'Unauthorized',
    message: 'The access token is not active yet',
    challenge: 'invalid_token',
  },
  ERR_KEY_UNKNOWN: {
    statusCode: 401,
    error: 'Unauthorized',
    message: 'The access token is signed with an unknown key',
    challenge: 'invalid_token',
  },
  ERR_TOKEN_SIGNATURE: {
    statusCode: 401,
    error: 'Unauthorized',
    message: 'The access token has an invalid signature',
    challenge: 'invalid_token',
  },
  ERR_CLIENT_NOT_ALLOWED: {
    statusCode: 403,
    error: 'Forbidden',
    message: 'The app client is not allowed to call this API',
    challenge: 'bare',
  },
  ERR_SCOPE_INSUFFICIENT: {
    statusCode: 403,
    error: 'Forbidden',
    message: 'The access token lacks a scope required here',
    challenge: 'insufficient_scope',
  },
  ERR_ACCESS_DENIED: {
    statusCode: 403,
    error: 'Forbidden',
    message: 'Access is denied',
    challenge: 'bare',
  },
  ERR_KEYS_UNAVAILABLE: {
    statusCode: 503,
    error: 'Service Unavailable',
    message: 'The access token cannot be verified at the moment',
    challenge: 'none',
  },
  ERR_CHECK_UNAVAILABLE: {
    statusCode: 503,
    error: 'Service Unavailable',
    message: 'Access cannot be decided at the moment',
    challenge: 'none',
  },
} as const

/** Every code an {@link AuthError} can have. */
export type AuthErrorCode = keyof typeof AUTH_ERRORS

/** The JSON body of an error response. */
export interface AuthErrorBody {
  readonly statusCode: number
  readonly code: AuthErrorCode
  readonly error: string
  readonly message: string
}

/** Members of an {@link AuthError} besides its code. */
interface AuthErrorInit {
  readonly headers: Readonly<Record<string, string>>
  /** Only for the 5xx codes, and only an error that this package created. */
  readonly cause?: Error | undefined
}

/**
 * The error of a rejected request. `statusCode`, `headers` and the JSON form are the whole response, so an
 * adapter adds nothing. It has no stack, and a 4xx has no cause. Error handlers of Express often read `status`
 * only: express-generator's responds with 500 without it.
 */
export class AuthError<Code extends AuthErrorCode = AuthErrorCode> extends StacklessError {
  override readonly name = 'AuthError'
  /** One of the codes in docs/errors.md, each with its cause and fix. */
  readonly code: Code
  /** HTTP status. */
  readonly statusCode: (typeof AUTH_ERRORS)[Code]['statusCode']
  /** The same HTTP status. */
  readonly status: (typeof AUTH_ERRORS)[Code]['statusCode']
  /** Response headers, names in lower case: challenge, `cache-control`, `retry-after` (seconds). */
  readonly headers: Readonly<Record<string, string>>

  constructor(code: Code, { headers, cause }: AuthErrorInit) {
    const { statusCode, message } = AUTH_ERRORS[code]
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.statusCode = statusCode
    this.status = statusCode
    this.headers = headers
    this.dropStack()
  }

  /** The response body. */
  toJSON(): AuthErrorBody {
    const { statusCode, error, message } = AUTH_ERRORS[this.code]
    return { statusCode, code: this.code, error, message }
  }
}

/** The union of all auth errors, discriminated by `code`. */
export type AnyAuthError = { [Code in AuthErrorCode]: AuthError<Code> }[AuthErrorCode]
