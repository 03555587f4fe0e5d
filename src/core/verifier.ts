/**
 * Token → verified token: shape and issuer at once, key and signature once its claims were checked.
 * Nothing of the API owner's is asked before the signature is known to be good.
 */
import { KeyObject, verify } from 'node:crypto'
import type { ClaimRules, MachineClaims } from './claims.ts'
import type { AuthErrorCode } from './errors.ts'
import type { IssuerKeys, KeysUnavailable } from './issuer-keys.ts'
import { decodeJws, type Jws } from './jws.ts'
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

/** A token of an issuer that is known; nothing of it is proved. */
export interface Claimed {
  readonly jws: Jws
  readonly issuer: Issuer
}

/**
 * What the token says, and which issuer's rules it is held against.
 *
 * @param issuers By the exact `iss` of their tokens.
 */
export function readToken(
  token: string,
  issuers: ReadonlyMap<string, Issuer>,
): Claimed | AuthErrorCode {
  const jws = decodeJws(token)
  if (jws === undefined) return 'ERR_TOKEN_INVALID'
  const { claims } = jws
  if (typeof claims['iss'] !== 'string') return 'ERR_TOKEN_INVALID'
  const issuer = issuers.get(claims['iss'])
  return issuer === undefined ? 'ERR_TOKEN_ISSUER' : { jws, issuer }
}

/** The key and the signature. */
export async function verifyToken({
  jws,
  issuer,
}: Claimed): Promise<Verified | AuthErrorCode | KeysUnavailable> {
  const key = await issuer.keys.find(jws.kid)
  if (!(key instanceof KeyObject)) return key
  const input = Buffer.from(jws.signingInput, 'latin1')
  const signature = Buffer.from(jws.signature, 'base64url')
  if (!verify('sha256', input, key, signature)) return 'ERR_TOKEN_SIGNATURE'
  return { token: verifiedToken(jws.claims as MachineClaims, issuer.userPoolId), issuer }
}
