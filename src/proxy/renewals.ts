/** When a held token that could not be replaced is tried again: later each time, each by itself. */
import { Backoff } from '../core/backoff.ts'
import { BoundedMap } from './bounded-map.ts'

/** Held tokens with a failure; a forgotten one is merely tried again. */
const MAX_FAILING = 10_000

/** See the module. */
export class Renewals {
  readonly #failing = new BoundedMap<Backoff>(MAX_FAILING)
  readonly #monotonicNow: () => number

  /** @param monotonicNow Milliseconds. */
  constructor(monotonicNow: () => number) {
    this.#monotonicNow = monotonicNow
  }

  isDue(name: string): boolean {
    const backoff = this.#failing.get(name)
    // One that failed while the clock told no time is due.
    return backoff === undefined || !(this.#monotonicNow() < backoff.until)
  }

  succeeded(name: string): void {
    this.#failing.delete(name)
  }

  /** @param retryAfter Seconds Cognito asked to wait. */
  failed(name: string, retryAfter?: number): void {
    const backoff = this.#failing.get(name) ?? new Backoff()
    backoff.failed(this.#monotonicNow(), retryAfter)
    this.#failing.set(name, backoff)
  }
}
