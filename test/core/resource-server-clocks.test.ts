/** Clocks that run away or answer nonsense: a request ends, and never with a yes they gave. */
import { mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import type { ResourceServer } from '../../src/index.ts'
import { type Changes, jwk, machineToken, refusal, serve } from '../support/forge.ts'

const authorization = `Bearer ${machineToken()}`

/** A server whose fetches take `milliseconds` of its clock. It is closed after 20 fetches. */
function fetching(t: { teardown(close: () => void): unknown }, changes: Changes, milliseconds = 0) {
  const clock = { now: 1000, fetches: 0 }
  const fetch = async () => {
    clock.fetches += 1
    clock.now += milliseconds
    await setImmediate()
    if (clock.fetches === 20) server.close()
    return Response.json({ keys: [jwk()] })
  }
  const server: ResourceServer = serve({
    jwks: undefined,
    fetch,
    monotonicNow: () => clock.now,
    ...changes,
  })
  t.teardown(() => server.close())
  return { server, clock }
}

t.test('keys that are stale when they arrive are a 503, not fetched for ever', async (t) => {
  const { server, clock } = fetching(t, { keyStore: { maxStale: 0.01 } }, 50)
  const { code, headers } = await refusal(server.guard(), authorization)
  t.equal(code, 'ERR_KEYS_UNAVAILABLE')
  t.match(headers['retry-after'], /^([1-9]|[1-5]\d|60)$/)
  t.ok(clock.fetches < 5, `${clock.fetches} fetches for one request`)
})

t.test(
  'a monotonic clock that answers NaN rejects, and fetches no more than it has to',
  async (t) => {
    const { server, clock } = fetching(t, { monotonicNow: () => Number.NaN })
    const { code, headers } = await refusal(server.guard(), authorization)
    t.equal(code, 'ERR_KEYS_UNAVAILABLE')
    t.match(headers['retry-after'], /^([1-9]|[1-5]\d|60)$/)
    t.ok(clock.fetches < 5, `${clock.fetches} fetches for one request`)
  },
)

t.test('while the monotonic clock tells no time, requests fetch nothing at all', async (t) => {
  const { server, clock } = fetching(t, { monotonicNow: () => Number.NaN })
  await server.ready()
  t.equal(clock.fetches, 1, 'at start')
  const guard = server.guard()
  for (let request = 0; request < 5; request += 1) {
    t.equal((await refusal(guard, authorization)).code, 'ERR_KEYS_UNAVAILABLE')
  }
  t.equal(clock.fetches, 1)
})

t.test('while the monotonic clock tells no time, it is looked at once a second', async (t) => {
  const timers = mock.method(globalThis, 'setTimeout')
  t.teardown(() => mock.restoreAll())
  const { server } = fetching(t, { monotonicNow: () => Number.NaN })
  await server.ready()
  t.equal(timers.mock.calls.at(-1)?.arguments[1], 1000, 'NaN would be a millisecond')
})
