/** Clients that share a store: token requests, contents of the store, and its failures. */
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import {
  type AccessToken,
  memoryStore,
  type TokenClientOptions,
  type TokenStore,
} from '../../../src/tokens/client/index.ts'
import {
  codeOf,
  refusal,
  SECRET,
  settle,
  setUpClient,
  timers,
  tokenAnswer,
  until,
} from '../../support/client.ts'
import { wrapStore } from '../../support/shared-store.ts'

const HOUR = 3_600_000

/** A shared store in memory, and all texts that it received. */
function sharedStore(options = {}): TokenStore & { readonly texts: string[] } {
  const store = memoryStore(options)
  const texts: string[] = []
  const wrapped = wrapStore(store, {
    shared: true,
    set: (key, group, entry) => {
      texts.push(key, group, Buffer.from(entry.value).toString('latin1'))
      return store.set(key, group, entry)
    },
    lock: (key, owner, ttl) => {
      texts.push(key, owner)
      return store.lock(key, owner, ttl)
    },
  })
  return { ...wrapped, texts }
}

/** Two clients that a store sees as two processes. */
function pair(store: TokenStore, options: Partial<TokenClientOptions> = {}) {
  const one = setUpClient({ store, now: Date.now, ...options })
  const other = setUpClient({ store, now: Date.now, ...options })
  one.world.answer = () => tokenAnswer(`one-${one.world.requests.length}`)
  other.world.answer = () => tokenAnswer(`other-${other.world.requests.length}`)
  return { one, other }
}

/** A store keeps the remaining lifetime, so `expiresAt` may differ by the second that ends meanwhile. */
function assertSameToken(t: Test, one: AccessToken, other: AccessToken): void {
  t.strictSame({ ...one, expiresAt: other.expiresAt }, other)
  t.ok(Math.abs(one.expiresAt - other.expiresAt) <= 1)
}

for (const [name, make] of [
  ['memory', memoryStore],
  ['shared', sharedStore],
] as const) {
  t.test(`${name}: a client finds the token that another one stored`, async (t) => {
    const { one, other } = pair(make())
    const token = await one.client.getToken({ scopes: 'a/b' })
    assertSameToken(t, await other.client.getToken({ scopes: 'a/b' }), token)
    t.ok(Object.isFrozen((await other.client.getToken({ scopes: 'a/b' })).scopes))
    t.equal(other.world.requests.length, 0)
    t.equal((await other.client.getToken()).accessToken, 'other-1', 'another scope set')
  })

  t.test(`${name}: two concurrent clients send one request`, async (t) => {
    const { one, other } = pair(make())
    let answer: (() => void) | undefined
    one.world.answer = () => new Promise((resolve) => (answer = () => resolve(tokenAnswer('one'))))
    other.world.answer = one.world.answer
    const both = Promise.all([one.client.getToken(), other.client.getToken()])
    await until(() => answer !== undefined)
    answer?.()
    const [first, second] = await both
    assertSameToken(t, first, second)
    t.equal(one.world.requests.length + other.world.requests.length, 1)
  })

  t.test(`${name}: another secret, client or endpoint shares nothing`, async (t) => {
    const store = make()
    const { one } = pair(store)
    await one.client.getToken()
    const strangers: Partial<TokenClientOptions>[] = [
      { clientSecret: 'wrong' },
      { clientId: 'shipping' },
      { tokenEndpoint: 'https://other.auth.eu-west-1.amazoncognito.com/oauth2/token' },
      { clientSecret: () => 'wrong' },
    ]
    for (const options of strangers) {
      const { client, world } = setUpClient({ store, now: Date.now, ...options })
      world.answer = () => refusal('invalid_client')
      t.equal(await codeOf(client.getToken()), 'ERR_TOKEN_REQUEST_REFUSED')
    }
    const withFunction = setUpClient({ store, now: Date.now, clientSecret: async () => SECRET })
    t.equal(
      (await withFunction.client.getToken()).accessToken,
      'one-1',
      'the same secret, returned by a function',
    )
  })
}

