/**
 * Finds the keys of one issuer, and decides between "this key is unknown" and "it could not be
 * judged".
 */

import { isHeard, secondsBetween, tell, type UnknownKidEvent } from '../diagnostics.ts'
import { atMost } from '../util/at-most.ts'
import { has } from '../util/own-member.ts'
import type { JwksError } from './fetch-jwks.ts'
import type { ImportedKey } from './jwk.ts'
import { KeySource, type SourceContext } from './remote-jwks.ts'

/** Longest a request waits for the refresh of a process that was frozen, in milliseconds. */
const WAKE_WAIT = 1000
/** Requests of one issuer that may wait for a fetch: each holds a socket and its token. */
const MAX_WAITERS = 1000
/** Least a 503 asks to wait, in milliseconds. */
const MIN_RETRY_AFTER = 1000

/** It could not be judged: when to ask again (milliseconds), and why. */
export interface KeysUnavailable {
  readonly retryAfter: number
  readonly cause: JwksError | undefined
}

/** What came of looking for a key. */
export type KeyAnswer = ImportedKey | 'ERR_KEY_UNKNOWN' | KeysUnavailable

/** The pool around an issuer. All durations in milliseconds. */
export interface IssuerContext extends SourceContext {
  readonly cooldown: number
  /** `now` is the system's clock: it stands still for less than anything here takes. */
  readonly isSystemClock: boolean
  /** Spends one fetch of a form for an unknown kid. */
  spend(now: number, form: KeySource): boolean
  /** Whether another form of the same Region has keys in force. */
  usesOtherForm(than: KeySource, now: number): boolean
}

/** See the module. */
export class IssuerKeys {
  readonly source: KeySource
  readonly #pool: IssuerContext
  #waking: Promise<void> | undefined
  #waiters = 0
  /** When keys were last found to be fresh enough, on the wall clock. */
  #freshAt = Number.NaN

  constructor(issuer: string, uri: string, pool: IssuerContext) {
    this.source = new KeySource(issuer, uri, pool)
    this.#pool = pool
  }

  /** Finds the key of a kid; at once where it is known. */
  find(kid: string): KeyAnswer | Promise<KeyAnswer> {
    const now = this.#pool.elapsed()
    this.#keepFresh(now)
    if (this.#waking !== undefined) {
      return this.#waking.then(() => {
        const awake = this.#pool.elapsed()
        return this.source.peek(kid, awake) ?? this.#lookFor(kid, awake)
      })
    }
    return this.source.peek(kid, now) ?? this.#lookFor(kid, now)
  }

  /**
   * Whether a key that was found before is still in force. For tokens that were verified with it:
   * whatever is not plainly so is left to {@link find}.
   *
   * Reading the monotonic clock costs half of all that a known token costs, so it is read once per
   * reading of the wall clock (a millisecond): nothing ages within one.
   *
   * @param wall Wall clock, milliseconds.
   */
  stillHolds(key: ImportedKey, wall: number): boolean {
    if (wall !== this.#freshAt || !this.#pool.isSystemClock) {
      const now = this.#pool.elapsed()
      this.#keepFresh(now)
      if (this.#waking !== undefined || !this.source.isLive(now)) return false
      this.#freshAt = wall
    }
    return this.source.lists(key)
  }

  /**
   * Refreshes in the background where a timer should have and did not. Where timers slept, the keys
   * may be long revoked, so requests wait for that refresh, but not for an endpoint that hangs.
   */
  #keepFresh(now: number): void {
    const { isOffline, hadKeys, isFetching } = this.source
    if (isOffline || !hadKeys || isFetching) return
    const slept = this.source.hasSlept(now)
    if (!slept && !(now >= this.source.nextAt)) return
    const refreshed = this.source.refresh()
    if (!slept) return
    this.#waking = atMost(WAKE_WAIT, refreshed).then(() => {
      this.#waking = undefined
    })
  }

  #lookFor(kid: string, now: number): KeyAnswer | Promise<KeyAnswer> {
    const answer = this.source.isOffline ? this.#unknown(kid, now) : this.#wait(kid)
    const isNews = this.source.isLive(now) && isHeard('cognito-m2m:unknown-kid')
    return isNews ? this.#tellUnknownKid(answer, now) : answer
  }

  async #tellUnknownKid(looked: KeyAnswer | Promise<KeyAnswer>, begun: number): Promise<KeyAnswer> {
    const answer = await looked
    tell('cognito-m2m:unknown-kid', () => ({
      ...this.#pool.origin,
      code: codeOf(answer),
      duration: secondsBetween(begun, this.#pool.elapsed()),
    }))
    return answer
  }

  async #wait(kid: string): Promise<KeyAnswer> {
    if (this.#waiters >= MAX_WAITERS) return this.#unavailable(this.#pool.elapsed())
    this.#waiters += 1
    try {
      return await this.#fetchFor(kid, this.source.begun)
    } finally {
      this.#waiters -= 1
    }
  }

  /**
   * Ends: each round answers or waits for a fetch, and once one was begun after the request came,
   * whatever it brought answers.
   *
   * @param begun Fetches begun when the request came: only a later one can prove a kid unknown.
   */
  async #fetchFor(kid: string, begun: number): Promise<KeyAnswer> {
    const { source } = this
    for (;;) {
      const now = this.#pool.elapsed()
      const key = source.peek(kid, now)
      if (key !== undefined) return key
      const live = source.isLive(now)
      if (this.#pool.signal.aborted) return { retryAfter: MIN_RETRY_AFTER, cause: undefined }
      if (!source.isFetching) {
        if (live && source.from > begun) return this.#unknown(kid, now)
        const waits = now < source.backoffUntil || Number.isNaN(now)
        if (source.begun > begun || waits) return this.#unavailable(now)
        const rationed = live || this.#pool.hasOtherKeys(source, now)
        if (rationed && !this.#pool.spend(now, source)) {
          const judged = live && now - source.endedAt < this.#pool.cooldown
          return judged ? this.#unknown(kid, now) : this.#unavailable(now)
        }
      }
      await source.refresh()
    }
  }

  /** A listed key that could not be imported is no proof against the token. */
  #unknown(kid: string, now: number): KeyAnswer {
    return this.source.isUnusable(kid) ? this.#unavailable(now) : 'ERR_KEY_UNKNOWN'
  }

  /**
   * A form that the pool does not use is no reason to doubt a healthy pool: otherwise unauthenticated callers
   * could produce 503s by naming it. A Region uses one form; its endpoint may also say so itself. A replica
   * whose endpoint fails is used all the same: its tokens could not be verified.
   */
  #unavailable(now: number): KeyAnswer {
    const { source } = this
    const isForeign = source.isAbsent
      ? this.#pool.hasOtherKeys(source, now)
      : !source.hadKeys && this.#pool.usesOtherForm(source, now)
    if (!source.isLive(now) && isForeign) return 'ERR_KEY_UNKNOWN'
    return {
      retryAfter: Math.max(MIN_RETRY_AFTER, source.backoffUntil - now),
      cause: source.lastError,
    }
  }
}

function codeOf(answer: KeyAnswer): UnknownKidEvent['code'] {
  if (typeof answer === 'string') return answer
  return has(answer, 'retryAfter') ? 'ERR_KEYS_UNAVAILABLE' : null
}
