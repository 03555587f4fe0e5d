import { mock } from 'node:test'
import t from 'tap'
import {
  Clocks,
  find,
  good,
  KeyEndpoint,
  MINUTE,
  openStore,
  SECOND,
  settle,
  status,
} from '../../support/key-endpoint.ts'

/** A store both of whose issuer forms are in use, the updated one fetched a minute later. */
async function both() {
  const endpoint = new KeyEndpoint().answer(good('a')).answer(good('u'), 'updated')
  const clocks = new Clocks()
  const { store, log } = openStore(endpoint, clocks, { forms: ['original', 'updated'] })
  await store.ready()
  clocks.advance(MINUTE)
  t.equal(await find(store, 'u', 1), 'key')
  return { endpoint, clocks, store, log }
}

t.test('keysAge is the age of the newest keys', async (t) => {
  const { clocks, store } = await both()
  clocks.advance(MINUTE)
  t.equal(store.status().keysAge, 60)
  store.close()
})

t.test('the error and the next attempt told are those of whichever form fails', async (t) => {
  const { endpoint, store } = await both()
  endpoint.answer(status(500), 'updated')
  await store.issuers[1]?.source.refresh()
  t.equal(store.status().lastError, 'ERR_JWKS_STATUS')
  t.equal(store.status().nextAttempt, 1)
  store.close()
})

t.test('a form that had keys is asked again soon, whatever it says in between', async (t) => {
  const { endpoint, clocks, store } = await both()
  for (const code of [403, 404]) {
    endpoint.answer(status(code), 'updated')
    await store.issuers[1]?.source.refresh()
    t.equal(store.status().nextAttempt, 1, `${code} is remembered of a form that never had any`)
    endpoint.answer(good('u', `after ${code}`), 'updated')
    clocks.advance(SECOND)
    t.equal(await find(store, `after ${code}`, 1), 'key')
  }
  store.close()
})

t.test('the timer refreshes each form in use', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { endpoint, clocks, store } = await both()
  clocks.advance(6 * MINUTE)
  mock.timers.tick(6 * MINUTE)
  await settle()
  t.same(endpoint.asked, ['original', 'updated', 'original', 'updated'])
  store.close()
})

t.test('a form that was never asked makes no timer run in circles', async (t) => {
  const endpoint = new KeyEndpoint().answer(status(500))
  const { store } = openStore(endpoint, new Clocks(), { forms: ['original', 'updated'] })
  await store.ready()
  t.equal(store.status().nextAttempt, 1)
  store.close()
})

t.test('a log line tells the pool and the age of its keys in seconds', async (t) => {
  const endpoint = new KeyEndpoint().answer(good('a'))
  const clocks = new Clocks()
  const { store, log } = openStore(endpoint, clocks)
  await store.ready()
  endpoint.answer(status(500))
  clocks.advance(20 * MINUTE)
  await find(store, 'a')
  t.match(log, [{ level: 'error', details: { keysAge: 20 * 60 } }])
  endpoint.answer(good('a'))
  clocks.advance(SECOND)
  await find(store, 'a')
  await settle()
  t.match(log[1], { level: 'info', details: { userPoolId: 'eu-west-1_AbCdEfGhI' } })
  store.close()
})
