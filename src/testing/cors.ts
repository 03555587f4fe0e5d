/**
 * Lets pages read answers of the token endpoint, for Swagger UI and other tools that get tokens in a
 * browser. Only pages that were served by this machine: an origin says where a page came from, and no
 * page can say another. No credentials of the browser are involved, so a page learns nothing but what
 * the client id and secret it sends would get anyone; the switches (`/_local/…`) refuse every page.
 */
import type { IncomingMessage } from 'node:http'
import { isLoopback } from '../core/options/secure-url.ts'

/** Headers of an answer to a page of this machine; none that admits a page of elsewhere. */
export function corsHeaders({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  const { origin } = headers
  const isAdmitted = origin !== undefined && URL.canParse(origin) && isLoopback(new URL(origin))
  return isAdmitted ? { 'access-control-allow-origin': origin, vary: 'origin' } : { vary: 'origin' }
}

/** The same for the question a browser asks first. Swagger UI sends `X-Requested-With`. */
export function preflightHeaders(request: IncomingMessage): Readonly<Record<string, string>> {
  return {
    ...corsHeaders(request),
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'authorization, content-type, x-requested-with',
  }
}
