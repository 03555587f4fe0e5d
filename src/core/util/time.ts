/** Clocks that tolerate failures and steps, timeouts, and waits. */

/** The default monotonic clock: milliseconds since the process started. */
export function monotonicNow(): number {
  return performance.now()
}

/** Milliseconds the two clocks may differ by rounding. */
const ROUNDING_MS = 2

/**
 * Elapsed time by the monotonic clock, plus every step ahead of the wall clock. The monotonic clock of a
 * machine does not see a suspension, and tokens expire meanwhile. A step back of the wall clock has no effect,
 * so no token is used beyond its lifetime. A step ahead costs a token request. A clock that cannot be read is
 * ignored.
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
    const elapsed = steady()
    if (!Number.isNaN(elapsed)) passed = elapsed
    const lead = wall() - passed - apart
    if (lead > ROUNDING_MS) ahead += lead
    if (Math.abs(lead) > ROUNDING_MS) apart += lead
    return passed + ahead
  }
}

/** The wall clock in milliseconds; `Date.now` if the injected clock throws or returns no finite number. */
export function wallClock(now: () => number): () => number {
  const clock = safeClock(now)
  return () => {
    const time = clock()
    return Number.isNaN(time) ? Date.now() : time
  }
}

/**
 * NaN if the injected clock throws or returns no finite number. Every comparison with NaN is false, so nothing
 * is trusted because of it, and no background task breaks.
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
 * Never runs backward. If the monotonic clock steps back (a restored snapshot, an injected clock), elapsed time
 * continues from its last value. A step neither extends nor resets an age. Time that passed while the clock
 * could not be read is added once it can be read.
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

/**
 * Waits for a promise, but not longer than a timeout. Its later result has no effect.
 *
 * @returns Undefined on timeout.
 * @throws What the promise rejects with.
 */
export function withTimeout<Value>(
  timeoutMs: number,
  promise: Promise<Value>,
): Promise<Value | undefined>
/** @throws The error of `createError` on timeout, or what the promise rejects with. */
export function withTimeout<Value>(
  timeoutMs: number,
  promise: Promise<Value>,
  createError: () => Error,
): Promise<Value>
export async function withTimeout<Value>(
  timeoutMs: number,
  promise: Promise<Value>,
  createError?: () => Error,
): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<undefined>((resolve, reject) => {
    timer = setTimeout(() => {
      if (createError === undefined) resolve(undefined)
      else reject(createError())
    }, timeoutMs)
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}

/** @param milliseconds The longest wait; the shortest is half of it. The timer keeps the process alive. */
export function sleepWithJitter(milliseconds: number): Promise<void> {
  const jittered = milliseconds * (0.5 + Math.random() / 2)
  return new Promise((resolve) => {
    setTimeout(resolve, jittered)
  })
}
