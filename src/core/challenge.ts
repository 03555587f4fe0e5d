/** The headers of each refusal: RFC 6750 section 3 challenges, `Cache-Control`, `Retry-After`. */
import { AUTH_ERRORS, AuthError, type AuthErrorCode } from './errors.ts'
import { describeValue, OptionError } from './options/validate.ts'
import type { CompiledRequirement } from './requirement.ts'

/** In the order of the table of codes; what a `check` of the server's may say included. */
export function listPossibleErrors(
  requirement: CompiledRequirement,
  { refuse, unavailable, headersOf }: AuthErrorFactory,
): AuthError[] {
  const { allOf, anyOf, optional } = requirement
  const never = new Set<AuthErrorCode>()
  if (optional) never.add('ERR_TOKEN_MISSING')
  if (allOf.length + anyOf.length === 0) never.add('ERR_SCOPE_INSUFFICIENT')
  const headers = headersOf(requirement)
  const codes = Object.keys(AUTH_ERRORS) as AuthErrorCode[]
  return codes
    .filter((code) => !never.has(code))
    .map((code) =>
      code === 'ERR_KEYS_UNAVAILABLE' || code === 'ERR_CHECK_UNAVAILABLE'
        ? unavailable(code, 1000)
        : refuse(code, headers.get(code)),
    )
}

/** Characters RFC 6750 allows inside a quoted auth-param, so nothing needs escaping. */
export const QUOTABLE: RegExp = /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/

/** The protection space named in challenges. Default `api`. */
export function readRealm(value: unknown = 'api'): string {
  if (typeof value === 'string' && QUOTABLE.test(value)) return value
  throw new OptionError(
    'realm',
    `is ${describeValue(value)}: use printable ASCII without quote and backslash`,
  )
}

/** Whether a 401 names scopes. MCP clients, which read the metadata, expect it. */
export function readChallengeScopes(value: unknown, metadata: object | undefined): boolean {
  if (value === undefined) return metadata !== undefined
  if (typeof value === 'boolean') return value
  throw new OptionError('challengeScopes', `is ${describeValue(value)}: pass true or false`)
}

/** Bounds of `Retry-After`, in seconds. */
export const RETRY_AFTER_SECONDS = { minimum: 1, maximum: 60 } as const

/** Makes the refusals of one server: challenges are built once, not per request. */
export interface AuthErrorFactory {
  /** @param headers Instead of the code's own: those that {@link headersOf} has for it. */
  refuse(code: AuthErrorCode, headers?: AuthError['headers']): AuthError
  /** @param retryAfter Milliseconds; answered in whole seconds from 1 to 60. */
  unavailable(
    code: 'ERR_KEYS_UNAVAILABLE' | 'ERR_CHECK_UNAVAILABLE',
    retryAfter: number,
    cause?: Error,
  ): AuthError
  /** Headers of the refusals that name the scopes of a requirement, by code. */
  headersOf(requirement: CompiledRequirement): ReadonlyMap<AuthErrorCode, AuthError['headers']>
}

/**
 * @param realm Only of {@link QUOTABLE} characters.
 * @param metadataUrl Where the resource's metadata is, for each challenge: RFC 9728 section 5.1.
 * @param challengeScopes A 401 names the scopes that a route declares itself.
 */
export function createAuthErrorFactory(
  realm: string,
  metadataUrl?: string,
  challengeScopes = false,
): AuthErrorFactory {
  const headers = new Map<AuthErrorCode, AuthError['headers']>()
  for (const code of Object.keys(AUTH_ERRORS) as AuthErrorCode[]) {
    headers.set(code, challengeHeaders(code, { realm, metadataUrl }))
  }
  return {
    refuse: (code, given = headers.get(code) as AuthError['headers']) =>
      new AuthError(code, { headers: given }),
    unavailable: (code, retryAfter, cause) => {
      // A clock that answers NaN still gets a number.
      const { minimum, maximum } = RETRY_AFTER_SECONDS
      const seconds = Math.min(maximum, Math.max(minimum, Math.ceil(retryAfter / 1000) || minimum))
      return new AuthError(code, {
        headers: { 'cache-control': 'no-store', 'retry-after': String(seconds) },
        cause,
      })
    },
    headersOf: ({ allOf, anyOf, isDefault }) => {
      const scope = [...allOf, ...anyOf].join(' ')
      const of401 = challengeScopes && !isDefault
      const naming = [...headers.keys()].filter(
        (code) =>
          code === 'ERR_SCOPE_INSUFFICIENT' || (of401 && AUTH_ERRORS[code].statusCode === 401),
      )
      const params = { realm, metadataUrl, scope }
      return new Map(
        scope === '' ? [] : naming.map((code) => [code, challengeHeaders(code, params)]),
      )
    },
  }
}

interface Params {
  readonly realm: string
  readonly metadataUrl: string | undefined
  readonly scope?: string
}

function challengeHeaders(
  code: AuthErrorCode,
  { realm, metadataUrl, scope }: Params,
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
