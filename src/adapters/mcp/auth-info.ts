/** The `AuthInfo` of the MCP SDK: made of a verified token, and traced back to it by `getAuth`. */
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import { readBearer } from '../../core/token/bearer.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { RequestAuth } from '../request-auth.ts'

/** By the `AuthInfo`, which is all that a tool gets of the request. */
const tokens = new RequestAuth(
  'no guard of cognito-m2m/mcp created this AuthInfo. Pass `req.auth` or `extra.authInfo` of the tool, not a copy.',
)

/** The token of an Authorization header that a guard let pass. */
export function readToken(authorization: string | readonly string[] | undefined): string {
  const credential = readBearer(authorization, Number.POSITIVE_INFINITY)
  return (credential as { readonly token: string }).token
}

/**
 * @param encoded The token without the scheme.
 * @param resource The identifier of the MCP server, if it is configured.
 */
export function createAuthInfo(
  token: VerifiedToken,
  encoded: string,
  resource: string | undefined,
): AuthInfo {
  const { clientId, scopes, expiresAt, subject, userPoolId, issuer, tokenId, issuedAt, claims } =
    token
  const audience = findAudience(token, resource)
  const info: Omit<AuthInfo, 'token'> = {
    clientId,
    scopes: [...scopes],
    expiresAt,
    ...(audience !== undefined && { resource: new URL(audience) }),
    extra: { subject, userPoolId, issuer, tokenId, issuedAt, claims },
  }
  // Not enumerable: loggers, JSON and copies leave it out.
  const authInfo = Object.defineProperty(info, 'token', { value: encoded }) as AuthInfo
  tokens.set(authInfo, token)
  return authInfo
}

/** A machine's token has none, so its `AuthInfo` has no `resource`: only its scopes name the server. */
function findAudience({ claims }: VerifiedToken, resource: string | undefined): string | undefined {
  // Own property only: a polluted prototype must not bind a token.
  const audiences = Object.hasOwn(claims, 'aud') ? ([claims['aud']].flat() as string[]) : []
  return audiences.includes(resource as string)
    ? resource
    : audiences.find((it) => /^https?:/i.test(it) && URL.canParse(it))
}

/**
 * Returns the verified token behind an `AuthInfo`: scopes as a set, issuer, pool and claims, with types.
 *
 * @param authInfo `extra.authInfo` in a tool, `req.auth` in a handler, or what a verifier returned. A copy has no
 *   token.
 * @returns The verified token.
 * @throws {OptionError} `ERR_OPTION_INVALID` for anything else, for example without a guard in front of the
 *   transport.
 * @example
 * ```ts
 * server.registerTool('whoami', {}, async ({ authInfo }) => ({
 *   content: [{ type: 'text', text: getAuth(authInfo).clientId }],
 * }))
 * ```
 */
export function getAuth(authInfo: AuthInfo | undefined): VerifiedToken {
  return tokens.get(authInfo as AuthInfo) as VerifiedToken
}
