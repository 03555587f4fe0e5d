/** The function `clientSecret`: when and how often it is called, and rotations. */
import { mock } from 'node:test'
import t from 'tap'
import {
  codeOf,
  failureOf,
  refusal,
  settle,
  setUpClient,
  tokenAnswer,
} from '../../support/client.ts'

/** A pool that accepts one secret, and a function that returns one. */
function setUpRotation(accepted: string, readSecret: () => string | Promise<string>) {
  let calls = 0
  const { client, world } = setUpClient({
    authMethod: 'client_secret_post',
    clientSecret: () => {
      calls += 1
      return readSecret()
    },
  })
  const pool = { accepted }
  world.answer = (form) =>
    form.get('client_secret') === pool.accepted
      ? tokenAnswer(`for-${pool.accepted}`)
      : refusal('invalid_client')
  return { client, world, pool, calls: () => calls }
}

const HOUR = 3_600_000

t.test('the function is called once for all scope sets', async (t) => {
  const { client, calls } = setUpRotation('one', async () => 'one')
  await Promise.all([
    client.getToken(),
    client.getToken({ scopes: 'a/b' }),
    client.getToken({ scopes: 'a/c' }),
  ])
  await client.getToken({ scopes: 'a/d' })
  t.equal(calls(), 1)
})

t.test('after invalid_client, the same call uses the rotated secret', async (t) => {
  let secret = 'one'
  const { client, world, pool, calls } = setUpRotation('one', () => secret)
  await client.getToken()
  secret = 'two'
  pool.accepted = 'two'
  t.equal((await client.getToken({ scopes: 'a/b' })).accessToken, 'for-two')
  t.equal(calls(), 2)
  t.strictSame(
    world.requests.map(({ form }) => form.get('client_secret')),
    ['one', 'one', 'two'],
  )
})

t.test('one call of the function serves all scope sets after a rotation', async (t) => {
  let secret = 'one'
  const { client, pool, calls } = setUpRotation('one', async () => secret)
  await client.getToken()
  secret = 'two'
  pool.accepted = 'two'
  const sets = ['a/b', 'a/c', 'a/d', 'a/e']
  const tokens = await Promise.all(sets.map((scopes) => client.getToken({ scopes })))
  t.ok(tokens.every(({ accessToken }) => accessToken === 'for-two'))
  t.equal(calls(), 2)
})

t.test('for a wrong secret, the function is called at most every 30 s', async (t) => {
  const { client, world, calls } = setUpRotation('other', () => 'wrong')
  t.equal(await codeOf(client.getToken()), 'ERR_TOKEN_REQUEST_REFUSED')
  t.equal(calls(), 2, 'once, and once more as it was refused')
  for (let set = 0; set < 20; set += 1) {
    await codeOf(client.getToken({ scopes: `a/${set}` }))
  }
  world.pass(29_999)
  await codeOf(client.getToken())
  t.equal(calls(), 2)
  world.pass(1)
  await codeOf(client.getToken({ scopes: 'b/c' }))
  t.equal(calls(), 3)
})

t.test('a rotation does not affect callers with a valid cached token', async (t) => {
  let secret = 'one'
  const { client, world, pool } = setUpRotation('one', () => secret)
  const first = await client.getToken()
  secret = 'two'
  pool.accepted = 'two'
  world.pass(0.8 * HOUR)
  t.equal(await client.getToken(), first)
  await settle()
  t.equal((await client.getToken()).accessToken, 'for-two')
})

t.test('functions that return no secret', async (t) => {
  const functions: Record<string, () => unknown> = {
    throws: () => {
      throw new Error('GetSecretValue: the secret is hunter2')
    },
    rejects: () => Promise.reject(new Error('hunter2')),
    'tells nothing': () => undefined,
    'tells no string': () => ({ SecretString: 'hunter2' }),
    'tells an empty string': () => '',
  }
  for (const [name, tells] of Object.entries(functions)) {
    const { client, world } = setUpRotation('one', tells as () => string)
    const error = await failureOf(client.getToken())
    t.equal(error.code, 'ERR_CLIENT_SECRET_UNAVAILABLE', name)
    t.match(error.message, /^clientSecret\(\): expected a non-empty string within 5 s, got none\. /)
    t.notOk(JSON.stringify([error, error.message, error.cause]).includes('hunter2'))
    t.equal(world.requests.length, 0, name)
  }
})

t.test('a function that fails is called again after the backoff', async (t) => {
  let healthy = false
  const { client, world } = setUpRotation('one', () => {
    if (healthy) return 'one'
    throw new Error('throttled')
  })
  t.equal(await codeOf(client.getToken()), 'ERR_CLIENT_SECRET_UNAVAILABLE')
  healthy = true
  t.equal(await codeOf(client.getToken()), 'ERR_CLIENT_SECRET_UNAVAILABLE')
  world.pass(1001)
  t.equal((await client.getToken()).accessToken, 'for-one')
})

t.test(
  'if the function fails after a rejection, the call rejects with the rejection',
  async (t) => {
    let calls = 0
    const { client } = setUpRotation('other', () => {
      calls += 1
      if (calls > 1) throw new Error('throttled')
      return 'one'
    })
    const error = await failureOf(client.getToken())
    t.equal(error.error, 'invalid_client')
    t.equal(calls, 2)
  },
)

t.test('a function that never resolves has 5 s', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { client } = setUpRotation('one', () => new Promise(() => {}))
  const pending = codeOf(client.getToken())
  await settle()
  mock.timers.tick(5000)
  t.equal(await pending, 'ERR_CLIENT_SECRET_UNAVAILABLE')
})

t.test('a secret passed as a string is not read again', async (t) => {
  const { client, world } = setUpClient()
  world.answer = () => refusal('invalid_client')
  t.equal((await failureOf(client.getToken())).error, 'invalid_client')
  t.equal(world.requests.length, 1)
})
