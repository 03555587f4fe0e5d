/**
 * The key set endpoint of one issuer. It fetches one key set at a time (single-flight), replaces the keys as
 * a whole, schedules the next fetch, and finds keys by kid.
 */
import {
  CHANNELS,
  type DiagnosticsOrigin,
  publish,
  secondsBetween,
  type UnknownKidEvent,
} from '../diagnostics.ts'
import type { StaticKeys } from '../options/user-pool.ts'
import { Backoff } from '../util/backoff.ts'
import { withTimeout } from '../util/time.ts'
import { fetchJwks, JwksError } from './fetch-jwks.ts'
import { countChanges, type ImportedKey, importKeySet, type KeySet } from './jwk.ts'
import { decideUnknownKid, type FetchBudget, type UnknownKidState } from './unknown-kid.ts'

/** Longest a request waits for the refresh of a process that was suspended. */
const RESUME_TIMEOUT_MS = 1000
/** Requests of one issuer that may wait for a fetch: each holds a socket and its token. */
const MAX_WAITERS = 1000
/** Shortest `Retry-After` of a 503. */
const MIN_RETRY_AFTER_MS = 1000

/** The key set endpoint may have the kid, but it did not respond. */
export interface KeysUnavailable {
  readonly kind: 'unavailable'
  /** When to retry, in milliseconds. */
  readonly retryAfter: number
  readonly cause: JwksError | undefined
}

/** No key of the issuer has the kid. */
interface KeyUnknown {
  readonly kind: 'unknown'
}

/** Result of looking for a key. */
export type KeyLookup = ImportedKey | KeyUnknown | KeysUnavailable

const UNKNOWN: KeyUnknown = { kind: 'unknown' }

/** The pool around an issuer. */
interface IssuerContext {
  readonly origin: DiagnosticsOrigin
  /** Milliseconds; see {@link UnknownKidState.isRecent}. */
  readonly cooldownMs: number
  /** `now` is the system's clock, which advances by whole milliseconds only. */
  readonly isSystemClock: boolean
  /** Elapsed time, milliseconds; see {@link steadyClock}. */
  readonly elapsed: () => number
  readonly signal: AbortSignal
  /** Shared by the issuer forms of the pool. */
  readonly budget: FetchBudget
  /** All issuer forms of the pool. */
  readonly poolSources: readonly RemoteJwks[]
  /** Those of the same Region. */
  readonly regionSources: readonly RemoteJwks[]
}

/** Whether another of these issuer forms has valid keys. */
export function hasOtherKeys(
  sources: readonly RemoteJwks[],
  source: RemoteJwks,
  now: number,
): boolean {
  return sources.some((it) => it !== source && it.hasValidKeys(now))
}

/** Finds the keys of one issuer. {@link decideUnknownKid} decides how to answer an unknown kid. */
export class IssuerKeys {
  readonly source: RemoteJwks
  readonly #context: IssuerContext
  #resumeRefresh: Promise<void> | undefined
  #waiters = 0
  /** When the keys were last found to be valid, by the wall clock. */
  #checkedAt = Number.NaN

  constructor(source: RemoteJwks, context: IssuerContext) {
    this.source = source
    this.#context = context
  }

