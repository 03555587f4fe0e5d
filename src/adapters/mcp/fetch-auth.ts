/** The guard of an MCP server on web-standard requests: the fetch adapter, and `request.auth` for the MCP SDK. */
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import {
  attachRequirement,
  getRequirement,
  type RequirementSummary,
} from '../../core/introspection.ts'
import type { CognitoAuthOptions } from '../../core/options/options.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { readAuthorization } from '../fetch/authorization.ts'
import {
  checkRequest,
  createFetchAuth as createBaseAuth,
  wrapHandler,
} from '../fetch/fetch-auth.ts'
import type { FetchGuard } from '../fetch/types.ts'
import { createAuthInfo, readToken } from './auth-info.ts'
import type { FetchAuth, McpGuard } from './fetch-types.ts'
import { requireResourceScopes } from './resource-scopes.ts'

/**
 * Protects an MCP server whose transport takes a web-standard `Request`, as
 * `WebStandardStreamableHTTPServerTransport` does.
 *
 * @param options The user pools and the allowed app clients. Set `resourceMetadata.resource` to the URL of the MCP
 *   server.
 * @returns Guards, the metadata document and the state.
 * @throws {OptionError} `ERR_OPTION_INVALID`, with the option and the fix.
 * @example
 * ```ts
 * const resource = 'https://mcp.example.com/mcp'
 * const auth = createFetchAuth({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: ['…'], resourceMetadata: { resource } })
 * const handle = auth.protect({ scopes: `${resource}/tools.read` }, (request) =>
 *   transport.handleRequest(request, { authInfo: request.auth }))
 * ```
 */
export function createFetchAuth(options: CognitoAuthOptions): FetchAuth {
  const base = createBaseAuth(options)
  const resource = base.server.resourceMetadata()?.resource
  const guard = (...args: readonly []): McpGuard<AuthInfo> => {
    const inner = base.guard(...args)
    const requirement = getRequirement(inner) as RequirementSummary
    requireResourceScopes(requirement, resource, 'requirement')
    const authenticate = createAuthenticate(inner, resource)
    return {
      authenticate: authenticate as McpGuard<AuthInfo>['authenticate'],
      protect: (handler) =>
        attachRequirement(wrapHandler(authenticate, handler as never), requirement),
    }
  }
  const anyGuard = guard as FetchAuth['guard']
  return {
    guard: anyGuard,
    protect: (requirement, handler) => anyGuard(requirement).protect(handler),
    metadata: () => base.metadata(),
    status: () => base.status(),
    server: base.server,
  }
}

function createAuthenticate(guard: FetchGuard<VerifiedToken | null>, resource: string | undefined) {
  return async (request: Request): Promise<AuthInfo | undefined> => {
    checkRequest(request)
    const target = request as { auth?: AuthInfo | undefined }
    target.auth = undefined
    // Before the guard: a `check` of the app may remove the header.
    const authorization = readAuthorization(request.headers)
    const token = await guard.authenticate(request)
    if (token === null) return undefined
    target.auth = createAuthInfo(token, readToken(authorization), resource)
    return target.auth
  }
}
