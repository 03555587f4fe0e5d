/** Cognito is down or slow, or another server responds: valid tokens are served, otherwise 503. */
import type { ServerResponse } from 'node:http'
import t from 'tap'
import { createRegionalApis } from '../../../src/tokens/oauth/failover.ts'
import { createTokenEndpointApi } from '../../../src/tokens/oauth/protocol.ts'
import { Upstream } from '../../../src/tokens/proxy/upstream.ts'
import { captureLog } from '../../support/fastify.ts'
import { Clocks, SECOND } from '../../support/key-endpoint.ts'
import { issue, reply, setUpProxy, startProxy, startUpstream, until } from '../../support/proxy.ts'
import { RealLimit } from '../../support/real-limit.ts'

const failures: readonly (readonly [string, (response: ServerResponse) => void, string])[] = [
  ['reset', (response) => void response.destroy(), 'ERR_UPSTREAM_NETWORK'],
  ['hang', () => {}, 'ERR_UPSTREAM_TIMEOUT'],
  [
    'drip',
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const timer = setInterval(() => response.write(' '), 20)
      response.once('close', () => clearInterval(timer))
    },
    'ERR_UPSTREAM_TIMEOUT',
  ],
  [
    'redirect',
    (response) => {
      response.writeHead(307, { location: '/elsewhere' })
      response.end()
    },
    'ERR_UPSTREAM_REDIRECT',
  ],
  ['304', (response) => void response.writeHead(304).end(), 'ERR_UPSTREAM_REDIRECT'],
  ['HTML', (response) => void response.end('<html>'), 'ERR_UPSTREAM_NOT_JSON'],
  ['nothing', (response) => void response.end(), 'ERR_UPSTREAM_NOT_JSON'],
  ['an array', (response) => void response.end('[1]'), 'ERR_UPSTREAM_NOT_JSON'],
  ['a member twice', (response) => void response.end('{"a":1,"a":2}'), 'ERR_UPSTREAM_NOT_JSON'],
  [
    'bytes',
    (response) => void response.end(Buffer.from([0x22, 0xff, 0x22])),
    'ERR_UPSTREAM_NOT_JSON',
  ],
  [
    'a firewall’s page',
    (response) => {
      response.writeHead(403, { 'content-type': 'text/html' })
      response.end('<html>')
    },
    'ERR_UPSTREAM_NOT_JSON',
  ],
  [
    'a huge body',
    (response) => void response.end(JSON.stringify({ a: 'x'.repeat(300 * 1024) })),
    'ERR_UPSTREAM_TOO_LARGE',
  ],
  ['another success', (response) => reply(response, 201, {}), 'ERR_UPSTREAM_STATUS'],
  [
    'an error of its own',
    (response) => reply(response, 500, { message: 'x' }),
    'ERR_UPSTREAM_STATUS',
  ],
]

for (const [name, fail, code] of failures) {
  t.test(`an upstream that sends ${name}: 503, or the token that is held`, async (t) => {
    const upstream = { isDown: true }
    const { tokenEndpoint, requests } = await startUpstream(t, (response, _request, count) => {
      if (upstream.isDown) fail(response)
      else reply(response, 200, issue(count))
    })
    const log = captureLog()
    const clocks = new Clocks()
    const { now, monotonicNow } = clocks
    const limit = new RealLimit(29_000)
    const go = (how: 'down' | 'up'): void => {
      upstream.isDown = how === 'down'
      // Only where the timeout is the subject, and while it is, does time run out.
      if (upstream.isDown && code === 'ERR_UPSTREAM_TIMEOUT') limit.shorten()
      else limit.lengthen()
    }
    go('down')
    const { send, app } = await startProxy(
      t,
      { tokenEndpoint, timeout: limit.milliseconds / 1000, now, monotonicNow },
      { logger: log.logger },
    )
    const down = await send()
    t.equal(down.status, 503)
    t.equal(down.headers['retry-after'], '1')
    t.equal(down.headers['cache-control'], 'no-store')
    t.equal(typeof down.json, 'object')
    t.equal(down.json['access_token'], undefined)
    const warnings = () => log.lines().filter(({ msg }) => /issues no tokens/.test(String(msg)))
    // A caller's timeout may be over before that of its request.
    await until(() => warnings().length > 0)
    const warned = warnings()
    t.equal(warned.length, 1)
    t.match(warned[0], { level: 40, code })

    go('up')
    t.equal((await send()).status, 503, 'remembered')
    clocks.advance(SECOND)
    const token = (await send()).json['access_token']
    t.equal((await send()).json['access_token'], token)
    t.equal(log.lines().filter(({ msg }) => /tokens again/.test(String(msg))).length, 1)
    go('down')
    for (const seconds of [2700, 500, 300, 94]) {
      clocks.advance(seconds * SECOND)
      const answer = await send()
      t.equal(answer.status, 200, `after ${seconds} s more`)
      t.equal(answer.json['access_token'], token)
      await until(() => app.tokenProxy.status().inFlight === 0)
    }
    clocks.advance(SECOND)
    t.equal((await send()).status, 503, 'never past its end')
    t.ok(requests.every(({ headers }) => headers['x-location'] === undefined))
  })
}

t.test('an unreachable Cognito is 503 at once', async (t) => {
  const { send, clocks, wire } = await setUpProxy(t)
  wire.isDown = true
  t.equal((await send()).status, 503)
  wire.isDown = false
  clocks.advance(SECOND)
  t.equal((await send()).status, 200, 'and is asked again a second later')
})

