import t from 'tap'
import type { KeyStore } from '../../../src/core/keys/key-store.ts'
import {
  Clocks,
  find,
  good,
  HOUR,
  hang,
  KeyEndpoint,
  keySet,
  MINUTE,
  openStore,
  publicJwk,
  refused,
  SECOND,
  settle,
  status,
} from '../../support/key-endpoint.ts'

async function running(...kids: string[]): Promise<{
  endpoint: KeyEndpoint
  clocks: Clocks
  store: KeyStore
}> {
  const endpoint = new KeyEndpoint().answer(good(...kids))
  const clocks = new Clocks()
  const { store } = openStore(endpoint, clocks)
  await store.ready()
  return { endpoint, clocks, store }
}

t.test('1,000 simultaneous first requests make one fetch', async (t) => {
  const endpoint = new KeyEndpoint().answer(good('a'))
  const { store } = openStore(endpoint, new Clocks())
  const answers = await Promise.all(Array.from({ length: 1000 }, () => find(store, 'a')))
  t.ok(answers.every((answer) => answer === 'key'))
  t.equal(endpoint.asked.length, 1)
  store.close()
})

t.test('the 1,001st waiter gets 503 at once', async (t) => {
  const endpoint = new KeyEndpoint().answer(good('a'))
  endpoint.gated = true
  const { store } = openStore(endpoint, new Clocks())
  const waiting = Array.from({ length: 1000 }, () => find(store, 'a'))
  t.equal(await find(store, 'a'), 'unavailable 1')
  endpoint.release()
  t.ok((await Promise.all(waiting)).every((answer) => answer === 'key'))
  store.close()
})

t.test('a new key is accepted at its first use, right after a fetch too', async (t) => {
  const { endpoint, store } = await running('a')
  endpoint.answer(good('a', 'b'))
  t.equal(await find(store, 'b'), 'key')
  t.equal(endpoint.asked.length, 2)
  store.close()
})

t.test('a new key published while a fetch is in flight is accepted at its first use', async (t) => {
  const { endpoint, store } = await running('a')
  endpoint.gated = true
  endpoint.answer(good('a'))
  const early = find(store, 'x')
  await settle()
  endpoint.answer(good('a', 'b'))
  const first = find(store, 'b')
  endpoint.gated = false
  endpoint.release()
  t.equal(await first, 'key')
  t.equal(await early, 'ERR_KEY_UNKNOWN')
  store.close()
})

t.test('a kid used too early is accepted at its next use: none is remembered as bad', async (t) => {
  const { endpoint, store } = await running('a')
  t.equal(await find(store, 'b'), 'ERR_KEY_UNKNOWN')
  endpoint.answer(good('a', 'b'))
  t.equal(await find(store, 'b'), 'key')
  store.close()
})

t.test('a flood of unknown kids makes three fetches and one per cooldown, all 401', async (t) => {
  const { endpoint, clocks, store } = await running('a')
  for (let wave = 0; wave < 20; wave += 1) {
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, index) => find(store, `${wave}-${index}`)),
    )
    t.ok(answers.every((answer) => answer === 'ERR_KEY_UNKNOWN'))
  }
  t.equal(endpoint.asked.length, 1 + 3)
  t.equal(await find(store, 'a'), 'key', 'a known key waits for nothing')
  endpoint.answer(good('a', 'b'))
  t.equal(await find(store, 'b'), 'ERR_KEY_UNKNOWN', 'no budget left')
  clocks.advance(5 * SECOND)
  t.equal(await find(store, 'b'), 'key', 'at most one cooldown later')
  t.equal(endpoint.asked.length, 1 + 4)
  store.close()
})

t.test('an unspent budget does not grow beyond three', async (t) => {
  const { endpoint, clocks, store } = await running('a')
  clocks.advance(4 * MINUTE)
  for (let index = 0; index < 10; index += 1) await find(store, `x${index}`)
  t.equal(endpoint.asked.length, 1 + 3)
  store.close()
})

t.test('a removed key is rejected from the next refresh on, under steady traffic', async (t) => {
  const { endpoint, clocks, store } = await running('a', 'b')
  endpoint.answer(good('b'))
  clocks.advance(4 * MINUTE)
  t.equal(await find(store, 'a'), 'key')
  clocks.advance(2 * MINUTE)
  await find(store, 'b')
  await settle()
  t.equal(await find(store, 'a'), 'ERR_KEY_UNKNOWN')
  store.close()
})

t.test('the old key set answers while the refresh is in flight', async (t) => {
  const { endpoint, clocks, store } = await running('a')
  endpoint.gated = true
  clocks.advance(6 * MINUTE)
  t.equal(await find(store, 'a'), 'key')
  t.equal(endpoint.asked.length, 2)
  t.equal(await find(store, 'a'), 'key')
  t.equal(endpoint.asked.length, 2, 'one at a time')
  endpoint.release()
  store.close()
})

