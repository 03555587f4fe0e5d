/**
 * What the proxy remembers about a token request: the cached token with its phase, and the negative cache of
 * refusals and failures. The name of a request includes the secret, so a wrong secret never delays the right one.
 */
import { type JsonObject, parseStrictObject } from '../../core/token/strict-json.ts'
import { Backoff } from '../../core/util/backoff.ts'
import { BoundedMap } from '../../core/util/bounded-map.ts'
import { phaseAt, type TokenPhase, tokenLifetime } from '../oauth/token-lifetime.ts'
import type { VerifiedClient } from './credentials.ts'
import type { ProxyResponse } from './protocol.ts'

/** A token that was issued once and may be served again. */
export interface TokenEntry {
  /** When Cognito was asked, in milliseconds, by the clock that dates entries: never after the token's life began. */
  readonly requestedAt: number
  /** Seconds the token lives, as Cognito said. */
  readonly lifetime: number
  /** The pool that issued it; null where the token does not tell. */
  readonly userPoolId: string | null
  /** The answer's JSON up to `expires_in`, which is said anew each time. */
  readonly text: string
}

/** When a cached token is replaced. Seconds. */
export interface EntryLimits {
  readonly minRemaining: number
  readonly maxAge: number
}

/** A cached token that may be served at the moment. */
export interface CachedToken {
  readonly entry: TokenEntry
  readonly phase: Exclude<TokenPhase, 'ended'>
  /** Whole seconds until it expires. */
  readonly secondsLeft: number
}

/** Milliseconds the wall clocks of two machines may differ: an entry from further ahead is not believed. */
const MAX_SKEW_MS = 60_000
/** Seconds: the longest life Cognito gives. */
const MAX_LIFETIME = 86_400
const TOKEN = /^[\x21-\x7e]{1,65536}$/
const VERSION = '1'

/**
 * Reads an answer with status 200: a bearer token with a life of at least a second (RFC 6749 section 5.1).
 *
 * @param requestedAt Milliseconds; NaN where the clock failed.
 * @returns Undefined for anything else: it must be neither served nor cached.
 */
export function readEntry(body: JsonObject, requestedAt: number): TokenEntry | undefined {
  const { access_token, expires_in, token_type, ...others } = body
  if (typeof access_token !== 'string' || !TOKEN.test(access_token)) return undefined
  if (typeof token_type !== 'string' || !/^bearer$/i.test(token_type)) return undefined
  if (typeof expires_in !== 'number' || !(expires_in >= 1)) return undefined
  const text = JSON.stringify({ access_token, token_type, ...others }).slice(0, -1)
  const cappedLifetime = Math.min(MAX_LIFETIME, Math.floor(expires_in))
  return { requestedAt, lifetime: cappedLifetime, userPoolId: readUserPoolId(access_token), text }
}

/** As bytes for a store: a line of figures, then the answer. */
export function encodeEntry({ requestedAt, lifetime, userPoolId, text }: TokenEntry): Uint8Array {
  return Buffer.from(`${VERSION} ${requestedAt} ${lifetime} ${userPoolId ?? ''}\n${text}`)
}

/** Undefined for what another version may have kept. */
export function decodeEntry(bytes: Uint8Array): TokenEntry | undefined {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  const end = all.indexOf('\n')
  const [version, askedAt, life, userPoolId] = all.slice(0, end).split(' ')
  if (version !== VERSION || userPoolId === undefined) return undefined
  return {
    requestedAt: Number(askedAt),
    lifetime: Number(life),
    userPoolId: userPoolId === '' ? null : userPoolId,
    text: all.slice(end + 1),
  }
}

/** Milliseconds since Cognito was asked; NaN where the clock failed or shows a time long before. */
function getAgeMs({ requestedAt }: TokenEntry, now: number): number {
  const age = now - requestedAt
  return age >= -MAX_SKEW_MS ? Math.max(0, age) : Number.NaN
}

/**
 * @param now The clock that dated the entry, in milliseconds; NaN where it failed.
 * @returns Undefined where the entry may not be served any more.
 */
export function toCachedToken(
  entry: TokenEntry,
  now: number,
  limits: EntryLimits,
): CachedToken | undefined {
  const age = getAgeMs(entry, now)
  const lifetime = tokenLifetime({
    lifetimeMs: 1000 * entry.lifetime,
    minRemainingMs: 1000 * limits.minRemaining,
    maxAgeMs: 1000 * limits.maxAge,
  })
  const phase = phaseAt(lifetime, age)
  if (phase === 'ended') return undefined
  return { entry, phase, secondsLeft: Math.floor(entry.lifetime - age / 1000) }
}

/** Milliseconds until an entry must be gone from every store; NaN where the clock failed. */
export function getTtlMs(entry: TokenEntry, now: number, { maxAge }: EntryLimits): number {
  return Math.ceil(1000 * Math.min(entry.lifetime, maxAge) - getAgeMs(entry, now))
}

