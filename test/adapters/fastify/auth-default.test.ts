/** authDefault: the requirement of routes without config.auth, also of routes of other plugins. */
import fastifyStatic from '@fastify/static'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import t from 'tap'
import { authDefault, cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import {
  foreign,
  get,
  MISSING,
  NO_SCOPE,
  newApp,
  otherPool,
  pool,
  protectedApp,
  right,
  SCOPE,
  start,
  WRONG_POOL,
  wrongScope,
} from '../../support/fastify.ts'

const scoped = { auth: { scopes: SCOPE } }
const handler = async () => 'reached'
const routes = (app: FastifyInstance, prefix = '') => {
  app.get(`${prefix}/none`, handler)
  app.get(`${prefix}/open`, { config: { auth: false } }, handler)
  app.get(`${prefix}/any`, { config: { auth: {} } }, handler)
}

t.test('false makes only routes without config.auth public', async (t) => {
  const app = await protectedApp(t)
  routes(app)
  app.register(async (child) => {
    child.register(authDefault, { auth: false })
    routes(child, '/child')
  })
  t.equal(await get(app, '/child/none'), '200')
  t.equal(await get(app, '/child/none', 'Bearer rubbish'), '200', 'nothing is looked at')
  t.equal(await get(app, '/child/open'), '200')
  t.equal(await get(app, '/child/any'), MISSING)
  t.equal(await get(app, '/none'), MISSING, 'its own context only')
  t.equal(await get(app, '/child/nowhere'), MISSING, 'unmatched paths belong to the root')
})

t.test('a requirement applies to routes without config.auth', async (t) => {
  const app = await protectedApp(t)
  app.register(async (child) => {
    await child.register(authDefault, scoped)
    routes(child, '/child')
  })
  t.equal(await get(app, '/child/none'), MISSING)
  t.equal(await get(app, '/child/none', wrongScope), NO_SCOPE)
  t.equal(await get(app, '/child/none', right), '200')
  t.equal(await get(app, '/child/any', wrongScope), '200')
  t.equal(await get(app, '/child/open'), '200')
})

t.test('the nearest default applies', async (t) => {
  const app = await protectedApp(t)
  app.register(async (outer) => {
    routes(outer, '/outer')
    outer.register(authDefault, { auth: false })
    outer.register(async (inner) => {
      routes(inner, '/inner')
      inner.register(authDefault, scoped)
      inner.register(async (innermost) => routes(innermost, '/innermost'))
    })
    outer.register(async (other) => routes(other, '/other'))
  })
  app.register(async (sibling) => routes(sibling, '/sibling'))
  t.equal(await get(app, '/outer/none'), '200')
  t.equal(await get(app, '/other/none'), '200', 'inherited')
  t.equal(await get(app, '/inner/none', wrongScope), NO_SCOPE)
  t.equal(await get(app, '/innermost/none', wrongScope), NO_SCOPE, 'inherited from the nearest')
  t.equal(await get(app, '/sibling/none'), MISSING)
})

t.test('the order of declarations has no effect', async (t) => {
  const orders: Record<string, (app: FastifyInstance) => Promise<unknown>> = {
    'default, protection, routes': async (app) => {
      app.register(authDefault, scoped)
      app.register(cognitoAuth, pool.options())
      routes(app)
    },
    'routes, default, protection': async (app) => {
      routes(app)
      await app.register(authDefault, scoped)
      await app.register(cognitoAuth, pool.options())
    },
    'protection, routes, default': async (app) => {
      await app.register(cognitoAuth, pool.options())
      routes(app)
      await app.register(authDefault, scoped)
    },
  }
  for (const [order, build] of Object.entries(orders)) {
    const app = newApp(t)
    await build(app)
    t.equal(await get(app, '/none', wrongScope), NO_SCOPE, order)
    t.equal(await get(app, '/any', wrongScope), '200', order)
    t.equal(await get(app, '/nowhere', wrongScope), NO_SCOPE, order)
  }
})

t.test("in a fastify-plugin'd plugin it is the parent's", async (t) => {
  const app = await protectedApp(t)
  app.register(fastifyPlugin(async (same) => void same.register(authDefault, { auth: false })))
  routes(app)
  t.equal(await get(app, '/none'), '200')
})

t.test('authDefault takes precedence over the option default', async (t) => {
  const app = await protectedApp(t, { default: false })
  routes(app)
  app.register(async (child) => {
    child.register(authDefault, scoped)
    routes(child, '/child')
  })
  t.equal(await get(app, '/none'), '200')
  t.equal(await get(app, '/child/none'), MISSING)
  t.equal(await get(app, '/child/none', wrongScope), NO_SCOPE)
  t.equal(await get(app, '/child/any'), MISSING)
})

t.test('an optional default', async (t) => {
  const app = await protectedApp(t)
  app.register(authDefault, { auth: { optional: true, scopes: SCOPE } })
  app.get('/who', async ({ auth }) => auth?.clientId ?? 'nobody')
  t.equal((await app.inject('/who')).body, 'nobody')
  t.equal(await get(app, '/who', wrongScope), NO_SCOPE)
  t.equal(await get(app, '/who', 'Bearer rubbish'), '401 ERR_TOKEN_INVALID')
})

t.test('a nested registration does not inherit it from above', async (t) => {
  const app = await protectedApp(t)
  app.register(authDefault, { auth: false })
  app.register(async (child) => {
    child.register(cognitoAuth, otherPool.options())
    routes(child, '/child')
    child.register(async (open) => {
      open.register(authDefault, { auth: false })
      routes(open, '/open')
    })
  })
  app.register(async (both) => {
    both.register(authDefault, scoped)
    both.register(cognitoAuth, { ...otherPool.options(), default: false })
    routes(both, '/both')
  })
  t.equal(await get(app, '/child/none'), MISSING)
  t.equal(await get(app, '/child/none', foreign), '200')
  t.equal(await get(app, '/child/none', right), WRONG_POOL)
  t.equal(await get(app, '/open/none'), '200')
  t.equal(await get(app, '/both/none'), MISSING, 'beside it, it goes before its default')
})

t.test('the default applies to routes of other plugins', async (t) => {
  const root = t.testdir({ 'a.txt': 'reached' })
  const app = await protectedApp(t)
  app.register(swagger)
  app.register(async (docs) => {
    docs.register(authDefault, { auth: false })
    docs.register(swaggerUi, { routePrefix: '/docs' })
  })
  app.register(async (files) => {
    files.register(fastifyStatic, { root, prefix: '/files/' })
    files.register(authDefault, scoped)
  })
  for (const url of ['/docs/', '/docs/json', '/docs/yaml', '/docs/static/index.css']) {
    t.equal(await get(app, url), '200', url)
  }
  for (const url of ['/files/a.txt', '/files/none.txt']) {
    t.equal(await get(app, url), MISSING, url)
    t.equal(await get(app, url, wrongScope), NO_SCOPE, url)
  }
  t.equal(await get(app, '/files/a.txt', right), '200')
})

t.test('unmatched paths of a prefixed context follow it', async (t) => {
  const app = await protectedApp(t)
  app.register(
    async (child) => {
      child.register(authDefault, { auth: false })
      child.setNotFoundHandler((_request, reply) => reply.code(404).send('nothing'))
    },
    { prefix: '/open' },
  )
  t.equal(await get(app, '/open/nowhere'), '404')
  t.equal(await get(app, '/nowhere'), MISSING)
})

t.test('a second authDefault in one context is rejected', async (t) => {
  const app = await protectedApp(t)
  app.register(authDefault, { auth: false })
  app.register(authDefault, { auth: false })
  await t.rejects(start(app), {
    code: 'ERR_OPTION_INVALID',
    message:
      /^cognito-m2m: authDefault: expected one registration per context, got two\. Remove one of the two\.$/,
  })
})

t.test('authDefault without cognitoAuth around it fails the start', async (t) => {
  const refusal = {
    code: 'ERR_OPTION_INVALID',
    message:
      /authDefault: expected cognitoAuth in this context or in one around it, got none\. Register/,
  }
  const bare = newApp(t)
  bare.register(authDefault, { auth: {} })
  await t.rejects(start(bare), refusal)
  const alone = { ...pool.options(), allowNoRoutes: true }
  const sibling = newApp(t)
  sibling.register(async (child) => void child.register(cognitoAuth, alone))
  sibling.register(async (child) => void child.register(authDefault, { auth: {} }))
  await t.rejects(start(sibling), refusal)
  const above = newApp(t)
  above.register(authDefault, { auth: {} })
  above.register(async (child) => void child.register(cognitoAuth, alone))
  await t.rejects(start(above), refusal)
})

t.test('rejects invalid options by name', async (t) => {
  const cases: [unknown, RegExp][] = [
    [{}, /authDefault\.auth: expected a plain object, got undefined\. Pass an object literal\.$/],
    [
      { auth: undefined },
      /authDefault\.auth: expected a value, got undefined\. Set it or leave it out\.$/,
    ],
    [{ auth: true }, /authDefault\.auth: expected a requirement, got true\. Pass \{\} for/],
    [{ auth: null }, /authDefault\.auth: expected a plain object, got null/],
    [
      { auth: 'orders/read' },
      /authDefault\.auth: expected an object, got "orders\/read"\. Write \{ scopes: "orders\/read"/,
    ],
    [
      { auth: { scope: 'a/b' } },
      /authDefault\.auth\.scope: expected one of scopes, .+, got an unknown name/,
    ],
    [
      { auth: {}, scopes: '/x' },
      /authDefault\.scopes: expected one of auth, prefix, .+, got an unknown name\./,
    ],
    [Object.create({ auth: false }), /authDefault/],
  ]
  for (const [options, message] of cases) {
    const app = await protectedApp(t)
    app.register(authDefault, options as { auth: false })
    await t.rejects(start(app), { code: 'ERR_OPTION_INVALID', message })
  }
})
