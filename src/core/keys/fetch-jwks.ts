/** Fetches a key set document, and states why it could not be fetched. */
import { StacklessError } from '../errors.ts'
import {
  type BoundedFetchError,
  type BoundedResponse,
  boundedFetch,
  type FetchFailure,
} from '../util/bounded-fetch.ts'

/** Bytes of a key set document, counted after decompression. Cognito's are under 2 KiB. */
const MAX_BYTES = 256 * 1024

/** Why a key set could not be fetched. */
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

/** What is known of a failure without quoting the endpoint or the transport. */
export interface JwksFacts {
  /** System error code of the transport, for example `ECONNREFUSED`. */
  readonly errno?: string | undefined
  /** HTTP status of the endpoint's response. */
  readonly status?: number | undefined
  /** Bytes read when the limit was exceeded. */
  readonly bytes?: number | undefined
  /** Seconds that the endpoint asks to wait; not clamped. */
  readonly retryAfter?: number | undefined
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

const CODES: Readonly<Record<FetchFailure, JwksErrorCode>> = {
  timeout: 'ERR_JWKS_TIMEOUT',
  network: 'ERR_JWKS_NETWORK',
  redirect: 'ERR_JWKS_REDIRECT',
  'too-large': 'ERR_JWKS_TOO_LARGE',
  aborted: 'ERR_JWKS_CLOSED',
}

/**
 * Fetches and parses one key set document.
 *
 * @throws {JwksError} and nothing else.
 */
export async function fetchJwks(uri: string, options: FetchJwksOptions): Promise<unknown> {
  const { status, body, retryAfter } = await download(uri, options)
  // 304 is no redirect, but as little a key set.
  if (status >= 300 && status < 400) throw new JwksError('ERR_JWKS_REDIRECT', { status })
  if (status !== 200) throw new JwksError('ERR_JWKS_STATUS', { status, retryAfter })
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new JwksError('ERR_JWKS_INVALID')
  }
}

async function download(uri: string, options: FetchJwksOptions): Promise<BoundedResponse> {
  const init = { headers: { accept: 'application/json' } }
  const readsBody = (status: number): boolean => status === 200
  try {
    return await boundedFetch(uri, init, { ...options, maxBytes: MAX_BYTES, readsBody })
  } catch (error) {
    const { reason, errno, status, bytes } = error as BoundedFetchError
    throw new JwksError(CODES[reason], reason === 'too-large' ? { bytes } : { errno, status })
  }
}
