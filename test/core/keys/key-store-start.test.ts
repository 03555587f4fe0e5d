import { mock } from 'node:test'
import t from 'tap'
import { importKeySet } from '../../../src/core/keys/jwk.ts'
import { type KeyStore, StartupError } from '../../../src/core/keys/key-store.ts'
import {
  Clocks,
  find,
  good,
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

const BOTH = { forms: ['original', 'updated'] }

function given(isOffline: boolean, ...kids: string[]) {
  const imported = importKeySet(keySet(...kids))
  if (imported === undefined) throw new Error('no keys')
  return { keySet: imported, isOffline }
}

const unusable = [
  ['an empty set', { keys: [] }],
  ['no set', { hello: 1 }],
  ['null', null],
  ['an EC key', { keys: [{ kid: 'a', kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }] }],
  ['a secret', { keys: [{ kid: 'a', kty: 'oct', k: 'AAAA' }] }],
  ['an encryption key', { keys: [{ ...publicJwk('a'), use: 'enc' }] }],
  ['another algorithm', { keys: [{ ...publicJwk('a'), alg: 'RS512' }] }],
  ['private members', { keys: [{ ...publicJwk('a'), d: 'AQAB' }] }],
  ['exponent 1', { keys: [{ ...publicJwk('a'), e: 'AQ' }] }],
] as const

const outages = [
  ['refused', refused],
  ['500', status(500)],
  ['404', status(404)],
  ['not JSON', () => new Response('<html>')],
  ...unusable.map(([name, body]) => [`only ${name}`, () => Response.json(body)] as const),
] as const

for (const [name, answer] of outages) {
  t.test(`at start without keys, ${name}: 503, then 200 within one backoff step`, async (t) => {
    const endpoint = new KeyEndpoint().answer(answer)
    const clocks = new Clocks()
    const { store, log } = openStore(endpoint, clocks)
    t.match(await find(store, 'a'), /^unavailable \d+$/)
    t.equal(store.status().ready, false)
    t.equal(log.length, 1)
    t.match(log[0], { level: 'warn', message: /no key set yet/ })
    endpoint.answer(good('a'))
    clocks.advance(MINUTE)
    t.equal(await find(store, 'a'), 'key')
    t.equal(store.status().ready, true)
    await settle()
    t.match(log[1], { level: 'info', message: /fresh again/ })
    t.equal(log.length, 2)
    store.close()
  })
}

t.test('ready() settles after the first fetch, failed or not', async (t) => {
  const { store } = openStore(new KeyEndpoint().answer(refused), new Clocks())
  await store.ready()
  t.match(store.status(), { ready: false, keysAge: null, lastError: 'ERR_JWKS_NETWORK' })
  store.close()
})

t.test('startup: require rejects without keys and names the fix', async (t) => {
  const { store } = openStore(new KeyEndpoint().answer(status(500)), new Clocks(), {
    startup: 'require',
  })
  const error = await store.ready().catch((reason: unknown) => reason)
  t.type(error, StartupError)
  t.match(error, {
    code: 'ERR_KEYS_UNAVAILABLE',
    message: /user pool eu-west-1_AbCdEfGhI: check issuer, jwksUri and egress/,
    cause: { code: 'ERR_JWKS_STATUS', status: 500 },
  })
  store.close()
})

t.test('startup: require starts with keys', async (t) => {
  const { store } = openStore(new KeyEndpoint().answer(good('a')), new Clocks(), {
    startup: 'require',
  })
  await store.ready()
  t.equal(store.status().ready, true)
  store.close()
})

t.test('start asks the updated form only where the original says 403 or 404', async (t) => {
  for (const code of [403, 404]) {
    const endpoint = new KeyEndpoint().answer(status(code)).answer(good('u'), 'updated')
    const { store, log } = openStore(endpoint, new Clocks(), BOTH)
    await store.ready()
    t.same(endpoint.asked, ['original', 'updated'])
    t.equal(store.status().ready, true)
    t.equal(store.status().lastError, null)
    t.same(log, [], 'nothing went bad')
    store.close()
  }
  const endpoint = new KeyEndpoint().answer(status(500)).answer(good('u'), 'updated')
  const { store } = openStore(endpoint, new Clocks(), BOTH)
  await store.ready()
  t.same(endpoint.asked, ['original'])
  t.equal(store.status().ready, false)
  t.equal(await find(store, 'u', 1), 'key', 'a token that names it makes it ask')
  store.close()
})

t.test(
  'without keys the timer tries again, form by form, and stops nobody from exiting',
  async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => mock.timers.reset())
    const endpoint = new KeyEndpoint().answer(status(403)).answer(status(500), 'updated')
    const clocks = new Clocks()
    const { store } = openStore(endpoint, clocks, BOTH)
    await settle()
    t.same(endpoint.asked, ['original', 'updated'])
    endpoint.answer(good('u'), 'updated')
    clocks.advance(SECOND)
    mock.timers.tick(SECOND)
    await settle()
    t.same(endpoint.asked, ['original', 'updated', 'original', 'updated'])
    t.equal(store.status().ready, true)
    store.close()
  },
)

