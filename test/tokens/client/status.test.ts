/** `client.status()`: until when tokens are cached, what failed last, when a token is requested again. */
import t from 'tap'
import { memoryStore, type TokenStore } from '../../../src/tokens/client/index.ts'
import {
  codeOf,
  refusal,
  SECRET,
  START,
  settle,
  setUpClient,
  timers,
  tokenAnswer,
} from '../../support/client.ts'

const HOUR = 3_600_000
const NOW = START / 1000

t.test(
  'before the first call there is nothing, and a token request in flight is shown',
  async (t) => {
    const { client, world } = setUpClient()
    const { instance, ...rest } = client.status()
    t.ok(Number.isSafeInteger(instance))
    t.strictSame(rest, { region: 'primary', scopeSets: [], store: null })
    let answer = (): void => {}
    world.answer = () => new Promise((resolve) => (answer = () => resolve(tokenAnswer('a'))))
    const pending = client.getToken()
    const set = { scopes: null, metadataNames: [], cachedUntil: null, lastError: null }
    t.strictSame(client.status().scopeSets, [{ ...set, nextAttempt: null, isRequesting: true }])
    await settle()
    answer()
    await pending
    await settle()
    t.strictSame(client.status(), {
      instance,
      region: 'primary',
      scopeSets: [{ ...set, cachedUntil: NOW + 3595, nextAttempt: 2700, isRequesting: false }],
      store: null,
    })
    t.equal(setUpClient().client.status().instance, instance + 1, 'each client has its own number')
  },
)

t.test('each scope set has a separate status at every age', async (t) => {
  const { client, world } = setUpClient({ scopes: ['b/c', 'a/b'] })
  await client.getToken()
  world.pass(1000)
  await client.getToken({ scopes: 'c/d' })
  await settle()
  const times = () =>
    client.status().scopeSets.map(({ scopes, cachedUntil, nextAttempt }) => ({
      scopes,
      cachedUntil,
      nextAttempt,
    }))
  t.strictSame(times(), [
    { scopes: ['a/b', 'b/c'], cachedUntil: NOW + 3595, nextAttempt: 2699 },
    { scopes: ['c/d'], cachedUntil: NOW + 3596, nextAttempt: 2700 },
  ])
  world.pass(0.75 * HOUR)
  t.match(times()[0], { cachedUntil: NOW + 3595, nextAttempt: 0 }, 'due')
  world.pass(0.25 * HOUR - 6001)
  t.match(times()[0], { cachedUntil: NOW + 3595 }, 'a millisecond before its end')
  world.pass(1)
  t.match(times(), [{ cachedUntil: null, nextAttempt: 0 }, { cachedUntil: NOW + 3596 }])
})

t.test('the last error with its time and facts, until a token request succeeds', async (t) => {
  const { client, world } = setUpClient()
  world.answer = () => refusal('invalid_scope')
  t.equal(await codeOf(client.getToken()), 'ERR_TOKEN_REQUEST_REFUSED')
  await settle()
  const lastError = {
    code: 'ERR_TOKEN_REQUEST_REFUSED',
    at: NOW,
    error: 'invalid_scope',
    status: 400,
    requestId: 'c0ffee00-0000-4000-8000-000000000001',
    errno: null,
    retryAfter: null,
  }
  const [set] = client.status().scopeSets
  t.strictSame(set, {
    scopes: null,
    metadataNames: [],
    cachedUntil: null,
    lastError,
    nextAttempt: 1,
    isRequesting: false,
  })
  world.pass(1000)
  t.strictSame(client.status().scopeSets[0], { ...set, nextAttempt: 0 })
  world.answer = () => tokenAnswer('a')
  await client.getToken()
  world.pass(0.75 * HOUR)
  world.answer = () => refusal('unauthorized_client')
  await client.getToken()
  await settle()
  t.match(client.status().scopeSets[0], {
    cachedUntil: NOW + 1 + 3595,
    lastError: { code: 'ERR_TOKEN_REQUEST_REFUSED', error: 'unauthorized_client', at: NOW + 2701 },
    nextAttempt: 1,
  })
  world.pass(1000)
  world.answer = () => tokenAnswer('b')
  await client.getToken()
  await settle()
  t.match(client.status().scopeSets[0], { lastError: null, nextAttempt: 2700 })
})

t.test('the last error has the facts of the transport', async (t) => {
  const pass = timers(t)
  const { client, world } = setUpClient()
  world.answer = () => {
    throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } })
  }
  const pending = codeOf(client.getToken())
  for (let tried = 0; tried < 4; tried += 1) await pass(1000)
  t.equal(await pending, 'ERR_TOKEN_REQUEST_NETWORK')
  t.match(client.status().scopeSets[0]?.lastError, { errno: 'ECONNREFUSED', status: null })
  const limited = setUpClient()
  limited.world.answer = () => new Response('', { status: 429, headers: { 'retry-after': '30' } })
  const waiting = codeOf(limited.client.getToken())
  for (let tried = 0; tried < 2; tried += 1) {
    limited.world.pass(5000)
    await pass(5000)
  }
  t.equal(await waiting, 'ERR_TOKEN_REQUEST_STATUS')
  t.match(limited.client.status().scopeSets[0], {
    lastError: { status: 429, retryAfter: 30 },
    nextAttempt: 30,
  })
})

t.test('the store: shared, degraded, unreadable; null without one', async (t) => {
  const own = { shared: false, degraded: false, unreadable: 0 }
  const { client } = setUpClient({ store: memoryStore() })
  t.strictSame(client.status().store, own)
  const fails = (): Promise<never> => Promise.reject(new Error('gone'))
  const broken: TokenStore = {
    shared: true,
    get: fails,
    set: fails,
    delete: fails,
    invalidate: fails,
    lock: fails,
    unlock: fails,
    close: fails,
  }
  const degraded = setUpClient({ store: broken, clientSecret: async () => SECRET })
  t.match(degraded.client.status().store, { shared: true, degraded: false })
  for (const scopes of ['a/a', 'a/b', 'a/c']) await degraded.client.getToken({ scopes })
  t.match(degraded.client.status().store, { shared: true, degraded: true })
})

t.test('a frozen snapshot without a secret or token', async (t) => {
  const { client, world } = setUpClient({ store: memoryStore() })
  world.answer = () => tokenAnswer('a-token-of-mine')
  await client.getToken()
  world.answer = () => refusal('invalid_scope')
  await codeOf(client.getToken({ scopes: 'a/b' }))
  const status = client.status()
  const objects: unknown[] = [status, status.scopeSets, ...status.scopeSets, status.store]
  for (const { scopes, lastError } of status.scopeSets) objects.push(scopes, lastError)
  t.ok(objects.every((it) => Object.isFrozen(it)))
  const text = JSON.stringify(status)
  t.notOk(text.includes('a-token-of-mine') || text.includes(SECRET))
  await client.getToken()
  t.not(client.status(), status)
})

t.test('the status works with failing clocks and after close', async (t) => {
  const broken = (): number => {
    throw new Error('no time')
  }
  const { client } = setUpClient({ now: broken, monotonicNow: () => Number.NaN })
  await client.getToken()
  await settle()
  const [set] = client.status().scopeSets
  t.ok(Number.isFinite(set?.cachedUntil) && Number.isFinite(set?.nextAttempt))
  client.close()
  t.equal(client.status().scopeSets.length, 1)
})
