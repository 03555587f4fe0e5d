/** How long a failing endpoint is left alone. */

const MIN_BACKOFF = 1000
const MAX_BACKOFF = 60_000

/**
 * Exponential from 1 to 60 seconds, with jitter, so that a fleet does not come back in step.
 * Retry-After is honored up to 60 seconds.
 */
export class Backoff {
  readonly #maxStep: number
  #failures = 0
  #until = 0

  /** @param maxStep Longest step without Retry-After, in milliseconds. */
  constructor(maxStep: number = MAX_BACKOFF) {
    this.#maxStep = maxStep
  }

  /** Whether the last attempt failed. */
  get isFailing(): boolean {
    return this.#failures > 0
  }

  /** No attempt before, in milliseconds. */
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
    const step = Math.min(this.#maxStep, MIN_BACKOFF * 2 ** (this.#failures - 1))
    const jittered = Math.max(MIN_BACKOFF, step * (0.75 + Math.random() * 0.25))
    const asked = Math.min(MAX_BACKOFF, retryAfter * 1000)
    this.#until = now + Math.ceil(Math.max(jittered, asked))
  }
}
