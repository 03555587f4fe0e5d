/**
 * The key store of one user pool: its issuer forms, the timer that refreshes their keys, its status, and
 * its log lines.
 */
import type { DiagnosticsOrigin } from '../diagnostics.ts'
import type { Logger } from '../options/logger.ts'
import type { IssuerForm, StaticKeys } from '../options/user-pool.ts'
import { safeClock, steadyClock } from '../util/time.ts'
import type { JwksError, JwksErrorCode } from './fetch-jwks.ts'
import { hasOtherKeys, IssuerKeys, RemoteJwks } from './remote-jwks.ts'
import { FetchBudget } from './unknown-kid.ts'

/** The system's clock, before a test can replace it with one that stands still. */
const systemNow = Date.now
/** Age from which stale keys are logged. */
const STALE_WARNING_MS = 15 * 60_000
/** Time until the next look at a clock that cannot be read. */
const UNREADABLE_CLOCK_RETRY_MS = 1000

/** When keys are fetched and how long they are trusted. */
export interface KeyStoreTiming {
  readonly startup: 'warn' | 'require'
  readonly refreshIntervalMs: number
  readonly cooldownMs: number
  readonly maxStaleMs: number
  readonly fetchTimeoutMs: number
}

/** Validated configuration of a key store. */
export interface KeyStoreConfig extends DiagnosticsOrigin {
  /** In each Region, the original form comes first. */
  readonly issuers: readonly IssuerForm[]
  readonly staticKeys: StaticKeys | undefined
  readonly timing: KeyStoreTiming
  readonly fetch: typeof globalThis.fetch
  readonly now: () => number
  readonly monotonicNow: () => number
  readonly logger: Logger
}

/** State of a pool's keys. */
export interface KeyStoreStatus {
  /** The pool has had keys. For readiness probes, never for liveness. */
  readonly ready: boolean
  /** Seconds since the newest keys were requested; null if there are none. */
  readonly keysAge: number | null
  /** Why the last fetch failed; null if it succeeded. */
  readonly lastError: JwksErrorCode | null
  /** Seconds until the next fetch; null for offline keys. */
  readonly nextAttempt: number | null
}

/** No keys could be fetched at start, and `keyStore.startup` is `'require'`. */
export class StartupError extends Error {
  override readonly name = 'StartupError'
  readonly code = 'ERR_KEYS_UNAVAILABLE'
}

/** The keys of one user pool. It reads the state of its issuer forms after each of their fetches. */
export class KeyStore {
  readonly issuers: readonly IssuerKeys[]
  readonly #sources: readonly RemoteJwks[]
  /** The same by Region, the pool's own first. */
  readonly #regions: readonly (readonly RemoteJwks[])[]
  readonly #config: KeyStoreConfig
  readonly #elapsed: () => number
  readonly #closing = new AbortController()
  readonly #started: Promise<void>
  #timer: NodeJS.Timeout | undefined
  /** Between the fetches of two forms nothing is decided yet: no log line, no retry. */
  #isStarting = false
  /** Bad keys were logged, and their recovery was not yet. */
  #isAlarmed = false

