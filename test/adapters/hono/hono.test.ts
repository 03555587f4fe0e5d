/** The Hono middleware: variables, an app-wide default, header lines of Node.js, and mistakes of the app. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import t, { type Test } from 'tap'
import { cognitoAuth, getAuth } from '../../../src/adapters/hono/index.ts'
import { type CognitoAuthOptions, OptionError } from '../../../src/index.ts'
import { exchange } from '../../conformance/behavior/endpoint.ts'
import { forged, pool, right, SCOPE, withAuth, wrongScope } from '../../support/fastify.ts'

const authFor = (options: Partial<CognitoAuthOptions> = {}) =>
  cognitoAuth({ ...pool.options(), ...options } as CognitoAuthOptions)

async function get(app: Hono, path: string, authorization?: string, method = 'GET') {
  const headers = { ...withAuth(authorization), origin: 'https://app.example' }
  const response = await app.request(path, { method, headers })
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== ''
  const body = isJson ? JSON.parse(text) : text
  return { status: response.status, code: body.code, body, headers: response.headers }
}

t.test('a route reads the token from c.var.auth, c.get and getAuth', async (t) => {
  const app = new Hono()
  const auth = authFor()
  app.get('/orders', auth({ scopes: SCOPE }), (c) =>
    c.json([c.var.auth.clientId, c.get('auth') === getAuth(c)]),
  )
  app.get('/whoami', auth({ optional: true }), (c) =>
    c.json([c.var.auth?.clientId ?? null, getAuth(c, { optional: true })?.clientId ?? null]),
  )
  t.strictSame((await get(app, '/orders', right)).body, ['billing', true])
  t.match(await get(app, '/orders', wrongScope), { status: 403, code: 'ERR_SCOPE_INSUFFICIENT' })
  t.match(await get(app, '/orders'), { status: 401, code: 'ERR_TOKEN_MISSING' })
  t.strictSame((await get(app, '/whoami')).body, [null, null])
  t.strictSame((await get(app, '/whoami', right)).body, ['billing', 'billing'])
  t.match(await get(app, '/whoami', forged), { status: 401, code: 'ERR_TOKEN_SIGNATURE' })
})

t.test('an app-wide default applies to all later routes, and a route narrows it', async (t) => {
  const app = new Hono()
  const auth = authFor({ default: { scopes: SCOPE } })
  app.get('/health', (c) => c.text('ok'))
  app.use(auth())
  app.get('/all', (c) => c.text(getAuth(c).clientId))
  app.get('/narrow', auth({ scopes: 'orders/other' }), (c) => c.text('reached'))
  app.route(
    '/sub',
    new Hono().get('/all', (c) => c.text(getAuth(c).clientId)),
  )
  t.equal((await get(app, '/health')).status, 200)
  t.equal((await get(app, '/all', right)).body, 'billing')
  t.equal((await get(app, '/sub/all', right)).body, 'billing')
  t.equal((await get(app, '/sub/all')).status, 401)
  t.equal((await get(app, '/narrow', right)).code, 'ERR_SCOPE_INSUFFICIENT')
  t.equal((await get(app, '/nowhere')).status, 401)
})

t.test('a rejected request keeps no token, and headers of other middleware stay', async (t) => {
  const app = new Hono<{ Variables: { auth: unknown } }>()
  const auth = authFor()
  const seen: unknown[] = []
  app.use(cors({ origin: 'https://app.example' }))
  app.use(async (c, next) => {
    await next()
    seen.push(c.get('auth'))
    t.throws(() => getAuth(c as never), OptionError)
  })
  app.use(auth())
  app.get('/r', auth({ scopes: 'orders/other' }), (c) => c.text('reached'))
  const { status, headers } = await get(app as never, '/r', right)
  t.equal(status, 403)
  t.strictSame(seen, [null])
  t.equal(headers.get('access-control-allow-origin'), 'https://app.example')
  t.equal(headers.get('cache-control'), 'no-store')
  t.match(headers.get('www-authenticate'), 'insufficient_scope')
})

async function listen(t: Test, app: Hono) {
  const server = createServer(getRequestListener(app.fetch)).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return async (...lines: string[]) => {
    const raw = await exchange(port, [
      'GET /r HTTP/1.1',
      'Host: a',
      'Connection: close',
      ...lines.map((line) => `Authorization: ${line}`),
    ])
    return Number(raw.split(' ')[1])
  }
}

t.test('on Node.js the header lines count as they came', async (t) => {
  const app = new Hono()
  app.get('/r', authFor()({ optional: true }), (c) => c.text('reached'))
  const statusOf = await listen(t, app)
  t.equal(await statusOf(right), 200)
  t.equal(await statusOf(right, right), 400)
  t.equal(await statusOf('Basic YTpi', right), 400)
  // One line with commas is one credential of another scheme: no token.
  t.equal(await statusOf('Digest username="a", realm="b"'), 200)
  // Without Node.js behind it, the same value may have been two lines.
  t.equal((await get(app, '/r', 'Digest username="a", realm="b"')).status, 400)
  t.equal((await get(app, '/r', `Basic YTpi, ${right}`)).status, 400)
})

/** What an app may pass to another one, with the environment of the first request. */
const INNER: Readonly<Record<string, readonly [(headers: Headers) => void, number]>> = {
  'the same header': [() => {}, 200],
  'no header': [(headers) => headers.delete('authorization'), 401],
  'a forged token': [(headers) => headers.set('authorization', forged), 401],
  'two lines': [(headers) => headers.append('authorization', right), 400],
  'another scheme with a comma': [(headers) => headers.set('authorization', 'Digest a, b'), 400],
}
for (const [name, [change, status]] of Object.entries(INNER)) {
  t.test(`an inner request with ${name} is decided by its own header`, async (t) => {
    const inner = new Hono().get('/r', authFor()(), (c) => c.text(getAuth(c).clientId))
    const calls: Readonly<Record<string, (request: Request, env: object) => unknown>> = {
      request: (request, env) => inner.request(request, undefined, env),
      fetch: (request, env) => inner.fetch(request, env),
    }
    for (const call of Object.values(calls)) {
      const app = new Hono()
      app.get('/r', (c) => {
        const headers = new Headers(c.req.raw.headers)
        change(headers)
        return call(new Request(c.req.url, { headers }), c.env as object) as Response
      })
      t.equal(await (await listen(t, app))(right), status)
    }
    // Middleware in front of the guard replaces the request.
    const app = new Hono()
    app.use(async (c, next) => {
      const headers = new Headers(c.req.raw.headers)
      change(headers)
      c.req.raw = new Request(c.req.url, { headers })
      await next()
    })
    app.mount('/', inner.fetch)
    t.equal(await (await listen(t, app))(right), status)
  })
}

