import { mock } from 'node:test'
import t from 'tap'
import { importKeySet } from '../../../src/core/keys/jwk.ts'
import {
  type Answer,
  Clocks,
  find,
  good,
  hang,
  KeyEndpoint,
  keySet,
  MINUTE,
  openStore,
  refused,
  SECOND,
  settle,
  status,
} from '../../support/key-endpoint.ts'

/** Hosts of a pool with one replica: the forms of the home Region, and those of the replica. */
const FORMS = ['original', 'updated', 'replica', 'replica-updated']
const REGIONS = ['eu-west-1', 'eu-west-1', 'us-west-2', 'us-west-2']
const REPLICATED = { forms: FORMS, regions: REGIONS }
const [OWN, , REPLICA, REPLICA_UPDATED] = [0, 1, 2, 3] as const

function open(answers: Readonly<Record<string, Answer>>, options = {}) {
  const endpoint = new KeyEndpoint()
  for (const [host, answer] of Object.entries(answers)) endpoint.answer(answer, host)
  const clocks = new Clocks()
  return { endpoint, clocks, ...openStore(endpoint, clocks, { ...REPLICATED, ...options }) }
}

t.test('the start asks no replica where the own Region has keys', async (t) => {
  const { store, endpoint } = open({ original: good('a'), replica: good('r') })
  await store.ready()
  t.same(endpoint.asked, ['original'])
  t.equal(store.status().ready, true)
  t.equal(await find(store, 'r', REPLICA), 'key')
  t.same(endpoint.asked, ['original', 'replica'], 'a form is fetched when a token names it')
  t.same(store.issuersInUse(), ['https://original.example', 'https://replica.example'])
  store.close()
})

const outages = [
  ['is refused', refused, ['original', 'replica']],
  ['hangs', hang, ['original', 'replica']],
  ['answers 500', status(500), ['original', 'replica']],
  ['answers 404', status(404), ['original', 'updated', 'replica']],
] as const

for (const [name, answer, asked] of outages) {
  t.test(`the start asks the replica where the own Region ${name}`, async (t) => {
    const timing = { startup: 'require', fetchTimeout: 20 }
    const { store, endpoint, log } = open({ original: answer, replica: good('r') }, timing)
    await store.ready()
    t.same(endpoint.asked, asked)
    t.match(store.status(), { ready: true, lastError: null })
    t.same(log, [], 'no alarm: the pool has keys')
    t.equal(await find(store, 'r', REPLICA), 'key')
    store.close()
  })
}

t.test(
  'the start asks the updated form of a replica where its original one is absent',
  async (t) => {
    const { store, endpoint } = open({ original: refused, 'replica-updated': good('u') })
    await store.ready()
    t.same(endpoint.asked, ['original', 'replica', 'replica-updated'])
    t.equal(await find(store, 'u', REPLICA_UPDATED), 'key')
    store.close()
  },
)

t.test('a start that finds no keys goes on by the backoff of each Region', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const wait = { 'retry-after': '30' }
  const { store, endpoint, clocks, log } = open({ original: status(503, wait), replica: refused })
  await store.ready()
  t.same(endpoint.asked, ['original', 'replica'])
  t.equal(log.length, 1)
  t.equal(store.status().nextAttempt, 1, 'the Region that may be asked first')
  clocks.advance(SECOND)
  mock.timers.tick(SECOND)
  await settle()
  t.same(endpoint.asked.slice(2), ['replica'], 'the other one asked for 30 seconds')
  endpoint.answer(good('a')).answer(good('r'), 'replica')
  clocks.advance(30 * SECOND)
  mock.timers.tick(30 * SECOND)
  await settle()
  t.same(endpoint.asked.slice(3), ['original'])
  t.equal(store.status().ready, true)
  store.close()
})

