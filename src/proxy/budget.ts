/**
 * What the proxy may ask of Cognito. Whoever guesses secrets gets a share of it that is his own: he
 * can spend that, and never what callers need whose secret Cognito took before.
 */

/** See {@link readBudget}. */
export interface BudgetLimits {
  readonly perSecond: number
  readonly unprovenPerSecond: number
  readonly concurrency: number
}

/** No more than so many in any second: not twice as many around the turn of one. */
class Rate {
  readonly #times: Float64Array
  #oldest = 0

  constructor(perSecond: number) {
    this.#times = new Float64Array(perSecond).fill(Number.NEGATIVE_INFINITY)
  }

  /** A clock that tells no time gives nothing away. */
  isFree(now: number): boolean {
    return now - (this.#times[this.#oldest] as number) >= 1000
  }

  spend(now: number): void {
    this.#times[this.#oldest] = now
    this.#oldest = (this.#oldest + 1) % this.#times.length
  }
}

/** One of two purses: requests a second, and requests at once. */
class Purse {
  readonly #rate: Rate
  readonly #concurrency: number
  inFlight = 0

  constructor(perSecond: number, concurrency: number) {
    this.#rate = new Rate(perSecond)
    this.#concurrency = concurrency
  }

  isFree(now: number): boolean {
    return this.inFlight < this.#concurrency && this.#rate.isFree(now)
  }

  spend(now: number): void {
    this.inFlight += 1
    this.#rate.spend(now)
  }
}

/** See the module. */
export class Budget {
  readonly #all: Purse
  readonly #unproven: Purse

  /** Requests at once are divided as requests a second are: a slow Cognito is no way around. */
  constructor({ perSecond, unprovenPerSecond, concurrency }: BudgetLimits) {
    const share = Math.floor((concurrency * unprovenPerSecond) / perSecond)
    this.#all = new Purse(perSecond, concurrency)
    this.#unproven = new Purse(unprovenPerSecond, Math.max(1, share))
  }

  get inFlight(): number {
    return this.#all.inFlight
  }

  /** Whether there is a request to spend. @param now Monotonic, milliseconds. */
  isFree(now: number, isProven: boolean): boolean {
    return this.#purses(isProven).every((purse) => purse.isFree(now))
  }

  /** Spends one request. @returns What to call once it is answered; undefined if there is none. */
  take(now: number, isProven: boolean): (() => void) | undefined {
    if (!this.isFree(now, isProven)) return undefined
    const purses = this.#purses(isProven)
    for (const purse of purses) purse.spend(now)
    return () => {
      for (const purse of purses) purse.inFlight -= 1
    }
  }

  #purses(isProven: boolean): readonly Purse[] {
    return isProven ? [this.#all] : [this.#all, this.#unproven]
  }
}
