import { createRequire } from 'node:module'
import Fastify from 'fastify'
import t from 'tap'
import { ExpressWatch } from '../../../src/cli/inspect/express-watch.ts'
import { watchFastify } from '../../../src/cli/inspect/fastify-watch.ts'
import { inspectModule } from '../../../src/cli/inspect/inspect-module.ts'
import { cognitoAuth as guards } from '../../../src/express/index.ts'
import { authDefault, cognitoAuth } from '../../../src/fastify/index.ts'
import { anyOf, defineScopes } from '../../../src/index.ts'
import { createTestUserPool } from '../../../src/testing/index.ts'

const OPTIONS = createTestUserPool().options()
const require = createRequire(import.meta.url)
const fastify = watchFastify()
const express = new ExpressWatch()

/** Reads a module that exports this. */
const inspect = (exported: object, scopes?: object) =>
  inspectModule(
    { name: 'app.js', module: 'module', ...(scopes === undefined ? {} : { scopes: 'scopes' }) },
    {
      fastify,
      express,
      load: async (url) => (url === 'scopes' ? (scopes as object) : exported),
      settled: Promise.resolve(),
    },
  )

/** Without places: those have tests of their own. */
async function routesOf(exported: object) {
  const { routes } = await inspect(exported)
  return routes.map(({ method, path, auth }) => [`${method} ${path}`, auth] as const)
}

const orders = defineScopes('orders', { read: 'Read orders', write: 'Change orders' })

t.test('Fastify: what each route needs, wherever that was said', async (t) => {
  const app = Fastify()
  app.get('/early', { config: { auth: { scopes: orders.read } } }, async () => '')
  app.register(async (site) => {
    site.register(authDefault, { auth: false })
    site.get('/site/*', async () => '')
  })
  app.register(cognitoAuth, { ...OPTIONS, default: { scopes: orders.write } })
  app.register(
    async (api) => {
      api.get('/', async () => '')
      api.post(
        '/orders/:id',
        { config: { auth: { scopes: anyOf(orders.read, orders.write) } } },
        async () => '',
      )
      api.get('/optional/:id?', { config: { auth: { optional: true } } }, async () => '')
      api.all('/all', { config: { auth: {} } }, async () => '')
      api.route({
        method: ['PUT', 'PATCH'],
        url: '/both',
        config: { auth: {} },
        handler: async () => '',
      })
      api.head('/alone', { config: { auth: {} } }, async () => '')
      api.get('/alone', { config: { auth: false }, exposeHeadRoute: false }, async () => '')
      api.options('*', async () => '')
    },
    { prefix: '/v1' },
  )
  app.options('*', async () => '')
  t.strictSame(await routesOf({ default: app }), [
    ['GET /early', { scopes: ['orders/read'] }],
    ['GET /site/*', false],
    ['GET /v1', { scopes: ['orders/write'] }],
    ['POST /v1/orders/:id', { anyOf: ['orders/read', 'orders/write'] }],
    ['GET /v1/optional/:id', { optional: true }],
    ['GET /v1/optional', { optional: true }],
    ['ANY /v1/all', {}],
    ['PUT /v1/both', {}],
    ['PATCH /v1/both', {}],
    ['HEAD /v1/alone', {}],
    ['GET /v1/alone', false],
    ['OPTIONS /v1*', { scopes: ['orders/write'] }],
  ])
})

t.test('Fastify: contexts that nothing guards are open', async (t) => {
  const app = Fastify()
  app.register(async (guarded) => {
    guarded.register(cognitoAuth, OPTIONS)
    guarded.get('/guarded', async () => '')
  })
  app.register(async (open) => {
    open.get('/open', { config: { auth: { scopes: orders.read } } }, async () => '')
  })
  t.strictSame(await routesOf({ app }), [
    ['GET /guarded', {}],
    ['GET /open', false],
  ])
})

t.test('Fastify: a route that never opens is told with its name', async (t) => {
  const app = Fastify()
  // @ts-expect-error not an object
  app.get('/early', { config: { auth: 'orders/read' } }, async () => '')
  app.register(cognitoAuth, OPTIONS)
  await t.rejects(inspect({ app }), {
    message: /^GET \/early: cognito-m2m: config\.auth is "orders\/read": write/,
  })
})

for (const [major, name] of [
  [4, 'express4'],
  [5, 'express'],
] as const) {
  const make = require(name) as typeof import('express')

  t.test(`Express ${major}: guards of routes, routers, prefixes and apps`, async (t) => {
    express.watch(make)
    const auth = guards(OPTIONS)
    const app = make()
    const end = () => {}
    app.get('/health', end)
    app.use('/v1', auth())
    app.get('/v1/orders', auth({ scopes: orders.read }), end)
    app.get('/v2/orders', end)
    const router = make.Router()
    router.use(auth({ scopes: orders.write }))
    router
      .route('/items/:id')
      .all(auth({ scopes: anyOf(orders.read, 'orders/admin') }))
      .get(end)
      .put([auth({ scopes: anyOf('orders/admin', 'orders/own') })], end, end)
    app.use(['/v1/sub', '/v3'], router)
    const mounted = make()
    mounted.post('/jobs', auth({ optional: true }), end)
    app.use('/apps', end, mounted)
    app.all('/late', auth())
    app.all('/late', end)
    app.get(['/a', '/b'], end, auth())
    app.get(/^\/pattern/, end)
    router.use('/plain', mounted)
    t.strictSame(await routesOf({ app }), [
      ['GET /health', false],
      ['GET /v1/orders', { scopes: ['orders/read'] }],
      ['GET /v2/orders', false],
      ...['/v1/sub', '/v3'].flatMap((prefix) => [
        [
          `GET ${prefix}/items/:id`,
          { scopes: ['orders/write'], anyOf: ['orders/read', 'orders/admin'] },
        ],
      ]),
      ...['/v1/sub', '/v3'].flatMap((prefix) => [
        [
          `PUT ${prefix}/items/:id`,
          {
            scopes: ['orders/write'],
            anyOf: [
              ['orders/read', 'orders/admin'],
              ['orders/read', 'orders/own'],
              'orders/admin',
              ['orders/admin', 'orders/own'],
            ],
          },
        ],
      ]),
      ['POST /v1/sub/plain/jobs', { scopes: ['orders/write'] }],
      ['POST /v3/plain/jobs', { scopes: ['orders/write'] }],
      ['POST /apps/jobs', { optional: true }],
      ['ANY /late', {}],
      ['GET /a', false],
      ['GET /b', false],
      ['GET /*', false],
    ])
  })
}
