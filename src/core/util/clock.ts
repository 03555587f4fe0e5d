/** Time for intervals, backoff and staleness, whatever the clock underneath does. */

/** Milliseconds the two clocks may differ by rounding. */
const ROUNDING = 2

/**
 * Time as the monotonic clock tells it, and more where the wall clock went ahead of it: a machine that
 * slept has a monotonic clock that did not see it, and tokens that expired meanwhile. A wall clock that
 * steps back takes nothing back, so no token outlives its life by it; one that steps ahead costs a
 * token request. Of a clock that tells no time, nothing is heard.
 *
 * @param now Wall clock, milliseconds.
 * @param monotonicNow Milliseconds.
 * @returns Milliseconds since the clock was made; never fewer than before.
 */
export function elapsedClock(now: () => number, monotonicNow: () => number): () => number {
  const wall = safeClock(now)
  const steady = steadyClock(safeClock(monotonicNow))
  let passed = 0
  let ahead = 0
  let apart = wall()
  return () => {
    const told = steady()
    if (!Number.isNaN(told)) passed = told
    const lead = wall() - passed - apart
    if (lead > ROUNDING) ahead += lead
    if (Math.abs(lead) > ROUNDING) apart += lead
    return passed + ahead
  }
}

/** The wall clock in milliseconds; the platform's where the owner's throws or tells no time. */
export function wallClock(now: () => number): () => number {
  const told = safeClock(now)
  return () => {
    const time = told()
    return Number.isNaN(time) ? Date.now() : time
  }
}

/**
 * NaN where the owner's clock throws or answers no number: what is compared with it is false, so
 * nothing is trusted by it, and nothing that runs in the background breaks.
 */
export function safeClock(clock: () => number): () => number {
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
