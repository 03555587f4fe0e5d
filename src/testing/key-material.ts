/**
 * RSA key pairs shared by all pools of a process. Generating one takes about 150 ms, so pools share pairs
 * under separate kids. Pairs are generated at their first use, and never stored in the package.
 */
import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'

interface KeyPair {
  readonly privateKey: KeyObject
  readonly n: string
  readonly e: string
}

/** One published key: a kid of one pool for a shared key pair. */
export interface PoolKey {
  /** Index of the key pair. */
  readonly index: number
  readonly kid: string
  readonly pair: KeyPair
}

/** A public key as Cognito publishes it, members in Cognito's order. */
export interface PublishedKey {
  readonly kid: string
  readonly alg: 'RS256'
  readonly kty: 'RSA'
  readonly e: string
  readonly n: string
  readonly use: 'sig'
}

const BITS = 2048
const KEY_PAIRS: KeyPair[] = []

/** Gets a shared key pair by index. Generates it at its first use. */
function getKeyPair(index: number): KeyPair {
  while (KEY_PAIRS.length <= index) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: BITS })
    const { n, e } = publicKey.export({ format: 'jwk' }) as { n: string; e: string }
    KEY_PAIRS.push({ privateKey, n, e })
  }
  return KEY_PAIRS[index] as KeyPair
}

/** Generates a kid, in standard base64 like Cognito's. */
export function generateKeyId(): string {
  return randomBytes(32).toString('base64')
}

/**
 * Creates keys with new kids over the first key pairs that no key in `taken` uses: few pairs serve any
 * number of pools and rotations.
 */
export function createKeys(count: number, taken: readonly PoolKey[]): PoolKey[] {
  const used = new Set(taken.map(({ index }) => index))
  const keys: PoolKey[] = []
  for (let index = 0; keys.length < count; index += 1) {
    if (!used.has(index)) keys.push({ kid: generateKeyId(), index, pair: getKeyPair(index) })
  }
  return keys
}

/** Whether a value has the form of {@link generateKeyId}. */
export function isKeyId(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9+/]{43}=$/.test(value)
}

/**
 * Imports a saved key. A key pair that the process has already is reused: a second copy could be picked as
 * the new key of a rotation.
 *
 * @returns Undefined if it is not a usable RSA key.
 */
export function importKey(kid: string, privateKey: KeyObject): PoolKey | undefined {
  const { asymmetricKeyType, asymmetricKeyDetails } = privateKey
  if (asymmetricKeyType !== 'rsa' || asymmetricKeyDetails?.modulusLength !== BITS) return undefined
  const publicKey = createPublicKey(privateKey)
  // Node does not check that the parts of an imported key belong together.
  const input = randomBytes(32)
  if (!verify('sha256', input, publicKey, sign('sha256', input, privateKey))) return undefined
  const { n, e } = publicKey.export({ format: 'jwk' }) as { n: string; e: string }
  const existing = KEY_PAIRS.findIndex((pair) => pair.n === n)
  const index = existing === -1 ? KEY_PAIRS.push({ privateKey, n, e }) - 1 : existing
  return { kid, index, pair: KEY_PAIRS[index] as KeyPair }
}

export function toPublishedKey({ kid, pair: { e, n } }: PoolKey): PublishedKey {
  return { kid, alg: 'RS256', kty: 'RSA', e, n, use: 'sig' }
}
