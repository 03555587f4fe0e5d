/** The types of `createFetchAuth` for MCP servers. */
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import type { ResourceServer, ServerStatus } from '../../core/resource-server.ts'
import type { FetchHandler, ProtectedHandler } from '../fetch/types.ts'
import type { McpRequirement } from './resource-scopes.ts'

/** What a guard sets for a requirement: undefined only if a token is optional and none came. */
export type AuthInfoFor<Requirement> = 'optional' extends keyof Requirement
  ? Requirement['optional'] extends false | undefined
    ? AuthInfo
    : AuthInfo | undefined
  : AuthInfo

/** A request that a guard let pass. */
export type AuthorizedRequest<
  Incoming extends Request,
  Info extends AuthInfo | undefined,
> = Incoming & {
  readonly auth: Info
}

/** Decides for one compiled requirement. */
export interface McpGuard<Info extends AuthInfo | undefined> {
  /**
   * Decides on one request, and sets `request.auth`.
   *
   * @param request The request as the framework passes it.
   * @returns The `AuthInfo`, for the option `authInfo` of `handleRequest`; undefined for a request without a token if a
   *   token is optional.
   * @throws {AuthError} The error with status, headers and body, for `errorResponse`.
   */
  authenticate(request: Request): Promise<Info>
  /**
   * Wraps a handler, which then runs only for requests that meet the requirement.
   *
   * @param handler The handler. It hands `request.auth` to the transport.
   * @returns The protected handler. It responds to a rejected request itself.
   */
  protect<Incoming extends Request, Rest extends readonly unknown[]>(
    handler: FetchHandler<AuthorizedRequest<Incoming, Info>, Rest>,
  ): ProtectedHandler<Incoming, Rest>
}

/** Guards for one MCP server. */
export interface FetchAuth {
  /**
   * Compiles the option `default`, which must have scopes.
   *
   * @returns A guard. Create it once, outside of the handler.
   * @throws {OptionError} `ERR_OPTION_INVALID` without the option `default`, or for one without a scope.
   */
  guard(): McpGuard<AuthInfo>
  /**
   * Compiles a requirement.
   *
   * @param requirement What a request needs, with at least one scope.
   * @returns A guard. Create it once, outside of the handler.
   * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid requirement, for one without a scope, and for a scope
   *   whose identifier is not `resourceMetadata.resource`.
   */
  guard<const Requirement extends McpRequirement>(
    requirement: Requirement,
  ): McpGuard<AuthInfoFor<Requirement>>
  /**
   * Short for `guard(requirement).protect(handler)`.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` as for `guard(requirement)`.
   */
  protect<
    const Requirement extends McpRequirement,
    Incoming extends Request,
    Rest extends readonly unknown[],
  >(
    requirement: Requirement,
    handler: FetchHandler<AuthorizedRequest<Incoming, AuthInfoFor<Requirement>>, Rest>,
  ): ProtectedHandler<Incoming, Rest>
  /**
   * Creates a function that serves the metadata document (RFC 9728) to every caller.
   *
   * @returns A function that returns the document to GET and HEAD requests of its path, and null to others.
   * @throws {OptionError} `ERR_OPTION_INVALID` without the option `resourceMetadata`, when this is called.
   * @see https://www.rfc-editor.org/rfc/rfc9728
   */
  metadata(): (request: Request) => Response | null
  /** Returns the current state, for a readiness probe. */
  status(): ServerStatus
  /** The resource server: `ready()`, `close()`, `closeOnExpiry()`. */
  readonly server: ResourceServer
}
