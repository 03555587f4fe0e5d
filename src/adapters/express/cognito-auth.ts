/** The Express middleware: each route says what it needs by the guard in front of it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { AuthError, InternalError } from '../../core/errors.ts'
import { attachRequirement } from '../../core/introspection.ts'
import type { Logger } from '../../core/options/logger.ts'
import {
  type CognitoAuthOptions,
  readOptions,
  type ServerOptions,
} from '../../core/options/options.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import { type AccessRequirement, compileRequirement } from '../../core/requirement.ts'
import {
  type Guard,
  openResourceServer,
  type ResourceServer,
  requireDefault,
} from '../../core/resource-server.ts'
import { readAuthorizationHeaders } from '../../core/token/bearer.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { isThenable } from '../../core/util/async.ts'
import { decide, reset } from './get-auth.ts'
import { answer, failuresTo, prepare } from './send-error.ts'

/** @param options `metadata` is undefined where the option was not set. */
export function serveMetadata(
  server: ResourceServer,
  { metadata: plan, logger }: Pick<ServerOptions, 'metadata' | 'logger'>,
): Middleware {
  if (plan === undefined) {
    throw new OptionError('resourceMetadata', 'is missing: set it to serve a metadata document')
  }
  return (request, response, next) => {
    const reading = request.method === 'GET' || request.method === 'HEAD'
    if (!reading || pathOf(request) !== plan.path) {
      next()
      return
    }
    const serve = failuresTo(
      next,
      response,
      logger,
    )(() => {
      const body = Buffer.from(JSON.stringify(server.resourceMetadata()))
      response.setHeader('content-type', 'application/json; charset=utf-8')
      response.setHeader('content-length', body.length)
      response.end(body)
    })
    serve(undefined)
  }
}

/** The whole path: below a mount point `url` has lost its beginning. */
function pathOf(request: IncomingMessage & { originalUrl?: string }): string | undefined {
  return (request.originalUrl ?? request.url)?.split('?', 1)[0]
}

/** What Express hands on with; typed on Node, so that Express 4 and 5 both fit. */
export type Next = (error?: unknown) => void

/** A middleware for Express, typed on node:http. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void

/** The options every surface shares, and what Express adds. */
export type ExpressAuthOptions = CognitoAuthOptions & {
  /**
   * Who answers a refusal: the middleware itself (default), or with `'next'` the app's error
   * handler, which gets the `AuthError`. Status and headers are on the response by then, so that a
   * handler that sets neither keeps the challenge.
   */
  readonly errors?: 'answer' | 'next'
}

/** Makes the middleware of one route, router or app. */
export interface Auth {
  /**
   * Middleware that lets a request pass if it meets the requirement, and sets `req.auth`. Left out,
   * the option `default` decides, which is a valid token unless it asks for more.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` for a wrong requirement; at each request, where
   *   `auth` itself was handed to Express instead of being called.
   */
  (requirement?: AccessRequirement): Middleware
  /**
   * Middleware that answers `GET /.well-known/oauth-protected-resource`, followed by the path of the
   * resource, to everyone: `app.use(auth.metadata())`, before other middleware.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` without the option `resourceMetadata`.
   */
  metadata(): Middleware
  /** The resource server behind it: readiness, status, `close()`, guards for upgrades. */
  readonly server: ResourceServer
}

/**
 * Protects routes of an Express app, 4.21 or later and 5.
 *
 * ```ts
 * const auth = cognitoAuth({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: ['…'] })
 * app.get('/orders', auth({ scopes: 'orders/read' }), (req, res) => res.json(getAuth(req).clientId))
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 */
export function cognitoAuth(given: ExpressAuthOptions): Auth {
  const options = readOptions(given, { own: ['errors'] })
  const { errors = 'answer' } = options.adapterOptions
  if (errors !== 'answer' && errors !== 'next') {
    throw new OptionError('errors', `is ${describeValue(errors)}: use 'answer' or 'next'`)
  }
  const fallback = requireDefault(options)
  const server = openResourceServer(options)
  const auth = (...called: readonly unknown[]): Middleware => {
    // Express would wait for ever for a middleware that only makes one.
    if (called.length > 1) {
      throw new OptionError('auth', 'was handed to Express itself: call it, auth() or auth({ … })')
    }
    const requirement = called.length === 0 ? fallback : compileRequirement(called[0], 'auth')
    const guard = protect(server.guardOf(requirement), errors, options.logger)
    return attachRequirement(guard, requirement)
  }
  return Object.assign(auth, { server, metadata: () => serveMetadata(server, options) })
}

function protect(
  guard: Guard<VerifiedToken | null>,
  errors: 'answer' | 'next',
  logger: Logger,
): Middleware {
  return (request, response, next) => {
    const handOn = failuresTo(next, response, logger)
    const refuse = (error: AuthError | InternalError): void => {
      if (errors === 'answer') {
        answer(error, response)
        return
      }
      prepare(error, response)
      next(error)
    }
    const decline = handOn((error: unknown) => {
      if (error instanceof AuthError) {
        refuse(error)
        return
      }
      // Only code of the owner's gets here, say an injected clock: its error is for the log.
      logger.error({ err: error }, 'cognito-m2m: access cannot be decided')
      refuse(new InternalError('ERR_INTERNAL', 'Access cannot be decided'))
    })
    const admit = handOn((token: VerifiedToken | null) => {
      decide(request, token)
      next()
    })
    let decision: ReturnType<typeof guard>
    try {
      reset(request)
      decision = guard(readAuthorizationHeaders(request), request)
    } catch (error) {
      decline(error)
      return
    }
    if (isThenable(decision)) decision.then(admit, decline)
    else admit(decision)
  }
}
