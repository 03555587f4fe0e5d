/** `client.fetch`: sends a token to configured origins, and retries once with a new token after 401. */

import { isAnyArrayBuffer } from 'node:util/types'
import { OptionError } from '../../core/options/validate.ts'
import { TokenClientError } from './errors.ts'
import { readSignal, readWaitLimits, type WaitLimits } from './options.ts'
import type { TokenHolder } from './token-holder.ts'
import type { AccessToken, AuthorizedFetch, GetTokenOptions } from './types.ts'

/** Whether a body can be sent again. A stream cannot. */
function isReplayable(body: unknown): boolean {
  return (
    body === undefined ||
    body === null ||
    typeof body === 'string' ||
    body instanceof URLSearchParams ||
    body instanceof FormData ||
    body instanceof Blob ||
    ArrayBuffer.isView(body) ||
    isAnyArrayBuffer(body)
  )
}

const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308])
/** Headers that describe a body. They are removed together with the body. */
const BODY_HEADERS = [
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
  'content-length',
]

/** A redirect status without Location is an ordinary response. */
function isRedirect({ status, headers }: Response): boolean {
  return REDIRECT_STATUSES.has(status) && headers.has('location')
}

/**
 * Follows one redirect as the Fetch Standard does (HTTP-redirect fetch), within one origin.
 *
 * @throws {TokenClientError} `ERR_FETCH_REDIRECT` for another origin or a body that cannot be sent again.
 */
function nextHop(hop: Hop, response: Response): Hop {
  const location = response.headers.get('location') as string
  const url = URL.canParse(location, hop.url.href) ? new URL(location, hop.url) : undefined
  if (url === undefined || isOtherOrigin(url, hop.url))
    throw new TokenClientError('ERR_FETCH_REDIRECT')
  if (url.hash === '') url.hash = hop.url.hash
  const method = (hop.init.method ?? 'GET').toUpperCase()
  if (changesToGet(response.status, method)) {
    const { body: _, ...init } = hop.init
    const headers = new Headers(hop.headers)
    for (const name of BODY_HEADERS) headers.delete(name)
    return { url, init: { ...init, method: 'GET' }, headers }
  }
  if (!isReplayable(hop.init.body)) throw new TokenClientError('ERR_FETCH_REDIRECT')
  return { ...hop, url }
}

/** Compares the scheme too: `blob:https://a.example/…` has the origin `https://a.example`. */
function isOtherOrigin(to: URL, from: URL): boolean {
  const isSameOrigin = to.origin === from.origin && to.protocol === from.protocol
  return !isSameOrigin || to.username !== '' || to.password !== ''
}

function changesToGet(status: number, method: string): boolean {
  if (status === 303) return method !== 'GET' && method !== 'HEAD'
  return (status === 301 || status === 302) && method === 'POST'
}

/** Redirects of one call. */
const MAX_REDIRECTS = 5

/** The options of a client that `client.fetch` uses. */
interface FetchOptions {
  readonly origins: ReadonlySet<string> | undefined
  readonly timeoutMs: number
  readonly fetch: typeof globalThis.fetch
}

/** One request to an API: the first one, or one after a redirect. */
interface Hop {
  readonly url: URL
  readonly init: RequestInit
  /** Without Authorization. */
  readonly headers: Headers
}

/**
 * Creates `client.fetch`.
 *
 * @param getHolder Returns the token holder of a call. Throws for invalid options and after `close()`.
 */
export function createAuthorizedFetch(
  { origins, timeoutMs, fetch }: FetchOptions,
  getHolder: (options: GetTokenOptions | undefined) => TokenHolder,
): AuthorizedFetch {
  return async (target, init, options) => {
    const isRequest = target instanceof Request
    // null, which `fetch` accepts too.
    const ownInit = init ?? {}
    const ownHop = firstHop(origins, target, isRequest ? mergeInit(target, ownInit) : ownInit)
    const limits = readLimits(ownHop.init, options, timeoutMs)
    const holder = getHolder(options)
    const hop = isRequest ? await readBody(ownHop, target, limits.signal) : ownHop
    const token = await holder.get(limits)
    const response = await fetchWithRedirects(fetch, hop, token)
    if (!isTokenRejected(response)) return response
    const next = await replaceToken(holder, token, limits)
    if (next === token || !isReplayable(hop.init.body)) return response
    await discardBody(response)
    return fetchWithRedirects(fetch, hop, next)
  }
}

/** Members of a `Request` that `init` has too, apart from the body. Their names are those of the Fetch Standard. */
const REQUEST_MEMBERS = [
  'method',
  'headers',
  'redirect',
  'signal',
  'cache',
  'credentials',
  'integrity',
  'keepalive',
  'mode',
  'referrerPolicy',
]

