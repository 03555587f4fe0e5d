/**
 * Decides what a token with an unknown kid causes: 401, 503, a wait for a fetch, or a new fetch. A budget
 * bounds the fetches that unauthenticated callers can cause.
 */

/** What is known when a key set does not contain the kid of a token. */
export interface UnknownKidState {
  /** All keys are in the options: nothing is ever fetched. */
  readonly isOffline: boolean
  /** As many requests wait for a fetch as may. */
  readonly isQueueFull: boolean
  readonly isClosed: boolean
  /** A fetch is in flight. */
  readonly isFetching: boolean
  /** This issuer form has keys that are not older than `maxStale`. */
  readonly hasValidKeys: boolean
  /** Another issuer form of the pool has such keys. */
  readonly hasOtherKeys: boolean
  /** The keys come from a fetch that began after the request arrived. */
  readonly hasNewerKeys: boolean
  /** A fetch began after the request arrived, and has ended. */
  readonly wasFetched: boolean
  /** The last fetch failed and its backoff lasts, or the clock cannot be read. */
  readonly isBackingOff: boolean
  /** The fetch that brought the keys ended less than a cooldown ago. */
  readonly isRecent: boolean
  /** The key set lists the kid, but with a key that could not be imported. */
  readonly isUnusable: boolean
  /** The pool has keys and does not use this issuer form. */
  readonly isUnusedForm: boolean
}

/** The final answers: 401 `ERR_KEY_UNKNOWN`, or 503 `ERR_KEYS_UNAVAILABLE`. */
type Answer = 'reject' | 'unavailable'

/**
 * - `closed`: 503 without a cause.
 * - `wait`: decide again after the fetch that is in flight.
 * - `fetch`: begin a fetch, and decide again after it.
 * - `fetch-or-…`: begin a fetch if the budget has one left. If not, that is the answer.
 */
export type UnknownKidDecision = Answer | 'closed' | 'wait' | 'fetch' | `fetch-or-${Answer}`

/**
 * Decides how to answer an unknown kid. The first row that applies counts:
 *
 * | #   | state                                                           | decision                      |
 * | --- | --------------------------------------------------------------- | ----------------------------- |
 * | 1   | all keys are in the options                                     | 401                           |
 * | 2   | the queue is full                                               | 503                           |
 * | 3   | the key store is closed                                         | 503 without a cause           |
 * | 4   | a fetch is in flight                                            | wait for it                   |
 * | 5   | the keys come from a fetch that began after the request arrived | 401                           |
 * | 6   | such a fetch failed, or the endpoint is backing off             | 503                           |
 * | 7   | neither this form nor another one of the pool has valid keys    | fetch                         |
 * | 8   | the last successful fetch ended less than a cooldown ago        | fetch within budget, else 401 |
 * | 9   | otherwise                                                       | fetch within budget, else 503 |
 *
 * Two exceptions:
 *
 * - 401 becomes 503 if the set lists the kid with a key that could not be imported. That is no proof
 *   against the token.
 * - 503 becomes 401 if this form has no valid keys and the pool does not use it. Otherwise
 *   unauthenticated callers could cause a 503 on a healthy pool by naming the unused form.
 */
export function decideUnknownKid(state: UnknownKidState): UnknownKidDecision {
  const rejected: Answer = state.isUnusable ? 'unavailable' : 'reject'
  const unavailable: Answer = state.isUnusedForm && !state.hasValidKeys ? 'reject' : 'unavailable'
  if (state.isOffline) return rejected
  if (state.isQueueFull) return unavailable
  if (state.isClosed) return 'closed'
  if (state.isFetching) return 'wait'
  if (state.hasValidKeys && state.hasNewerKeys) return rejected
  if (state.wasFetched || state.isBackingOff) return unavailable
  if (!state.hasValidKeys && !state.hasOtherKeys) return 'fetch'
  return state.hasValidKeys && state.isRecent ? `fetch-or-${rejected}` : `fetch-or-${unavailable}`
}

/** Fetches that can be spent at once before the cooldown counts. */
const CAPACITY = 3

/** What one issuer form took of the budget. */
interface Share {
  /** Number of its last fetch, counted over all forms; 0 before the first one. */
  lastFetch: number
  /** When it was last denied a fetch and has had none since. */
  deniedAt: number
}

/**
 * Token bucket: three fetches, and one more every cooldown. A pool's issuer forms share it. A fetch that
 * comes back goes to the waiting form that was served least recently, so a flood on one form cannot starve
 * another.
 */
export class FetchBudget {
  readonly #cooldownMs: number
  readonly #shares = new Map<unknown, Share>()
  #available = CAPACITY
  #refilledAt = 0
  #fetches = 0

  /** @param cooldownMs Milliseconds until a spent fetch comes back. */
  constructor(cooldownMs: number) {
    this.#cooldownMs = cooldownMs
  }

  /**
   * Spends one fetch if there is one.
   *
   * @param now Milliseconds.
   * @param form Identifies the issuer form that needs the fetch.
   * @returns Whether there was one.
   */
  take(now: number, form?: unknown): boolean {
    const refill = Math.floor((now - this.#refilledAt) / this.#cooldownMs)
    if (this.#available + refill >= CAPACITY) {
      this.#available = CAPACITY
      this.#refilledAt = now
    } else {
      this.#available += refill
      this.#refilledAt += refill * this.#cooldownMs
    }
    const share = this.#shares.get(form) ?? { lastFetch: 0, deniedAt: Number.NEGATIVE_INFINITY }
    this.#shares.set(form, share)
    if (this.#available <= this.#countAhead(share, now)) {
      share.deniedAt = now
      return false
    }
    this.#available -= 1
    this.#fetches += 1
    share.lastFetch = this.#fetches
    share.deniedAt = Number.NEGATIVE_INFINITY
    return true
  }

  /** Waiting forms that were served before this one was. One that sends no more requests loses its turn. */
  #countAhead({ lastFetch }: Share, now: number): number {
    const maxWaitMs = CAPACITY * this.#cooldownMs
    const shares = [...this.#shares.values()]
    return shares.filter((it) => it.lastFetch < lastFetch && now - it.deniedAt < maxWaitMs).length
  }
}
