/**
 * CORS headers of the token endpoint, for Swagger UI and other tools that get tokens in a browser. Only
 * pages from a loopback origin can read responses: browsers set the origin, and pages cannot change it. The
 * browser sends no credentials, so a page needs a client id and secret. The control endpoints (`/_local/…`)
 * reject every page.
 */
import type { IncomingMessage } from 'node:http'
import { isLoopback } from '../../core/options/secure-url.ts'

/** Response headers. Only an origin on loopback gets `access-control-allow-origin`. */
export function corsHeaders({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  const { origin } = headers
  const isAllowed = origin !== undefined && URL.canParse(origin) && isLoopback(new URL(origin))
  return isAllowed ? { 'access-control-allow-origin': origin, vary: 'origin' } : { vary: 'origin' }
}

/** Response headers of a preflight request. Swagger UI sends `X-Requested-With`. */
export function preflightHeaders(request: IncomingMessage): Readonly<Record<string, string>> {
  return {
    ...corsHeaders(request),
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'authorization, content-type, x-requested-with',
  }
}
