/** Elapsed time for intervals, backoff and staleness, whatever the clock underneath does. */

/**
 * Never runs backwards: where the monotonic clock steps back (a restored snapshot, an injected
 * clock), elapsed time goes on from where it was, so a step neither extends nor resets an age.
 *
 * @param monotonicNow Milliseconds.
 * @returns Milliseconds since the clock was made.
 */
export function steadyClock(monotonicNow: () => number): () => number {
  let last = monotonicNow()
  let elapsed = 0
  return () => {
    const now = monotonicNow()
    elapsed += Math.max(0, now - last)
    last = now
    return elapsed
  }
}
