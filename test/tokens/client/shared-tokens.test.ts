/** Clients that share a store: who asks, what is in it, and what its failures cost. */
import { mock } from 'node:test'
import t from 'tap'
import {
  memoryStore,
  type TokenClientOptions,
  type TokenStore,
} from '../../../src/tokens/client/index.ts'
import {
  codeOf,
  refusal,
  SECRET,
  settle,
  stage,
  timers,
  tokenAnswer,
  until,
} from '../../support/client.ts'

const HOUR = 3_600_000

/** A store others can read, as Redis is, and everything that was put there. */
function sharedStore(options = {}): TokenStore & { readonly texts: string[] } {
  const store = memoryStore(options)
  const texts: string[] = []
  return {
    shared: true,
    texts,
    get: (key, group) => store.get(key, group),
    set: (key, group, kept) => {
      texts.push(key, group, Buffer.from(kept.value).toString('latin1'))
      return store.set(key, group, kept)
    },
    delete: (key, group) => store.delete(key, group),
    invalidate: (group) => store.invalidate(group),
    lock: (key, owner, ttl) => {
      texts.push(key, owner)
      return store.lock(key, owner, ttl)
    },
    unlock: (key, owner) => store.unlock(key, owner),
    close: () => store.close(),
  }
}

/** Two processes, as far as a store can tell. */
function pair(store: TokenStore, options: Partial<TokenClientOptions> = {}) {
  const one = stage({ store, now: Date.now, ...options })
  const other = stage({ store, now: Date.now, ...options })
  one.world.answer = () => tokenAnswer(`one-${one.world.asked.length}`)
  other.world.answer = () => tokenAnswer(`other-${other.world.asked.length}`)
  return { one, other }
}

for (const [name, make] of [
  ['memory', memoryStore],
  ['shared', sharedStore],
] as const) {
  t.test(`${name}: what one asked for, the other finds`, async (t) => {
    const { one, other } = pair(make())
    const token = await one.client.getToken({ scopes: 'a/b' })
    t.strictSame(await other.client.getToken({ scopes: 'a/b' }), token)
    t.ok(Object.isFrozen((await other.client.getToken({ scopes: 'a/b' })).scopes))
    t.equal(other.world.asked.length, 0)
    t.equal((await other.client.getToken()).accessToken, 'other-1', 'another scope set')
  })

  t.test(`${name}: two at once, one request`, async (t) => {
    const { one, other } = pair(make())
    let answer: (() => void) | undefined
    one.world.answer = () => new Promise((resolve) => (answer = () => resolve(tokenAnswer('one'))))
    other.world.answer = one.world.answer
    const both = Promise.all([one.client.getToken(), other.client.getToken()])
    await until(() => answer !== undefined)
    answer?.()
    const [first, second] = await both
    t.strictSame(first, second)
    t.equal(one.world.asked.length + other.world.asked.length, 1)
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
      const { client, world } = stage({ store, now: Date.now, ...options })
      world.answer = () => refusal('invalid_client')
      t.equal(await codeOf(client.getToken()), 'ERR_TOKEN_REQUEST_REFUSED')
    }
    const told = stage({ store, now: Date.now, clientSecret: async () => SECRET })
    t.equal((await told.client.getToken()).accessToken, 'one-1', 'the same, told by a function')
  })
}

