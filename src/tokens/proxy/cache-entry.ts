/** A cached token: what is kept of Cognito's answer, and which phase of its life it is in. */
import { type JsonObject, parseStrictObject } from '../../core/token/strict-json.ts'
import { phaseAt, type TokenPhase, tokenLifetime } from '../oauth/token-lifetime.ts'

/** A token that was issued once and may be served again. */
export interface Entry {
  /** When Cognito was asked, in milliseconds, by the clock that dates entries: never after the token's life began. */
  readonly askedAt: number
  /** Seconds the token lives, as Cognito said. */
  readonly life: number
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
  readonly entry: Entry
  readonly phase: Exclude<TokenPhase, 'ended'>
  /** Whole seconds until it expires. */
  readonly left: number
}

/** Milliseconds the wall clocks of two machines may differ: an entry from further ahead is not believed. */
const MAX_SKEW_MS = 60_000
/** Seconds: the longest life Cognito gives. */
const MAX_LIFE = 86_400
const TOKEN = /^[\x21-\x7e]{1,65536}$/
const VERSION = '1'

/**
 * Reads an answer with status 200: a bearer token with a life of at least a second (RFC 6749 section 5.1).
 *
 * @param askedAt Milliseconds; NaN where the clock failed.
 * @returns Undefined for anything else: it must be neither served nor cached.
 */
export function entryOf(body: JsonObject, askedAt: number): Entry | undefined {
  const { access_token: token, expires_in: life, token_type: type, ...others } = body
  if (typeof token !== 'string' || !TOKEN.test(token)) return undefined
  if (typeof type !== 'string' || !/^bearer$/i.test(type)) return undefined
  if (typeof life !== 'number' || !(life >= 1)) return undefined
  const text = JSON.stringify({ access_token: token, token_type: type, ...others }).slice(0, -1)
  const cappedLife = Math.min(MAX_LIFE, Math.floor(life))
  return { askedAt, life: cappedLife, userPoolId: issuingPool(token), text }
}

/** As bytes for a store: a line of figures, then the answer. */
export function encodeEntry({ askedAt, life, userPoolId, text }: Entry): Uint8Array {
  return Buffer.from(`${VERSION} ${askedAt} ${life} ${userPoolId ?? ''}\n${text}`)
}

/** Undefined for what another version may have kept. */
export function decodeEntry(bytes: Uint8Array): Entry | undefined {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  const end = all.indexOf('\n')
  const [version, askedAt, life, userPoolId] = all.slice(0, end).split(' ')
  if (version !== VERSION || userPoolId === undefined) return undefined
  return {
    askedAt: Number(askedAt),
    life: Number(life),
    userPoolId: userPoolId === '' ? null : userPoolId,
    text: all.slice(end + 1),
  }
}

/** Milliseconds since Cognito was asked; NaN where the clock failed or shows a time long before. */
function ageOf({ askedAt }: Entry, now: number): number {
  const age = now - askedAt
  return age >= -MAX_SKEW_MS ? Math.max(0, age) : Number.NaN
}

/**
 * @param now The clock that dated the entry, in milliseconds; NaN where it failed.
 * @returns Undefined where the entry may not be served any more.
 */
export function cachedTokenOf(
  entry: Entry,
  now: number,
  limits: EntryLimits,
): CachedToken | undefined {
  const age = ageOf(entry, now)
  const lifetime = tokenLifetime({
    lifeMs: 1000 * entry.life,
    minRemainingMs: 1000 * limits.minRemaining,
    maxAgeMs: 1000 * limits.maxAge,
  })
  const phase = phaseAt(lifetime, age)
  if (phase === 'ended') return undefined
  return { entry, phase, left: Math.floor(entry.life - age / 1000) }
}

/** Milliseconds until an entry must be gone from every store; NaN where the clock failed. */
export function timeToLive(entry: Entry, now: number, { maxAge }: EntryLimits): number {
  return Math.ceil(1000 * Math.min(entry.life, maxAge) - ageOf(entry, now))
}

/** The answer with the seconds that are left. */
export function answerText({ entry, left }: CachedToken): string {
  return `${entry.text},"expires_in":${left}}`
}

/** The last segment of `iss`; null for what is no token of a pool's. Nothing here is verified. */
function issuingPool(token: string): string | null {
  const [, payload = ''] = token.split('.')
  const { iss } = parseStrictObject(Buffer.from(payload, 'base64url')) ?? {}
  if (typeof iss !== 'string') return null
  return /\/([\w-]{1,55}_[0-9A-Za-z]{1,64})$/.exec(iss)?.[1] ?? null
}
