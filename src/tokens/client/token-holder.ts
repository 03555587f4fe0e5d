/** The token of one scope set: cached, renewed in the background, with single-flight token requests. */

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
import type { Grant, RequestedToken } from './token-request.ts'
import { waitFor } from './token-source.ts'
import type { AccessToken, ScopeSetStatus, TokenRequestFailure } from './types.ts'

/** Milliseconds between two renewals after an API rejected the token. */
const MIN_REPLACEMENT_INTERVAL_MS = 60_000

/** Options of {@link TokenHolder}. */
export interface TokenHolderOptions {
  /** Number of the client in the process, for events. */
  readonly instance: number
  readonly clientId: string
  /** Monotonic milliseconds. */
  readonly elapsed: () => number
  /** Wall clock, milliseconds. */
  readonly now: () => number
  readonly logger: Logger
  readonly requested: RequestedToken
  /** Ends every wait. */
  readonly closed: AbortSignal
  /** Obtains a token other than `previousToken`. */
  readonly obtain: (previousToken: string | undefined) => Promise<Grant>
}

interface CachedGrant {
  readonly token: AccessToken
  /** Shared by all callers, so that a cache hit allocates nothing. */
  readonly promise: Promise<AccessToken>
  /** Start of the lifetime, by the clock `elapsed`. */
  readonly startedAt: number
  readonly lifetimeMs: number
  readonly lifetime: TokenLifetime
}

/** The last token request, if it failed. */
interface RequestFailure {
  readonly error: TokenClientError
  /** Wall clock, milliseconds. */
  readonly at: number
}

/** Caches the token of one scope set and renews it. */
export class TokenHolder {
  readonly #options: TokenHolderOptions
  readonly #backoff = new Backoff()
  #cached: CachedGrant | undefined
  #flight: Promise<AccessToken> | undefined
  #failure: RequestFailure | undefined
  #nextReplacement = 0
  /** Time of the last call, by the clock `elapsed`. Negative before the first call. */
  lastUsedAt = -1

  constructor(options: TokenHolderOptions) {
    this.#options = options
  }

  /**
   * Returns the cached token, or waits for the token request.
   *
   * @throws {TokenClientError} If no token is available. Rejects with the signal's reason after an abort.
   */
  get(limits: WaitLimits): Promise<AccessToken> {
    const now = this.#options.elapsed()
    this.lastUsedAt = now
    const cached = this.#cached
    const phase = cached === undefined ? 'ended' : phaseAt(cached.lifetime, now - cached.startedAt)
    if (phase !== 'fresh') {
      const isJoining = this.#flight !== undefined
      const flight = this.#renew(now)
      if (cached === undefined || phase === 'ended')
        return this.#awaitToken(flight, limits, isJoining)
      if (phase === 'expiring' && flight !== undefined) {
        return this.#awaitRenewal({ cached, flight, limits, isJoining, now })
      }
    }
    this.#publish(now, 'cached')
    return (cached as CachedGrant).promise
  }

  /**
   * Returns the token to use after an API rejected one. The cached token stays in use until its replacement
   * arrives, because other APIs may accept it.
   *
   * @returns The rejected token if no other is available within the timeout.
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
    const { elapsed, now, requested } = this.#options
    const { scopes = null, metadata = '{}' } = requested
    const time = elapsed()
    const { startedAt = time, lifetime = undefined } = this.#cached ?? {}
    const servedForMs = startedAt + (lifetime?.endsAt ?? 0) - time
    const nextMs = Math.max(startedAt + (lifetime?.refreshAt ?? 0), this.#backoff.until) - time
    return Object.freeze({
      scopes,
      metadataNames: Object.freeze(Object.keys(JSON.parse(metadata) as object).sort()),
      cachedUntil: servedForMs > 0 ? Math.floor((now() + servedForMs) / 1000) : null,
      lastError: this.#failure === undefined ? null : describeFailure(this.#failure),
      nextAttempt: this.#flight === undefined ? Math.max(0, nextMs) / 1000 : null,
      isRequesting: this.#flight !== undefined,
    })
  }

  /** @param flight Undefined during the backoff: the last error is thrown again. */
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

