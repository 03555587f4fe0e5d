/** Faulty clocks and custom stores: the token store continues, and recovers. */
import t from 'tap'
import { ResilientStore } from '../../../src/tokens/store/resilient-store.ts'
import { Clock, KEY, process, recorder, SharedStore } from '../../support/shared-store.ts'

t.test('a store that failed while the clock failed is retried', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(clock)
  const clocks = { now: clock.now, monotonicNow: () => clock.monotonic }
  const { logger } = recorder()
  const store = new ResilientStore({ store: shared, encryptionKeys: [KEY], logger, ...clocks })
  shared.fault = 'rejects'
  clock.monotonic = Number.NaN
  for (let time = 0; time < 3; time += 1) await store.get('a', 'g')
  t.equal(store.status().degraded, true)
  shared.fault = undefined
  await store.get('a', 'g')
  t.equal(store.status().degraded, true, 'without a clock nothing is tried')
  clock.monotonic = 5000
  await store.get('a', 'g')
  t.equal(store.status().degraded, false)
})

t.test('a clock that runs back does not stop retries of a failing store', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(clock)
  clock.monotonic = 1_000_000_000
  const { store } = process(shared, clock)
  shared.fault = 'rejects'
  for (let time = 0; time < 3; time += 1) await store.get('a', 'g')
  shared.fault = undefined
  clock.monotonic = 0
  await store.get('a', 'g')
  clock.pass(2000)
  await store.get('a', 'g')
  t.equal(store.status().degraded, false)
})

t.test('an error whose getters throw is handled like other errors', async (t) => {
  const clock = new Clock()
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error('no')
      },
    },
  )
  const own = new SharedStore(clock)
  own.get = () => Promise.reject(hostile)
  const { store, lines } = process(own, clock)
  for (let time = 0; time < 3; time += 1) t.equal((await store.get('a', 'g')).value, undefined)
  t.equal(store.status().degraded, true)
  t.match(lines, [/"reason":"unknown"/])
})
