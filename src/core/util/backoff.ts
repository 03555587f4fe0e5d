/** Exponential backoff with jitter for a failing endpoint. */

const MIN_BACKOFF_MS = 1000
const MAX_BACKOFF_MS = 60_000

/**
 * Waits from 1 to 60 seconds, with jitter, so that the instances of a fleet do not retry together.
 * Retry-After is honored up to 60 seconds.
 */
export class Backoff {
  readonly #maxStep: number
  #failures = 0
  #until = 0

  /** @param maxStep Longest step without Retry-After, in milliseconds. */
  constructor(maxStep: number = MAX_BACKOFF_MS) {
    this.#maxStep = maxStep
  }

  /** Whether the last attempt failed. */
  get isFailing(): boolean {
    return this.#failures > 0
  }

  /** Time of the next attempt, in milliseconds. */
  get until(): number {
    return this.#until
  }

  succeeded(): void {
    this.#failures = 0
    this.#until = 0
  }

  /** @param retryAfter Seconds the endpoint asked for. */
  failed(now: number, retryAfter = 0): void {
    this.#failures += 1
    const step = Math.min(this.#maxStep, MIN_BACKOFF_MS * 2 ** (this.#failures - 1))
    const jittered = Math.max(MIN_BACKOFF_MS, step * (0.75 + Math.random() * 0.25))
    const asked = Math.min(MAX_BACKOFF_MS, retryAfter * 1000)
    this.#until = now + Math.ceil(Math.max(jittered, asked))
  }
}
