/** From registration to close: keys at start, loggers, other plugins, what stays open. */
import fastify from 'fastify'
import t from 'tap'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { StartupError } from '../../../src/index.ts'
import {
  answerOf,
  captureLog,
  get,
  newApp,
  now,
  pool,
  protectedApp,
  right,
  start,
  withAuth,
} from '../../support/fastify.ts'

const ISSUER = 'https://id.example/pool'
const userPoolId = 'eu-west-1_AbCdEfGhI'
const token = `Bearer ${pool.accessToken({ claims: { iss: ISSUER } })}`
const handler = async () => 'reached'

/** Options of a pool whose keys are fetched; nothing leaves the process. */
const online = (fetch: () => Promise<Response>, keyStore: object = {}) => ({
  userPoolId,
  clientId: 'billing',
  issuer: ISSUER,
  fetch,
  now,
  keyStore,
})
const published = async () => Response.json(pool.jwks())
const unreachable = async (): Promise<Response> => {
  throw new TypeError('fetch failed: secret-host')
}

t.test('app.close() closes the key store', async (t) => {
  for (const options of [online(published), pool.options()]) {
    const app = newApp(t)
    await app.register(cognitoAuth, options)
    const guard = app.cognito.guard()
    const credential = options.userPoolId === userPoolId ? token : right
    t.match(await guard(credential), { clientId: 'billing' })
    await app.close()
    await t.rejects(async () => guard(credential), {
      code: 'ERR_KEYS_UNAVAILABLE',
      statusCode: 503,
    })
  }
})

t.test('startup require: without keys the register rejects', async (t) => {
  const options = online(unreachable, { startup: 'require' })
  const refusal = { name: 'StartupError', code: 'ERR_KEYS_UNAVAILABLE', message: /no keys for/ }
  const awaited = newApp(t)
  const register = async () => {
    await awaited.register(cognitoAuth, options)
  }
  await t.rejects(register(), refusal)
  const unawaited = newApp(t)
  unawaited.register(cognitoAuth, options)
  await t.rejects(start(unawaited), refusal)
  await t.rejects(start(unawaited), StartupError, 'and stays down')
})

t.test('startup require: an app that ignores the error denies every request', async (t) => {
  const app = newApp(t)
  app.get('/r', handler)
  try {
    await app.register(cognitoAuth, online(unreachable, { startup: 'require' }))
  } catch (error) {
    t.match(error, { code: 'ERR_KEYS_UNAVAILABLE' })
  }
  t.not(await get(app, '/r').catch(() => 'down'), '200')
})

t.test('startup require: with keys it starts', async (t) => {
  const app = newApp(t)
  await app.register(cognitoAuth, online(published, { startup: 'require' }))
  app.get('/r', handler)
  t.equal(app.cognito.status().ready, true)
  t.equal(await get(app, '/r', token), '200')
})

t.test('startup warn: starts, logs once through app.log, answers 503', async (t) => {
  const log = captureLog('warn')
  const app = newApp(t, { logger: log.logger })
  await app.register(cognitoAuth, online(unreachable))
  app.get('/r', handler)
  await app.cognito.ready()
  t.equal(app.cognito.status().ready, false)
  const warnings = log.lines().filter(({ level }) => level === 40)
  t.equal(warnings.length, 1)
  t.match(warnings, [{ userPoolId, msg: /no key set yet: requests with a token get 503/ }])
  t.notMatch(log.text(), /secret-host/)
  const response = await app.inject({ url: '/r', headers: withAuth(token) })
  t.match(answerOf(response), { status: 503, code: 'ERR_KEYS_UNAVAILABLE' })
  t.match(response.headers, { 'retry-after': /^[1-9]\d?$/, 'cache-control': 'no-store' })
  t.equal(await get(app, '/r'), '401 ERR_TOKEN_MISSING', 'no keys are needed to see that')
})

t.test('a logger among the options wins over app.log', async (t) => {
  const log = captureLog('warn')
  const messages: string[] = []
  const note = (_details: object, message: string) => void messages.push(message)
  const app = newApp(t, { logger: log.logger })
  const logger = { info: note, warn: note, error: note }
  await app.register(cognitoAuth, { ...online(unreachable), logger })
  await app.cognito.ready()
  t.match(messages, [/no key set yet/])
  t.equal(log.text(), '')
})

