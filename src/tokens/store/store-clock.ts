/** Estimates the clock of a store from the readings in its answers (Cristian's algorithm). */

/** Skew in milliseconds from which on it is reported: more than a network's delay can explain. */
const REPORTED_SKEW_MS = 5000

/** Milliseconds by which a reading in whole milliseconds may be too early. */
const READING_ERROR_MS = 1

/** Options of {@link StoreClock}. */
export interface StoreClockOptions {
  /** Wall clock in milliseconds: dates entries until the store's clock is known. */
  readonly now: () => number
  /** Milliseconds, or NaN. */
  readonly monotonicNow: () => number
  /** Called once, with whole seconds: positive where this process is ahead of the store. */
  readonly onSkew?: (skew: number) => void
}

/**
 * The store read its clock between a request and its answer. So each answer gives an interval for the
 * offset between that clock and the local monotonic clock. Intervals of several answers are
 * intersected; where they contradict each other, a clock was set and the newest one counts.
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
   * @param reading Milliseconds since 1970 as the store says; anything else is ignored.
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

  /** The lower bound: what is dated by it never looks younger than it is. */
  earliest(): number {
    return this.#at(this.#low)
  }

  /** The upper bound: nothing is used past its expiry. */
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
