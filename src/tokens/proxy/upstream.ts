/** Asks Cognito for a token: one bounded request, written anew. Never rejects. */
import { setMaxListeners } from 'node:events'
import { type JsonObject, parseStrictObject } from '../../core/token/strict-json.ts'
import {
  type BoundedFetchError,
  type BoundedResponse,
  boundedFetch,
  type FetchFailure,
} from '../../core/util/bounded-fetch.ts'
import { basicHeader } from '../oauth/basic.ts'
import { resolveHeaders, type UpstreamHeader } from './options.ts'
import type { TokenRequest } from './request.ts'

/** Bytes of an answer, counted after decompression. A token with many claims has some thousand. */
const MAX_BYTES = 256 * 1024
const REQUEST_ID = /^[\w-]{1,128}$/

/** What Cognito said, in JSON. */
export interface UpstreamAnswer {
  readonly kind: 'answer'
  readonly status: number
  readonly body: JsonObject
  /** The body as it came. */
  readonly text: string
  /** `x-amz-cognito-request-id`. */
  readonly requestId: string | undefined
  /** Seconds it asked to wait; not clamped. */
  readonly retryAfter: number | undefined
}

/** Why there is no answer. */
export type UpstreamFailureCode =
  | 'ERR_UPSTREAM_TIMEOUT'
  | 'ERR_UPSTREAM_NETWORK'
  | 'ERR_UPSTREAM_REDIRECT'
  | 'ERR_UPSTREAM_STATUS'
  | 'ERR_UPSTREAM_TOO_LARGE'
  | 'ERR_UPSTREAM_NOT_JSON'
  | 'ERR_UPSTREAM_HEADERS'
  | 'ERR_UPSTREAM_CLOSED'

/** Facts, never foreign text: messages of a transport quote what they were given. */
export interface UpstreamFailure {
  readonly kind: 'failure'
  readonly code: UpstreamFailureCode
  readonly status?: number | undefined
  readonly errno?: string | undefined
  readonly retryAfter?: number | undefined
}

/** How Cognito is asked. */
export interface UpstreamOptions {
  readonly tokenEndpoint: string
  readonly headers: ReadonlyMap<string, UpstreamHeader>
  readonly fetch: typeof globalThis.fetch
  /** Wall clock in milliseconds, for a Retry-After given as a date. */
  readonly now: () => number
}

type Result = UpstreamAnswer | UpstreamFailure

const CODES: Readonly<Record<FetchFailure, UpstreamFailureCode>> = {
  timeout: 'ERR_UPSTREAM_TIMEOUT',
  network: 'ERR_UPSTREAM_NETWORK',
  redirect: 'ERR_UPSTREAM_REDIRECT',
  'too-large': 'ERR_UPSTREAM_TOO_LARGE',
  aborted: 'ERR_UPSTREAM_CLOSED',
}

/** Cognito's token endpoint. */
export class Upstream {
  readonly #options: UpstreamOptions
  readonly #closed = new AbortController()

  constructor(options: UpstreamOptions) {
    this.#options = options
    // Every request in flight listens: as many as the budget has, and no leak.
    setMaxListeners(0, this.#closed.signal)
  }

  /** @param timeoutMs Milliseconds for everything: configured headers, connection, response and its body. */
  async ask(request: TokenRequest, timeoutMs: number): Promise<Result> {
    const { tokenEndpoint, headers, fetch, now } = this.#options
    let hasHeaders = true
    const send: typeof fetch = async (url, init) => {
      const configured = await resolveHeaders(headers)
      hasHeaders = configured !== undefined
      if (configured === undefined) throw new TypeError('no headers')
      const { signal } = init as { readonly signal: AbortSignal }
      signal.throwIfAborted()
      return fetch(url, { ...init, ...write(request, configured) })
    }
    const { signal } = this.#closed
    try {
      const limits = { fetch: send, timeoutMs, maxBytes: MAX_BYTES, signal, now }
      return read(await boundedFetch(tokenEndpoint, {}, limits))
    } catch (error) {
      if (!hasHeaders) return { kind: 'failure', code: 'ERR_UPSTREAM_HEADERS' }
      const { reason, status, errno, retryAfter } = error as BoundedFetchError
      return { kind: 'failure', code: CODES[reason], status, errno, retryAfter }
    }
  }

  /** Ends requests in flight. */
  close(): void {
    this.#closed.abort()
  }
}

/** Only what is known of a request goes out, whatever else came in. */
function write(
  { authMethod, credentials, scopes, metadata }: TokenRequest,
  configured: Readonly<Record<string, string>>,
): RequestInit {
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  const headers: Record<string, string> = {
    ...configured,
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  }
  if (authMethod === 'client_secret_basic') headers['authorization'] = basicHeader(credentials)
  else {
    form.set('client_id', credentials.clientId)
    form.set('client_secret', credentials.secret)
  }
  if (scopes !== undefined) form.set('scope', scopes.join(' '))
  if (metadata !== undefined) form.set('aws_client_metadata', metadata)
  return { method: 'POST', headers, body: form.toString() }
}

function read({ status, headers, body: bytes, retryAfter }: BoundedResponse): Result {
  // 304 is no redirect, but as little a token.
  if (status >= 300 && status < 400) {
    return { kind: 'failure', code: 'ERR_UPSTREAM_REDIRECT', status }
  }
  const body = parseStrictObject(bytes)
  if (body === undefined)
    return { kind: 'failure', code: 'ERR_UPSTREAM_NOT_JSON', status, retryAfter }
  if (status !== 200 && status < 400)
    return { kind: 'failure', code: 'ERR_UPSTREAM_STATUS', status }
  const [requestId] = REQUEST_ID.exec(headers.get('x-amz-cognito-request-id') ?? '') ?? []
  return { kind: 'answer', status, body, text: bytes.toString('utf8'), requestId, retryAfter }
}
