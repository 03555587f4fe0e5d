/** Asks Cognito for a token: one bounded request, written anew. Never rejects. */
import { setMaxListeners } from 'node:events'
import { type JsonObject, parseStrictObject } from '../../core/token/strict-json.ts'
import { readErrno, readRetryAfter } from '../../core/util/transport-facts.ts'
import { basicHeader } from '../oauth/basic.ts'
import { type UpstreamHeader, valuesOf } from './options.ts'
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
  readonly status?: number
  readonly errno?: string
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

/** See the module. */
export class Upstream {
  readonly #options: UpstreamOptions
  readonly #closed = new AbortController()

  constructor(options: UpstreamOptions) {
    this.#options = options
    // Every request under way listens: as many as the budget has, and no leak.
    setMaxListeners(0, this.#closed.signal)
  }

  /**
   * The limits hold around an injected `fetch` too: one that ignores its signal is not waited for.
   *
   * @param timeoutMs Milliseconds for everything: headers of the owner's, connection, answer and its body.
   */
  async ask(request: TokenRequest, timeoutMs: number): Promise<Result> {
    const closed = this.#closed.signal
    const abort = new AbortController()
    let end = (_code: UpstreamFailureCode): void => {}
    const ended = new Promise<UpstreamFailure>((resolve) => {
      end = (code) => {
        resolve({ kind: 'failure', code })
        abort.abort()
      }
    })
    const close = (): void => end('ERR_UPSTREAM_CLOSED')
    const timer = setTimeout(() => end('ERR_UPSTREAM_TIMEOUT'), timeoutMs)
    closed.addEventListener('abort', close)
    if (closed.aborted) close()
    try {
      return await Promise.race([ended, this.#exchange(request, abort.signal)])
    } finally {
      clearTimeout(timer)
      closed.removeEventListener('abort', close)
      // Lets go of a body that was refused half-way.
      abort.abort()
    }
  }

  /** Ends what is under way. */
  close(): void {
    this.#closed.abort()
  }

  async #exchange(request: TokenRequest, signal: AbortSignal): Promise<Result> {
    const { tokenEndpoint, headers, fetch, now } = this.#options
    const configured = await valuesOf(headers)
    if (configured === undefined) return { kind: 'failure', code: 'ERR_UPSTREAM_HEADERS' }
    try {
      signal.throwIfAborted()
      const response = await fetch(tokenEndpoint, {
        ...write(request, configured),
        redirect: 'manual',
        signal,
      })
      return await read(response, now())
    } catch (error) {
      return { kind: 'failure', code: 'ERR_UPSTREAM_NETWORK', ...readErrno(error) }
    }
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

async function read(response: Response, now: number): Promise<Result> {
  const { status, headers } = response
  const redirects = response.redirected || response.type === 'opaqueredirect'
  if (redirects || (status >= 300 && status < 400))
    return { kind: 'failure', code: 'ERR_UPSTREAM_REDIRECT', status }
  const retryAfter = readRetryAfter(headers.get('retry-after'), now)
  const bytes = await readBody(response)
  if (bytes === undefined)
    return { kind: 'failure', code: 'ERR_UPSTREAM_TOO_LARGE', status, retryAfter }
  const body = parseStrictObject(bytes)
  if (body === undefined)
    return { kind: 'failure', code: 'ERR_UPSTREAM_NOT_JSON', status, retryAfter }
  if (status !== 200 && status < 400)
    return { kind: 'failure', code: 'ERR_UPSTREAM_STATUS', status }
  const [requestId] = REQUEST_ID.exec(headers.get('x-amz-cognito-request-id') ?? '') ?? []
  return { kind: 'answer', status, body, text: bytes.toString('utf8'), requestId, retryAfter }
}

async function readBody(response: Response): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > MAX_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