/** The answer with the seconds that are left. */
export function writeTokenBody({ entry, secondsLeft }: CachedToken): string {
  return `${entry.text},"expires_in":${secondsLeft}}`
}

/** The last segment of `iss`; null for what is no token of a pool's. Nothing here is verified. */
function readUserPoolId(token: string): string | null {
  const [, payload = ''] = token.split('.')
  const { iss } = parseStrictObject(Buffer.from(payload, 'base64url')) ?? {}
  if (typeof iss !== 'string') return null
  return /\/([\w-]{1,55}_[0-9A-Za-z]{1,64})$/.exec(iss)?.[1] ?? null
}

/** Cognito's error answer, as its caller gets it. */
export interface Refusal {
  readonly kind: 'refused'
  readonly response: ProxyResponse
  /** `error` of RFC 6749 section 5.2. */
  readonly error: string
  /** The client, if its secret was accepted before. */
  readonly client: VerifiedClient | undefined
}

/** Why Cognito gave no answer about the request: `endpoint` says that it would have failed any request. */
export type FailureCause = 'endpoint' | 'request'

/** What Cognito's failure means for later requests. */
export interface UpstreamError {
  readonly cause: FailureCause
  /** Its answer is given again, with the seconds that are left of the backoff. */
  readonly createResponse: (seconds: number) => ProxyResponse
  /** Seconds Cognito asked to wait. */
  readonly retryAfter: number | undefined
}

/** A failed token request. */
interface FailedRequest extends UpstreamError {
  /** The client, if its secret was accepted before. */
  readonly client: VerifiedClient | undefined
}

/** Milliseconds: how long a secret that was just created, or a scope just granted, is still refused. */
const REFUSAL_TTL_MS = 10_000
/** Longest backoff of one name without Retry-After, in milliseconds. */
const MAX_BACKOFF_MS = 30_000
/** Beyond it the oldest is forgotten, and asked for again. */
const MAX_ENTRIES = 10_000
/** Characters of a refusal's body; Cognito's have some thirty. Longer ones would add up in memory. */
const MAX_BODY_LENGTH = 2048

interface FailureEntry {
  readonly backoff: Backoff
  failure: FailedRequest
  /** Of the last failure; see {@link NegativeCache.endOutageBackoffs}. */
  generation: number
}

/** Refusals and failures by the name of a token request: at most 10,000 of each, the oldest forgotten first. */
export class NegativeCache {
  readonly #refusals = new BoundedMap<{ readonly refusal: Refusal; readonly until: number }>(
    MAX_ENTRIES,
  )
  readonly #failures = new BoundedMap<FailureEntry>(MAX_ENTRIES)
  readonly #monotonicNow: () => number
  #generation = 0

  /** @param monotonicNow Milliseconds. */
  constructor(monotonicNow: () => number) {
    this.#monotonicNow = monotonicNow
  }

  findRefusal(name: string): Refusal | undefined {
    const known = this.#refusals.get(name)
    if (known === undefined) return undefined
    if (this.#monotonicNow() < known.until) return known.refusal
    this.#refusals.delete(name)
    return undefined
  }

  addRefusal(name: string, refusal: Refusal): void {
    this.#failures.delete(name)
    if (refusal.response.body.length > MAX_BODY_LENGTH) return
    this.#refusals.set(name, { refusal, until: this.#monotonicNow() + REFUSAL_TTL_MS })
  }

  /** @returns The failure whose backoff has not ended, with the seconds that are left of it. */
  findFailure(
    name: string,
  ): { readonly failure: FailedRequest; readonly seconds: number } | undefined {
    const failing = this.#failures.get(name)
    if (failing === undefined || this.#hasRecovered(failing)) return undefined
    const left = failing.backoff.until - this.#monotonicNow()
    // A clock that failed remembers nothing: the name is asked for.
    return left > 0 ? { failure: failing.failure, seconds: left / 1000 } : undefined
  }

  /** @returns Seconds until the backoff of the name ends. */
  addFailure(name: string, failure: FailedRequest): number {
    const known = this.#failures.get(name)
    const backoff =
      known === undefined || this.#hasRecovered(known) ? new Backoff(MAX_BACKOFF_MS) : known.backoff
    const now = this.#monotonicNow()
    backoff.failed(now, failure.retryAfter)
    this.#failures.set(name, { backoff, failure, generation: this.#generation })
    return (backoff.until - now) / 1000
  }

  deleteFailure(name: string): void {
    this.#failures.delete(name)
  }

  /** The endpoint answers again: every backoff that an outage caused ends. */
  endOutageBackoffs(): void {
    this.#generation += 1
  }

  #hasRecovered({ failure, generation }: FailureEntry): boolean {
    return failure.cause === 'endpoint' && generation !== this.#generation
  }
}
