/**
 * What happens inside, for who listens: events on `node:diagnostics_channel`. Where nobody does,
 * none is made.
 */
import { type Channel, channel } from 'node:diagnostics_channel'
import type { AuthErrorCode } from './errors.ts'
import type { JwksErrorCode } from './keys/fetch-jwks.ts'

/**
 * The events by channel. Flat, frozen, and free of what a caller sent: no header, token, raw kid,
 * claim or cause. All durations in seconds.
 *
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 *
 * subscribe('cognito-m2m:decision', (message) => {
 *   const { code, duration } = message as DiagnosticsEvents['cognito-m2m:decision']
 * })
 * ```
 *
 * Listeners run synchronously in the request's own context; Node makes an uncaught exception of
 * what one throws.
 */
export interface DiagnosticsEvents {
  /** A guard decided about a request. */
  readonly 'cognito-m2m:decision': DecisionEvent
  /** A fetch of a key set ended, well or not. */
  readonly 'cognito-m2m:fetch': JwksFetchEvent
  /** A fetch brought other keys than were in force. */
  readonly 'cognito-m2m:jwks-change': JwksChangeEvent
  /** A fetch failed: what is left, and when the next one is. */
  readonly 'cognito-m2m:jwks-error': JwksErrorEvent
  /** A token named a kid that is not in the set in force, and the endpoint was asked if it might be. */
  readonly 'cognito-m2m:unknown-kid': UnknownKidEvent
  /** A token proxy or a local pool answered a token request, or had a token issued ahead of one. */
  readonly 'cognito-m2m:token-request': TokenRequestEvent
  /** A token client's token request ended, or a call was served from its cache. */
  readonly 'cognito-m2m:client-token': ClientTokenEvent
}

/** Where an event comes from. */
export interface DiagnosticsOrigin {
  /** Which resource server of the process: `status().instance`. */
  readonly instance: number
  readonly userPoolId: string
}

/** See {@link DiagnosticsEvents}. */
export interface DecisionEvent {
  readonly instance: number
  /** The pool whose token it is held for; null where the token names none of this server's. */
  readonly userPoolId: string | null
  /** The app client, once the signature proved it; null before. */
  readonly clientId: string | null
  /** Of the refusal; null where the request was let in. `ERR_INTERNAL`: code of the owner's failed. */
  readonly code: AuthErrorCode | 'ERR_INTERNAL' | null
  /**
   * With `ERR_TOKEN_INVALID`, the first claim that is missing or has the wrong type, for example
   * `jti is missing` or `exp is not a number`. A fixed set of texts: no value of a token. Else null.
   */
  readonly reason: string | null
  readonly duration: number
}

/** See {@link DiagnosticsEvents}. */
export interface JwksFetchEvent extends DiagnosticsOrigin {
  /** Why it failed; null where it did not. */
  readonly code: JwksErrorCode | null
  readonly duration: number
}

/** See {@link DiagnosticsEvents}. */
export interface JwksChangeEvent extends DiagnosticsOrigin {
  /** Usable keys now in force. */
  readonly keys: number
  /** Keys that are new, or have new material under their kid. */
  readonly added: number
  /** Keys that are gone, or have new material under their kid. */
  readonly removed: number
}

/** See {@link DiagnosticsEvents}. */
export interface JwksErrorEvent extends DiagnosticsOrigin {
  readonly code: JwksErrorCode
  /** HTTP status of the endpoint, if it answered. */
  readonly status: number | null
  /** System error code of the transport, if there is one. */
  readonly errno: string | null
  /** Age of the keys that go on answering; null where there are none. */
  readonly keysAge: number | null
  /** Until the endpoint is asked again. */
  readonly nextAttempt: number
}

/** See {@link DiagnosticsEvents}. */
export interface UnknownKidEvent extends DiagnosticsOrigin {
  /** What came of it; null where the key had just been published. */
  readonly code: 'ERR_KEY_UNKNOWN' | 'ERR_KEYS_UNAVAILABLE' | null
  readonly duration: number
}

/** See {@link DiagnosticsEvents}. */
export interface TokenRequestEvent {
  /** Which token proxy or local pool of the process: `status().instance`. */
  readonly instance: number
  /** The pool, once it issued this client a token; null before. */
  readonly userPoolId: string | null
  /** The app client, once Cognito took its secret; null before. */
  readonly clientId: string | null
  /**
   * `issued`: the user pool issued a token, for a caller or ahead of one; it is billed. `cached`: a
   * caller got one that had been issued for another request. `refused`: the answer was an error of
   * the caller's. `unavailable`: none could be had.
   */
  readonly outcome: 'issued' | 'cached' | 'refused' | 'unavailable'
  /** `error` of the answer, as RFC 6749 section 5.2 names them; null with a token. */
  readonly error: string | null
  /**
   * Why a proxy's answer was `unavailable`. `ERR_OVER_BUDGET`: the proxy may not send more requests to
   * Cognito. `ERR_UPSTREAM_UNAVAILABLE`: Cognito gave no token in time. Else null.
   */
  readonly code: 'ERR_OVER_BUDGET' | 'ERR_UPSTREAM_UNAVAILABLE' | null
  readonly duration: number
}

/**
 * What a token client did. On a channel of its own: the user pool or proxy that issued a token reports it
 * on `cognito-m2m:token-request`, and usage must not count it twice.
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

type Name = keyof DiagnosticsEvents

const channels: Readonly<Record<Name, Channel>> = {
  'cognito-m2m:decision': channel('cognito-m2m:decision'),
  'cognito-m2m:fetch': channel('cognito-m2m:fetch'),
  'cognito-m2m:jwks-change': channel('cognito-m2m:jwks-change'),
  'cognito-m2m:jwks-error': channel('cognito-m2m:jwks-error'),
  'cognito-m2m:unknown-kid': channel('cognito-m2m:unknown-kid'),
  'cognito-m2m:token-request': channel('cognito-m2m:token-request'),
  'cognito-m2m:client-token': channel('cognito-m2m:client-token'),
}

/** Whether anybody listens: where it costs to find out what to tell. */
export function hasSubscribers(name: Name): boolean {
  return channels[name].hasSubscribers
}

/** @param event Called only where somebody listens. */
export function publish<Heard extends Name>(
  name: Heard,
  event: () => DiagnosticsEvents[Heard],
): void {
  if (hasSubscribers(name)) channels[name].publish(Object.freeze(event()))
}

let instances = 0

/** Numbers the resource servers, token proxies, token clients and local pools of the process. */
export function nextInstance(): number {
  instances += 1
  return instances
}

/** Seconds from one moment in milliseconds to another; never negative, and 0 where it told no time. */
export function secondsBetween(begun: number, ended: number): number {
  return Math.max(0, ended - begun || 0) / 1000
}
