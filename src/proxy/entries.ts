/** What is kept of an issued token, and what it is still good for. */
import { type JsonObject, parseStrictObject } from '../core/strict-json.ts'

/** A token that was issued once and may be served again. */
export interface Entry {
  /** Wall clock in milliseconds when Cognito was asked: before the token's life began, never after. */
  readonly askedAt: number
  /** Seconds the token lives, as Cognito said. */
  readonly life: number
  /** The pool that issued it; null where the token does not tell. */
  readonly userPoolId: string | null
  /** The answer's JSON up to `expires_in`, which is said anew each time. */
  readonly text: string
}

/** When a held token is replaced. Seconds. */
export interface EntryLimits {
  readonly minRemaining: number
  readonly maxAge: number
}

/**
 * `fresh`: served. `due`: served, and replaced behind the caller's back. `late`: replaced first,
 * served only where that fails.
 */
export type EntryState = 'fresh' | 'due' | 'late'

/** An entry that is good for something at the moment. */
export interface Held {
  readonly entry: Entry
  readonly state: EntryState
  /** Whole seconds of its life. */
  readonly left: number
}

/** Of a token's life, from which on it is replaced in the background. */
const DUE = 0.75
/** Most of a token's life that is held back, as a share. */
const HELD_BACK = 0.25
/** Seconds the clocks of two machines may differ: beyond it an entry is from a future that was undone. */
const MAX_SKEW = 60
/** Seconds: the longest life Cognito gives. */
const MAX_LIFE = 86_400
const TOKEN = /^[\x21-\x7e]{1,65536}$/
const VERSION = '1'

/**
 * What a 200 says, if a token of it can be kept: a bearer token with a life in whole seconds.
 *
 * @param askedAt Milliseconds; NaN where the clock told no time, and then nothing is kept.
 */
export function entryOf(body: JsonObject, askedAt: number): Entry | undefined {
  const { access_token: token, expires_in: life, token_type: type, ...others } = body
  const sane =
    typeof token === 'string' &&
    TOKEN.test(token) &&
    typeof type === 'string' &&
    /^bearer$/i.test(type) &&
    Number.isInteger(life) &&
    (life as number) >= 1 &&
    (life as number) <= MAX_LIFE
  if (!sane || !Number.isFinite(askedAt)) return undefined
  const text = JSON.stringify({ access_token: token, token_type: type, ...others }).slice(0, -1)
  return { askedAt, life: life as number, userPoolId: issuingPool(token), text }
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

/** Milliseconds since Cognito was asked; NaN where the clock tells no time or a time long before. */
function ageOf({ askedAt }: Entry, now: number): number {
  const age = now - askedAt
  return age >= -1000 * MAX_SKEW ? Math.max(0, age) : Number.NaN
}

/**
 * @param now Wall clock in milliseconds; while it tells no time nothing is believed.
 * @returns Undefined where the entry is nobody's any more.
 */
export function held(entry: Entry, now: number, limits: EntryLimits): Held | undefined {
  const { life } = entry
  const age = ageOf(entry, now) / 1000
  const left = Math.floor(life - age)
  if (!(left >= 1 && age < limits.maxAge)) return undefined
  if (life - age < Math.min(limits.minRemaining, HELD_BACK * life)) {
    return { entry, state: 'late', left }
  }
  const isDue = age >= DUE * Math.min(life, limits.maxAge)
  return { entry, state: isDue ? 'due' : 'fresh', left }
}

/** Milliseconds until an entry has ended. */
export function leftToServe(entry: Entry, now: number, { maxAge }: EntryLimits): number {
  return Math.ceil(1000 * Math.min(entry.life, maxAge) - ageOf(entry, now))
}

/** The answer with what is really left. */
export function answerText({ entry, left }: Held): string {
  return `${entry.text},"expires_in":${left}}`
}

/** The last segment of `iss`; null for what is no token of a pool's. Nothing here is verified. */
export function issuingPool(token: string): string | null {
  const [, payload = ''] = token.split('.')
  const { iss } = parseStrictObject(Buffer.from(payload, 'base64url')) ?? {}
  if (typeof iss !== 'string') return null
  return /\/([\w-]{1,55}_[0-9A-Za-z]{1,64})$/.exec(iss)?.[1] ?? null
}
