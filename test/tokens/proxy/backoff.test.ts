/** An outage of Cognito: the responses to callers, and the number of requests to Cognito. */
import type { ServerResponse } from 'node:http'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { safeLogger } from '../../../src/core/options/logger.ts'
import { NegativeCache } from '../../../src/tokens/proxy/cached-results.ts'
import type { TokenProxyOptions } from '../../../src/tokens/proxy/index.ts'
import { EndpointHealth, readUpstreamToken } from '../../../src/tokens/proxy/upstream.ts'
import { captureLog } from '../../support/fastify.ts'
import { SECOND } from '../../support/key-endpoint.ts'
import { issue, READ, reply, setUpProxy, startUpstream, until, WRITE } from '../../support/proxy.ts'
import { mockTimeouts } from '../../support/timers.ts'

/** A proxy in front of an upstream with scripted responses. */
async function setUpFailing(t: Test, options: Partial<TokenProxyOptions> = {}) {
  const upstream = {
    answer: (response: ServerResponse, count: number) => reply(response, 200, issue(count)),
  }
  const up = upstream.answer
  const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
    upstream.answer(response, count),
  )
  const log = captureLog()
  const setup = await setUpProxy(t, { tokenEndpoint, ...options }, undefined, {
    logger: log.logger,
  })
  const { app } = setup
  return {
    ...setup,
    requests,
    upstream,
    log,
    recover: () => {
      upstream.answer = up
    },
    fail: (how: (response: ServerResponse) => void) => {
      upstream.answer = how
    },
    endpoint: () => app.tokenProxy.status().endpoint,
    settled: () => until(() => app.tokenProxy.status().inFlight === 0),
  }
}

const faults: readonly (readonly [string, number, (response: ServerResponse) => void])[] = [
  ['500', 12, (response) => reply(response, 500, { message: 'x' })],
  ['a dropped connection', 12, (response) => void response.destroy()],
  ['HTML', 12, (response) => void response.end('<html>')],
  ['a huge body', 12, (response) => void response.end(JSON.stringify('x'.repeat(300_000)))],
  ['429; Retry-After: 30', 3, (response) => reply(response, 429, {}, { 'retry-after': '30' })],
  [
    '429 in HTML; Retry-After: 30',
    3,
    (response) => {
      response.writeHead(429, { 'retry-after': '30' })
      response.end('<html>')
    },
  ],
]

for (const [name, most, fault] of faults) {
  t.test(`${name}: 50 callers of one name in 5 s make few requests`, async (t) => {
    const { inject, clocks, requests, fail, recover } = await setUpFailing(t)
    fail(fault)
    for (let turn = 0; turn < 50; turn += 1) {
      const { status, headers } = await inject()
      t.ok(status === 503 || status === 429, `${status}`)
      t.match(headers['retry-after'], /^[1-9][0-9]?$/)
      t.equal(headers['cache-control'], 'no-store')
      clocks.advance(100)
    }
    t.ok(requests.length >= 1 && requests.length <= most, `${requests.length} requests`)
    recover()
    clocks.advance(60 * SECOND)
    t.equal((await inject()).status, 200)
  })
}

t.test('a wrong secret does not delay the right one', async (t) => {
  const { inject, upstream, requests } = await setUpFailing(t)
  upstream.answer = (response, count) => {
    if (requests.at(-1)?.body.includes('wrong') === true) reply(response, 500, {})
    else reply(response, 200, issue(count))
  }
  for (let turn = 0; turn < 3; turn += 1) t.equal((await inject({ secret: 'wrong' })).status, 503)
  t.equal(requests.length, 1)
  t.equal((await inject({ secret: 'right' })).status, 200)
})

t.test('the backoff of a name grows from 1 to 30 s, with jitter', (t) => {
  let now = 0
  const cache = new NegativeCache(() => now)
  const failure = {
    cause: 'request' as const,
    retryAfter: undefined,
    client: undefined,
    createResponse: () => ({ status: 503, headers: {}, body: '' }),
  }
  for (const [least, most] of [
    [1, 1],
    [1.5, 2],
    [3, 4],
    [6, 8],
    [12, 16],
    [22.5, 30],
    [22.5, 30],
  ] as const) {
    const seconds = cache.addFailure('a', failure)
    t.ok(seconds >= least && seconds <= most, `${seconds} s`)
    now += 1000 * seconds - 1
    t.ok(cache.findFailure('a'))
    now += 1
    t.equal(cache.findFailure('a'), undefined)
  }
  t.equal(cache.addFailure('b', { ...failure, retryAfter: 45 }), 45)
  t.equal(cache.addFailure('c', { ...failure, retryAfter: 3600 }), 60)
  cache.deleteFailure('b')
  t.equal(cache.findFailure('b'), undefined)
  cache.endOutageBackoffs()
  t.ok(cache.findFailure('c'), 'not of the endpoint')
  t.end()
})