t.test('while an endpoint of a replica fails, its tokens are not called invalid', async (t) => {
  const { store, endpoint, clocks } = open({ original: good('a'), replica: status(500) })
  await store.ready()
  t.equal(await find(store, 'r', REPLICA), 'unavailable 1')
  t.equal(await find(store, 'a', OWN), 'key')
  t.match(store.status(), { ready: true, lastError: null })
  endpoint.answer(good('r'), 'replica')
  clocks.advance(SECOND)
  t.equal(await find(store, 'r', REPLICA), 'key')
  store.close()
})

t.test('the other form of a Region in use, and a form that is absent, give 401', async (t) => {
  const { store, endpoint, clocks } = open({ original: good('a'), replica: good('r') })
  endpoint.answer(refused, 'updated').answer(refused, 'replica-updated')
  await store.ready()
  t.equal(await find(store, 'x', 1), 'ERR_KEY_UNKNOWN', 'the updated form of the own Region')
  t.equal(await find(store, 'r', REPLICA), 'key')
  t.equal(await find(store, 'x', REPLICA_UPDATED), 'ERR_KEY_UNKNOWN')
  store.close()
  for (const code of [403, 404]) {
    const absent = open({ original: good('a'), replica: status(code) })
    await absent.store.ready()
    t.equal(await find(absent.store, 'x', REPLICA), 'ERR_KEY_UNKNOWN')
    absent.clocks.advance(4 * MINUTE)
    t.equal(await find(absent.store, 'y', REPLICA), 'ERR_KEY_UNKNOWN')
    t.same(absent.endpoint.asked, ['original', 'replica'], 'remembered for an interval')
    absent.store.close()
  }
  t.ok(clocks)
})

t.test('each form has its own backoff', async (t) => {
  const { store, endpoint, clocks } = open({ original: good('a'), replica: status(500) })
  await store.ready()
  clocks.advance(10 * SECOND)
  t.match(await find(store, 'r', REPLICA), /^unavailable/)
  endpoint.answer(good('a', 'b'))
  t.equal(await find(store, 'b', OWN), 'key', 'the backoff of the replica is no other form’s')
  store.close()
})

t.test('a flood on one form leaves the other its share of the fetch budget', async (t) => {
  const { store, endpoint, clocks } = open({ original: good('a'), replica: good('r') })
  await store.ready()
  t.equal(await find(store, 'r', REPLICA), 'key')
  const flood = async () => {
    for (let use = 0; use < 20; use += 1) await find(store, `made up ${use}`, REPLICA)
  }
  clocks.advance(MINUTE)
  await flood()
  endpoint.answer(good('a', 'rotated'))
  t.match(await find(store, 'rotated', OWN), /^unavailable/, 'the budget is spent')
  const before = endpoint.asked.length
  clocks.advance(5 * SECOND)
  await flood()
  t.equal(await find(store, 'rotated', OWN), 'key', 'one cooldown later, whoever asks first')
  t.same(endpoint.asked.slice(before), ['original'], 'the budget is shared')
  clocks.advance(5 * SECOND)
  await flood()
  t.same(endpoint.asked.slice(before), ['original', 'replica'])
  store.close()
})

t.test('initial keys outlive a fetch of another Region while their own one fails', async (t) => {
  const keys = importKeySet(keySet('a'))
  if (keys === undefined) throw new Error('no keys')
  const given = { keySet: keys, isOffline: false }
  const { store, endpoint, clocks } = open({ original: refused, replica: good('r') }, { given })
  await store.ready()
  t.same(endpoint.asked, ['original'], 'the pool has keys already')
  t.equal(await find(store, 'a', OWN), 'key')
  t.equal(await find(store, 'r', REPLICA), 'key')
  t.equal(await find(store, 'a', OWN), 'key', 'its own Region did not replace it')
  t.equal(await find(store, 'a', REPLICA), 'ERR_KEY_UNKNOWN', 'the fetch did')
  endpoint.answer(good('b'))
  clocks.advance(6 * MINUTE)
  t.equal(await find(store, 'b', OWN), 'key')
  t.equal(await find(store, 'a', OWN), 'ERR_KEY_UNKNOWN')
  store.close()
})
