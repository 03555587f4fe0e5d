/**
 * Caches verified tokens by their header value, so that the second use of a token costs no RSA check. Only
 * verified tokens are cached, so unauthenticated callers cannot fill it. A hit compares the whole value, and
 * proves only that the token was verified once. Whether it is still valid is checked on every use.
 */
import type { ImportedKey } from '../keys/jwk.ts'
import { type MachineClaims, notAfter, notBefore } from './claims.ts'
import type { JsonValue } from './strict-json.ts'
import type { VerifiedToken } from './verified-token.ts'
import type { Issuer, VerifiedClaims } from './verify.ts'

/** Strings that are kept. Beyond that, the interner starts over. */
const MAX_STRINGS = 10_000

/** Returns one string for all equal ones: thousands of tokens share a few client ids. */
export class StringInterner {
  readonly #strings = new Map<string, string>()

  get size(): number {
    return this.#strings.size
  }

  /** The first string that was equal. */
  intern(text: string): string {
    const interned = this.#strings.get(text)
    if (interned !== undefined) return interned
    if (this.#strings.size >= MAX_STRINGS) this.#strings.clear()
    this.#strings.set(text, text)
    return text
  }
}

/** Bytes of an entry, its token object and its bucket. */
const ENTRY_BYTES = 300
/** Bytes of a scope in the set of scopes, besides the claim. */
const SCOPE_BYTES = 40
/** Bytes of a member besides its value and the characters of its name. */
const SHARED_MEMBER_BYTES = 16
/** The same if V8 stores name and position for one object alone. */
const OWN_MEMBER_BYTES = 112
/** Most members of an object that V8 does not turn into a dictionary. */
const MAX_SHAPE_MEMBERS = 32
/** Characters beyond Latin-1. */
const WIDE = /[^\0-\xff]/

/** A cached token, and what decides whether it is still valid. */
export class CachedToken implements CacheEntry {
  readonly credential: string
  readonly token: VerifiedToken
  readonly issuer: Issuer
  readonly bytes: number
  readonly #key: ImportedKey
  /** Epoch seconds, the tolerance included. A hit reads no other object for them. */
  readonly #notBefore: number
  readonly #notAfter: number
  /** Routes whose scopes, clients and user pools it satisfies: a bit each. */
  satisfiedRoutes = 0
  visited = false
  next: this | undefined = undefined

  constructor(
    credential: string,
    token: VerifiedToken,
    issuer: Issuer,
    { claims, key }: VerifiedClaims,
  ) {
    this.credential = credential
    this.token = token
    this.issuer = issuer
    this.bytes =
      ENTRY_BYTES + credential.length + countScopeBytes(claims.scope) + countHeapBytes(claims, true)
    this.#key = key
    const { clockTolerance } = issuer.rules
    this.#notBefore = notBefore(claims, clockTolerance)
    this.#notAfter = notAfter(claims.exp, clockTolerance)
  }

  /**
   * Checks what may have changed since the token was verified: the time, and the keys.
   *
   * @param wall Wall clock, milliseconds.
   */
  isStillValid(wall: number): boolean {
    const now = wall / 1000
    return (
      now < this.#notAfter &&
      now >= this.#notBefore &&
      this.issuer.keys.isStillValid(this.#key, wall)
    )
  }
}

/**
 * Estimates the memory of decoded claims, rather too high than too low. V8 shares names and shape of claims
 * that all tokens have. A nested or large object may need its own, which takes several times its text.
 *
 * @param isShared Whether other tokens have the same shape.
 */
function countHeapBytes(value: JsonValue | MachineClaims | undefined, isShared = false): number {
  if (typeof value === 'string') return 24 + value.length * (isWide(value) ? 2 : 1)
  if (typeof value !== 'object' || value === null) return 8
  let bytes = 48
  if (Array.isArray(value)) {
    for (const item of value) bytes += SHARED_MEMBER_BYTES + countHeapBytes(item)
    return bytes
  }
  const names = Object.keys(value)
  const memberBytes =
    isShared && names.length <= MAX_SHAPE_MEMBERS ? SHARED_MEMBER_BYTES : OWN_MEMBER_BYTES
  for (const name of names) {
    bytes += memberBytes + name.length + countHeapBytes((value as MachineClaims)[name])
  }
  return bytes
}

/** Bytes of the set of scopes. One blank separates two scopes. */
function countScopeBytes(scope = ''): number {
  let bytes = SCOPE_BYTES
  for (let at = scope.indexOf(' '); at !== -1; at = scope.indexOf(' ', at + 1)) bytes += SCOPE_BYTES
  return bytes
}

/** One character beyond Latin-1 doubles the size of a string. For a short string that is little. */
function isWide(text: string): boolean {
  return text.length > 64 && WIDE.test(text)
}

/** The members of an entry that the cache uses. It writes `visited` and `next` itself. */
export interface CacheEntry {
  /** The whole header value: `Bearer <token>`. */
  readonly credential: string
  /** Estimated memory of the entry. */
  readonly bytes: number
  /** Whether it was used since the CLOCK hand last passed. */
  visited: boolean
  /** Another entry of the same bucket. */
  next: this | undefined
}

/** Bounds of the cache. */
export interface TokenCacheBounds {
  readonly maxEntries: number
  readonly maxBytes: number
}

/** A token takes more. More buckets than this allows would stay empty and only slow down the CLOCK hand. */
const MIN_ENTRY_BYTES = 512
/** Most entries of a bucket. More of them are evicted, whether they collide by chance or deliberately. */
const MAX_CHAIN_LENGTH = 8

/**
 * A hash table with CLOCK (second-chance) eviction: a hit marks its entry, and the hand evicts the next entry
 * that is not marked. A hit moves nothing.
 *
 * The hash covers a few characters of the signature, which is random, except the last, which has only four
 * values. A `Map` would hash the whole header value, which costs more than all the rest of a hit.
 */
export class TokenCache<Entry extends CacheEntry> {
  readonly #bounds: TokenCacheBounds
  readonly #buckets: (Entry | undefined)[]
  readonly #mask: number
  #hand = 0
  #entries = 0
  #bytes = 0

