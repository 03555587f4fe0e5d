/**
 * One issuer's key set endpoint: one fetch at a time, the key set in force, swapped whole, and when
 * the next fetch is due.
 */

import { type DiagnosticsOrigin, secondsBetween, tell } from '../diagnostics.ts'
import type { GivenKeys } from '../options/user-pool.ts'
import { Backoff } from '../util/backoff.ts'
import { fetchJwks, JwksError } from './fetch-jwks.ts'
import { changesOf, type ImportedKey, importKeySet, type KeySet } from './jwk.ts'

/** The pool around an endpoint. All durations in milliseconds. */
export interface SourceContext {
  readonly origin: DiagnosticsOrigin
  readonly refreshInterval: number
  readonly maxStale: number
  readonly fetchTimeout: number
  readonly fetch: typeof globalThis.fetch
  /** Wall clock, milliseconds. */
  readonly now: () => number
  /** Elapsed time, milliseconds; see {@link steadyClock}. */
  readonly elapsed: () => number
  readonly signal: AbortSignal
  /** Whether another issuer form of the pool has keys in force. */
  hasOtherKeys(than: KeySource, now: number): boolean
  /** A fetch brought keys. */
  accepted(by: KeySource): void
  /** A fetch ended, well or not. */
  settled(): void
}

/** See the module. */
export class KeySource {
  readonly issuer: string
  readonly #uri: string
  readonly #pool: SourceContext
  readonly #backoff = new Backoff()
  #keySet: KeySet | undefined
  /** When the keys in force were asked for. */
  #freshAt = 0
  #endedAt = Number.NEGATIVE_INFINITY
  #offline = false
  #hadKeys = false
  #flight: Promise<void> | undefined
  #begun = 0
  #from = 0
  #attemptAt = 0
  #attemptWall: number
  #dueAt = 0
  #lastError: JwksError | undefined

  constructor(issuer: string, uri: string, pool: SourceContext) {
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

  /** Lets go of given keys that no fetch of its own replaced. Where they are offline, nothing fetches. */
  outgrowGiven(): void {
    if (this.#from > 0) return
    this.#keySet = undefined
    this.#hadKeys = false
  }

  /** The keys in force are the only ones there are: nothing is fetched. */
  get isOffline(): boolean {
    return this.#offline
  }

  get hadKeys(): boolean {
    return this.#hadKeys
  }

  get lastError(): JwksError | undefined {
    return this.#lastError
  }

  get isFetching(): boolean {
    return this.#flight !== undefined
  }

  /** Fetches begun so far. */
  get begun(): number {
    return this.#begun
  }

  /** Which of the fetches brought the keys in force. */
  get from(): number {
    return this.#from
  }

  /** When the fetch that brought the keys in force ended. */
  get endedAt(): number {
    return this.#endedAt
  }

  /** No attempt before: the last one failed. */
  get backoffUntil(): number {
    return this.#backoff.until
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
  peek(kid: string, now: number): ImportedKey | undefined {
    return this.isLive(now) ? this.#keySet?.usable.get(kid) : undefined
  }

  /** The key is in the set in force, however old that is. */
  lists(key: ImportedKey): boolean {
    return this.#keySet?.usable.get(key.kid) === key
  }

  /** The set in force lists the kid, but its key could not be imported. */
  isUnusable(kid: string): boolean {
    return this.#keySet?.unusable.has(kid) === true
  }

  /**
   * Timers slept (a frozen process): the next fetch is overdue by a whole interval, or wall and
   * monotonic clock went apart by one.
   */
  hasSlept(now: number): boolean {
    const { refreshInterval } = this.#pool
    const drift = Math.abs(this.#pool.now() - this.#attemptWall - (now - this.#attemptAt))
    return now - this.nextAt > refreshInterval || drift > refreshInterval
  }

  /** Fetches now, unless a fetch is under way; settles with it, never rejects. */
  refresh(): Promise<void> {
    this.#flight ??= this.#fetch().finally(() => {
      this.#flight = undefined
      this.#pool.settled()
    })
    return this.#flight
  }

  async #fetch(): Promise<void> {
    const begunAt = this.#pool.elapsed()
    const { fetch, now, signal, fetchTimeout, origin } = this.#pool
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
    tell('cognito-m2m:fetch', () => ({
      ...origin,
      code: this.#lastError?.code ?? null,
      duration: secondsBetween(begunAt, this.#pool.elapsed()),
    }))
  }

  #accept(keySet: KeySet, begunAt: number): void {
    const changes = changesOf(keySet, this.#keySet)
    this.#keySet = keySet
    this.#hadKeys = true
    this.#freshAt = begunAt
    this.#endedAt = this.#pool.elapsed()
    this.#from = this.#begun
    this.#backoff.succeeded()
    this.#lastError = undefined
    this.#pool.accepted(this)
    // Spread, so that the instances of a fleet started together do not ask together.
    this.#dueAt = this.#endedAt + this.#pool.refreshInterval * (0.9 + Math.random() * 0.2)
    if (changes.added + changes.removed === 0) return
    const { origin } = this.#pool
    tell('cognito-m2m:swap', () => ({ ...origin, keys: keySet.usable.size, ...changes }))
  }

  #fail(error: JwksError): void {
    const { elapsed, origin, refreshInterval } = this.#pool
    const now = elapsed()
    this.#lastError = error
    this.#backoff.failed(now, error.retryAfter)
    const foreign = !this.#hadKeys && this.isAbsent && this.#pool.hasOtherKeys(this, now)
    if (foreign) this.#backoff.hold(now + refreshInterval)
    const age = this.age(now)
    tell('cognito-m2m:failure', () => ({
      ...origin,
      code: error.code,
      status: error.status ?? null,
      errno: error.errno ?? null,
      keysAge: age === undefined ? null : age / 1000,
      nextAttempt: (this.#backoff.until - now) / 1000,
    }))
  }
}
