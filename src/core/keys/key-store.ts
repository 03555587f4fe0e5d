/**
 * The key store of one user pool: its issuer forms, the fetch budget they share, the timer that
 * refreshes them, and what operators are told.
 */
import type { DiagnosticsOrigin } from '../diagnostics.ts'
import type { Logger } from '../options/logger.ts'
import type { IssuerForm, StaticKeys } from '../options/user-pool.ts'
import { safeClock, steadyClock } from '../util/clock.ts'
import type { JwksError, JwksErrorCode } from './fetch-jwks.ts'
import { IssuerKeys, type RemoteJwks } from './remote-jwks.ts'

/** Fetches at once before the cooldown counts. */
const CAPACITY = 3

/** What one issuer form took of the budget. */
interface Share {
  /** Number of its last fetch, counted over all forms; 0 before the first one. */
  taken: number
  /** When it was last denied a fetch and has had none since. */
  deniedAt: number
}

/**
 * A token bucket: three fetches, one more every cooldown. A pool's issuer forms share it. What comes back
 * goes to the waiting form that was served least recently, so a flood on one form cannot starve another.
 */
export class FetchBudget {
  readonly #cooldown: number
  readonly #shares = new Map<unknown, Share>()
  #left = CAPACITY
  #since = 0
  #taken = 0

  /** @param cooldown Milliseconds until a spent fetch comes back. */
  constructor(cooldown: number) {
    this.#cooldown = cooldown
  }

