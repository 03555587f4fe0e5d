/**
 * One issuer's key set endpoint: one fetch at a time, the key set in force, swapped whole, and when
 * the next fetch is due.
 */
import {
  type DiagnosticsOrigin,
  hasSubscribers,
  publish,
  secondsBetween,
  type UnknownKidEvent,
} from '../diagnostics.ts'
import type { StaticKeys } from '../options/user-pool.ts'
import { withTimeout } from '../util/async.ts'
import { Backoff } from '../util/backoff.ts'
import { has } from '../util/own-member.ts'
import { fetchJwks, JwksError } from './fetch-jwks.ts'
import { changesOf, type ImportedKey, importKeySet, type KeySet } from './jwk.ts'

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
export type KeyLookup = ImportedKey | 'ERR_KEY_UNKNOWN' | KeysUnavailable

/** The pool around an issuer. All durations in milliseconds. */
interface IssuerContext extends SourceContext {
  readonly cooldown: number
  /** `now` is the system's clock: it stands still for less than anything here takes. */
  readonly isSystemClock: boolean
  /** Spends one fetch of a form for an unknown kid. */
  spend(now: number, form: RemoteJwks): boolean
  /** Whether another form of the same Region has keys in force. */
  usesOtherForm(than: RemoteJwks, now: number): boolean
}

/**
 * Finds the keys of one issuer, and decides between "this key is unknown" and "it could not be
 * judged".
 */
export class IssuerKeys {
  readonly source: RemoteJwks
  readonly #pool: IssuerContext
  #waking: Promise<void> | undefined
  #waiters = 0
  /** When keys were last found to be fresh enough, on the wall clock. */
  #freshAt = Number.NaN

  constructor(issuer: string, uri: string, pool: IssuerContext) {
    this.source = new RemoteJwks(issuer, uri, pool)
    this.#pool = pool
  }

  /** Finds the key of a kid; at once where it is known. */
  find(kid: string): KeyLookup | Promise<KeyLookup> {
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
   * whatever is not plainly so is left to {@link getValue}.
   *
   * Reading the monotonic clock costs half of all that a known token costs, so it is read once per
   * reading of the wall clock (a millisecond): nothing ages within one.
   *
   * @param wall Wall clock, milliseconds.
   */
  isStillValid(key: ImportedKey, wall: number): boolean {
    if (wall !== this.#freshAt || !this.#pool.isSystemClock) {
      const now = this.#pool.elapsed()
      this.#keepFresh(now)
      if (this.#waking !== undefined || !this.source.isLive(now)) return false
      this.#freshAt = wall
    }
    return this.source.contains(key)
  }

  /**
   * Refreshes in the background where a timer should have and did not. Where timers slept, the keys
   * may be long revoked, so requests wait for that refresh, but not for an endpoint that hangs.
   */
  #keepFresh(now: number): void {
    const { isOffline, hadKeys, isFetching } = this.source
    if (isOffline || !hadKeys || isFetching) return
    const slept = this.source.wasSuspended(now)
    if (!slept && !(now >= this.source.nextAt)) return
    const refreshed = this.source.refresh()
    if (!slept) return
    this.#waking = withTimeout(WAKE_WAIT, refreshed).then(() => {
      this.#waking = undefined
    })
  }

  #lookFor(kid: string, now: number): KeyLookup | Promise<KeyLookup> {
    const answer = this.source.isOffline ? this.#unknown(kid, now) : this.#wait(kid)
    const isNews = this.source.isLive(now) && hasSubscribers('cognito-m2m:unknown-kid')
    return isNews ? this.#tellUnknownKid(answer, now) : answer
  }

  async #tellUnknownKid(looked: KeyLookup | Promise<KeyLookup>, begun: number): Promise<KeyLookup> {
    const answer = await looked
    publish('cognito-m2m:unknown-kid', () => ({
      ...this.#pool.origin,
      code: codeOf(answer),
      duration: secondsBetween(begun, this.#pool.elapsed()),
    }))
    return answer
  }

  async #wait(kid: string): Promise<KeyLookup> {
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
  async #fetchFor(kid: string, begun: number): Promise<KeyLookup> {
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
  #unknown(kid: string, now: number): KeyLookup {
    return this.source.isUnusable(kid) ? this.#unavailable(now) : 'ERR_KEY_UNKNOWN'
  }

  /**
   * A form that the pool does not use is no reason to doubt a healthy pool: otherwise unauthenticated callers
   * could produce 503s by naming it. A Region uses one form; its endpoint may also say so itself. A replica
   * whose endpoint fails is used all the same: its tokens could not be verified.
   */
  #unavailable(now: number): KeyLookup {
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

function codeOf(answer: KeyLookup): UnknownKidEvent['code'] {
  if (typeof answer === 'string') return answer
  return has(answer, 'retryAfter') ? 'ERR_KEYS_UNAVAILABLE' : null
}

/** The pool around an endpoint. All durations in milliseconds. */
interface SourceContext {
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
  hasOtherKeys(than: RemoteJwks, now: number): boolean
  /** A fetch brought keys. */
  accepted(by: RemoteJwks): void
  /** A fetch ended, well or not. */
  settled(): void
}

/** See the module. */
export class RemoteJwks {
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
  seed({ keySet, offline }: StaticKeys): void {
    this.#keySet = keySet
    this.#offline = offline
    this.#hadKeys = true
  }

  /** Lets go of given keys that no fetch of its own replaced. Where they are offline, nothing fetches. */
  dropSeed(): void {
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
  contains(key: ImportedKey): boolean {
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
  wasSuspended(now: number): boolean {
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
    publish('cognito-m2m:fetch', () => ({
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
    publish('cognito-m2m:jwks-change', () => ({ ...origin, keys: keySet.usable.size, ...changes }))
  }

  #fail(error: JwksError): void {
    const { elapsed, origin, refreshInterval } = this.#pool
    const now = elapsed()
    this.#lastError = error
    this.#backoff.failed(now, error.retryAfter)
    const foreign = !this.#hadKeys && this.isAbsent && this.#pool.hasOtherKeys(this, now)
    if (foreign) this.#backoff.hold(now + refreshInterval)
    const age = this.age(now)
    publish('cognito-m2m:jwks-error', () => ({
      ...origin,
      code: error.code,
      status: error.status ?? null,
      errno: error.errno ?? null,
      keysAge: age === undefined ? null : age / 1000,
      nextAttempt: (this.#backoff.until - now) / 1000,
    }))
  }
}
