/** The verified token of a request: sets `req.auth`, and returns it with a type in `getAuth(req)`. */
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { RequestAuth } from '../request-auth.ts'

const requestAuth = new RequestAuth(
  'no `auth()` middleware ran for this request. Add it before the handler.',
)

interface RequestWithAuth {
  auth?: unknown
}

/**
 * Removes the token that an earlier guard set: a rejected request must keep none. The assignment is last, because it
 * throws if other middleware made `req.auth` read-only.
 */
export function clearAuth(request: object): void {
  requestAuth.clear(request)
  const target = request as RequestWithAuth
  target.auth = null
}

/** Sets the token for the handlers; null on a public route or an optional one without a token. */
export function setAuth(request: object, token: VerifiedToken | null): void {
  const target = request as RequestWithAuth
  target.auth = token
  requestAuth.set(request, token)
}

/**
 * Returns the verified token of a request. Changes that other code made to `req.auth` have no effect.
 *
 * @param request The request that a middleware of `auth(…)` let pass.
 * @param options With `{ optional: true }`, null is returned for a request without a token.
 * @returns The verified token.
 * @throws {OptionError} `ERR_OPTION_INVALID` if no middleware of `auth(…)` let the request pass, or if
 *   the request has no token and `optional` is not set.
 * @example
 * ```ts
 * app.get('/orders', auth({ scopes: 'orders/read' }), (req, res) => res.json(getAuth(req).clientId))
 * app.get('/whoami', auth({ optional: true }), (req, res) => res.json(getAuth(req, { optional: true })))
 * ```
 */
export function getAuth(request: object): VerifiedToken
export function getAuth(request: object, options: { readonly optional: true }): VerifiedToken | null
export function getAuth(
  request: object,
  options?: { readonly optional: true },
): VerifiedToken | null {
  return requestAuth.get(request, options)
}
