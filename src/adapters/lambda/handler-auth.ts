/** Protects the handler of a Lambda function that responds to requests itself. */
import type { Context } from 'aws-lambda'
import { attachRequirement } from '../../core/introspection.ts'
import { type CognitoAuthOptions, readOptions } from '../../core/options/options.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import { type AccessRequirement, compileRequirement } from '../../core/requirement.ts'
import { createCoreServer, type ResourceServer } from '../../core/resource-server.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { countGuards } from '../count-guards.ts'
import { RequestAuth } from '../request-auth.ts'
import { decide, type ResponseError } from '../respond.ts'
import {
  createErrorResult,
  type HandlerErrorResult,
  type HandlerEvent,
  readHandlerEvent,
  readRoute,
} from './handler-events.ts'
import { AuthorizerError } from './responses.ts'

const requestAuth = new RequestAuth(
  'no protected handler received this event. Pass the event that the handler received, not a copy.',
)

/** A handler without a callback, as current runtimes expect it. */
export type LambdaHandler<Event extends HandlerEvent, Result> = (
  event: Event,
  context: Context,
) => Result | Promise<Result>

/** Guards for the handlers of one function. */
export interface HandlerAuth {
  /**
   * Wraps a handler, which then runs only for requests that meet the requirement.
   *
   * @param requirement What a request needs. `{}` requires any valid token.
   * @param handler The handler. It reads the token with `getAuth(event)`.
   * @returns The handler of the function. It responds to a rejected request itself, in the form of the event:
   *   HTTP API, REST API, function URL or load balancer. It throws for events that are no HTTP requests.
   * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid requirement, when this is called.
   */
  protectHandler<Event extends HandlerEvent, Result>(
    requirement: AccessRequirement,
    handler: LambdaHandler<Event, Result>,
  ): (event: Event, context: Context) => Promise<Result | HandlerErrorResult>
  /** The resource server: readiness, status, `close()`. */
  readonly server: ResourceServer
}

/**
 * Protects the handlers of a Lambda function behind an HTTP API, a REST API, a function URL or an Application
 * Load Balancer. Call it once, outside of the handler, so that a warm start keeps its keys.
 *
 * @param options The user pools and the allowed app clients.
 * @returns `protectHandler`, and the resource server.
 * @throws {OptionError} `ERR_OPTION_INVALID`, with the option and the fix.
 * @example
 * ```ts
 * const { protectHandler } = createHandlerAuth({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: ['…'] })
 * export const handler = protectHandler({ scopes: 'orders/read' }, async (event) => ({
 *   statusCode: 200,
 *   body: getAuth(event).clientId,
 * }))
 * ```
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function createHandlerAuth(options: CognitoAuthOptions): HandlerAuth {
  const serverOptions = readOptions(options)
  const server = createCoreServer(serverOptions)
  const countGuard = countGuards(serverOptions.logger)
  return {
    protectHandler: (requirement, handler) => {
      countGuard()
      const compiled = compileRequirement(requirement, 'requirement')
      if (typeof handler !== 'function') {
        throw new OptionError(
          'handler',
          `expected a function, got ${describeValue(handler)}. Pass the handler of the function.`,
        )
      }
      const guard = server.createGuard(compiled, readRoute)
      const protectedHandler: ReturnType<HandlerAuth['protectHandler']> = async (
        event,
        context,
      ) => {
        const request = readHandlerEvent(event)
        if (request === undefined) {
          throw new AuthorizerError('ERR_EVENT_UNKNOWN', 'The event is not an HTTP request')
        }
        requestAuth.clear(event)
        try {
          const token = await decide(guard, request.authorization, event, serverOptions.logger)
          requestAuth.set(event, token)
        } catch (error) {
          return createErrorResult(error as ResponseError, request)
        }
        return handler(event as never, context)
      }
      return attachRequirement(protectedHandler as never, compiled)
    },
    server,
  }
}

/**
 * Returns the verified token of an event.
 *
 * @param event The event that the protected handler received.
 * @param options With `{ optional: true }`, null is returned for a request without a token.
 * @returns The verified token.
 * @throws {OptionError} `ERR_OPTION_INVALID` if no protected handler received the event, or if the request has
 *   no token and `optional` is not set.
 */
export function getAuth(event: HandlerEvent): VerifiedToken
export function getAuth(
  event: HandlerEvent,
  options: { readonly optional: true },
): VerifiedToken | null
export function getAuth(
  event: HandlerEvent,
  options?: { readonly optional: true },
): VerifiedToken | null {
  return requestAuth.get(event, options)
}
