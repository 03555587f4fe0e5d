/** Keys of the run and signatures over changed tokens, each made once: RSA is what a run costs. */
import { constants, createHmac, sign } from 'node:crypto'
import type { JsonWebKey } from '../../../src/index.ts'
import { jwk, keyPair } from '../../support/forge.ts'
import type { Signature } from './variant.ts'

export const OTHER_KID = 'second+key/in=the=set'

const published = keyPair()
const otherPublished = keyPair('other published')
/** Signs with a key that is in no key set. */
const stranger = keyPair('stranger')

/** The key set of the pool, the same for all verifiers. */
export const jwks: { keys: JsonWebKey[] } = {
  keys: [jwk(), jwk({ kid: OTHER_KID }, otherPublished)],
}

/** What a header would bring along to be verified with its own key. */
export const foreignKey: JsonWebKey = jwk({}, stranger)

const MAX_REMEMBERED = 20_000
const remembered = new Map<string, string>()

/** Base64url of the signature over the text. */
export function signature(kind: Exclude<Signature, 'left'>, input: string): string {
  const name = `${kind} ${input}`
  const known = remembered.get(name)
  if (known !== undefined) return known
  if (remembered.size === MAX_REMEMBERED) remembered.clear()
  const made = make(kind, Buffer.from(input)).toString('base64url')
  remembered.set(name, made)
  return made
}

function make(kind: Exclude<Signature, 'left'>, input: Buffer): Buffer {
  const key = published.privateKey
  switch (kind) {
    case 'right':
      return sign('sha256', input, key)
    case 'other published key':
      return sign('sha256', input, otherPublished.privateKey)
    case 'stranger':
      return sign('sha256', input, stranger.privateKey)
    case 'RS512':
      return sign('sha512', input, key)
    case 'PS256':
      return sign('sha256', input, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: 32,
      })
    case 'HS256 with the public key': {
      const secret = published.publicKey.export({ type: 'spki', format: 'pem' })
      return createHmac('sha256', secret).update(input).digest()
    }
    case 'empty':
      return Buffer.alloc(0)
  }
}
