/** How long to leave a failing endpoint alone. */

const MIN_BACKOFF = 1000
const MAX_BACKOFF = 60_000

/**
 * Exponential from 1 to 60 seconds, with jitter, so that a fleet does not come back in step.
 * Retry-After is honoured, but never trusted with more than the longest step.
 *
 * @param failures In a row, at least one.
 * @param retryAfter Seconds the endpoint asked for.
 * @returns Milliseconds.
 */
export function backoff(failures: number, retryAfter = 0): number {
  const step = Math.min(MAX_BACKOFF, MIN_BACKOFF * 2 ** (failures - 1))
  const jittered = Math.max(MIN_BACKOFF, step * (0.75 + Math.random() * 0.25))
  return Math.ceil(Math.max(jittered, Math.min(MAX_BACKOFF, retryAfter * 1000)))
}
