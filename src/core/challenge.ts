/** The headers of each refusal: RFC 6750 section 3 challenges, `Cache-Control`, `Retry-After`. */
import { AuthError, type AuthErrorCode } from './errors.ts'

/** Characters RFC 6750 allows inside a quoted auth-param, so nothing needs escaping. */
export const QUOTABLE: RegExp = /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/

type Challenge = { readonly error: string; readonly description: string } | 'bare' | 'none'

/** RFC 6750: no `error` where no token was sent or where a new token could not help. */
const challenges: Readonly<Record<AuthErrorCode, Challenge>> = {
  ERR_TOKEN_MISSING: 'bare',
  ERR_REQUEST_INVALID: invalidRequest('Send one Authorization header with one bearer token'),
  ERR_TOKEN_INVALID: invalidToken('The access token is malformed'),
  ERR_TOKEN_ISSUER: invalidToken('The access token was issued by another user pool'),
  ERR_TOKEN_USE: invalidToken('The token is not an access token of the required kind'),
  ERR_TOKEN_EXPIRED: invalidToken('The access token expired'),
  ERR_TOKEN_NOT_ACTIVE: invalidToken('The access token is not active yet'),
  ERR_KEY_UNKNOWN: invalidToken('The access token is signed with an unknown key'),
  ERR_TOKEN_SIGNATURE: invalidToken('The access token has an invalid signature'),
  ERR_CLIENT_NOT_ALLOWED: 'bare',
  ERR_SCOPE_INSUFFICIENT: {
    error: 'insufficient_scope',
    description: 'The access token lacks a required scope',
  },
  ERR_ACCESS_DENIED: 'bare',
  ERR_KEYS_UNAVAILABLE: 'none',
  ERR_CHECK_UNAVAILABLE: 'none',
}

function invalidRequest(description: string): Challenge {
  return { error: 'invalid_request', description }
}

function invalidToken(description: string): Challenge {
  return { error: 'invalid_token', description }
}

/** Makes the refusals of one server: challenges are built once, not per request. */
export interface Refusals {
  /** @param headers Instead of the code's own: a requirement's scopes. */
  refuse(code: AuthErrorCode, headers?: AuthError['headers']): AuthError
  /** @param retryAfter Milliseconds; answered in whole seconds from 1 to 60. */
  unavailable(
    code: 'ERR_KEYS_UNAVAILABLE' | 'ERR_CHECK_UNAVAILABLE',
    retryAfter: number,
    cause?: Error,
  ): AuthError
  /** Headers of a 403 that names the scopes a route asks for. */
  scopeHeaders(scopes: readonly string[]): AuthError['headers']
}

/** @param realm Only of {@link QUOTABLE} characters. */
export function refusals(realm: string): Refusals {
  const headers = new Map<AuthErrorCode, AuthError['headers']>()
  for (const code of Object.keys(challenges) as AuthErrorCode[]) {
    headers.set(code, challengeHeaders(challenges[code], realm))
  }
  return {
    refuse: (code, given = headers.get(code) as AuthError['headers']) =>
      new AuthError(code, { headers: given }),
    unavailable: (code, retryAfter, cause) => {
      const seconds = Math.min(60, Math.max(1, Math.ceil(retryAfter / 1000)))
      return new AuthError(code, {
        headers: { 'cache-control': 'no-store', 'retry-after': String(seconds) },
        cause,
      })
    },
    scopeHeaders: (scopes) =>
      challengeHeaders(challenges.ERR_SCOPE_INSUFFICIENT, realm, scopes.join(' ')),
  }
}

function challengeHeaders(
  challenge: Challenge,
  realm: string,
  scope?: string,
): Readonly<Record<string, string>> {
  const params = [`realm="${realm}"`]
  if (challenge === 'none') return Object.freeze({ 'cache-control': 'no-store' })
  if (challenge !== 'bare') {
    params.push(`error="${challenge.error}"`, `error_description="${challenge.description}"`)
  }
  if (scope !== undefined) params.push(`scope="${scope}"`)
  return Object.freeze({
    'cache-control': 'no-store',
    'www-authenticate': `Bearer ${params.join(', ')}`,
  })
}
