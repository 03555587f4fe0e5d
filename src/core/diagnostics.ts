/** Diagnostics events on `node:diagnostics_channel`. Without a subscriber, no event is created. */

import { type Channel, channel } from 'node:diagnostics_channel'
import type { AuthErrorCode } from './errors.ts'
import type { JwksErrorCode } from './keys/fetch-jwks.ts'

/**
 * The events by channel. Flat, frozen, and without data of the caller: no header, token, raw kid, claim or
 * cause. All durations are in seconds.
 *
 * Subscribers run synchronously in the request's own context. Node turns an error that one throws into an
 * uncaught exception.
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 *
 * subscribe('cognito-m2m:decision', (message) => {
 *   const { code, duration } = message as DiagnosticsEvents['cognito-m2m:decision']
 * })
 * ```
 */
export interface DiagnosticsEvents {
  /** A guard decided on a request. */
  readonly 'cognito-m2m:decision': DecisionEvent
  /** A fetch of a key set succeeded or failed. */
  readonly 'cognito-m2m:fetch': JwksFetchEvent
  /** A fetch returned other keys than those in use. */
  readonly 'cognito-m2m:jwks-change': JwksChangeEvent
  /** A fetch failed: the age of the keys in use, and the time of the next fetch. */
  readonly 'cognito-m2m:jwks-error': JwksErrorEvent
  /** A token named a kid that is not in the key set in use. A fetch was started if the budget allowed it. */
  readonly 'cognito-m2m:unknown-kid': UnknownKidEvent
  /** A token proxy or local pool responded to a token request, or a proxy requested a token ahead of one. */
  readonly 'cognito-m2m:token-request': TokenRequestEvent
  /** A token client's token request ended, or a call was served from its cache. */
  readonly 'cognito-m2m:client-token': ClientTokenEvent
}

/** The resource server and user pool of an event. */
export interface DiagnosticsOrigin {
  /** Which resource server of the process: `status().instance`. */
  readonly instance: number
  readonly userPoolId: string
}

/**
 * A guard's decision.
 *
 * @see DiagnosticsEvents
 */
export interface DecisionEvent {
  readonly instance: number
  /** The pool that the token names; null if it is none of this server's. */
  readonly userPoolId: string | null
  /** The app client; null if the signature was not verified. */
  readonly clientId: string | null
  /** Code of the error; null if access was granted. `ERR_INTERNAL`: a function of the app threw. */
  readonly code: AuthErrorCode | 'ERR_INTERNAL' | null
  /**
   * With `ERR_TOKEN_INVALID`, the first claim that is missing or has the wrong type, for example
   * `jti is missing` or `exp is not a number`. A fixed set of texts: no value of a token. Else null.
   */
  readonly reason: string | null
  /** Pattern of the route, for example `/orders/:id`; null if the adapter knows none at the decision. */
  readonly route: string | null
  /**
   * Whether the token had been verified before and was in the token cache; false if its signature was verified
   * for this request. Null without a verified token.
   */
  readonly cached: boolean | null
  readonly duration: number
}

/**
 * A fetch of a key set.
 *
 * @see DiagnosticsEvents
 */
export interface JwksFetchEvent extends DiagnosticsOrigin {
  /** Why it failed; null if it succeeded. */
  readonly code: JwksErrorCode | null
  readonly duration: number
}

/**
 * A change of the keys in use.
 *
 * @see DiagnosticsEvents
 */
export interface JwksChangeEvent extends DiagnosticsOrigin {
  /** Usable keys after the change. */
  readonly keys: number
  /** Keys that are new, or have new material under their kid. */
  readonly added: number
  /** Keys that are gone, or have new material under their kid. */
  readonly removed: number
}

/**
 * A failed fetch of a key set.
 *
 * @see DiagnosticsEvents
 */
export interface JwksErrorEvent extends DiagnosticsOrigin {
  readonly code: JwksErrorCode
  /** HTTP status of the endpoint; null without a response. */
  readonly status: number | null
  /** System error code of the transport; null without one. */
  readonly errno: string | null
  /** Age of the keys that stay in use; null if there are none. */
  readonly keysAge: number | null
  /** Time until the next fetch. */
  readonly nextAttempt: number
}

/**
 * A token with an unknown kid.
 *
 * @see DiagnosticsEvents
 */
