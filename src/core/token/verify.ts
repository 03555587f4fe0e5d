/**
 * Verifies a token: its form and issuer, then its key and signature. The caller checks the claims between
 * the two. No code of the API's owner runs before the signature is known to be good.
 */

import type { AuthErrorCode } from '../errors.ts'
import type { ImportedKey } from '../keys/jwk.ts'
import type { IssuerKeys, KeysUnavailable } from '../keys/remote-jwks.ts'
import { chain } from '../util/async.ts'
import { classifyMalformed } from './bearer.ts'
import { type ClaimRules, checkIssuerType, type MachineClaims } from './claims.ts'
import { decodeJws, type Jws, type JwsHeader } from './jws.ts'
import { isSignedBy } from './signature.ts'

/** One issuer form of a pool, and the rules for its tokens. */
export interface Issuer {
  readonly userPoolId: string
  /** The exact `iss` of its tokens. */
  readonly issuer: string
  readonly keys: IssuerKeys
  readonly rules: ClaimRules
  /** Your hook's decision on an app client; undefined without a lookup. */
  readonly lookup: ((clientId: string) => boolean | Promise<boolean>) | undefined
}

/** A decoded token of a known issuer. Its signature is not checked yet. */
export interface UnverifiedToken {
  readonly kind: 'unverified'
  readonly jws: Jws
  readonly issuer: Issuer
}

/** Why a token is rejected. */
export interface TokenRejection {
  readonly kind: 'rejected'
  readonly code: AuthErrorCode
  /** The claim that is missing or has the wrong type; null if no claim is at fault. */
  readonly reason: string | null
}

/** The claims of a token whose signature is good, and the key that verified it. */
export interface VerifiedClaims {
  readonly kind: 'verified'
  readonly claims: MachineClaims
  readonly key: ImportedKey
}

/** The token could not be verified: no signing keys are available. */
export interface TokenUndecided {
  readonly kind: 'undecided'
  readonly keys: KeysUnavailable
}

/** Result of {@link verifyToken}. */
export type Verification = VerifiedClaims | TokenRejection | TokenUndecided

/**
 * Decodes a token and finds its issuer.
 *
 * @param issuers By the exact `iss` of their tokens.
 * @param headers Headers that were decoded before, by their text.
 */
export function readToken(
  token: string,
  issuers: ReadonlyMap<string, Issuer>,
  headers: ReadonlyMap<string, JwsHeader>,
): UnverifiedToken | TokenRejection {
  const jws = decodeJws(token, headers)
  if (jws === undefined) return reject(classifyMalformed(token))
  const failure = checkIssuerType(jws.claims)
  if (failure !== undefined) return reject(failure.code, failure.reason)
  const issuer = issuers.get(jws.claims['iss'] as string)
  return issuer === undefined ? reject('ERR_TOKEN_ISSUER') : { kind: 'unverified', jws, issuer }
}

/** Finds the key and checks the signature. Synchronous if the key set has the key and few checks run. */
export function verifyToken(token: UnverifiedToken): Verification | Promise<Verification> {
  const { jws, issuer } = token
  return chain(issuer.keys.find(jws.header.kid), (key) => {
    if (key.kind === 'unknown') return reject('ERR_KEY_UNKNOWN')
    if (key.kind === 'unavailable') return { kind: 'undecided', keys: key } as const
    return chain(
      isSignedBy(jws, key.key),
      (isGood): Verification =>
        isGood === true
          ? { kind: 'verified', claims: jws.claims as MachineClaims, key }
          : reject('ERR_TOKEN_SIGNATURE'),
    )
  })
}

function reject(code: AuthErrorCode, reason: string | null = null): TokenRejection {
  return { kind: 'rejected', code, reason }
}
