/** The Koa middleware: `auth(requirement)` in front of a handler protects its route. */
import type { DefaultContext, Middleware } from 'koa'
import { AuthError } from '../../core/errors.ts'
import type { Logger } from '../../core/options/logger.ts'
import { type CognitoAuthOptions, readOptions } from '../../core/options/options.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import type { AccessRequirement } from '../../core/requirement.ts'
import {
  type AuthFor,
  type CoreGuard,
  createCoreServer,
  type ResourceServer,
  requireProtectedDefault,
} from '../../core/resource-server.ts'
import { readAuthorizationHeaders } from '../../core/token/bearer.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { createAuthFactory } from '../auth-factory.ts'
import { decide, type ResponseError } from '../respond.ts'
import { requestAuth } from './get-auth.ts'
import { serveMetadata } from './metadata.ts'

/** What a middleware adds to `ctx.state`. */
export interface AuthState<Auth extends VerifiedToken | null = VerifiedToken> {
  auth: Auth
}

/** The options of every adapter, and those of Koa. */
export type KoaAuthOptions = CognitoAuthOptions & {
  /**
   * What sends an error response. `'answer'`: the middleware itself. `'throw'`: Koa's error handling or an
   * error handler of the app, which receives the `AuthError` with `status` and `headers`.
   *
   * @defaultValue `'answer'`
   */
  readonly errors?: 'answer' | 'throw'
}

/** Creates the middleware of one route, router or app. */
export interface Auth {
  /**
   * Requires the option `default`: without it, any valid token.
   *
   * @returns The middleware: `app.use(auth())` protects everything that is added after it.
   */
  (): Middleware<AuthState, DefaultContext>
  /**
   * Creates middleware that lets a request pass if it meets the requirement, and sets `ctx.state.auth`.
   *
   * @param requirement What the route requires.
   * @returns The middleware, for a route, a router or an app.
   * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid requirement; at each request if `auth` itself was
   *   passed to Koa instead of `auth()`.
   */
  <const Requirement extends AccessRequirement>(
    requirement: Requirement,
  ): Middleware<AuthState<AuthFor<Requirement>>, DefaultContext>
  /**
   * Creates middleware that serves the metadata document (RFC 9728) to every caller. Its path is
   * `/.well-known/oauth-protected-resource`, followed by the path of the resource.
   *
   * @returns The middleware: `app.use(auth.metadata())`, before `app.use(auth())`.
   * @throws {OptionError} `ERR_OPTION_INVALID` without the option `resourceMetadata`.
   * @see https://www.rfc-editor.org/rfc/rfc9728
   */
  metadata(): Middleware
  /** The resource server: readiness, status, `close()`. */
  readonly server: ResourceServer
}

/**
 * Protects routes of a Koa 3 app.
 *
 * @param options The user pools, the allowed app clients and the options of Koa.
 * @returns `auth`: creates the middleware of a route.
 * @throws {OptionError} `ERR_OPTION_INVALID`, with the option and the fix.
 * @example
 * ```ts
 * const auth = cognitoAuth({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: ['…'] })
 * router.get('/orders', auth({ scopes: 'orders/read' }), (ctx) => {
 *   ctx.body = { caller: ctx.state.auth.clientId }
 * })
 * ```
 */
export function cognitoAuth(options: KoaAuthOptions): Auth {
  const serverOptions = readOptions(options, { adapterMembers: ['errors'] })
  const { logger, metadata, adapterOptions } = serverOptions
  const { errors = 'answer' } = adapterOptions
  if (errors !== 'answer' && errors !== 'throw') {
    throw new OptionError(
      'errors',
      `expected 'answer' or 'throw', got ${describeValue(errors)}. Use one of the two.`,
    )
  }
  const defaultRequirement = requireProtectedDefault(serverOptions)
  const server = createCoreServer(serverOptions)
  const auth = createAuthFactory<Middleware>({
    framework: 'Koa',
    server,
    logger,
    defaultRequirement,
    createMiddleware: (guard) => createMiddleware(guard, errors, logger),
    // @koa/router sets it before the middleware of a route runs.
    readRoute: (ctx) => (ctx as { readonly _matchedRoute?: string })._matchedRoute ?? null,
  })
  return Object.assign(auth as (requirement?: AccessRequirement) => Middleware, {
    server,
    metadata: () => serveMetadata(server, metadata),
  }) as Auth
}

function createMiddleware(
  guard: CoreGuard,
  errors: 'answer' | 'throw',
  logger: Logger,
): Middleware {
  return async (ctx, next) => {
    ctx.state['auth'] = null
    requestAuth.clear(ctx)
    try {
      const token = await decide(guard, readAuthorizationHeaders(ctx.req), ctx, logger)
      ctx.state['auth'] = token
      requestAuth.set(ctx, token)
    } catch (thrown) {
      const error = thrown as ResponseError
      // Koa sends the fixed text of an exposed error. It would log others, and anyone can cause any number of them.
      if (errors === 'throw') throw Object.assign(error, { expose: error instanceof AuthError })
      ctx.status = error.statusCode
      ctx.set(error.headers)
      ctx.type = 'application/json; charset=utf-8'
      ctx.body = JSON.stringify(error)
      return
    }
    await next()
  }
}
