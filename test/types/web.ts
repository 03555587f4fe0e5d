/** The adapters of Hono, Koa, NestJS, MCP and web-standard requests as apps use them: compiled, never run. */
import type { OAuthTokenVerifier } from '@modelcontextprotocol/sdk/server/auth/provider.js'
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import { Hono } from 'hono'
import Koa from 'koa'
import type { cognitoAuth as expressAuth } from '../../src/adapters/express/index.ts'
import { createFetchAuth, getAuth as getFetchAuth } from '../../src/adapters/fetch/index.ts'
import { cognitoAuth as honoAuth } from '../../src/adapters/hono/index.ts'
import { cognitoAuth as koaAuth } from '../../src/adapters/koa/index.ts'
import { createHandlerAuth, getAuth as getEventAuth } from '../../src/adapters/lambda/index.ts'
import {
  createFetchAuth as createMcpAuth,
  getAuth as getMcpAuth,
  cognitoAuth as mcpAuth,
} from '../../src/adapters/mcp/index.ts'
import { Auth, CognitoAuthModule } from '../../src/adapters/nestjs/index.ts'
import type { VerifiedToken } from '../../src/index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Same<A, B>): void {}

const options = { userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null }

export function hono(): Hono {
  const app = new Hono()
  const auth = honoAuth(options)
  app.use(auth.metadata(), auth())
  app.get('/orders/:id', auth({ scopes: 'a/b' }), (c) => {
    const token = c.var.auth
    same<typeof token, VerifiedToken>(true)
    return c.text(c.req.param('id'))
  })
  app.get('/maybe', auth({ optional: true }), (c) => {
    const token = c.get('auth')
    same<typeof token, VerifiedToken | null>(true)
    return c.text('')
  })
  // @ts-expect-error the name is scopes
  app.get('/slip', auth({ scope: 'a/b' }))
  return app
}

export function koa(): Koa {
  const app = new Koa()
  const auth = koaAuth({ ...options, errors: 'throw' })
  app.use(auth({ scopes: 'a/b' })).use((ctx) => {
    const token = ctx.state.auth
    same<typeof token, VerifiedToken>(true)
  })
  // @ts-expect-error the name is scopes
  auth({ scope: 'a/b' })
  // @ts-expect-error 'next' is Express's
  koaAuth({ ...options, errors: 'next' })
  return app
}

export async function web(request: Request): Promise<unknown> {
  const auth = createFetchAuth(options)
  const token = await auth.guard({ scopes: 'a/b' }).authenticate(request)
  same<typeof token, VerifiedToken>(true)
  const optional = await auth.guard({ optional: true }).authenticate(request)
  same<typeof optional, VerifiedToken | null>(true)
  const anonymous = getFetchAuth(request, { optional: true })
  same<typeof anonymous, VerifiedToken | null>(true)
  // @ts-expect-error the name is scopes
  auth.guard({ scope: 'a/b' })
  // @ts-expect-error Fastify's option
  createFetchAuth({ ...options, unguardedRoutes: 'ignore' })
  return auth.protect({}, (_request: Request, context: { params: { id: string } }) =>
    Response.json(context.params.id),
  )
}

export async function mcp(request: Request): Promise<unknown> {
  const scopes = 'https://mcp.example.com/mcp/tools.read'
  const auth = mcpAuth(options)
  same<ReturnType<typeof auth>, ReturnType<ReturnType<typeof expressAuth>>>(true)
  const verifier: OAuthTokenVerifier = auth.verifier({ scopes })
  const web = createMcpAuth(options)
  const authInfo = await web.guard({ scopes }).authenticate(request)
  same<typeof authInfo, AuthInfo>(true)
  const optional = await web.guard({ scopes, optional: true }).authenticate(request)
  same<typeof optional, AuthInfo | undefined>(true)
  const token = getMcpAuth(optional)
  same<typeof token, VerifiedToken>(true)
  // @ts-expect-error a server without a required scope
  auth({ clientId: 'agent' })
  // @ts-expect-error a server without a required scope
  auth.verifier({})
  // @ts-expect-error the name is scopes
  web.guard({ scope: scopes })
  web.protect({ scopes }, (request) => Response.json(request.auth.clientId))
  return [verifier, web.protect({ scopes }, (_request: Request, id: string) => Response.json(id))]
}

export function handlers(): unknown {
  const { protectHandler } = createHandlerAuth(options)
  // @ts-expect-error the name is scopes
  protectHandler({ scope: 'a/b' }, () => '')
  return protectHandler({ scopes: 'a/b' }, (event: import('aws-lambda').ALBEvent) => {
    const token = getEventAuth(event)
    same<typeof token, VerifiedToken>(true)
    return { statusCode: 200 }
  })
}

export function nest(): unknown {
  // @ts-expect-error the name is scopes
  Auth({ scope: 'a/b' })
  // @ts-expect-error clientId is required
  CognitoAuthModule.forRoot({ userPoolId: 'eu-west-1_AbCdEfGhI' })
  return CognitoAuthModule.forRootAsync({
    inject: ['CONFIG'],
    useFactory: (config: { clientId: string }) => ({ ...options, clientId: config.clientId }),
  })
}