  /**
   * Spends one fetch if there is one.
   *
   * @param form Who asks: any value that stands for an issuer form.
   */
  take(now: number, form?: unknown): boolean {
    const back = Math.floor((now - this.#since) / this.#cooldown)
    if (this.#left + back >= CAPACITY) {
      this.#left = CAPACITY
      this.#since = now
    } else {
      this.#left += back
      this.#since += back * this.#cooldown
    }
    const share = this.#shares.get(form) ?? { taken: 0, deniedAt: Number.NEGATIVE_INFINITY }
    this.#shares.set(form, share)
    if (this.#left <= this.#countAhead(share, now)) {
      share.deniedAt = now
      return false
    }
    this.#left -= 1
    this.#taken += 1
    share.taken = this.#taken
    share.deniedAt = Number.NEGATIVE_INFINITY
    return true
  }

  /** Waiting forms that were served before this one was. One that stopped asking loses its turn. */
  #countAhead({ taken }: Share, now: number): number {
    const patience = CAPACITY * this.#cooldown
    const shares = [...this.#shares.values()]
    return shares.filter((it) => it.taken < taken && now - it.deniedAt < patience).length
  }
}

/** As it was before any test replaced it with one that stands still. */
const systemNow = Date.now
/** Age at which stale keys are worth a log line, in milliseconds. */
const STALE_WARNING = 15 * 60_000
/** When to look again while the clock tells no time, in milliseconds. */
const TIMELESS_WAIT = 1000

/** Durations in milliseconds. */
export interface KeyStoreTiming {
  readonly startup: 'warn' | 'require'
  readonly refreshInterval: number
  readonly cooldown: number
  readonly maxStale: number
  readonly fetchTimeout: number
}

/** What a key store is made of, checked before. */
export interface KeyStoreConfig extends DiagnosticsOrigin {
  /** Of each Region the original form first. */
  readonly issuers: readonly IssuerForm[]
  readonly given: StaticKeys | undefined
  readonly timing: KeyStoreTiming
  readonly fetch: typeof globalThis.fetch
  readonly now: () => number
  readonly monotonicNow: () => number
  readonly logger: Logger
}

/** A pool's keys as operators see them. */
export interface KeyStoreStatus {
  /** The pool has had keys. For readiness probes, never for liveness. */
  readonly ready: boolean
  /** Seconds since the newest keys were asked for; null where there are none. */
  readonly keysAge: number | null
  /** Why the last fetch failed; null where it did not. */
  readonly lastError: JwksErrorCode | null
  /** Seconds until the next fetch; null for offline keys. */
  readonly nextAttempt: number | null
}

/** Keys could not be had at start, and `keyStore.startup` is `'require'`. */
export class StartupError extends Error {
  override readonly name = 'StartupError'
  readonly code = 'ERR_KEYS_UNAVAILABLE'
}

/** See the module. */
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
  /** Between the two forms nothing is known yet: no alarm, no retry. */
  #starting = false
  /** Operators were told that keys went bad, and not yet that they are well again. */
  #alarmed = false

  constructor(config: KeyStoreConfig) {
    this.#config = config
    this.#elapsed = steadyClock(safeClock(config.monotonicNow))
    const budget = new FetchBudget(config.timing.cooldown)
    this.issuers = config.issuers.map(
      ({ issuer, jwksUri }) =>
        new IssuerKeys(issuer, jwksUri, {
          ...config.timing,
          origin: { instance: config.instance, userPoolId: config.userPoolId },
          fetch: config.fetch,
          now: safeClock(config.now),
          isSystemClock: config.now === systemNow,
          elapsed: this.#elapsed,
          signal: this.#closing.signal,
          spend: (now, form) => budget.take(now, form),
          hasOtherKeys: (than, now) => this.#sources.some((it) => it !== than && it.isLive(now)),
          usesOtherForm: (than, now) =>
            this.#regionOf(than).some((it) => it !== than && it.isLive(now)),
          accepted: (by) => this.#outgrowGiven(by),
          settled: () => this.#settled(),
        }),
    )
    this.#sources = this.issuers.map(({ source }) => source)
    this.#regions = [...new Set(config.issuers.map(({ region }) => region))].map((region) =>
      this.#sources.filter((_, index) => (config.issuers[index] as IssuerForm).region === region),
    )
    const { given } = config
    if (given !== undefined) for (const it of this.#sources) it.seed(given)
    this.#started = given?.offline === true ? Promise.resolve() : this.#start()
  }

  /**
   * Settles when the first fetch did.
   *
   * @throws {StartupError} where keys are required at start and could not be had.
   */
  async ready(): Promise<void> {
    await this.#started
    const { timing, userPoolId } = this.#config
    const failed = this.#sources.find((it) => it.lastError !== undefined)
    if (timing.startup === 'warn' || this.#hasKeys()) return
    throw new StartupError(
      `cognito-m2m: no keys for user pool ${userPoolId}: check issuer, jwksUri and egress, or set keyStore.startup to 'warn'`,
      { cause: failed?.lastError },
    )
  }

  status(): KeyStoreStatus {
    const now = this.#elapsed()
    const ages = this.#sources.map((it) => it.age(now)).filter((age) => age !== undefined)
    const offline = this.#config.given?.offline === true
    return {
      ready: this.#hasKeys(),
      keysAge: ages.length === 0 ? null : Math.min(...ages) / 1000,
      lastError: this.#kept().find((it) => it.lastError !== undefined)?.lastError?.code ?? null,
      nextAttempt: offline ? null : Math.max(0, this.#nextAt() - now) / 1000,
    }
  }

  /** The issuer forms tokens come from, as far as is known. */
  issuersInUse(): readonly string[] {
    return this.#kept().map(({ issuer }) => issuer)
  }

  /** Ends the timer and every fetch; keys are no longer answered. */
  close(): void {
    clearTimeout(this.#timer)
    this.#closing.abort()
  }

  /**
   * The original form; where it is not the pool's, the updated one. A replica's Region only where those
   * before have no keys: a pool has to become ready while its own Region is down.
   */
  async #start(): Promise<void> {
    this.#starting = true
    for (const [original, updated] of this.#regions as readonly [RemoteJwks, RemoteJwks?][]) {
      if (original.lastError !== undefined && original.nextAt > this.#elapsed()) continue
      await original.refresh()
      if (original.isAbsent) await updated?.refresh()
      if (this.#hasKeys()) break
    }
    this.#starting = false
    this.#settled()
  }

  #regionOf(source: RemoteJwks): readonly RemoteJwks[] {
    return this.#regions.find((region) => region.includes(source)) as readonly RemoteJwks[]
  }

  /**
   * A Region uses one form: the other's copy of given keys would outlive their revocation. So would those of
   * another Region, unless that one could not be asked.
   */
  #outgrowGiven(by: RemoteJwks): void {
    const own = this.#regionOf(by)
    for (const it of this.#sources) {
      const isDown = it.lastError !== undefined && !it.isAbsent
      if (own.includes(it) || !isDown) it.dropSeed()
    }
  }

  #hasKeys(): boolean {
    return this.#sources.some((it) => it.hadKeys)
  }

  /** The forms worth keeping fresh: those in use, or the first of each Region while none is. */
  #kept(): readonly RemoteJwks[] {
    const used = this.#sources.filter((it) => it.hadKeys)
    return used.length > 0 ? used : this.#regions.flatMap((region) => region.slice(0, 1))
  }

  #nextAt(): number {
    return Math.min(...this.#kept().map((it) => it.nextAt))
  }

  #settled(): void {
    if (this.#starting || this.#closing.signal.aborted) return
    this.#report()
    this.#schedule()
  }

  /** A timer that never keeps the process alive; each use of a key looks at the clock as well. */
  #schedule(): void {
    clearTimeout(this.#timer)
    const wait = Math.max(0, this.#nextAt() - this.#elapsed())
    const known = Number.isNaN(wait) ? TIMELESS_WAIT : wait
    this.#timer = setTimeout(() => this.#refreshDue(), known).unref()
  }

  #refreshDue(): void {
    const now = this.#elapsed()
    const due = this.#kept().filter((it) => !(it.nextAt > now))
    if (due.length === 0 || Number.isNaN(now)) this.#schedule()
    else if (this.#hasKeys()) for (const it of due) void it.refresh()
    else void this.#start()
  }

  /** One line when a pool's keys go bad, one when they are well again. */
  #report(): void {
    const { logger, userPoolId } = this.#config
    const failing = this.#kept().find((it) => it.lastError !== undefined)
    if (failing === undefined) {
      if (this.#alarmed) logger.info({ userPoolId }, 'cognito-m2m: the key set is fresh again')
      this.#alarmed = false
      return
    }
    const age = failing.age(this.#elapsed())
    if (this.#alarmed || (age !== undefined && age < STALE_WARNING)) return
    this.#alarmed = true
    const { code, errno, status, bytes } = failing.lastError as JwksError
    const details = { userPoolId, code, errno, status, bytes }
    if (age === undefined) {
      logger.warn(details, 'cognito-m2m: no key set yet: requests with a token get 503')
    } else {
      logger.error({ ...details, keysAge: age / 1000 }, 'cognito-m2m: the key set is stale')
    }
  }
}
