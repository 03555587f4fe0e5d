/** Key sets with the pool's own kids and nothing that may verify a token. */
import type { LocalUserPool } from '../../../src/testing/index.ts'
import { keyPair } from '../../support/forge.ts'

type Key = ReturnType<LocalUserPool['jwks']>['keys'][number]

/** RFC 7517 appendix A.1. */
const P256 = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
}

function shortModulus(): string {
  const { n } = keyPair('short', 1024).publicKey.export({ format: 'jwk' })
  return n as string
}

/** What becomes of each key, by why it must not be used. */
export const unusable: Readonly<Record<string, (key: Key) => object>> = {
  'RSA of 1024 bits': (key) => ({ ...key, n: shortModulus() }),
  'RSA of 20,000 bits': (key) => ({ ...key, n: '_'.repeat(3334) }),
  'exponent 1': (key) => ({ ...key, e: 'AQ' }),
  'an even exponent': (key) => ({ ...key, e: 'AQAA' }),
  'a modulus that is a number': (key) => ({ ...key, n: 12_345 }),
  'an exponent that is a number': (key) => ({ ...key, e: 65_537 }),
  'numbers in lists': ({ n, e, ...key }) => ({ ...key, n: [n], e: [e] }),
  'numbers left out': ({ n: _n, e: _e, ...key }) => key,
  'EC P-256': ({ kid }) => ({ kid, ...P256 }),
  'a secret': ({ kid }) => ({ kid, kty: 'oct', k: 'c2VjcmV0' }),
  'keys to encrypt': (key) => ({ ...key, use: 'enc' }),
  'another algorithm': (key) => ({ ...key, alg: 'RS512' }),
  'operations without verify': (key) => ({ ...key, key_ops: ['sign'] }),
  'private members': (key) => ({ ...key, d: 'AQAB' }),
  'no kid': ({ kid: _, ...key }) => key,
  'a kid that is a number': (key) => ({ ...key, kid: 7 }),
}

export function unusableKeySet(why: string, pool: LocalUserPool): { keys: object[] } {
  const spoil = unusable[why] as (key: Key) => object
  return { keys: pool.jwks().keys.map(spoil) }
}
