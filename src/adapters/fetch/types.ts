/** The types of `createFetchAuth`. */
import type { AccessRequirement } from '../../core/requirement.ts'
import type { AuthFor, ResourceServer, ServerStatus } from '../../core/resource-server.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'

/** A handler of one route. `Rest` is what the framework passes besides the request, such as route parameters. */
export type FetchHandler<Incoming extends Request, Rest extends readonly unknown[]> = (
  request: Incoming,
  ...rest: Rest
) => Response | Promise<Response>

/** A handler that was wrapped by `protect`. */
export type ProtectedHandler<Incoming extends Request, Rest extends readonly unknown[]> = (
  request: Incoming,
  ...rest: Rest
) => Promise<Response>

/** Decides for one compiled requirement. */
export interface FetchGuard<Auth extends VerifiedToken | null> {
  /**
   * Decides on one request. `getAuth(request)` then returns the same token.
   *
   * @param request The request as the framework passes it.
   * @returns The verified token; null for a request without a token if a token is optional.
   * @throws {AuthError} The error with status, headers and body, for `errorResponse`.
   */
  authenticate(request: Request): Promise<Auth>
  /**
   * Wraps a handler, which then runs only for requests that meet the requirement.
   *
   * @param handler The handler. It reads the token with `getAuth(request)`.
   * @returns The protected handler. It responds to a rejected request itself.
   */
  protect<Incoming extends Request, Rest extends readonly unknown[]>(
    handler: FetchHandler<Incoming, Rest>,
  ): ProtectedHandler<Incoming, Rest>
}

/** Guards for one API. */
export interface FetchAuth {
  /**
   * Compiles the option `default`: without it, any valid token.
   *
   * @returns A guard. Create it once, outside of the handler.
   */
  guard(): FetchGuard<VerifiedToken>
  /**
   * Compiles a requirement.
   *
   * @param requirement What a request needs.
   * @returns A guard. Create it once, outside of the handler.
   * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid requirement, when this is called.
   */
  guard<const Requirement extends AccessRequirement>(
    requirement: Requirement,
  ): FetchGuard<AuthFor<Requirement>>
  /**
   * Short for `guard(requirement).protect(handler)`.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid requirement, when this is called.
   */
  protect<Incoming extends Request, Rest extends readonly unknown[]>(
    requirement: AccessRequirement,
    handler: FetchHandler<Incoming, Rest>,
  ): ProtectedHandler<Incoming, Rest>
  /**
   * Creates a function that serves the metadata document (RFC 9728) to every caller.
   *
   * @returns A function that returns the document to GET and HEAD requests of its path, and null to others.
   *   The path is `/.well-known/oauth-protected-resource`, followed by the path of the resource.
   * @throws {OptionError} `ERR_OPTION_INVALID` without the option `resourceMetadata`, when this is called.
   * @see https://www.rfc-editor.org/rfc/rfc9728
   * @example
   * ```ts
   * const metadata = auth.metadata()
   * export default { fetch: (request: Request) => metadata(request) ?? app(request) }
   * ```
   */
  metadata(): (request: Request) => Response | null
  /** Returns the current state, for a readiness probe. */
  status(): ServerStatus
  /** The resource server: `ready()`, `close()`, `closeOnExpiry()`. */
  readonly server: ResourceServer
}
