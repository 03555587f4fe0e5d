/** Circuit breaker: decides whether a store that fails is asked, and how long a caller waits for it. */

/** Failures in a row after which copies in memory are served at once. */
const FAILURES_TO_OPEN = 3
/** Milliseconds of continuous failure after which the store counts as down. */
export const DOWN_AFTER_MS = 1250
/** Milliseconds between two tries. One caller waits for each; all others go on at once. */
const RETRY_INTERVAL_MS = 1000

/**
 * A stall is not an outage: a caller without a copy waits for a store that stalls, since going on
 * without it would repeat the requests of other processes. Only a store that has failed for
 * {@link DOWN_AFTER_MS} is left alone by everybody.
 */
export class CircuitBreaker {
  readonly #monotonicNow: () => number
  #failures = 0
  /** When the oldest command was sent that no success followed. */
  #since: number | undefined
  #lastFailure = Number.NaN
  #isDown = false
  #nextTry = 0

  /** @param monotonicNow Milliseconds, or NaN: then nothing is tried. */
  constructor(monotonicNow: () => number) {
    this.#monotonicNow = monotonicNow
  }

  /** Whether copies are served at once. */
  get isOpen(): boolean {
    return this.#isDown || this.#failures >= FAILURES_TO_OPEN
  }

  /** Whether nobody waits for the store any more. */
  get isDown(): boolean {
    return this.#isDown
  }

  /**
   * Whether to ask. Where the store is left alone, it says yes to one caller per second.
   *
   * @param hasCopy Whether the caller can go on with a copy.
   */
  admits(hasCopy: boolean): boolean {
    if (!(hasCopy ? this.isOpen : this.#isDown)) return true
    const now = this.#monotonicNow()
    // NaN where it failed while the clock told no time: it is tried once there is one.
    if (Number.isNaN(now) || now < this.#nextTry) return false
    this.#nextTry = now + RETRY_INTERVAL_MS
    return true
  }

  /** @returns The monotonic time, in milliseconds, at which a command is sent. */
  begin(): number {
    const now = this.#monotonicNow()
    // A failure of long ago does not make the next one an outage.
    if (!this.#isDown && now - this.#lastFailure > DOWN_AFTER_MS) this.#since = undefined
    this.#since ??= now
    return now
  }

  /**
   * Bounds the wait of a caller without a copy: it ends when the store counts as down.
   *
   * @param waitMs Milliseconds the caller would wait.
   * @param boundMs Milliseconds that any caller waits.
   */
  limit(waitMs: number, boundMs: number): number {
    const left = (this.#since ?? Number.NaN) + DOWN_AFTER_MS - this.#monotonicNow()
    return Math.min(waitMs, left > boundMs ? left : boundMs)
  }

  /** @param isInTime Whether a caller with a copy would have had the answer in time. */
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
