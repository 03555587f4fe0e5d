/** The Lambda authorizer for API Gateway: decides about a request and responds as API Gateway expects. */
import type {
  APIGatewayAuthorizerResult,
  APIGatewayRequestAuthorizerEventV2,
  APIGatewaySimpleAuthorizerWithContextResult,
} from 'aws-lambda'
import type { Logger } from '../../core/options/logger.ts'
import {
  type CognitoAuthOptions,
  readOptions,
  type ServerOptions,
} from '../../core/options/options.ts'
import { describeValue, OptionError, readNumber } from '../../core/options/validate.ts'
import { type AccessRequirement, compileRequirement } from '../../core/requirement.ts'
import {
  type CoreGuard,
  type CoreServer,
  createCoreServer,
  type ResourceServer,
} from '../../core/resource-server.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { toResponseError } from '../respond.ts'
import { type AuthorizerEvent, type AuthorizerRequest, readEvent } from './events.ts'
import { compilePolicy } from './policy-region.ts'
import {
  type AuthorizerContext,
  AuthorizerError,
  type CacheableGrant,
  cacheablePolicy,
  type Outcome,
  requestPolicy,
  simpleResponse,
} from './responses.ts'
import {
  DENY_ALL,
  isAmbiguous,
  isGreedy,
  type Route,
  type RouteRequirement,
  type Routes,
  readRoutes,
} from './routes.ts'

/**
 * Runs a decision. A 403 is an outcome, because only a 403 is a Deny; every other error is thrown.
 *
 * @throws {AuthorizerError} `Unauthorized` for a 400 or 401; the error itself for a 500 or 503.
 */
async function readOutcome<Granted>(
  decide: () => Promise<Granted>,
  logger: Logger,
): Promise<Outcome<Granted>> {
  try {
    return { kind: 'granted', granted: await decide() }
  } catch (thrown) {
    const { code, statusCode, message, cause } = toResponseError(thrown, logger)
    if (statusCode === 403) return { kind: 'denied', code }
    throw statusCode < 500
      ? new AuthorizerError(code, 'Unauthorized')
      : new AuthorizerError(code, message, cause)
  }
}

/** The longest TTL that API Gateway accepts for an authorizer's results. */
const MAX_TTL_SECONDS = 3600
/** A cached Allow ends this long after its TTL, so that it cannot outlive the cache by much. */
const TTL_MARGIN_SECONDS = 60

const ADAPTER_OPTIONS = ['routes', 'resultTtl', 'simpleResponses', 'default']

/** The options of every adapter, and those of API Gateway. */
export type LambdaAuthorizerOptions = CognitoAuthOptions & {
  /**
   * What each route requires, by its key in API Gateway: `GET /orders/{id}`, `ANY /files/{path+}`.
   * `false` makes a route public. The route that the event names decides. A route that is not declared
   * is denied unless `default` is set. For greedy routes (`{proxy+}`, `$default`) and TOKEN events the
   * path decides. An ambiguous path (an encoded slash, `//`, `..`) is denied.
   */
  readonly routes: Readonly<Record<string, AccessRequirement | false>>
  /**
   * How long API Gateway caches a result, in seconds, at most 3600: the TTL that its authorizer is
   * configured with. With 0, each response is about one request. Above 0, it is about all declared
   * routes, so no requirement may depend on the request.
   */
  readonly resultTtl: number
  /**
   * HTTP API 2.0 with `EnableSimpleResponses`: responds with `{ isAuthorized }` instead of a policy.
   *
   * @defaultValue false
   */
  readonly simpleResponses?: boolean
}

/** Responds with policies: REST TOKEN, REST REQUEST and HTTP API. */
export interface LambdaAuthorizer {
  (event: AuthorizerEvent): Promise<APIGatewayAuthorizerResult>
  /** The resource server: readiness, status, `close()`. */
  readonly server: ResourceServer
}

/** Responds with `{ isAuthorized, context }`: HTTP API 2.0 only. */
export interface SimpleLambdaAuthorizer {
  (
    event: APIGatewayRequestAuthorizerEventV2,
  ): Promise<APIGatewaySimpleAuthorizerWithContextResult<AuthorizerContext>>
  readonly server: ResourceServer
}

/**
 * Creates a Lambda authorizer. Create it outside the handler, so that a warm start keeps its keys.
 *
 * The authorizer throws `Unauthorized` for a 400 or 401 and responds to a 403 with a Deny. It throws
 * what could not be decided, which API Gateway answers with 500 and does not cache.
 *
 * @param options The user pools, the allowed app clients and the options of API Gateway.
 * @returns The handler of the Lambda function.
 * @throws {OptionError} `ERR_OPTION_INVALID`, with the option and the fix.
 * @example
 * ```ts
 * export const handler = createLambdaAuthorizer({
 *   userPoolId: 'eu-west-1_AbCdEfGhI',
 *   clientId: ['5kek0i61pgkokoob4fsm9fo9it'],
 *   routes: { 'GET /orders': { scopes: 'orders/read' }, 'POST /orders': { scopes: 'orders/write' } },
 *   resultTtl: 0,
 * })
 * ```
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
 */
