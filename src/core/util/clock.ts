/** Time for intervals, backoff and staleness, whatever the clock underneath does. */

/**
 * NaN where the owner's clock throws or answers no number: what is compared with it is false, so
 * nothing is trusted by it, and nothing that runs in the background breaks.
 */
export function trusting(clock: () => number): () => number {
  return () => {
    try {
      const now = clock()
      return Number.isFinite(now) ? now : Number.NaN
    } catch {
      return Number.NaN
    }
  }
}

/**
 * Never runs backwards: where the monotonic clock steps back (a restored snapshot, an injected
 * clock), elapsed time goes on from where it was, so a step neither extends nor resets an age. What
 * passed while the clock could not be read counts once it can.
 *
 * @param monotonicNow Milliseconds, or NaN.
 * @returns Milliseconds since the clock was first read, or NaN.
 */
export function steadyClock(monotonicNow: () => number): () => number {
  let last = monotonicNow()
  let elapsed = 0
  return () => {
    const now = monotonicNow()
    if (Number.isNaN(now)) return now
    if (!Number.isNaN(last)) elapsed += Math.max(0, now - last)
    last = now
    return elapsed
  }
}