t.test('nothing readable is in a store that others can read', async (t) => {
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

t.test('who renews first renews for the others', async (t) => {
  const store = sharedStore()
  let ahead = 0
  const { one, other } = pair(store, { now: () => Date.now() + ahead })
  await one.client.getToken()
  await other.client.getToken()
  ahead = 0.8 * HOUR
  await one.client.getToken()
  await until(() => one.world.asked.length === 2)
  while ((await one.client.getToken()).accessToken !== 'one-2') await settle()
  t.equal((await other.client.getToken()).accessToken, 'one-1', 'held, and renewed behind it')
  while ((await other.client.getToken()).accessToken !== 'one-2') await settle()
  t.equal(other.world.asked.length, 0)
})

t.test('a refused token is not taken back from the store', async (t) => {
  const { one, other } = pair(sharedStore())
  const refused = await one.client.getToken()
  t.equal((await one.client.renew(refused)).accessToken, 'one-2')
  const held = await other.client.getToken()
  t.equal(held.accessToken, 'one-2')
})

t.test("a token that is nearly over by the store's clock is not taken over", async (t) => {
  let ahead = 0
  const now = (): number => Date.now() + ahead
  const store = sharedStore({ now })
  const { one } = pair(store, { now })
  one.world.answer = () => tokenAnswer('one', 100)
  await one.client.getToken()
  ahead = 94_000
  t.equal((await stage({ store, now }).client.getToken()).accessToken, 'one')
  ahead = 96_000
  t.equal((await stage({ store, now }).client.getToken()).accessToken, 'token-1')
})

t.test(
  "the age of a shared token is by the store's clock, whatever the wall clocks say",
  async (t) => {
    const store = sharedStore()
    const { one } = pair(store, { now: () => Date.now() - 120_000 })
    const token = await one.client.getToken()
    const other = stage({ store, now: () => Date.now() + 120_000 })
    const found = await other.client.getToken()
    t.equal(found.accessToken, token.accessToken)
    t.equal(other.world.asked.length, 0)
    t.ok([240, 239, 241].includes(found.expiresAt - token.expiresAt), 'each by its own clock')
    other.world.pass(HOUR - 6000)
    t.equal((await other.client.getToken()).accessToken, 'token-1', 'expiring: the next one')
  },
)

/** A store that stalls: what it is asked meanwhile is executed once it resumes. */
function stallingStore() {
  const store = sharedStore()
  let resume = (): void => {}
  let stalled = Promise.resolve()
  const late =
    <Given extends unknown[], Answer>(command: (...given: Given) => Promise<Answer>) =>
    async (...given: Given): Promise<Answer> => {
      await stalled
      return command(...given)
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
      ...{ get: late(store.get), set: late(store.set), lock: late(store.lock) },
      unlock: late(store.unlock),
    },
  }
}

t.test('a store that stalls for a second: one process asks, not every one', async (t) => {
  const pass = timers(t)
  const { store, stall, resume } = stallingStore()
  const fleet = Array.from({ length: 5 }, () => stage({ store }))
  let asked = 0
  for (const { world } of fleet) {
    world.answer = () => {
      asked += 1
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
  t.equal(asked, 0, 'nobody goes on without the store')
  resume()
  await run(300)
  t.equal(new Set((await tokens).map(({ accessToken }) => accessToken)).size, 1)
  t.equal(asked, 1)
})

t.test('a store that stays away: each process asks for itself, within the cap', async (t) => {
  const pass = timers(t)
  const { store, stall } = stallingStore()
  const { client, world } = stage({ store })
  stall()
  const waiting = client.getToken({ timeout: 3 })
  for (let passed = 0; passed < 2900; passed += 10) {
    world.pass(10)
    await pass(10)
  }
  t.equal((await waiting).accessToken, 'token-1')
})

t.test('a rotated secret leaves the old one its entries and starts its own', async (t) => {
  const store = sharedStore()
  let told = 'old'
  const { one } = pair(store, { clientSecret: () => told, authMethod: 'client_secret_post' })
  await one.client.getToken()
  told = 'new'
  one.world.answer = (form) =>
    form.get('client_secret') === 'new' ? tokenAnswer('with-new') : refusal('invalid_client')
  t.equal((await one.client.getToken({ scopes: 'a/b' })).accessToken, 'with-new')
  const other = stage({ store, now: Date.now, clientSecret: 'new' })
  t.equal((await other.client.getToken({ scopes: 'a/b' })).accessToken, 'with-new')
  t.equal(other.world.asked.length, 0)
})

t.test('where who asks fails, the next one asks', async (t) => {
  const { one, other } = pair(sharedStore())
  let fail: (() => void) | undefined
  one.world.answer = () =>
    new Promise((resolve) => (fail = () => resolve(refusal('unauthorized_client'))))
  const failing = codeOf(one.client.getToken())
  await until(() => fail !== undefined)
  const waiting = other.client.getToken()
  await settle()
  t.equal(other.world.asked.length, 0, 'one asks')
  fail?.()
  t.equal(await failing, 'ERR_TOKEN_REQUEST_REFUSED')
  t.equal((await waiting).accessToken, 'other-1')
})

t.test('a lock that nobody frees is not waited for for ever', async (t) => {
  const store = sharedStore()
  const { one } = pair({ ...store, lock: async () => false })
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const asking = one.client.getToken()
  let waited = 0
  while (one.world.asked.length === 0 && waited < 10_000) {
    await settle()
    mock.timers.tick(50)
    waited += 50
  }
  t.equal((await asking).accessToken, 'one-1')
  t.ok(waited >= 66 * 50 && waited <= 66 * 100 + 50, `${waited} ms`)
})

t.test('closed while it waits for another process, it asks nobody', async (t) => {
  const { one } = pair({ ...sharedStore(), lock: async () => false })
  const asking = codeOf(one.client.getToken())
  await settle()
  one.client.close()
  t.equal(await asking, 'ERR_CLIENT_CLOSED')
  t.equal(one.world.asked.length, 0)
})

t.test('closed while the store is asked, it asks nobody', async (t) => {
  const { store, stall, resume } = stallingStore()
  const { one } = pair(store)
  stall()
  const asking = codeOf(one.client.getToken())
  await settle()
  one.client.close()
  t.equal(await asking, 'ERR_CLIENT_CLOSED', 'at once')
  resume()
  await settle()
  t.equal(one.world.asked.length, 0)
})

t.test('closed in between, waiting ends before it begins', async (t) => {
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

t.test('a store that fails or holds nonsense costs a request and no error', async (t) => {
  const fails = (): Promise<never> => Promise.reject(new Error('gone'))
  const broken: TokenStore = {
    ...{ shared: true, get: fails, set: fails, delete: fails, invalidate: fails },
    ...{ lock: fails, unlock: fails, close: fails },
  }
  t.equal((await pair(broken).one.client.getToken()).accessToken, 'one-1')
  for (const value of ['nonsense', '{}', 'null', '{"accessToken":"a","scopes":[]}', '[]']) {
    const store = memoryStore()
    const odd: TokenStore = {
      shared: false,
      get: async () => ({ value: Buffer.from(value), epoch: 'a' }),
      set: (key, group, kept) => store.set(key, group, kept),
      delete: (key, group) => store.delete(key, group),
      invalidate: (group) => store.invalidate(group),
      lock: (key, owner, ttl) => store.lock(key, owner, ttl),
      unlock: (key, owner) => store.unlock(key, owner),
      close: () => store.close(),
    }
    t.equal((await pair(odd).one.client.getToken()).accessToken, 'one-1', value)
  }
})
