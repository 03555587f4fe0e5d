/** Secrets that are asked for: when, how often, and what a rotation does. */
import { mock } from 'node:test'
import t from 'tap'
import { codeOf, failureOf, refusal, settle, stage, tokenAnswer } from '../../support/client.ts'

/** A pool that takes one secret, and an owner's function that tells one. */
function rotating(accepted: string, told: () => string | Promise<string>) {
  let calls = 0
  const { client, world } = stage({
    authMethod: 'client_secret_post',
    clientSecret: () => {
      calls += 1
      return told()
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

t.test('is asked for once, whatever the scope sets', async (t) => {
  const { client, calls } = rotating('one', async () => 'one')
  await Promise.all([
    client.getToken(),
    client.getToken({ scopes: 'a/b' }),
    client.getToken({ scopes: 'a/c' }),
  ])
  await client.getToken({ scopes: 'a/d' })
  t.equal(calls(), 1)
})

t.test('a rotated secret heals itself, in the request that was refused', async (t) => {
  let told = 'one'
  const { client, world, pool, calls } = rotating('one', () => told)
  await client.getToken()
  told = 'two'
  pool.accepted = 'two'
  t.equal((await client.getToken({ scopes: 'a/b' })).accessToken, 'for-two')
  t.equal(calls(), 2)
  t.strictSame(
    world.asked.map(({ form }) => form.get('client_secret')),
    ['one', 'one', 'two'],
  )
})

t.test('a rotation seen by many scope sets at once asks once', async (t) => {
  let told = 'one'
  const { client, pool, calls } = rotating('one', async () => told)
  await client.getToken()
  told = 'two'
  pool.accepted = 'two'
  const sets = ['a/b', 'a/c', 'a/d', 'a/e']
  const tokens = await Promise.all(sets.map((scopes) => client.getToken({ scopes })))
  t.ok(tokens.every(({ accessToken }) => accessToken === 'for-two'))
  t.equal(calls(), 2)
})

t.test('a secret that stays wrong is asked for every 30 s, no sooner', async (t) => {
  const { client, world, calls } = rotating('other', () => 'wrong')
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

t.test('while the held token is good, a rotation disturbs nobody', async (t) => {
  let told = 'one'
  const { client, world, pool } = rotating('one', () => told)
  const first = await client.getToken()
  told = 'two'
  pool.accepted = 'two'
  world.pass(0.8 * HOUR)
  t.equal(await client.getToken(), first)
  await settle()
  t.equal((await client.getToken()).accessToken, 'for-two')
})

t.test('functions that tell no secret', async (t) => {
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
    const { client, world } = rotating('one', tells as () => string)
    const error = await failureOf(client.getToken())
    t.equal(error.code, 'ERR_CLIENT_SECRET_UNAVAILABLE', name)
    t.match(error.message, /^clientSecret\(\): expected a non-empty string within 5 s, got none\. /)
    t.notOk(JSON.stringify([error, error.message, error.cause]).includes('hunter2'))
    t.equal(world.asked.length, 0, name)
  }
})

t.test('a function that fails is asked again once the backoff is over', async (t) => {
  let healthy = false
  const { client, world } = rotating('one', () => {
    if (healthy) return 'one'
    throw new Error('throttled')
  })
  t.equal(await codeOf(client.getToken()), 'ERR_CLIENT_SECRET_UNAVAILABLE')
  healthy = true
  t.equal(await codeOf(client.getToken()), 'ERR_CLIENT_SECRET_UNAVAILABLE')
  world.pass(1001)
  t.equal((await client.getToken()).accessToken, 'for-one')
})

t.test('a function that fails after a refusal leaves the refusal to be told', async (t) => {
  let calls = 0
  const { client } = rotating('other', () => {
    calls += 1
    if (calls > 1) throw new Error('throttled')
    return 'one'
  })
  const error = await failureOf(client.getToken())
  t.equal(error.error, 'invalid_client')
  t.equal(calls, 2)
})

t.test('a function that never answers is waited for 5 s', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { client } = rotating('one', () => new Promise(() => {}))
  const asking = codeOf(client.getToken())
  await settle()
  mock.timers.tick(5000)
  t.equal(await asking, 'ERR_CLIENT_SECRET_UNAVAILABLE')
})

t.test('a given secret is not asked for again', async (t) => {
  const { client, world } = stage()
  world.answer = () => refusal('invalid_client')
  t.equal((await failureOf(client.getToken())).error, 'invalid_client')
  t.equal(world.asked.length, 1)
})
