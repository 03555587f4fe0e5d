/** Counts and logs callers that got no token. */
import type { Logger } from '../../core/options/logger.ts'

/**
 * Why a caller got no token. `ERR_OVER_BUDGET`: the limits of `upstream` permit no further request to Cognito.
 * `ERR_UPSTREAM_UNAVAILABLE`: Cognito or the store returned no token in time.
 */
export type UnavailableCode = 'ERR_OVER_BUDGET' | 'ERR_UPSTREAM_UNAVAILABLE'

/** Callers without a token, by code. */
export type UnavailableCounts = Readonly<Record<UnavailableCode, number>>

/** Milliseconds between two log lines. */
const LOG_INTERVAL_MS = 60_000

const NO_COUNTS: UnavailableCounts = Object.freeze({
  ERR_OVER_BUDGET: 0,
  ERR_UPSTREAM_UNAVAILABLE: 0,
})

/** Counts callers without a token, in total and since the last log line. */
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

  /** Counts since the proxy started. */
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

  /** Logs the first caller at once. Callers of the following minute are counted in the next line. */
  #write(): void {
    const now = this.#monotonicNow()
    // While the clock fails (NaN), nothing is logged: each request would write a line.
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
