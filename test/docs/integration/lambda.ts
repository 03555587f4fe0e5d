/** A function behind an HTTP API, with the core and with the adapter. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda'
import { createHandlerAuth, getAuth } from '../../../src/adapters/lambda/index.ts'
import {
  type AccessRequirement,
  AuthError,
  type CognitoAuthOptions,
  createResourceServer,
  type VerifiedToken,
} from '../../../src/index.ts'
import { proxyV2Event } from '../../support/handler-events.ts'
import type { IntegrationApp } from './app.ts'

type Result = APIGatewayProxyStructuredResultV2
const listOrders = ({ clientId }: VerifiedToken): Result => ({
  statusCode: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ caller: clientId }),
})
const toApp = (handler: (event: APIGatewayProxyEventV2) => Promise<Result>): IntegrationApp => ({
  ask: async (headers) => {
    const { statusCode: status = 200, body, headers: sent } = await handler(proxyV2Event(headers))
    return new Response(body ?? null, { status, headers: sent as Record<string, string> })
  },
  close: () => {},
})

export async function before(options: CognitoAuthOptions): Promise<IntegrationApp> {
  // integration
  const server = createResourceServer(options)
  type Handler = (event: APIGatewayProxyEventV2, auth: VerifiedToken) => Result
  const protect = (requirement: AccessRequirement, handler: Handler) => {
    const guard = server.guard(requirement)
    return async (event: APIGatewayProxyEventV2): Promise<Result> => {
      const header = event.headers['authorization']
      try {
        const token = await guard(header?.includes(',') ? header.split(',') : header, event)
        return handler(event, token as VerifiedToken)
      } catch (error) {
        if (!(error instanceof AuthError)) throw error
        const headers = { ...error.headers, 'content-type': 'application/json' }
        return { statusCode: error.statusCode, headers, body: JSON.stringify(error) }
      }
    }
  }
  const handler = protect({ scopes: 'orders/read' }, (_event, auth) => listOrders(auth))
  // end
  return toApp(handler)
}

export async function after(options: CognitoAuthOptions): Promise<IntegrationApp> {
  // integration
  const { protectHandler } = createHandlerAuth(options)
  const handler = protectHandler({ scopes: 'orders/read' }, (event: APIGatewayProxyEventV2) =>
    listOrders(getAuth(event)),
  )
  // end
  return toApp((event) => handler(event, {} as never))
}