t.test('tests that only inject leave nothing open', async (t) => {
  const kinds = /Timeout|TCP|Worker/
  const open = () => process.getActiveResourcesInfo().filter((kind) => kinds.test(kind))
  const before = open()
  for (const options of [pool.options(), online(published), online(unreachable)]) {
    // Deliberately not closed.
    const app = fastify()
    app.register(cognitoAuth, options)
    app.get('/r', handler)
    await get(app, '/r', token)
    await app.cognito.ready()
  }
  t.strictSame(open(), before)
})

t.test('request.auth of another plugin is rejected, either way round', async (t) => {
  const taken = {
    code: 'ERR_OPTION_INVALID',
    message: /request\.auth: another plugin already decorates the request/,
  }
  const first = newApp(t)
  first.decorateRequest('auth', null as never)
  first.register(cognitoAuth, pool.options())
  await t.rejects(start(first), taken)
  const nested = newApp(t)
  nested.decorateRequest('auth', null as never)
  nested.register(async (child) => void child.register(cognitoAuth, pool.options()))
  await t.rejects(start(nested), taken)
  for (const place of ['same', 'child']) {
    const app = await protectedApp(t)
    app.register(async (child) => {
      const scope = place === 'child' ? child : app
      scope.decorateRequest('auth', null as never)
    })
    await t.rejects(start(app), { code: 'FST_ERR_DEC_ALREADY_PRESENT' }, place)
  }
})

t.test('app.cognito of another plugin is rejected', async (t) => {
  const app = newApp(t)
  app.decorate('cognito', {} as never)
  app.register(cognitoAuth, pool.options())
  await t.rejects(start(app), { code: 'FST_ERR_DEC_ALREADY_PRESENT' })
})

t.test('invalid options reject at ready with one line that names the option', async (t) => {
  const good = pool.options()
  const cases: [object, RegExp][] = [
    [{}, /^cognito-m2m: userPoolId: expected the id of the user pool, got undefined\. [^\r\n]+$/],
    [{ userPoolId }, /^cognito-m2m: clientId: expected app client ids, got undefined\. [^\r\n]+$/],
    [
      { ...good, tolerance: 5 },
      /^cognito-m2m: tolerance: expected one of [^\r\n]+, got an unknown name\. [^\r\n]+$/,
    ],
    [
      { ...good, realm: undefined },
      /^cognito-m2m: realm: expected a value, got undefined\. [^\r\n]+$/,
    ],
    [{ ...good, realm: '"' }, /^cognito-m2m: realm: expected [^\r\n]+, got "\\""\. [^\r\n]+$/],
    [
      { ...good, default: true },
      /^cognito-m2m: default: expected a requirement, got true\. [^\r\n]+$/,
    ],
    [{ ...good, logger: {} }, /^cognito-m2m: logger: expected [^\r\n]+, got an object\. [^\r\n]+$/],
    [
      { ...good, routePrefix: '/api' },
      /^cognito-m2m: routePrefix: expected one of [^\r\n]+, got an unknown name\. [^\r\n]+$/,
    ],
    [
      { ...good, userPools: [good] },
      /^cognito-m2m: userPools: expected no userPoolId with userPools, got both\. [^\r\n]+$/,
    ],
    [
      { ...good, keyStore: { startup: 'no' } },
      /^cognito-m2m: keyStore\.startup: expected 'warn' or 'require', got "no"\. /,
    ],
  ]
  for (const [options, message] of cases) {
    const app = newApp(t)
    app.register(cognitoAuth, options as typeof good)
    await t.rejects(start(app), { code: 'ERR_OPTION_INVALID', message })
  }
})

t.test('options are not modified and may be frozen', async (t) => {
  const options = Object.freeze({ ...pool.options(), default: Object.freeze({}) })
  const before = JSON.stringify(options)
  const app = newApp(t)
  await app.register(cognitoAuth, options)
  app.get('/r', { config: Object.freeze({ auth: Object.freeze({}) }) }, handler)
  t.equal(await get(app, '/r', right), '200')
  t.equal(JSON.stringify(options), before)
})

t.test('options may come from a function of the parent', async (t) => {
  const app = newApp(t)
  app.register(cognitoAuth, () => pool.options())
  app.get('/r', handler)
  t.equal(await get(app, '/r'), '401 ERR_TOKEN_MISSING')
  t.equal(await get(app, '/r', right), '200')
})