  /** Finds the key of a kid: synchronously if the key set contains it. */
  find(kid: string): KeyLookup | Promise<KeyLookup> {
    const now = this.#context.elapsed()
    this.#refreshIfDue(now)
    if (this.#resumeRefresh === undefined) return this.#findAt(kid, now)
    return this.#resumeRefresh.then(() => this.#findAt(kid, this.#context.elapsed()))
  }

  /**
   * Whether a key that was found before is still in the key set and the set is not too old. For tokens
   * that were verified with it: in every case of doubt false, so that {@link find} decides.
   *
   * Reading the monotonic clock costs half of all that a cached token costs. It is therefore read once
   * per reading of the wall clock (a millisecond): nothing ages within one.
   *
   * @param wall Wall clock, milliseconds.
   */
  isStillValid(key: ImportedKey, wall: number): boolean {
    if (wall !== this.#checkedAt || !this.#context.isSystemClock) {
      const now = this.#context.elapsed()
      this.#refreshIfDue(now)
      if (this.#resumeRefresh !== undefined || !this.source.hasValidKeys(now)) return false
      this.#checkedAt = wall
    }
    return this.source.contains(key)
  }

  /**
   * Refreshes in the background if a timer should have and did not. If timers were suspended, the keys
   * may be long revoked. Requests then wait for that refresh, but not for an endpoint that hangs.
   */
  #refreshIfDue(now: number): void {
    const { keys, nextFetchAt } = this.source.state
    if (keys === undefined || keys.isOffline || this.source.isFetching()) return
    const wasSuspended = this.source.wasSuspended(now)
    if (!wasSuspended && !(now >= nextFetchAt)) return
    const refreshed = this.source.refresh()
    if (!wasSuspended) return
    this.#resumeRefresh = withTimeout(RESUME_TIMEOUT_MS, refreshed).then(() => {
      this.#resumeRefresh = undefined
    })
  }

  #findAt(kid: string, now: number): KeyLookup | Promise<KeyLookup> {
    return this.source.getKey(kid, now) ?? this.#findUnknown(kid, now)
  }

  #findUnknown(kid: string, now: number): KeyLookup | Promise<KeyLookup> {
    const { fetchesStarted } = this.source.state
    const isQueueFull = this.#waiters >= MAX_WAITERS
    const answer = this.#tryAnswer(kid, { fetchesStarted, isQueueFull }, now)
    const lookup = answer ?? this.#waitForKey(kid, fetchesStarted)
    const isReported =
      this.source.hasValidKeys(now) && CHANNELS['cognito-m2m:unknown-kid'].hasSubscribers
    return isReported ? this.#publishUnknownKid(lookup, now) : lookup
  }

  async #publishUnknownKid(
    lookup: KeyLookup | Promise<KeyLookup>,
    startedAt: number,
  ): Promise<KeyLookup> {
    const answer = await lookup
    publish('cognito-m2m:unknown-kid', () => ({
      ...this.#context.origin,
      code: EVENT_CODES[answer.kind],
      duration: secondsBetween(startedAt, this.#context.elapsed()),
    }))
    return answer
  }

  /**
   * Waits for fetches until one decides. Ends: once a fetch that began after the request arrived has ended,
   * its result is the answer.
   */
  async #waitForKey(kid: string, fetchesStarted: number): Promise<KeyLookup> {
    const arrival = { fetchesStarted, isQueueFull: false }
    this.#waiters += 1
    try {
      let answer: KeyLookup | undefined
      while (answer === undefined) {
        await this.source.refresh()
        const now = this.#context.elapsed()
        answer = this.source.getKey(kid, now) ?? this.#tryAnswer(kid, arrival, now)
      }
      return answer
    } finally {
      this.#waiters -= 1
    }
  }

  /** @returns Undefined if a fetch has to be waited for. */
  #tryAnswer(kid: string, arrival: Arrival, now: number): KeyLookup | undefined {
    const decision = decideUnknownKid(this.#readState(kid, arrival, now))
    if (decision === 'wait' || decision === 'fetch') return undefined
    if (decision === 'closed') {
      return { kind: 'unavailable', retryAfter: MIN_RETRY_AFTER_MS, cause: undefined }
    }
    const isConditional = decision === 'fetch-or-reject' || decision === 'fetch-or-unavailable'
    if (isConditional && this.#context.budget.take(now, this.source)) return undefined
    if (decision === 'reject' || decision === 'fetch-or-reject') return UNKNOWN
    const { backoffUntil, lastError } = this.source.state
    const retryAfter = Math.max(MIN_RETRY_AFTER_MS, backoffUntil - now)
    return { kind: 'unavailable', retryAfter, cause: lastError }
  }

  #readState(kid: string, arrival: Arrival, now: number): UnknownKidState {
    const { source } = this
    const { cooldownMs, signal, poolSources, regionSources } = this.#context
    const { keys, fetchesStarted, backoffUntil } = source.state
    const hasOther = hasOtherKeys(poolSources, source, now)
    const isOtherInUse = keys === undefined && hasOtherKeys(regionSources, source, now)
    return {
      isOffline: keys?.isOffline === true,
      isQueueFull: arrival.isQueueFull,
      isClosed: signal.aborted,
      isFetching: source.isFetching(),
      hasValidKeys: source.hasValidKeys(now),
      hasOtherKeys: hasOther,
      hasNewerKeys: keys !== undefined && keys.fetchNumber > arrival.fetchesStarted,
      wasFetched: fetchesStarted > arrival.fetchesStarted,
      isBackingOff: now < backoffUntil || Number.isNaN(now),
      isRecent: keys !== undefined && now - keys.receivedAt < cooldownMs,
      isUnusable: keys?.set.unusable.has(kid) === true,
      // A Region uses one form, and the endpoint of the other one may say so itself. A replica whose
      // endpoint fails is still in use: its tokens could not be verified.
      isUnusedForm: source.isAbsent() ? hasOther : isOtherInUse,
    }
  }
}

