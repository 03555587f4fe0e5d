/** A wrong requirement is refused when its route is declared, or keeps the route shut for ever. */
import t from 'tap'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { OptionError } from '../../../src/index.ts'
import {
  answerOf,
  captureLog,
  counter,
  get,
  newApp,
  pool,
  protectedApp,
  right,
  start,
  withAuth,
} from '../../support/fastify.ts'

/** Whatever the types let through: name → value, and what the message says of it. */
const wrong: readonly [string, unknown, RegExp][] = [
  ['true', true, /: expected a requirement, got true\. Pass \{\} for any valid token\.$/],
  [
    'a string',
    'orders/read',
    /: expected an object, got "orders\/read"\. Write \{ scopes: "orders\/read" \}\.$/,
  ],
  ['the name scope', { scope: 'orders/read' }, /\.scope: expected one of scopes, /],
  ['no scope', { scopes: [] }, /\.scopes: expected at least one scope, got an empty array/],
  [
    'no scope under anyOf',
    { scopes: { anyOf: [] } },
    /\.scopes\.anyOf: expected at least one scope, got an empty array/,
  ],
  [
    'a function as scopes',
    { scopes: () => 'orders/read' },
    /\.scopes: expected a scope as a string, got a function/,
  ],
  [
    'two scopes in a string',
    { scopes: 'orders/read orders/write' },
    /: expected one scope without spaces, got "orders\/read orders\/write"\. Pass several/,
  ],
  [
    'a malformed scope',
    { scopes: ['orders/read', 'read'] },
    /\.scopes\[1\]: expected a scope as "identifier\/name", got "read"/,
  ],
  ['an undefined member', { scopes: undefined }, /\.scopes: expected a value, got undefined/],
  ['scopes null', { scopes: null }, /\.scopes: expected a scope as a string, got null/],
  [
    'no client',
    { clientId: [] },
    /\.clientId: expected at least one app client id, got an empty array/,
  ],
  [
    'optional as a string',
    { optional: 'false' },
    /\.optional: expected a boolean, got "false"\. Pass true or false\.$/,
  ],
  [
    'a check that is none',
    { check: true },
    /\.check: expected a function, got true\. Pass a function or leave it out\.$/,
  ],
  ['undefined', undefined, /: expected a plain object, got undefined\. Pass an object literal\.$/],
  ['null', null, /: expected a plain object, got null\. Pass an object literal\.$/],
  ['0', 0, /expected a plain object, got 0/],
  ['an empty string', '', /: expected an object, got ""\. Write \{ scopes: "" \}\.$/],
  [
    'an array',
    ['orders/read'],
    /expected a plain object, got an array\. Pass an object literal\.$/,
  ],
  ['a function', () => true, /expected a plain object, got a function/],
  ['a promise', Promise.resolve({}), /: expected a plain object, got an object\. Pass/],
  ['the object false', Object(false), /: expected a plain object, got an object\. Pass/],
]
const SHUT = {
  statusCode: 500,
  code: 'ERR_OPTION_INVALID',
  error: 'Internal Server Error',
  message: 'The access requirement of this route is invalid',
}
const route = (auth: unknown) => ({ config: { auth } }) as { config: { auth: false } }

t.test('the table has every case', async (t) => {
  t.equal(wrong.length, 21)
})

t.test(
  'rejects an invalid requirement at declaration after the plugin was registered',
  async (t) => {
    for (const [name, auth, message] of wrong) {
      const app = await protectedApp(t)
      const declare = () => app.get('/r', route(auth), async () => 'reached')
      t.throws(declare, { name: 'OptionError', code: 'ERR_OPTION_INVALID', message }, name)
      t.throws(declare, { message: /^cognito-m2m: config\.auth of GET \/r[^\r\n]*$/ }, name)
      t.throws(declare, OptionError, name)
    }
  },
)

t.test('the message names method and whole path', async (t) => {
  const app = await protectedApp(t)
  app.register(
    async (child) => {
      const handler = async () => 'reached'
      child.route({ method: ['PUT', 'PATCH'], url: '/:id', ...route(true), handler })
    },
    { prefix: '/orders' },
  )
  await t.rejects(start(app), {
    option: 'config.auth of PUT,PATCH /orders/:id',
    message:
      /^cognito-m2m: config\.auth of PUT,PATCH \/orders\/:id: expected a requirement, got true\./,
  })
})

