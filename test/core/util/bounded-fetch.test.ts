/** One request to endpoints that hang, drip, redirect, flood and break off, over real sockets. */
import { gzipSync } from 'node:zlib'
import t from 'tap'
import {
  BoundedFetchError,
  boundedFetch,
  type FetchLimits,
} from '../../../src/core/util/bounded-fetch.ts'
import { serve, until } from '../../support/client.ts'

const LIMITS: FetchLimits = { fetch, timeoutMs: 60_000, maxBytes: 1000 }

async function failureOf(
  url: string,
  limits: Partial<FetchLimits> = {},
): Promise<Partial<BoundedFetchError>> {
  const error = await boundedFetch(url, { method: 'POST' }, { ...LIMITS, ...limits }).then(
    () => new Error('answered'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof BoundedFetchError)) throw error
  return { reason: error.reason, errno: error.errno, status: error.status }
}

t.test('returns the complete response for any status', async (t) => {
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

t.test('aborts an endpoint that hangs or trickles at the timeout', async (t) => {
  const hanging = await serve(t, () => {})
  t.match(await failureOf(hanging, { timeoutMs: 50 }), { reason: 'timeout', status: undefined })
  const dripping = await serve(t, (_request, response) => {
    response.writeHead(200).write('{')
  })
  t.match(await failureOf(dripping, { timeoutMs: 50 }), { reason: 'timeout' })
})

t.test('a redirect is not followed', async (t) => {
  const elsewhere = await serve(t, () => t.fail('nothing may arrive here'))
  for (const status of [300, 301, 302, 303, 307, 308]) {
    const url = await serve(t, (_request, response) =>
      response.writeHead(status, { location: elsewhere }).end(),
    )
    t.match(await failureOf(url), { reason: 'redirect', status })
  }
})

t.test('stops reading at the byte limit, compressed or not', async (t) => {
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
  t.match(await failureOf(endless), { reason: 'too-large', status: 200 })
  await until(() => closed)
  const bomb = await serve(t, (_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(100_000))),
  )
  t.match(await failureOf(bomb), { reason: 'too-large' })
  const fitting = await serve(t, (_request, response) => response.end('x'.repeat(1000)))
  t.equal((await boundedFetch(fitting, {}, LIMITS)).body.length, 1000)
})

t.test('rejects when the connection breaks', async (t) => {
  const reset = await serve(t, (request) => request.socket.destroy())
  t.match(await failureOf(reset), { reason: 'network', errno: 'UND_ERR_SOCKET' })
  const truncated = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{')
    setImmediate(() => response.destroy())
  })
  t.match(await failureOf(truncated), { reason: 'network' })
})

t.test('ends when its signal aborts, before or during the request', async (t) => {
  let arrived = false
  const hanging = await serve(t, () => {
    arrived = true
  })
  const abort = new AbortController()
  const asking = failureOf(hanging, { signal: abort.signal })
  await until(() => arrived)
  abort.abort()
  t.match(await asking, { reason: 'aborted' })
  t.match(await failureOf(hanging, { signal: abort.signal }), { reason: 'aborted' })
})

t.test('enforces its limits around a transport without limits', async (t) => {
  const never: typeof fetch = () => new Promise(() => {})
  t.match(await failureOf('https://a.example/', { fetch: never, timeoutMs: 10 }), {
    reason: 'timeout',
  })
  const throws: typeof fetch = () => {
    throw new Error('the secret is hunter2')
  }
  t.match(await failureOf('https://a.example/', { fetch: throws }), {
    reason: 'network',
    errno: undefined,
  })
  for (const member of [{ redirected: true }, { type: 'opaqueredirect' }]) {
    const [name = '', value] = Object.entries(member)[0] ?? []
    const follows: typeof fetch = async () =>
      Object.defineProperty(new Response(''), name, { value })
    t.match(await failureOf('https://a.example/', { fetch: follows }), { reason: 'redirect' })
  }
  const empty: typeof fetch = async () => new Response(null, { status: 204 })
  t.equal(
    (await boundedFetch('https://a.example/', {}, { ...LIMITS, fetch: empty })).body.length,
    0,
  )
})
