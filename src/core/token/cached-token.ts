/** A verified token as it is kept, and what has to hold for it to count again. */

import type { ImportedKey } from '../keys/jwk.ts'
import type { MachineClaims } from './claims.ts'
import { isLive, notBefore } from './claims.ts'
import type { JsonValue } from './strict-json.ts'
import type { CacheEntry } from './token-cache.ts'
import type { VerifiedToken } from './verified-token.ts'
import type { Issuer, Verified } from './verify.ts'

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

/** See the module. */
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
  met = 0
  next: this | undefined = undefined

  constructor(credential: string, token: VerifiedToken, issuer: Issuer, { claims, key }: Verified) {
    this.credential = credential
    this.token = token
    this.issuer = issuer
    this.bytes = OVERHEAD + credential.length + scopeBytes(claims.scope) + heapBytes(claims, true)
    this.#key = key
    this.#notBefore = notBefore(claims, issuer.rules.clockTolerance)
    this.#expiresAt = claims.exp
  }

  get visited(): boolean {
    return (this.met & VISITED) !== 0
  }

  set visited(isVisited: boolean) {
    this.met = isVisited ? this.met | VISITED : this.met & ~VISITED
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
      isLive(this.#expiresAt, rules.clockTolerance, now) &&
      now >= this.#notBefore &&
      keys.stillHolds(this.#key, wall)
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
