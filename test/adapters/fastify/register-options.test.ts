/** Options of Fastify's own register, which @fastify/autoload adds to those of every plugin. */
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { authDefault, cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { tokenProxy } from '../../../src/tokens/proxy/index.ts'
import { captureLog, get, MISSING, newApp, pool, right, start } from '../../support/fastify.ts'

const handler = async () => 'reached'
const common = { prefix: '/api', logLevel: 'error' } as const
const logSerializers = { req: () => 'serialized' as const }

t.test('cognitoAuth and authDefault take them', async (t) => {
  const app = newApp(t)
  await app.register(cognitoAuth, { ...pool.options(), ...common, logSerializers })
  app.get('/r', handler)
  app.register(async (child) => {
    child.register(authDefault, { auth: false, ...common, logSerializers })
    child.get('/open', handler)
  })
  t.equal(await get(app, '/r'), MISSING, 'a plugin without a context of its own has no prefix')
  t.equal(await get(app, '/r', right), '200')
  t.equal(await get(app, '/open'), '200')
})

t.test('what Fastify rejects of them is rejected by Fastify', async (t) => {
  const app = newApp(t, { logger: captureLog('error').logger })
  app.register(cognitoAuth, {
    ...pool.options(),
    logLevel: 'loud' as never,
    resourceMetadata: { resource: 'https://api.example.com' },
  })
  await t.rejects(start(app), { message: /loud|level/ })
})

t.test('the metadata route has their log level and serializers, and no prefix', async (t) => {
  const log = captureLog('info')
  const app = newApp(t, { logger: log.logger })
  const metadata = { resource: 'https://api.example.com' }
  await app.register(cognitoAuth, {
    ...pool.options(),
    prefix: '/api',
    resourceMetadata: metadata,
    logSerializers,
  })
  const url = '/.well-known/oauth-protected-resource'
  t.equal(await get(app, url), '200')
  t.match(
    log.lines().filter(({ msg }) => msg === 'incoming request'),
    [{ req: 'serialized' }],
  )
  const quiet = captureLog('info')
  const silent = newApp(t, { logger: quiet.logger })
  await silent.register(cognitoAuth, {
    ...pool.options(),
    logLevel: 'error',
    resourceMetadata: metadata,
  })
  t.equal(await get(silent, url), '200')
  t.notMatch(quiet.text(), /incoming request/)
})

const upstream = {
  tokenEndpoint: 'https://example.auth.eu-west-1.amazoncognito.com/oauth2/token',
  fetch: async () =>
    Response.json({ access_token: 'a', expires_in: 3600, token_type: 'Bearer' }, { status: 200 }),
}
const ask = async (app: FastifyInstance, url: string) => {
  const { statusCode } = await app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: 'grant_type=client_credentials&client_id=a&client_secret=b',
  })
  return statusCode
}

t.test('tokenProxy serves its route under the prefix, with the log level', async (t) => {
  const log = captureLog('info')
  const app = newApp(t, { logger: log.logger })
  await app.register(tokenProxy, { ...upstream, ...common })
  t.equal(await ask(app, '/api/oauth2/token'), 200)
  t.equal(await ask(app, '/oauth2/token'), 404)
  const incoming = log.lines().filter(({ msg }) => msg === 'incoming request')
  t.equal(incoming.length, 1, 'the unmatched one alone')
})

t.test('its own serializers stay: none of the app’s may log a secret', async (t) => {
  const log = captureLog('info')
  const app = newApp(t, { logger: log.logger })
  const everything = { req: (request: unknown) => JSON.stringify((request as Request).headers) }
  await app.register(tokenProxy, { ...upstream, logSerializers: everything })
  t.equal(await ask(app, '/oauth2/token?client_secret=b'), 200)
  t.notMatch(log.text(), /client_secret/)
  t.match(
    log.lines().filter(({ msg }) => msg === 'incoming request'),
    [{ req: { method: 'POST', url: '/oauth2/token' } }],
  )
})
