import { mock } from 'node:test'
import t from 'tap'
import {
  Clocks,
  find,
  good,
  HOUR,
  hang,
  KeyEndpoint,
  MINUTE,
  openStore,
  refused,
  SECOND,
  settle,
  status,
} from '../../support/key-endpoint.ts'

const BOTH = { forms: ['original', 'updated'] }

for (const code of [403, 404]) {
  t.test(`the other issuer form: ${code} is 401 and remembered for one interval`, async (t) => {
    const endpoint = new KeyEndpoint().answer(good('a')).answer(status(code), 'updated')
    const clocks = new Clocks()
    const { store, log } = openStore(endpoint, clocks, BOTH)
    await store.ready()
    t.same(endpoint.asked, ['original'], 'asked only when a token names it')
    for (let use = 0; use < 20; use += 1) t.equal(await find(store, 'x', 1), 'ERR_KEY_UNKNOWN')
    t.same(endpoint.asked, ['original', 'updated'])
    clocks.advance(4 * MINUTE)
    t.equal(await find(store, 'x', 1), 'ERR_KEY_UNKNOWN')
    t.equal(endpoint.asked.length, 2)
    clocks.advance(MINUTE)
    endpoint.answer(good('u'), 'updated')
    t.equal(await find(store, 'u', 1), 'key')
    t.same(log, [])
    store.close()
  })
}

for (const [name, answer] of [
  ['refused', refused],
  ['500', status(500)],
  ['timeout', hang],
] as const) {
  t.test(`the other issuer form, ${name}: 401 while the pool is healthy`, async (t) => {
    const endpoint = new KeyEndpoint().answer(good('a')).answer(answer, 'updated')
    const clocks = new Clocks()
    const { store, log } = openStore(endpoint, clocks, {
      ...BOTH,
      fetchTimeoutMs: answer === hang ? 20 : 30 * SECOND,
    })
    await store.ready()
    t.equal(await find(store, 'x', 1), 'ERR_KEY_UNKNOWN')
    t.equal(await find(store, 'y', 1), 'ERR_KEY_UNKNOWN')
    t.same(endpoint.asked, ['original', 'updated'], 'it backs off for itself')
    t.equal(await find(store, 'a'), 'key')
    endpoint.answer(good('a', 'b'))
    t.equal(await find(store, 'b'), 'key', 'and delays no rotation of the form in use')
    t.match(store.status(), { ready: true, lastError: null })
    t.same(log, [])
    store.close()
  })
}

t.test('naming the other form spends the same budget', async (t) => {
  const endpoint = new KeyEndpoint().answer(good('a')).answer(status(500), 'updated')
  const { store } = openStore(endpoint, new Clocks(), BOTH)
  await store.ready()
  for (const kid of ['x', 'y', 'z']) await find(store, kid)
  t.equal(await find(store, 'x', 1), 'ERR_KEY_UNKNOWN')
  t.same(endpoint.asked, ['original', 'original', 'original', 'original'])
  store.close()
})

t.test(
  'a form that had keys and fails is 503 when they are too old, unless it says 404',
  async (t) => {
    const endpoint = new KeyEndpoint().answer(good('a')).answer(good('u'), 'updated')
    const clocks = new Clocks()
    const { store } = openStore(endpoint, clocks, { ...BOTH, maxStaleMs: HOUR })
    await store.ready()
    t.equal(await find(store, 'u', 1), 'key')
    endpoint.answer(status(500), 'updated')
    for (let minute = 0; minute < 62; minute += 1) {
      clocks.advance(MINUTE)
      await find(store, 'a')
      await find(store, 'u', 1)
      await settle()
    }
    t.match(await find(store, 'u', 1), /^unavailable/)
    t.equal(await find(store, 'a'), 'key', 'the other form goes on')
    endpoint.answer(status(404), 'updated')
    clocks.advance(MINUTE)
    t.equal(await find(store, 'u', 1), 'ERR_KEY_UNKNOWN')
    store.close()
  },
)

