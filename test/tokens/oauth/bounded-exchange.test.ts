/** One exchange with endpoints that hang, drip, redirect, flood and break off, over real sockets. */
import { gzipSync } from 'node:zlib'
import t from 'tap'
import {
  BoundedFetchError,
  boundedFetch,
  type ExchangeLimits,
} from '../../../src/tokens/oauth/bounded-exchange.ts'
import { serve, until } from '../../support/client.ts'

const LIMITS: ExchangeLimits = { fetch, timeout: 60_000, maxBytes: 1000 }

async function faultOf(
  url: string,
  limits: Partial<ExchangeLimits> = {},
): Promise<Partial<BoundedFetchError>> {
  const error = await boundedFetch(url, { method: 'POST' }, { ...LIMITS, ...limits }).then(
    () => new Error('answered'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof BoundedFetchError)) throw error
  return { fault: error.fault, errno: error.errno, status: error.status }
}

t.test('a whole answer, whatever its status', async (t) => {
  const url = await serve(t, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    response.writeHead(418, { 'x-method': request.method }).end(Buffer.concat(chunks))
  })
  const answer = await boundedFetch(url, { method: 'POST', body: 'text' }, LIMITS)
  t.equal(answer.status, 418)
  t.equal(answer.headers.get('x-method'), 'POST')
  t.equal(answer.body.toString(), 'text')
})

t.test('an endpoint that hangs or drips is left when the time is over', async (t) => {
  const hanging = await serve(t, () => {})
  t.match(await faultOf(hanging, { timeout: 50 }), { fault: 'timeout', status: undefined })
  const dripping = await serve(t, (_request, response) => {
    response.writeHead(200).write('{')
  })
  t.match(await faultOf(dripping, { timeout: 50 }), { fault: 'timeout' })
})

t.test('a redirect is not followed', async (t) => {
  const elsewhere = await serve(t, () => t.fail('nothing may arrive here'))
  for (const status of [300, 301, 302, 303, 307, 308]) {
    const url = await serve(t, (_request, response) =>
      response.writeHead(status, { location: elsewhere }).end(),
    )
    t.match(await faultOf(url), { fault: 'redirect', status })
  }
})

t.test('more bytes than allowed are not read, however they are packed', async (t) => {
  let closed = false
  const endless = await serve(t, (_request, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(10_000)));
      response.once('drain', more)
    }
    response.once('close', () => {
      closed = true
    })
    more()
  })
  t.match(await faultOf(endless), { fault: 'too-large', status: 200 })
  await until(() => closed)
  const bomb = await serve(t, (_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(100_000))),
  )
  t.match(await faultOf(bomb), { fault: 'too-large' })
  const fitting = await serve(t, (_request, response) => response.end('x'.repeat(1000)))
  t.equal((await boundedFetch(fitting, {}, LIMITS)).body.length, 1000)
})

t.test('a connection that breaks off', async (t) => {
  const reset = await serve(t, (request) => request.socket.destroy())
  t.match(await faultOf(reset), { fault: 'network', errno: 'UND_ERR_SOCKET' })
  const truncated = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{')
    setImmediate(() => response.destroy())
  })
  t.match(await faultOf(truncated), { fault: 'network' })
})

t.test('ends when it is told to, before or while it is asked', async (t) => {
  let arrived = false
  const hanging = await serve(t, () => {
    arrived = true
  })
  const abort = new AbortController()
  const asking = faultOf(hanging, { signal: abort.signal })
  await until(() => arrived)
  abort.abort()
  t.match(await asking, { fault: 'ended' })
  t.match(await faultOf(hanging, { signal: abort.signal }), { fault: 'ended' })
})

t.test('limits hold around a transport that keeps none', async (t) => {
  const never: typeof fetch = () => new Promise(() => {})
  t.match(await faultOf('https://a.example/', { fetch: never, timeout: 10 }), { fault: 'timeout' })
  const throws: typeof fetch = () => {
    throw new Error('the secret is hunter2')
  }
  t.match(await faultOf('https://a.example/', { fetch: throws }), {
    fault: 'network',
    errno: undefined,
  })
  for (const member of [{ redirected: true }, { type: 'opaqueredirect' }]) {
    const [name = '', value] = Object.entries(member)[0] ?? []
    const follows: typeof fetch = async () =>
      Object.defineProperty(new Response(''), name, { value })
    t.match(await faultOf('https://a.example/', { fetch: follows }), { fault: 'redirect' })
  }
  const empty: typeof fetch = async () => new Response(null, { status: 204 })
  t.equal(
    (await boundedFetch('https://a.example/', {}, { ...LIMITS, fetch: empty })).body.length,
    0,
  )
})