t.test('five failures in a row open the breaker: one probe a second for all names', async (t) => {
  const { inject, clocks, requests, fail, recover, endpoint, log } = await setUpFailing(t)
  const sendWithScope = (scope: number) => inject({ scope: `s/${scope}` })
  t.equal((await sendWithScope(0)).status, 200)
  fail((response) => void response.destroy())
  for (let scope = 1; scope <= 4; scope += 1) t.equal((await sendWithScope(scope)).status, 503)
  t.same(endpoint().available, true)
  t.equal((await sendWithScope(5)).status, 503)
  const lastError = { code: 'ERR_UPSTREAM_NETWORK', errno: 'UND_ERR_SOCKET' }
  t.match(endpoint(), { available: false, nextAttempt: 1 })
  t.equal(endpoint().lastError?.code, lastError.code)
  t.equal(requests.length, 6)
  const other = await sendWithScope(6)
  t.same([other.status, other.headers['retry-after']], [503, '5'])
  t.same(other.json, { error: 'temporarily_unavailable' })
  t.equal(requests.length, 6, 'a name that never failed asks nothing either')
  const again = await sendWithScope(5)
  t.same([again.status, again.headers['retry-after']], [503, '5'])
  t.equal(requests.length, 6)
  t.equal((await sendWithScope(0)).status, 200, 'a cached token is served')
  for (let probe = 1; probe <= 3; probe += 1) {
    clocks.advance(999)
    t.equal((await sendWithScope(7)).status, 503)
    t.equal(requests.length, 5 + probe)
    clocks.advance(1)
    t.equal((await sendWithScope(1)).status, 503)
    t.equal((await sendWithScope(2)).status, 503)
    t.equal(requests.length, 6 + probe, 'whatever the backoff of its name')
  }
  recover()
  clocks.advance(SECOND)
  t.equal((await sendWithScope(8)).status, 200)
  t.same(endpoint(), { available: true, lastError: null, nextAttempt: null })
  for (let scope = 1; scope <= 7; scope += 1) {
    t.equal(
      (await sendWithScope(scope)).status,
      200,
      'the first success ends all backoffs of the outage',
    )
  }
  const lines = log.lines().map(({ msg }) => msg)
  t.equal(lines.filter((it) => /issues no tokens/.test(String(it))).length, 1)
  t.equal(lines.filter((it) => /issues tokens again/.test(String(it))).length, 1)
})

t.test('requests that wait for their turn are not sent once the breaker is open', async (t) => {
  const upstream = { perSecond: 100, unprovenPerSecond: 50, concurrency: 10 }
  const { inject, app, requests, fail } = await setUpFailing(t, { upstream })
  const responses: ServerResponse[] = []
  fail((response) => void responses.push(response))
  const all = Array.from({ length: 20 }, (_, client) => inject({ clientId: `client-${client}` }))
  await until(() => responses.length === 5 && app.tokenProxy.status().queued.unproven === 15)
  fail((response) => void response.destroy())
  for (const response of responses) response.destroy()
  for (const { status } of await Promise.all(all)) t.equal(status, 503)
  // Those that were granted their turn before the fifth failure was known may still be sent.
  t.ok(requests.length < 10, `${requests.length} requests`)
  t.same(app.tokenProxy.status().unavailable, { ERR_OVER_BUDGET: 0, ERR_UPSTREAM_UNAVAILABLE: 20 })
})

t.test(
  'a firewall that blocks the requests of one caller opens no breaker for the others',
  async (t) => {
    const { inject, requests, endpoint, upstream } = await setUpFailing(t)
    upstream.answer = (response, count) => {
      if (requests.at(-1)?.body.includes('script') !== true)
        return reply(response, 200, issue(count))
      response.writeHead(403, { 'content-type': 'text/html' })
      response.end('<html>')
    }
    for (let turn = 0; turn < 10; turn += 1) {
      const { status, json } = await inject({ metadata: `<script>${turn}` })
      t.same([status, json], [503, { error: 'temporarily_unavailable' }])
    }
    t.equal(endpoint().available, true)
    t.equal((await inject()).status, 200)
  },
)

