/** Real-time limits of the code under test: a busy machine cannot exceed them, and a test decides when they end. */

/** Milliseconds until a shortened limit ends. Nothing that has to succeed runs meanwhile. */
const SHORT = 100

const limits = new Map<number, RealLimit>()
const { setTimeout } = globalThis

/**
 * A limit is recognized by its timers' delay. They last for a minute instead, so that a test of
 * something else does not fail on a busy machine. Where the limit is the subject, the test shortens it.
 */
export class RealLimit {
  readonly milliseconds: number
  readonly #generous: number
  #isShort = false
  #running: (() => void)[] = []

  /**
   * @param milliseconds The delay under test; no other timer of the test's process may have it.
   * @param generous Milliseconds that its timers last unless they are shortened.
   */
  constructor(milliseconds: number, generous = 60_000) {
    this.milliseconds = milliseconds
    this.#generous = generous
    limits.set(milliseconds, this)
  }

  /** Timers that run now and new ones end soon. */
  shorten(): void {
    this.#isShort = true
    for (const callback of this.#running.splice(0)) setTimeout(callback, SHORT)
  }

  /** New timers last long again. */
  lengthen(): void {
    this.#isShort = false
  }

  start(callback: () => void): NodeJS.Timeout {
    if (this.#isShort) return setTimeout(callback, SHORT)
    // Of a timer that was cleared in the meantime the callback has no effect.
    this.#running.push(callback)
    // No test waits for one to end: it must not keep the process of a finished test alive.
    return setTimeout(callback, this.#generous).unref()
  }
}

let fetchLimits = 0

/** The limit of one key store's fetches; as the option, `fetchTimeout: limit.milliseconds / 1000`. */
export function fetchLimit(): RealLimit {
  fetchLimits += 1
  // Each of another length, so that surfaces that run at the same time do not share one.
  return new RealLimit(29_000 + (fetchLimits % 1000))
}

/** Long delays may be computed. Of the short ones, a fraction shows a pause with jitter, and no limit. */
function limitOf(delay: number): RealLimit | undefined {
  return limits.get(delay < 1000 ? delay : Math.round(delay))
}

globalThis.setTimeout = Object.assign((callback: () => void, delay?: number, ...rest: []) => {
  const limit = limitOf(delay ?? 0)
  return limit === undefined ? setTimeout(callback, delay, ...rest) : limit.start(callback)
}, setTimeout) as typeof setTimeout