/** What was known when a request arrived. */
interface Arrival {
  /** Only a fetch that begins later can prove a kid unknown. */
  readonly fetchesStarted: number
  readonly isQueueFull: boolean
}

const EVENT_CODES: Readonly<Record<KeyLookup['kind'], UnknownKidEvent['code']>> = {
  key: null,
  unknown: 'ERR_KEY_UNKNOWN',
  unavailable: 'ERR_KEYS_UNAVAILABLE',
}

/** How a key set is fetched, and how long it is trusted. */
export interface RemoteJwksOptions {
  readonly origin: DiagnosticsOrigin
  readonly refreshIntervalMs: number
  readonly maxStaleMs: number
  readonly fetchTimeoutMs: number
  readonly fetch: typeof globalThis.fetch
  /** Wall clock, milliseconds. */
  readonly now: () => number
  /** Elapsed time, milliseconds; see {@link steadyClock}. */
  readonly elapsed: () => number
  /** Ends fetches. */
  readonly signal: AbortSignal
  /** A fetch succeeded or failed. Called when the state is complete, before events are published. */
  readonly onFetchEnd: (source: RemoteJwks) => void
}

/** The keys that tokens are verified with. Replaced as a whole. */
interface KeysInForce {
  readonly set: KeySet
  /** They are the only ones there are: nothing is fetched. */
  readonly isOffline: boolean
  /** Which fetch brought them, counted from 1; 0 for keys from the options. */
  readonly fetchNumber: number
  /** When they were requested, in elapsed milliseconds. Their age counts from here. */
  readonly requestedAt: number
  /** When that fetch ended. */
  readonly receivedAt: number
}

/** Where a key set stands. A snapshot: each change makes a new one. Times are elapsed milliseconds. */
interface JwksState {
  /** Undefined before the first successful fetch. Old keys stay here, see {@link RemoteJwks.hasValidKeys}. */
  readonly keys: KeysInForce | undefined
  /** Undefined unless the last fetch failed. */
  readonly lastError: JwksError | undefined
  readonly fetchesStarted: number
  /** No fetch before: the last one failed. 0 otherwise. */
  readonly backoffUntil: number
  /** When the next fetch is due. */
  readonly nextFetchAt: number
}

type Download =
  | { readonly kind: 'downloaded'; readonly set: KeySet }
  | { readonly kind: 'failed'; readonly error: JwksError }

