/** What a hostile case is, and the few ways in which cases are made. */
import { sign } from 'node:crypto'
import type { AuthErrorCode } from '../../../src/index.ts'
import { encode, KID, keyPair, label, machineClaims, machineToken } from '../../support/forge.ts'

/** The options and the requirement of the case; see options.ts. */
export type DoorName = 'plain' | 'scoped' | 'large' | 'fetched' | 'weak'

/** One request that must be refused, and how. */
export interface HostileCase {
  /** The rule that is broken: an RFC's section, or the package's own strictness. */
  readonly clause: string
  readonly field: string
  readonly mutation: string
  readonly authorization: string | readonly string[]
  readonly code: AuthErrorCode
  readonly door: DoorName
  /** `direct`: no HTTP message can carry it. */
  readonly transport?: 'direct'
}

/** A control case that must pass, so that the similar hostile cases are rejected for the right reason. */
export type AcceptedCase = Omit<HostileCase, 'code'>

/** What the cases of one list share. */
export interface Theme {
  readonly clause: string
  readonly field: string
  readonly code: AuthErrorCode
  readonly door?: DoorName
}

/** A mutation's name and the token or the header value it made. */
export type Entry<Value = string> = readonly [mutation: string, value: Value]

/** Stays below the 16 KiB at which Node refuses a request's headers. */
const MAX_HTTP_LENGTH = 15 * 1024
/** What a field value is made of on the wire: RFC 9110 section 5.5; blanks around it are dropped. */
const FIELD_VALUE = /^(?:[\x21-\x7E\x80-\xFF](?:[\t\x20-\x7E\x80-\xFF]*[\x21-\x7E\x80-\xFF])?)?$/

export const HEADER = { alg: 'RS256', kid: KID }
export const GOOD = machineToken()
export const [GOOD_HEADER, GOOD_PAYLOAD, GOOD_SIGNATURE] = GOOD.split('.') as [
  string,
  string,
  string,
]
/** An attacker has keys too, but not those of the pool. */
export const attacker = () => keyPair('attacker')

/** Signs header and payload parts as they stand, however they are encoded. */
export function signedParts(header: string, payload: string, key = keyPair().privateKey): string {
  const input = Buffer.from(`${header}.${payload}`)
  return `${header}.${payload}.${sign('sha256', input, key).toString('base64url')}`
}

/** The pool's own signature over a header that is text, bytes or an object. */
export function withHeader(header: unknown): string {
  return signedParts(encode(header), GOOD_PAYLOAD)
}

/** The pool's own signature over a payload that is text, bytes or an object. */
export function withPayload(payload: unknown): string {
  return signedParts(GOOD_HEADER, encode(payload))
}

/** JSON text of the good header or payload with one member's text in place of its value. */
export function jsonWith(object: object, member: string, text: string): string {
  const { [member]: _value, ...others } = object as Record<string, unknown>
  return `${JSON.stringify(others).slice(0, -1)},"${member}":${text}}`
}

export const headerText = JSON.stringify(HEADER)
export const payloadText = JSON.stringify(machineClaims())

/** Every JSON type but the member's own, around the good value where there is an around. */
export function mistyped(good: unknown): readonly unknown[] {
  const others = [null, 0, 7, true, false, [], [good], [[good]], [good, good], {}]
  return [...others, { value: good }, { [String(good)]: true }]
}

/** Values as entries: each makes its token. */
export function entries(values: readonly unknown[], make: (value: never) => string): Entry[] {
  return values.map((value) => [label(value), make(value as never)])
}

/** Cases of Authorization values, one or several lines each. */
export function lines(
  { door = 'plain', ...theme }: Theme,
  values: readonly Entry<string | readonly string[]>[],
): HostileCase[] {
  return values.map(([mutation, authorization]) => {
    const hostile = { ...theme, door, mutation, authorization }
    return isCarried(authorization) ? hostile : { ...hostile, transport: 'direct' }
  })
}

/** Cases of tokens sent as they should be. */
export function tokens(theme: Theme, values: readonly Entry[]): HostileCase[] {
  return lines(
    theme,
    values.map(([mutation, token]) => [mutation, `Bearer ${token}`]),
  )
}

/** Tokens that pass. */
export function passing(
  theme: Omit<Theme, 'code'>,
  values: readonly Entry<string | readonly string[]>[],
): AcceptedCase[] {
  const cases = lines({ ...theme, code: 'ERR_TOKEN_INVALID' }, values)
  return cases.map(({ code: _code, ...accepted }) => accepted)
}

function isCarried(authorization: string | readonly string[]): boolean {
  const values = [authorization].flat()
  const length = values.reduce((sum, value) => sum + value.length + 20, 0)
  return length <= MAX_HTTP_LENGTH && values.every((value) => FIELD_VALUE.test(value))
}
