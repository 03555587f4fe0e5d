/** Where a redirect leads, as `fetch` goes on (Fetch Standard, HTTP-redirect fetch), but within one origin. */

import { TokenClientError } from './errors.ts'
import type { Hop } from './fetch.ts'
import { isResendable } from './resendable.ts'

const STATUSES = new Set([301, 302, 303, 307, 308])
/** What describes a body that is no longer sent. */
const BODY_HEADERS = [
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
  'content-length',
]

/** One without Location is an answer like others. */
export function isRedirect({ status, headers }: Response): boolean {
  return STATUSES.has(status) && headers.has('location')
}

/** @throws {TokenClientError} `ERR_FETCH_REDIRECT` to another origin, or where the body cannot be sent again. */
export function nextHop(hop: Hop, { status, headers }: Response): Hop {
  const location = headers.get('location') as string
  const url = URL.canParse(location, hop.url.href) ? new URL(location, hop.url) : undefined
  if (url === undefined || leaves(url, hop.url)) throw new TokenClientError('ERR_FETCH_REDIRECT')
  if (url.hash === '') url.hash = hop.url.hash
  const method = (hop.init.method ?? 'GET').toUpperCase()
  if (becomesGet(status, method)) {
    const { body: _, ...init } = hop.init
    const kept = new Headers(hop.headers)
    for (const name of BODY_HEADERS) kept.delete(name)
    return { url, init: { ...init, method: 'GET' }, headers: kept }
  }
  if (!isResendable(hop.init.body)) throw new TokenClientError('ERR_FETCH_REDIRECT')
  return { ...hop, url }
}

/** A `blob:` URL has the origin of the URL inside it, so the scheme is compared as well. */
function leaves(to: URL, from: URL): boolean {
  const isSame = to.origin === from.origin && to.protocol === from.protocol
  return !isSame || to.username !== '' || to.password !== ''
}

function becomesGet(status: number, method: string): boolean {
  if (status === 303) return method !== 'GET' && method !== 'HEAD'
  return (status === 301 || status === 302) && method === 'POST'
}