t.test('a success below five failures ends no backoff of another name', async (t) => {
  const { inject, requests, fail, recover } = await setUpFailing(t)
  fail((response) => reply(response, 500, {}))
  t.equal((await inject({ scope: READ })).status, 503)
  recover()
  t.equal((await inject({ scope: WRITE })).status, 200)
  t.equal((await inject({ scope: READ })).status, 503, 'a fault of this client alone')
  t.equal(requests.length, 2)
})

t.test('a 429 keeps its Retry-After while the breaker is open, and after it closed', async (t) => {
  const { inject, clocks, requests, fail, recover } = await setUpFailing(t)
  fail((response) => reply(response, 429, { error: 'slow_down' }, { 'retry-after': '30' }))
  t.equal((await inject()).status, 429)
  fail((response) => void response.destroy())
  for (let scope = 1; scope <= 5; scope += 1) await inject({ scope: `s/${scope}` })
  clocks.advance(SECOND)
  const again = await inject()
  t.same([again.status, again.headers['retry-after']], [429, '29'])
  t.equal(requests.length, 6, 'it is no probe')
  recover()
  t.equal((await inject({ scope: 's/1' })).status, 200)
  t.equal((await inject()).status, 429)
  clocks.advance(29 * SECOND)
  t.equal((await inject()).status, 200)
})

t.test(
  'callers of a Cognito that hangs join the request, and wait for `timeout` once',
  async (t) => {
    const { inject, clocks, requests, fail, settled, app } = await setUpFailing(t, { timeout: 5 })
    fail(() => {})
    mockTimeouts()
    t.teardown(() => mock.timers.reset())
    const answers: number[] = []
    const join = async (): Promise<void> => {
      answers.push((await inject()).status)
    }
    const first = [join(), join()]
    await until(() => requests.length === 1)
    clocks.advance(4000)
    mock.timers.tick(4000)
    const late = join()
    await turns()
    t.same(answers, [])
    clocks.advance(999)
    mock.timers.tick(999)
    await turns()
    t.same(answers, [])
    clocks.advance(1)
    mock.timers.tick(1)
    await Promise.all([...first, late])
    t.same(answers, [503, 503, 503], 'who came 4 s later waited 1 s')
    await settled()
    t.equal((await inject()).status, 503, 'at once from then on')
    t.equal(requests.length, 1)
    t.same(app.tokenProxy.status().unavailable, { ERR_OVER_BUDGET: 0, ERR_UPSTREAM_UNAVAILABLE: 4 })
  },
)

t.test('while the clock fails, a caller without a token waits for `timeout`', async (t) => {
  const { inject, requests, app } = await setUpFailing(t, {
    monotonicNow: () => Number.NaN,
    timeout: 0.05,
  })
  t.equal((await inject()).status, 503)
  t.equal(requests.length, 0, 'no budget is given away')
  await app.close()
})

t.test('the status of the endpoint while the clock fails', (t) => {
  let now = 0
  const health = new EndpointHealth(safeLogger(undefined), () => now)
  const failure = { kind: 'failure', code: 'ERR_UPSTREAM_NETWORK' } as const
  const token = readUpstreamToken(failure, 0)
  for (let time = 0; time < 5; time += 1) t.equal(health.record(failure, token), false)
  t.same(health.status, {
    available: false,
    lastError: { code: 'ERR_UPSTREAM_NETWORK' },
    nextAttempt: 1,
  })
  now = Number.NaN
  t.equal(health.status.nextAttempt, 0)
  t.equal(health.admitRequest(), true)
  t.end()
})

t.test('503s are counted in one log line a minute', async (t) => {
  mockTimeouts()
  t.teardown(() => mock.timers.reset())
  const { inject, clocks, fail, log } = await setUpFailing(t)
  fail((response) => reply(response, 500, {}))
  const lines = () =>
    log
      .lines()
      .filter(({ msg }) => msg === 'cognito-m2m: callers got no token')
      .map(({ level, ERR_OVER_BUDGET, ERR_UPSTREAM_UNAVAILABLE }) => [
        level,
        ERR_OVER_BUDGET,
        ERR_UPSTREAM_UNAVAILABLE,
      ])
  for (let turn = 0; turn < 4; turn += 1) await inject()
  t.same(lines(), [[40, 0, 1]])
  clocks.advance(60 * SECOND)
  mock.timers.tick(60 * SECOND)
  t.same(lines(), [
    [40, 0, 1],
    [40, 0, 3],
  ])
  clocks.advance(600 * SECOND)
  mock.timers.tick(600 * SECOND)
  t.equal(lines().length, 2, 'nothing to count, no line')
})

/** Lets all work that needs no timer finish. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
