/** The verified token of a request of Koa, with a type. */
import type { BaseContext } from 'koa'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { RequestAuth } from '../request-auth.ts'

/** By the context, which Koa creates once per request. */
export const requestAuth: RequestAuth = new RequestAuth(
  'no `auth()` middleware ran for this request. Add it before the handler.',
)

/**
 * Returns the verified token of a request. Changes that other code made to `ctx.state.auth` have no effect. Use it
 * where the type of the context does not know the property `auth`.
 *
 * @param ctx The context that a middleware of `auth(…)` let pass.
 * @param options With `{ optional: true }`, null is returned for a request without a token.
 * @returns The verified token.
 * @throws {OptionError} `ERR_OPTION_INVALID` if no middleware of `auth(…)` let the request pass, or if
 *   the request has no token and `optional` is not set.
 * @example
 * ```ts
 * router.get('/orders', auth({ scopes: 'orders/read' }), (ctx) => {
 *   ctx.body = { caller: getAuth(ctx).clientId }
 * })
 * ```
 */
export function getAuth(ctx: BaseContext): VerifiedToken
export function getAuth(
  ctx: BaseContext,
  options: { readonly optional: true },
): VerifiedToken | null
export function getAuth(
  ctx: BaseContext,
  options?: { readonly optional: true },
): VerifiedToken | null {
  return requestAuth.get(ctx, options)
}
