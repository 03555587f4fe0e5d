/**
 * Token → verified token, in the order every surface answers in: shape, issuer, claims, key,
 * signature. Nothing of the API owner's is asked before the signature is known to be good.
 */
import { KeyObject, verify } from 'node:crypto'
import { type ClaimRules, checkClaims, type MachineClaims } from './claims.ts'
import type { AuthErrorCode } from './errors.ts'
import type { IssuerKeys, KeysUnavailable } from './issuer-keys.ts'
import { decodeJws } from './jws.ts'
import { type VerifiedToken, verifiedToken } from './verified-token.ts'

/** One issuer form of a pool: what its tokens are held against. */
export interface Issuer {
  readonly userPoolId: string
  readonly keys: IssuerKeys
  readonly rules: ClaimRules
  /** The owner's decision on an app client; undefined where there is none to ask. */
  readonly lookup: ((clientId: string) => boolean | Promise<boolean>) | undefined
}

/** What verification came to. */
export interface Verified {
  readonly token: VerifiedToken
  readonly issuer: Issuer
}

/**
 * @param issuers By the exact `iss` of their tokens.
 * @param now Wall clock, milliseconds.
 */
export async function verifyToken(
  token: string,
  issuers: ReadonlyMap<string, Issuer>,
  now: () => number,
): Promise<Verified | AuthErrorCode | KeysUnavailable> {
  const jws = decodeJws(token)
  if (jws === undefined) return 'ERR_TOKEN_INVALID'
  const { claims } = jws
  if (typeof claims['iss'] !== 'string') return 'ERR_TOKEN_INVALID'
  const issuer = issuers.get(claims['iss'])
  if (issuer === undefined) return 'ERR_TOKEN_ISSUER'
  const wrong = checkClaims(claims, issuer.rules, now())
  if (wrong !== undefined) return wrong
  const key = await issuer.keys.find(jws.kid)
  if (!(key instanceof KeyObject)) return key
  if (!verify('sha256', jws.signingInput, key, jws.signature)) return 'ERR_TOKEN_SIGNATURE'
  return { token: verifiedToken(claims as MachineClaims, issuer.userPoolId), issuer }
}
