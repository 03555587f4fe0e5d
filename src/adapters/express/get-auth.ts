/** What was decided about a request: `req.auth` for everyone, `getAuth(req)` with a type. */
import { OptionError } from '../../core/options/validate.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'

/** Other middleware sets `req.auth` too, and anyone may change it; nobody else writes here. */
const decided: unique symbol = Symbol('cognito-m2m.decided')

interface Decided {
  auth?: unknown
  [decided]?: VerifiedToken | null | undefined
}

/** Forgets what an earlier guard decided: a refused request leaves no token behind. */
export function reset(request: object): void {
  const it = request as Decided
  it.auth = null
  it[decided] = undefined
}

/** Hands a decision to the handlers. */
export function decide(request: object, token: VerifiedToken | null): void {
  const it = request as Decided
  it.auth = token
  it[decided] = token
}

/**
 * The verified token of a request, whatever became of `req.auth` since.
 *
 * ```ts
 * app.get('/orders', auth({ scopes: 'orders/read' }), (req, res) => res.json(getAuth(req).clientId))
 * app.get('/whoami', auth({ optional: true }), (req, res) => res.json(getAuth(req, { optional: true })))
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` where no `auth(…)` let the request pass, and, unless
 *   `optional` is said, where it came without a token.
 */
export function getAuth(request: object): VerifiedToken
export function getAuth(request: object, options: { readonly optional: true }): VerifiedToken | null
export function getAuth(
  request: object,
  options?: { readonly optional: true },
): VerifiedToken | null {
  const token = (request as Decided)[decided]
  if (token === undefined) {
    throw new OptionError('getAuth', 'knows nothing of the request: put auth(…) before the handler')
  }
  if (token === null && options?.optional !== true) {
    throw new OptionError('getAuth', 'has no token: pass { optional: true } where it is optional')
  }
  return token
}
