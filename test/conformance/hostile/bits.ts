import { encode, label, seeded } from '../../support/forge.ts'
import {
  type Entry,
  GOOD_HEADER,
  GOOD_PAYLOAD,
  GOOD_SIGNATURE,
  HEADER,
  type HostileCase,
  headerText,
  payloadText,
  tokens,
} from './hostile-case.ts'

const INVALID = 'ERR_TOKEN_INVALID'
const SIGNATURE = 'ERR_TOKEN_SIGNATURE'
const input = `${GOOD_HEADER}.${GOOD_PAYLOAD}`
const signatureBytes = Buffer.from(GOOD_SIGNATURE, 'base64url')

/** One bit of one character, where what it must lead to can be said beforehand. */
export function bitCases(): HostileCase[] {
  const random = seeded(11)
  const flip = (text: string, at: number, bit: number) =>
    `${text.slice(0, at)}${String.fromCharCode(text.charCodeAt(at) ^ (1 << bit))}${text.slice(at + 1)}`
  const within = (
    text: string,
    value: string,
    times: number,
    make: (json: string) => string,
  ): Entry[] =>
    Array.from({ length: times }, (_, index): Entry => {
      const at = text.indexOf(value) + Math.floor((index * value.length) / times)
      return [`bit 0 at ${at}, in ${label(value)}`, make(flip(text, at, 0))]
    })
  const header = (json: string) => `${encode(json)}.${GOOD_PAYLOAD}.${GOOD_SIGNATURE}`
  const payload = (json: string) => `${GOOD_HEADER}.${encode(json)}.${GOOD_SIGNATURE}`
  const inHeader = (code: HostileCase['code'], value: string, times: number) =>
    tokens(
      { clause: 'RFC 7515 §5.2', field: 'header bit', code },
      within(headerText, value, times, header),
    )
  const inPayload = (code: HostileCase['code'], value: string, times: number) =>
    tokens(
      { clause: 'RFC 7515 §5.2', field: 'payload bit', code },
      within(payloadText, value, times, payload),
    )
  const bits = Array.from({ length: 48 }, (_, index): Entry => {
    const flippedBytes = Buffer.from(signatureBytes)
    // One in each stretch of the signature, first and last bytes included.
    const at = Math.min(255, Math.floor((index * 256) / 47))
    const bit = random(8)
    flippedBytes[at] = (flippedBytes[at] as number) ^ (1 << bit)
    return [`bit ${bit} of byte ${at}`, `${input}.${encode(flippedBytes)}`]
  })
  return [
    ...tokens({ clause: 'RFC 7515 §5.2', field: 'signature bit', code: SIGNATURE }, bits),
    ...inHeader(INVALID, 'RS256', 5),
    ...inHeader(INVALID, 'alg', 3),
    ...inHeader(INVALID, 'kid', 3),
    ...inHeader('ERR_KEY_UNKNOWN', HEADER.kid.slice(0, 12), 12),
    ...inHeader(INVALID, '{"', 2),
    ...inPayload(INVALID, '{"', 2),
    ...inPayload(INVALID, '":"', 3),
    ...inPayload('ERR_TOKEN_ISSUER', 'cognito-idp.eu-west-1', 10),
    ...inPayload('ERR_TOKEN_USE', '"access"'.slice(1, -1), 6),
    ...inPayload(SIGNATURE, 'orders/read', 10),
    ...inPayload(SIGNATURE, '39cdbc77-8743-4e1e', 18),
    ...inPayload(SIGNATURE, 'auth_time', 9),
    ...inPayload(SIGNATURE, 'version', 7),
    ...inPayload(INVALID, 'token_use', 4),
  ]
}
