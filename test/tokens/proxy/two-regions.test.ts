/** A token proxy with two Regions: callers are served by the one that works. */
import t, { type Test } from 'tap'
import type { TokenProxyOptions } from '../../../src/tokens/proxy/index.ts'
import { createTokenProxyHandler } from '../../../src/tokens/proxy/lambda.ts'
import { timers } from '../../support/client.ts'
import { captureLog } from '../../support/fastify.ts'
import { createFormEvent } from '../../support/function-url.ts'
import { Clocks, SECOND } from '../../support/key-endpoint.ts'
import {
  createRequest,
  issue,
  READ,
  reply,
  startProxy,
  startUpstream,
  WRITE,
} from '../../support/proxy.ts'

interface Region {
  isDown: boolean
  status: number
}

async function setUp(t: Test, options: Partial<TokenProxyOptions> = {}) {
  const regions = {
    primary: { isDown: false, status: 200 } as Region,
    secondary: { isDown: false, status: 200 } as Region,
  }
  const served: string[] = []
  const start = async (region: 'primary' | 'secondary') =>
    startUpstream(t, (response) => {
      const { isDown, status } = regions[region]
      served.push(region)
      if (isDown) response.destroy()
      else if (status === 200) reply(response, 200, issue(served.length))
      else reply(response, status, { error: status === 400 ? 'invalid_scope' : 'x' })
    })
  const primary = await start('primary')
  const secondary = await start('secondary')
  const clocks = new Clocks()
  const { now, monotonicNow } = clocks
  const log = captureLog()
  const proxy = await startProxy(
    t,
    {
      tokenEndpoint: [primary.tokenEndpoint, secondary.tokenEndpoint],
      now,
      monotonicNow,
      ...options,
    },
    { logger: log.logger },
  )
  return { ...proxy, clocks, regions, served, log, primary, secondary }
}

t.test('two failures in a row move all callers to the secondary Region', async (t) => {
  const { app, send, regions, served, log, clocks } = await setUp(t)
  regions.primary.status = 500
  t.equal((await send({ scope: READ })).status, 503)
  t.equal(app.tokenProxy.status().region, 'primary')
  const other = await send({ scope: WRITE })
  t.equal(other.status, 200, 'the next failed request is served')
  t.strictSame(served, ['primary', 'primary', 'secondary'])
  t.match(app.tokenProxy.status(), { region: 'secondary', endpoint: { available: true } })
  clocks.advance(SECOND)
  t.equal((await send({ scope: READ })).status, 200, 'after the backoff')
  const lines = log.lines().filter(({ msg }) => /Region/.test(String(msg)))
  t.match(lines, [
    {
      level: 40,
      msg: 'cognito-m2m: the primary Region issues no tokens; using the secondary Region',
      reason: 'status',
      status: 500,
    },
  ])
})

t.test('a probe restores the primary, and serves its caller', async (t) => {
  const { app, send, regions, served, log, clocks } = await setUp(t)
  regions.primary.isDown = true
  t.equal((await send({ scope: READ })).status, 503)
  t.equal((await send({ scope: WRITE })).status, 200)
  regions.primary.isDown = false
  clocks.advance(36 * SECOND)
  served.length = 0
  t.equal((await send({ scope: READ })).status, 200)
  t.strictSame(served, ['primary'])
  t.equal(app.tokenProxy.status().region, 'primary')
  t.ok(log.lines().some(({ msg }) => /the primary Region issues tokens again$/.test(String(msg))))
})

t.test('a rejection stays in its Region', async (t) => {
  const { app, send, regions, served } = await setUp(t)
  regions.primary.status = 400
  for (const scope of [READ, WRITE, 'orders/purge']) {
    t.equal((await send({ scope })).status, 400)
  }
  t.strictSame(served, ['primary', 'primary', 'primary'])
  t.equal(app.tokenProxy.status().region, 'primary')
})

t.test('a failed function of headers is no failure of a Region', async (t) => {
  const { app, send, served } = await setUp(t, {
    headers: {
      'x-a': () => {
        throw new Error('no secret')
      },
    },
  })
  for (const scope of [READ, WRITE, 'orders/purge']) {
    t.equal((await send({ scope })).status, 503)
  }
  t.strictSame(served, [])
  t.equal(app.tokenProxy.status().region, 'primary')
})

for (const [name, delayMs, statuses] of [
  ['slow', 2000, ['200 primary', '200 primary']],
  ['too slow', 3000, ['503 ', '503 ']],
] as const) {
  t.test(`a ${name} function of headers is no failure of a Region`, async (t) => {
    const clocks = new Clocks()
    const { now, monotonicNow } = clocks
    const sent: string[] = []
    const handler = createTokenProxyHandler({
      tokenEndpoint: [
        'https://primary.auth.eu-west-1.amazoncognito.com/oauth2/token',
        'https://secondary.auth.us-west-2.amazoncognito.com/oauth2/token',
      ],
      now,
      monotonicNow,
      headers: { 'x-a': () => new Promise((resolve) => setTimeout(resolve, delayMs, 'b')) },
      fetch: async (url) => {
        sent.push(new URL(String(url)).hostname.split('.', 1)[0] as string)
        // Most of the time that a primary Region has.
        await new Promise((resolve) => setTimeout(resolve, 1000))
        return Response.json(issue(1))
      },
    })
    t.teardown(() => handler.close())
    const tick = timers(t)
    const trace = async (scope: string): Promise<string> => {
      sent.length = 0
      let status = 0
      const body = String(createRequest({ scope }).body)
      void handler(createFormEvent(body)).then(({ statusCode }) => {
        status = statusCode
      })
      for (let step = 0; step < 10 && status === 0; step += 1) {
        clocks.advance(500)
        await tick(500)
      }
      return `${status} ${sent.join(' ')}`
    }
    t.strictSame([await trace(READ), await trace(WRITE)], statuses)
    t.equal(handler.status().region, 'primary')
    t.equal(handler.status().endpoint.available, true)
  })
}

t.test('both Regions get the configured headers', async (t) => {
  const { send, regions, primary, secondary } = await setUp(t, { headers: { 'x-a': () => 'b' } })
  regions.primary.isDown = true
  await send({ scope: READ })
  await send({ scope: WRITE })
  for (const { requests } of [primary, secondary]) {
    t.match(requests.at(-1)?.headers, { 'x-a': 'b', accept: 'application/json' })
  }
})

t.test('while both Regions fail, the circuit breaker opens as with one', async (t) => {
  const { app, send, regions } = await setUp(t)
  regions.primary.isDown = true
  regions.secondary.isDown = true
  for (let count = 0; count < 5; count += 1) {
    t.equal((await send({ scope: `orders/scope-${count}` })).status, 503)
  }
  t.match(app.tokenProxy.status().endpoint, { available: false })
})