t.test('a genuine token of the inner request counts, and not the one of the socket', async (t) => {
  const inner = new Hono().get('/r', authFor()(), (c) => c.text(getAuth(c).clientId))
  const app = new Hono()
  app.get('/r', (c) => inner.request('/r', { headers: withAuth(right) }, c.env as object))
  const statusOf = await listen(t, app)
  t.equal(await statusOf(forged), 200)
  t.equal(await statusOf(forged, forged), 200)
  t.equal(await statusOf(), 200)
})

t.test(
  'a rejection keeps headers of earlier middleware, and replaces those of the error',
  async (t) => {
    const earlier: Readonly<Record<string, (c: Context, name: string, value: string) => void>> = {
      'c.header': (c, name, value) => c.header(name, value),
      'c.res.headers': (c, name, value) => c.res.headers.set(name, value),
    }
    for (const [name, set] of Object.entries(earlier)) {
      const app = new Hono()
      app.use(async (c, next) => {
        set(c, 'x-request-id', '7')
        set(c, 'cache-control', 'public, max-age=60')
        set(c, 'www-authenticate', 'Basic')
        set(c, 'content-type', 'text/html')
        await next()
      })
      app.get('/r', authFor()(), (c) => c.text('in'))
      const { status, headers, code } = await get(app, '/r')
      t.strictSame([status, code], [401, 'ERR_TOKEN_MISSING'], name)
      t.equal(headers.get('x-request-id'), '7', name)
      t.equal(headers.get('cache-control'), 'no-store', name)
      t.equal(headers.get('www-authenticate'), 'Bearer realm="api"', name)
      t.equal(headers.get('content-type'), 'application/json; charset=utf-8', name)
    }
  },
)

t.test('an upgrade that was handed over with the first of two lines is rejected', async (t) => {
  const app = new Hono().get('/r', authFor()(), (c) => c.text('in'))
  const ask = async (...lines: string[]) => {
    const rawHeaders = lines.flatMap((line) => ['Authorization', line])
    const incoming = { rawHeaders, headers: { authorization: lines[0] } }
    return (await app.request('/r', { headers: withAuth(lines[0]) }, { incoming })).status
  }
  t.equal(await ask(right), 200)
  t.equal(await ask(right, forged), 400)
  t.equal(await ask(forged, right), 400)
  t.equal(await ask(), 401)
})

t.test('the metadata document is public at its path', async (t) => {
  const app = new Hono()
  const auth = authFor({ resourceMetadata: { resource: 'https://api.example.com/v1' } })
  app.use(auth.metadata())
  app.use(auth())
  const path = '/.well-known/oauth-protected-resource/v1'
  t.match((await get(app, path)).body, { resource: 'https://api.example.com/v1' })
  t.equal((await get(app, path, undefined, 'POST')).status, 401)
  t.equal((await get(app, `${path}/`)).status, 401)
  t.throws(() => authFor().metadata(), { name: 'OptionError', option: 'resourceMetadata' })
})

t.test('mistakes of the app are errors that name the fix', async (t) => {
  const auth = authFor()
  t.throws(() => auth({ scope: SCOPE } as never), OptionError)
  t.throws(() => auth(undefined as never), OptionError)
  t.throws(() => getAuth({} as never), {
    message:
      'cognito-m2m: getAuth: no `auth()` middleware ran for this request. Add it before the handler.',
  })
  const app = new Hono()
  const errors: Error[] = []
  app.onError((error, c) => {
    errors.push(error)
    return c.text('failed', 500)
  })
  app.get('/r', auth as never, (c) => c.text('reached'))
  t.equal((await get(app, '/r', right)).status, 500)
  t.match(errors, [{ name: 'OptionError', message: /got a request of Hono\. Call it: auth\(\)/ }])
  t.equal(auth.server.status().ready, true)
})