t.test('keys are refreshed while idle, every interval give or take a tenth', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const endpoint = new KeyEndpoint().answer(good('a'))
  const clocks = new Clocks()
  const { store } = openStore(endpoint, clocks)
  await settle()
  const step = async (milliseconds: number): Promise<void> => {
    clocks.advance(milliseconds)
    mock.timers.tick(milliseconds)
    await settle()
  }
  await step(4.4 * MINUTE)
  t.equal(endpoint.asked.length, 1)
  await step(1.2 * MINUTE)
  t.equal(endpoint.asked.length, 2)
  t.equal(store.status().keysAge, 0)
  // A timer that fires while the monotonic clock lags looks again instead of fetching.
  mock.timers.tick(6 * MINUTE)
  await settle()
  t.equal(endpoint.asked.length, 2)
  await step(6 * MINUTE)
  t.equal(endpoint.asked.length, 3)
  store.close()
  await step(60 * MINUTE)
  t.equal(endpoint.asked.length, 3, 'not after close')
})

t.test('backoff doubles from 1 to 60 s, honours Retry-After up to 60 s', async (t) => {
  const endpoint = new KeyEndpoint().answer(status(500))
  const clocks = new Clocks()
  const { store } = openStore(endpoint, clocks)
  const waits: number[] = []
  for (let failure = 0; failure < 9; failure += 1) {
    await find(store, 'a')
    const wait = store.status().nextAttempt as number
    waits.push(wait)
    clocks.advance(Math.round(wait * SECOND) - 1)
    const asked = endpoint.asked.length
    await find(store, 'a')
    t.equal(endpoint.asked.length, asked, 'not a millisecond early')
    clocks.advance(1)
  }
  for (const [index, wait] of waits.entries()) {
    const step = Math.min(60, 2 ** index)
    t.ok(wait <= step && wait >= Math.max(1, step * 0.75), `${wait} of ${step}`)
  }
  endpoint.answer(status(503, { 'retry-after': '86400' }))
  t.equal(await find(store, 'a'), 'unavailable 60')
  store.close()
})

t.test('offline keys are never refreshed', async (t) => {
  const endpoint = new KeyEndpoint()
  const clocks = new Clocks()
  const { store } = openStore(endpoint, clocks, { given: given(true, 'a') })
  await store.ready()
  clocks.advance(1000 * 24 * 60 * MINUTE)
  t.equal(await find(store, 'a'), 'key')
  t.equal(await find(store, 'b'), 'ERR_KEY_UNKNOWN')
  t.same(store.status(), { ready: true, keysAge: 0, lastError: null, nextAttempt: null })
  t.same(endpoint.asked, [])
  store.close()
})

t.test('initial keys answer at once and are replaced whole by the first good fetch', async (t) => {
  const endpoint = new KeyEndpoint().answer(status(500))
  const clocks = new Clocks()
  const { store } = openStore(endpoint, clocks, { given: given(false, 'bundled') })
  t.equal(store.status().ready, true)
  t.equal(await find(store, 'bundled'), 'key')
  t.same(endpoint.asked, ['original'], 'stale from the start')
  await store.ready()
  endpoint.answer(good('a'))
  clocks.advance(2 * SECOND)
  t.equal(await find(store, 'bundled'), 'key')
  await settle()
  t.equal(await find(store, 'bundled'), 'ERR_KEY_UNKNOWN')
  t.equal(await find(store, 'a'), 'key')
  store.close()
})

t.test('closing aborts fetches in flight and answers waiting requests with 503', async (t) => {
  const { store } = openStore(new KeyEndpoint().answer(hang), new Clocks())
  const waiting = find(store, 'a')
  store.close()
  t.equal(await waiting, 'unavailable 1')
  t.equal(await find(store, 'a'), 'unavailable 1')
  t.equal((store as KeyStore).status().ready, false)
})
