/** How many token requests a second a local pool answers, as Cognito's quota of an account. */
import { safeClock, steadyClock } from '../core/util/clock.ts'

/** A bucket of one second's requests, filled as time passes. */
export class TokenQuota {
  readonly #perSecond: number
  readonly #elapsed: () => number
  #tokens: number
  #updatedAt = 0

  /** @param monotonicNow Milliseconds. */
  constructor(perSecond: number, monotonicNow: () => number) {
    this.#perSecond = perSecond
    this.#tokens = perSecond
    this.#elapsed = steadyClock(safeClock(monotonicNow))
  }

  /** Spends one request if there is one. */
  tryConsume(): boolean {
    const now = this.#elapsed()
    if (now > this.#updatedAt) {
      const back = ((now - this.#updatedAt) * this.#perSecond) / 1000
      this.#tokens = Math.min(this.#perSecond, this.#tokens + back)
      this.#updatedAt = now
    }
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
