/** The Lambda authorizer for API Gateway: one decision, in the forms API Gateway understands. */
import type {
  APIGatewayAuthorizerResult,
  APIGatewayRequestAuthorizerEventV2,
  APIGatewaySimpleAuthorizerWithContextResult,
} from 'aws-lambda'
import { AuthError, type AuthErrorCode, StacklessError } from '../../core/errors.ts'
import type { Logger } from '../../core/options/logger.ts'
import {
  type CognitoAuthOptions,
  readOptions,
  type ServerOptions,
} from '../../core/options/options.ts'
import { describeValue, OptionError, readNumber } from '../../core/options/validate.ts'
import { type AccessRequirement, compileRequirement } from '../../core/requirement.ts'
import {
  type CoreServer,
  type Guard,
  openResourceServer,
  type ResourceServer,
} from '../../core/resource-server.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import {
  type AuthorizerContext,
  exactPolicy,
  type KeptGrant,
  keptPolicy,
  simpleAnswer,
} from './answers.ts'
import { type AuthorizerEvent, type AuthorizerRequest, readEvent } from './events.ts'
import { planReach } from './policy-region.ts'
import {
  DENIED,
  isAmbiguous,
  isGreedy,
  type Need,
  type Route,
  type Routes,
  readRoutes,
} from './routes.ts'

/** What was granted, or why nothing was. */
export type Outcome<Granted> = { readonly granted: Granted } | { readonly code: AuthErrorCode }

/**
 * Thrown: API Gateway makes 401 of the message `Unauthorized` and 500 of any other, and keeps
 * neither. Lambda's runtime reads the stack of what is thrown, so this one has a line of its own.
 */
export class AuthorizerError extends StacklessError {
  override readonly name = 'AuthorizerError'
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.stack = `${this.name}: ${message}`
  }
}

/** @throws {AuthorizerError} for what is no 403: that alone is a Deny. */
export async function outcomeOf<Granted>(
  decide: () => Promise<Granted>,
  logger: Logger,
): Promise<Outcome<Granted>> {
  try {
    return { granted: await decide() }
  } catch (error) {
    if (!(error instanceof AuthError)) {
      // Only code of the owner's gets here, say an injected clock: its error is for the log.
      logger.error({ err: error }, 'cognito-m2m: access cannot be decided')
      throw new AuthorizerError('ERR_INTERNAL', 'Access cannot be decided')
    }
    const { code, statusCode, message, cause } = error as AuthError
    if (statusCode === 403) return { code }
    throw statusCode === 503
      ? new AuthorizerError(code, message, cause)
      : new AuthorizerError(code, 'Unauthorized')
  }
}

/** Longest time API Gateway keeps a result, in seconds. */
const MAX_TTL = 3600
/** A kept Allow ends so many seconds after API Gateway should have asked again. */
const MARGIN = 60

const OWN = ['routes', 'resultTtl', 'simpleResponses', 'default']

/** The options every surface shares, and what API Gateway adds. */
export type LambdaAuthorizerOptions = CognitoAuthOptions & {
  /**
   * What each route needs, by its key in API Gateway: `GET /orders/{id}`, `ANY /files/{path+}`;
   * `false` makes it public. The route that the event names decides; one that is not declared is
   * denied unless `default` is set. Greedy routes (`{proxy+}`, `$default`) and TOKEN events are decided
   * by the path, which must not be ambiguous (an encoded slash, `//`, `..`).
   */
  readonly routes: Readonly<Record<string, AccessRequirement | false>>
  /**
   * Seconds API Gateway keeps a result: what is set as its authorizer's TTL, at most 3600. With 0
   * each answer is about one request. Above 0 it is about all declared routes; then nothing may
   * depend on the request.
   */
  readonly resultTtl: number
  /** HTTP API 2.0 with `EnableSimpleResponses`: `{ isAuthorized }` instead of policies. */
  readonly simpleResponses?: boolean
}

/** Answers with policies: REST TOKEN, REST REQUEST and HTTP API. */
export interface LambdaAuthorizer {
  (event: AuthorizerEvent): Promise<APIGatewayAuthorizerResult>
  /** The resource server behind it: readiness, status, `close()`. */
  readonly server: ResourceServer
}

/** Answers with `{ isAuthorized, context }`: HTTP API 2.0 only. */
export interface SimpleLambdaAuthorizer {
  (
    event: APIGatewayRequestAuthorizerEventV2,
  ): Promise<APIGatewaySimpleAuthorizerWithContextResult<AuthorizerContext>>
  readonly server: ResourceServer
}

