/** Responses of the token proxy: JSON as in RFC 6749 sections 5.1 and 5.2, never cacheable. */
import type { Logger } from '../../core/options/logger.ts'

/**
 * Why a caller got no token. `ERR_OVER_BUDGET`: this process may not send more requests to Cognito.
 * `ERR_UPSTREAM_UNAVAILABLE`: Cognito, or the store in front of it, gave no token in time.
 */
export type UnavailableCode = 'ERR_OVER_BUDGET' | 'ERR_UPSTREAM_UNAVAILABLE'

/** How many, by code. */
export type UnavailableCounts = Readonly<Record<UnavailableCode, number>>

/** Milliseconds between two log lines. */
const LOG_INTERVAL_MS = 60_000

const NO_COUNTS: UnavailableCounts = Object.freeze({
  ERR_OVER_BUDGET: 0,
  ERR_UPSTREAM_UNAVAILABLE: 0,
})

/** Counts callers who got no token, in total and since the last log line. */
export class UnavailableLog {
  readonly #logger: Logger
  readonly #monotonicNow: () => number
  readonly #total = { ...NO_COUNTS }
  #unlogged = { ...NO_COUNTS }
  #nextLine = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  /** @param monotonicNow Milliseconds. */
  constructor(logger: Logger, monotonicNow: () => number) {
    this.#logger = logger
    this.#monotonicNow = monotonicNow
  }

  /** Since the proxy started. */
  get counts(): UnavailableCounts {
    return { ...this.#total }
  }

  count(code: UnavailableCode): void {
    this.#total[code] += 1
    this.#unlogged[code] += 1
    this.#write()
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  /** The first one at once. What follows within a minute is counted in the next line. */
  #write(): void {
    const now = this.#monotonicNow()
    // A clock that failed writes nothing: it would write a line for every request.
    if (!(now >= this.#nextLine)) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        this.#write()
      }, LOG_INTERVAL_MS).unref()
      return
    }
    this.#nextLine = now + LOG_INTERVAL_MS
    this.#logger.warn({ ...this.#unlogged }, 'cognito-m2m: callers got no token')
    this.#unlogged = { ...NO_COUNTS }
  }
}

/** An answer, its body written. */
export interface ProxyResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** `error` of the proxy's own responses. The last two are from RFC 6749 section 4.1.2.1, the closest match. */
export type ProxyError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_scope'
  | 'unsupported_grant_type'
  | 'access_denied'
  | 'temporarily_unavailable'

const HEADERS = Object.freeze({
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  pragma: 'no-cache',
})

/** Seconds: what Cognito may ask callers to wait through us. */
const MAX_RETRY_AFTER = 60

/** @param body JSON, written. */
export function createJsonResponse(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): ProxyResponse {
  return { status, headers: { ...HEADERS, ...headers }, body }
}

/** A token; the hot path, so its headers are always the same object. */
export function createTokenResponse(body: string): ProxyResponse {
  return { status: 200, headers: HEADERS, body }
}

export function createErrorResponse(
  error: ProxyError,
  status = 400,
  headers: Readonly<Record<string, string>> = {},
): ProxyResponse {
  return createJsonResponse(status, JSON.stringify({ error }), headers)
}

/** @param seconds Until it is worth asking again; at least 1, at most 60. */
export function createUnavailableResponse(seconds: number): ProxyResponse {
  return createErrorResponse('temporarily_unavailable', 503, createRetryAfter(seconds))
}

/** @param seconds NaN, from a clock that failed, counts as 1. */
export function createRetryAfter(seconds: number): { readonly 'retry-after': string } {
  return { 'retry-after': String(Math.ceil(Math.min(MAX_RETRY_AFTER, Math.max(1, seconds || 1)))) }
}
