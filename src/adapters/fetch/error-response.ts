/** Writes an error as a `Response`; the core decides its status, headers and body. */
import { AuthError, InternalError } from '../../core/errors.ts'

/**
 * Turns what `authenticate` threw into the response that `protect` would send.
 *
 * @param error What was thrown. Anything but an error of this package becomes a 500 without its text.
 * @returns A new response with the status, the headers (`WWW-Authenticate`, `Retry-After`, `Cache-Control`) and
 *   the JSON body of the error.
 * @example
 * ```ts
 * try {
 *   await orders.authenticate(request)
 * } catch (error) {
 *   return errorResponse(error)
 * }
 * ```
 */
export function errorResponse(error: unknown): Response {
  const known =
    error instanceof AuthError || error instanceof InternalError
      ? error
      : new InternalError('ERR_INTERNAL', 'Access cannot be decided')
  return new Response(JSON.stringify(known), {
    status: known.statusCode,
    headers: { ...known.headers, 'content-type': 'application/json; charset=utf-8' },
  })
}
