/** Estimates the clock of a store from the readings in its responses (Cristian's algorithm). */

/** Skews above this, in milliseconds, are reported: a network's delay cannot explain them. */
const REPORTED_SKEW_MS = 5000

/** Milliseconds by which a reading in whole milliseconds may be too early. */
const READING_ERROR_MS = 1

/** Options of {@link StoreClock}. */
export interface StoreClockOptions {
  /** Wall clock in milliseconds. It dates entries until the store's clock is known. */
  readonly now: () => number
  /** Monotonic clock in milliseconds, or NaN. */
  readonly monotonicNow: () => number
  /** Called once, with whole seconds: positive if this process is ahead of the store. */
  readonly onSkew?: (skew: number) => void
}

/**
 * The store reads its clock between a request and its response. So each response gives an interval for the offset
 * between that clock and the local monotonic clock. Intervals of several responses are intersected. If they contradict
 * each other, a clock was set, and the newest interval counts.
 */
export class StoreClock {
  readonly monotonicNow: () => number
  readonly #now: () => number
  #onSkew: ((skew: number) => void) | undefined
  #low = Number.NaN
  #high = Number.NaN

  constructor({ now, monotonicNow, onSkew }: StoreClockOptions) {
    this.#now = now
    this.monotonicNow = monotonicNow
    this.#onSkew = onSkew
  }

  /**
   * @param reading Milliseconds since 1970 by the store's clock. Other values are ignored.
   * @param sentAt Monotonic time in milliseconds before the command was sent.
   */
  observe(reading: unknown, sentAt: number): void {
    if (typeof reading !== 'number') return
    const [low, high] = [reading - this.monotonicNow(), reading + READING_ERROR_MS - sentAt]
    if (!Number.isFinite(low + high)) return
    const isConsistent = low <= this.#high && this.#low <= high
    this.#low = isConsistent ? Math.max(low, this.#low) : low
    this.#high = isConsistent ? Math.min(high, this.#high) : high
    this.#reportSkew()
  }

  /** The lower bound: entries dated by it never seem younger than they are. */
  earliest(): number {
    return this.#at(this.#low)
  }

  /** The upper bound: compared with it, no entry is used after its expiry. */
  latest(): number {
    return this.#at(this.#high)
  }

  #at(offset: number): number {
    return Number.isNaN(this.#low) ? this.#now() : this.monotonicNow() + offset
  }

  #reportSkew(): void {
    const [ahead, behind] = [this.#now() - this.latest(), this.earliest() - this.#now()]
    if (!(Math.max(ahead, behind) > REPORTED_SKEW_MS)) return
    this.#onSkew?.(Math.round((ahead > behind ? ahead : -behind) / 1000))
    this.#onSkew = undefined
  }
}