  constructor(config: KeyStoreConfig) {
    this.#config = config
    this.#elapsed = steadyClock(safeClock(config.monotonicNow))
    this.#sources = this.#createSources()
    this.#regions = [...new Set(config.issuers.map(({ region }) => region))].map((region) =>
      this.#sources.filter((_, index) => (config.issuers[index] as IssuerForm).region === region),
    )
    const budget = new FetchBudget(config.timing.cooldownMs)
    this.issuers = this.#sources.map(
      (source) =>
        new IssuerKeys(source, {
          origin: { instance: config.instance, userPoolId: config.userPoolId },
          cooldownMs: config.timing.cooldownMs,
          isSystemClock: config.now === systemNow,
          elapsed: this.#elapsed,
          signal: this.#closing.signal,
          budget,
          poolSources: this.#sources,
          regionSources: this.#getRegion(source),
        }),
    )
    const { staticKeys } = config
    if (staticKeys !== undefined) for (const it of this.#sources) it.seed(staticKeys)
    this.#started = staticKeys?.isOffline === true ? Promise.resolve() : this.#start()
  }

  #createSources(): readonly RemoteJwks[] {
    const { issuers, timing, instance, userPoolId, fetch, now } = this.#config
    const { refreshIntervalMs, maxStaleMs, fetchTimeoutMs } = timing
    const options = {
      origin: { instance, userPoolId },
      refreshIntervalMs,
      maxStaleMs,
      fetchTimeoutMs,
      fetch,
      now: safeClock(now),
      elapsed: this.#elapsed,
      signal: this.#closing.signal,
      onFetchEnd: (source: RemoteJwks) => this.#onFetchEnd(source),
    }
    return issuers.map(({ issuer, jwksUri }) => new RemoteJwks(issuer, jwksUri, options))
  }

  /**
   * Resolves when the first fetch has ended.
   *
   * @throws {StartupError} if keys are required at start and could not be fetched.
   */
  async ready(): Promise<void> {
    await this.#started
    const { timing, userPoolId } = this.#config
    const failed = this.#sources.find((it) => it.state.lastError !== undefined)
    if (timing.startup === 'warn' || this.#hasKeys()) return
    throw new StartupError(
      `cognito-m2m: no keys for user pool ${userPoolId}: check issuer, jwksUri and egress, or set keyStore.startup to 'warn'`,
      { cause: failed?.state.lastError },
    )
  }

  status(): KeyStoreStatus {
    const now = this.#elapsed()
    const ages = this.#sources.map((it) => it.getAge(now)).filter((age) => age !== undefined)
    const isOffline = this.#config.staticKeys?.isOffline === true
    return {
      ready: this.#hasKeys(),
      keysAge: ages.length === 0 ? null : Math.min(...ages) / 1000,
      lastError: this.#findFailed()?.state.lastError?.code ?? null,
      nextAttempt: isOffline ? null : Math.max(0, this.#nextFetchAt() - now) / 1000,
    }
  }

  /** The issuer forms that tokens come from, as far as is known. */
  issuersInUse(): readonly string[] {
    return this.#listRefreshed().map(({ issuer }) => issuer)
  }

  /** Stops the timer and every fetch. Keys are no longer found. */
  close(): void {
    clearTimeout(this.#timer)
    this.#closing.abort()
  }

  /**
   * Fetches the original form, and the updated one if the pool does not use the original. Forms of a replica's
   * Region only if those before have no keys: a pool has to become ready while its own Region is down.
   */
  async #start(): Promise<void> {
    this.#isStarting = true
    for (const [original, updated] of this.#regions as readonly [RemoteJwks, RemoteJwks?][]) {
      const { lastError, nextFetchAt } = original.state
      if (lastError !== undefined && nextFetchAt > this.#elapsed()) continue
      await original.refresh()
      if (original.isAbsent()) await updated?.refresh()
      if (this.#hasKeys()) break
    }
    this.#isStarting = false
    this.#update()
  }

  #getRegion(source: RemoteJwks): readonly RemoteJwks[] {
    return this.#regions.find((region) => region.includes(source)) as readonly RemoteJwks[]
  }

  #onFetchEnd(source: RemoteJwks): void {
    const now = this.#elapsed()
    const { keys, lastError } = source.state
    if (lastError === undefined) this.#dropSeeds(source)
    else if (keys === undefined && source.isAbsent() && hasOtherKeys(this.#sources, source, now)) {
      source.postpone(now + this.#config.timing.refreshIntervalMs)
    }
    this.#update()
  }

  /**
   * Drops keys from the options once a form has fetched its own. A Region uses one form: the other one's copy
   * would outlive its revocation. So would that of another Region, unless its endpoint could not be reached.
   */
  #dropSeeds(fetched: RemoteJwks): void {
    const region = this.#getRegion(fetched)
    for (const it of this.#sources) {
      const isDown = it.state.lastError !== undefined && !it.isAbsent()
      if (region.includes(it) || !isDown) it.dropSeed()
    }
  }

  #hasKeys(): boolean {
    return this.#sources.some((it) => it.state.keys !== undefined)
  }

  /** The forms whose keys are refreshed: those in use, or the first of each Region while none is. */
  #listRefreshed(): readonly RemoteJwks[] {
    const used = this.#sources.filter((it) => it.state.keys !== undefined)
    return used.length > 0 ? used : this.#regions.flatMap((region) => region.slice(0, 1))
  }

  #findFailed(): RemoteJwks | undefined {
    return this.#listRefreshed().find((it) => it.state.lastError !== undefined)
  }

  #nextFetchAt(): number {
    return Math.min(...this.#listRefreshed().map((it) => it.state.nextFetchAt))
  }

  #update(): void {
    if (this.#isStarting || this.#closing.signal.aborted) return
    this.#log()
    this.#schedule()
  }

  /** The timer never keeps the process running. Each use of a key looks at the clock as well. */
  #schedule(): void {
    clearTimeout(this.#timer)
    const waitMs = Math.max(0, this.#nextFetchAt() - this.#elapsed())
    const delayMs = Number.isNaN(waitMs) ? UNREADABLE_CLOCK_RETRY_MS : waitMs
    this.#timer = setTimeout(() => this.#refreshDue(), delayMs).unref()
  }

  #refreshDue(): void {
    const now = this.#elapsed()
    const due = this.#listRefreshed().filter((it) => !(it.state.nextFetchAt > now))
    if (due.length === 0 || Number.isNaN(now)) this.#schedule()
    else if (this.#hasKeys()) for (const it of due) void it.refresh()
    else void this.#start()
  }

  /** One line when a pool's keys cannot be fetched, one when they can again. */
  #log(): void {
    const { logger, userPoolId } = this.#config
    const failed = this.#findFailed()
    if (failed === undefined) {
      if (this.#isAlarmed) logger.info({ userPoolId }, 'cognito-m2m: the key set is fresh again')
      this.#isAlarmed = false
      return
    }
    const ageMs = failed.getAge(this.#elapsed())
    if (this.#isAlarmed || (ageMs !== undefined && ageMs < STALE_WARNING_MS)) return
    this.#isAlarmed = true
    const { code, errno, status, bytes } = failed.state.lastError as JwksError
    const details = { userPoolId, code, errno, status, bytes }
    if (ageMs === undefined) {
      logger.warn(details, 'cognito-m2m: no key set yet: requests with a token get 503')
    } else {
      logger.error({ ...details, keysAge: ageMs / 1000 }, 'cognito-m2m: the key set is stale')
    }
  }
}
