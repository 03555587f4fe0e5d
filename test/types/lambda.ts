/** The authorizer is what @types/aws-lambda calls a handler of each kind: compiled, never run. */
import type {
  APIGatewayAuthorizerHandler,
  APIGatewayAuthorizerResult,
  APIGatewayRequestAuthorizerHandler,
  APIGatewayRequestIAMAuthorizerHandlerV2,
  APIGatewayRequestSimpleAuthorizerHandlerV2,
  APIGatewayRequestSimpleAuthorizerHandlerV2WithContext,
  APIGatewayTokenAuthorizerHandler,
} from 'aws-lambda'
import {
  type AuthorizerContext,
  type CognitoAuthOptions,
  createLambdaAuthorizer,
  type LambdaAuthorizer,
} from '../../src/adapters/lambda/index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Same<A, B>): void {}

const pool = { userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null }
const routes = { 'GET /orders': { scopes: 'orders/read' }, 'GET /health': false } as const

const authorizer = createLambdaAuthorizer({ ...pool, routes, resultTtl: 300, default: {} })
same<typeof authorizer, LambdaAuthorizer>(true)
same<Awaited<ReturnType<typeof authorizer>>, APIGatewayAuthorizerResult>(true)
export const token: APIGatewayTokenAuthorizerHandler = authorizer
export const request: APIGatewayRequestAuthorizerHandler = authorizer
export const either: APIGatewayAuthorizerHandler = authorizer
export const v2: APIGatewayRequestIAMAuthorizerHandlerV2 = authorizer

const simple = createLambdaAuthorizer({ ...pool, routes, resultTtl: 0, simpleResponses: true })
export const v2Simple: APIGatewayRequestSimpleAuthorizerHandlerV2 = simple
export const v2Context: APIGatewayRequestSimpleAuthorizerHandlerV2WithContext<AuthorizerContext> =
  simple
// @ts-expect-error simple answers are HTTP API 2.0 only
export const restSimple: APIGatewayTokenAuthorizerHandler = simple

const shared: CognitoAuthOptions = pool
createLambdaAuthorizer({ ...shared, routes, resultTtl: 0 })
// @ts-expect-error resultTtl has to be said
createLambdaAuthorizer({ ...pool, routes })
// @ts-expect-error so have the routes
createLambdaAuthorizer({ ...pool, resultTtl: 0 })
// @ts-expect-error a requirement is an object or false
createLambdaAuthorizer({ ...pool, routes: { 'GET /': 'orders/read' }, resultTtl: 0 })