/** The key set of one issuer, as its endpoint publishes it. */
export class RemoteJwks {
  readonly issuer: string
  readonly #uri: string
  readonly #options: RemoteJwksOptions
  readonly #backoff = new Backoff()
  #state: JwksState = {
    keys: undefined,
    lastError: undefined,
    fetchesStarted: 0,
    backoffUntil: 0,
    nextFetchAt: 0,
  }
  #fetchInFlight: Promise<void> | undefined
  /** When the last fetch began, by both clocks. */
  #lastFetch: { readonly elapsed: number; readonly wall: number }

  constructor(issuer: string, uri: string, options: RemoteJwksOptions) {
    this.issuer = issuer
    this.#uri = uri
    this.#options = options
    this.#lastFetch = { elapsed: 0, wall: options.now() }
  }

  get state(): JwksState {
    return this.#state
  }

  /** Uses keys from the options: for good if they are offline, else until the first successful fetch. */
  seed({ keySet, isOffline }: StaticKeys): void {
    const receivedAt = Number.NEGATIVE_INFINITY
    const keys = { set: keySet, isOffline, fetchNumber: 0, requestedAt: 0, receivedAt }
    this.#state = { ...this.#state, keys }
  }

  /** Drops keys from the options that no fetch of this endpoint has replaced. */
  dropSeed(): void {
    if (this.#state.keys?.fetchNumber === 0) this.#state = { ...this.#state, keys: undefined }
  }

  /** Postpones the next fetch: the endpoint gave a definite answer. */
  postpone(until: number): void {
    this.#state = { ...this.#state, backoffUntil: until, nextFetchAt: until }
  }

  /** The endpoint said that the pool does not use this form: Cognito responds with 403 or 404 then. */
  isAbsent(): boolean {
    const status = this.#state.lastError?.status
    return status === 403 || status === 404
  }

  /** Age of the keys in milliseconds; undefined if there are none. */
  getAge(now: number): number | undefined {
    const { keys } = this.#state
    if (keys === undefined) return undefined
    return keys.isOffline ? 0 : now - keys.requestedAt
  }

  /** There are keys, and they are not older than `maxStale`. */
  hasValidKeys(now: number): boolean {
    const age = this.getAge(now)
    return age !== undefined && age <= this.#options.maxStaleMs
  }

  /** The valid key of a kid. Never fetches. */
  getKey(kid: string, now: number): ImportedKey | undefined {
    return this.hasValidKeys(now) ? this.#state.keys?.set.usable.get(kid) : undefined
  }

  /** Whether a key is in the set, however old that is. */
  contains(key: ImportedKey): boolean {
    return this.#state.keys?.set.usable.get(key.kid) === key
  }

  /**
   * Whether timers were suspended, as in a frozen process. Then the next fetch is overdue by a whole interval,
   * or the wall clock and the monotonic clock have diverged by one.
   */
  wasSuspended(now: number): boolean {
    const { refreshIntervalMs } = this.#options
    const { elapsed, wall } = this.#lastFetch
    const driftMs = Math.abs(this.#options.now() - wall - (now - elapsed))
    return now - this.#state.nextFetchAt > refreshIntervalMs || driftMs > refreshIntervalMs
  }

  isFetching(): boolean {
    return this.#fetchInFlight !== undefined
  }

  /** Fetches now, unless a fetch is in flight. Resolves when it ends, never rejects. */
  refresh(): Promise<void> {
    this.#fetchInFlight ??= this.#fetch()
    return this.#fetchInFlight
  }

  async #fetch(): Promise<void> {
    const { now, elapsed, origin } = this.#options
    const startedAt = elapsed()
    this.#state = { ...this.#state, fetchesStarted: this.#state.fetchesStarted + 1 }
    this.#lastFetch = { elapsed: startedAt, wall: now() }
    const outcome = await this.#download()
    // Before the events: a request of a subscriber may cause the next fetch.
    this.#fetchInFlight = undefined
    if (outcome.kind === 'failed') this.#fail(outcome.error)
    else this.#accept(outcome.set, startedAt)
    publish('cognito-m2m:fetch', () => ({
      ...origin,
      code: this.#state.lastError?.code ?? null,
      duration: secondsBetween(startedAt, elapsed()),
    }))
  }

  /** Every error is a failed fetch: a rejection would be unhandled and end the process. */
  async #download(): Promise<Download> {
    const { fetch, now, signal, fetchTimeoutMs } = this.#options
    try {
      const document = await fetchJwks(this.#uri, { fetch, now, signal, timeoutMs: fetchTimeoutMs })
      const set = importKeySet(document, this.#state.keys?.set)
      if (set === undefined) throw new JwksError('ERR_JWKS_NO_USABLE_KEY')
      return { kind: 'downloaded', set }
    } catch (error) {
      return { kind: 'failed', error: error as JwksError }
    }
  }

  #accept(set: KeySet, requestedAt: number): void {
    const { elapsed, origin, refreshIntervalMs, onFetchEnd } = this.#options
    const changes = countChanges(set, this.#state.keys?.set)
    const receivedAt = elapsed()
    const fetchNumber = this.#state.fetchesStarted
    this.#backoff.succeeded()
    this.#state = {
      ...this.#state,
      keys: { set, isOffline: false, fetchNumber, requestedAt, receivedAt },
      lastError: undefined,
      backoffUntil: 0,
      // Jitter: the instances of a fleet that started together do not fetch together.
      nextFetchAt: receivedAt + refreshIntervalMs * (0.9 + Math.random() * 0.2),
    }
    onFetchEnd(this)
    if (changes.added + changes.removed === 0) return
    publish('cognito-m2m:jwks-change', () => ({ ...origin, keys: set.usable.size, ...changes }))
  }

  #fail(error: JwksError): void {
    const { elapsed, origin, onFetchEnd } = this.#options
    const now = elapsed()
    this.#backoff.failed(now, error.retryAfter)
    const { until } = this.#backoff
    this.#state = { ...this.#state, lastError: error, backoffUntil: until, nextFetchAt: until }
    onFetchEnd(this)
    const ageMs = this.getAge(now)
    publish('cognito-m2m:jwks-error', () => ({
      ...origin,
      code: error.code,
      status: error.status ?? null,
      errno: error.errno ?? null,
      keysAge: ageMs === undefined ? null : ageMs / 1000,
      nextAttempt: (this.#state.backoffUntil - now) / 1000,
    }))
  }
}
