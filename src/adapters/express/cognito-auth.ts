/** The Express middleware: `auth(requirement)` in front of a handler protects its route. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '../../core/options/logger.ts'
import {
  type CognitoAuthOptions,
  readOptions,
  type ServerOptions,
} from '../../core/options/options.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import type { AccessRequirement } from '../../core/requirement.ts'
import { requireMetadata } from '../../core/resource-metadata.ts'
import {
  type CoreGuard,
  createCoreServer,
  type ResourceServer,
  requireProtectedDefault,
} from '../../core/resource-server.ts'
import { readAuthorizationHeaders } from '../../core/token/bearer.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { isThenable } from '../../core/util/async.ts'
import { createAuthFactory } from '../auth-factory.ts'
import { respondWithError, toResponseError } from '../respond.ts'
import { clearAuth, setAuth } from './get-auth.ts'
import { createRouteReader } from './route.ts'
import { passFailure, sendError, setErrorHeaders } from './send-error.ts'

/** Middleware that serves the metadata document (RFC 9728) to every caller. */
function serveMetadata(
  server: ResourceServer,
  { metadata, logger }: Pick<ServerOptions, 'metadata' | 'logger'>,
): Middleware {
  const { path } = requireMetadata(metadata)
  return (request, response, next) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (!isRead || getFullPath(request) !== path) {
      next()
      return
    }
    try {
      const body = Buffer.from(JSON.stringify(server.resourceMetadata()))
      response.setHeader('content-type', 'application/json; charset=utf-8')
      response.setHeader('content-length', body.length)
      response.end(body)
    } catch (thrown) {
      passFailure(thrown, next, response, logger)
    }
  }
}

/** The full path: below a mount point, Express cuts the mount path off `url`. */
function getFullPath(request: IncomingMessage & { originalUrl?: string }): string | undefined {
  return (request.originalUrl ?? request.url)?.split('?', 1)[0]
}

/** Express's `next`, typed without Express so that versions 4 and 5 both fit. */
export type Next = (error?: unknown) => void

/** A middleware for Express, typed on node:http so that versions 4 and 5 both fit. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void

/** The options of every adapter, and those of Express. */
export type ExpressAuthOptions = CognitoAuthOptions & {
  /**
   * What sends an error response. `'answer'`: the middleware itself. `'next'`: the app's error
   * handler, which receives the `AuthError`. Status and headers are set on the response before, so
   * that an error handler that sets neither keeps the challenge.
   *
   * @defaultValue `'answer'`
   */
  readonly errors?: 'answer' | 'next'
}

/** Creates the middleware of one route, router or app. */
export interface Auth {
  /**
   * Creates middleware that lets a request pass if it meets the requirement, and sets `req.auth`.
   *
   * @param requirement What the route requires. Without it, the option `default` applies.
   * @returns The middleware, for a route, a router or an app.
   * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid requirement; at each request if `auth`
   *   itself was passed to Express instead of `auth()`.
   */
  (requirement?: AccessRequirement): Middleware
  /**
   * Creates middleware that serves the metadata document (RFC 9728) to every caller. Its path is
   * `/.well-known/oauth-protected-resource`, followed by the path of the resource.
   *
   * @returns The middleware: `app.use(auth.metadata())`, before other middleware.
   * @see https://www.rfc-editor.org/rfc/rfc9728
   * @throws {OptionError} `ERR_OPTION_INVALID` without the option `resourceMetadata`.
   */
  metadata(): Middleware
  /** The resource server: readiness, status, `close()`, guards for upgrades. */
  readonly server: ResourceServer
}

/**
 * Protects routes of an Express app (4.21 or later, and 5).
 *
 * @param expressOptions The user pools, the allowed app clients and the options of Express.
 * @returns `auth`: creates the middleware of a route.
 * @throws {OptionError} `ERR_OPTION_INVALID`, with the option and the fix.
 * @example
 * ```ts
 * const auth = cognitoAuth({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: ['…'] })
 * app.get('/orders', auth({ scopes: 'orders/read' }), (req, res) => res.json(getAuth(req).clientId))
 * ```
 */
export function cognitoAuth(expressOptions: ExpressAuthOptions): Auth {
  const options = readOptions(expressOptions, { adapterMembers: ['errors'] })
  const { errors = 'answer' } = options.adapterOptions
  if (errors !== 'answer' && errors !== 'next') {
    throw new OptionError(
      'errors',
      `expected 'answer' or 'next', got ${describeValue(errors)}. Use one of the two.`,
    )
  }
  const defaultRequirement = requireProtectedDefault(options)
  const server = createCoreServer(options)
  const auth = createAuthFactory({
    framework: 'Express',
    server,
    logger: options.logger,
    defaultRequirement,
    createMiddleware: (guard) => createMiddleware(guard, errors, options.logger),
    readRoute: createRouteReader(),
  })
  return Object.assign(auth, { server, metadata: () => serveMetadata(server, options) })
}

/** For a cached token, the decision is synchronous, and no function is created per request. */
function createMiddleware(guard: CoreGuard, errors: 'answer' | 'next', logger: Logger): Middleware {
  function allow(
    token: VerifiedToken | null,
    request: IncomingMessage,
    response: ServerResponse,
    next: Next,
  ): void {
    try {
      setAuth(request, token)
      next()
    } catch (thrown) {
      passFailure(thrown, next, response, logger)
    }
  }

  function refuse(thrown: unknown, response: ServerResponse, next: Next): void {
    try {
      respondWithError(toResponseError(thrown, logger), {
        setErrorHeaders: (error) => setErrorHeaders(error, response),
        sendError: errors === 'answer' ? (error) => sendError(error, response) : next,
      })
    } catch (failure) {
      passFailure(failure, next, response, logger)
    }
  }

  return (request, response, next) => {
    let decision: ReturnType<CoreGuard>
    try {
      clearAuth(request)
      decision = guard(readAuthorizationHeaders(request), request)
    } catch (thrown) {
      refuse(thrown, response, next)
      return
    }
    if (isThenable(decision)) {
      decision.then(
        (token) => allow(token, request, response, next),
        (thrown) => refuse(thrown, response, next),
      )
    } else allow(decision, request, response, next)
  }
}
