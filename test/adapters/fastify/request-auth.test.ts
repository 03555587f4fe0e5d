/** request.auth before, during and after a decision; and what of a request is ever logged. */
import t from 'tap'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import {
  captureLog,
  foreign,
  forged,
  get,
  newApp,
  pool,
  protectedApp,
  right,
  SCOPE,
  withAuth,
  wrongScope,
} from '../../support/fastify.ts'

t.test('request.auth is null until a token was accepted', async (t) => {
  const seen: unknown[] = []
  const app = newApp(t)
  app.addHook('onRequest', async ({ auth }) => void seen.push(auth))
  await app.register(cognitoAuth, pool.options())
  app.addHook('onError', async ({ auth }) => void seen.push(auth))
  app.addHook('preHandler', async ({ auth }) => void seen.push(auth?.clientId ?? auth))
  app.get('/r', { config: { auth: { scopes: SCOPE } } }, async () => 'reached')
  app.get('/open', { config: { auth: false } }, async () => 'reached')
  app.get('/optional', { config: { auth: { optional: true } } }, async () => 'reached')
  const cases: [string, string | undefined, unknown[]][] = [
    ['/r', undefined, [null, null]],
    ['/r', wrongScope, [null, null]],
    ['/r', forged, [null, null]],
    ['/r', right, [null, 'billing']],
    ['/open', right, [null, null]],
    ['/optional', undefined, [null, null]],
    ['/optional', forged, [null, null]],
    ['/optional', right, [null, 'billing']],
  ]
  for (const [url, authorization, expected] of cases) {
    await get(app, url, authorization)
    t.strictSame(seen.splice(0), expected, url)
  }
})

t.test('a value set by an earlier hook is cleared', async (t) => {
  const app = newApp(t)
  const fake = { clientId: 'fake' } as never
  app.addHook('onRequest', async (request) => {
    request.auth = fake
  })
  await app.register(cognitoAuth, pool.options())
  app.get('/open', { config: { auth: false } }, async ({ auth }) => ({ auth }))
  app.get('/optional', { config: { auth: { optional: true } } }, async ({ auth }) => ({ auth }))
  app.get('/r', async ({ auth }) => auth?.clientId)
  t.strictSame((await app.inject('/open')).json(), { auth: null })
  t.strictSame((await app.inject('/optional')).json(), { auth: null })
  t.equal((await app.inject({ url: '/r', headers: withAuth(right) })).body, 'billing')
  t.equal(await get(app, '/r'), '401 ERR_TOKEN_MISSING')
})

t.test('requests share nothing but the token', async (t) => {
  const app = await protectedApp(t)
  app.get('/r', async ({ auth }) => {
    t.throws(() => Object.assign(auth as object, { clientId: 'x' }), TypeError)
    return auth?.clientId
  })
  const ask = (authorization?: string) =>
    app.inject({ url: '/r', headers: withAuth(authorization) })
  const answers = await Promise.all([ask(right), ask(), ask(wrongScope), ask(forged), ask(right)])
  t.strictSame(
    answers.map(({ statusCode }) => statusCode),
    [200, 401, 200, 401, 200],
  )
})

t.test('the route’s check sees the request', async (t) => {
  const app = await protectedApp(t)
  const check = (token: { clientId: string }, request: unknown) =>
    (request as { params: { id: string } }).params.id === token.clientId
  app.get('/:id', { config: { auth: { check } } }, async () => 'reached')
  t.equal(await get(app, '/billing', right), '200')
  t.equal(await get(app, '/shipping', right), '403 ERR_ACCESS_DENIED')
})

/** Every part of every token, and the kids: none of them may be written anywhere. */
function secretsOf(credentials: readonly string[]): string[] {
  const tokens = credentials.map((it) => it.slice('Bearer '.length))
  const kids = pool.jwks().keys.map(({ kid }) => kid)
  return [...tokens.flatMap((it) => it.split('.')), ...kids].filter((it) => it.length > 5)
}

t.test('no token, kid or 4xx stack in the log, at any level', async (t) => {
  const log = captureLog()
  const { tampered } = pool
  const bad = [tampered.expired(), tampered.unknownKey(), tampered.unsigned(), pool.idToken()]
  const credentials = [right, wrongScope, forged, foreign, ...bad.map((it) => `Bearer ${it}`)]
  const app = await protectedApp(t, {}, { logger: log.logger })
  app.get('/r', { config: { auth: { scopes: SCOPE } } }, async () => 'reached')
  app.get('/optional', { config: { auth: { optional: true } } }, async () => 'reached')
  for (const credential of [...credentials, 'Bearer !"§$%', 'Bearer']) {
    for (const url of ['/r', '/optional', '/nowhere']) await get(app, url, credential)
  }
  t.equal(await get(app, '/r'), '401 ERR_TOKEN_MISSING')
  const text = log.text()
  t.ok(text.length > 10_000, 'there is a log')
  for (const secret of secretsOf(credentials)) t.notOk(text.includes(secret), 'not logged')
  t.notMatch(text, /eyJ|Bearer ey/)
  const errors = log.lines().flatMap(({ err }) => (err === undefined ? [] : [err]))
  t.ok(errors.length > 20, 'refusals are logged')
  for (const error of errors as { stack?: string; statusCode: number; cause?: unknown }[]) {
    t.ok(error.statusCode < 500)
    t.notOk(error.stack, 'no stack')
    t.equal(error.cause, undefined)
  }
})

t.test('a 503 says what failed and quotes nothing of it', async (t) => {
  const log = captureLog()
  const check = () => {
    throw new Error(`secret of ${right}`)
  }
  const checked = await protectedApp(t, { check }, { logger: log.logger })
  checked.get('/r', async () => 'reached')
  t.equal(await get(checked, '/r', right), '503 ERR_CHECK_UNAVAILABLE')
  t.match(log.text(), /ERR_CHECK_UNAVAILABLE/)
  t.notMatch(log.text(), /secret|eyJ/)
})
