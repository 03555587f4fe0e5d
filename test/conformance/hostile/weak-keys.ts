/** Tokens that name keys the set lists but must not offer, each signed as that key would. */
import { createHash, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { encode, jwk, KID, keyPair } from '../../support/forge.ts'
import {
  attacker,
  type Entry,
  GOOD_PAYLOAD,
  GOOD_SIGNATURE,
  HEADER,
  type HostileCase,
  tokens,
} from './hostile-case.ts'

const SHA256_PREFIX = Buffer.from('3031300d060960864801650304020105000420', 'hex')

/** What keys declare that are not for RS256 signatures. */
const FOREIGN: ReadonlySet<string> = new Set([
  ...['type in lower case', 'for encryption', 'to sign only', 'to encrypt only', 'for nothing'],
  ...['RS512', 'RS384', 'PS256', 'RSA-OAEP', 'HS256', 'none', 'rs256'].map((alg) => `for ${alg}`),
  ...['for no name', 'oct', 'oct for RS256', 'EC', 'OKP'],
])

const codeOf = ({ kid }: WeakKey) => (FOREIGN.has(kid) ? 'ERR_KEY_UNKNOWN' : 'ERR_KEYS_UNAVAILABLE')

interface WeakKey {
  readonly clause: string
  readonly kid: string
  readonly jwk: object
  sign(input: string): string
}

function by(key: KeyObject, digest: string | null = 'sha256'): WeakKey['sign'] {
  return (input) => sign(digest, Buffer.from(input), key).toString('base64url')
}

/** With exponent 1 the padded hash is its own signature: RFC 8017 section 9.2. */
function selfSigned(input: string): string {
  const hash = createHash('sha256').update(input).digest()
  const tail = Buffer.concat([Buffer.from([0]), SHA256_PREFIX, hash])
  const padding = Buffer.alloc(256 - 2 - tail.length, 0xff)
  return Buffer.concat([Buffer.from([0, 1]), padding, tail]).toString('base64url')
}

function weakKeys(): readonly WeakKey[] {
  const { n, e } = jwk()
  const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const ed = generateKeyPairSync('ed25519')
  const short = keyPair('short', 1024)
  const almost = keyPair('almost', 2040)
  const evil = by(attacker().privateKey)
  const offered = (clause: string, kid: string, changes: object): WeakKey => ({
    clause,
    kid,
    sign: evil,
    jwk: { ...jwk({ kid }, attacker()), ...changes },
  })
  const secret = (input: string) => createHmac('sha256', 'secret').update(input).digest('base64url')
  const { d } = attacker().privateKey.export({ format: 'jwk' })
  return [
    { ...offered('RFC 7518 §6.3.1.2', 'exponent 1', { n, e: 'AQ' }), sign: selfSigned },
    { ...offered('RFC 7518 §6.3.1.2', 'exponent 1, padded', { n, e: 'AAAB' }), sign: selfSigned },
    { ...offered('RFC 7518 §6.3.1.2', 'exponent 0', { n, e: 'AA' }), sign: selfSigned },
    offered('RFC 7518 §6.3.1.2', 'exponent 2', { e: 'Ag' }),
    offered('RFC 7518 §6.3.1.2', 'exponent 65536', { e: 'AQAA' }),
    offered('RFC 7518 §6.3.1.2', 'exponent of 12 bytes', { e: 'AAAAAAAAAAAAAQAB' }),
    offered('RFC 7518 §6.3.1.2', 'no exponent', { e: undefined }),
    {
      ...offered('RFC 7518 §3.3', '1024 bits', short.publicKey.export({ format: 'jwk' })),
      sign: by(short.privateKey),
    },
    {
      ...offered('RFC 7518 §3.3', '2040 bits', almost.publicKey.export({ format: 'jwk' })),
      sign: by(almost.privateKey),
    },
    offered('RFC 7518 §6.3.1.1', 'modulus padded', { n: `${jwk({}, attacker()).n}=` }),
    offered('RFC 7518 §6.3.1.1', 'modulus as a list', { n: [jwk({}, attacker()).n] }),
    offered('RFC 7518 §6.3.1.1', 'modulus of 20000 bits', { n: '_'.repeat(3334) }),
    offered('RFC 7518 §6.3.1.1', 'no modulus', { n: undefined }),
    offered('RFC 7518 §6.3.2.1', 'private', { d }),
    offered('RFC 7517 §4.1', 'type in lower case', { kty: 'rsa' }),
    offered('RFC 7517 §4.1', 'no type', { kty: undefined }),
    offered('RFC 7517 §4.2', 'for encryption', { use: 'enc' }),
    offered('RFC 7517 §4.2', 'use of another type', { use: ['sig'] }),
    offered('RFC 7517 §4.3', 'to sign only', { key_ops: ['sign'] }),
    offered('RFC 7517 §4.3', 'to encrypt only', { key_ops: ['encrypt', 'wrapKey'] }),
    offered('RFC 7517 §4.3', 'for nothing', { key_ops: [] }),
    ...['RS512', 'RS384', 'PS256', 'RSA-OAEP', 'HS256', 'none', 'rs256', ''].map((alg) =>
      offered('RFC 7517 §4.4', `for ${alg || 'no name'}`, { alg }),
    ),
    offered('RFC 7517 §4.4', 'for null', { alg: null }),
    offered('RFC 7518 §6.4.1', 'RSA and a secret', { k: 'c2VjcmV0' }),
    {
      clause: 'RFC 7518 §6.4',
      kid: 'oct',
      jwk: { kid: 'oct', kty: 'oct', k: 'c2VjcmV0' },
      sign: secret,
    },
    {
      clause: 'RFC 7518 §6.4',
      kid: 'oct for RS256',
      jwk: { kid: 'oct for RS256', kty: 'oct', k: 'c2VjcmV0', alg: 'RS256' },
      sign: secret,
    },
    {
      clause: 'RFC 7518 §6.2',
      kid: 'EC',
      jwk: { kid: 'EC', ...ec.publicKey.export({ format: 'jwk' }) },
      sign: by(ec.privateKey),
    },
    {
      clause: 'RFC 7518 §6.2',
      kid: 'EC as RSA',
      jwk: { kid: 'EC as RSA', ...ec.publicKey.export({ format: 'jwk' }), kty: 'RSA', n, e: 'AQ' },
      sign: by(ec.privateKey),
    },
    {
      clause: 'RFC 8725 §3.5',
      kid: 'OKP',
      jwk: { kid: 'OKP', ...ed.publicKey.export({ format: 'jwk' }) },
      sign: by(ed.privateKey, null),
    },
    {
      clause: 'RFC 8725 §3.5',
      kid: 'certificate alone',
      jwk: { kid: 'certificate alone', kty: 'RSA', x5c: ['AA'] },
      sign: evil,
    },
    offered('RFC 7517 §4.5', 'constructor', { e: 'AQ' }),
    ...([e] as const).map((it) => offered('RFC 7518 §6.3.1.2', 'exponent as a list', { e: [it] })),
  ]
}

let made: readonly WeakKey[] | undefined
const all = () => {
  made ??= weakKeys()
  return made
}

/** The good key, every weak one, and keys of the attacker behind the good one's kid. */
export function weakKeySet(): { keys: readonly object[] } {
  const unnamed = [{ ...jwk({ kid: 5 }, attacker()) }, { ...jwk({ kid: undefined }, attacker()) }]
  const second = jwk({ kid: KID }, attacker())
  return { keys: [...all().map((it) => it.jwk), jwk(), second, ...unnamed, null, []] as object[] }
}

function named(key: Pick<WeakKey, 'sign'>, header: object): string {
  const input = `${encode(header)}.${GOOD_PAYLOAD}`
  return `${input}.${key.sign(input)}`
}

export function weakKeyCases(): HostileCase[] {
  const door = 'weak'
  const evil = { sign: by(attacker().privateKey) }
  return [
    // A listed key that cannot be used proves nothing against the token: 503, never a yes. One that
    // says it is not for RS256 signatures is none of the keys of such tokens: 401.
    ...all().flatMap((key) =>
      tokens({ clause: key.clause, field: `kid: ${key.kid}`, code: codeOf(key), door }, [
        ['signed as that key would', named(key, { ...HEADER, kid: key.kid })],
        [
          "the good token's signature",
          `${encode({ ...HEADER, kid: key.kid })}.${GOOD_PAYLOAD}.${GOOD_SIGNATURE}`,
        ],
      ]),
    ),
    ...all().flatMap((key) =>
      tokens({ clause: key.clause, field: `kid: ${key.kid}`, code: 'ERR_TOKEN_INVALID', door }, [
        ['alg as that key has it', named(key, { alg: algOf(key.jwk), kid: key.kid })],
      ]),
    ),
    ...tokens({ clause: 'RFC 7517 §4.5', field: 'kid', code: 'ERR_TOKEN_SIGNATURE', door }, [
      ['a second key under one kid', named(evil, HEADER)],
    ]),
    ...tokens({ clause: 'RFC 7517 §4.5', field: 'kid', code: 'ERR_KEY_UNKNOWN', door }, [
      ...['5', 'undefined', 'null', '', '[object Object]', 'toString'].map((kid): Entry => {
        return [`"${kid}", for a key without a kid`, named(evil, { ...HEADER, kid })]
      }),
    ]),
  ]
}

/** What a verifier that trusts the key or the header would verify with; never RS256. */
function algOf(key: object): string {
  const { kty, alg } = key as { kty?: string; alg?: string }
  if (alg !== undefined && alg !== 'RS256') return alg
  return { oct: 'HS256', EC: 'ES256', OKP: 'EdDSA' }[kty ?? ''] ?? 'RS512'
}
