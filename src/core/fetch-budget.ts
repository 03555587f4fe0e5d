/** How often unknown kids may make a pool fetch: a flood spends the budget and no more. */

/** Fetches at once before the cooldown counts. */
const CAPACITY = 3

/** A token bucket: three fetches, one more every cooldown. Shared by a pool's issuer forms. */
export class FetchBudget {
  readonly #cooldown: number
  #left = CAPACITY
  #since = 0

  /** @param cooldown Milliseconds until a spent fetch comes back. */
  constructor(cooldown: number) {
    this.#cooldown = cooldown
  }

  /** Spends one fetch if there is one. */
  take(now: number): boolean {
    const back = Math.floor((now - this.#since) / this.#cooldown)
    if (this.#left + back >= CAPACITY) {
      this.#left = CAPACITY
      this.#since = now
    } else {
      this.#left += back
      this.#since += back * this.#cooldown
    }
    if (this.#left === 0) return false
    this.#left -= 1
    return true
  }
}
