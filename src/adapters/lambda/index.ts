/**
 * `cognito-m2m/lambda`: a Lambda authorizer for API Gateway's REST and HTTP APIs, and guards for handlers inside a
 * function.
 *
 * @module
 */
export type { CognitoAuthOptions } from '../../core/options/options.ts'
export type {
  LambdaAuthorizer,
  LambdaAuthorizerOptions,
  SimpleLambdaAuthorizer,
} from './authorizer.ts'
export { createLambdaAuthorizer } from './authorizer.ts'
export type { AuthorizerEvent } from './events.ts'
export type { HandlerAuth, LambdaHandler } from './handler-auth.ts'
export { createHandlerAuth, getAuth } from './handler-auth.ts'
export type { HandlerErrorResult, HandlerEvent } from './handler-events.ts'
export type { AuthorizerContext } from './responses.ts'
