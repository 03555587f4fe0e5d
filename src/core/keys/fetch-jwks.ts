/** One bounded fetch of a key set document: time, size, redirects. Never throws anything but its own. */
import { StacklessError } from '../errors.ts'
import { readErrno, readRetryAfter } from '../util/transport-facts.ts'

/** Bytes of a key set document, counted after decompression. Cognito's are under 2 KiB. */
const MAX_BYTES = 256 * 1024

/** Why a key set could not be had. */
export type JwksErrorCode =
  | 'ERR_JWKS_TIMEOUT'
  | 'ERR_JWKS_NETWORK'
  | 'ERR_JWKS_REDIRECT'
  | 'ERR_JWKS_STATUS'
  | 'ERR_JWKS_TOO_LARGE'
  | 'ERR_JWKS_INVALID'
  | 'ERR_JWKS_NO_USABLE_KEY'
  | 'ERR_JWKS_CLOSED'

const messages: Readonly<Record<JwksErrorCode, string>> = {
  ERR_JWKS_TIMEOUT: 'The key set was not delivered in time',
  ERR_JWKS_NETWORK: 'The key set could not be fetched',
  ERR_JWKS_REDIRECT: 'The key set endpoint redirects, which is not followed',
  ERR_JWKS_STATUS: 'The key set endpoint answered with an error status',
  ERR_JWKS_TOO_LARGE: 'The key set document is too large',
  ERR_JWKS_INVALID: 'The key set document is not JSON',
  ERR_JWKS_NO_USABLE_KEY: 'The key set document holds no usable key',
  ERR_JWKS_CLOSED: 'The key store was closed',
}

/** What is known of a failure without quoting what the endpoint or the transport said. */
export interface JwksFacts {
  /** System error code of the transport, for example `ECONNREFUSED`. */
  readonly errno?: string
  /** HTTP status the endpoint answered with. */
  readonly status?: number
  /** Bytes read when the limit was passed. */
  readonly bytes?: number
  /** Seconds the endpoint asked to wait; not clamped. */
  readonly retryAfter?: number
}

/** A failed fetch; the `cause` of `ERR_KEYS_UNAVAILABLE`. Carries facts, never foreign text. */
export class JwksError extends StacklessError {
  override readonly name = 'JwksError'
  readonly code: JwksErrorCode
  readonly errno: string | undefined
  readonly status: number | undefined
  readonly bytes: number | undefined
  readonly retryAfter: number | undefined

  constructor(code: JwksErrorCode, facts: JwksFacts = {}) {
    super(messages[code])
    this.code = code
    this.errno = facts.errno
    this.status = facts.status
    this.bytes = facts.bytes
    this.retryAfter = facts.retryAfter
    this.dropStack()
  }
}

/** How to fetch. */
export interface FetchJwksOptions {
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds for everything: connection, headers and body. */
  readonly timeoutMs: number
  /** Ends the fetch early. */
  readonly signal: AbortSignal
  /** Wall clock in milliseconds, for a Retry-After given as a date. */
  readonly now: () => number
}

/**
 * Fetches and parses one key set document. The limits hold around an injected `fetch` too: one that
 * ignores its signal or follows redirects is not waited for and not believed.
 *
 * @throws {JwksError} and nothing else.
 */
export async function fetchJwks(uri: string, options: FetchJwksOptions): Promise<unknown> {
  const abort = new AbortController()
  const stopped = new Promise<never>((_resolve, reject) => {
    abort.signal.addEventListener('abort', () => reject(abort.signal.reason))
  })
  const timer = setTimeout(() => abort.abort(new JwksError('ERR_JWKS_TIMEOUT')), options.timeoutMs)
  const close = (): void => abort.abort(new JwksError('ERR_JWKS_CLOSED'))
  options.signal.addEventListener('abort', close)
  try {
    return await Promise.race([stopped, download(uri, options, abort.signal)])
  } finally {
    clearTimeout(timer)
    options.signal.removeEventListener('abort', close)
    // Lets go of a body that was refused half-way.
    abort.abort()
  }
}

async function download(
  uri: string,
  { fetch, now }: FetchJwksOptions,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    const response = await fetch(uri, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal,
    })
    checkResponse(response, now)
    return parse(await readBody(response))
  } catch (error) {
    throw error instanceof JwksError ? error : new JwksError('ERR_JWKS_NETWORK', readErrno(error))
  }
}

function checkResponse(response: Response, now: () => number): void {
  const { status } = response
  if (
    response.redirected ||
    response.type === 'opaqueredirect' ||
    (status >= 300 && status < 400)
  ) {
    throw new JwksError('ERR_JWKS_REDIRECT', { status })
  }
  if (status !== 200) {
    const retryAfter = readRetryAfter(response.headers.get('retry-after'), now())
    throw new JwksError(
      'ERR_JWKS_STATUS',
      retryAfter === undefined ? { status } : { status, retryAfter },
    )
  }
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > MAX_BYTES) throw new JwksError('ERR_JWKS_TOO_LARGE', { bytes })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new JwksError('ERR_JWKS_INVALID')
  }
}
