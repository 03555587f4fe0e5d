import { once } from 'node:events'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer } from 'node:net'
import process from 'node:process'
import Fastify from 'fastify'
import t from 'tap'
import { cognitoAuth as guards } from '../../../src/adapters/express/index.ts'
import { authDefault, cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { ExpressWatch } from '../../../src/cli/app-loader/express.ts'
import { watchFastify } from '../../../src/cli/app-loader/fastify.ts'
import { formatError, InspectionFailure } from '../../../src/cli/app-loader/format-error.ts'
import { inspectModule } from '../../../src/cli/app-loader/load.ts'
import { listenOnEphemeralPort, stubJwksFetch } from '../../../src/cli/app-loader/overrides.ts'
import { findAppPosition, getCallerPosition } from '../../../src/cli/app-loader/stack.ts'
import { anyOf, createResourceServer, defineScopes } from '../../../src/index.ts'
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

/** Lists routes without positions, which have separate tests. */
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
    open.get('/open', async () => '')
    open.get('/public', { config: { auth: false } }, async () => '')
  })
  t.strictSame(await routesOf({ app }), [
    ['GET /guarded', {}],
    ['GET /open', false],
    ['GET /public', false],
  ])
})

t.test(
  'Fastify: routes that declare config.auth without a guard are reported as unprotected',
  async (t) => {
    const scoped = { config: { auth: { scopes: orders.read } } }
    const build = (unguardedRoutes: 'refuse' | 'ignore') => {
      const app = Fastify()
      app.register(async (open) => {
        open.get('/open', scoped, async () => '')
        open.get('/plain', async () => '')
      })
      app.register(async (guarded) => {
        guarded.register(cognitoAuth, { ...OPTIONS, unguardedRoutes })
        guarded.get('/guarded', scoped, async () => '')
      })
      return app
    }
    const readAll = async (app: object) =>
      (await inspect({ app })).routes.map(({ path, auth, unprotected }) => [
        path,
        auth,
        unprotected,
      ])
    t.strictSame(await readAll(build('refuse')), [
      ['/open', false, true],
      ['/plain', false, undefined],
      ['/guarded', { scopes: ['orders/read'] }, undefined],
    ])
    t.strictSame(await readAll(build('ignore')), [
      ['/open', false, undefined],
      ['/plain', false, undefined],
      ['/guarded', { scopes: ['orders/read'] }, undefined],
    ])
    const aside = Fastify()
    aside.register(async (child) => {
      child.register(cognitoAuth, { ...OPTIONS, allowNoRoutes: true })
    })
    aside.get('/open', scoped, async () => '')
    t.strictSame(await readAll(aside), [['/open', false, true]])
    const wrong = Fastify()
    wrong.register(cognitoAuth, OPTIONS)
    wrong.register(async (child) => {
      child.get('/orders', { config: { auth: { scope: 'a/b' } } } as object, async () => '')
    })
    await t.rejects(inspect({ app: wrong }), {
      message:
        /config\.auth of GET \/orders\.scope: expected one of scopes, clientId, userPoolId, optional, check, got an unknown name\. Rename or remove it\.$/,
    })
    const first = Fastify()
    first.addHook('onReady', async () => {
      throw new Error('no database')
    })
    first.register(cognitoAuth, OPTIONS)
    first.get('/orders', async () => '')
    await t.rejects(inspect({ app: first }), { message: 'no database' })
  },
)

