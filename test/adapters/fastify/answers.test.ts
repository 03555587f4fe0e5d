/** Error responses of Fastify: status, headers and body, with default and custom error handlers. */
import type { FastifyError, FastifyInstance } from 'fastify'
import t from 'tap'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { AuthError } from '../../../src/index.ts'
import {
  answerOf,
  counter,
  forged,
  get,
  MISSING,
  newApp,
  pool,
  protectedApp,
  right,
  SCOPE,
  withAuth,
  wrongScope,
} from '../../support/fastify.ts'
import { exchange, listen } from '../../support/sockets.ts'

const scoped = { config: { auth: { scopes: SCOPE } } }
const handler = async () => 'reached'

t.test('the default answer is the four members and nothing else', async (t) => {
  const app = await protectedApp(t)
  app.get('/r', scoped, handler)
  const missing = await app.inject('/r')
  t.strictSame(missing.json(), {
    statusCode: 401,
    code: 'ERR_TOKEN_MISSING',
    error: 'Unauthorized',
    message: 'An access token is required',
  })
  t.match(missing.headers, { 'content-type': 'application/json; charset=utf-8' })
  const scope = await app.inject({ url: '/r', headers: withAuth(wrongScope) })
  t.strictSame(scope.json(), {
    statusCode: 403,
    code: 'ERR_SCOPE_INSUFFICIENT',
    error: 'Forbidden',
    message: 'The access token lacks a scope required here',
  })
  const unavailable = await protectedApp(t, { check: () => Promise.reject(new Error('secret')) })
  unavailable.get('/r', handler)
  const failed = await unavailable.inject({ url: '/r', headers: withAuth(right) })
  t.strictSame(failed.json(), {
    statusCode: 503,
    code: 'ERR_CHECK_UNAVAILABLE',
    error: 'Service Unavailable',
    message: 'Access cannot be decided at the moment',
  })
  t.match(failed.headers, { 'retry-after': '1', 'cache-control': 'no-store' })
  t.notOk('www-authenticate' in failed.headers)
})

t.test('each tampered token has its code', async (t) => {
  const { calls, handler } = counter()
  const app = await protectedApp(t)
  app.get('/r', handler('r'))
  const { tampered } = pool
  const cases: Record<string, string> = {
    '401 ERR_TOKEN_EXPIRED': tampered.expired(),
    '401 ERR_TOKEN_ISSUER': tampered.wrongPool(),
    '401 ERR_TOKEN_SIGNATURE': tampered.wrongKey(),
    '401 ERR_KEY_UNKNOWN': tampered.unknownKey(),
    '401 ERR_TOKEN_INVALID': tampered.unsigned(),
    '401 ERR_TOKEN_USE': pool.userAccessToken(),
    '403 ERR_CLIENT_NOT_ALLOWED': pool.accessToken({ clientId: 'stranger' }),
  }
  for (const [answer, token] of Object.entries(cases)) {
    t.equal(await get(app, '/r', `Bearer ${token}`), answer)
  }
  t.equal(await get(app, '/r', `Bearer ${pool.idToken()}`), '401 ERR_TOKEN_USE')
  t.equal(await get(app, '/r', forged), '401 ERR_TOKEN_SIGNATURE')
  t.strictSame(calls, [])
})

t.test('custom error handlers have code, status and challenge', async (t) => {
  const seen: unknown[] = []
  const mine = (name: string) => (error: FastifyError, _request: unknown, reply: Reply) => {
    seen.push([name, error.code, error instanceof AuthError])
    reply.code(error.statusCode ?? 500).send({ code: `${name} ${error.code}` })
  }
  type Reply = { code(status: number): { send(body: object): void } }
  const app = await protectedApp(t)
  app.setErrorHandler(mine('ROOT'))
  app.get('/root', handler)
  app.get('/route', { errorHandler: mine('ROUTE') }, handler)
  app.register(async (child) => {
    child.setErrorHandler(mine('CHILD'))
    child.get('/child', handler)
  })
  for (const url of ['/root', '/child', '/route']) {
    const name = url.slice(1).toUpperCase()
    t.strictSame(answerOf(await app.inject(url)), {
      status: 401,
      code: `${name} ERR_TOKEN_MISSING`,
      challenge: 'Bearer realm="api"',
      cacheControl: 'no-store',
    })
    t.strictSame(seen.splice(0), [[name, 'ERR_TOKEN_MISSING', true]])
  }
  t.match(answerOf(await app.inject('/nowhere')), { status: 401, code: 'ROOT ERR_TOKEN_MISSING' })
})

t.test('an error handler may hand the error on', async (t) => {
  const handlers: Record<string, Parameters<FastifyInstance['setErrorHandler']>[0]> = {
    'throws it': (error) => {
      throw error
    },
    'sends it': (error, _request, reply) => {
      reply.send(error)
    },
    'rejects with it': async (error) => {
      throw error
    },
  }
  for (const [name, errorHandler] of Object.entries(handlers)) {
    const app = await protectedApp(t)
    app.setErrorHandler(errorHandler)
    app.get('/r', handler)
    t.strictSame(
      answerOf(await app.inject('/r')),
      {
        status: 401,
        code: 'ERR_TOKEN_MISSING',
        challenge: 'Bearer realm="api"',
        cacheControl: 'no-store',
      },
      name,
    )
  }
})

