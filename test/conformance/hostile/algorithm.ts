/** Tokens whose `alg` is not RS256, each with a signature that fits the claimed algorithm. */
import {
  constants,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  type SignKeyObjectInput,
  sign,
} from 'node:crypto'
import {
  CLIENT,
  encode,
  ISSUER,
  jwk,
  KID,
  keyPair,
  label,
  machineClaims,
  POOL,
} from '../../support/forge.ts'
import {
  type Entry,
  entries,
  GOOD_PAYLOAD,
  GOOD_SIGNATURE,
  HEADER,
  type HostileCase,
  jsonWith,
  mistyped,
  signedParts,
  tokens,
  withHeader,
} from './hostile-case.ts'
import { lookAlikes } from './look-alikes.ts'

const JWS_ALGS = [
  ...['HS256', 'HS384', 'HS512', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384'],
  ...['ES512', 'ES256K', 'EdDSA', 'Ed25519', 'Ed448', 'ML-DSA-44', 'RS1', 'RS128'],
]
const JWE_ALGS = [
  ...['RSA1_5', 'RSA-OAEP', 'RSA-OAEP-256', 'A128KW', 'A256KW', 'dir', 'ECDH-ES', 'A128GCMKW'],
  ...['ECDH-ES+A128KW', 'PBES2-HS256+A128KW', 'A128GCM', 'A128CBC-HS256'],
]
/** The same algorithm by names that some library somewhere understands. */
const ALIASES = [
  ...['SHA256withRSA', 'sha256WithRSAEncryption', 'RSA-SHA256', 'RSASSA-PKCS1-v1_5', 'RS-256'],
  ...['http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', '1.2.840.113549.1.1.11', '-257'],
  ...['RS256,HS256', 'HS256,RS256', 'RS256 none', 'RS2560', 'RS256/2048', 'undefined', 'true'],
]
const NONES = [
  ...['none', 'None', 'NONE', 'nOnE', 'none ', ' none', '\tnone', 'none\0', '\0none', 'none\n'],
  ...['n\u043ene', 'non\u0435', '\uff4e\uff4f\uff4e\uff45', 'no\u200bne', 'null', 'nil', 'plain'],
]

function hmac(alg: string, digest: string, secret: string | Buffer): string {
  const input = `${encode({ ...HEADER, alg })}.${GOOD_PAYLOAD}`
  return `${input}.${createHmac(digest, secret).update(input).digest('base64url')}`
}

/** Everything public about the pool that a confused verifier may take for a secret. */
function secrets(): Entry<string | Buffer>[] {
  const { publicKey } = keyPair()
  const spki = publicKey.export({ type: 'spki', format: 'pem' }) as string
  const pkcs1 = publicKey.export({ type: 'pkcs1', format: 'pem' }) as string
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
  const body = spki.replace(/-----.*-----|\n/g, '')
  return [
    ...[['SPKI PEM', spki] as const, ['SPKI PEM, no last newline', spki.trimEnd()] as const],
    ['SPKI PEM, CRLF', spki.replace(/\n/g, '\r\n')],
    ['SPKI PEM on one line', spki.replace(/\n/g, '\\n')],
    ['SPKI PEM, body alone', body],
    ...[['PKCS1 PEM', pkcs1] as const, ['PKCS1 PEM, no last newline', pkcs1.trimEnd()] as const],
    ['SPKI DER', publicKey.export({ type: 'spki', format: 'der' })],
    ['PKCS1 DER', publicKey.export({ type: 'pkcs1', format: 'der' })],
    ['JWK as published', JSON.stringify(jwk())],
    ['JWK, thumbprint form', JSON.stringify({ e, kty: 'RSA', n })],
    ['JWKS', JSON.stringify({ keys: [jwk()] })],
    ...[['n, text', n] as const, ['n, bytes', Buffer.from(n, 'base64url')] as const],
    ['n, hex', Buffer.from(n, 'base64url').toString('hex')],
    ...[['e', e] as const, ['empty', ''] as const, ['kid', KID] as const],
    ...[['client id', CLIENT] as const, ['issuer', ISSUER] as const, ['pool id', POOL] as const],
    ...[['"secret"', 'secret'] as const, ['"[object Object]"', '[object Object]'] as const],
  ]
}

/** An HMAC under a public secret: claimed as what it is, and as an RSA signature. */
function confusion(): HostileCase[] {
  const clause = 'RFC 8725 §2.1'
  const digests = [256, 384, 512]
  const asHmac: Entry[] = []
  const asRsa: Entry[] = []
  for (const [name, secret] of secrets()) {
    for (const bits of digests) {
      asHmac.push([`HS${bits} under ${name}`, hmac(`HS${bits}`, `sha${bits}`, secret)])
      asRsa.push([`RS256, an HS${bits} under ${name}`, hmac('RS256', `sha${bits}`, secret)])
    }
  }
  return [
    ...tokens({ clause, field: 'alg', code: 'ERR_TOKEN_INVALID' }, asHmac),
    ...tokens({ clause, field: 'signature', code: 'ERR_TOKEN_SIGNATURE' }, asRsa),
  ]
}

/** Real signatures of other algorithms: by the pool's own key where it can make them. */
function otherSignatures(): HostileCase[] {
  const rsa: SignKeyObjectInput = { key: keyPair().privateKey }
  const pss = { ...rsa, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey
  const ieee = (key: KeyObject) => ({ key, dsaEncoding: 'ieee-p1363' as const })
  const ed = generateKeyPairSync('ed25519').privateKey
  const made: readonly [alg: string, digest: string | null, key: SignKeyObjectInput][] = [
    ['RS1', 'sha1', rsa],
    ['RS384', 'sha384', rsa],
    ['RS512', 'sha512', rsa],
    ['PS256', 'sha256', pss],
    ['PS384', 'sha384', { ...pss, saltLength: 48 }],
    ['PS512', 'sha512', { ...pss, saltLength: 64 }],
    ['ES256', 'sha256', ieee(ec('prime256v1'))],
    ['ES256K', 'sha256', ieee(ec('secp256k1'))],
    ['EdDSA', null, { key: ed }],
  ]
  const by = (alg: string, digest: string | null, key: SignKeyObjectInput) => {
    const input = `${encode({ ...HEADER, alg })}.${GOOD_PAYLOAD}`
    return `${input}.${sign(digest, Buffer.from(input), key).toString('base64url')}`
  }
  return [
    ...tokens(
      { clause: 'RFC 8725 §3.1', field: 'alg', code: 'ERR_TOKEN_INVALID' },
      made.map(([alg, digest, key]) => [`${alg}, signed so`, by(alg, digest, key)]),
    ),
    ...tokens(
      { clause: 'RFC 7518 §3.3', field: 'signature', code: 'ERR_TOKEN_SIGNATURE' },
      made.map(([alg, digest, key]) => [`RS256, signed as ${alg}`, by('RS256', digest, key)]),
    ),
  ]
}

function unsecured(): HostileCase[] {
  const unsigned: Entry<string>[] = [
    ['empty signature', '.'],
    ['no third part', ''],
    ['two last dots', '..'],
  ]
  const signedAnyhow: Entry<string>[] = [
    ["the good token's signature", `.${GOOD_SIGNATURE}`],
    ['any signature', '.AAAA'],
  ]
  const made = (algs: readonly string[], forms: readonly Entry[]) =>
    algs.flatMap((alg) =>
      forms.map(([form, end]): Entry => {
        return [`${label(alg)}, ${form}`, `${encode({ ...HEADER, alg })}.${GOOD_PAYLOAD}${end}`]
      }),
    )
  return tokens({ clause: 'RFC 7518 §3.6', field: 'alg', code: 'ERR_TOKEN_INVALID' }, [
    ...made(NONES, [...unsigned, ...signedAnyhow]),
    ...made(['RS256'], unsigned),
  ])
}

export function algorithmCases(): HostileCase[] {
  const refused = { field: 'alg', code: 'ERR_TOKEN_INVALID' } as const
  const named = (values: readonly unknown[]) =>
    entries(values, (alg: unknown) => withHeader({ ...HEADER, alg }))
  const alike = lookAlikes('RS256').map(([how, alg]): Entry => {
    return [how, withHeader({ ...HEADER, alg })]
  })
  const rawTypes = ['256e0', '-0', '"RS256\\u0000"', '"\\u0072s256"'].map((text): Entry => {
    return [`JSON ${text}`, withHeader(jsonWith(HEADER, 'alg', text))]
  })
  return [
    ...tokens({ ...refused, clause: 'RFC 7518 §3.1' }, named([...JWS_ALGS, ...ALIASES])),
    ...tokens({ ...refused, clause: 'RFC 7518 §4.1' }, named(JWE_ALGS)),
    ...tokens({ ...refused, clause: 'RFC 7515 §4.1.1' }, [
      ['missing', withHeader({ kid: KID })],
      [
        'in the payload instead',
        signedParts(encode({ kid: KID }), encode(machineClaims({ alg: 'RS256' }))),
      ],
      ...named(mistyped('RS256')),
      ...alike,
      ...rawTypes,
    ]),
    ...unsecured(),
    ...confusion(),
    ...otherSignatures(),
  ]
}
