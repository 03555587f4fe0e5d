/** Decisions that take their time, callers that do not wait, and HTTP/2. */
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import fastify from 'fastify'
import t from 'tap'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import {
  answerOf,
  counter,
  get,
  pool,
  protectedApp,
  right,
  withAuth,
} from '../../support/fastify.ts'
import { listen } from '../../support/sockets.ts'

/** A hook whose result the test decides after the call. */
function question() {
  let asked = () => {}
  let answer: (value: boolean) => void = () => {}
  const answered = new Promise<boolean>((resolve) => {
    answer = resolve
  })
  const wasAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  let times = 0
  return {
    ask: () => {
      times += 1
      asked()
      return answered
    },
    answer,
    wasAsked,
    times: () => times,
  }
}

t.test('the handler waits for a slow check', async (t) => {
  for (const allowed of [true, false]) {
    const check = question()
    const { calls, handler } = counter()
    const app = await protectedApp(t, { check: check.ask })
    app.get('/r', handler('r'))
    const answer = get(app, '/r', right)
    await check.wasAsked
    t.strictSame(calls, [])
    check.answer(allowed)
    t.equal(await answer, allowed ? '200' : '403 ERR_ACCESS_DENIED')
    t.strictSame(calls, allowed ? ['r'] : [])
  }
})

t.test('a slow lookup is asked once for many requests', async (t) => {
  const lookup = question()
  const { calls, handler } = counter()
  const app = await protectedApp(t, { clientId: lookup.ask } as never)
  app.get('/r', handler('r'))
  const answers = [1, 2, 3].map(() => get(app, '/r', right))
  await lookup.wasAsked
  t.strictSame(calls, [])
  t.equal(await get(app, '/r'), '401 ERR_TOKEN_MISSING', 'others do not wait')
  lookup.answer(true)
  t.strictSame(await Promise.all(answers), ['200', '200', '200'])
  t.equal(lookup.times(), 1)
})

t.test('a request that was answered meanwhile reaches no handler', async (t) => {
  for (const allowed of [true, false]) {
    const check = question()
    const { calls, handler } = counter()
    const app = await protectedApp(t, { check: check.ask }, { handlerTimeout: 1 })
    app.get('/r', handler('r'))
    t.equal(await get(app, '/r', right), '503 FST_ERR_HANDLER_TIMEOUT')
    check.answer(allowed)
    await app.close()
    t.strictSame(calls, [])
  }
})

t.test('a caller that goes away harms nothing', async (t) => {
  const check = question()
  const app = await protectedApp(t, { check: check.ask })
  app.get('/r', async () => 'reached')
  const port = await listen(app)
  const accepted = once(app.server, 'connection')
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET /r HTTP/1.1\r\nHost: a\r\nAuthorization: ${right}\r\n\r\n`)
  const [serverSide] = await accepted
  await check.wasAsked
  const closed = new Promise((resolve) => serverSide.once('close', resolve))
  socket.resetAndDestroy()
  await closed
  check.answer(false)
  t.equal(await get(app, '/r', right), '403 ERR_ACCESS_DENIED')
})

t.test('a guard may also answer at once', async (t) => {
  const app = await protectedApp(t)
  const token = await app.cognito.guard()(right)
  // What the core does on a hit of its cache: the same answer, without a promise.
  const guard = () => (authorization: unknown) => {
    if (authorization === 'Bearer broken') throw new TypeError('broken')
    if (authorization !== right) throw refusal
    return token
  }
  const refusal = await (async () => app.cognito.guard()(undefined))().catch((error) => error)
  Object.defineProperty(app.cognito, 'createGuard', { value: guard })
  app.get('/r', async ({ auth }) => auth?.clientId)
  t.equal((await app.inject({ url: '/r', headers: withAuth(right) })).body, 'billing')
  t.strictSame(answerOf(await app.inject('/r')), {
    status: 401,
    code: 'ERR_TOKEN_MISSING',
    challenge: 'Bearer realm="api"',
    cacheControl: 'no-store',
  })
  t.equal(await get(app, '/r', 'Bearer broken'), '500 ERR_INTERNAL', 'a fault is no way in')
})

t.test('HTTP/2', async (t) => {
  const app = fastify({ http2: true })
  app.register(cognitoAuth, pool.options())
  app.get('/r', async (request) => request.auth?.clientId)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  t.teardown(async () => {
    session.close()
    await app.close()
  })
  const ask = async (headers: Record<string, string>) => {
    const stream = session.request({ ':path': '/r', ...headers })
    const [head] = await once(stream, 'response')
    return answerOf({ statusCode: head[':status'], headers: head, body: await text(stream) })
  }
  t.strictSame(await ask({}), {
    status: 401,
    code: 'ERR_TOKEN_MISSING',
    challenge: 'Bearer realm="api"',
    cacheControl: 'no-store',
  })
  t.match(await ask(withAuth(`${right}x`)), { status: 401, code: 'ERR_TOKEN_INVALID' })
  t.match(await ask(withAuth(right)), { status: 200 })
})
