/** No secret is in a log line or an event. */
import fastify from 'fastify'
import t from 'tap'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { tokenProxy } from '../../../src/tokens/proxy/index.ts'
import { captureLog } from '../../support/fastify.ts'
import { ask, FORM } from '../../support/http.ts'
import { listen } from '../../support/listen.ts'
import {
  createRequest,
  SECRET,
  startPool,
  type TokenRequestOptions,
  until,
  Wire,
  WRONG,
} from '../../support/proxy.ts'
import { RealLimit } from '../../support/real-limit.ts'

const WAF = 'waf-header-secret'

t.test('no secret and no token is in a log at level trace, or in an event', async (t) => {
  const pool = await startPool(t)
  const log = captureLog('trace')
  const wire = new Wire()
  const { heard, of } = listen(t, ['cognito-m2m:token-request'])
  const limit = new RealLimit(29_000)
  const app = fastify({
    logger: {
      ...log.logger,
      // As many apps have it: headers in the log.
      serializers: {
        req: ({ method, url, headers }) => ({ method, url, headers }),
        res: (reply) => ({ statusCode: reply.statusCode, headers: reply.request?.headers }),
      },
    },
  })
  t.teardown(() => app.close())
  await app.register(tokenProxy, {
    tokenEndpoint: pool.tokenEndpoint,
    fetch: wire.fetch,
    timeout: limit.milliseconds / 1000,
    headers: { 'x-waf': () => WAF },
  })
  app.addHook('onError', async (request, _reply, err) => request.log.error({ err }, 'onError'))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  const send = async (options: TokenRequestOptions, path = '/oauth2/token') =>
    ask(port, { ...createRequest(options), path })

  const { json } = await send({})
  await send({ method: 'basic' })
  await send({ secret: WRONG })
  await send({ method: 'basic', secret: WRONG })
  await send({ body: `grant_type=password&client_secret=${WRONG}` })
  await send({ body: `client_secret=${WRONG}`.padEnd(20_000, 'x') })
  await send({ headers: { 'content-type': 'no type' }, body: `client_secret=${WRONG}` })
  await send({}, `/oauth2/token?client_secret=${WRONG}`)
  await ask(port, {
    method: 'GET',
    path: `/oauth2/token?client_secret=${WRONG}`,
    headers: { authorization: `Basic ${WRONG}` },
  })
  wire.isDown = true
  await send({ scope: 'orders/read' })
  await send({ scope: 'orders/write', method: 'basic' })
  wire.gate = new Promise(() => {})
  limit.shorten()
  await send({ scope: 'orders/read' })
  await until(() => log.lines().filter(({ msg }) => msg === 'request completed').length === 12)

  const basic = (secret: string): string => Buffer.from(`billing:${secret}`).toString('base64')
  const written = log.text() + JSON.stringify(heard)
  t.ok(log.lines().length > 24, 'everything was logged')
  // The pool publishes events of its responses too.
  t.equal(of('cognito-m2m:token-request', app.tokenProxy.status().instance).length, 12)
  for (const secret of [
    ...[SECRET, WRONG, WAF, basic(SECRET), basic(WRONG), json['access_token'] as string],
    ...[encodeURIComponent(SECRET), new URLSearchParams({ s: SECRET }).toString().slice(2)],
  ]) {
    t.notOk(written.includes(secret), secret)
  }
  t.notMatch(written, /client_secret|authorization/i)
  const { req } = log.lines().find(({ msg }) => msg === 'incoming request') as {
    req: Record<string, unknown>
  }
  t.match(req, { method: 'POST', url: '/oauth2/token', remoteAddress: '127.0.0.1' })
})

t.test('an error of a hook goes to the error handler of the app', async (t) => {
  const app = fastify()
  t.teardown(() => app.close())
  const pool = await startPool(t)
  app.setErrorHandler((error, _request, reply) => {
    reply.code(418).send({ handled: (error as Error).message })
  })
  app.addHook('preHandler', async () => {
    throw new Error('of a hook')
  })
  await app.register(tokenProxy, { tokenEndpoint: pool.tokenEndpoint })
  const { path: url, body: payload, headers } = createRequest({})
  const answer = await app.inject({ method: 'POST', url, payload, headers })
  t.equal(answer.statusCode, 418)
  t.same(answer.json(), { handled: 'of a hook' })
})

t.test('tokens can be requested in an app that cognitoAuth protects', async (t) => {
  for (const isFirst of [true, false]) {
    const app = fastify()
    t.teardown(() => app.close())
    const pool = await startPool(t)
    const { tokenEndpoint } = pool
    if (isFirst) await app.register(cognitoAuth, pool.options())
    await app.register(tokenProxy, { tokenEndpoint })
    if (!isFirst) await app.register(cognitoAuth, pool.options())
    app.get('/', async (request) => request.auth?.clientId)
    const { path: url, body: payload, headers } = createRequest({})
    const answer = await app.inject({ method: 'POST', url, payload, headers })
    t.equal(answer.statusCode, 200)
    t.equal((await app.inject('/')).statusCode, 401)
    const authorization = `Bearer ${answer.json().access_token}`
    t.equal((await app.inject({ url: '/', headers: { authorization } })).body, 'billing')
  }
})

t.test('content type parsers of the app do not apply', async (t) => {
  const app = fastify()
  t.teardown(() => app.close())
  const pool = await startPool(t)
  app.addContentTypeParser(FORM, { parseAs: 'string' }, (_request, _body, done) => done(null, {}))
  await app.register(tokenProxy, { tokenEndpoint: pool.tokenEndpoint })
  app.post('/other', async (request) => ({ body: request.body }))
  const { path: url, body: payload, headers } = createRequest({})
  t.equal((await app.inject({ method: 'POST', url, payload, headers })).statusCode, 200)
  const other = await app.inject({ method: 'POST', url: '/other', payload, headers })
  t.same(other.json(), { body: {} }, 'nor the proxy in what the app reads')
})
