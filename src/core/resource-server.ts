/** The core's face: guards, and what operators ask a resource server. */

import type { LongConnection } from './close-on-expiry.ts'
import type { AuthError } from './errors.ts'
import type { KeyStoreStatus } from './keys/key-store.ts'
import { type CognitoAuthOptions, readOptions, type ServerOptions } from './options/options.ts'
import type { AccessRequirement, CompiledRequirement } from './requirement.ts'
import type { ResourceMetadataDocument } from './resource-metadata.ts'
import { requireDefault, Server } from './server.ts'
import type { VerifiedToken } from './token/verified-token.ts'

/** What a guard answers for a requirement: `null` only where a token is optional. */
export type AuthFor<Requirement> = Requirement extends false
  ? null
  : 'optional' extends keyof Requirement
    ? Requirement['optional'] extends false | undefined
      ? VerifiedToken
      : VerifiedToken | null
    : VerifiedToken

/**
 * Decides on one request.
 *
 * @param authorization Every Authorization line of the request: more than one is refused.
 * @param request Handed to the requirement's `check` as it is.
 * @throws {AuthError} with one of the codes of {@link AuthErrorCode}; thrown at once or as a
 *   rejection, so `await` it.
 */
export type Guard<Auth extends VerifiedToken | null> = (
  authorization: string | readonly string[] | undefined,
  request?: unknown,
) => Auth | Promise<Auth>

/** The state operators ask for. */
export interface ServerStatus {
  /** Number of this resource server in its process, as {@link DiagnosticsEvents} name it. */
  readonly instance: number
  /** Every pool has had keys. For readiness probes, never for liveness. */
  readonly ready: boolean
  readonly userPools: readonly UserPoolStatus[]
}

/** One pool's part of {@link ServerStatus}. */
export interface UserPoolStatus extends KeyStoreStatus {
  readonly userPoolId: string
  /** A generated pool for development: never to be seen in production. */
  readonly local: boolean
}

/** Verifies tokens and decides on requests for one API. */
export interface ResourceServer {
  /**
   * Validates and compiles a requirement, once. Left out, the option `default` decides, which is a
   * valid token unless it asks for more.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID`.
   */
  guard(): Guard<VerifiedToken>
  guard<const Requirement extends AccessRequirement>(
    requirement: Requirement,
  ): Guard<AuthFor<Requirement>>
  /**
   * Settles when each pool's first fetch did; keys are fetched from creation on.
   *
   * @throws {StartupError} `ERR_KEYS_UNAVAILABLE` with `keyStore.startup: 'require'` and no keys.
   */
  ready(): Promise<void>
  status(): ServerStatus
  /** The document of RFC 9728, for who serves it; null without the option `resourceMetadata`. */
  resourceMetadata(): ResourceMetadataDocument | null
  /**
   * Ends a connection that outlives its request when the token it was opened with expires: a
   * websocket is closed with 1008 and cut a second later, a response or socket is destroyed, as by
   * a caller that hangs up. The clock is looked at every minute and at `exp` + `clockTolerance`.
   *
   * ```ts
   * app.get('/events', { config: { auth: {} } }, (request, reply) => {
   *   app.cognito.endAtExpiry(request.auth, reply.raw)
   * })
   * ```
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` for what cannot be ended.
   */
  endAtExpiry(token: VerifiedToken, connection: LongConnection): void
  /** Ends timers and fetches. Tokens get 503 from then on. */
  close(): void
}

/**
 * Creates the framework-free core: what protects an API whose framework has no adapter here.
 *
 * ```ts
 * const server = createResourceServer({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null })
 * const guard = server.guard({ scopes: 'orders/read' })
 * const token = await guard(request.headers.authorization, request)
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 */
export function createResourceServer(options: CognitoAuthOptions): ResourceServer {
  const read = readOptions(options)
  requireDefault(read)
  return openResourceServer(read)
}

/** What adapters use: requirements are compiled where they are declared, guards made later. */
export interface CoreServer extends ResourceServer {
  /**
   * Counts the scopes of a requirement as declared, before its guard is made.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` for a user pool that the server does not have.
   */
  declare(requirement: CompiledRequirement): void
  guardOf(requirement: CompiledRequirement): Guard<VerifiedToken | null>
  /** Every refusal a route with this requirement may answer, headers as this server sends them. */
  refusalsOf(requirement: CompiledRequirement): readonly AuthError[]
}

/** The same for an adapter, which reads the options with its framework's logger. */
export function openResourceServer(options: ServerOptions): CoreServer {
  return new Server(options)
}