/** The members of `init` win, as for `fetch`. One that is undefined is absent (Web IDL). */
function mergeInit(request: Request, init: RequestInit): RequestInit {
  const members = REQUEST_MEMBERS.map((name) => [name, Reflect.get(request, name)] as const)
  const ownMembers = Object.entries(init).filter(([, value]) => value !== undefined)
  return Object.fromEntries([...members, ...ownMembers])
}

/**
 * Adds the body of a `Request`, unless `init` has one. It is a stream, so it is read: then it can be sent again.
 *
 * @throws The reason of the signal after an abort, and the error of a body that was used.
 */
async function readBody(hop: Hop, request: Request, signal: AbortSignal | undefined): Promise<Hop> {
  const { body: ownBody = null } = hop.init
  if (ownBody !== null || request.body === null) return hop
  const ended = new AbortController()
  const aborted = new Promise<never>((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { signal: ended.signal })
  })
  try {
    const body = await Promise.race([request.arrayBuffer(), aborted])
    return { ...hop, init: { ...hop.init, body } }
  } finally {
    ended.abort()
  }
}

function readLimits(
  { signal }: RequestInit,
  options: GetTokenOptions | undefined,
  timeoutMs: number,
): WaitLimits {
  if (options !== undefined && Object.hasOwn(options, 'signal')) {
    throw new OptionError(
      'signal',
      'expected no signal in the options of client.fetch, got one. Pass it in init, as for fetch.',
    )
  }
  const hasSignal = signal !== null && signal !== undefined
  return readWaitLimits(options, { timeoutMs, signal: hasSignal ? readSignal(signal) : undefined })
}

/** Returns the rejected token if no other is available: the caller then gets the 401 response. */
async function replaceToken(
  holder: TokenHolder,
  token: AccessToken,
  limits: WaitLimits,
): Promise<AccessToken> {
  try {
    return await holder.replaceRejected(token, limits)
  } catch {
    limits.signal?.throwIfAborted()
    return token
  }
}

function firstHop(
  origins: ReadonlySet<string> | undefined,
  target: string | URL | Request,
  init: RequestInit,
): Hop {
  if (origins === undefined) {
    throw new OptionError(
      'origins',
      'expected an array of origins, got undefined. Add the origins that client.fetch may call.',
    )
  }
  const address = target instanceof Request ? target.url : String(target)
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || url.username !== '' || url.password !== '') {
    throw new OptionError(
      'url',
      `expected an absolute URL without credentials, got ${url === undefined ? 'an invalid URL' : 'credentials'}. Change the URL.`,
    )
  }
  if (!isHttp(url) || !origins.has(url.origin)) throw new TokenClientError('ERR_FETCH_ORIGIN')
  const headers = new Headers(init.headers)
  if (headers.has('authorization')) throw new TokenClientError('ERR_FETCH_AUTHORIZATION')
  return { url, init, headers }
}

/** Rejects `blob:` URLs, whose origin can be a configured one. */
function isHttp({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'http:'
}

/** Does not use the redirects of `fetch`, which would send custom headers to another origin. */
async function fetchWithRedirects(
  fetch: typeof globalThis.fetch,
  first: Hop,
  { accessToken }: AccessToken,
): Promise<Response> {
  const mode = first.init.redirect ?? 'follow'
  let hop = first
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const headers = new Headers(hop.headers)
    headers.set('authorization', `Bearer ${accessToken}`)
    const response = await fetch(hop.url.href, {
      ...hop.init,
      headers,
      redirect: mode === 'error' ? 'error' : 'manual',
    })
    // An injected fetch may follow or hide redirects, and then the target is unknown.
    if (response.redirected || response.type === 'opaqueredirect') {
      throw new TokenClientError('ERR_FETCH_REDIRECT')
    }
    if (mode !== 'follow' || !isRedirect(response)) return response
    await discardBody(response)
    hop = nextHop(hop, response)
  }
  throw new TokenClientError('ERR_FETCH_REDIRECT')
}

/** Releases the connection. Canceling rejects if the connection broke, which no caller needs to know. */
async function discardBody({ body }: Response): Promise<void> {
  await Promise.allSettled([body?.cancel()])
}

/**
 * Looks for `error="invalid_token"` (RFC 6750 section 3.1) in any challenge. HTTP APIs of API Gateway
 * separate parameters by spaces instead of commas.
 */
function isTokenRejected({ status, headers }: Response): boolean {
  const challenge = headers.get('www-authenticate') ?? ''
  return status === 401 && /(?:^|[\s,])error\s*=\s*"?invalid_token"?(?:[\s,]|$)/i.test(challenge)
}
