/** The verified token of a `Request`, with a type. */
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { RequestAuth } from '../request-auth.ts'

/** By the `Request` object that a guard let pass. A copy of it has no token. */
export const requestAuth: RequestAuth = new RequestAuth(
  'no guard let this Request object pass. Pass the object that the protected handler received, not a copy.',
)

/**
 * Returns the verified token of a request.
 *
 * @param request The `Request` object that a guard let pass, and not a copy of it.
 * @param options With `{ optional: true }`, null is returned for a request without a token.
 * @returns The verified token.
 * @throws {OptionError} `ERR_OPTION_INVALID` if no guard let the request pass, or if the request has no token
 *   and `optional` is not set.
 * @example
 * ```ts
 * const whoAmI = auth.protect({}, (request) => Response.json({ clientId: getAuth(request).clientId }))
 * ```
 */
export function getAuth(request: Request): VerifiedToken
export function getAuth(
  request: Request,
  options: { readonly optional: true },
): VerifiedToken | null
export function getAuth(
  request: Request,
  options?: { readonly optional: true },
): VerifiedToken | null {
  return requestAuth.get(request, options)
}
