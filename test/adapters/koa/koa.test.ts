/** The Koa middleware: state, both ways to send errors, metadata, and mistakes of the app. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import t, { type Test } from 'tap'
import { cognitoAuth, getAuth, type KoaAuthOptions } from '../../../src/adapters/koa/index.ts'
import { AuthError, OptionError } from '../../../src/index.ts'
import { exchange } from '../../conformance/behavior/endpoint.ts'
import { get } from '../../support/express.ts'
import { forged, pool, right, SCOPE, wrongScope } from '../../support/fastify.ts'

const authFor = (options: Partial<KoaAuthOptions> = {}) =>
  cognitoAuth({ ...pool.options(), ...options } as KoaAuthOptions)

async function listen(t: Test, app: Koa): Promise<string> {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('a handler reads the token from ctx.state.auth and getAuth', async (t) => {
  const app = new Koa()
  const auth = authFor()
  app.use(auth({ scopes: SCOPE }))
  app.use((ctx) => {
    ctx.body = [ctx.state['auth'].clientId, getAuth(ctx).clientId]
  })
  const url = await listen(t, app)
  t.strictSame((await get(url, right)).body, ['billing', 'billing'])
  t.equal((await get(url, wrongScope)).said, '403 ERR_SCOPE_INSUFFICIENT')
  t.equal((await get(url)).said, '401 ERR_TOKEN_MISSING')
})

t.test('the middleware answers by itself', async (t) => {
  const app = new Koa()
  app.use(async (ctx, next) => {
    ctx.set('x-earlier', 'kept')
    await next()
  })
  app.use(authFor()())
  app.use(() => t.fail('reached'))
  const url = await listen(t, app)
  const { response, text } = await get(url, forged)
  t.equal(response.status, 401)
  t.match(Object.fromEntries(response.headers), {
    'www-authenticate': /^Bearer realm="api", error="invalid_token"/,
    'cache-control': 'no-store',
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(text.length),
    'x-earlier': 'kept',
  })
  t.strictSame(JSON.parse(text), {
    statusCode: 401,
    code: 'ERR_TOKEN_SIGNATURE',
    error: 'Unauthorized',
    message: 'The access token has an invalid signature',
  })
  const head = await get(url, forged, 'HEAD')
  t.strictSame([head.response.status, head.text], [401, ''])
})

t.test("errors 'throw' hands the error over, and Koa keeps status and challenge", async (t) => {
  const app = new Koa()
  app.silent = true
  const seen: unknown[] = []
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      seen.push([error instanceof AuthError, (error as AuthError).code, ctx.state['auth']])
      throw error
    }
  })
  app.use(authFor({ errors: 'throw' })({ scopes: SCOPE }))
  const { response } = await get(await listen(t, app), wrongScope)
  t.strictSame(seen, [[true, 'ERR_SCOPE_INSUFFICIENT', null]])
  t.equal(response.status, 403)
  t.match(response.headers.get('www-authenticate'), 'insufficient_scope')
  t.equal(response.headers.get('cache-control'), 'no-store')
})

t.test("errors 'throw': Koa sends the message, and logs no rejection of a caller", async (t) => {
  const app = new Koa()
  app.use(authFor({ errors: 'throw' })())
  const url = await listen(t, app)
  const logged = t.capture(console, 'error')
  const missing = await get(url)
  t.strictSame([missing.response.status, missing.text], [401, 'An access token is required'])
  const rejected = await get(url, forged)
  t.equal(rejected.text, 'The access token has an invalid signature')
  const outage = new Koa()
  const auth = authFor({ errors: 'throw' })
  auth.server.close()
  outage.use(auth())
  const unavailable = await get(await listen(t, outage), right)
  t.strictSame(
    [unavailable.response.status, unavailable.text],
    [503, 'The access token cannot be verified at the moment'],
  )
  t.strictSame(logged(), [])
  const broken = new Koa()
  const now = () => {
    throw new Error('secret')
  }
  broken.use(authFor({ errors: 'throw', now })())
  const failed = await get(await listen(t, broken), right)
  t.strictSame([failed.response.status, failed.text], [500, 'Internal Server Error'])
  t.equal(logged().length, 1)
})

t.test('two Authorization lines are rejected, and a rejected request keeps no token', async (t) => {
  const app = new Koa()
  const auth = authFor()
  const seen: unknown[] = []
  app.use(async (ctx, next) => {
    await next()
    seen.push(ctx.state['auth'])
    t.throws(() => getAuth(ctx), OptionError)
  })
  app.use(auth({ optional: true }))
  app.use(auth({ scopes: 'orders/other' }))
  const url = await listen(t, app)
  const raw = await exchange(Number(new URL(url).port), [
    'GET / HTTP/1.1',
    'Host: a',
    'Connection: close',
    `Authorization: ${right}`,
    'authorization: Basic YTpi',
  ])
  t.match(raw, /^HTTP\/1\.1 400 Bad Request\r\n/)
  t.equal((await get(url, right)).said, '403 ERR_SCOPE_INSUFFICIENT')
  t.strictSame(seen, [null, null])
})

t.test('the metadata document is public at its path', async (t) => {
  const app = new Koa()
  const auth = authFor({ resourceMetadata: { resource: 'https://api.example.com/v1' } })
  app.use(auth.metadata())
  app.use(auth())
  const url = `${await listen(t, app)}/.well-known/oauth-protected-resource/v1`
  const { response, body } = await get(`${url}?x`)
  t.match(body, { resource: 'https://api.example.com/v1' })
  t.equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
  t.equal((await get(url, undefined, 'HEAD')).said, '200')
  t.equal((await get(url, undefined, 'POST')).said, '401 ERR_TOKEN_MISSING')
  t.equal((await get(`${url}/`)).said, '401 ERR_TOKEN_MISSING')
  t.throws(() => authFor().metadata(), { name: 'OptionError', option: 'resourceMetadata' })
})

t.test('mistakes of the app are errors that name the fix', async (t) => {
  const auth = authFor()
  t.throws(() => auth({ scope: SCOPE } as never), OptionError)
  t.throws(() => authFor({ errors: 'next' as never }), {
    message: "cognito-m2m: errors: expected 'answer' or 'throw', got \"next\". Use one of the two.",
  })
  t.throws(() => getAuth({} as never), { name: 'OptionError', option: 'getAuth' })
  const app = new Koa()
  app.silent = true
  const errors: Error[] = []
  app.on('error', (error) => errors.push(error))
  app.use(auth as never)
  app.use(() => t.fail('reached'))
  t.equal((await get(await listen(t, app), right)).response.status, 500)
  t.match(errors, [{ name: 'OptionError', message: /got a request of Koa\. Call it: auth\(\)/ }])
  t.equal(auth.server.status().ready, true)
})
