/** When a cached token is served, renewed in the background, or waited for: one rule for client and proxy. */

/** Seconds before expiry in which a caller waits for the renewal, where no option says otherwise. */
export const DEFAULT_MIN_REMAINING = 300
/** Longest wait of a caller for a renewal while the cached token is still good, in milliseconds. */
export const RENEWAL_WAIT_MS = 1000

/** Share of its life after which a token is renewed in the background. */
const REFRESH_SHARE = 0.75
/** Callers wait in the last eighth at most: the background has as long again to renew a short-lived token. */
const MAX_WAITING_SHARE = 1 / 8
/** Milliseconds before expiry in which a token is not served: it would expire on its way to the API. */
const EXPIRY_MARGIN_MS = 5000
/** A sixteenth of the life where that is less than the margin: below Cognito's shortest life of 5 minutes. */
const MAX_MARGIN_SHARE = 1 / 16

/** Lengths of time that decide, in milliseconds. */
export interface TokenLifetimeLimits {
  /** `expires_in` of the token. */
  readonly lifeMs: number
  /** A caller waits for the renewal with less than this left. Default {@link DEFAULT_MIN_REMAINING}. */
  readonly minRemainingMs?: number
  /** A token is served no longer than this after it was requested; default its life. */
  readonly maxAgeMs?: number
}

/** Ages of a token, in milliseconds after it was requested. */
export interface TokenLifetime {
  /** It is renewed in the background from here on. */
  readonly refreshAt: number
  /** A caller waits up to {@link RENEWAL_WAIT_MS} for the renewal from here on. */
  readonly expiringAt: number
  /** It is no longer served from here on. */
  readonly endsAt: number
}

/** Where a token is in its life. */
export type TokenPhase = 'fresh' | 'refreshDue' | 'expiring' | 'ended'

/** @returns The ages at which a token goes from one phase to the next. */
export function tokenLifetime({
  lifeMs,
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

/** @param ageMs Milliseconds since the token was requested; NaN, from a clock that failed, ends it. */
export function phaseAt(
  { refreshAt, expiringAt, endsAt }: TokenLifetime,
  ageMs: number,
): TokenPhase {
  if (!(ageMs < endsAt)) return 'ended'
  if (ageMs >= expiringAt) return 'expiring'
  return ageMs >= refreshAt ? 'refreshDue' : 'fresh'
}