t.test('5xx of Cognito keep body and request id, and become 503', async (t) => {
  const { tokenEndpoint } = await startUpstream(t, (response) =>
    reply(
      response,
      500,
      { message: 'x' },
      { 'x-amz-cognito-request-id': 'abc', 'retry-after': '7' },
    ),
  )
  const { send } = await setUpProxy(t, { tokenEndpoint })
  const answer = await send()
  t.equal(answer.status, 503)
  t.same(answer.json, { message: 'x' })
  t.equal(answer.headers['x-amz-cognito-request-id'], 'abc')
  t.equal(answer.headers['retry-after'], '7')
})

t.test(
  '429 passes through, obeys Retry-After up to 60 s, and cached tokens are served',
  async (t) => {
    const upstream = { retryAfter: '7' as string | undefined, isBusy: true }
    const { tokenEndpoint, requests } = await startUpstream(t, (response, _request, count) => {
      const { retryAfter, isBusy } = upstream
      const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter }
      if (isBusy) reply(response, 429, { error: 'too_many' }, headers)
      else reply(response, 200, issue(count))
    })
    const { send, clocks, app } = await setUpProxy(t, { tokenEndpoint })
    const soon = new Date(clocks.now() + 9000).toUTCString()
    for (const [sent, seconds] of [
      ['7', 7],
      ['0', 1],
      ['3600', 60],
      [soon, 9],
      ['soon', 1],
      [undefined, 1],
    ] as const) {
      upstream.retryAfter = sent
      // Each has a separate backoff.
      const scope = `a/${sent?.length ?? 'none'}${seconds}`
      const answer = await send({ scope })
      t.equal(answer.status, 429)
      t.same(answer.json, { error: 'too_many' })
      t.equal(answer.headers['retry-after'], `${seconds}`)
      const count = requests.length
      clocks.advance(400)
      const again = await send({ scope })
      t.same([again.status, again.headers['retry-after']], [429, `${seconds}`], 'remembered')
      t.equal(requests.length, count)
      clocks.advance(-400)
    }
    t.equal(app.tokenProxy.status().endpoint.available, true, '429 opens no breaker')
    upstream.isBusy = false
    const { json } = await send()
    upstream.isBusy = true
    clocks.advance(3400 * SECOND)
    t.same((await send()).json, { ...json, expires_in: 200 })
  },
)

t.test('failed renewals back off per token, and fail no caller', async (t) => {
  const { send, app, clocks, wire } = await setUpProxy(t)
  const settled = () => until(() => app.tokenProxy.status().inFlight === 0)
  await send()
  await send({ scope: 'orders/read' })
  wire.isDown = true
  clocks.advance(2700 * SECOND)
  for (let time = 0; time < 5; time += 1) {
    t.equal((await send()).status, 200)
    await settled()
  }
  t.equal(wire.count, 3, 'one try, however many callers')
  t.equal((await send({ scope: 'orders/read' })).status, 200)
  await settled()
  t.equal(wire.count, 4)
  for (let second = 0; second < 60; second += 1) {
    clocks.advance(SECOND)
    t.equal((await send()).status, 200)
    await settled()
  }
  // The circuit breaker opens at the fifth failure, and then lets one probe a second through.
  t.ok(wire.count >= 8 && wire.count <= 64, `${wire.count - 4} tries in a minute`)
  wire.isDown = false
  clocks.advance(60 * SECOND)
  await send()
  await settled()
  t.equal((await send()).json['expires_in'], 3600)
})

t.test(
  'a transport that ignores its signal is not waited for, nor does it hold what is closed',
  async (t) => {
    for (const fetch of [
      () => new Promise<Response>(() => {}),
      async () => new Response(new ReadableStream({ start() {} })),
    ]) {
      const { send } = await setUpProxy(t, { fetch, timeout: 0.05 })
      t.equal((await send()).status, 503)
    }
  },
)

t.test('every exception of a transport is a failure', async (t) => {
  for (const thrown of [undefined, null, 'x', new Error('x'), { cause: { code: 'not a code' } }]) {
    const { send } = await setUpProxy(t, { fetch: async () => Promise.reject(thrown) })
    const answer = await send()
    t.equal(answer.status, 503)
    t.same(answer.json, { error: 'temporarily_unavailable' })
  }
})

t.test('a response without a body is a failure', async (t) => {
  const { send } = await setUpProxy(t, { fetch: async () => new Response(null) })
  t.equal((await send()).status, 503)
})

t.test('after close(), no request is sent', async (t) => {
  const { tokenEndpoint, requests } = await startUpstream(t, (response) =>
    reply(response, 200, issue(1)),
  )
  const upstream = new Upstream({
    api: createRegionalApis(createTokenEndpointApi(tokenEndpoint)),
    headers: new Map(),
    fetch,
    timeoutMs: 1000,
    now: Date.now,
    monotonicNow: () => 0,
    logger: { info: () => {}, warn: () => {}, error: () => {} },
  })
  upstream.close()
  const result = await upstream.requestToken(
    {
      clientId: 'a',
      authMethod: 'client_secret_post',
      credentials: { clientId: 'a', secret: 'b' },
      scopes: undefined,
      metadata: undefined,
    },
    1000,
  )
  t.same(result, { kind: 'failure', code: 'ERR_UPSTREAM_CLOSED' })
  t.equal(requests.length, 0)
})

t.test('closing aborts requests in flight', async (t) => {
  const { tokenEndpoint } = await startUpstream(t, () => {})
  const { inject, app } = await setUpProxy(t, { tokenEndpoint, timeout: 30 })
  const pending = inject()
  await until(() => app.tokenProxy.status().inFlight === 1)
  await app.close()
  t.equal((await pending).status, 503)
})
