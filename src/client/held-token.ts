/** The token of one scope set: held, renewed behind its callers, asked for once however many wait. */
import { atMost } from '../core/at-most.ts'
import { Backoff } from '../core/backoff.ts'
import type { Logger } from '../core/logger.ts'
import type { TokenClientError } from './errors.ts'
import type { Grant } from './token-request.ts'

/** A token is renewed at a point of its life drawn between these. */
const EARLIEST_RENEWAL = 0.65
const LATEST_RENEWAL = 0.8
/** Milliseconds before its end, at most this share of its life, in which callers wait for the next one. */
const CLOSING = 10_000
const CLOSING_SHARE = 0.05
/** Milliseconds they wait while the token is still good. */
const CLOSING_WAIT = 1000
/** Milliseconds between two renewals that an API's refusals cause. */
const REFUSED_INTERVAL = 60_000

/** An access token; the same frozen object for every caller as long as it is held. */
export interface AccessToken {
  /** For the header `Authorization: Bearer …`. */
  readonly accessToken: string
  /** When it expires, in epoch seconds. */
  readonly expiresAt: number
  /** What it is good for, in alphabetical order: as its claims say, else as asked for. */
  readonly scopes: readonly string[]
}

/** What a held token needs. */
export interface Holding {
  /** Milliseconds that never run back. */
  readonly elapsed: () => number
  /** Wall clock, milliseconds. */
  readonly now: () => number
  readonly logger: Logger
  /** undefined: all the app client may have. */
  readonly scopes: readonly string[] | undefined
  /** Has a token, and another one than that which is held. */
  readonly obtain: (held: string | undefined) => Promise<Grant>
}

interface Held {
  readonly token: AccessToken
  /** The same promise for all: nothing is made for a caller. */
  readonly given: Promise<AccessToken>
  readonly renewAt: number
  readonly closingAt: number
  readonly endsAt: number
}

/** Holds at most one token. */
export class HeldToken {
  readonly #holding: Holding
  readonly #backoff = new Backoff()
  #held: Held | undefined
  #flight: Promise<AccessToken> | undefined
  #failure: unknown
  #notRefusedBefore = 0
  /** When a caller last asked. */
  usedAt = 0

  constructor(holding: Holding) {
    this.#holding = holding
  }

  /**
   * A good token at once; else as soon as there is one.
   *
   * @throws {TokenClientError} where none can be had; as a rejection.
   */
  get(): Promise<AccessToken> {
    const now = this.#holding.elapsed()
    this.usedAt = now
    const held = this.#held
    if (held === undefined || now >= held.closingAt) return this.#awaitNext(now)
    if (now >= held.renewAt) this.#renew(now)
    return held.given
  }

  /**
   * The token to use after an API refused one: another one where there is one or may be one. What is
   * held stays held until then, as other APIs may take it.
   *
   * @returns The refused one, where none may be had now.
   */
  async insteadOf(refused: AccessToken): Promise<AccessToken> {
    if (this.#held?.token !== refused) return this.get()
    const now = this.#holding.elapsed()
    const underway = this.#flight !== undefined
    if (!underway && now < this.#notRefusedBefore) return refused
    const flight = this.#renew(now)
    if (!underway && flight !== undefined) this.#notRefusedBefore = now + REFUSED_INTERVAL
    await Promise.allSettled([flight])
    return this.#held.token
  }

  /** Waits for a renewal, but a good token is never lost by it. */
  async #awaitNext(now: number): Promise<AccessToken> {
    const flight = this.#renew(now)
    if (this.#isGood(now)) {
      const settled = Promise.allSettled([flight]).then(() => {})
      await atMost(CLOSING_WAIT, settled)
      if (this.#isGood(this.#holding.elapsed())) return (this.#held as Held).token
    }
    if (flight === undefined) throw this.#failure
    return flight
  }

  #isGood(now: number): boolean {
    return this.#held !== undefined && now < this.#held.endsAt
  }

  /** Undefined while the endpoint is left alone. */
  #renew(now: number): Promise<AccessToken> | undefined {
    if (this.#flight === undefined && now >= this.#backoff.until) {
      const flight = this.#obtain().finally(() => {
        this.#flight = undefined
      })
      // Without a caller that waits, its failure is told by the log alone.
      flight.catch(() => {})
      this.#flight = flight
    }
    return this.#flight
  }

  async #obtain(): Promise<AccessToken> {
    const { obtain, elapsed } = this.#holding
    try {
      const token = this.#hold(await obtain(this.#held?.token.accessToken))
      this.#backoff.succeeded()
      return token
    } catch (error) {
      this.#failed(error, elapsed())
      throw error
    }
  }

  #hold({ accessToken, scopes, life, issuedAt }: Grant): AccessToken {
    const { elapsed, now } = this.#holding
    const spent = Math.max(0, now() - issuedAt || 0)
    const begun = elapsed() - spent
    const share = EARLIEST_RENEWAL + Math.random() * (LATEST_RENEWAL - EARLIEST_RENEWAL)
    const expiresAt = Math.floor((issuedAt + life) / 1000)
    const token = Object.freeze({ accessToken, expiresAt, scopes: Object.freeze([...scopes]) })
    this.#held = {
      token,
      given: Promise.resolve(token),
      renewAt: begun + life * share,
      closingAt: begun + life - Math.min(CLOSING, life * CLOSING_SHARE),
      endsAt: begun + life,
    }
    return token
  }

  #failed(error: unknown, now: number): void {
    this.#failure = error
    const { code, error: told, status, requestId, retryAfter } = error as TokenClientError
    this.#backoff.failed(now, retryAfter)
    if (code === 'ERR_CLIENT_CLOSED') return
    const left = Math.max(0, Math.round(((this.#held?.endsAt ?? now) - now) / 1000))
    const seconds = Math.round((this.#backoff.until - now) / 1000)
    const { logger, scopes } = this.#holding
    logger.warn(
      { scopes, code, error: told, status, requestId, tokenGoodFor: left, nextAttempt: seconds },
      'cognito-m2m: no access token could be had',
    )
  }
}
