/** The Lambda authorizer as API Gateway calls it; a door's status is what API Gateway answers. */
import type { APIGatewayAuthorizerResult } from 'aws-lambda'
import {
  type AuthorizerContext,
  type AuthorizerEvent,
  createLambdaAuthorizer,
  type LambdaAuthorizerOptions,
} from '../../../src/adapters/lambda/index.ts'
import type { VerifiedToken } from '../../../src/index.ts'
import { allows, runtimeError, thrownStatus } from '../../support/gateway.ts'
import { arnOf, requestEvent, type Sent, tokenEvent, v2Event } from '../../support/lambda-events.ts'
import type { Answer, Surface } from './endpoint.ts'

type Simple = { readonly isAuthorized: boolean; readonly context: AuthorizerContext }

const isAllowed = (result: APIGatewayAuthorizerResult | Simple): boolean =>
  'isAuthorized' in result ? result.isAuthorized : allows(result, arnOf({}))

/** The authorizer context that a backend receives instead of the token. */
function authOf({ clientId, scopes, expiresAt, userPoolId }: AuthorizerContext) {
  if (clientId === undefined) return null
  return {
    clientId,
    scopes: new Set(scopes?.split(' ')),
    expiresAt,
    userPoolId,
  } as unknown as VerifiedToken
}

function answerOf(result: APIGatewayAuthorizerResult | Simple): Answer {
  const context = result.context as AuthorizerContext
  const allowed = isAllowed(result)
  return {
    status: allowed ? 200 : 403,
    code: context.code,
    headers: {},
    body: allowed ? undefined : result,
    auth: allowed ? authOf(context) : undefined,
  }
}

function thrown(error: unknown): Answer {
  const { code, stack, cause } = error as { code?: string; stack?: string; cause?: unknown }
  if (typeof code !== 'string') throw error
  const body = { ...runtimeError(error), stack, cause }
  return { status: thrownStatus(error), code, headers: {}, body, auth: undefined }
}

function surface(
  name: string,
  eventOf: (sent: Sent) => AuthorizerEvent,
  oneLine: boolean,
  more: object = {},
): Surface {
  return {
    name,
    transport: 'direct',
    ...(oneLine && { oneLine }),
    async open(options, requirement = {}) {
      const given: object = { ...options, routes: { 'GET /r': requirement }, resultTtl: 0, ...more }
      const authorizer = createLambdaAuthorizer(
        given as LambdaAuthorizerOptions & { simpleResponses?: false },
      )
      return {
        ask: (authorization) => authorizer(eventOf({ authorization })).then(answerOf, thrown),
        server: authorizer.server,
        close: async () => authorizer.server.close(),
      }
    },
  }
}

export const lambdaSurfaces: readonly Surface[] = [
  surface('Lambda, REST TOKEN', tokenEvent, true),
  surface('Lambda, REST REQUEST', requestEvent, false),
  surface('Lambda, HTTP API 2.0', v2Event, true),
  surface('Lambda, HTTP API 2.0 simple', v2Event, true, { simpleResponses: true }),
]