export interface UnknownKidEvent extends DiagnosticsOrigin {
  /** The result; null if a fetch found the key. */
  readonly code: 'ERR_KEY_UNKNOWN' | 'ERR_KEYS_UNAVAILABLE' | null
  readonly duration: number
}

/**
 * A token request to a token proxy or local pool.
 *
 * @see DiagnosticsEvents
 */
export interface TokenRequestEvent {
  /** Which token proxy or local pool of the process: `status().instance`. */
  readonly instance: number
  /** The pool, once it issued this client a token; null before. */
  readonly userPoolId: string | null
  /** The app client, once Cognito accepted its secret; null before. */
  readonly clientId: string | null
  /**
   * - `issued`: the user pool issued a token, for a caller or ahead of one. It is billed.
   * - `cached`: a caller got a token that was issued for another request.
   * - `refused`: the caller's request was rejected.
   * - `unavailable`: no token was available.
   */
  readonly outcome: 'issued' | 'cached' | 'refused' | 'unavailable'
  /** `error` of the response (RFC 6749 section 5.2); null with a token. */
  readonly error: string | null
  /**
   * Why a proxy responded with `unavailable`. `ERR_OVER_BUDGET`: the proxy may not send more requests to
   * Cognito. `ERR_UPSTREAM_UNAVAILABLE`: Cognito returned no token in time. Else null.
   */
  readonly code: 'ERR_OVER_BUDGET' | 'ERR_UPSTREAM_UNAVAILABLE' | null
  readonly duration: number
}

/**
 * What a token client did. The channel is separate, because the user pool or proxy that issued the token
 * also reports it on `cognito-m2m:token-request`, and usage must not count it twice.
 *
 * @see DiagnosticsEvents
 */
export interface ClientTokenEvent {
  /** Which token client of the process: `status().instance`. */
  readonly instance: number
  /** The app client, as configured. */
  readonly clientId: string
  /** Requested scopes in alphabetical order, separated by spaces; null if none were named. */
  readonly scope: string | null
  /**
   * - `issued`: the token endpoint returned a token, for a call or in the background. Whether it is billed
   *   depends on the endpoint: a caching proxy may have returned one that it had.
   * - `shared`: a token of another client or process was found in the store, without a token request.
   * - `cached`: a call got a token from memory, or one that another call had requested.
   * - `refused`: the token endpoint rejected the token request.
   * - `unavailable`: the token request failed in another way.
   */
  readonly outcome: 'issued' | 'shared' | 'cached' | 'refused' | 'unavailable'
  /** Code of the `TokenClientError`; null with a token. */
  readonly code: string | null
  /** `error` of the response (RFC 6749 section 5.2); null if there is none. */
  readonly error: string | null
  /** Of the token request with all its retries, or of the call's wait. */
  readonly duration: number
}

type ChannelName = keyof DiagnosticsEvents

/** The channels, for a check of `hasSubscribers` before an event is created. */
export const CHANNELS: Readonly<Record<ChannelName, Channel>> = {
  'cognito-m2m:decision': channel('cognito-m2m:decision'),
  'cognito-m2m:fetch': channel('cognito-m2m:fetch'),
  'cognito-m2m:jwks-change': channel('cognito-m2m:jwks-change'),
  'cognito-m2m:jwks-error': channel('cognito-m2m:jwks-error'),
  'cognito-m2m:unknown-kid': channel('cognito-m2m:unknown-kid'),
  'cognito-m2m:token-request': channel('cognito-m2m:token-request'),
  'cognito-m2m:client-token': channel('cognito-m2m:client-token'),
}

/**
 * Publishes an event.
 *
 * @param createEvent Called only if the channel has subscribers.
 */
export function publish<Name extends ChannelName>(
  name: Name,
  createEvent: () => DiagnosticsEvents[Name],
): void {
  const target = CHANNELS[name]
  if (target.hasSubscribers) target.publish(Object.freeze(createEvent()))
}

let instances = 0

/** Numbers the resource servers, token proxies, token clients and local pools of the process. */
export function nextInstance(): number {
  instances += 1
  return instances
}

/** Seconds between two readings of a clock in milliseconds; never negative, and 0 for NaN. */
export function secondsBetween(startMs: number, endMs: number): number {
  return Math.max(0, endMs - startMs || 0) / 1000
}
