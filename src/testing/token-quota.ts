/** How many token requests a second a local pool answers, as Cognito's quota of an account. */
import { safeClock, steadyClock } from '../core/util/clock.ts'

/** A bucket of one second's requests, filled as time passes. */
export class TokenQuota {
  readonly #perSecond: number
  readonly #elapsed: () => number
  #left: number
  #since = 0

  /** @param monotonicNow Milliseconds. */
  constructor(perSecond: number, monotonicNow: () => number) {
    this.#perSecond = perSecond
    this.#left = perSecond
    this.#elapsed = steadyClock(safeClock(monotonicNow))
  }

  /** Spends one request if there is one. */
  take(): boolean {
    const now = this.#elapsed()
    if (now > this.#since) {
      const back = ((now - this.#since) * this.#perSecond) / 1000
      this.#left = Math.min(this.#perSecond, this.#left + back)
      this.#since = now
    }
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}
