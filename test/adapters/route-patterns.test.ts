/** The member `route` of a decision: the pattern of the route in each framework, never the path of the caller. */
import { createRequire } from 'node:module'
import type express from 'express'
import { Hono } from 'hono'
import Koa from 'koa'
import t, { type Test } from 'tap'
import { createRouteReader } from '../../src/adapters/express/route.ts'
import { createFetchAuth } from '../../src/adapters/fetch/index.ts'
import { cognitoAuth as honoAuth } from '../../src/adapters/hono/index.ts'
import { cognitoAuth as koaAuth } from '../../src/adapters/koa/index.ts'
import { createHandlerAuth, createLambdaAuthorizer } from '../../src/adapters/lambda/index.ts'
import { Auth, CognitoAuthModule } from '../../src/adapters/nestjs/index.ts'
import type { CognitoAuthOptions } from '../../src/index.ts'
import { authFor, get, listen as listenExpress, versions } from '../support/express.ts'
import { pool, protectedApp, right, SCOPE } from '../support/fastify.ts'
import { functionUrlEvent, proxyEvent, proxyV2Event } from '../support/handler-events.ts'
import { listen } from '../support/listen.ts'
import { createController, platforms, startNest } from '../support/nestjs.ts'

const options = pool.options() as CognitoAuthOptions

/** The routes of the decisions that an action causes. */
async function routesOf(t: Test, action: () => Promise<unknown>): Promise<(string | null)[]> {
  const { of } = listen(t, ['cognito-m2m:decision'])
  await action()
  return of('cognito-m2m:decision').map(({ route }) => route)
}

t.test('Fastify: the url of the route; null for an unmatched path', async (t) => {
  const app = await protectedApp(t)
  app.get('/orders/:id', async () => 'in')
  app.register(async (scope) => scope.get('/items/:id', async () => 'in'), { prefix: '/v1' })
  const routes = await routesOf(t, async () => {
    for (const url of ['/orders/5?a=b', '/v1/items/7', '/none/8']) await app.inject(url)
    await app.inject({ url: '/orders/6', headers: { authorization: right } })
  })
  t.strictSame(routes, ['/orders/:id', '/v1/items/:id', null, '/orders/:id'])
})

for (const [name, make] of Object.entries(versions)) {
  t.test(`${name}: mount path and path; null before a route is chosen`, async (t) => {
    const app = make()
    const auth = authFor()
    const router = (make as unknown as { Router(): ReturnType<typeof express.Router> }).Router()
    router.get('/:id', auth(), (_request, response) => void response.end('in'))
    app.get('/orders/:id', auth(), (_request, response) => void response.end('in'))
    app.get(/^\/expression/, auth(), (_request, response) => void response.end('in'))
    app.use('/v1/items', router)
    app.use('/tenants/:tenant/lists', router)
    app.use(auth())
    const url = await listenExpress(t, app)
    const routes = await routesOf(t, async () => {
      const paths = ['/orders/5', '/v1/items/7', '/tenants/T-42/lists/9', '/expression', '/none/8']
      for (const path of paths) await get(url + path)
    })
    t.strictSame(routes, ['/orders/:id', '/v1/items/:id', '/tenants/*/lists/:id', null, null])
  })
}

t.test('Express: mount paths are bounded', async (t) => {
  const readRoute = createRouteReader()
  const word = (index: number) =>
    String.fromCharCode(97 + (index % 26), 97 + Math.floor(index / 26))
  const read = (index: number) => readRoute({ route: { path: '/a' }, baseUrl: `/${word(index)}` })
  const routes = new Set(Array.from({ length: 300 }, (_, index) => read(index)))
  t.equal(routes.size, 50)
  t.ok(routes.has('/*/a'))
  t.equal(read(0), '/aa/a')
  t.equal(readRoute({ route: { path: '/a' } }), '/a')
  const long = { route: { path: '/a' }, baseUrl: `/${'a'.repeat(33)}` }
  t.equal(createRouteReader()(long), '/*/a', 'a caller may have written it')
})

