/** Attempts to reach a handler without a valid token by whatever else Fastify offers. */
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import t from 'tap'
import { authDefault, cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import {
  counter,
  get,
  MISSING,
  NO_SCOPE,
  newApp,
  pool,
  protectedApp,
  right,
  SCOPE,
  start,
  withAuth,
  wrongScope,
} from '../../support/fastify.ts'
import { exchange, listen } from '../../support/sockets.ts'

const scoped = { config: { auth: { scopes: SCOPE } } }

t.test('spellings of a path that the router takes for the same', async (t) => {
  const routerOptions = {
    caseSensitive: false,
    ignoreTrailingSlash: true,
    ignoreDuplicateSlashes: true,
    useSemicolonDelimiter: true,
  }
  const { calls, handler } = counter()
  const app = await protectedApp(t, {}, { routerOptions } as FastifyServerOptions)
  app.get('/admin/:id', scoped, handler('admin'))
  app.register(async (open) => {
    open.register(authDefault, { auth: false })
    open.get('/:any', handler('open'))
  })
  const spellings = ['/admin/1', '/ADMIN/1', '/admin/1/', '//admin///1', '/%61dmin/%31']
  for (const url of [...spellings, '/admin/1;a=b', '/admin/1?x', '/x/../admin/1']) {
    t.equal(await get(app, url), MISSING, url)
    t.equal(await get(app, url, wrongScope), NO_SCOPE, url)
  }
  t.strictSame(calls, [])
  const port = await listen(app)
  for (const target of ['http://a/admin/1', '/x/../admin/1', '/admin/1#/open']) {
    const answer = await exchange(port, [`GET ${target} HTTP/1.1`, 'Host: a', 'Connection: close'])
    t.match(answer, /^HTTP\/1\.1 40[01] /, target)
  }
  t.strictSame(calls, [])
})

t.test('rewritten urls, overridden methods', async (t) => {
  const { calls, handler } = counter()
  const rewriteUrl = ({ url = '' }) => (url === '/open' ? '/admin' : url)
  const app = await protectedApp(t, {}, { rewriteUrl } as FastifyServerOptions)
  app.all('/admin', scoped, handler('admin'))
  app.get('/open', { config: { auth: false } }, handler('open'))
  t.equal(await get(app, '/open'), MISSING, 'the route that was found decides')
  const headers = { 'x-http-method-override': 'GET', 'x-original-url': '/open' }
  for (const method of ['POST', 'DELETE', 'OPTIONS', 'TRACE'] as const) {
    const { statusCode } = await app.inject({ method, url: '/admin?_method=GET', headers })
    t.equal(statusCode, 401, method)
  }
  t.strictSame(calls, [])
})

t.test('methods nobody declared, methods added later', async (t) => {
  const { calls, handler } = counter()
  const app = await protectedApp(t, {}, { exposeHeadRoutes: false })
  app.addHttpMethod('PROPFIND')
  app.route({ method: 'PROPFIND', url: '/r', handler: handler('r') })
  app.get('/r', handler('r'))
  for (const method of ['PROPFIND', 'HEAD', 'PURGE', 'OPTIONS'] as const) {
    const { statusCode } = await app.inject({ method: method as 'GET', url: '/r' })
    t.equal(statusCode, 401, method)
  }
  t.strictSame(calls, [])
})

t.test('constraints choose between routes, each with its own requirement', async (t) => {
  const app = await protectedApp(t)
  const constraints = { host: 'open.example' }
  app.get('/r', { ...scoped }, async () => 'shut')
  app.get('/r', { constraints, config: { auth: false } }, async () => 'open')
  for (const [host, status] of [
    ['open.example', 200],
    ['api.example', 401],
    ['OPEN.example', 401],
  ] as const) {
    t.equal((await app.inject({ url: '/r', headers: { host } })).statusCode, status, host)
  }
})

t.test('route-level and later hooks run after the decision', async (t) => {
  const { calls, handler } = counter()
  const app = newApp(t)
  const answer = async (_request: unknown, reply: { send(text: string): unknown }) => {
    calls.push('hook')
    return reply.send('leaked')
  }
  app.get('/route', { onRequest: answer, preHandler: answer }, handler('route'))
  app.register(async (child) => {
    child.addHook('onRequest', answer)
    child.get('/child', handler('child'))
  })
  await app.register(cognitoAuth, pool.options())
  app.addHook('onRequest', answer)
  app.get('/later', handler('later'))
  t.equal(await get(app, '/route'), MISSING)
  t.equal(await get(app, '/later'), MISSING)
  t.strictSame(calls, [])
  await app.close()
})

t.test('documented: a hook that stands before the plugin and answers by itself', async (t) => {
  const app = newApp(t)
  app.addHook('onRequest', async (_request, reply) => reply.send('answered'))
  await app.register(cognitoAuth, pool.options())
  app.get('/r', async () => 'reached')
  t.equal((await app.inject('/r')).body, 'answered')
})

t.test('callNotFound() of an open route reaches the not-found handler, with nobody', async (t) => {
  const app = await protectedApp(t)
  app.setNotFoundHandler(({ auth }, reply) => reply.code(404).send({ auth }))
  app.get('/open', { config: { auth: false } }, (_request, reply) => reply.callNotFound())
  app.get('/shut', (_request, reply) => reply.callNotFound())
  t.strictSame((await app.inject('/open')).json(), { auth: null })
  t.equal(await get(app, '/shut'), MISSING)
  t.equal(await get(app, '/nowhere'), MISSING)
})

t.test('one config literal for routes of several contexts', async (t) => {
  for (const first of ['/open', '/shut', '/strict']) {
    const { handler } = counter()
    const app = await protectedApp(t)
    const config = {}
    app.get('/shut', { config }, handler('shut'))
    for (const [url, auth] of [
      ['/open', false],
      ['/strict', { scopes: SCOPE }],
    ] as const) {
      app.register(async (child) => {
        child.register(authDefault, { auth })
        child.get(url, { config }, handler(url))
      })
    }
    await get(app, first)
    t.equal(await get(app, '/open'), '200', first)
    t.equal(await get(app, '/shut'), MISSING, first)
    t.equal(await get(app, '/strict', wrongScope), NO_SCOPE, first)
  }
})

t.test('config objects of unusual make', async (t) => {
  const bare = Object.assign(Object.create(null), { auth: { scopes: SCOPE } })
  const makes: Record<string, object> = {
    frozen: Object.freeze({ auth: Object.freeze({ scopes: Object.freeze([SCOPE]) }) }),
    'without a prototype': bare,
    'with a bare requirement': { auth: Object.assign(Object.create(null), { scopes: SCOPE }) },
    'with a prototype that opens': Object.assign(Object.create({ auth: false }), scoped.config),
    'with __proto__': JSON.parse('{"__proto__":{"auth":false},"auth":{"scopes":"orders/read"}}'),
  }
  for (const [make, config] of Object.entries(makes)) {
    for (const early of [true, false]) {
      const app = newApp(t)
      const declare = () => void app.get('/r', { config }, async () => 'reached')
      if (early) declare()
      await app.register(cognitoAuth, pool.options())
      if (!early) declare()
      t.equal(await get(app, '/r'), MISSING, make)
      t.equal(await get(app, '/r', wrongScope), NO_SCOPE, make)
      t.equal(await get(app, '/r', right), '200', make)
    }
  }
})

/** Runs with a member on every object, as after a prototype pollution elsewhere. */
async function polluted(key: string, value: unknown, run: () => Promise<void>): Promise<void> {
  Object.defineProperty(Object.prototype, key, { value, configurable: true, writable: true })
  try {
    await run()
  } finally {
    Reflect.deleteProperty(Object.prototype, key)
  }
}

t.test('a polluted Object.prototype opens no declared app', async (t) => {
  const members = { auth: false, optional: true, scopes: [], check: () => true, clientId: null }
  for (const [key, value] of Object.entries(members)) {
    const app = await protectedApp(t)
    app.get('/none', async () => 'reached')
    app.get('/scoped', scoped, async () => 'reached')
    await app.ready()
    await polluted(key, value, async () => {
      t.equal(await get(app, '/none'), MISSING, key)
      t.equal(await get(app, '/scoped', wrongScope), NO_SCOPE, key)
    })
  }
})

t.test('decorators replace neither the credential nor the decision', async (t) => {
  const app = await protectedApp(t)
  app.decorateRequest('headers', { getter: () => ({ authorization: right }) } as never)
  app.get('/r', async () => 'reached')
  t.equal(await get(app, '/r'), MISSING)
  const tamper: Record<string, (app: FastifyInstance) => unknown> = {
    raw: (app) => app.decorateRequest('raw', null as never),
    auth: (app) => app.decorateRequest('auth', null as never),
  }
  for (const [name, apply] of Object.entries(tamper)) {
    const app = fastify()
    app.register(cognitoAuth, pool.options())
    app.register(async (child) => void apply(child))
    await t.rejects(start(app), { code: 'FST_ERR_DEC_ALREADY_PRESENT' }, name)
    await app.close()
  }
})

t.test('what earlier hooks write into the headers is not what is read', async (t) => {
  const app = newApp(t)
  app.addHook('onRequest', async ({ headers }) => {
    headers.authorization = right
  })
  await app.register(cognitoAuth, pool.options())
  app.get('/r', async () => 'reached')
  t.equal(await get(app, '/r'), MISSING)
  const headers = withAuth('Basic YTpi')
  t.equal((await app.inject({ url: '/r', headers })).statusCode, 401)
})