t.test('one line when keys go bad, one when they are well again', async (t) => {
  const endpoint = new KeyEndpoint().answer(good('a'))
  const clocks = new Clocks()
  const { store, log } = openStore(endpoint, clocks)
  await store.ready()
  endpoint.answer(status(503))
  for (let minute = 0; minute < 14; minute += 1) {
    clocks.advance(MINUTE)
    await find(store, 'a')
    await settle()
  }
  t.same(log, [], 'a hiccup is no news')
  for (let minute = 0; minute < 10; minute += 1) {
    clocks.advance(MINUTE)
    await find(store, 'a')
    await settle()
  }
  t.equal(log.length, 1)
  t.match(log[0], {
    level: 'error',
    message: /the key set is stale/,
    details: { userPoolId: 'eu-west-1_AbCdEfGhI', code: 'ERR_JWKS_STATUS', status: 503 },
  })
  t.match(store.status(), { ready: true, lastError: 'ERR_JWKS_STATUS' })
  endpoint.answer(good('a'))
  clocks.advance(MINUTE)
  await find(store, 'a')
  await settle()
  t.equal(log.length, 2)
  t.match(log[1], { level: 'info', message: /fresh again/ })
  store.close()
})

t.test('a suspended process waits for the refresh on resume', async (t) => {
  const endpoint = new KeyEndpoint().answer(good('a'))
  const clocks = new Clocks()
  const { store } = openStore(endpoint, clocks)
  await store.ready()
  endpoint.answer(good('b'))
  endpoint.gated = true
  clocks.advance(3 * HOUR)
  const removed = find(store, 'a')
  const fresh = find(store, 'b')
  await settle()
  endpoint.release()
  endpoint.gated = false
  t.equal(await removed, 'ERR_KEY_UNKNOWN', 'revoked while asleep')
  t.equal(await fresh, 'key')
  t.equal(await find(store, 'b'), 'key')
  store.close()
})

t.test('on wake, an endpoint that hangs is waited for no longer than a second', async (t) => {
  const endpoint = new KeyEndpoint().answer(good('a'))
  const clocks = new Clocks()
  const { store } = openStore(endpoint, clocks)
  await store.ready()
  endpoint.answer(hang)
  clocks.advance(HOUR)
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const waiting = find(store, 'a')
  await settle()
  mock.timers.tick(SECOND)
  t.equal(await waiting, 'key')
  t.equal(await find(store, 'a'), 'key', 'the next one does not wait')
  store.close()
})

t.test('a wall clock that steps either way refreshes, and changes no age', async (t) => {
  for (const step of [-2 * HOUR, 48 * HOUR]) {
    const endpoint = new KeyEndpoint().answer(good('a'))
    const clocks = new Clocks()
    const { store } = openStore(endpoint, clocks)
    await store.ready()
    clocks.monotonic += MINUTE
    clocks.wall += MINUTE + step
    t.equal(store.status().keysAge, 60)
    t.equal(await find(store, 'a'), 'key')
    t.equal(endpoint.asked.length, 2)
    t.equal(await find(store, 'a'), 'key')
    t.equal(endpoint.asked.length, 2, 'once')
    store.close()
  }
})

t.test('a monotonic clock that steps back neither resets nor extends an age', async (t) => {
  const endpoint = new KeyEndpoint().answer(good('a'))
  const clocks = new Clocks()
  const { store } = openStore(endpoint, clocks, { maxStaleMs: HOUR })
  await store.ready()
  endpoint.answer(status(500))
  clocks.advance(50 * MINUTE)
  t.equal(await find(store, 'a'), 'key')
  clocks.monotonic -= 40 * MINUTE
  t.equal(store.status().keysAge, 50 * 60)
  clocks.advance(11 * MINUTE)
  t.match(await find(store, 'a'), /^unavailable/)
  store.close()
})