t.test('Hono: the route of the handler; null if only middleware matches', async (t) => {
  const app = new Hono()
  const auth = honoAuth(options)
  app.use(auth())
  app.get('/orders/:id', (c) => c.text('in'))
  app.get('/narrow/:id', auth({ scopes: SCOPE }), (c) => c.text('in'))
  const routes = await routesOf(t, async () => {
    const headers = { authorization: right }
    await app.request('/orders/5')
    await app.request('/narrow/5', { headers })
    await app.request('/none/5')
  })
  t.strictSame(routes, ['/orders/:id', '/narrow/:id', '/narrow/:id', null])
})

t.test('Koa: what @koa/router matched', async (t) => {
  const app = new Koa()
  app.use(async (ctx, next) => {
    if (ctx.path.startsWith('/orders')) Object.assign(ctx, { _matchedRoute: '/orders/:id' })
    if (ctx.path.startsWith('/expression')) Object.assign(ctx, { _matchedRoute: /expression/ })
    await next()
  })
  app.use(koaAuth(options)())
  const server = app.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const routes = await routesOf(t, async () => {
    for (const path of ['/orders/5', '/expression', '/none']) {
      await get(`http://127.0.0.1:${port}${path}`)
    }
  })
  t.strictSame(routes, ['/orders/:id', null, null])
})

for (const platform of platforms) {
  t.test(`${platform}: the path of the handler`, async (t) => {
    const controllers = [createController({ 'orders/:id': { decorators: [Auth()] } })]
    const imports = [CognitoAuthModule.forRoot(options)]
    const app = await startNest(platform, { imports, controllers })
    t.teardown(() => app.close())
    const { port } = app.getHttpServer().address() as { port: number }
    const routes = await routesOf(t, () => get(`http://127.0.0.1:${port}/orders/5`))
    t.strictSame(routes, ['/orders/:id'])
  })
}

t.test('NestJS: null where the platform names no route', async (t) => {
  const { readRoute } = await import('../../src/adapters/nestjs/request.ts')
  t.equal(readRoute({}), null)
})

t.test('fetch: the package sees no router', async (t) => {
  const handler = createFetchAuth(options).protect({}, () => new Response('in'))
  const routes = await routesOf(t, () => handler(new Request('http://api.example/orders/5')))
  t.strictSame(routes, [null])
})

t.test('Lambda handler: resource or route key', async (t) => {
  const { protectHandler } = createHandlerAuth(options)
  const handler = protectHandler({}, async () => ({ statusCode: 200 }))
  const routes = await routesOf(t, async () => {
    const events = [
      { ...proxyEvent({ authorization: undefined }), resource: '/orders/{id}' },
      { ...proxyV2Event({ authorization: undefined }), routeKey: 'GET /orders/{id}' },
      functionUrlEvent({ authorization: undefined }),
    ]
    for (const event of events) await handler(event as never, {} as never)
    await handler({ ...events[0], resource: undefined } as never, {} as never)
  })
  t.strictSame(routes, ['/orders/{id}', '/orders/{id}', null, null])
})

t.test('Lambda authorizer: the declared route; null for the default', async (t) => {
  const authorizer = createLambdaAuthorizer({
    ...options,
    routes: { 'GET /orders/{id}': {}, 'GET /public': false },
    resultTtl: 0,
  } as never)
  const event = (path: string, resource: string) => ({
    type: 'REQUEST',
    methodArn: `arn:aws:execute-api:eu-west-1:123456789012:api/prod/GET${path}`,
    path,
    resource,
    headers: { authorization: right },
  })
  const routes = await routesOf(t, async () => {
    await authorizer(event('/orders/5', '/orders/{id}') as never)
    await authorizer(event('/none', '/none') as never).catch(() => {})
    await authorizer(event('/public', '/public') as never)
  })
  t.strictSame(routes, ['/orders/{id}', null])
})

t.test('a request whose properties throw changes no decision', async (t) => {
  const require = createRequire(import.meta.url)
  const app = (require('express') as typeof express)()
  app.use((request, _response, next) => {
    Object.defineProperty(request, 'route', {
      get: () => {
        throw new Error('a getter of other middleware')
      },
    })
    next()
  })
  app.use(authFor()())
  const url = await listenExpress(t, app)
  const routes = await routesOf(t, async () => {
    t.equal((await get(url)).said, '401 ERR_TOKEN_MISSING')
  })
  t.strictSame(routes, [null])
})