t.test('a shared store contains no plain text', async (t) => {
  const store = sharedStore()
  const { one } = pair(store)
  const { accessToken } = await one.client.getToken({ scopes: 'orders/read' })
  const text = store.texts.join('\n')
  t.ok(text.length > 100)
  for (const secret of [accessToken, SECRET, 'billing', 'orders/read', 'amazoncognito']) {
    t.notOk(text.includes(secret), secret)
    t.notOk(text.includes(Buffer.from(secret).toString('base64').replace(/=+$/, '')), secret)
  }
})

t.test('the first renewal serves all clients', async (t) => {
  const store = sharedStore()
  let ahead = 0
  const { one, other } = pair(store, { now: () => Date.now() + ahead })
  await one.client.getToken()
  await other.client.getToken()
  ahead = 0.8 * HOUR
  await one.client.getToken()
  await until(() => one.world.requests.length === 2)
  while ((await one.client.getToken()).accessToken !== 'one-2') await settle()
  t.equal((await other.client.getToken()).accessToken, 'one-1', 'held, and renewed behind it')
  while ((await other.client.getToken()).accessToken !== 'one-2') await settle()
  t.equal(other.world.requests.length, 0)
})

t.test('a rejected token is not read from the store again', async (t) => {
  const { one, other } = pair(sharedStore())
  const refused = await one.client.getToken()
  t.equal((await one.client.renew(refused)).accessToken, 'one-2')
  const shared = await other.client.getToken()
  t.equal(shared.accessToken, 'one-2')
})

t.test("a token that is about to expire by the store's clock is not used", async (t) => {
  let ahead = 0
  const now = (): number => Date.now() + ahead
  const store = sharedStore({ now })
  const { one } = pair(store, { now })
  one.world.answer = () => tokenAnswer('one', 100)
  await one.client.getToken()
  ahead = 94_000
  t.equal((await setUpClient({ store, now }).client.getToken()).accessToken, 'one')
  ahead = 96_000
  t.equal((await setUpClient({ store, now }).client.getToken()).accessToken, 'token-1')
})

t.test("the store's clock determines the age of a shared token", async (t) => {
  const store = sharedStore()
  const { one } = pair(store, { now: () => Date.now() - 120_000 })
  const token = await one.client.getToken()
  const other = setUpClient({ store, now: () => Date.now() + 120_000 })
  const found = await other.client.getToken()
  t.equal(found.accessToken, token.accessToken)
  t.equal(other.world.requests.length, 0)
  t.ok([240, 239, 241].includes(found.expiresAt - token.expiresAt), 'each by its own clock')
  other.world.pass(HOUR - 6000)
  t.equal((await other.client.getToken()).accessToken, 'token-1', 'expiring: the next one')
})

/** A store that stalls: it executes the commands of that time once it resumes. */
function stallingStore() {
  const store = sharedStore()
  let resume = (): void => {}
  let stalled = Promise.resolve()
  const late =
    <Args extends unknown[], Answer>(command: (...args: Args) => Promise<Answer>) =>
    async (...args: Args): Promise<Answer> => {
      await stalled
      return command(...args)
    }
  return {
    stall: (): void => {
      stalled = new Promise((resolve) => {
        resume = resolve
      })
    },
    resume: (): void => resume(),
    store: {
      ...store,
      get: late(store.get),
      set: late(store.set),
      lock: late(store.lock),
      unlock: late(store.unlock),
    },
  }
}

t.test('during a stall of one second, one process sends a token request', async (t) => {
  const pass = timers(t)
  const { store, stall, resume } = stallingStore()
  const fleet = Array.from({ length: 5 }, () => setUpClient({ store }))
  let requestCount = 0
  for (const { world } of fleet) {
    world.answer = () => {
      requestCount += 1
      return tokenAnswer('one')
    }
  }
  const run = async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed += 10) {
      for (const { world } of fleet) world.pass(10)
      await pass(10)
    }
  }
  stall()
  const tokens = Promise.all(fleet.map(({ client }) => client.getToken()))
  await run(1000)
  t.equal(requestCount, 0, 'nobody goes on without the store')
  resume()
  await run(300)
  t.equal(new Set((await tokens).map(({ accessToken }) => accessToken)).size, 1)
  t.equal(requestCount, 1)
})

