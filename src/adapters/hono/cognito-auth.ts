/** The Hono middleware: `auth(requirement)` in front of a handler protects its route. */
import type { Context, MiddlewareHandler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Logger } from '../../core/options/logger.ts'
import { type CognitoAuthOptions, readOptions } from '../../core/options/options.ts'
import type { AccessRequirement } from '../../core/requirement.ts'
import {
  type AuthFor,
  type CoreGuard,
  createCoreServer,
  type ResourceServer,
  requireProtectedDefault,
} from '../../core/resource-server.ts'
import { type HeaderSource, readAuthorizationHeaders } from '../../core/token/bearer.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { createAuthFactory } from '../auth-factory.ts'
import { readAuthorization } from '../fetch/authorization.ts'
import { createMetadataResponder } from '../fetch/metadata.ts'
import { decide, type ResponseError } from '../respond.ts'
import { requestAuth } from './get-auth.ts'

/** The variable that a middleware sets: `c.var.auth`, `c.get('auth')`. */
export interface AuthVariables<Auth extends VerifiedToken | null = VerifiedToken> {
  Variables: { auth: Auth }
}

/** Creates the middleware of one route or of the app. */
export interface Auth {
  /**
   * Requires the option `default`: without it, any valid token.
   *
   * @returns The middleware: `app.use(auth())` protects all routes that are added after it.
   */
  (): MiddlewareHandler<AuthVariables>
  /**
   * Creates middleware that lets a request pass if it meets the requirement, and sets `c.var.auth`. After
   * `app.use(auth())` it narrows what the app requires.
   *
   * @param requirement What the route requires.
   * @returns The middleware, for a route or the app.
   * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid requirement; at each request if `auth` itself was
   *   passed to Hono instead of `auth()`.
   */
  <const Requirement extends AccessRequirement>(
    requirement: Requirement,
  ): MiddlewareHandler<AuthVariables<AuthFor<Requirement>>>
  /**
   * Creates middleware that serves the metadata document (RFC 9728) to every caller. Its path is
   * `/.well-known/oauth-protected-resource`, followed by the path of the resource.
   *
   * @returns The middleware: `app.use(auth.metadata())`, before `app.use(auth())`.
   * @throws {OptionError} `ERR_OPTION_INVALID` without the option `resourceMetadata`.
   * @see https://www.rfc-editor.org/rfc/rfc9728
   */
  metadata(): MiddlewareHandler
  /** The resource server: readiness, status, `close()`. */
  readonly server: ResourceServer
}

/**
 * Protects routes of a Hono 4 app.
 *
 * @param options The user pools and the allowed app clients.
 * @returns `auth`: creates the middleware of a route.
 * @throws {OptionError} `ERR_OPTION_INVALID`, with the option and the fix.
 * @example
 * ```ts
 * const auth = cognitoAuth({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: ['…'] })
 * app.get('/orders', auth({ scopes: 'orders/read' }), (c) => c.json({ caller: c.var.auth.clientId }))
 * ```
 */
export function cognitoAuth(options: CognitoAuthOptions): Auth {
  const serverOptions = readOptions(options)
  const defaultRequirement = requireProtectedDefault(serverOptions)
  const server = createCoreServer(serverOptions)
  const { logger, metadata } = serverOptions
  const auth = createAuthFactory<MiddlewareHandler>({
    framework: 'Hono',
    server,
    logger,
    defaultRequirement,
    createMiddleware: (guard) => createMiddleware(guard, logger),
    readRoute,
  })
  return Object.assign(auth as (requirement?: AccessRequirement) => MiddlewareHandler, {
    server,
    metadata: (): MiddlewareHandler => {
      const respond = createMetadataResponder(server, metadata)
      return async (c, next) => respond(c.req.raw) ?? next()
    },
  }) as Auth
}

/** The handler's route: middleware of `app.use` is registered for all methods. */
function readRoute(context: unknown): string | null {
  const { matchedRoutes } = (context as Context).req
  return matchedRoutes.findLast(({ method }) => method !== 'ALL')?.path ?? null
}

function createMiddleware(guard: CoreGuard, logger: Logger): MiddlewareHandler {
  return async (c, next) => {
    c.set('auth', null)
    requestAuth.clear(c)
    try {
      const token = await decide(guard, readAuthorizationOf(c), c, logger)
      c.set('auth', token)
      requestAuth.set(c, token)
    } catch (error) {
      return sendError(c, error as ResponseError)
    }
    return next()
  }
}

/** Hono merges headers that earlier middleware set on `c.res` over those of a response: `c.header` replaces both. */
function sendError(c: Context, error: ResponseError): Response {
  const headers = { ...error.headers, 'content-type': 'application/json; charset=utf-8' }
  for (const [name, value] of Object.entries(headers)) c.header(name, value)
  return c.body(JSON.stringify(error), error.statusCode as ContentfulStatusCode, headers)
}

/**
 * The header of the request that the app handles. @hono/node-server also hands over the request of the socket, whose
 * lines `Headers` has joined. It may be another request: an app can pass on its environment with a new one. So its
 * lines only show whether the same value was one line or several.
 */
function readAuthorizationOf(c: Context): string | readonly string[] | undefined {
  const { headers } = c.req.raw
  const { incoming } = (c.env ?? {}) as { readonly incoming?: Partial<HeaderSource> }
  if (!Array.isArray(incoming?.rawHeaders)) return readAuthorization(headers)
  const lines = [readAuthorizationHeaders(incoming as HeaderSource) ?? []].flat()
  // An upgrade arrives with the headers of Node.js, which drops all lines but the first.
  const isSame = [lines.join(', '), lines[0]].includes(headers.get('authorization') ?? undefined)
  return isSame ? lines : readAuthorization(headers)
}