t.test('onError, onSend and onResponse hooks see it, preHandler does not', async (t) => {
  const seen: unknown[] = []
  const app = await protectedApp(t)
  app.addHook('onError', async (_request, _reply, error) => void seen.push(error.code))
  app.addHook('onSend', async (_request, reply) => {
    seen.push([reply.statusCode, reply.getHeader('www-authenticate')])
  })
  app.addHook('onResponse', async ({ auth }, reply) => void seen.push([auth, reply.statusCode]))
  for (const hook of ['preParsing', 'preValidation', 'preHandler'] as const) {
    app.addHook(hook, async () => void seen.push(hook))
  }
  app.addHook('onRequest', async () => void seen.push('a later onRequest'))
  app.get('/r', { onRequest: async () => void seen.push('the route’s onRequest') }, handler)
  await app.inject('/r')
  t.strictSame(seen, ['ERR_TOKEN_MISSING', [401, 'Bearer realm="api"'], [null, 401]])
})

t.test('two Authorization lines on a socket are rejected', async (t) => {
  const { calls, handler } = counter()
  const app = await protectedApp(t)
  app.get('/r', handler('r'))
  const port = await listen(app)
  const first = ['GET /r HTTP/1.1', 'Host: a', 'Connection: close']
  for (const lines of [
    [`Authorization: ${right}`, `Authorization: ${right}`],
    [`Authorization: ${right}`, 'authorization: Basic YTpi'],
    [`AUTHORIZATION: ${right}`, 'X-Other: 1', 'Authorization:'],
  ]) {
    const answer = await exchange(port, [...first, ...lines])
    t.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
    t.match(answer, /\r\nwww-authenticate: Bearer realm="api", error="invalid_request"/)
    t.match(answer, /\r\ncache-control: no-store\r\n/)
    t.match(answer, /"code":"ERR_REQUEST_INVALID"/)
  }
  t.strictSame(calls, [])
  t.match(await exchange(port, [...first, `aUTHORIZATION: ${right}`]), /^HTTP\/1\.1 200 OK\r\n/)
  t.strictSame(calls, ['r'])
})

t.test('spellings of the header', async (t) => {
  const app = await protectedApp(t)
  app.get('/r', handler)
  const token = right.slice('Bearer '.length)
  const cases: [string, string][] = [
    [`bearer ${token}`, '200'],
    [`BEARER   ${token}`, '200'],
    ['Bearer', '400 ERR_REQUEST_INVALID'],
    ['Bearer ', '400 ERR_REQUEST_INVALID'],
    [`Bearer\t${token}`, '400 ERR_REQUEST_INVALID'],
    [`Bearer ${token} ${token}`, '400 ERR_REQUEST_INVALID'],
    [`Bearer ${token}, Bearer ${token}`, '400 ERR_REQUEST_INVALID'],
    [`Bearer "${token}"`, '401 ERR_TOKEN_INVALID'],
    [`Bearer${token}`, MISSING],
    [token, MISSING],
    ['', MISSING],
    ['Basic YTpi', MISSING],
    [`Bearer ${'a'.repeat(8193)}`, '401 ERR_TOKEN_INVALID'],
  ]
  for (const [header, answer] of cases) {
    t.equal(await get(app, '/r', header), answer, header.slice(0, 30))
  }
  const elsewhere = { cookie: `access_token=${token}`, 'x-authorization': right }
  const query = await app.inject({ url: `/r?access_token=${token}`, headers: elsewhere })
  t.equal(answerOf(query).code, 'ERR_TOKEN_MISSING', 'read nowhere else')
})

t.test('HEAD has status and headers, and no body', async (t) => {
  const app = await protectedApp(t)
  app.get('/r', scoped, handler)
  const response = await app.inject({ method: 'HEAD', url: '/r' })
  t.equal(response.body, '')
  t.match(answerOf(response), { status: 401, challenge: 'Bearer realm="api"' })
})

t.test('unmatched paths follow the default', async (t) => {
  const shut = await protectedApp(t)
  t.equal(await get(shut, '/nowhere'), MISSING)
  t.equal(await get(shut, '/nowhere', right), '404')
  const open = await protectedApp(t, { default: false })
  open.get('/none', async ({ auth }) => ({ auth }))
  open.get('/scoped', scoped, handler)
  t.equal(await get(open, '/nowhere'), '404')
  t.strictSame((await open.inject('/none')).json(), { auth: null })
  t.equal(await get(open, '/scoped'), MISSING)
  const picky = await protectedApp(t, { default: { scopes: 'orders/admin' } })
  t.equal(await get(picky, '/nowhere', right), '403 ERR_SCOPE_INSUFFICIENT')
})

t.test('a malformed path is answered by Fastify, before any route', async (t) => {
  const { calls, handler } = counter()
  const app = newApp(t)
  app.all('*', handler('star'))
  await app.register(cognitoAuth, pool.options())
  for (const url of ['/%zz', '/%', '/a%E0%A4%A']) {
    t.match(answerOf(await app.inject(url)), { status: 400, code: 'FST_ERR_BAD_URL' }, url)
  }
  t.strictSame(calls, [])
})
