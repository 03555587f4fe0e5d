/** How often unknown kids may make a pool fetch: a flood spends the budget and no more. */

/** Fetches at once before the cooldown counts. */
const CAPACITY = 3

/** What one issuer form took of the budget. */
interface Share {
  /** Number of its last fetch, counted over all forms; 0 before the first one. */
  taken: number
  /** When it was last denied a fetch and has had none since. */
  deniedAt: number
}

/**
 * A token bucket: three fetches, one more every cooldown. A pool's issuer forms share it. What comes back
 * goes to the waiting form that was served least recently, so a flood on one form cannot starve another.
 */
export class FetchBudget {
  readonly #cooldown: number
  readonly #shares = new Map<unknown, Share>()
  #left = CAPACITY
  #since = 0
  #taken = 0

  /** @param cooldown Milliseconds until a spent fetch comes back. */
  constructor(cooldown: number) {
    this.#cooldown = cooldown
  }

  /**
   * Spends one fetch if there is one.
   *
   * @param form Who asks: any value that stands for an issuer form.
   */
  take(now: number, form?: unknown): boolean {
    const back = Math.floor((now - this.#since) / this.#cooldown)
    if (this.#left + back >= CAPACITY) {
      this.#left = CAPACITY
      this.#since = now
    } else {
      this.#left += back
      this.#since += back * this.#cooldown
    }
    const share = this.#shares.get(form) ?? { taken: 0, deniedAt: Number.NEGATIVE_INFINITY }
    this.#shares.set(form, share)
    if (this.#left <= this.#countAhead(share, now)) {
      share.deniedAt = now
      return false
    }
    this.#left -= 1
    this.#taken += 1
    share.taken = this.#taken
    share.deniedAt = Number.NEGATIVE_INFINITY
    return true
  }

  /** Waiting forms that were served before this one was. One that stopped asking loses its turn. */
  #countAhead({ taken }: Share, now: number): number {
    const patience = CAPACITY * this.#cooldown
    const shares = [...this.#shares.values()]
    return shares.filter((it) => it.taken < taken && now - it.deniedAt < patience).length
  }
}
