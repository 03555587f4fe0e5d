import { mock } from 'node:test'
import t from 'tap'
import {
  Clocks,
  find,
  good,
  HOUR,
  KeyEndpoint,
  MINUTE,
  openStore,
  SECOND,
  settle,
  status,
} from '../../support/key-endpoint.ts'

const BOTH = { forms: ['original', 'updated'] }

t.test('keys are trusted up to maxStale and not a millisecond longer', async (t) => {
  const endpoint = new KeyEndpoint().answer(good('a'))
  const clocks = new Clocks()
  const { store } = openStore(endpoint, clocks, { maxStaleMs: HOUR })
  await store.ready()
  endpoint.answer(status(500))
  clocks.advance(HOUR)
  t.equal(await find(store, 'a'), 'key')
  clocks.advance(1)
  t.match(await find(store, 'a'), /^unavailable/)
  store.close()
})

t.test('after a wake, a known key is answered at once again', async (t) => {
  const endpoint = new KeyEndpoint().answer(good('a'))
  const clocks = new Clocks()
  const { store } = openStore(endpoint, clocks)
  await store.ready()
  clocks.advance(HOUR)
  t.equal(await find(store, 'a'), 'key')
  await settle()
  t.notOk(store.issuers[0]?.find('a') instanceof Promise)
  store.close()
})

t.test('a closed store with keys fetches for no unknown kid', async (t) => {
  const endpoint = new KeyEndpoint().answer(good('a'))
  const { store } = openStore(endpoint, new Clocks())
  await store.ready()
  store.close()
  endpoint.answer(good('a', 'b'))
  t.equal(await find(store, 'b'), 'unavailable 1')
  t.equal(endpoint.asked.length, 1)
})

t.test('without keys the backoff alone rations: no budget runs out', async (t) => {
  const endpoint = new KeyEndpoint().answer(status(500))
  const clocks = new Clocks()
  const { store } = openStore(endpoint, clocks, { cooldownMs: HOUR })
  await store.ready()
  for (let failure = 1; failure < 8; failure += 1) {
    t.equal(endpoint.asked.length, failure)
    clocks.advance(Math.ceil((store.status().nextAttempt as number) * SECOND))
    t.match(await find(store, 'a'), /^unavailable/)
  }
  store.close()
})

t.test('a set fetched exactly one cooldown ago proves no kid unknown', async (t) => {
  const endpoint = new KeyEndpoint().answer(good('a')).answer(good('u'), 'updated')
  const clocks = new Clocks()
  const { store } = openStore(endpoint, clocks, BOTH)
  await store.ready()
  t.equal(await find(store, 'u', 1), 'key')
  clocks.advance(MINUTE)
  for (const kid of ['x', 'y', 'z']) t.equal(await find(store, kid), 'ERR_KEY_UNKNOWN')
  clocks.advance(5 * SECOND - 1)
  t.equal(await find(store, 'x'), 'ERR_KEY_UNKNOWN')
  clocks.advance(1)
  t.equal(await find(store, 'x', 1), 'ERR_KEY_UNKNOWN', 'spends the fetch that came back')
  t.equal(await find(store, 'x'), 'unavailable 1')
  store.close()
})

t.test('a document without a usable key has its own error code', async (t) => {
  const endpoint = new KeyEndpoint().answer(() => Response.json({ keys: [] }))
  const { store } = openStore(endpoint, new Clocks())
  await store.ready()
  t.equal(store.status().lastError, 'ERR_JWKS_NO_USABLE_KEY')
  store.close()
})

t.test('refreshes are spread over a tenth of the interval either way', async (t) => {
  const { mock: source } = mock.method(Math, 'random')
  t.teardown(() => source.restore())
  for (const [random, seconds] of [
    [0, 270],
    [0.5, 300],
    [1, 330],
  ] as const) {
    source.mockImplementation(() => random)
    const { store } = openStore(new KeyEndpoint().answer(good('a')), new Clocks())
    await store.ready()
    t.equal(store.status().nextAttempt, seconds)
    store.close()
  }
})

t.test('a form that failed once is asked again after one backoff step', async (t) => {
  const endpoint = new KeyEndpoint().answer(good('a')).answer(status(500), 'updated')
  const clocks = new Clocks()
  const { store } = openStore(endpoint, clocks, BOTH)
  await store.ready()
  t.equal(await find(store, 'u', 1), 'ERR_KEY_UNKNOWN')
  endpoint.answer(good('u'), 'updated')
  clocks.advance(SECOND)
  t.equal(await find(store, 'u', 1), 'key', 'only 403 and 404 are remembered for an interval')
  store.close()
})
