/** Writes an error response of Express; the core decides its status, headers and body. */
import type { ServerResponse } from 'node:http'
import { ensureError } from '../../core/errors.ts'
import type { Logger } from '../../core/options/logger.ts'
import { passError, type ResponseError } from '../respond.ts'

/**
 * Passes on what a step of one request threw. Other middleware patches requests and responses, and may throw
 * anything. Express takes a falsy value for success, and `'route'` and `'router'` for a request to skip.
 */
export function passFailure(
  thrown: unknown,
  next: (error: Error) => void,
  response: ServerResponse,
  logger: Logger,
): void {
  const error = ensureError(thrown, 'The request failed')
  if (error !== thrown) {
    logger.error({ err: thrown }, 'cognito-m2m: a request failed with a value that is not an Error')
  }
  removeContentLength(response)
  passError(error, next, response)
}

/** The length belongs to the response that failed; the error response has another body. */
function removeContentLength(response: ServerResponse): void {
  try {
    response.removeHeader('content-length')
  } catch {
    // The headers are sent, or this is the method that throws.
  }
}

/** Sets status and headers, unless the headers are already sent. */
export function setErrorHeaders(error: ResponseError, response: ServerResponse): void {
  if (response.headersSent) return
  response.statusCode = error.statusCode
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value)
}

/**
 * Writes the body. Other code, for example a timeout, may have responded while access was decided.
 * A response that is begun and not ended is then destroyed, as Express does.
 */
export function sendError(error: ResponseError, response: ServerResponse): void {
  if (response.headersSent) {
    if (!response.writableEnded) response.destroy()
    return
  }
  const body = Buffer.from(JSON.stringify(error))
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.setHeader('content-length', body.length)
  response.end(body)
}
