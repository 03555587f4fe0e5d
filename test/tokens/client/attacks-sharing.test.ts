/** Clients that share a store: no client gets the token of another one. */
import t, { type Test } from 'tap'
import { memoryStore } from '../../../src/tokens/client/index.ts'
import { codeOf, refusal, SECRET, START, setUpClient, tokenAnswer } from '../../support/client.ts'

t.test('two clients over one memory store: another secret finds nothing', async (t) => {
  const store = memoryStore()
  const right = setUpClient({ store })
  t.equal((await right.client.getToken()).accessToken, 'token-1')
  const wrong = setUpClient({ store, clientSecret: 'guessed' })
  wrong.world.answer = () => refusal('invalid_client')
  t.equal(await codeOf(wrong.client.getToken()), 'ERR_TOKEN_REQUEST_REFUSED')
  t.equal(wrong.world.requests.length, 1)
  const same = setUpClient({ store, clientSecret: async () => SECRET })
  t.equal((await same.client.getToken()).accessToken, 'token-1')
  t.equal(same.world.requests.length, 0)
})

const HOUR = 3_600_000

for (const [name, lead] of [
  ['an hour ahead', HOUR],
  ['two minutes ahead', 120_000],
] as const) {
  t.test(`a token of a process whose clock is ${name} is not served for longer`, async (t) => {
    const store = memoryStore()
    const ahead = setUpClient({ store })
    ahead.world.wall = START + lead
    await ahead.client.getToken()
    const behind = setUpClient({ store })
    behind.world.answer = () => tokenAnswer('own-1')
    behind.world.pass(1000)
    t.equal((await behind.client.getToken()).accessToken, 'own-1')
  })
}

t.test('clocks may differ by a minute', async (t) => {
  const store = memoryStore()
  const ahead = setUpClient({ store })
  ahead.world.wall = START + 59_000
  await ahead.client.getToken()
  const behind = setUpClient({ store })
  t.equal((await behind.client.getToken()).accessToken, 'token-1')
  t.equal(behind.world.requests.length, 0)
})

/** As a merge with a hole in it leaves the process behind. */
function pollute(t: Test, name: string, value: unknown): void {
  Object.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: true })
  t.teardown(() => Reflect.deleteProperty(Object.prototype, name))
}

t.test('a polluted prototype returns no token of other scopes', async (t) => {
  const { client, world } = setUpClient()
  world.answer = (form) => tokenAnswer(`for-${form.get('scope')?.replace('/', '-') ?? 'all'}`)
  t.equal((await client.getToken({ scopes: 'a/admin' })).accessToken, 'for-a-admin')
  pollute(t, 'isAdmin', true)
  t.equal((await client.getToken({ scopes: ['a/admin'] })).accessToken, 'for-a-admin')
  t.equal((await client.getToken({ scopes: ['a/read'] })).accessToken, 'for-a-read')
  t.equal((await client.getToken({})).accessToken, 'for-all')
  pollute(t, 'scopes', 'a/admin')
  t.equal((await client.getToken({})).accessToken, 'for-all')
  t.equal((await client.getToken()).accessToken, 'for-all')
})

t.test('any number of concurrent scope sets causes no leak warning', async (t) => {
  const warned: string[] = []
  const hear = (warning: Error): void => void warned.push(warning.message)
  process.on('warning', hear)
  t.teardown(() => process.off('warning', hear))
  const { client } = setUpClient()
  const sets = Array.from({ length: 20 }, (_, index) => ({ scopes: `a/${index}` }))
  await Promise.all(sets.map((options) => client.getToken(options)))
  await new Promise((resolve) => setImmediate(resolve))
  t.same(warned, [])
})

t.test('one signal for any number of calls causes no leak warning', async (t) => {
  const warned: string[] = []
  const hear = (warning: Error): void => void warned.push(warning.message)
  process.on('warning', hear)
  t.teardown(() => process.off('warning', hear))
  const origin = 'https://api.example.com'
  const { client } = setUpClient({ origins: [origin] })
  const { signal } = new AbortController()
  await Promise.all(Array.from({ length: 20 }, () => client.fetch(origin, { signal })))
  await new Promise((resolve) => setImmediate(resolve))
  t.same(warned, [])
})
