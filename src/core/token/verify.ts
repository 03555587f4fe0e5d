/**
 * Token → verified token: shape and issuer at once, key and signature once its claims were checked.
 * Nothing of the API owner's is asked before the signature is known to be good.
 */

import type { AuthErrorCode } from '../errors.ts'
import type { ImportedKey } from '../keys/jwk.ts'
import type { IssuerKeys, KeyLookup, KeysUnavailable } from '../keys/remote-jwks.ts'
import { chain } from '../util/async.ts'
import { has } from '../util/own-member.ts'
import { classifyMalformed } from './bearer.ts'
import { type ClaimRules, describeClaimError, type MachineClaims } from './claims.ts'
import { decodeJws, type Jws } from './jws.ts'
import { isSignedBy } from './signature.ts'
import type { JsonObject } from './strict-json.ts'

/** One issuer form of a pool: what its tokens are held against. */
export interface Issuer {
  readonly userPoolId: string
  /** The exact `iss` of its tokens. */
  readonly issuer: string
  readonly keys: IssuerKeys
  readonly rules: ClaimRules
  /** The owner's decision on an app client; undefined where there is none to ask. */
  readonly lookup: ((clientId: string) => boolean | Promise<boolean>) | undefined
}

/** A token of an issuer that is known; nothing of it is proved. */
export interface UnverifiedToken {
  readonly jws: Jws
  readonly issuer: Issuer
}

/** Why a token is rejected before its key is looked for. */
export interface Rejection {
  readonly code: AuthErrorCode
  /** The claim that is missing or has the wrong type; null where none is to blame. */
  readonly reason: string | null
}

/** The claims of a token whose signature is good, and the key that proved it. */
export interface VerifiedClaims {
  readonly claims: MachineClaims
  readonly key: ImportedKey
}

/** What verification came to. */
export type Verification = VerifiedClaims | AuthErrorCode | KeysUnavailable

/**
 * What the token says, and which issuer's rules it is held against.
 *
 * @param issuers By the exact `iss` of their tokens.
 * @param kids By headers that were read before.
 */
export function readToken(
  token: string,
  issuers: ReadonlyMap<string, Issuer>,
  kids: ReadonlyMap<string, string>,
): UnverifiedToken | Rejection {
  const jws = decodeJws(token, kids)
  if (jws === undefined) return { code: classifyMalformed(token), reason: null }
  const { claims } = jws
  if (typeof claims['iss'] !== 'string') return toRejection('ERR_TOKEN_INVALID', claims)
  const issuer = issuers.get(claims['iss'])
  return issuer === undefined ? { code: 'ERR_TOKEN_ISSUER', reason: null } : { jws, issuer }
}

/** Of claims whose check gave this code. */
export function toRejection(code: AuthErrorCode, claims: JsonObject): Rejection {
  const reason = code === 'ERR_TOKEN_INVALID' ? (describeClaimError(claims) as string) : null
  return { code, reason }
}

/** The key and the signature; at once where nothing has to be waited for. */
export function verifyToken({
  jws,
  issuer,
}: UnverifiedToken): Verification | Promise<Verification> {
  return chain(issuer.keys.find(jws.kid), (key) => checkSignature(jws, key))
}

function checkSignature(jws: Jws, key: KeyLookup): Verification | Promise<Verification> {
  if (typeof key === 'string' || has(key, 'retryAfter')) return key
  return chain(isSignedBy(jws, key.key), (isGood) =>
    isGood === true ? { claims: jws.claims as MachineClaims, key } : 'ERR_TOKEN_SIGNATURE',
  )
}
