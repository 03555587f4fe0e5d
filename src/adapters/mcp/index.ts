/**
 * `cognito-m2m/mcp`: guards for MCP servers on the MCP TypeScript SDK, with Streamable HTTP on Express or on
 * web-standard requests.
 *
 * @module
 */
export type { CognitoAuthOptions } from '../../core/options/options.ts'
export type { ExpressAuthOptions, Middleware, Next } from '../express/index.ts'
export { errorResponse } from '../fetch/error-response.ts'
export { getAuth } from './auth-info.ts'
export type { Auth } from './cognito-auth.ts'
export { cognitoAuth } from './cognito-auth.ts'
export { createFetchAuth } from './fetch-auth.ts'
export type { AuthInfoFor, AuthorizedRequest, FetchAuth, McpGuard } from './fetch-types.ts'
export type { McpRequirement } from './resource-scopes.ts'
export type { OAuthTokenVerifier } from './token-verifier.ts'
