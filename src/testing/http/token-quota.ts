/** Rate limit of a local pool's token endpoint, like Cognito's quota of an account. */
import { safeClock, steadyClock } from '../../core/util/time.ts'

/** Token bucket with a capacity of one second. */
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

  /** Takes one request from the bucket. False if it is empty. */
  tryConsume(): boolean {
    const now = this.#elapsed()
    if (now > this.#updatedAt) {
      const refill = ((now - this.#updatedAt) * this.#perSecond) / 1000
      this.#tokens = Math.min(this.#perSecond, this.#tokens + refill)
      this.#updatedAt = now
    }
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
