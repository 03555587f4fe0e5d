/**
 * `cognito-m2m/express/global`: `req.auth` in Express's types, for apps whose other packages do not
 * declare it too, as express-jwt and express-oauth2-jwt-bearer do. `getAuth(req)` needs none of it.
 *
 * @module
 */
import type { VerifiedToken } from '../../core/token/verified-token.ts'

declare global {
  namespace Express {
    interface Request {
      /** The verified token; null where it was optional and none came, undefined without a guard. */
      auth?: VerifiedToken | null
    }
  }
}