  /** Waits at most 1 s for the renewal of an expiring token, then returns the cached one. */
  async #awaitRenewal({
    cached,
    flight,
    limits,
    isJoining,
    now,
  }: {
    readonly cached: CachedGrant
    readonly flight: Promise<AccessToken>
    readonly limits: WaitLimits
    readonly isJoining: boolean
    readonly now: number
  }): Promise<AccessToken> {
    const servedForMs = cached.startedAt + cached.lifetime.endsAt - now
    const timeoutMs = Math.min(limits.timeoutMs, RENEWAL_WAIT_MS, servedForMs)
    await this.#waitUntilSettled(flight, { ...limits, timeoutMs })
    const { token, startedAt, lifetimeMs } = this.#cached as CachedGrant
    // The token expired while the process was suspended.
    if (this.#options.elapsed() - startedAt >= lifetimeMs) {
      const remaining = { ...limits, timeoutMs: limits.timeoutMs - timeoutMs }
      return this.#awaitToken(flight, remaining, isJoining)
    }
    if (isJoining || token === cached.token) this.#publish(now, 'cached')
    return token
  }

  /** Waits for the token request or the caller's timeout. Rejects only if the caller's signal is aborted. */
  async #waitUntilSettled(flight: Promise<AccessToken>, limits: WaitLimits): Promise<void> {
    await Promise.allSettled([waitFor(flight, limits, this.#options.closed)])
    if (limits.signal?.aborted) throw limits.signal.reason
  }

  /** Starts or joins the token request. Returns undefined during the backoff. */
  #renew(now: number): Promise<AccessToken> | undefined {
    if (this.#flight === undefined && now >= this.#backoff.until) {
      const flight = this.#obtain(now).finally(() => {
        this.#flight = undefined
      })
      // Prevents an unhandled rejection if no caller waits. The failure is logged.
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

  #cache({ accessToken, scopes, lifetimeMs, startedAt, issuedAt }: Grant): AccessToken {
    const expiresAt = Math.floor((issuedAt + lifetimeMs) / 1000)
    const token = Object.freeze({ accessToken, expiresAt, scopes: Object.freeze([...scopes]) })
    this.#cached = {
      token,
      promise: Promise.resolve(token),
      startedAt,
      lifetimeMs,
      lifetime: tokenLifetime({ lifetimeMs }),
    }
    return token
  }

  #recordFailure(error: TokenClientError, startedAt: number): void {
    const { logger, requested, elapsed, now: wallClock } = this.#options
    const now = elapsed()
    const { code, error: oauthError, status, requestId, retryAfter } = error
    this.#failure = { error, at: wallClock() }
    this.#backoff.failed(now, retryAfter)
    if (code === 'ERR_CLIENT_CLOSED') return
    const cached = this.#cached
    const servedForMs = cached === undefined ? 0 : cached.startedAt + cached.lifetime.endsAt - now
    const cachedFor = Math.max(0, Math.round(servedForMs / 1000))
    const nextAttempt = Math.round((this.#backoff.until - now) / 1000)
    logger.warn(
      {
        scopes: requested.scopes,
        code,
        error: oauthError,
        status,
        requestId,
        cachedFor,
        nextAttempt,
      },
      'cognito-m2m: the token request failed',
    )
    this.#publish(
      startedAt,
      code === 'ERR_TOKEN_REQUEST_REFUSED' ? 'refused' : 'unavailable',
      error,
    )
  }

  /** @param error The reason for a missing token. */
  #publish(
    startedAt: number,
    outcome: ClientTokenEvent['outcome'],
    error?: TokenClientError,
  ): void {
    publish('cognito-m2m:client-token', () => {
      const { instance, clientId, requested, elapsed } = this.#options
      return {
        instance,
        clientId,
        scope: requested.scopes?.join(' ') ?? null,
        outcome,
        code: error?.code ?? null,
        error: error?.error ?? null,
        duration: secondsBetween(startedAt, elapsed()),
      }
    })
  }
}

function describeFailure(failure: RequestFailure): TokenRequestFailure {
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
