/** Keys that came with the options, and a pool with two issuer forms of which it uses one. */
import { mock } from 'node:test'
import t from 'tap'
import { importKeySet, type KeySet } from '../../../src/core/keys/jwk.ts'
import {
  Clocks,
  find,
  good,
  KeyEndpoint,
  keySet,
  MINUTE,
  openStore,
  settle,
  status,
} from '../../support/key-endpoint.ts'

t.test('the first good fetch of either form replaces the initial keys of both', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  for (const [used, other] of [
    ['original', 'updated'],
    ['updated', 'original'],
  ] as const) {
    const endpoint = new KeyEndpoint().answer(status(404), other).answer(good('a'), used)
    const clocks = new Clocks()
    const forms = ['original', 'updated']
    const given = { keySet: importKeySet(keySet('retired')) as KeySet, isOffline: false }
    const { store, log } = openStore(endpoint, clocks, { forms, given })
    const [first, second] = [forms.indexOf(used), forms.indexOf(other)]
    t.equal(await find(store, 'retired', second), 'key')
    await store.ready()
    t.equal(await find(store, 'retired', second), 'ERR_KEY_UNKNOWN', `on the form beside ${used}`)
    t.equal(await find(store, 'retired', first), 'ERR_KEY_UNKNOWN')
    t.equal(await find(store, 'a', first), 'key')
    t.match(store.status(), { ready: true, lastError: null })
    const asked = endpoint.asked.filter((it) => it === other).length
    for (let minute = 0; minute < 30; minute += 1) {
      clocks.advance(MINUTE)
      mock.timers.tick(MINUTE)
      await settle()
    }
    t.equal(endpoint.asked.filter((it) => it === other).length, asked, 'nor asked for again')
    t.same(log, [], 'and no alarm is raised')
    store.close()
  }
})
