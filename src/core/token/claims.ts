/**
 * The claims of an access token: Cognito's rules, then the ones that make it a machine's. Runs before
 * the signature is checked, so that forging a refusal costs no RSA operation; aws-jwt-verify's own
 * check of `token_use` would tell by an exception, whose stack costs a fifth of one.
 */

import type { AuthErrorCode } from '../errors.ts'
import { checkAudience, isMachine } from './audience.ts'
import { claimFault } from './claim-types.ts'
import type { JsonObject, JsonValue } from './strict-json.ts'

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
  return claimFault(claims) === undefined ? undefined : 'ERR_TOKEN_INVALID'
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
  if (!isLive(claims.exp, tolerance, now)) return 'ERR_TOKEN_EXPIRED'
  return now >= notBefore(claims, tolerance) ? undefined : 'ERR_TOKEN_NOT_ACTIVE'
}

/** From when on `iat` and `nbf` let a token pass. All in seconds. */
export function notBefore({ iat, nbf }: MachineClaims, tolerance: number): number {
  const issued = iat - MAX_ISSUED_AHEAD_SECONDS
  return nbf === undefined ? issued : Math.max(issued, (nbf as number) - tolerance)
}

/** Expiry alone, for tokens verified before. All in seconds. */
export function isLive(exp: number, tolerance: number, now: number): boolean {
  return now < exp + tolerance
}

/** The static list; a lookup is asked later. */
export function checkClient(
  { client_id }: MachineClaims,
  clientIds: ReadonlySet<string> | undefined,
): AuthErrorCode | undefined {
  return clientIds === undefined || clientIds.has(client_id) ? undefined : 'ERR_CLIENT_NOT_ALLOWED'
}
