/**
 * The claims of an access token: Cognito's rules, then those that make it a machine's, as one ordered list
 * of checks. They run before the signature check, so that rejecting a forged token costs no RSA operation.
 * aws-jwt-verify's own check of `token_use` throws, and the stack of its error costs a fifth of one.
 */
import type { AuthErrorCode } from '../errors.ts'
import { readStrings } from '../options/validate.ts'
import type { JsonObject, JsonValue } from './strict-json.ts'

/** RFC 6749 section 3.3, with exactly one space between two; empty grants nothing. */
const SCOPE_LIST = /^(?:[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*)?$/
/** How far `iat` may lie in the future: a server's clock and Cognito's differ by seconds, not more. */
const MAX_ISSUED_AHEAD_SECONDS = 300

/** Claims of a machine's access token, as Cognito issues them. Other claims are allowed. */
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

/** What the claims of an issuer's tokens must satisfy, fixed when the server is created. */
export interface ClaimRules {
  readonly machinesOnly: boolean
  /** This API's identifiers, for users' tokens; undefined if those are bound to none. */
  readonly audience: ReadonlySet<string> | undefined
  /** The static list of app clients; undefined if any may call, or if a lookup decides. */
  readonly clientIds: ReadonlySet<string> | undefined
  /** Seconds. */
  readonly clockTolerance: number
}

/** Which claim is wrong. */
export interface ClaimFailure {
  readonly claim: string
  readonly code: AuthErrorCode
  /**
   * With `ERR_TOKEN_INVALID`, the claim and its fault, for example `jti is missing`. A fixed set of texts:
   * no value of a token enters it. Else null.
   */
  readonly reason: string | null
}

interface ClaimCheck {
  readonly claim: string
  readonly code: AuthErrorCode
  /** The type that the claim must have, for the reason; undefined for a check of its value. */
  readonly type?: string
  /**
   * Must return for claims of any type: a list of all failures runs every check.
   *
   * @param now Wall clock in seconds.
   */
  readonly accepts: (claims: JsonObject, rules: ClaimRules, now: number) => boolean
}

type TypeTest = readonly [type: string, test: (value: JsonValue) => boolean]

const TEXT: TypeTest = ['a string', (value) => typeof value === 'string']
const ID: TypeTest = ['a non-empty string', (value) => typeof value === 'string' && value !== '']
const TIME: TypeTest = ['a number', (value) => Number.isFinite(value)]
const SCOPES: TypeTest = [
  'a list of scopes with one space between two',
  (value) => typeof value === 'string' && SCOPE_LIST.test(value),
]
const AUDIENCE: TypeTest = ['a string or a list of strings', isAudience]

function required(claim: string, [type, test]: TypeTest): ClaimCheck {
  const accepts = (claims: JsonObject): boolean => {
    const value = claims[claim]
    return value !== undefined && test(value)
  }
  return { claim, code: 'ERR_TOKEN_INVALID', type, accepts }
}

function optional(claim: string, [type, test]: TypeTest): ClaimCheck {
  const accepts = (claims: JsonObject): boolean => {
    const value = claims[claim]
    return value === undefined || test(value)
  }
  return { claim, code: 'ERR_TOKEN_INVALID', type, accepts }
}

const ISSUER_TYPE = required('iss', TEXT)

/**
 * In the order in which they decide. The order is part of the contract: every surface gives the same answer.
 * Every comparison with the clock is written so that a clock that returns NaN rejects.
 */
const CLAIM_CHECKS: readonly ClaimCheck[] = [
  ISSUER_TYPE,
  required('token_use', TEXT),
  {
    claim: 'token_use',
    code: 'ERR_TOKEN_USE',
    accepts: ({ token_use }) => token_use === 'access',
  },
  required('client_id', ID),
  required('sub', ID),
  required('jti', ID),
  required('exp', TIME),
  required('iat', TIME),
  optional('nbf', TIME),
  optional('scope', SCOPES),
  optional('aud', AUDIENCE),
  {
    claim: 'sub',
    code: 'ERR_TOKEN_USE',
    // Users who sign up to the pool get access tokens too. In a machine's token, `sub` is the app client.
    accepts: (claims, { machinesOnly }) => !machinesOnly || isMachine(claims),
  },
  {
    claim: 'aud',
    code: 'ERR_TOKEN_AUDIENCE',
    accepts: (claims, { audience }) => isForAudience(claims, audience),
  },
  {
    claim: 'exp',
    code: 'ERR_TOKEN_EXPIRED',
    accepts: ({ exp }, { clockTolerance }, now) => now < notAfter(exp as number, clockTolerance),
  },
  {
    claim: 'nbf',
    code: 'ERR_TOKEN_NOT_ACTIVE',
    accepts: (claims, { clockTolerance }, now) =>
      now >= notBefore(claims as MachineClaims, clockTolerance),
  },
  {
    claim: 'client_id',
    code: 'ERR_CLIENT_NOT_ALLOWED',
    // The static list. A lookup is called after the signature check.
    accepts: ({ client_id }, { clientIds }) =>
      clientIds === undefined || clientIds.has(client_id as string),
  },
]

/**
 * Checks claims whose issuer is one of the server's.
 *
 * @param now Wall clock in milliseconds.
 * @returns The first failure; undefined if every check passes.
 */
export function checkClaims(
  claims: JsonObject,
  rules: ClaimRules,
  now: number,
): ClaimFailure | undefined {
  const seconds = now / 1000
  for (const check of CLAIM_CHECKS) {
    if (!check.accepts(claims, rules, seconds)) return toFailure(check, claims)
  }
  return undefined
}

/**
 * Every failure, in the order of the checks. A claim of the wrong type may fail the check of its value too.
 *
 * @param now Wall clock in milliseconds.
 */
export function listClaimFailures(
  claims: JsonObject,
  rules: ClaimRules,
  now: number,
): readonly ClaimFailure[] {
  const seconds = now / 1000
  const failed = CLAIM_CHECKS.filter((check) => !check.accepts(claims, rules, seconds))
  return failed.map((check) => toFailure(check, claims))
}

/** Checks that `iss` is a string. Runs before the issuer's rules are known. */
export function checkIssuerType(claims: JsonObject): ClaimFailure | undefined {
  return typeof claims['iss'] === 'string' ? undefined : toFailure(ISSUER_TYPE, claims)
}

function toFailure({ claim, code, type }: ClaimCheck, claims: JsonObject): ClaimFailure {
  if (type === undefined) return { claim, code, reason: null }
  const reason = claims[claim] === undefined ? `${claim} is missing` : `${claim} is not ${type}`
  return { claim, code, reason }
}

/** RFC 7519 section 4.1.3: a string, or an array of strings. */
function isAudience(value: JsonValue): boolean {
  return [value].flat().every((it) => typeof it === 'string')
}

/**
 * Compares `aud` as exact strings. Resource binding (RFC 8707) does not apply to client credentials,
 * so a machine's token has no audience but its own client. A user's token may be bound to an API:
 * then only that API accepts it.
 *
 * @param audience This API's identifiers; undefined if users' tokens are bound to none.
 */
function isForAudience(claims: JsonObject, audience: ReadonlySet<string> | undefined): boolean {
  const { aud, client_id } = claims
  const values = (aud === undefined ? [] : [aud].flat()) as readonly string[]
  if (audience !== undefined && !isMachine(claims)) {
    return values.some((it) => it !== client_id && audience.has(it))
  }
  return aud === undefined || (values.length > 0 && values.every((it) => it === client_id))
}

/** Client credentials: the app client is its own subject, and there is no user. */
export function isMachine(claims: JsonObject): boolean {
  return claims['sub'] === claims['client_id'] && !('username' in claims)
}

/** From when on `iat` and `nbf` allow a token. All in seconds. */
export function notBefore({ iat, nbf }: MachineClaims, tolerance: number): number {
  const issued = iat - MAX_ISSUED_AHEAD_SECONDS
  return nbf === undefined ? issued : Math.max(issued, (nbf as number) - tolerance)
}

/** Until when `exp` allows a token; not at that second itself. All in seconds. */
export function notAfter(exp: number, tolerance: number): number {
  return exp + tolerance
}

/** Reads the option `audience`. Undefined: the server's default. Null: users' tokens are bound to no API. */
export function readAudience(
  value: unknown,
  optionPath: string,
): ReadonlySet<string> | null | undefined {
  return value === undefined || value === null
    ? value
    : new Set(readStrings(value, optionPath, 'audience'))
}
