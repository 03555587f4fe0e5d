/**
 * The keys of one issuer: an immutable key set swapped whole, one fetch at a time, and the rules
 * that decide between "this key is unknown" and "it could not be judged".
 */
import type { KeyObject } from 'node:crypto'
import { atMost } from './at-most.ts'
import { Backoff } from './backoff.ts'
import { fetchJwks, JwksError } from './fetch-jwks.ts'
import { importKeySet, type KeySet } from './key-set.ts'
import type { GivenKeys } from './user-pool-options.ts'

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
export type KeyAnswer = KeyObject | 'ERR_KEY_UNKNOWN' | KeysUnavailable

/** The pool around an issuer. All durations in milliseconds. */
export interface IssuerContext {
  readonly refreshInterval: number
  readonly cooldown: number
  readonly maxStale: number
  readonly fetchTimeout: number
  readonly fetch: typeof globalThis.fetch
  /** Wall clock, milliseconds. */
  readonly now: () => number
  /** Elapsed time, milliseconds; see {@link steadyClock}. */
  readonly elapsed: () => number
  readonly signal: AbortSignal
  /** Spends one fetch for an unknown kid. */
  spend(now: number): boolean
  /** Whether another issuer form of the pool has keys in force. */
  hasOtherKeys(than: IssuerKeys, now: number): boolean
  /** A fetch ended, well or not. */
  settled(): void
}

/** See the module. */
export class IssuerKeys {
  readonly issuer: string
  readonly #uri: string
  readonly #pool: IssuerContext
  readonly #backoff = new Backoff()
  #keySet: KeySet | undefined
  /** When the keys in force were asked for. */
  #freshAt = 0
  /** When their fetch ended. */
  #endedAt = Number.NEGATIVE_INFINITY
  #offline = false
  #hadKeys = false
  #flight: Promise<void> | undefined
  #waking: Promise<void> | undefined
  #waiters = 0
  /** Fetches begun, and which of them the keys in force came from. */
  #begun = 0
  #from = 0
  #attemptAt = 0
  #attemptWall: number
  #dueAt = 0
  #lastError: JwksError | undefined

  constructor(issuer: string, uri: string, pool: IssuerContext) {
    this.issuer = issuer
    this.#uri = uri
    this.#pool = pool
    this.#attemptWall = pool.now()
  }

  /** Puts given keys in force: for good, or until the first good fetch. */
  give({ keySet, offline }: GivenKeys): void {
    this.#keySet = keySet
    this.#offline = offline
    this.#hadKeys = true
  }

  get hadKeys(): boolean {
    return this.#hadKeys
  }

  get lastError(): JwksError | undefined {
    return this.#lastError
  }

  /** The endpoint said that this form is not the pool's, as Cognito does with 403 or 404. */
  get isAbsent(): boolean {
    const status = this.#lastError?.status
    return status === 403 || status === 404
  }

  /** When the next fetch is due. */
  get nextAt(): number {
    return this.#backoff.isFailing ? this.#backoff.until : this.#dueAt
  }

  /** Age of the keys in force, or undefined where there are none. */
  age(now: number): number | undefined {
    if (this.#keySet === undefined) return undefined
    return this.#offline ? 0 : now - this.#freshAt
  }

  /** Keys in force and not too old to be trusted. */
  isLive(now: number): boolean {
    const age = this.age(now)
    return age !== undefined && age <= this.#pool.maxStale
  }

  /** The key in force under a kid, without waiting and without fetching. */
  peek(kid: string, now: number): KeyObject | undefined {
    return this.isLive(now) ? this.#keySet?.usable.get(kid)?.key : undefined
  }

  /** Finds the key of a kid; at once where it is known. */
  find(kid: string): KeyAnswer | Promise<KeyAnswer> {
    const now = this.#pool.elapsed()
    this.#keepFresh(now)
    if (this.#waking !== undefined) {
      return this.#waking.then(() => this.peek(kid, this.#pool.elapsed()) ?? this.#wait(kid))
    }
    return this.peek(kid, now) ?? (this.#offline ? this.#unknown(kid, now) : this.#wait(kid))
  }

  /** Fetches now, unless a fetch is under way; settles with it, never rejects. */
  refresh(): Promise<void> {
    this.#flight ??= this.#fetch().finally(() => {
      this.#flight = undefined
      this.#pool.settled()
    })
    return this.#flight
  }

