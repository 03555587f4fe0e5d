/** The token of one scope set: cached, renewed in the background, one token request however many callers wait. */

import { type ClientTokenEvent, publish, secondsBetween } from '../../core/diagnostics.ts'
import type { Logger } from '../../core/options/logger.ts'
import { Backoff } from '../../core/util/backoff.ts'
import {
  phaseAt,
  RENEWAL_WAIT_MS,
  type TokenLifetime,
  tokenLifetime,
} from '../oauth/token-lifetime.ts'
import type { TokenClientError } from './errors.ts'
import type { WaitLimits } from './options.ts'
import type { Grant } from './token-request.ts'
import { waitFor } from './token-source.ts'
import type { AccessToken, ScopeSetStatus, TokenRequestFailure } from './types.ts'

/** Milliseconds between two renewals that an API's refusals cause. */
const MIN_REPLACEMENT_INTERVAL_MS = 60_000

/** What a held token needs. */
export interface TokenHolderOptions {
  /** Number of the client in the process, for events. */
  readonly instance: number
  readonly clientId: string
  /** Milliseconds that never run back. */
  readonly elapsed: () => number
  /** Wall clock, milliseconds. */
  readonly now: () => number
  readonly logger: Logger
  /** undefined: all the app client may have. */
  readonly scopes: readonly string[] | undefined
  /** Ends every wait. */
  readonly closed: AbortSignal
  /** Has a token, and another one than that which is held. */
  readonly obtain: (cached: string | undefined) => Promise<Grant>
}

interface CachedGrant {
  readonly token: AccessToken
  /** The same promise for all: nothing is made for a caller. */
  readonly promise: Promise<AccessToken>
  /** Of the clock `elapsed`: when its life began. */
  readonly begunAt: number
  readonly lifeMs: number
  readonly lifetime: TokenLifetime
}

/** The last token request, if it failed. */
interface RequestFailure {
  readonly error: TokenClientError
  /** Wall clock, milliseconds. */
  readonly at: number
}

/** Holds at most one token. */
export class TokenHolder {
  readonly #options: TokenHolderOptions
  readonly #backoff = new Backoff()
  #cached: CachedGrant | undefined
  #flight: Promise<AccessToken> | undefined
  #failure: RequestFailure | undefined
  #nextReplacement = 0
  /** When a caller last asked; negative before the first. */
  lastUsedAt = -1

  constructor(holding: TokenHolderOptions) {
    this.#options = holding
  }

  /**
   * A good token at once; else as soon as there is one.
   *
   * @throws {TokenClientError} where none can be had, or the signal's reason; as a rejection.
   */
  get(limits: WaitLimits): Promise<AccessToken> {
    const now = this.#options.elapsed()
    this.lastUsedAt = now
    const cached = this.#cached
    const phase = cached === undefined ? 'ended' : phaseAt(cached.lifetime, now - cached.begunAt)
    if (phase !== 'fresh') {
      const isJoining = this.#flight !== undefined
      const flight = this.#renew(now)
      if (cached === undefined || phase === 'ended')
        return this.#awaitToken(flight, limits, isJoining)
      if (phase === 'expiring' && flight !== undefined) {
        return this.#awaitRenewal({ held: cached, flight, limits, isJoining, now })
      }
    }
    this.#publish(now, 'cached')
    return (cached as CachedGrant).promise
  }

