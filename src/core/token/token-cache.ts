/**
 * Verified tokens by the header value they came in, so that the second use of a token costs no RSA
 * check. Only what was verified gets in: strangers can fill nothing. A hit compares the whole value,
 * and proves no more than that it was verified once: whether it still holds is judged each time.
 */
import type { ImportedKey } from '../keys/jwk.ts'
import { isUnexpired, type MachineClaims, notBefore } from './claims.ts'
import type { JsonValue } from './strict-json.ts'
import type { VerifiedToken } from './verified-token.ts'
import type { Issuer, VerifiedClaims } from './verify.ts'

/** Names kept; beyond that they are collected anew. */
const MAX_NAMES = 10_000

/** One string for all that are equal: thousands of tokens name a few clients. */
export class StringInterner {
  readonly #names = new Map<string, string>()

  get size(): number {
    return this.#names.size
  }

  /** The first string that was equal. */
  one(name: string): string {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    if (this.#names.size >= MAX_NAMES) this.#names.clear()
    this.#names.set(name, name)
    return name
  }
}

/** Bytes of an entry, its token object and their place in the cache. */
const OVERHEAD = 300
/** Behind the bits of routes: a field of its own would be 80 KB in a full cache. */
const VISITED = 2 ** 30
/** Bytes of a scope beside the claim it stands in. */
const SCOPE = 40
/** Bytes of a member beside its value and the characters of its name. */
const MEMBER = 16
/** The same where V8 keeps name and place for one object alone. */
const OWN_MEMBER = 112
/** Members of claims that V8 does not make a dictionary of. */
const FEW = 32
const WIDE = /[^\0-\xff]/

/** A verified token as it is kept, and what has to hold for it to count again. */
export class CachedToken implements CacheEntry {
  readonly credential: string
  readonly token: VerifiedToken
  readonly issuer: Issuer
  readonly bytes: number
  readonly #key: ImportedKey
  /** Epoch seconds. Here and on the token: a hit touches as little memory as it can. */
  readonly #notBefore: number
  readonly #expiresAt: number
  /** Routes whose scopes and clients it was found to meet, a bit each; and {@link VISITED}. */
  satisfiedRoutes = 0
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
    this.bytes = OVERHEAD + credential.length + scopeBytes(claims.scope) + heapBytes(claims, true)
    this.#key = key
    this.#notBefore = notBefore(claims, issuer.rules.clockTolerance)
    this.#expiresAt = claims.exp
  }

  get visited(): boolean {
    return (this.satisfiedRoutes & VISITED) !== 0
  }

  set visited(isVisited: boolean) {
    this.satisfiedRoutes = isVisited
      ? this.satisfiedRoutes | VISITED
      : this.satisfiedRoutes & ~VISITED
  }

  /**
   * What may have changed since it was verified: the time, and the keys. The claims and the signature
   * cannot.
   *
   * @param wall Wall clock, milliseconds.
   */
  stillHolds(wall: number): boolean {
    const now = wall / 1000
    const { keys, rules } = this.issuer
    return (
      isUnexpired(this.#expiresAt, rules.clockTolerance, now) &&
      now >= this.#notBefore &&
      keys.isStillValid(this.#key, wall)
    )
  }
}

/**
 * What claims take once a handler has read them, roughly and rather too much. V8 shares the names and
 * the shape of what all tokens have; of what is nested or wide each object may have to pay for its
 * own, which is several times its text.
 *
 * @param isShared Of the same shape as others.
 */
function heapBytes(value: JsonValue | MachineClaims | undefined, isShared = false): number {
  if (typeof value === 'string') return 24 + value.length * (isWide(value) ? 2 : 1)
  if (typeof value !== 'object' || value === null) return 8
  let bytes = 48
  if (Array.isArray(value)) {
    for (const item of value) bytes += MEMBER + heapBytes(item)
    return bytes
  }
  const names = Object.keys(value)
  const member = isShared && names.length <= FEW ? MEMBER : OWN_MEMBER
  for (const name of names) {
    bytes += member + name.length + heapBytes((value as MachineClaims)[name])
  }
  return bytes
}

/** Of the set of scopes; one blank stands between two of them. */
function scopeBytes(scope = ''): number {
  let bytes = SCOPE
  for (let at = scope.indexOf(' '); at !== -1; at = scope.indexOf(' ', at + 1)) bytes += SCOPE
  return bytes
}

/** One character beyond Latin-1 doubles a string; of a short one that is little. */
function isWide(text: string): boolean {
  return text.length > 64 && WIDE.test(text)
}

/** What the cache knows of an entry; it links and marks entries itself. */
export interface CacheEntry {
  /** The whole header value: `Bearer <token>`. */
  readonly credential: string
  /** What the entry is held to take, at most. */
  readonly bytes: number
  visited: boolean
  /** Another entry of the same bucket. */
  next: this | undefined
}

/** Bounds of the cache. */
export interface TokenCacheBounds {
  readonly maxEntries: number
  readonly maxBytes: number
}

/** A token takes more: buckets beyond that stay empty, and the hand would have to pass them. */
const LEAST_BYTES = 512
/** Entries of a bucket: what crowds into one, by chance or on purpose, is let go of. */
const MAX_CHAIN = 8

/**
 * Hashing the header value would cost more than all the rest of a hit, so buckets go by a few
 * characters of the signature, which is random. Not the very last: it has only four values.
 *
 * Let go of are entries that were not asked for since the hand last passed (a bit, set by a hit):
 * that keeps what is used without reordering anything on a hit.
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
    const most = Math.min(bounds.maxEntries, Math.ceil(bounds.maxBytes / LEAST_BYTES))
    const size = 2 ** Math.ceil(Math.log2(most))
    this.#buckets = new Array(size).fill(undefined)
    this.#mask = size - 1
  }

  get entries(): number {
    return this.#entries
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The entry of exactly this header value. */
  get(credential: string): Entry | undefined {
    let entry = this.#buckets[this.#indexOf(credential)]
    while (entry !== undefined && entry.credential !== credential) entry = entry.next
    if (entry?.visited === false) entry.visited = true
    return entry
  }

  /** Keeps an entry whose header value is not there; too large a one is not kept. */
  add(entry: Entry): void {
    const { maxEntries, maxBytes } = this.#bounds
    if (entry.bytes > maxBytes) return
    while (this.#entries >= maxEntries || this.#bytes + entry.bytes > maxBytes) this.#makeRoom()
    const index = this.#indexOf(entry.credential)
    entry.next = this.#buckets[index]
    this.#buckets[index] = entry
    this.#entries += 1
    this.#bytes += entry.bytes
    this.#trim(entry)
  }

  /** Lets go of an entry that is there. */
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
    this.#forget(at)
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

  /** Ends: the second time around no entry is marked any more. */
  #makeRoom(): void {
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

  #trim(first: Entry): void {
    let last = first
    for (let length = 1; length < MAX_CHAIN; length += 1) {
      if (last.next === undefined) return
      last = last.next
    }
    if (last.next === undefined) return
    this.#forget(last.next)
    last.next = undefined
  }

  #forget(entry: Entry): void {
    this.#entries -= 1
    this.#bytes -= entry.bytes
  }
}
