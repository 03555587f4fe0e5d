/** The request of either platform, and the verified token that a guard set for it. */
import { type HeaderSource, readAuthorizationHeaders } from '../../core/token/bearer.ts'
import { RequestAuth } from '../request-auth.ts'

/** By the request that Nest hands over: Express's or Fastify's. */
export const requestAuth: RequestAuth = new RequestAuth(
  'no guard let this request pass. Import CognitoAuthModule, and use @Caller on HTTP handlers.',
)

/** Express's request is the message of Node.js; Fastify's has it as `raw`. */
export function readAuthorization(
  request: HeaderSource & { readonly raw?: HeaderSource },
): string | readonly string[] | undefined {
  return readAuthorizationHeaders(
    request.rawHeaders === undefined ? (request.raw ?? request) : request,
  )
}

/** The route's pattern, with the global prefix: Fastify's request has it as `routeOptions`, Express's as `route`. */
export function readRoute(request: unknown): string | null {
  const { routeOptions, route } = request as {
    readonly routeOptions?: { readonly url?: string }
    readonly route?: { readonly path?: string }
  }
  return routeOptions?.url ?? route?.path ?? null
}