t.test('Fastify: an invalid config.auth is reported with its route', async (t) => {
  const app = Fastify()
  // @ts-expect-error not an object
  app.get('/early', { config: { auth: 'orders/read' } }, async () => '')
  app.register(cognitoAuth, OPTIONS)
  await t.rejects(inspect({ app }), {
    message:
      /^GET \/early: cognito-m2m: config\.auth: expected an object, got "orders\/read"\. Write \{ scopes: "orders\/read" \}\.$/,
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

const guard = guards(OPTIONS)
const end = () => {}

/** A guarded app of Express 5. */
function small() {
  const make = require('express') as typeof import('express')
  express.watch(make)
  const app = make()
  app.get('/orders', guard(), end)
  return app
}

t.test('the app is an export, a promise, or the result of a function', async (t) => {
  const routes = [['GET /orders', {}]]
  for (const exported of [
    { default: small() },
    { server: Promise.resolve(small()) },
    { unrelated: Promise.reject(new Error('not awaited')), other: small() },
    { default: { app: small() } },
    { default: async () => small() },
    { buildIt: () => small(), wreck: () => t.fail('called') },
    { createOrdersApi: () => small() },
    { default: { make: () => small() }, createOrder: () => t.fail('called') },
  ]) {
    for (const value of Object.values(exported)) Promise.resolve(value).catch(() => {})
    t.strictSame(await routesOf(exported), routes)
  }
})

t.test('functions with parameters are reported and not called', async (t) => {
  const called = () => t.fail('called')
  const alone = (exported: object) =>
    inspectModule(
      { name: 'app.js', module: 'module' },
      {
        fastify: new Map(),
        express: new ExpressWatch(),
        load: async () => exported,
        settled: Promise.resolve(),
      },
    )
  const fix = 'Export the app, or a function without parameters, as default or app.'
  for (const [exported, names] of [
    [{ buildApp: (_options: object) => called() }, 'buildApp'],
    [{ default: async (_app: object, _options: object) => called() }, 'default'],
    [
      { createServer: (_pool: string, { port = 0 } = {}) => called() ?? port, server: class {} },
      'server, createServer',
    ],
  ] as const) {
    const message = `expected an app, got only functions with parameters (${names}). ${fix}`
    await t.rejects(alone(exported), { message })
  }
  const routes = [['GET /orders', {}]]
  const taken = (_options: object) => called()
  t.strictSame(await routesOf({ default: taken, buildApp: () => small() }), routes)
  t.strictSame(await routesOf({ app: taken, orders: small() }), routes)
  t.strictSame(await routesOf({ build: (options = {}) => options && small() }), routes)
})

t.test('without an exported app, the only created app is used', async (t) => {
  const watch = new ExpressWatch()
  const apps = new Map<object, []>()
  const settle = (made: () => void) =>
    inspectModule(
      { name: 'app.js', module: 'module' },
      {
        fastify: apps,
        express: watch,
        load: async () => ({}),
        settled: Promise.resolve().then(made),
      },
    )
  await t.rejects(settle(end), {
    message:
      /^expected an app, got none\. Export a Fastify instance, an Express app, or a function without parameters that creates one, as default or app\.$/,
  })
  watch.apps.add(small() as never)
  const { routes } = await settle(end)
  t.match(routes, [{ path: '/orders' }])
  const mounted = small()
  small().use(mounted)
  watch.apps.add(mounted as never)
  t.equal((await settle(end)).routes.length, 1)
  await t.rejects(
    settle(() => watch.apps.add(small() as never)),
    { message: /^expected one app, got several\. Export one of them as default or app\.$/ },
  )
})

t.test('an app without a guard, or without routes, is rejected', async (t) => {
  const make = require('express') as typeof import('express')
  await t.rejects(inspect({ app: make() }), {
    message:
      /^expected an app with routes, got none\. Declare the routes before the app listens\.$/,
  })
  await t.rejects(inspect({ app: (require('express4') as typeof make)() }), {
    message:
      /^expected an app with routes, got none\. Declare the routes before the app listens\.$/,
  })
  const open = make()
  open.get('/', end)
  await t.rejects(inspect({ app: open }), {
    message:
      /^expected a guard of cognito-m2m in the app, got none\. Register cognitoAuth, or add auth\(\) before the routes\.$/,
  })
})

t.test('scopes are found wherever they are exported, each resource server once', async (t) => {
  const more = defineScopes('orders', { cancel: 'Cancel orders' })
  const audit = defineScopes('audit', { all: 'Everything' })
  const { resourceServers } = await inspect(
    { app: small(), orders, all: [orders, 1] },
    { default: { audit, more } },
  )
  t.strictSame(resourceServers, [
    {
      identifier: 'orders',
      scopes: { read: 'Read orders', write: 'Change orders', cancel: 'Cancel orders' },
    },
    { identifier: 'audit', scopes: { all: 'Everything' } },
  ])
})

t.test('Express: what its routers do with paths decides', async (t) => {
  const make = require('express') as typeof import('express')
  const make4 = require('express4') as typeof make
  for (const it of [make, make4]) express.watch(it)
  const needs = { scopes: ['orders/read'] }
  const strict = guard({ scopes: orders.read })
  const four = make4()
  four.use('/abc', strict)
  four.get('/abcd', end)
  four.get('/:id(\\d+)/x', end)
  four.use(/^\/a/, guard())
  four.get('/ab', end)
  four.get('/a/b', end)
  four.get('/opt/:id?', end)
  four.get('/rest/:path*', strict, end)
  four.get('/:a-:b', end)
  four.use(strict)
  four.get(/x/, guard({ scopes: orders.write }), end)
  four.delete('/files/*', end)
  t.strictSame(await routesOf({ four }), [
    ['GET /abcd', false],
    ['GET /:id/x', false],
    ['GET /ab', false],
    ['GET /a/b', {}],
    ['GET /opt/:id', false],
    ['GET /opt', false],
    ['GET /rest/*', needs],
    ['GET /:a-:b', false],
    ['GET /*', { scopes: ['orders/read', 'orders/write'] }],
    ['DELETE /files/*', needs],
  ])
  const five = make()
  const inner = make.Router()
  inner.get('/', end)
  const loop = make.Router()
  loop.use('/again', loop)
  five.use(function mounted_app(_req, _res, next) {
    next()
  })
  five.use('/loop', loop)
  five.get('/files/*path', strict, end)
  five.get('/opt{/:id}', end)
  five.use('/in', strict, inner)
  five.use('/in', inner)
  // A router takes an app as well.
  const app = make()
  app.get('/own', end)
  inner.use('/app', app)
  t.strictSame(await routesOf({ five }), [
    ['GET /files/*', needs],
    ['GET /opt/:id', false],
    ['GET /opt', false],
    ['GET /in', needs],
    ['GET /in/app/own', needs],
    ['GET /in', needs],
    ['GET /in/app/own', needs],
  ])
})

t.test('an Express module that was not watched is rejected if it hides paths', async (t) => {
  const make = require('express') as typeof import('express')
  const blind = new ExpressWatch()
  const read = (app: object) =>
    inspectModule(
      { name: 'app.js', module: 'module' },
      { fastify, express: blind, load: async () => ({ app }), settled: Promise.resolve() },
    )
  const app = small()
  t.match(await read(app), {
    routes: [{ path: '/orders', at: { file: 'app.js', line: 1, column: 1 } }],
  })
  app.use('/in', make.Router())
  await t.rejects(read(app), {
    message:
      /^expected the mount path of a router or app, got none\. Pass the module without bundling Express into it\.$/,
  })
  const other = small()
  other.use('/in', small())
  await t.rejects(read(other), {
    message: /^expected the mount path of a router or app, got none\. /,
  })
})

t.test('exports other than Express are ignored', (t) => {
  for (const it of [undefined, {}, end, Object.assign(() => {}, { application: null })]) {
    new ExpressWatch().watch(it)
  }
  t.end()
})

t.test('positions: the nearest line of the app', (t) => {
  const position = getCallerPosition()
  t.match(position, { file: 'test/cli/app-loader/load.test.ts' })
  t.equal(Error.stackTraceLimit, new Error().stack === undefined ? 0 : Error.stackTraceLimit)
  const stack = [
    'Error: at (/not/a:1:2) place',
    '    at node:internal/modules:1:2',
    '    at f (/a/node_modules/express/index.js:1:2)',
    '    at file://host/share/x.js:1:2',
    `    at async f (${process.cwd()}/src/my app.js:7:9)`,
  ].join('\n')
  t.strictSame(findAppPosition(stack), { file: 'src/my app.js', line: 7, column: 9 })
  t.strictSame(findAppPosition(`file://${process.cwd()}/a%20b.mjs:3\nconst = 1`), {
    file: 'a b.mjs',
    line: 3,
    column: 1,
  })
  t.equal(findAppPosition(undefined), undefined)
  t.end()
})

t.test('a thrown value is formatted as one line', (t) => {
  const missing = Object.assign(new Error('x'.repeat(400)), {
    code: 'ERR_MODULE_NOT_FOUND',
    stack: '',
  })
  t.equal(formatError(missing, 'app.mjs'), `app.mjs failed to start: Error: ${'x'.repeat(293)}…`)
  t.match(
    formatError(Object.assign(missing, { code: 'ERR_UNKNOWN_FILE_EXTENSION' }), 'app.ts'),
    /…\. Set NODE_OPTIONS='--import tsx' for TypeScript, or pass the built file\.$/,
  )
  t.notMatch(formatError(new Error('x'), 'app.ts'), 'TypeScript')
  t.equal(formatError('a\n  b', 'app.js'), 'app.js failed to start: a b')
  t.equal(formatError(new InspectionFailure('is none'), 'app.js'), 'app.js: is none')
  t.equal(
    formatError(Object.create(null), 'app.js'),
    'app.js failed to start: a value that cannot be converted to text',
  )
  t.end()
})

t.test('key set requests get a stub, other requests pass through', async (t) => {
  const requests: unknown[] = []
  const quiet = stubJwksFetch(async (input) => {
    requests.push(input)
    return new Response('else')
  })
  const uri = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A/.well-known/jwks.json'
  for (const input of [uri, new URL(uri), new Request(uri)]) {
    t.match(await (await quiet(input)).json(), { keys: [{ kty: 'RSA', use: 'sig' }] })
  }
  t.equal(await (await quiet('https://a.example/')).text(), 'else')
  t.strictSame(requests, ['https://a.example/'])
  const server = createResourceServer({
    userPoolId: 'eu-west-1_AbCdEfGhI',
    clientId: null,
    fetch: quiet,
    keyStore: { startup: 'require' },
  })
  t.teardown(() => server.close())
  await server.ready()
})

t.test('servers listen on a free port of loopback, and say so', async (t) => {
  const server = createServer()
  let heard = 0
  listenOnEphemeralPort(server, () => {
    heard += 1
  })
  await new Promise<void>((resolve) => server.listen(1, '0.0.0.0', resolve))
  const { address, port } = server.address() as AddressInfo
  t.equal(address, '127.0.0.1')
  t.ok(port > 1)
  server.close()
  await once(server, 'close')
  server.listen({ path: '/nowhere' })
  await once(server, 'listening')
  t.equal((server.address() as AddressInfo).address, '127.0.0.1')
  server.close()
  t.equal(heard, 2)
})
