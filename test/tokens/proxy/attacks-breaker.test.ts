/** What an unauthenticated caller can do to the circuit breaker and to the waits of others. */
import type { ServerResponse } from 'node:http'
import t from 'tap'
import { captureLog } from '../../support/fastify.ts'
import { SECOND } from '../../support/key-endpoint.ts'
import {
  issue,
  READ,
  reply,
  setUpProxy,
  startUpstream,
  ticks,
  until,
  WRITE,
} from '../../support/proxy.ts'

/** A firewall that blocks suspicious requests, with its page and status. */
function firewall(status: number) {
  return (response: ServerResponse, { body }: { readonly body: string }, count: number): void => {
    if (body.includes('script')) {
      response.writeHead(status, { 'content-type': 'text/html' })
      response.end('<html>The request is blocked</html>')
    } else reply(response, 200, issue(count))
  }
}

for (const status of [202, 400, 403, 405, 413, 431]) {
  t.test(`pages with status ${status} for one caller leave the others their tokens`, async (t) => {
    const { requests, tokenEndpoint } = await startUpstream(t, firewall(status))
    const { app, clocks, inject } = await setUpProxy(t, { tokenEndpoint })
    for (let turn = 0; turn < 12; turn += 1) {
      const blocked = await inject({ secret: 'guess', metadata: `<script>${turn}` })
      t.same([blocked.status, blocked.json], [503, { error: 'temporarily_unavailable' }])
      clocks.advance(SECOND / 4)
    }
    t.equal(requests.length, 12)
    t.equal(app.tokenProxy.status().endpoint.available, true)
    t.equal((await inject({ clientId: 'shipping' })).status, 200)
    const again = await inject({ secret: 'guess', metadata: '<script>11' })
    t.same([again.status, requests.length], [503, 13], 'its own name backs off')
  })
}

t.test('blocked requests of one caller do not use up the probe of others', async (t) => {
  const { requests, tokenEndpoint } = await startUpstream(t, firewall(403))
  const { app, clocks, inject, wire } = await setUpProxy(t, { tokenEndpoint })
  wire.isDown = true
  for (let scope = 0; scope < 5; scope += 1) {
    t.equal((await inject({ scope: `s/${scope}` })).status, 503)
  }
  t.equal(app.tokenProxy.status().endpoint.available, false)
  wire.isDown = false
  clocks.advance(SECOND)
  const blocked = { secret: 'guess', metadata: '<script>' }
  t.equal((await inject(blocked)).status, 503)
  t.equal(requests.length, 1)
  t.equal((await inject({ scope: 's/0' })).status, 200)
  t.equal(app.tokenProxy.status().endpoint.available, true)
})

t.test('after a 429, the next probe is sent a second later', async (t) => {
  const { requests, tokenEndpoint } = await startUpstream(t, (response) => reply(response, 429, {}))
  const { clocks, inject, wire } = await setUpProxy(t, { tokenEndpoint })
  wire.isDown = true
  for (let scope = 0; scope < 5; scope += 1) await inject({ scope: `s/${scope}` })
  wire.isDown = false
  clocks.advance(SECOND)
  for (let scope = 0; scope < 5; scope += 1) await inject({ scope: `s/${scope}` })
  t.equal(requests.length, 1)
})

t.test('pages for one caller write no line for each request into the log', async (t) => {
  const { tokenEndpoint } = await startUpstream(t, firewall(403))
  const log = captureLog()
  const { clocks, inject } = await setUpProxy(t, { tokenEndpoint }, undefined, {
    logger: log.logger,
  })
  const lines = (text: RegExp) => log.lines().filter(({ msg }) => text.test(String(msg))).length
  for (let turn = 0; turn < 59; turn += 1) {
    t.equal((await inject({ secret: 'guess', metadata: `<script>${turn}` })).status, 503)
    t.equal((await inject({ scope: `s/${turn}` })).status, 200)
    clocks.advance(SECOND)
  }
  t.same([lines(/issues no tokens/), lines(/issues tokens again/)], [1, 1])
  clocks.advance(SECOND)
  t.equal((await inject({ secret: 'guess', metadata: '<script>' })).status, 503)
  t.equal((await inject({ scope: 's/60' })).status, 200)
  t.same([lines(/issues no tokens/), lines(/issues tokens again/)], [2, 2])
})

for (const [timeout, seconds] of [
  [2, 1],
  [3, 1.5],
  [5, 2],
] as const) {
  t.test(`with a timeout of ${timeout} s, a request waits ${seconds} s for its turn`, async (t) => {
    const upstream = { perSecond: 2, unprovenPerSecond: 1, concurrency: 2 }
    const { app, clocks, inject, wire } = await setUpProxy(t, { timeout, upstream })
    let open = (): void => {}
    wire.gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const status = () => app.tokenProxy.status()
    const first = inject({ scope: READ })
    await until(() => status().inFlight === 1)
    const second = inject({ scope: WRITE })
    await until(() => status().queued.unproven === 1)
    clocks.advance(seconds * SECOND - 1)
    await ticks()
    t.equal(status().queued.unproven, 1)
    clocks.advance(1)
    await until(() => status().queued.unproven === 0)
    t.equal((await second).status, 503)
    t.equal(status().unavailable.ERR_OVER_BUDGET, 1)
    open()
    await first
  })
}

t.test('Retry-After is a number while the clock fails', async (t) => {
  const { tokenEndpoint } = await startUpstream(t, (response) => reply(response, 500, {}))
  const clock = { isBroken: false }
  const { inject } = await setUpProxy(t, {
    tokenEndpoint,
    monotonicNow: () => (clock.isBroken ? Number.NaN : performance.now()),
    fetch: async (...args) => {
      const response = await fetch(...args)
      clock.isBroken = true
      return response
    },
  })
  const answer = await inject()
  t.same([answer.status, answer.headers['retry-after']], [503, '1'])
})