t.test('anyOf() without a scope is rejected where it is called', async (t) => {
  const { anyOf } = await import('../../../src/index.ts')
  t.throws(() => (anyOf as () => unknown)(), { code: 'ERR_OPTION_INVALID' })
})

t.test('an invalid default rejects the registration', async (t) => {
  for (const [name, auth] of wrong) {
    const app = newApp(t)
    app.register(cognitoAuth, { ...pool.options(), default: auth as false })
    await t.rejects(start(app), { code: 'ERR_OPTION_INVALID', message: /default/ }, name)
  }
})

t.test('a route declared before the plugin answers 500 to every request', async (t) => {
  for (const [name, auth] of wrong) {
    const { calls, handler } = counter()
    const app = newApp(t)
    app.get('/r', route(auth), handler('r'))
    await app.register(cognitoAuth, pool.options())
    for (const authorization of [undefined, right, right]) {
      const response = await app.inject({ url: '/r', headers: withAuth(authorization) })
      t.equal(response.statusCode, 500, name)
      t.strictSame(response.json(), SHUT, name)
    }
    const twin = await app.inject({ method: 'HEAD', url: '/r', headers: withAuth(right) })
    t.equal(twin.statusCode, 500, `${name}, HEAD`)
    t.strictSame(calls, [], name)
  }
})

t.test(
  'each such route is logged once, with the reason: callers cannot fill the log',
  async (t) => {
    for (const [name, auth, message] of wrong) {
      const log = captureLog('error')
      const app = newApp(t, { logger: log.logger })
      app.get('/r', route(auth), async () => 'reached')
      app.register(cognitoAuth, pool.options())
      for (let times = 0; times < 3; times += 1) await get(app, '/r', right)
      const lines = log.lines().filter(({ msg }) => String(msg).startsWith('cognito-m2m: '))
      t.match(
        lines,
        [
          {
            level: 50,
            method: 'GET',
            route: '/r',
            msg: 'cognito-m2m: invalid auth config of a route; answering 500',
            err: { code: 'ERR_OPTION_INVALID', message },
          },
        ],
        name,
      )
      t.equal(lines.length, 1, name)
    }
  },
)

t.test('earlier children, wildcards and upgrades answer 500 too', async (t) => {
  const { calls, handler } = counter()
  const app = newApp(t)
  app.register(async (child) => child.all('/p/*', route({ scope: 'a/b' }), handler('p')))
  app.register(cognitoAuth, pool.options())
  for (const method of ['GET', 'POST', 'OPTIONS'] as const) {
    const headers = { ...withAuth(right), upgrade: 'websocket', connection: 'upgrade' }
    const answer = answerOf(await app.inject({ method, url: '/p/a', headers }))
    t.match(answer, { status: 500, code: 'ERR_OPTION_INVALID' }, method)
  }
  t.strictSame(calls, [])
})

t.test('other routes are not affected', async (t) => {
  const app = newApp(t)
  app.get('/wrong', route(true), async () => 'reached')
  app.get('/good', route({ scopes: 'orders/read' }), async () => 'reached')
  app.register(cognitoAuth, pool.options())
  t.equal(await get(app, '/wrong', right), '500 ERR_OPTION_INVALID')
  t.equal(await get(app, '/good', right), '200')
  t.equal(await get(app, '/good'), '401 ERR_TOKEN_MISSING')
})

t.test('changes by a later onRoute hook count', async (t) => {
  const app = await protectedApp(t)
  app.addHook('onRoute', (options) => {
    options.config = { ...options.config, ...route(options.url === '/wrong' ? 'x' : {}).config }
  })
  app.get('/wrong', async () => 'reached')
  app.get('/open', route(false), async () => 'reached')
  t.equal(await get(app, '/wrong', right), '500 ERR_OPTION_INVALID')
  t.equal(await get(app, '/open'), '401 ERR_TOKEN_MISSING')
})
