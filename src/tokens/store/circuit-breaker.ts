/** Circuit breaker: decides whether a failing store is called, and how long a caller waits for it. */

/** Consecutive failures after which copies in memory are served at once. */
const FAILURES_TO_OPEN = 3
/** Milliseconds of continuous failure after which the store counts as down. */
export const DOWN_AFTER_MS = 1250
/** Milliseconds between two attempts. One caller waits for each. All others continue at once. */
const RETRY_INTERVAL_MS = 1000

/**
 * A stall is not an outage. A caller without a copy waits for a store that stalls, because its token request could
 * repeat that of another process. No caller waits for a store that has failed for {@link DOWN_AFTER_MS}.
 */
export class CircuitBreaker {
  readonly #monotonicNow: () => number
  #failures = 0
  /** When the oldest command since the last success was sent. */
  #since: number | undefined
  #lastFailure = Number.NaN
  #isDown = false
  #nextTry = 0

  /** @param monotonicNow Milliseconds, or NaN if the clock failed: then nothing is retried. */
  constructor(monotonicNow: () => number) {
    this.#monotonicNow = monotonicNow
  }

  /** Whether copies are served at once. */
  get isOpen(): boolean {
    return this.#isDown || this.#failures >= FAILURES_TO_OPEN
  }

  /** Whether callers without a copy continue at once too. */
  get isDown(): boolean {
    return this.#isDown
  }

  /**
   * Whether to call the store. While it fails, true for one caller per second.
   *
   * @param hasCopy Whether the caller can continue with a copy.
   */
  admits(hasCopy: boolean): boolean {
    if (!(hasCopy ? this.isOpen : this.#isDown)) return true
    const now = this.#monotonicNow()
    // NaN if the clock failed. The store is retried once the clock works.
    if (Number.isNaN(now) || now < this.#nextTry) return false
    this.#nextTry = now + RETRY_INTERVAL_MS
    return true
  }

  /** @returns The monotonic time, in milliseconds, at which a command is sent. */
  begin(): number {
    const now = this.#monotonicNow()
    // An old failure does not make the next one an outage.
    if (!this.#isDown && now - this.#lastFailure > DOWN_AFTER_MS) this.#since = undefined
    this.#since ??= now
    return now
  }

  /**
   * Bounds the wait of a caller without a copy. It ends when the store counts as down.
   *
   * @param waitMs Milliseconds that the caller accepts.
   * @param boundMs Milliseconds that every caller waits.
   */
  limit(waitMs: number, boundMs: number): number {
    const left = (this.#since ?? Number.NaN) + DOWN_AFTER_MS - this.#monotonicNow()
    return Math.min(waitMs, left > boundMs ? left : boundMs)
  }

  /** @param isInTime Whether the response came in time for a caller with a copy. */
  succeeded(isInTime: boolean): void {
    this.#since = undefined
    this.#isDown = false
    this.#lastFailure = Number.NaN
    this.#failures = isInTime ? 0 : this.#failures
  }

  failed(): void {
    const now = this.#monotonicNow()
    const wasOpen = this.isOpen
    this.#lastFailure = now
    this.#failures += 1
    if (!(now - (this.#since ?? now) < DOWN_AFTER_MS)) this.#isDown = true
    if (this.isOpen && !wasOpen) this.#nextTry = now + RETRY_INTERVAL_MS
  }
}