  /**
   * The token to use after an API refused one: another one where there is one or may be one. What is
   * held stays held until then, as other APIs may take it.
   *
   * @returns The refused one, where none may be had now or within the timeout.
   * @throws The signal's reason, as a rejection.
   */
  async replaceRejected(rejected: AccessToken, limits: WaitLimits): Promise<AccessToken> {
    if (this.#cached?.token !== rejected) return this.get(limits)
    const now = this.#options.elapsed()
    const isInFlight = this.#flight !== undefined
    if (!isInFlight && now < this.#nextReplacement) return rejected
    const flight = this.#renew(now)
    if (flight === undefined) return rejected
    if (!isInFlight) this.#nextReplacement = now + MIN_REPLACEMENT_INTERVAL_MS
    await this.#waitUntilSettled(flight, limits)
    return this.#cached.token
  }

  /** @returns Undefined before a caller asked for a token of these scopes. */
  status(): ScopeSetStatus | undefined {
    if (this.lastUsedAt < 0) return undefined
    const { elapsed, now, scopes } = this.#options
    const time = elapsed()
    const { begunAt = time, lifetime = undefined } = this.#cached ?? {}
    const servedFor = begunAt + (lifetime?.endsAt ?? 0) - time
    const next = Math.max(begunAt + (lifetime?.refreshAt ?? 0), this.#backoff.until) - time
    return Object.freeze({
      scopes: scopes ?? null,
      cachedUntil: servedFor > 0 ? Math.floor((now() + servedFor) / 1000) : null,
      lastError: this.#failure === undefined ? null : describeFailure(this.#failure),
      nextAttempt: this.#flight === undefined ? Math.max(0, next) / 1000 : null,
      isRequesting: this.#flight !== undefined,
    })
  }

  /** @param flight undefined: the endpoint is left alone. */
  async #awaitToken(
    flight: Promise<AccessToken> | undefined,
    limits: WaitLimits,
    isJoining: boolean,
  ): Promise<AccessToken> {
    const startedAt = this.lastUsedAt
    if (flight === undefined) throw (this.#failure as RequestFailure).error
    const token = await waitFor(flight, limits, this.#options.closed)
    if (isJoining) this.#publish(startedAt, 'cached')
    return token
  }

  /** A caller of an expiring token waits a moment for the next one, and loses the cached one to nothing. */
  async #awaitRenewal({
    held,
    flight,
    limits,
    isJoining,
    now,
  }: {
    readonly held: CachedGrant
    readonly flight: Promise<AccessToken>
    readonly limits: WaitLimits
    readonly isJoining: boolean
    readonly now: number
  }): Promise<AccessToken> {
    const servedForMs = held.begunAt + held.lifetime.endsAt - now
    const timeoutMs = Math.min(limits.timeoutMs, RENEWAL_WAIT_MS, servedForMs)
    await this.#waitUntilSettled(flight, { ...limits, timeoutMs })
    const { token, begunAt, lifeMs } = this.#cached as CachedGrant
    // A process that was suspended meanwhile: what it held has expired.
    if (this.#options.elapsed() - begunAt >= lifeMs) {
      const left = { ...limits, timeoutMs: limits.timeoutMs - timeoutMs }
      return this.#awaitToken(flight, left, isJoining)
    }
    if (isJoining || token === held.token) this.#publish(now, 'cached')
    return token
  }

  /** Waits for the end of a token request, or of the caller's patience: only its signal makes it fail. */
  async #waitUntilSettled(flight: Promise<AccessToken>, limits: WaitLimits): Promise<void> {
    await Promise.allSettled([waitFor(flight, limits, this.#options.closed)])
    if (limits.signal?.aborted) throw limits.signal.reason
  }

  /** Undefined while the endpoint is left alone. */
  #renew(now: number): Promise<AccessToken> | undefined {
    if (this.#flight === undefined && now >= this.#backoff.until) {
      const flight = this.#obtain(now).finally(() => {
        this.#flight = undefined
      })
      // Without a caller that waits, its failure is told by the log alone.
      flight.catch(() => {})
      this.#flight = flight
    }
    return this.#flight
  }

  async #obtain(startedAt: number): Promise<AccessToken> {
    const { obtain } = this.#options
    try {
      const grant = await obtain(this.#cached?.token.accessToken)
      const token = this.#cache(grant)
      this.#backoff.succeeded()
      this.#failure = undefined
      this.#publish(startedAt, grant.isShared ? 'shared' : 'issued')
      return token
    } catch (error) {
      this.#recordFailure(error as TokenClientError, startedAt)
      throw error
    }
  }

  #cache({ accessToken, scopes, life, begunAt, issuedAt }: Grant): AccessToken {
    const expiresAt = Math.floor((issuedAt + life) / 1000)
    const token = Object.freeze({ accessToken, expiresAt, scopes: Object.freeze([...scopes]) })
    const given = Promise.resolve(token)
    this.#cached = {
      token,
      promise: given,
      begunAt,
      lifeMs: life,
      lifetime: tokenLifetime({ lifeMs: life }),
    }
    return token
  }

  #recordFailure(error: TokenClientError, startedAt: number): void {
    const { logger, scopes, elapsed, now: wall } = this.#options
    const now = elapsed()
    const { code, error: oauthError, status, requestId, retryAfter } = error
    this.#failure = { error, at: wall() }
    this.#backoff.failed(now, retryAfter)
    if (code === 'ERR_CLIENT_CLOSED') return
    const cached = this.#cached
    const left = cached === undefined ? 0 : cached.begunAt + cached.lifetime.endsAt - now
    const seconds = Math.round((this.#backoff.until - now) / 1000)
    const cachedFor = Math.max(0, Math.round(left / 1000))
    logger.warn(
      { scopes, code, error: oauthError, status, requestId, cachedFor, nextAttempt: seconds },
      'cognito-m2m: the token request failed',
    )
    this.#publish(
      startedAt,
      code === 'ERR_TOKEN_REQUEST_REFUSED' ? 'refused' : 'unavailable',
      error,
    )
  }

  /** @param error Why there is no token. */
  #publish(
    startedAt: number,
    outcome: ClientTokenEvent['outcome'],
    error?: TokenClientError,
  ): void {
    publish('cognito-m2m:client-token', () => {
      const { instance, clientId, scopes, elapsed } = this.#options
      return {
        ...{ instance, clientId, scope: scopes?.join(' ') ?? null, outcome },
        ...{ code: error?.code ?? null, error: error?.error ?? null },
        duration: secondsBetween(startedAt, elapsed()),
      }
    })
  }
}

/** @param failure `at` in milliseconds. */
function describeFailure(failure: {
  readonly error: TokenClientError
  readonly at: number
}): TokenRequestFailure {
  const { code, error, status, requestId, errno, retryAfter } = failure.error
  return Object.freeze({
    code,
    at: Math.floor(failure.at / 1000),
    error: error ?? null,
    status: status ?? null,
    requestId: requestId ?? null,
    errno: errno ?? null,
    retryAfter: retryAfter ?? null,
  })
}
