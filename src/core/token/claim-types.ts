/** The types of the claims that decide, and which claim is missing or has another type. */
import { isAudience } from './audience.ts'
import type { JsonObject, JsonValue } from './strict-json.ts'

/** RFC 6749 section 3.3, with exactly one space between two; empty grants nothing. */
const SCOPE_LIST = /^(?:[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*)?$/

interface ClaimType {
  readonly claim: string
  readonly isRequired: boolean
  /** For messages. */
  readonly type: string
  readonly accepts: (value: JsonValue) => boolean
}

const TEXT = { type: 'a string', accepts: (value: JsonValue) => typeof value === 'string' }
const ID = {
  type: 'a non-empty string',
  accepts: (value: JsonValue) => typeof value === 'string' && value !== '',
}
const TIME = { type: 'a number', accepts: (value: JsonValue) => Number.isFinite(value) }
const SCOPES = {
  type: 'a list of scopes with one space between two',
  accepts: (value: JsonValue) => typeof value === 'string' && SCOPE_LIST.test(value),
}
const AUDIENCE = { type: 'a string or a list of strings', accepts: isAudience }

/** In the order in which they are checked. */
const CLAIM_TYPES: readonly ClaimType[] = [
  { claim: 'iss', isRequired: true, ...TEXT },
  { claim: 'token_use', isRequired: true, ...TEXT },
  { claim: 'client_id', isRequired: true, ...ID },
  { claim: 'sub', isRequired: true, ...ID },
  { claim: 'jti', isRequired: true, ...ID },
  { claim: 'exp', isRequired: true, ...TIME },
  { claim: 'iat', isRequired: true, ...TIME },
  { claim: 'nbf', isRequired: false, ...TIME },
  { claim: 'scope', isRequired: false, ...SCOPES },
  { claim: 'aud', isRequired: false, ...AUDIENCE },
]

/**
 * Says which claim is wrong first, for example `jti is missing`; undefined where all have their type.
 * The text is fixed: no value of a token enters it.
 */
export function claimFault(claims: JsonObject): string | undefined {
  for (const type of CLAIM_TYPES) if (!isOf(type, claims)) return faultOf(type, claims)
  return undefined
}

/** By claim, what is wrong with each of them. */
export function claimFaults(claims: JsonObject): ReadonlyMap<string, string> {
  const wrong = CLAIM_TYPES.filter((type) => !isOf(type, claims))
  return new Map(wrong.map((type) => [type.claim, faultOf(type, claims)]))
}

function isOf({ claim, isRequired, accepts }: ClaimType, claims: JsonObject): boolean {
  const value = claims[claim]
  return value === undefined ? !isRequired : accepts(value)
}

function faultOf({ claim, type }: ClaimType, claims: JsonObject): string {
  return claims[claim] === undefined ? `${claim} is missing` : `${claim} is not ${type}`
}
