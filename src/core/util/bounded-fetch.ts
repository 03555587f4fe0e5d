/** One HTTP request and its whole response, bounded in time and size. Redirects are not followed. */
import { StacklessError } from '../errors.ts'

/** Why there is no response. */
export type FetchFailure = 'timeout' | 'network' | 'redirect' | 'too-large' | 'aborted'

/** What is known of a failure without quoting the endpoint or the transport. */
interface FetchFacts {
  /** System error code of the transport, for example `ECONNREFUSED`. */
  readonly errno?: string | undefined
  /** HTTP status, if the response had begun. */
  readonly status?: number
  /** Bytes of the body read when the limit was exceeded. */
  readonly bytes?: number
  /** Seconds that `Retry-After` of a response that is too large asks to wait; not clamped. */
  readonly retryAfter?: number | undefined
}

/** A failed request. Carries facts, never text of the endpoint or the transport. */
export class BoundedFetchError extends StacklessError {
  override readonly name = 'BoundedFetchError'
  readonly reason: FetchFailure
  readonly errno: string | undefined
  readonly status: number | undefined
  readonly bytes: number | undefined
  readonly retryAfter: number | undefined

  constructor(reason: FetchFailure, facts: FetchFacts = {}) {
    super(`No response: ${reason}`)
    this.reason = reason
    this.errno = facts.errno
    this.status = facts.status
    this.bytes = facts.bytes
    this.retryAfter = facts.retryAfter
    this.dropStack()
  }
}

/** What bounds a request. */
export interface FetchLimits {
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds for everything: connection, headers and body. */
  readonly timeoutMs: number
  /** Bytes of the response's body, counted after decompression. */
  readonly maxBytes: number
  /** Ends the request early. */
  readonly signal?: AbortSignal
  /** Whether the body of a response with this status is read. Default: always. */
  readonly readsBody?: (status: number) => boolean
  /** Wall clock in milliseconds, for a `Retry-After` that is a date. Default: `Date.now`. */
  readonly now?: () => number
}

/** A whole response, whatever its status. */
export interface BoundedResponse {
  readonly status: number
  readonly headers: Headers
  /** Empty if it was not to be read. */
  readonly body: Buffer
  /** Seconds that `Retry-After` asks to wait; not clamped. */
  readonly retryAfter: number | undefined
}

/**
 * The limits apply to an injected `fetch` too. If it ignores its signal, the promise rejects at the timeout.
 * If it follows redirects, its response is rejected.
 *
 * @throws {BoundedFetchError} and nothing else.
 */
export async function boundedFetch(
  url: string,
  init: RequestInit,
  limits: FetchLimits,
): Promise<BoundedResponse> {
  const { signal } = limits
  const controller = new AbortController()
  const stopped = new Promise<never>((_resolve, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason))
  })
  const stop = (reason: FetchFailure): void => controller.abort(new BoundedFetchError(reason))
  const onAbort = (): void => stop('aborted')
  const timer = setTimeout(() => stop('timeout'), limits.timeoutMs)
  signal?.addEventListener('abort', onAbort)
  if (signal?.aborted) onAbort()
  try {
    return await Promise.race([stopped, send(url, { ...init, signal: controller.signal }, limits)])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    // Releases the connection of a body that was not read to its end.
    controller.abort()
  }
}

async function send(url: string, init: RequestInit, limits: FetchLimits): Promise<BoundedResponse> {
  try {
    const response = await limits.fetch(url, { ...init, redirect: 'manual' })
    return await readResponse(response, limits)
  } catch (error) {
    if (error instanceof BoundedFetchError) throw error
    throw new BoundedFetchError('network', { errno: readErrno(error) })
  }
}

async function readResponse(
  response: Response,
  { maxBytes, readsBody, now = Date.now }: FetchLimits,
): Promise<BoundedResponse> {
  const { status, headers } = response
  const isRedirect = status >= 300 && status < 400 && status !== 304
  if (response.redirected || response.type === 'opaqueredirect' || isRedirect) {
    throw new BoundedFetchError('redirect', { status })
  }
  const retryAfter = readRetryAfter(headers.get('retry-after'), now)
  if (readsBody?.(status) === false) return { status, headers, body: Buffer.alloc(0), retryAfter }
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new BoundedFetchError('too-large', { status, bytes, retryAfter })
    chunks.push(chunk)
  }
  return { status, headers, body: Buffer.concat(chunks), retryAfter }
}

/** System error code of a failed `fetch`. Messages and stacks of a transport quote addresses and bytes. */
function readErrno(error: unknown): string | undefined {
  const code = (error as { cause?: { code?: unknown } } | null | undefined)?.cause?.code
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : undefined
}

/** RFC 9110 section 10.2.3: seconds, or an HTTP date. */
function readRetryAfter(value: string | null, now: () => number): number | undefined {
  if (value === null) return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - now()) / 1000
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds)
}
