/** When a cached token is renewed, and what callers get in the meantime. */
import { mock } from 'node:test'
import t from 'tap'
import { codeOf, refusal, START, settle, setUpClient, tokenAnswer } from '../../support/client.ts'

const HOUR = 3_600_000

t.test('10,000 concurrent callers share one request and one object', async (t) => {
  const { client, world } = setUpClient()
  const tokens = await Promise.all(Array.from({ length: 10_000 }, () => client.getToken()))
  t.equal(world.requests.length, 1)
  t.equal(new Set(tokens).size, 1)
  t.strictSame(tokens[0], { accessToken: 'token-1', expiresAt: START / 1000 + 3600, scopes: [] })
  t.ok(Object.isFrozen(tokens[0]) && Object.isFrozen(tokens[0]?.scopes))
})

t.test('a cached token is served until 75 % of its life without a request', async (t) => {
  const { client, world } = setUpClient()
  const first = await client.getToken()
  world.pass(0.75 * HOUR - 1)
  t.equal(await client.getToken(), first)
  await settle()
  t.equal(world.requests.length, 1)
})

t.test(
  'from 75 % on it is renewed in the background, and callers get the cached one',
  async (t) => {
    const { client, world } = setUpClient()
    const first = await client.getToken()
    world.pass(0.75 * HOUR)
    t.equal(await client.getToken(), first)
    t.equal(await client.getToken(), first, 'while the renewal is in flight')
    await settle()
    t.equal(world.requests.length, 2)
    const second = await client.getToken()
    t.strictSame(second, {
      accessToken: 'token-2',
      expiresAt: START / 1000 + 0.75 * 3600 + 3600,
      scopes: [],
    })
  },
)

t.test('all clients renew at the same age, without randomness', async (t) => {
  const fleet = Array.from({ length: 50 }, () => setUpClient())
  await Promise.all(fleet.map(({ client }) => client.getToken()))
  for (const [age, requestCount] of [
    [0.75 * HOUR - 1, 1],
    [0.75 * HOUR, 2],
  ] as const) {
    for (const { client, world } of fleet) {
      world.wall = START + age
      world.monotonic = age
      await client.getToken()
    }
    await settle()
    t.ok(fleet.every(({ world }) => world.requests.length === requestCount))
  }
})

t.test('a failed renewal rejects no call while the token is valid', async (t) => {
  const { client, world } = setUpClient()
  const first = await client.getToken()
  world.answer = () => refusal('invalid_client')
  world.pass(0.8 * HOUR)
  for (let second = 0; second < 700; second += 1) {
    t.equal(await client.getToken(), first)
    await settle()
    world.pass(1000)
  }
  // 1, 2, 4, 8, 16, 32, 60, 60 … seconds, each with jitter down to three quarters of it.
  t.ok(
    world.requests.length >= 16 && world.requests.length <= 24,
    `${world.requests.length} requests`,
  )
  t.match(world.logged[0], {
    message: 'cognito-m2m: the token request failed',
    details: {
      code: 'ERR_TOKEN_REQUEST_REFUSED',
      error: 'invalid_client',
      status: 400,
      requestId: 'c0ffee00-0000-4000-8000-000000000001',
      cachedFor: 715,
      nextAttempt: 1,
    },
  })
  world.pass(20_000)
  t.equal(await codeOf(client.getToken()), 'ERR_TOKEN_REQUEST_REFUSED', 'expired: it is told')
})

t.test('each scope set has a separate backoff', async (t) => {
  const { client, world } = setUpClient()
  world.answer = (form) =>
    form.get('scope') === 'orders/write' ? refusal('invalid_scope') : tokenAnswer('good')
  for (let call = 0; call < 50; call += 1) {
    t.equal(await codeOf(client.getToken({ scopes: 'orders/write' })), 'ERR_TOKEN_REQUEST_REFUSED')
  }
  t.equal(world.requests.length, 1, 'the same answer without another request')
  t.strictSame(world.logged[0]?.details['scopes'], ['orders/write'])
  t.equal((await client.getToken({ scopes: 'orders/read' })).accessToken, 'good')
  world.pass(1001)
  t.equal(await codeOf(client.getToken({ scopes: 'orders/write' })), 'ERR_TOKEN_REQUEST_REFUSED')
  t.equal(world.requests.length, 3)
})

