/**
 * RSA key pairs shared by all pools of a process. Making one takes some 150 ms, so a pool borrows
 * material under kids of its own; private keys are generated when used and stand nowhere.
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

/** One published key: a kid of the pool's own over shared material. */
export interface PoolKey {
  /** Number of the material. */
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

/** Shared material by number; made at its first use. */
function getKeyPair(index: number): KeyPair {
  while (KEY_PAIRS.length <= index) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: BITS })
    const { n, e } = publicKey.export({ format: 'jwk' }) as { n: string; e: string }
    KEY_PAIRS.push({ privateKey, n, e })
  }
  return KEY_PAIRS[index] as KeyPair
}

/** A new kid, standard base64 as Cognito's. */
export function generateKeyId(): string {
  return randomBytes(32).toString('base64')
}

/**
 * New kids over the lowest numbers of material that no key of `taken` has: few key pairs serve any
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

/** Whether it looks like what {@link generateKeyId} makes. */
export function isKeyId(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9+/]{43}=$/.test(value)
}

/**
 * A key that was kept; undefined where it is no usable RSA key. Material that the process has already is
 * not doubled: a rotation, or a key that has to be another, would get the same once more.
 */
export function importKey(kid: string, privateKey: KeyObject): PoolKey | undefined {
  const { asymmetricKeyType, asymmetricKeyDetails } = privateKey
  if (asymmetricKeyType !== 'rsa' || asymmetricKeyDetails?.modulusLength !== BITS) return undefined
  const publicKey = createPublicKey(privateKey)
  // Nothing checks that the parts of an imported key belong together.
  const input = randomBytes(32)
  if (!verify('sha256', input, publicKey, sign('sha256', input, privateKey))) return undefined
  const { n, e } = publicKey.export({ format: 'jwk' }) as { n: string; e: string }
  const known = KEY_PAIRS.findIndex((pair) => pair.n === n)
  const index = known === -1 ? KEY_PAIRS.push({ privateKey, n, e }) - 1 : known
  return { kid, index, pair: KEY_PAIRS[index] as KeyPair }
}

export function toPublishedKey({ kid, pair: { e, n } }: PoolKey): PublishedKey {
  return { kid, alg: 'RS256', kty: 'RSA', e, n, use: 'sig' }
}