  constructor(bounds: TokenCacheBounds) {
    this.#bounds = bounds
    const maxEntries = Math.min(bounds.maxEntries, Math.ceil(bounds.maxBytes / MIN_ENTRY_BYTES))
    const size = 2 ** Math.ceil(Math.log2(maxEntries))
    this.#buckets = new Array(size).fill(undefined)
    this.#mask = size - 1
  }

  get entries(): number {
    return this.#entries
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Returns the entry of exactly this header value, and marks it. */
  get(credential: string): Entry | undefined {
    let entry = this.#buckets[this.#indexOf(credential)]
    while (entry !== undefined && entry.credential !== credential) entry = entry.next
    if (entry?.visited === false) entry.visited = true
    return entry
  }

  /** Adds an entry whose header value has none. An entry above the bound is not kept. */
  add(entry: Entry): void {
    const { maxEntries, maxBytes } = this.#bounds
    if (entry.bytes > maxBytes) return
    while (this.#entries >= maxEntries || this.#bytes + entry.bytes > maxBytes) this.#evictOne()
    const index = this.#indexOf(entry.credential)
    entry.next = this.#buckets[index]
    this.#buckets[index] = entry
    this.#entries += 1
    this.#bytes += entry.bytes
    this.#trimBucket(entry)
  }

  /** Removes an entry; does nothing if it was evicted. */
  delete(entry: Entry): void {
    const index = this.#indexOf(entry.credential)
    let before: Entry | undefined
    let at = this.#buckets[index]
    while (at !== undefined && at !== entry) {
      before = at
      at = at.next
    }
    if (at === undefined) return
    if (before === undefined) this.#buckets[index] = at.next
    else before.next = at.next
    this.#subtract(at)
  }

  clear(): void {
    this.#buckets.fill(undefined)
    this.#entries = 0
    this.#bytes = 0
  }

  #indexOf(credential: string): number {
    let hash = 0
    const end = credential.length - 1
    for (let at = end - 6; at < end; at += 1) {
      hash = Math.imul(hash, 31) + credential.charCodeAt(at)
    }
    return hash & this.#mask
  }

  /** Terminates: in the second round no entry is marked. */
  #evictOne(): void {
    for (;;) {
      let entry = this.#buckets[this.#hand]
      while (entry?.visited === true) {
        entry.visited = false
        entry = entry.next
      }
      if (entry !== undefined) {
        this.delete(entry)
        return
      }
      this.#hand = (this.#hand + 1) & this.#mask
    }
  }

  #trimBucket(first: Entry): void {
    let last = first
    for (let length = 1; length < MAX_CHAIN_LENGTH; length += 1) {
      if (last.next === undefined) return
      last = last.next
    }
    if (last.next === undefined) return
    this.#subtract(last.next)
    last.next = undefined
  }

  #subtract(entry: Entry): void {
    this.#entries -= 1
    this.#bytes -= entry.bytes
  }
}
