/** One request to a token endpoint and its whole answer, bounded in time and size, redirects not followed. */
import { StacklessError } from '../../core/errors.ts'
import { readErrno } from '../../core/util/transport-facts.ts'

/** Why there is no answer. */
export type ExchangeFault = 'timeout' | 'network' | 'redirect' | 'too-large' | 'ended'

/** A failed exchange: facts, never foreign text. */
export class BoundedFetchError extends StacklessError {
  override readonly name = 'ExchangeError'
  readonly fault: ExchangeFault
  /** System error code of the transport, for example `ECONNREFUSED`. */
  readonly errno: string | undefined
  /** HTTP status, if the answer had begun. */
  readonly status: number | undefined

  constructor(fault: ExchangeFault, facts: { errno?: string; status?: number } = {}) {
    super(`No answer: ${fault}`)
    this.fault = fault
    this.errno = facts.errno
    this.status = facts.status
    this.dropStack()
  }
}

/** What bounds an exchange. */
export interface ExchangeLimits {
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds for everything: connection, headers and body. */
  readonly timeout: number
  /** Bytes of the answer's body, counted after decompression. */
  readonly maxBytes: number
  /** Ends it early. */
  readonly signal?: AbortSignal
}

/** A whole answer, whatever its status. */
export interface BoundedResponse {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}

/**
 * The limits hold around an injected `fetch` too: one that ignores its signal is not waited for, one
 * that follows redirects is not believed.
 *
 * @throws {BoundedFetchError} and nothing else.
 */
export async function boundedFetch(
  url: string,
  init: RequestInit,
  { fetch, timeout, maxBytes, signal }: ExchangeLimits,
): Promise<BoundedResponse> {
  const abort = new AbortController()
  const stopped = new Promise<never>((_resolve, reject) => {
    abort.signal.addEventListener('abort', () => reject(abort.signal.reason))
  })
  const timer = setTimeout(() => abort.abort(new BoundedFetchError('timeout')), timeout)
  const end = (): void => abort.abort(new BoundedFetchError('ended'))
  signal?.addEventListener('abort', end)
  if (signal?.aborted) end()
  const asked = download(() => fetch(url, { ...init, redirect: 'manual', signal: abort.signal }))
  try {
    return await Promise.race([stopped, asked])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', end)
    // Lets go of a body that was refused half-way.
    abort.abort()
  }

  async function download(ask: () => Promise<Response>): Promise<BoundedResponse> {
    try {
      const response = await ask()
      const { status, headers } = response
      const redirects = status >= 300 && status < 400 && status !== 304
      if (response.redirected || response.type === 'opaqueredirect' || redirects) {
        throw new BoundedFetchError('redirect', { status })
      }
      return { status, headers, body: await readBody(response, maxBytes) }
    } catch (error) {
      throw error instanceof BoundedFetchError
        ? error
        : new BoundedFetchError('network', readErrno(error))
    }
  }
}

async function readBody(response: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new BoundedFetchError('too-large', { status: response.status })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
