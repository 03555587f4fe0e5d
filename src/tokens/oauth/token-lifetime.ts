/** Phases of a cached token: fresh, due for renewal, expiring, ended. Used by token client and proxy. */

/** Seconds before expiry in which a caller waits for the renewal by default. */
export const DEFAULT_MIN_REMAINING = 300
/** Longest wait of a caller for a renewal while the cached token is valid, in milliseconds. */
export const RENEWAL_WAIT_MS = 1000

/** Share of the lifetime after which a token is renewed in the background. */
const REFRESH_SHARE = 0.75
/** Callers wait in the last eighth of the lifetime at most. The eighth before is left to the background. */
const MAX_WAITING_SHARE = 1 / 8
/** Milliseconds before expiry in which a token is not served: it could expire on its way to the API. */
const EXPIRY_MARGIN_MS = 5000
/** Limits the margin of lifetimes below 80 s. Cognito's shortest is 5 minutes. */
const MAX_MARGIN_SHARE = 1 / 16

/** Durations that determine the phases, in milliseconds. */
export interface TokenLifetimeLimits {
  /** Lifetime of the token: `expires_in`. */
  readonly lifetimeMs: number
  /** A caller waits for the renewal if less than this remains. Default: {@link DEFAULT_MIN_REMAINING}. */
  readonly minRemainingMs?: number
  /** Longest use of a token after its request. Default: its lifetime. */
  readonly maxAgeMs?: number
}

/** Ages of a token, in milliseconds after it was requested. */
export interface TokenLifetime {
  /** From this age on, it is renewed in the background. */
  readonly refreshAt: number
  /** From this age on, a caller waits up to {@link RENEWAL_WAIT_MS} for the renewal. */
  readonly expiringAt: number
  /** From this age on, it is not served. */
  readonly endsAt: number
}

/** The phase of a cached token. */
export type TokenPhase = 'fresh' | 'refreshDue' | 'expiring' | 'ended'

/** Returns the ages at which a token enters its phases. */
export function tokenLifetime({
  lifetimeMs: lifeMs,
  minRemainingMs = DEFAULT_MIN_REMAINING * 1000,
  maxAgeMs = lifeMs,
}: TokenLifetimeLimits): TokenLifetime {
  const servedMs = Math.min(lifeMs, maxAgeMs)
  const waitingMs = Math.min(minRemainingMs, servedMs * MAX_WAITING_SHARE)
  const marginMs = Math.min(EXPIRY_MARGIN_MS, lifeMs * MAX_MARGIN_SHARE)
  return {
    refreshAt: servedMs * REFRESH_SHARE,
    expiringAt: servedMs - waitingMs,
    endsAt: Math.min(lifeMs - marginMs, maxAgeMs),
  }
}

/** @param ageMs Milliseconds since the token was requested. NaN, from a failed clock, ends the token. */
export function phaseAt(
  { refreshAt, expiringAt, endsAt }: TokenLifetime,
  ageMs: number,
): TokenPhase {
  if (!(ageMs < endsAt)) return 'ended'
  if (ageMs >= expiringAt) return 'expiring'
  return ageMs >= refreshAt ? 'refreshDue' : 'fresh'
}
