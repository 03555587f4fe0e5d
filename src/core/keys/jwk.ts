/**
 * Imports a key set (RFC 7517). Each key is validated separately, so one invalid entry never invalidates the
 * others. Weak keys and keys for other uses are rejected (RFC 8725 section 3.5).
 */
import { createPublicKey, type KeyObject } from 'node:crypto'

const BASE64URL = /^[A-Za-z0-9_-]+$/
const MIN_MODULUS_BITS = 2048
/**
 * 16,384 and 64 bits, OpenSSL's own limits, as base64url. Checked on the text: importing numbers of
 * a hostile length blocks the event loop for seconds.
 */
const MAX_MODULUS_LENGTH = 2731
const MAX_EXPONENT_LENGTH = 11
/** Members that only a private key or a secret has. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** A public key set, as published. */
export interface JsonWebKeySet {
  readonly keys: readonly JsonWebKey[]
}

/** One published key (RFC 7517 section 4, RFC 7518 section 6.3). Certificates are never read. */
export interface JsonWebKey {
  readonly kid?: string
  readonly kty?: string
  readonly alg?: string
  readonly use?: string
  readonly key_ops?: readonly string[]
  readonly n?: string
  readonly e?: string
  readonly x5c?: readonly string[]
  readonly x5t?: string
  readonly 'x5t#S256'?: string
  readonly x5u?: string
}

/** A usable key, and the numbers from which it was imported. */
export interface ImportedKey {
  readonly kind: 'key'
  readonly kid: string
  readonly key: KeyObject
  readonly n: string
  readonly e: string
}

interface RsaDetails {
  readonly modulusLength: number
  readonly publicExponent: bigint
}

/** A snapshot of the imported key set of one issuer. */
export interface KeySet {
  readonly usable: ReadonlyMap<string, ImportedKey>
  /** Kids whose key should be for RS256 signatures, but could not be imported or is too weak. */
  readonly unusable: ReadonlySet<string>
}

/**
 * Imports a parsed key set document.
 *
 * @param previous An unchanged key keeps its KeyObject. This saves the import, and shows whether the key of a
 *   cached token was replaced under the same kid.
 * @returns Undefined if the document is not a key set or has no usable key.
 */
export function importKeySet(document: unknown, previous?: KeySet): KeySet | undefined {
  const entries = (document as JsonWebKeySet | null | undefined)?.keys
  if (!Array.isArray(entries)) return undefined
  const usable = new Map<string, ImportedKey>()
  const unusable = new Set<string>()
  for (const entry of entries as unknown[]) {
    const kid = (entry as JsonWebKey | null)?.kid
    // Of several keys with one kid, the first usable one counts.
    if (typeof kid !== 'string' || usable.has(kid) || declaresOtherUse(entry as JsonWebKey))
      continue
    const key = importKey(kid, entry as JsonWebKey, previous?.usable.get(kid))
    if (key === undefined) unusable.add(kid)
    else usable.set(kid, key)
  }
  for (const kid of usable.keys()) unusable.delete(kid)
  return usable.size === 0 ? undefined : { usable, unusable }
}

/** Number of keys that are in the next set only, and in the previous one only. */
export function countChanges(
  next: KeySet,
  previous: KeySet | undefined,
): { readonly added: number; readonly removed: number } {
  const now = new Set(next.usable.values())
  const before = new Set(previous?.usable.values())
  return {
    added: [...now].filter((key) => !before.has(key)).length,
    removed: [...before].filter((key) => !now.has(key)).length,
  }
}

/**
 * Whether a key declares that it is not for RS256 signatures (RFC 7517 section 4). Such a key counts
 * as absent: a token that names it is rejected. A member of the wrong type declares nothing: the key stays
 * listed, but cannot be used.
 */
function declaresOtherUse({ kty, alg, use, key_ops }: JsonWebKey): boolean {
  return (
    isOtherThan(kty, 'RSA') ||
    isOtherThan(alg, 'RS256') ||
    isOtherThan(use, 'sig') ||
    (Array.isArray(key_ops) &&
      key_ops.every((operation) => typeof operation === 'string') &&
      !key_ops.includes('verify'))
  )
}

function isOtherThan(declared: unknown, expected: string): boolean {
  return typeof declared === 'string' && declared !== expected
}

function importKey(
  kid: string,
  jwk: JsonWebKey,
  previous: ImportedKey | undefined,
): ImportedKey | undefined {
  const { kty, alg, use, n, e } = jwk
  const isAcceptable =
    kty === 'RSA' &&
    isBase64url(n, MAX_MODULUS_LENGTH) &&
    isBase64url(e, MAX_EXPONENT_LENGTH) &&
    (alg === undefined || alg === 'RS256') &&
    (use === undefined || use === 'sig') &&
    offersVerify(jwk.key_ops) &&
    PRIVATE_MEMBERS.every((member) => !(member in jwk))
  if (!isAcceptable) return undefined
  if (previous !== undefined && previous.n === n && previous.e === e) return previous
  // Node imports any RSA numbers. Its details show whether they are a strong key.
  const key = createPublicKey({ key: { kty, n, e }, format: 'jwk' })
  return isStrong(key) ? { kind: 'key', kid, key, n, e } : undefined
}

function isBase64url(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length <= maxLength && BASE64URL.test(value)
}

function offersVerify(operations: unknown): boolean {
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
}

/** With exponent 1, a signature equals its message: anyone can forge one. An even exponent is invalid. */
function isStrong(key: KeyObject): boolean {
  const { modulusLength, publicExponent } = key.asymmetricKeyDetails as RsaDetails
  return modulusLength >= MIN_MODULUS_BITS && publicExponent >= 3n && publicExponent % 2n === 1n
}
