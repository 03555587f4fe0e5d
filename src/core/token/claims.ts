/**
 * The claims of an access token: Cognito's rules, then the ones that make it a machine's. Runs before
 * the signature is checked, so that forging a refusal costs no RSA operation; aws-jwt-verify's own
 * check of `token_use` would tell by an exception, whose stack costs a fifth of one.
 */
import type { AuthErrorCode } from '../errors.ts'
import { readStrings } from '../options/validate.ts'
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
export function describeClaimError(claims: JsonObject): string | undefined {
  for (const type of CLAIM_TYPES) if (!isOf(type, claims)) return faultOf(type, claims)
  return undefined
}

/** By claim, what is wrong with each of them. */
export function listClaimErrors(claims: JsonObject): ReadonlyMap<string, string> {
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

/** Undefined: the server's default. Null: users' tokens are bound to no API. */
export function readAudience(
  value: unknown,
  place: string,
): ReadonlySet<string> | null | undefined {
  return value === undefined || value === null
    ? value
    : new Set(readStrings(value, place, 'audience'))
}

/** RFC 7519 section 4.1.3: a string, or an array of strings. */
function isAudience(value: JsonValue): boolean {
  return [value].flat().every((it) => typeof it === 'string')
}

/**
 * Compares `aud` as exact strings. Resource binding (RFC 8707) does not apply to client credentials,
 * so a machine's token has no audience but its own client. A user's token may be bound to an API:
 * then it is accepted only by that API.
 *
 * @param claims Types are checked.
 * @param audience This API's identifiers; undefined where users' tokens are bound to none.
 */
export function checkAudience(
  claims: JsonObject,
  audience: ReadonlySet<string> | undefined,
): AuthErrorCode | undefined {
  const { aud, client_id } = claims
  const values = (aud === undefined ? [] : [aud].flat()) as readonly string[]
  if (audience !== undefined && !isMachine(claims)) {
    const isForThisApi = values.some((it) => it !== client_id && audience.has(it))
    return isForThisApi ? undefined : 'ERR_TOKEN_AUDIENCE'
  }
  const isForClient = values.length > 0 && values.every((it) => it === client_id)
  return aud === undefined || isForClient ? undefined : 'ERR_TOKEN_AUDIENCE'
}

/** Client credentials: the app client is its own subject, and there is no user. */
export function isMachine(claims: JsonObject): boolean {
  return claims['sub'] === claims['client_id'] && !('username' in claims)
}

/** How far `iat` may lie in the future: a server's clock and Cognito's differ by seconds, not more. */
const MAX_ISSUED_AHEAD_SECONDS = 300
/** Claims of a machine's access token, as Cognito issues them. Others may be there: they pass. */
export interface MachineClaims {
  /** Equals `client_id`. */
  readonly sub: string
  readonly token_use: 'access'
  /** Scopes separated by one space. */
  readonly scope?: string
  readonly iss: string
  /** Epoch seconds. */
  readonly exp: number
  /** Epoch seconds. */
  readonly iat: number
  readonly jti: string
  readonly client_id: string
  /** Anything a pre-token-generation Lambda added, and fields Cognito may add later. */
  readonly [claim: string]: JsonValue | undefined
}

/** What the claims are held against, fixed when the server is created. */
export interface ClaimRules {
  readonly machinesOnly: boolean
  /** This API's identifiers, for users' tokens; undefined where those are bound to none. */
  readonly audience: ReadonlySet<string> | undefined
  /** The static list of app clients; undefined where any, or a lookup, decides. */
  readonly clientIds: ReadonlySet<string> | undefined
  /** Seconds. */
  readonly clockTolerance: number
}

/**
 * Checks claims whose issuer is already known to be the pool's. The order is part of the contract:
 * every surface gives the same answer.
 *
 * @param now Wall clock in milliseconds.
 */
export function checkClaims(
  claims: JsonObject,
  rules: ClaimRules,
  now: number,
): AuthErrorCode | undefined {
  return (
    checkTokenUse(claims) ??
    checkTypes(claims) ??
    checkSubject(claims, rules.machinesOnly) ??
    checkAudience(claims, rules.audience) ??
    checkTimes(claims as MachineClaims, rules.clockTolerance, now / 1000) ??
    checkClient(claims as MachineClaims, rules.clientIds)
  )
}

/** Whether it is an access token. */
export function checkTokenUse(claims: JsonObject): AuthErrorCode | undefined {
  if (typeof claims['token_use'] !== 'string') return 'ERR_TOKEN_INVALID'
  return claims['token_use'] === 'access' ? undefined : 'ERR_TOKEN_USE'
}

/** Whether every claim that decides has the type Cognito gives it. */
export function checkTypes(claims: JsonObject): AuthErrorCode | undefined {
  return describeClaimError(claims) === undefined ? undefined : 'ERR_TOKEN_INVALID'
}

/** Whoever may sign up to a pool gets an access token too: a machine's has its client as subject. */
export function checkSubject(claims: JsonObject, machinesOnly: boolean): AuthErrorCode | undefined {
  return !machinesOnly || isMachine(claims) ? undefined : 'ERR_TOKEN_USE'
}

/** Every comparison is written so that a clock that answers NaN refuses. */
function checkTimes(
  claims: MachineClaims,
  tolerance: number,
  now: number,
): AuthErrorCode | undefined {
  if (!isUnexpired(claims.exp, tolerance, now)) return 'ERR_TOKEN_EXPIRED'
  return now >= notBefore(claims, tolerance) ? undefined : 'ERR_TOKEN_NOT_ACTIVE'
}

/** From when on `iat` and `nbf` let a token pass. All in seconds. */
export function notBefore({ iat, nbf }: MachineClaims, tolerance: number): number {
  const issued = iat - MAX_ISSUED_AHEAD_SECONDS
  return nbf === undefined ? issued : Math.max(issued, (nbf as number) - tolerance)
}

/** Expiry alone, for tokens verified before. All in seconds. */
export function isUnexpired(exp: number, tolerance: number, now: number): boolean {
  return now < exp + tolerance
}

/** The static list; a lookup is asked later. */
export function checkClient(
  { client_id }: MachineClaims,
  clientIds: ReadonlySet<string> | undefined,
): AuthErrorCode | undefined {
  return clientIds === undefined || clientIds.has(client_id) ? undefined : 'ERR_CLIENT_NOT_ALLOWED'
}
