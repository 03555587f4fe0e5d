/** Turns what was thrown while access was decided into an error response, the same way in each adapter. */
import type { ServerResponse } from 'node:http'
import { AuthError, ensureError, InternalError } from '../core/errors.ts'
import type { Logger } from '../core/options/logger.ts'
import type { CoreGuard } from '../core/resource-server.ts'
import type { VerifiedToken } from '../core/token/verified-token.ts'

/** An error that is a complete response: status, headers and body. */
export type ResponseError = AuthError | InternalError

/**
 * An `AuthError` is the response. Only application code throws anything else, for example an
 * injected clock. That error is logged, and the caller gets a 500 without its text.
 */
export function toResponseError(thrown: unknown, logger: Pick<Logger, 'error'>): ResponseError {
  if (thrown instanceof AuthError) return thrown
  logger.error({ err: thrown }, 'cognito-m2m: access cannot be decided')
  return new InternalError('ERR_INTERNAL', 'Access cannot be decided')
}

/**
 * Decides for adapters that wait for every decision.
 *
 * @throws {AuthError | InternalError} A complete response, as a rejection.
 */
export async function decide(
  guard: CoreGuard,
  authorization: string | readonly string[] | undefined,
  request: unknown,
  logger: Pick<Logger, 'error'>,
): Promise<VerifiedToken | null> {
  try {
    return await guard(authorization, request)
  } catch (thrown) {
    throw toResponseError(thrown, logger)
  }
}

/** How one framework responds with an error. */
export interface ErrorResponder {
  /** Sets the status and headers of the response. */
  setErrorHeaders(error: ResponseError): void
  /** Writes the body, or passes the error to the app's error handler. */
  sendError(error: ResponseError): void
}

/**
 * Responds with an error. Status and headers are set before the error is passed on, so that an error
 * handler that sets neither keeps the challenge.
 */
export function respondWithError(
  error: ResponseError,
  { setErrorHeaders, sendError }: ErrorResponder,
): void {
  setErrorHeaders(error)
  sendError(error)
}

/**
 * Passes on what other code threw while a request was handled. Frameworks take a falsy value for
 * success, so only an `Error` is passed on. If `next` throws too, nothing can respond, and the
 * connection is closed.
 */
export function passError(
  thrown: unknown,
  next: (error: Error) => void,
  response: ServerResponse,
): void {
  try {
    next(ensureError(thrown, 'The request failed'))
  } catch {
    response.destroy()
  }
}
