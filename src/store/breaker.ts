/** Leaves a failing store alone, and tries now and then whether it is back. */

/** Failures in a row, after which it is left alone. */
const FAILURES = 3
/** Milliseconds between two tries. One caller waits for each; all others go on at once. */
const RETRY = 1000

/** See the module. */
export class Breaker {
  readonly #monotonicNow: () => number
  #failures = 0
  #nextTry = 0

  /** @param monotonicNow Milliseconds, or NaN: then nothing is tried. */
  constructor(monotonicNow: () => number) {
    this.#monotonicNow = monotonicNow
  }

  get isOpen(): boolean {
    return this.#failures >= FAILURES
  }

  /** Whether to ask. Open, it says yes to one caller per second. */
  admits(): boolean {
    if (!this.isOpen) return true
    const now = this.#monotonicNow()
    // NaN where it failed while the clock told no time: it is tried once there is one.
    if (Number.isNaN(now) || now < this.#nextTry) return false
    this.#nextTry = now + RETRY
    return true
  }

  succeeded(): void {
    this.#failures = 0
  }

  failed(): void {
    this.#failures += 1
    if (this.#failures === FAILURES) this.#nextTry = this.#monotonicNow() + RETRY
  }
}