  /**
   * Refreshes in the background where a timer should have and did not. Where timers slept (a frozen
   * process: overdue by a whole interval, or wall and monotonic clock went apart), the keys may be
   * long revoked, so requests wait for that refresh, but not for an endpoint that hangs.
   */
  #keepFresh(now: number): void {
    if (this.#offline || !this.#hadKeys || this.#flight !== undefined) return
    const { refreshInterval } = this.#pool
    const overdue = now - this.nextAt
    const drift = Math.abs(this.#pool.now() - this.#attemptWall - (now - this.#attemptAt))
    const slept = overdue > refreshInterval || drift > refreshInterval
    if (!slept && overdue < 0) return
    const refreshed = this.refresh()
    if (!slept) return
    this.#waking = atMost(WAKE_WAIT, refreshed).then(() => {
      this.#waking = undefined
    })
  }

  async #wait(kid: string): Promise<KeyAnswer> {
    if (this.#waiters >= MAX_WAITERS) return this.#unavailable(this.#pool.elapsed())
    this.#waiters += 1
    try {
      return await this.#fetchFor(kid, this.#begun)
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
    for (;;) {
      const now = this.#pool.elapsed()
      const key = this.peek(kid, now)
      if (key !== undefined) return key
      const live = this.isLive(now)
      if (this.#pool.signal.aborted) return { retryAfter: MIN_RETRY_AFTER, cause: undefined }
      if (this.#flight === undefined) {
        if (live && this.#from > begun) return this.#unknown(kid, now)
        if (this.#begun > begun || now < this.#backoff.until) return this.#unavailable(now)
        const rationed = live || this.#pool.hasOtherKeys(this, now)
        if (rationed && !this.#pool.spend(now)) {
          const judged = live && now - this.#endedAt < this.#pool.cooldown
          return judged ? this.#unknown(kid, now) : this.#unavailable(now)
        }
      }
      await this.refresh()
    }
  }

  /** A listed key that could not be imported is no proof against the token. */
  #unknown(kid: string, now: number): KeyAnswer {
    return this.#keySet?.unusable.has(kid) === true ? this.#unavailable(now) : 'ERR_KEY_UNKNOWN'
  }

  /**
   * A form the pool never used, or says it does not use, is no reason to doubt a healthy pool:
   * otherwise strangers could produce 503s by naming it.
   */
  #unavailable(now: number): KeyAnswer {
    const foreign = !this.isLive(now) && (!this.#hadKeys || this.isAbsent)
    if (foreign && this.#pool.hasOtherKeys(this, now)) return 'ERR_KEY_UNKNOWN'
    return {
      retryAfter: Math.max(MIN_RETRY_AFTER, this.#backoff.until - now),
      cause: this.#lastError,
    }
  }

  async #fetch(): Promise<void> {
    const begunAt = this.#pool.elapsed()
    const { fetch, now, signal, fetchTimeout } = this.#pool
    this.#begun += 1
    this.#attemptAt = begunAt
    this.#attemptWall = now()
    try {
      const document = await fetchJwks(this.#uri, { fetch, now, signal, timeout: fetchTimeout })
      const keySet = importKeySet(document, this.#keySet)
      if (keySet === undefined) throw new JwksError('ERR_JWKS_NO_USABLE_KEY')
      this.#accept(keySet, begunAt)
    } catch (error) {
      this.#fail(error as JwksError)
    }
  }

  #accept(keySet: KeySet, begunAt: number): void {
    this.#keySet = keySet
    this.#hadKeys = true
    this.#freshAt = begunAt
    this.#endedAt = this.#pool.elapsed()
    this.#from = this.#begun
    this.#backoff.succeeded()
    this.#lastError = undefined
    // Spread, so that the instances of a fleet started together do not ask together.
    this.#dueAt = this.#endedAt + this.#pool.refreshInterval * (0.9 + Math.random() * 0.2)
  }

  #fail(error: JwksError): void {
    const now = this.#pool.elapsed()
    this.#lastError = error
    this.#backoff.failed(now, error.retryAfter)
    const foreign = !this.#hadKeys && this.isAbsent && this.#pool.hasOtherKeys(this, now)
    if (foreign) this.#backoff.hold(now + this.#pool.refreshInterval)
  }
}
