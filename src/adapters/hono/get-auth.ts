/** The verified token of a request of Hono, with a type. */
import type { Context } from 'hono'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { RequestAuth } from '../request-auth.ts'

/** By the context, which Hono creates once per request. */
export const requestAuth: RequestAuth = new RequestAuth(
  'no `auth()` middleware ran for this request. Add it before the handler.',
)

/**
 * Returns the verified token of a request. Changes that other code made to `c.var.auth` have no effect. Use it
 * where the type of the context does not know the variable `auth`.
 *
 * @param c The context that a middleware of `auth(…)` let pass.
 * @param options With `{ optional: true }`, null is returned for a request without a token.
 * @returns The verified token.
 * @throws {OptionError} `ERR_OPTION_INVALID` if no middleware of `auth(…)` let the request pass, or if
 *   the request has no token and `optional` is not set.
 * @example
 * ```ts
 * app.get('/orders', auth({ scopes: 'orders/read' }), (c) => c.json({ caller: getAuth(c).clientId }))
 * ```
 */
export function getAuth(c: Context): VerifiedToken
export function getAuth(c: Context, options: { readonly optional: true }): VerifiedToken | null
export function getAuth(c: Context, options?: { readonly optional: true }): VerifiedToken | null {
  return requestAuth.get(c, options)
}
