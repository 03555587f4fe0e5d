/** Injected clocks that fail: nothing crashes in the background, and the server recovers. */
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { safeClock, steadyClock } from '../../src/core/util/time.ts'
import { jwk, machineToken, NOW, outcome, serve } from '../support/forge.ts'
import { listen } from '../support/listen.ts'

const authorization = `Bearer ${machineToken()}`

/** Unhandled rejections and exceptions during the test. */
function crashes(t: { teardown(handler: () => unknown): unknown }): unknown[] {
  const seen: unknown[] = []
  const events = ['uncaughtException', 'unhandledRejection'] as const
  for (const event of events) {
    const others = process.listeners(event as 'uncaughtException')
    const listener = (error: unknown): unknown => seen.push(error)
    process.removeAllListeners(event)
    process.on(event, listener)
    t.teardown(() => {
      process.removeListener(event, listener)
      for (const other of others) process.on(event as 'uncaughtException', other)
    })
  }
  return seen
}

/** Ends when it is so, or after two minutes: timers of a millisecond run meanwhile. */
async function until(isSo: () => boolean): Promise<boolean> {
  for (let turn = 0; turn < 60_000 && !isSo(); turn += 1) await setTimeout(2)
  return isSo()
}

for (const [what, broken] of [
  [
    'throws',
    (): number => {
      throw new Error('no clock')
    },
  ],
  ['answers NaN', () => Number.NaN],
  ['answers a string', () => '5' as unknown as number],
  ['answers Infinity', () => Number.POSITIVE_INFINITY],
] as const) {
  for (const name of ['monotonicNow', 'now'] as const) {
    t.test(`${name} ${what}: grants no access, crashes nothing, and recovers`, async (t) => {
      const seen = crashes(t)
      let failing = false
      let fetches = 0
      let readings = 0
      const clock = (): number => {
        readings += 1
        if (failing) return broken()
        return name === 'now' ? NOW * 1000 : performance.now()
      }
      const fetch = async (): Promise<Response> => {
        fetches += 1
        return Response.json({ keys: [jwk()] })
      }
      const server = serve({
        jwks: undefined,
        fetch,
        [name]: clock,
        keyStore: { refreshInterval: 0.005, cooldown: 0.001 },
      })
      t.teardown(() => server.close())
      const guard = server.guard()
      t.equal(await outcome(guard, authorization), 'accepted')
      failing = true
      const [before, read] = [fetches, readings]
      t.ok(await until(() => readings > read + 1), 'a timer ran')
      if (name === 'now') t.ok(await until(() => fetches > before), 'keys are refreshed meanwhile')
      else t.ok(fetches - before <= 3, `${fetches - before} fetches while nothing is known of time`)
      t.not(await outcome(guard, authorization).catch(() => 'thrown'), 'accepted')
      failing = false
      t.ok(await until(() => fetches > before + 1), 'refreshed again')
      t.equal(await outcome(guard, authorization), 'accepted')
      t.strictSame(seen, [])
    })
  }
}

t.test('a clock that fails from the start rejects requests until it works', async (t) => {
  const seen = crashes(t)
  let failing = true
  const monotonicNow = (): number => {
    if (failing) throw new Error('no clock')
    return performance.now()
  }
  const fetch = async (): Promise<Response> => Response.json({ keys: [jwk()] })
  const server = serve({
    jwks: undefined,
    fetch,
    monotonicNow,
    keyStore: { refreshInterval: 0.005 },
  })
  t.teardown(() => server.close())
  await server.ready()
  t.equal(await outcome(server.guard(), authorization), 'ERR_KEYS_UNAVAILABLE')
  failing = false
  t.ok(await until(() => server.status().userPools[0]?.keysAge !== null))
  t.equal(await outcome(server.guard(), authorization), 'accepted')
  t.strictSame(seen, [])
})

t.test('a failing monotonic clock changes no response', async (t) => {
  const failures: readonly (() => unknown)[] = [
    () => {
      throw new Error('no clock')
    },
    () => 5n,
  ]
  for (const broken of failures) {
    let failing = false
    const server = serve({ monotonicNow: () => (failing ? broken() : performance.now()) })
    t.teardown(() => server.close())
    const guard = server.guard()
    t.equal(await outcome(guard, authorization), 'accepted')
    failing = true
    const { of } = listen(t)
    t.equal(await outcome(guard, authorization), 'accepted')
    t.equal(await outcome(guard, undefined), 'ERR_TOKEN_MISSING')
    t.match(of('cognito-m2m:decision', server.status().instance), [
      { code: null, duration: 0 },
      { code: 'ERR_TOKEN_MISSING', duration: 0 },
    ])
  }
})

t.test('elapsed time continues after invalid readings', (t) => {
  const readings = [Number.NaN, 100, 130, Number.NaN, 150, 90, 95]
  const elapsed = steadyClock(safeClock(() => readings.shift() as number))
  t.strictSame(
    Array.from({ length: 6 }, () => elapsed()),
    [0, 30, Number.NaN, 50, 50, 55],
  )
  t.end()
})
