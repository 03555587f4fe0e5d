/** Tokens cut, stretched and swapped: the right pieces in the wrong shape. */
import { sign } from 'node:crypto'
import { encode, jwk, keyPair, machineClaims, NOW } from '../../support/forge.ts'
import {
  type Entry,
  GOOD,
  GOOD_HEADER,
  GOOD_PAYLOAD,
  GOOD_SIGNATURE,
  HEADER,
  type HostileCase,
  headerText,
  payloadText,
  signedParts,
  tokens,
  withPayload,
} from './hostile-case.ts'

const INVALID = 'ERR_TOKEN_INVALID'
const SIGNATURE = 'ERR_TOKEN_SIGNATURE'
const input = `${GOOD_HEADER}.${GOOD_PAYLOAD}`
const signatureBytes = Buffer.from(GOOD_SIGNATURE, 'base64url')

function truncated(): HostileCase[] {
  const clause = 'RFC 7515 §7.1'
  const cut = (text: string, at: number) => text.slice(0, at)
  const lengths = (text: string) => [1, 4, 8, 16, text.length - 8, text.length - 4, text.length - 1]
  const parts: Entry[] = [
    ...lengths(GOOD_HEADER).map(
      (at): Entry => [
        `header to ${at}`,
        `${cut(GOOD_HEADER, at)}.${GOOD_PAYLOAD}.${GOOD_SIGNATURE}`,
      ],
    ),
    ...lengths(GOOD_PAYLOAD).map(
      (at): Entry => [
        `payload to ${at}`,
        `${GOOD_HEADER}.${cut(GOOD_PAYLOAD, at)}.${GOOD_SIGNATURE}`,
      ],
    ),
  ]
  const total = [
    10,
    GOOD_HEADER.length,
    GOOD_HEADER.length + 1,
    200,
    input.length,
    input.length + 1,
  ]
  const firstBytes = [1, 3, 32, 128, 252, 255]
  // Other lengths: the first and the last byte of a signature may be equal.
  const lastBytes = [2, 4, 33, 127, 251, 254]
  return [
    ...tokens({ clause, field: 'part', code: INVALID }, parts),
    ...tokens({ clause, field: 'token', code: INVALID }, [
      ...total.map((at): Entry => [`cut at ${at}`, cut(GOOD, at)]),
      ...[1, GOOD_HEADER.length, 200].map(
        (at): Entry => [`without the first ${at}`, GOOD.slice(at)],
      ),
    ]),
    ...tokens({ clause: 'RFC 7518 §3.3', field: 'signature', code: SIGNATURE }, [
      ...firstBytes.map(
        (at): Entry => [`first ${at} bytes`, `${input}.${encode(signatureBytes.subarray(0, at))}`],
      ),
      ...lastBytes.map(
        (at): Entry => [`last ${at} bytes`, `${input}.${encode(signatureBytes.subarray(-at))}`],
      ),
    ]),
  ]
}

/** Numbers that RSA could take for a signature, and envelopes around the real one. */
function stretched(): HostileCase[] {
  const n = Buffer.from(jwk().n as string, 'base64url')
  const number = (value: bigint) => Buffer.from(value.toString(16).padStart(512, '0'), 'hex')
  const modulus = BigInt(`0x${n.toString('hex')}`)
  const s = BigInt(`0x${signatureBytes.toString('hex')}`)
  const sum = Buffer.from((s + modulus).toString(16).padStart(514, '0'), 'hex')
  const zero = Buffer.alloc(1)
  const values: [string, Buffer | string][] = [
    ...[['0', number(0n)] as const, ['1', number(1n)] as const, ['n', n] as const].map(
      ([a, b]): [string, Buffer] => [a, b],
    ),
    ['n - 1', number(modulus - 1n)],
    ['n - s', number(modulus - s)],
    ['s + n', sum],
    ['all ones', Buffer.alloc(256, 0xff)],
    ['leading zero', Buffer.concat([zero, signatureBytes])],
    ['trailing zero', Buffer.concat([signatureBytes, zero])],
    ['twice', Buffer.concat([signatureBytes, signatureBytes])],
    ['reversed', Buffer.from(signatureBytes).reverse()],
    ['DER octet string', Buffer.concat([Buffer.from('04820100', 'hex'), signatureBytes])],
    ['DER bit string', Buffer.concat([Buffer.from('0382010100', 'hex'), signatureBytes])],
    ['base64url of base64url', GOOD_SIGNATURE],
    ['hex', signatureBytes.toString('hex')],
    ['one byte', zero],
    ['1 KiB', Buffer.alloc(1024, 7)],
    ['the signing input', input],
  ]
  return [
    ...tokens(
      { clause: 'RFC 7518 §3.3', field: 'signature', code: SIGNATURE },
      values.map(([name, value]) => [name, `${input}.${encode(value)}`]),
    ),
    ...tokens({ clause: 'RFC 7515 §7.1', field: 'part', code: INVALID }, [
      ['header and zero bytes', signedParts(encode(`${headerText}\0\0\0`), GOOD_PAYLOAD)],
      ['payload and zero bytes', withPayload(`${payloadText}\0\0\0`)],
      ['header twice', signedParts(GOOD_HEADER + GOOD_HEADER, GOOD_PAYLOAD)],
      ['payload twice', signedParts(GOOD_HEADER, GOOD_PAYLOAD + GOOD_PAYLOAD)],
    ]),
  ]
}

function swapped(): HostileCase[] {
  const other = withPayload(machineClaims({ jti: 'another', exp: NOW + 7200 })).split('.')
  const [, payload = '', signature = ''] = other
  const [h, p, s] = [GOOD_HEADER, GOOD_PAYLOAD, GOOD_SIGNATURE]
  const orders: [string, string[]][] = [
    ['header, signature, payload', [h, s, p]],
    ['payload, header, signature', [p, h, s]],
    ['payload, signature, header', [p, s, h]],
    ['signature, header, payload', [s, h, p]],
    ['signature, payload, header', [s, p, h]],
    ['header thrice', [h, h, h]],
    ['payload thrice', [p, p, p]],
    ['signature thrice', [s, s, s]],
  ]
  return [
    ...tokens({ clause: 'RFC 7515 §5.2', field: 'signature', code: SIGNATURE }, [
      ["another token's", `${h}.${p}.${signature}`],
      ["another token's payload", `${h}.${payload}.${s}`],
      ['of the payload alone', `${input}.${signatureOf(p)}`],
      ['of header and payload without the dot', `${input}.${signatureOf(`${h}${p}`)}`],
      ['of the decoded text', `${input}.${signatureOf(`${headerText}.${payloadText}`)}`],
      ['of the empty text', `${input}.${signatureOf('')}`],
      [
        'members reordered',
        `${encode({ kid: HEADER.kid, alg: HEADER.alg, typ: 'JWT' })}.${p}.${s}`,
      ],
      ['blank in the payload', `${h}.${encode(` ${payloadText}`)}.${s}`],
    ]),
    ...tokens(
      { clause: 'RFC 7515 §3.1', field: 'order', code: INVALID },
      orders.map(([name, parts]) => [name, parts.join('.')]),
    ),
  ]
}

function signatureOf(text: string): string {
  return sign('sha256', Buffer.from(text), keyPair().privateKey).toString('base64url')
}

export function partCases(): HostileCase[] {
  return [...truncated(), ...stretched(), ...swapped()]
}
