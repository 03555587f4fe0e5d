/** A handler of web-standard requests, with the core and with the adapter. */
import { createFetchAuth, getAuth } from '../../../src/adapters/fetch/index.ts'
import {
  type AccessRequirement,
  AuthError,
  type CognitoAuthOptions,
  createResourceServer,
  type VerifiedToken,
} from '../../../src/index.ts'
import type { IntegrationApp } from './app.ts'

const toApp = (handler: (request: Request) => Promise<Response>): IntegrationApp => ({
  ask: async (headers) => handler(new Request('https://api.example.com/orders', { headers })),
  close: () => {},
})

export async function before(options: CognitoAuthOptions): Promise<IntegrationApp> {
  // integration
  const server = createResourceServer(options)
  type Handler = (request: Request, auth: VerifiedToken) => Response
  const protect = (requirement: AccessRequirement, handler: Handler) => {
    const guard = server.guard(requirement)
    return async (request: Request): Promise<Response> => {
      const header = request.headers.get('authorization') ?? undefined
      try {
        const token = await guard(header?.includes(',') ? header.split(',') : header, request)
        return handler(request, token as VerifiedToken)
      } catch (error) {
        if (!(error instanceof AuthError)) throw error
        return Response.json(error, { status: error.statusCode, headers: error.headers })
      }
    }
  }
  const handler = protect({ scopes: 'orders/read' }, (_request, auth) =>
    Response.json({ caller: auth.clientId }),
  )
  // end
  return toApp(handler)
}

export async function after(options: CognitoAuthOptions): Promise<IntegrationApp> {
  // integration
  const auth = createFetchAuth(options)
  const handler = auth.protect({ scopes: 'orders/read' }, (request: Request) =>
    Response.json({ caller: getAuth(request).clientId }),
  )
  // end
  return toApp(handler)
}
