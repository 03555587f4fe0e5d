/** Writes a refusal as it is: status, headers and body are the core's. */
import type { ServerResponse } from 'node:http'
import type { AuthError, InternalError } from '../../core/errors.ts'

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
