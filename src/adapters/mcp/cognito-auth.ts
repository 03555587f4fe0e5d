/** The guard of an MCP server on Express: the Express adapter, and `req.auth` as the MCP SDK expects it. */
import {
  attachRequirement,
  getRequirement,
  type RequirementSummary,
} from '../../core/introspection.ts'
import type { ResourceServer } from '../../core/resource-server.ts'
import { readAuthorizationHeaders } from '../../core/token/bearer.ts'
import {
  type ExpressAuthOptions,
  cognitoAuth as expressAuth,
  getAuth as getExpressAuth,
  type Middleware,
} from '../express/index.ts'
import { createAuthInfo, readToken } from './auth-info.ts'
import { type McpRequirement, requireResourceScopes } from './resource-scopes.ts'
import { createTokenVerifier, type OAuthTokenVerifier } from './token-verifier.ts'

/** Creates the middleware of an MCP server on Express. */
export interface Auth {
  /**
   * Creates middleware that lets a request pass if it meets the requirement, and sets `req.auth` to the `AuthInfo` of
   * the MCP SDK. `StreamableHTTPServerTransport` hands it to tools as `extra.authInfo`.
   *
   * @param requirement What a request needs, with at least one scope. Without it, the option `default` applies.
   * @returns The middleware, for the route of the transport.
   * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid requirement, for one without a scope, and for a scope
   *   whose identifier is not `resourceMetadata.resource`.
   */
  (requirement?: McpRequirement): Middleware
  /**
   * Creates middleware that serves the metadata document (RFC 9728) to every caller. Its path is
   * `/.well-known/oauth-protected-resource`, followed by the path of the resource.
   *
   * @returns The middleware: `app.use(auth.metadata())`, before other middleware.
   * @throws {OptionError} `ERR_OPTION_INVALID` without the option `resourceMetadata`.
   * @see https://www.rfc-editor.org/rfc/rfc9728
   */
  metadata(): Middleware
  /**
   * Creates a verifier for `requireBearerAuth` of the MCP SDK. That middleware answers 500 where the guard answers 503,
   * `invalid_token` without a token, and reads `Bearer a b` as `a`: prefer `auth(requirement)`.
   *
   * @param requirement What a token needs, with at least one scope.
   * @returns The verifier.
   * @throws {OptionError} `ERR_OPTION_INVALID` as for `auth(requirement)`.
   */
  verifier(requirement: McpRequirement): OAuthTokenVerifier
  /** The resource server: readiness, status, `close()`, `closeOnExpiry()`. */
  readonly server: ResourceServer
}

/**
 * Protects an MCP server with Streamable HTTP on Express (4.21 or later, and 5).
 *
 * @param options The user pools, the allowed app clients and the options of Express. Set
 *   `resourceMetadata.resource` to the URL of the MCP server.
 * @returns `auth`: creates the middleware of a route.
 * @throws {OptionError} `ERR_OPTION_INVALID`, with the option and the fix.
 * @example
 * ```ts
 * const resource = 'https://mcp.example.com/mcp'
 * const auth = cognitoAuth({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: ['…'], resourceMetadata: { resource } })
 * app.use(auth.metadata())
 * app.post('/mcp', auth({ scopes: `${resource}/tools.read` }), (req, res) => handle(req, res))
 * ```
 */
export function cognitoAuth(options: ExpressAuthOptions): Auth {
  const express = expressAuth(options)
  const { server } = express
  const resource = server.resourceMetadata()?.resource
  const auth = (...args: readonly []): Middleware => {
    const guard = express(...args)
    const requirement = getRequirement(guard) as RequirementSummary
    requireResourceScopes(requirement, resource, 'auth')
    return attachRequirement(withAuthInfo(guard, resource), requirement)
  }
  return Object.assign(auth as (requirement?: McpRequirement) => Middleware, {
    server,
    metadata: () => express.metadata(),
    verifier: (requirement: McpRequirement) => createTokenVerifier(server, requirement, resource),
  })
}

/** Replaces the token that the guard sets by the SDK's `AuthInfo`. */
function withAuthInfo(guard: Middleware, resource: string | undefined): Middleware {
  return (request, response, next) => {
    // Before the guard: a `check` of the app may remove the header.
    const authorization = readAuthorizationHeaders(request)
    guard(request, response, (error) => {
      if (error === undefined) {
        const token = getExpressAuth(request, { optional: true })
        const target = request as { auth?: unknown }
        target.auth =
          token === null ? undefined : createAuthInfo(token, readToken(authorization), resource)
      }
      next(error)
    })
  }
}
