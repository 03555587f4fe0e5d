/** What a route needs is what it said when it was declared, and belongs to that route alone. */
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { authDefault, cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import {
  get,
  MISSING,
  NO_SCOPE,
  otherPool,
  protectedApp,
  right,
  SCOPE,
} from '../../support/fastify.ts'

const handler = async () => 'reached'
const admin = 'orders/admin'

t.test('a requirement is what it was when its route was declared', async (t) => {
  await t.test('one literal changed between two routes', async (t) => {
    const app = await protectedApp(t)
    const config = { auth: { scopes: '' } }
    for (const name of ['admin', 'read']) {
      config.auth.scopes = `orders/${name}`
      app.get(`/${name}`, { config }, handler)
    }
    t.equal(await get(app, '/admin', right), NO_SCOPE, 'orders/read does not open /admin')
    t.equal(await get(app, '/read', right), '200')
  })
  await t.test('the option default', async (t) => {
    const fallback: { scopes?: string } = { scopes: admin }
    const app = await protectedApp(t, { default: fallback })
    app.get('/r', handler)
    delete fallback.scopes
    t.equal(await get(app, '/r', right), NO_SCOPE)
  })
  await t.test('authDefault', async (t) => {
    const app = await protectedApp(t)
    const auth: { scopes?: string } = { scopes: admin }
    await app.register(authDefault, { auth })
    app.get('/r', handler)
    delete auth.scopes
    t.equal(await get(app, '/r', right), NO_SCOPE)
  })
  await t.test('a getter', async (t) => {
    const app = await protectedApp(t)
    let reads = 0
    const auth = {
      get scopes() {
        reads += 1
        return reads === 1 ? admin : SCOPE
      },
    }
    app.get('/r', { config: { auth } }, handler)
    t.equal(await get(app, '/r', right), NO_SCOPE)
  })
})

t.test('a requirement that Fastify would drop is rejected, not left out in silence', async (t) => {
  class Config {
    get auth() {
      return { scopes: admin }
    }
  }
  const configs: Record<string, object> = {
    inherited: Object.create({ auth: { scopes: admin } }),
    'a class with a getter': new Config(),
    'not enumerable': Object.defineProperty({}, 'auth', { value: { scopes: admin } }),
  }
  for (const [name, config] of Object.entries(configs)) {
    const app = await protectedApp(t)
    const declare = () => app.get('/r', { config }, handler)
    t.throws(declare, { code: 'ERR_OPTION_INVALID' }, name)
    t.not(await get(app, '/r', right), '200', name)
  }
})

t.test('Object.prototype.default opens nothing', async (t) => {
  Object.defineProperty(Object.prototype, 'default', { value: false, configurable: true })
  t.teardown(() => Reflect.deleteProperty(Object.prototype, 'default'))
  const app = await protectedApp(t)
  Reflect.deleteProperty(Object.prototype, 'default')
  app.get('/r', handler)
  t.equal(await get(app, '/r'), MISSING)
})

/** A prefixed context with a not-found handler that has this config, which Fastify does not copy. */
function notFoundIn(
  app: FastifyInstance,
  prefix: string,
  config: object,
  prepare: (child: FastifyInstance) => unknown,
): void {
  app.register(
    async (child) => {
      prepare(child)
      const options = { config } as object
      child.setNotFoundHandler(options, (_request, reply) => reply.code(200).send('reached'))
    },
    { prefix },
  )
}

t.test('a config shared by not-found handlers carries no decision across', async (t) => {
  const config = {}
  const open = await protectedApp(t)
  notFoundIn(open, '/open', config, (child) => child.register(authDefault, { auth: false }))
  notFoundIn(open, '/shut', config, () => {})
  t.equal(await get(open, '/open/x'), '200')
  t.equal(await get(open, '/shut/x'), MISSING, 'the open one was asked first')

  const other = {}
  const nested = await protectedApp(t)
  const alone = { ...otherPool.options(), allowNoRoutes: true }
  notFoundIn(nested, '/own', other, (child) => child.register(cognitoAuth, alone))
  notFoundIn(nested, '/shut', other, () => {})
  t.equal(await get(nested, '/own/x'), MISSING)
  t.equal(await get(nested, '/shut/x'), MISSING, 'another registration’s was asked first')
})

t.test('a config that is null is like none, whenever it was declared', async (t) => {
  const app = await protectedApp(t)
  t.doesNotThrow(() => app.get('/r', { config: null } as object, handler))
  t.equal(await get(app, '/r', right), '200')
})

t.test('what later onRoute hooks put in its place counts', async (t) => {
  const app = await protectedApp(t)
  app.addHook('onRoute', (route) => {
    if (route.url === '/stricter') route.config = { ...route.config, auth: { scopes: admin } }
    if (route.url === '/silent') delete route.config?.auth
  })
  app.get('/stricter', { config: { auth: { scopes: SCOPE } } }, handler)
  app.get('/silent', { config: { auth: false } }, handler)
  t.equal(await get(app, '/stricter', right), NO_SCOPE)
  t.equal(await get(app, '/silent'), MISSING, 'the default holds')
})
