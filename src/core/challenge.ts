/** Response headers of each auth error: RFC 6750 section 3 challenges, `Cache-Control`, `Retry-After`. */

import { AUTH_ERRORS, AuthError, type AuthErrorCode } from './errors.ts'
import { describeValue, OptionError } from './options/validate.ts'
import type { CompiledRequirement } from './requirement.ts'

/** Characters RFC 6750 allows inside a quoted auth-param, so nothing needs escaping. */
export const QUOTABLE: RegExp = /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/

/** Bounds of `Retry-After`, in seconds. */
export const RETRY_AFTER_SECONDS = { minimum: 1, maximum: 60 } as const

/** Creates the errors of one server. Challenges are built once, not per request. */
export interface AuthErrorFactory {
  /** @param headers Replace the code's own; see {@link AuthErrorFactory.createScopeHeaders}. */
  createError(code: AuthErrorCode, headers?: AuthError['headers']): AuthError
  /** @param retryAfterMs Sent as whole seconds from 1 to 60. */
  createUnavailableError(
    code: 'ERR_KEYS_UNAVAILABLE' | 'ERR_CHECK_UNAVAILABLE',
    retryAfterMs: number,
    cause?: Error,
  ): AuthError
  /** Headers of the errors that name the scopes of a requirement, by code. */
  createScopeHeaders(
    requirement: CompiledRequirement,
  ): ReadonlyMap<AuthErrorCode, AuthError['headers']>
}

/** Every error that a route can return, in the order of the table of codes, `check` included. */
export function listPossibleErrors(
  requirement: CompiledRequirement,
  { createError, createUnavailableError, createScopeHeaders }: AuthErrorFactory,
): AuthError[] {
  const { allOf, anyOf, optional } = requirement
  const impossible = new Set<AuthErrorCode>()
  if (optional) impossible.add('ERR_TOKEN_MISSING')
  if (allOf.length + anyOf.length === 0) impossible.add('ERR_SCOPE_INSUFFICIENT')
  const headers = createScopeHeaders(requirement)
  const codes = Object.keys(AUTH_ERRORS) as AuthErrorCode[]
  return codes
    .filter((code) => !impossible.has(code))
    .map((code) =>
      code === 'ERR_KEYS_UNAVAILABLE' || code === 'ERR_CHECK_UNAVAILABLE'
        ? createUnavailableError(code, 1000)
        : createError(code, headers.get(code)),
    )
}

/** Reads the option `realm`: the protection space named in challenges, by default `api`. */
export function readRealm(value: unknown = 'api'): string {
  if (typeof value === 'string' && QUOTABLE.test(value)) return value
  throw new OptionError(
    'realm',
    `expected printable ASCII without quote and backslash, got ${describeValue(value)}. Set a realm such as "api".`,
  )
}

/** Whether a 401 names scopes. MCP clients, which read the metadata, expect it. */
export function readChallengeScopes(value: unknown, metadata: object | undefined): boolean {
  if (value === undefined) return metadata !== undefined
  if (typeof value === 'boolean') return value
  throw new OptionError(
    'challengeScopes',
    `expected a boolean, got ${describeValue(value)}. Pass true or false.`,
  )
}

/**
 * Builds the challenges of one server.
 *
 * @param realm Consists of {@link QUOTABLE} characters.
 * @param metadataUrl URL of the resource metadata, for each challenge: RFC 9728 section 5.1.
 * @param challengeScopes Whether a 401 names the scopes that a route declares itself.
 */
export function createAuthErrorFactory(
  realm: string,
  metadataUrl?: string,
  challengeScopes = false,
): AuthErrorFactory {
  const headersByCode = new Map<AuthErrorCode, AuthError['headers']>()
  for (const code of Object.keys(AUTH_ERRORS) as AuthErrorCode[]) {
    headersByCode.set(code, createHeaders(code, { realm, metadataUrl }))
  }
  return {
    createError: (code, headers = headersByCode.get(code) as AuthError['headers']) =>
      new AuthError(code, { headers }),
    createUnavailableError: (code, retryAfterMs, cause) => {
      // A clock that returns NaN still produces a number.
      const { minimum, maximum } = RETRY_AFTER_SECONDS
      const seconds = Math.min(
        maximum,
        Math.max(minimum, Math.ceil(retryAfterMs / 1000) || minimum),
      )
      return new AuthError(code, {
        headers: { 'cache-control': 'no-store', 'retry-after': String(seconds) },
        cause,
      })
    },
    createScopeHeaders: ({ allOf, anyOf, isDefault }) => {
      const scope = [...allOf, ...anyOf].join(' ')
      const includes401 = challengeScopes && !isDefault
      const codes = [...headersByCode.keys()].filter(
        (code) =>
          code === 'ERR_SCOPE_INSUFFICIENT' ||
          (includes401 && AUTH_ERRORS[code].statusCode === 401),
      )
      const params = { realm, metadataUrl, scope }
      return new Map(scope === '' ? [] : codes.map((code) => [code, createHeaders(code, params)]))
    },
  }
}

interface ChallengeParams {
  readonly realm: string
  readonly metadataUrl: string | undefined
  readonly scope?: string
}

function createHeaders(
  code: AuthErrorCode,
  { realm, metadataUrl, scope }: ChallengeParams,
): Readonly<Record<string, string>> {
  const { challenge, message } = AUTH_ERRORS[code]
  if (challenge === 'none') return Object.freeze({ 'cache-control': 'no-store' })
  const params = [`realm="${realm}"`]
  if (challenge !== 'bare') params.push(`error="${challenge}"`, `error_description="${message}"`)
  if (scope !== undefined) params.push(`scope="${scope}"`)
  if (metadataUrl !== undefined) params.push(`resource_metadata="${metadataUrl}"`)
  return Object.freeze({
    'cache-control': 'no-store',
    'www-authenticate': `Bearer ${params.join(', ')}`,
  })
}