t.test('an unchanged key keeps its KeyObject, new material under its kid does not', async (t) => {
  const { endpoint, clocks, store } = await running('a')
  const [keys] = store.issuers as [KeyStore['issuers'][0]]
  const before = await keys.find('a')
  clocks.advance(6 * MINUTE)
  await keys.source.refresh()
  t.equal(await keys.find('a'), before)
  endpoint.answer(() => Response.json({ keys: [publicJwk('a', 1)] }))
  await keys.source.refresh()
  t.not(await keys.find('a'), before)
  store.close()
})

t.test('a stale edge that brings the old set back once does no lasting harm', async (t) => {
  const { endpoint, clocks, store } = await running('a')
  endpoint.answer(good('a', 'b'))
  t.equal(await find(store, 'b'), 'key')
  endpoint.answer(good('a'))
  clocks.advance(6 * MINUTE)
  await find(store, 'a')
  await settle()
  endpoint.answer(good('a', 'b'))
  t.equal(await find(store, 'b'), 'key')
  store.close()
})

t.test('a listed kid that could not be imported is 503, never 401', async (t) => {
  const { endpoint, store } = await running('a')
  const weak = { ...publicJwk('b'), e: 'AQ' }
  endpoint.answer(() => Response.json({ keys: [...keySet('a').keys, weak] }))
  t.equal(await find(store, 'b'), 'unavailable 1')
  t.equal(await find(store, 'a'), 'key', 'one bad entry spoils nothing')
  store.close()
})

t.test(
  'a listed kid that is not for RS256 signatures is 401, as one that is not listed',
  async (t) => {
    const { endpoint, store } = await running('a')
    const foreign = { ...publicJwk('b'), use: 'enc' }
    endpoint.answer(() => Response.json({ keys: [...keySet('a').keys, foreign] }))
    for (let index = 0; index < 5; index += 1) t.equal(await find(store, 'b'), 'ERR_KEY_UNKNOWN')
    t.equal(endpoint.asked.length, 1 + 3, 'within the budget for unknown kids')
    t.equal(await find(store, 'a'), 'key')
    store.close()
  },
)

t.test('an unknown kid is 503 at once while the fetch fails or backs off', async (t) => {
  const { endpoint, clocks, store } = await running('a')
  endpoint.answer(refused)
  t.equal(await find(store, 'b'), 'unavailable 1')
  t.equal(await find(store, 'c'), 'unavailable 1')
  t.equal(endpoint.asked.length, 2, 'not asked again while backing off')
  t.equal(await find(store, 'a'), 'key', 'a known key is not touched by it')
  endpoint.answer(good('a', 'b'))
  clocks.advance(SECOND)
  t.equal(await find(store, 'b'), 'key')
  store.close()
})

t.test(
  'an unknown kid is 503 when the budget is gone and nothing recent was fetched',
  async (t) => {
    const endpoint = new KeyEndpoint().answer(good('a')).answer(good('u'), 'updated')
    const clocks = new Clocks()
    const { store } = openStore(endpoint, clocks, { forms: ['original', 'updated'] })
    await store.ready()
    t.equal(await find(store, 'u', 1), 'key')
    clocks.advance(MINUTE)
    for (const kid of ['x', 'y', 'z']) t.equal(await find(store, kid, 1), 'ERR_KEY_UNKNOWN')
    t.equal(await find(store, 'x', 0), 'unavailable 1', 'this form was asked a minute ago')
    t.equal(await find(store, 'x', 1), 'ERR_KEY_UNKNOWN', 'this one just now')
    store.close()
  },
)

t.test('keys older than maxStale answer nothing, on the very next use', async (t) => {
  const { endpoint, clocks, store } = await running('a')
  endpoint.answer(status(500))
  for (let hour = 0; hour < 24; hour += 1) {
    clocks.advance(HOUR - 1)
    t.equal(await find(store, 'a'), 'key')
    await settle()
  }
  clocks.advance(MINUTE)
  t.match(await find(store, 'a'), /^unavailable \d+$/)
  endpoint.answer(good('a'))
  clocks.advance(MINUTE)
  t.equal(await find(store, 'a'), 'key', 'and recover within one backoff step')
  store.close()
})

t.test('a hang after the start keeps no known key waiting', async (t) => {
  const { endpoint, clocks, store } = await running('a')
  endpoint.answer(hang)
  clocks.advance(6 * MINUTE)
  for (let use = 0; use < 100; use += 1) {
    const answer = store.issuers[0]?.find('a')
    t.notOk(answer instanceof Promise)
  }
  t.equal(endpoint.asked.length, 2)
  store.close()
})
