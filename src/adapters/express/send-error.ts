/** Writes a refusal as it is: status, headers and body are the core's. */
import type { ServerResponse } from 'node:http'
import { type AuthError, ensureError, type InternalError } from '../../core/errors.ts'
import type { Logger } from '../../core/options/logger.ts'

/**
 * Wraps the steps of one request. Other middleware hooks into requests and answers, so each of its
 * faults ends up here, and it may throw anything: Express takes a falsy value for no error, and `'route'`
 * and `'router'` for leave to skip. Only an `Error` is passed on. Where `next` throws as well, nobody is
 * left to answer, and the connection is closed.
 */
export function failuresTo(next: (error: Error) => void, response: ServerResponse, logger: Logger) {
  const fail = (fault: unknown): void => {
    const error = ensureError(fault, 'The request failed')
    if (error !== fault) {
      logger.error({ err: fault }, 'cognito-m2m: a request failed with a value that is no Error')
    }
    forgetLength(response)
    try {
      next(error)
    } catch {
      response.destroy()
    }
  }
  return <Value>(step: (value: Value) => void) =>
    (value: Value): void => {
      try {
        step(value)
      } catch (fault) {
        fail(fault)
      }
    }
}

/** It was of the answer that failed: whoever answers now has another body. */
function forgetLength(response: ServerResponse): void {
  try {
    response.removeHeader('content-length')
  } catch {
    // The headers are sent, or the fault is in here as well.
  }
}

/** Status and headers, so that an error handler that sets neither keeps the refusal one. */
export function prepare(error: AuthError | InternalError, response: ServerResponse): void {
  if (response.headersSent) return
  response.statusCode = error.statusCode
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value)
}

/**
 * Answers, unless somebody else did while the decision was made, say a timeout. An answer that was
 * begun and cannot be refused any more is cut off, as Express does.
 */
export function answer(error: AuthError | InternalError, response: ServerResponse): void {
  if (response.headersSent) {
    if (!response.writableEnded) response.destroy()
    return
  }
  prepare(error, response)
  const body = Buffer.from(JSON.stringify(error))
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.setHeader('content-length', body.length)
  response.end(body)
}