export function createLambdaAuthorizer(
  options: LambdaAuthorizerOptions & { readonly simpleResponses: true },
): SimpleLambdaAuthorizer
export function createLambdaAuthorizer(
  options: LambdaAuthorizerOptions & { readonly simpleResponses?: false },
): LambdaAuthorizer
export function createLambdaAuthorizer(
  lambdaOptions: LambdaAuthorizerOptions,
): LambdaAuthorizer | SimpleLambdaAuthorizer {
  const options = readOptions(lambdaOptions, { adapterMembers: ADAPTER_OPTIONS })
  const { routes: declared, simpleResponses: simple = false } = options.adapterOptions
  if (typeof simple !== 'boolean') {
    throw new OptionError(
      'simpleResponses',
      `expected a boolean, got ${describeValue(simple)}. Pass true or false.`,
    )
  }
  const ttl = readTtl(options, simple)
  const routes = readRoutes(declared)
  const defaultRequirement =
    'default' in options.adapterOptions ? options.defaultRequirement : DENY_ALL
  const grantOf = ttl === 0 ? undefined : compilePolicy(routes, defaultRequirement)
  const server = createCoreServer(options)
  for (const requirement of [defaultRequirement, ...routes.list.map((it) => it.requirement)]) {
    if (requirement !== false) server.declare(requirement)
  }
  const decideRequest = createRequestDecision(server, routes, defaultRequirement)
  const decideToken = grantOf && createTokenDecision(server, grantOf, createGrantEnd(options, ttl))

  const authorizer = async (event: AuthorizerEvent): Promise<unknown> => {
    const request = readEvent(event)
    if (request === undefined || (simple && !request.isV2)) {
      throw new AuthorizerError('ERR_EVENT_UNKNOWN', 'The event is not one this authorizer answers')
    }
    const { logger } = options
    if (decideToken) {
      const outcome = await readOutcome(() => decideToken(request), logger)
      return cacheablePolicy(outcome, request.arn)
    }
    const outcome = await readOutcome(() => decideRequest(request, event), logger)
    return simple ? simpleResponse(outcome) : requestPolicy(outcome, request.arn)
  }
  return Object.assign(authorizer as never, { server })
}

/**
 * Decides about one request by the requirement of its route. API Gateway routes before it decodes, so
 * a decoded path may look like another route: the route that the event names decides, or the default.
 * Only an event that names no route is decided by its path, which must be unambiguous.
 */
function createRequestDecision(
  server: CoreServer,
  routes: Routes,
  defaultRequirement: RouteRequirement,
) {
  const guardOf = (requirement: RouteRequirement, route: string | null = null): CoreGuard =>
    requirement === false ? () => null : server.createGuard(requirement, () => route)
  const guards = new Map(
    routes.list.map((route) => [route, guardOf(route.requirement, toPath(route.key))]),
  )
  const defaultGuard = guardOf(defaultRequirement)
  const deny = guardOf(DENY_ALL)
  return async ({ arn, template, paths, authorization }: AuthorizerRequest, event: unknown) => {
    const find = (path: string): Route | undefined => routes.findByPath(arn.method, path, template)
    let route: Route | undefined
    if (template !== undefined && !isGreedy(template)) {
      route = routes.findByTemplate(arn.method, template)
    } else {
      if (paths.some(isAmbiguous)) return deny(authorization, event)
      route = find(arn.path)
      // A backend that decodes the path before it routes must not find another route.
      if (route !== find(decodeURIComponent(arn.path))) return deny(authorization, event)
    }
    const guard = route === undefined ? defaultGuard : (guards.get(route) as CoreGuard)
    return guard(authorization, event)
  }
}

/** The path of `GET /orders/{id}`. */
function toPath(key: string): string {
  return key.slice(key.indexOf(' ') + 1)
}

/** Verifies a token whatever route was requested, and returns the routes it may call and for how long. */
function createTokenDecision(
  server: CoreServer,
  grantOf: ReturnType<typeof compilePolicy>,
  getEnd: (token: VerifiedToken) => number,
) {
  const guard = server.createGuard(compileRequirement({}, 'routes'))
  return async ({ authorization }: AuthorizerRequest): Promise<CacheableGrant> => {
    const token = (await guard(authorization)) as VerifiedToken
    return { token, endsAt: getEnd(token), ...grantOf(token) }
  }
}

/** When a cached Allow ends, in epoch seconds: with its token, or soon after the TTL. */
function createGrantEnd({ now, clockTolerance }: ServerOptions, ttl: number) {
  return ({ expiresAt }: VerifiedToken): number => {
    const endsAt = Math.min(expiresAt + clockTolerance, now() / 1000 + ttl + TTL_MARGIN_SECONDS)
    if (Number.isFinite(endsAt)) return endsAt
    throw new Error('now(): expected a number, got NaN')
  }
}

function readTtl({ adapterOptions, check }: ServerOptions, simple: boolean): number {
  if (adapterOptions['resultTtl'] === undefined) {
    throw new OptionError(
      'resultTtl',
      'expected a number of seconds, got undefined. Set it to the TTL of the authorizer in API Gateway; 0 if results are not cached.',
    )
  }
  const range = { defaultValue: 0, min: 0, max: MAX_TTL_SECONDS, unit: 'seconds', integer: true }
  const ttl = readNumber(adapterOptions, 'resultTtl', '', range)
  if (ttl > 0 && (simple || check !== undefined)) {
    throw new OptionError(
      'resultTtl',
      `expected 0 with \`${simple ? 'simpleResponses' : 'check'}\`, got ${ttl}. Set it to 0: a decision about one request cannot be cached for others.`,
    )
  }
  return ttl
}
