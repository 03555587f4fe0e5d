/** The key a token names and the signature it made. */
import {
  type ImportedKey,
  importKeySet,
  type JsonWebKey,
  type JsonWebKeySet,
} from '../../../core/keys/jwk.ts'
import { isSignedBy } from '../../../core/token/signature.ts'
import { printable } from '../../../core/util/text.ts'
import type { Reading } from './decode.ts'
import { type Check, type Expectations, failed, passed, unjudged } from './judgements.ts'
import { type FetchedKeys, isAbsent } from './keys.ts'
import type { TrustedIssuer } from './trust.ts'

const UNAVAILABLE = 'ERR_KEYS_UNAVAILABLE'
const NEW_TOKEN =
  "get a new token from the pool that the API trusts: the key is another pool's, or was rotated away"

export async function checkKey(
  reading: Reading,
  expected: Expectations,
): Promise<readonly Check[]> {
  const kid = reading.header?.['kid']
  if (typeof kid !== 'string') return [unjudged('key', 'the header names none'), UNSIGNED]
  const { issuers } = expected.trust
  const claimed = issuers.find(({ issuer }) => issuer === reading.claims?.['iss'])
  const found = findKey(kid, claimed ?? (issuers[0] as TrustedIssuer), expected)
  if ('check' in found) return [found, UNSIGNED]
  return [passed('key', printable(kid)), await checkSignature(reading, found)]
}

const UNSIGNED = unjudged('signature', 'there is no key to check it with')

/** The key, or why there is none. */
function findKey(
  kid: string,
  { issuer, jwksUri }: TrustedIssuer,
  { trust, keys }: Expectations,
): ImportedKey | Check {
  const answer = keys.at(jwksUri)
  // Nothing was asked, and then it is said why: what a token names is asked first.
  if (answer === undefined) return unjudged('key', trust.silent as string, UNAVAILABLE)
  if ('error' in answer) {
    const others = trust.issuers.map((it) => keys.at(it.jwksUri))
    if (isAbsent(answer) && others.some(isKeySet)) {
      return failed('key', 'ERR_KEY_UNKNOWN', `the pool has no keys as ${issuer}`, NEW_TOKEN)
    }
    const { message, status, errno } = answer.error
    const facts = [status ?? [], errno ?? []].flat().join(', ')
    return unjudged('key', `${message}${facts === '' ? '' : ` (${facts})`}`, UNAVAILABLE)
  }
  const keySet = importKeySet(answer.document)
  if (keySet === undefined) return unjudged('key', 'the key set holds no usable key', UNAVAILABLE)
  if (keySet.unusable.has(kid)) {
    const message = `${printable(kid)} is listed, but is not a usable RSA key of at least 2048 bits`
    return unjudged('key', message, UNAVAILABLE)
  }
  const count = keySet.usable.size
  const absent = isListed(kid, answer.document)
    ? 'is listed, but not for RS256 signatures'
    : `is not in the key set, which has ${count} ${count === 1 ? 'key' : 'keys'}`
  return (
    keySet.usable.get(kid) ??
    failed('key', 'ERR_KEY_UNKNOWN', `${printable(kid)} ${absent}`, NEW_TOKEN)
  )
}

/** Of a document that was imported as a key set. */
function isListed(kid: string, document: unknown): boolean {
  const { keys } = document as JsonWebKeySet
  return keys.some((key: JsonWebKey | null) => key?.kid === kid)
}

function isKeySet(answer: FetchedKeys | undefined): boolean {
  return answer !== undefined && 'document' in answer && importKeySet(answer.document) !== undefined
}

async function checkSignature({ jws }: Reading, { key }: ImportedKey): Promise<Check> {
  if (jws === undefined) return unjudged('signature', 'of a token that is not well-formed')
  if (await isSignedBy(jws, key)) return passed('signature', 'made with that key')
  return failed(
    'signature',
    'ERR_TOKEN_SIGNATURE',
    'it is not of this header and payload by that key: the token was changed, or is forged',
    'copy the token whole, as the token endpoint answered it; never edit it',
  )
}