t.test('the backoff honors Retry-After up to a minute', async (t) => {
  const { client, world } = setUpClient()
  world.answer = () => new Response('', { status: 503, headers: { 'retry-after': '999999' } })
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const pending = codeOf(client.getToken())
  for (const expected of [1, 2, 3]) {
    await settle()
    t.equal(world.requests.length, expected)
    if (expected === 3) break
    world.pass(5000)
    mock.timers.tick(5000)
  }
  t.equal(await pending, 'ERR_TOKEN_REQUEST_STATUS')
  const { length } = world.requests
  t.equal(length, 3, 'a fourth would begin later than 12 s after the first')
  world.pass(59_999)
  t.equal(await codeOf(client.getToken()), 'ERR_TOKEN_REQUEST_STATUS')
  t.equal(world.requests.length, length)
  world.answer = () => tokenAnswer('healed')
  world.pass(1)
  t.equal((await client.getToken()).accessToken, 'healed')
})

t.test('calls for an expiring token wait for the next one', async (t) => {
  const { client, world } = setUpClient()
  await client.getToken()
  world.pass(HOUR - 10_000)
  t.equal((await client.getToken()).accessToken, 'token-2')
})

t.test('a rejected renewal leaves an expiring token in use', async (t) => {
  const { client, world } = setUpClient()
  const first = await client.getToken()
  world.pass(HOUR - 10_000)
  world.answer = () => refusal('unauthorized_client')
  t.equal(await client.getToken(), first)
  t.equal(await client.getToken(), first, 'while it backs off too')
  t.equal(world.requests.length, 2)
})

t.test('calls for an expiring token do not wait for an endpoint that hangs', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { client, world } = setUpClient()
  const first = await client.getToken()
  world.pass(HOUR - 10_000)
  let answer = (_response: Response): void => {}
  world.answer = () => new Promise((resolve) => (answer = resolve))
  const waiting = client.getToken()
  await settle()
  mock.timers.tick(1000)
  t.equal(await waiting, first)
  answer(tokenAnswer('late'))
  await settle()
  t.equal((await client.getToken()).accessToken, 'late')
})

t.test('no token is served from 5 s before its expiry on', async (t) => {
  for (const clock of ['wall', 'monotonic'] as const) {
    const { client, world } = setUpClient()
    await client.getToken()
    world.answer = () => refusal('invalid_request')
    world[clock] += HOUR - 6001
    t.equal((await client.getToken()).accessToken, 'token-1', `${clock}: a second before`)
    world[clock] += 1000
    t.equal((await client.getToken()).accessToken, 'token-1', `${clock}: a millisecond before`)
    world[clock] += 1001
    t.equal(await codeOf(client.getToken()), 'ERR_TOKEN_REQUEST_REFUSED', `${clock}: at its end`)
  }
})

t.test('a step back of the wall clock does not extend the lifetime', async (t) => {
  const { client, world } = setUpClient()
  await client.getToken()
  world.wall -= 10 * HOUR
  await client.getToken()
  world.pass(HOUR)
  t.equal((await client.getToken()).accessToken, 'token-2')
})

t.test('clocks that throw or return NaN do not stop the client', async (t) => {
  const broken = (): number => {
    throw new Error('no time')
  }
  const { client, world } = setUpClient({ now: broken, monotonicNow: () => Number.NaN })
  const before = Math.floor(Date.now() / 1000) + 3600
  const { expiresAt } = await client.getToken()
  t.ok(expiresAt >= before && expiresAt <= before + 60)
  await client.getToken()
  t.equal(world.requests.length, 1)
})

t.test('the lifetime begins before the request, not after it', async (t) => {
  const { client, world } = setUpClient()
  world.answer = () => {
    world.pass(4000)
    return tokenAnswer('slow', 300)
  }
  t.equal((await client.getToken()).expiresAt, START / 1000 + 300)
  world.answer = () => refusal('invalid_request')
  world.pass(296_000)
  t.equal(await codeOf(client.getToken()), 'ERR_TOKEN_REQUEST_REFUSED')
})

t.test('close ends requests in flight, and later calls reject', async (t) => {
  const { client, world } = setUpClient()
  world.answer = () => new Promise(() => {})
  const waiting = codeOf(client.getToken())
  await settle()
  client.close()
  t.equal(await waiting, 'ERR_CLIENT_CLOSED')
  t.equal(await codeOf(client.getToken()), 'ERR_CLIENT_CLOSED')
  t.equal(world.logged.length, 0)
})