t.test('without the store, each process sends a token request within the timeout', async (t) => {
  const pass = timers(t)
  const { store, stall } = stallingStore()
  const { client, world } = setUpClient({ store })
  stall()
  const waiting = client.getToken({ timeout: 3 })
  for (let passed = 0; passed < 2900; passed += 10) {
    world.pass(10)
    await pass(10)
  }
  t.equal((await waiting).accessToken, 'token-1')
})

t.test('a rotated secret has separate entries', async (t) => {
  const store = sharedStore()
  let secret = 'old'
  const { one } = pair(store, { clientSecret: () => secret, authMethod: 'client_secret_post' })
  await one.client.getToken()
  secret = 'new'
  one.world.answer = (form) =>
    form.get('client_secret') === 'new' ? tokenAnswer('with-new') : refusal('invalid_client')
  t.equal((await one.client.getToken({ scopes: 'a/b' })).accessToken, 'with-new')
  const other = setUpClient({ store, now: Date.now, clientSecret: 'new' })
  t.equal((await other.client.getToken({ scopes: 'a/b' })).accessToken, 'with-new')
  t.equal(other.world.requests.length, 0)
})

t.test('after a failed token request, the next client sends one', async (t) => {
  const { one, other } = pair(sharedStore())
  let fail: (() => void) | undefined
  one.world.answer = () =>
    new Promise((resolve) => (fail = () => resolve(refusal('unauthorized_client'))))
  const failing = codeOf(one.client.getToken())
  await until(() => fail !== undefined)
  const waiting = other.client.getToken()
  await settle()
  t.equal(other.world.requests.length, 0, 'one asks')
  fail?.()
  t.equal(await failing, 'ERR_TOKEN_REQUEST_REFUSED')
  t.equal((await waiting).accessToken, 'other-1')
})

t.test('the wait for a lock that is never released ends', async (t) => {
  const store = sharedStore()
  const { one } = pair({ ...store, lock: async () => false })
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const pending = one.client.getToken()
  let waited = 0
  while (one.world.requests.length === 0 && waited < 10_000) {
    await settle()
    mock.timers.tick(50)
    waited += 50
  }
  t.equal((await pending).accessToken, 'one-1')
  t.ok(waited >= 66 * 50 && waited <= 66 * 100 + 50, `${waited} ms`)
})

t.test('a client that is closed while it waits for another process sends no request', async (t) => {
  const { one } = pair({ ...sharedStore(), lock: async () => false })
  const pending = codeOf(one.client.getToken())
  await settle()
  one.client.close()
  t.equal(await pending, 'ERR_CLIENT_CLOSED')
  t.equal(one.world.requests.length, 0)
})

t.test('a client that is closed during a look-up sends no request', async (t) => {
  const { store, stall, resume } = stallingStore()
  const { one } = pair(store)
  stall()
  const pending = codeOf(one.client.getToken())
  await settle()
  one.client.close()
  t.equal(await pending, 'ERR_CLIENT_CLOSED', 'at once')
  resume()
  await settle()
  t.equal(one.world.requests.length, 0)
})

t.test('a client that is closed before its wait does not wait', async (t) => {
  const store = sharedStore()
  const { one } = pair({
    ...store,
    lock: async () => {
      one.client.close()
      return false
    },
  })
  t.equal(await codeOf(one.client.getToken()), 'ERR_CLIENT_CLOSED')
})

t.test('a store that fails or returns invalid data costs one request and no error', async (t) => {
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
  t.equal((await pair(broken).one.client.getToken()).accessToken, 'one-1')
  for (const value of ['nonsense', '{}', 'null', '{"accessToken":"a","scopes":[]}', '[]']) {
    const get = async () => ({ value: Buffer.from(value), epoch: 'a' })
    const odd = wrapStore(memoryStore(), { get })
    t.equal((await pair(odd).one.client.getToken()).accessToken, 'one-1', value)
  }
})
