/** A bare token verifier for `requireBearerAuth` of the MCP SDK. */
import {
  InsufficientScopeError,
  InvalidRequestError,
  InvalidTokenError,
} from '@modelcontextprotocol/sdk/server/auth/errors.js'
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import { AuthError } from '../../core/errors.ts'
import { compileRequirement } from '../../core/requirement.ts'
import type { ResourceServer } from '../../core/resource-server.ts'
import { createAuthInfo } from './auth-info.ts'
import { type McpRequirement, requireResourceScopes } from './resource-scopes.ts'

/** The interface of the same name in the SDK, whose types need those of Express. */
export interface OAuthTokenVerifier {
  /**
   * Verifies a token with all checks of a guard.
   *
   * @param token The token without `Bearer`.
   * @returns The `AuthInfo` for tools. Its `token` is not enumerable.
   * @throws {InvalidTokenError} of the SDK where the guard answers 401, `InsufficientScopeError` for 403, and
   *   `InvalidRequestError` for 400. `cause` is the `AuthError`.
   * @throws {AuthError} where the guard answers 503. The SDK's middleware turns it into a 500.
   */
  verifyAccessToken(token: string): Promise<AuthInfo>
}

/** The errors for which the SDK's middleware has these statuses. It answers any other error with 500. */
const SDK_ERRORS = new Map([
  [400, InvalidRequestError],
  [401, InvalidTokenError],
  [403, InsufficientScopeError],
])

export function createTokenVerifier(
  server: ResourceServer,
  requirement: McpRequirement,
  resource: string | undefined,
): OAuthTokenVerifier {
  requireResourceScopes(compileRequirement(requirement, 'requirement'), resource, 'requirement')
  // Not optional: every call has a token.
  const guard = server.guard({ ...requirement, optional: false })
  return {
    verifyAccessToken: async (encoded) => {
      try {
        return createAuthInfo(await guard(`Bearer ${encoded}`), encoded, resource)
      } catch (error) {
        throw toSdkError(error)
      }
    },
  }
}

function toSdkError(error: unknown): unknown {
  const SdkError = error instanceof AuthError ? SDK_ERRORS.get(error.statusCode) : undefined
  if (SdkError === undefined) return error
  return Object.assign(new SdkError((error as AuthError).message), { cause: error })
}
