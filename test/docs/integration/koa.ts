/** An app of Koa, with the core and with the adapter. */
import Koa, { type Context, type Middleware } from 'koa'
import { cognitoAuth } from '../../../src/adapters/koa/index.ts'
import {
  type AccessRequirement,
  AuthError,
  type CognitoAuthOptions,
  createResourceServer,
} from '../../../src/index.ts'
import { type IntegrationApp, listen } from './app.ts'

const listOrders = (ctx: Context): void => {
  ctx.body = { caller: ctx.state['auth'].clientId }
}

export async function before(options: CognitoAuthOptions): Promise<IntegrationApp> {
  const app = new Koa()
  // integration
  const server = createResourceServer(options)
  const protect = (requirement: AccessRequirement): Middleware => {
    const guard = server.guard(requirement)
    return async (ctx, next) => {
      ctx.state['auth'] = null
      try {
        ctx.state['auth'] = await guard(ctx.req.headersDistinct['authorization'], ctx)
      } catch (error) {
        if (!(error instanceof AuthError)) throw error
        ctx.status = error.statusCode
        ctx.set(error.headers)
        ctx.body = error.toJSON()
        return
      }
      await next()
    }
  }
  app.use(protect({ scopes: 'orders/read' }))
  // end
  app.use(listOrders)
  return listen(app.callback())
}

export async function after(options: CognitoAuthOptions): Promise<IntegrationApp> {
  const app = new Koa()
  // integration
  const auth = cognitoAuth(options)
  app.use(auth({ scopes: 'orders/read' }))
  // end
  app.use(listOrders)
  return listen(app.callback())
}