/**
 * Creates a Lambda authorizer. Make it outside the handler: a warm start keeps its keys.
 *
 * ```ts
 * export const handler = createLambdaAuthorizer({
 *   userPoolId: 'eu-west-1_AbCdEfGhI',
 *   clientId: ['5kek0i61pgkokoob4fsm9fo9it'],
 *   routes: { 'GET /orders': { scopes: 'orders/read' }, 'POST /orders': { scopes: 'orders/write' } },
 *   resultTtl: 0,
 * })
 * ```
 *
 * The handler throws `Unauthorized` for a 400 or 401, answers a 403 with a Deny, and throws what
 * could not be judged (500, not kept).
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 */
export function createLambdaAuthorizer(
  options: LambdaAuthorizerOptions & { readonly simpleResponses: true },
): SimpleLambdaAuthorizer
export function createLambdaAuthorizer(
  options: LambdaAuthorizerOptions & { readonly simpleResponses?: false },
): LambdaAuthorizer
export function createLambdaAuthorizer(
  given: LambdaAuthorizerOptions,
): LambdaAuthorizer | SimpleLambdaAuthorizer {
  const options = readOptions(given, { own: OWN })
  const { routes: declared, simpleResponses: simple = false } = options.adapterOptions
  if (typeof simple !== 'boolean') {
    throw new OptionError('simpleResponses', `is ${describeValue(simple)}: pass true or false`)
  }
  const ttl = readTtl(options, simple)
  const routes = readRoutes(declared)
  const fallback = 'default' in options.adapterOptions ? options.defaultRequirement : DENIED
  const reachOf = ttl === 0 ? undefined : planReach(routes, fallback)
  const server = openResourceServer(options)
  for (const need of [fallback, ...routes.list.map((it) => it.need)]) {
    if (need !== false) server.declare(need)
  }
  const exact = perRequest(server, routes, fallback)
  const kept = reachOf && perToken(server, reachOf, ttlEnd(options, ttl))

  const authorizer = async (event: AuthorizerEvent): Promise<unknown> => {
    const request = readEvent(event)
    if (request === undefined || (simple && !request.isV2)) {
      throw new AuthorizerError('ERR_EVENT_UNKNOWN', 'The event is not one this authorizer answers')
    }
    const { logger } = options
    if (kept) return keptPolicy(await outcomeOf(() => kept(request), logger), request.arn)
    const outcome = await outcomeOf(() => exact(request, event), logger)
    return simple ? simpleAnswer(outcome) : exactPolicy(outcome, request.arn)
  }
  return Object.assign(authorizer as never, { server })
}

type AnyGuard = Guard<VerifiedToken | null>

/**
 * What the route of the request asks for. API Gateway routes before it decodes, so a decoded path may
 * read like another route: the route that the event names decides, or the default. Only what names no
 * route of its own is told by its path, which then has to be unambiguous.
 */
function perRequest(server: CoreServer, routes: Routes, fallback: Need) {
  const guardOf = (need: Need): AnyGuard => (need === false ? () => null : server.guardOf(need))
  const guards = new Map(routes.list.map((route) => [route, guardOf(route.need)]))
  const otherwise = guardOf(fallback)
  const denied = guardOf(DENIED)
  return async ({ arn, template, paths, authorization }: AuthorizerRequest, event: unknown) => {
    const find = (path: string): Route | undefined => routes.match(arn.method, path, template)
    let route: Route | undefined
    if (template !== undefined && !isGreedy(template)) {
      route = routes.named(arn.method, template)
    } else {
      if (paths.some(isAmbiguous)) return denied(authorization, event)
      route = find(arn.path)
      // A backend that decodes the path before it routes must not find another route.
      if (route !== find(decodeURIComponent(arn.path))) return denied(authorization, event)
    }
    const guard = route === undefined ? otherwise : (guards.get(route) as AnyGuard)
    return guard(authorization, event)
  }
}

/** Whether the token is good, whatever is asked for, and what it may reach for how long. */
function perToken(
  server: CoreServer,
  reachOf: ReturnType<typeof planReach>,
  endOf: (token: VerifiedToken) => number,
) {
  const guard = server.guardOf(compileRequirement({}, 'routes'))
  return async ({ authorization }: AuthorizerRequest): Promise<KeptGrant> => {
    const token = (await guard(authorization)) as VerifiedToken
    return { token, until: endOf(token), ...reachOf(token) }
  }
}

/** When a kept Allow ends, in epoch seconds: with its token, or soon after it is asked for again. */
function ttlEnd({ now, clockTolerance }: ServerOptions, ttl: number) {
  return ({ expiresAt }: VerifiedToken): number => {
    const until = Math.min(expiresAt + clockTolerance, now() / 1000 + ttl + MARGIN)
    if (Number.isFinite(until)) return until
    throw new Error('the clock answers no time')
  }
}

function readTtl({ adapterOptions: own, check }: ServerOptions, simple: boolean): number {
  if (own['resultTtl'] === undefined) {
    throw new OptionError(
      'resultTtl',
      'is missing: set it to the TTL of the authorizer in API Gateway, in seconds; 0 where results are not kept',
    )
  }
  const range = { fallback: 0, min: 0, max: MAX_TTL, unit: 'seconds', integer: true }
  const ttl = readNumber(own, 'resultTtl', '', range)
  if (ttl > 0 && (simple || check !== undefined)) {
    throw new OptionError(
      'resultTtl',
      `is ${ttl} beside ${simple ? 'simpleResponses' : 'check'}, which decides per request: set it to 0`,
    )
  }
  return ttl
}
