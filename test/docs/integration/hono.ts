/** An app of Hono, with the core and with the adapter. */
import { type Context, Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import { cognitoAuth } from '../../../src/adapters/hono/index.ts'
import {
  type AccessRequirement,
  AuthError,
  type CognitoAuthOptions,
  createResourceServer,
  type VerifiedToken,
} from '../../../src/index.ts'
import type { IntegrationApp } from './app.ts'

type Env = { Variables: { auth: VerifiedToken } }
const listOrders = (c: Context<Env>) => c.json({ caller: c.var.auth.clientId })
const toApp = (app: { request: Hono['request'] }): IntegrationApp => ({
  ask: async (headers) => app.request('/orders', { headers }),
  close: () => {},
})

export async function before(options: CognitoAuthOptions): Promise<IntegrationApp> {
  const app = new Hono<Env>()
  // integration
  const server = createResourceServer(options)
  const protect = (requirement: AccessRequirement) => {
    const guard = server.guard(requirement)
    return createMiddleware<Env>(async (c, next) => {
      const header = c.req.header('authorization')
      try {
        const token = await guard(header?.includes(',') ? header.split(',') : header, c)
        c.set('auth', token as VerifiedToken)
      } catch (error) {
        if (!(error instanceof AuthError)) throw error
        return c.json(error.toJSON(), error.statusCode, error.headers)
      }
      return next()
    })
  }
  app.get('/orders', protect({ scopes: 'orders/read' }), listOrders)
  // end
  return toApp(app)
}

export async function after(options: CognitoAuthOptions): Promise<IntegrationApp> {
  const app = new Hono<Env>()
  // integration
  const auth = cognitoAuth(options)
  app.get('/orders', auth({ scopes: 'orders/read' }), listOrders)
  // end
  return toApp(app)
}
