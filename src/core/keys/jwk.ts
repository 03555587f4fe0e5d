/**
 * Imports a key set (RFC 7517): each key is judged alone, so one junk entry never spoils the others.
 * What is refused here would let a weak or foreign key vouch for a token (RFC 8725 section 3.5).
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
/** Members only a private key or a secret has. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** A public key set as it is published. */
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

/** A usable key and what it was imported from. */
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

/** The imported key set of one issuer at one moment. */
export interface KeySet {
  readonly usable: ReadonlyMap<string, ImportedKey>
  /** Kids whose key should be for RS256 signatures, but could not be imported or is too weak. */
  readonly unusable: ReadonlySet<string>
}

/**
 * Imports a parsed key set document.
 *
 * @param previous An unchanged key keeps its KeyObject, which saves the import and tells tokens
 *   verified with it from those whose key was replaced under the same kid.
 * @returns undefined where the document is not a key set or holds no usable key.
 */
export function importKeySet(document: unknown, previous?: KeySet): KeySet | undefined {
  const entries = (document as JsonWebKeySet | null | undefined)?.keys
  if (!Array.isArray(entries)) return undefined
  const usable = new Map<string, ImportedKey>()
  const unusable = new Set<string>()
  for (const entry of entries as unknown[]) {
    const kid = (entry as JsonWebKey | null)?.kid
    // Of two keys under one kid the first usable one counts, whatever stands around it.
    if (typeof kid !== 'string' || usable.has(kid) || isForeign(entry as JsonWebKey)) continue
    const key = importKey(kid, entry as JsonWebKey, previous?.usable.get(kid))
    if (key === undefined) unusable.add(kid)
    else usable.set(kid, key)
  }
  for (const kid of usable.keys()) unusable.delete(kid)
  return usable.size === 0 ? undefined : { usable, unusable }
}

/** How many keys are in force that were not before, and the reverse. */
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
 * as absent: a token that names it is rejected. A member of the wrong type declares nothing, so that
 * the key stays one that cannot be used.
 */
function isForeign({ kty, alg, use, key_ops }: JsonWebKey): boolean {
  return (
    isOther(kty, 'RSA') ||
    isOther(alg, 'RS256') ||
    isOther(use, 'sig') ||
    (Array.isArray(key_ops) &&
      key_ops.every((operation) => typeof operation === 'string') &&
      !key_ops.includes('verify'))
  )
}

function isOther(declared: unknown, expected: string): boolean {
  return typeof declared === 'string' && declared !== expected
}

function importKey(
  kid: string,
  jwk: JsonWebKey,
  previous: ImportedKey | undefined,
): ImportedKey | undefined {
  const { kty, alg, use, n, e } = jwk
  const offered =
    kty === 'RSA' &&
    isBase64url(n, MAX_MODULUS_LENGTH) &&
    isBase64url(e, MAX_EXPONENT_LENGTH) &&
    (alg === undefined || alg === 'RS256') &&
    (use === undefined || use === 'sig') &&
    offersVerify(jwk.key_ops) &&
    PRIVATE_MEMBERS.every((member) => !(member in jwk))
  if (!offered) return undefined
  if (previous !== undefined && previous.n === n && previous.e === e) return previous
  // Node imports any RSA numbers; whether they make a key is told by its details.
  const key = createPublicKey({ key: { kty, n, e }, format: 'jwk' })
  return isStrong(key) ? { kind: 'key', kid, key, n, e } : undefined
}

function isBase64url(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length <= maxLength && BASE64URL.test(value)
}

function offersVerify(operations: unknown): boolean {
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
}

/** With exponent 1 a signature is its own message: anyone can make one. An even one is no RSA key. */
function isStrong(key: KeyObject): boolean {
  const { modulusLength, publicExponent } = key.asymmetricKeyDetails as RsaDetails
  return modulusLength >= MIN_MODULUS_BITS && publicExponent >= 3n && publicExponent % 2n === 1n
}
