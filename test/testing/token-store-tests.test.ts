import t from 'tap'
import { tokenStoreTests } from '../../src/testing/index.ts'
import { type MemoryStore, memoryStore } from '../../src/tokens/store/memory-store.ts'
import type { StoreEntry, StoreLookup, TokenStore } from '../../src/tokens/store/token-store.ts'

/** A store that is wrong in one thing, over a right one. */
type Wrong = (right: TokenStore) => Partial<TokenStore>

const stale: StoreLookup = { value: undefined, epoch: '0' }

/** By the test that has to notice it. */
const WRONG: Readonly<Record<string, Wrong>> = {
  'returns an epoch without a value': () => ({
    get: async () => ({ ...stale, epoch: String(Math.random()) }),
  }),
  'time of its clock': (right) => ({
    get: async (key, group) => ({
      ...(await right.get(key, group)),
      now: Math.floor(Date.now() / 1000),
    }),
  }),
  'with a deadline': (right) => ({
    lock: (key, owner, ttl, options) =>
      options === undefined ? right.lock(key, owner, ttl) : Promise.resolve(true),
  }),
  'returns a stored value': (right) => ({
    get: async (key, group) => {
      const { value, epoch } = await right.get(key, group)
      return { value: value && Buffer.from(Buffer.from(value).toString()), epoch }
    },
  }),
  'accepts fractions': (right) => ({
    set: async (key, group, kept) =>
      Number.isInteger(kept.ttl) ? right.set(key, group, kept) : Promise.reject(new Error('ERR')),
  }),
  'replaces a value': (right) => ({
    set: async (key, group, kept) =>
      (await right.get(key, group)).value === undefined && right.set(key, group, kept),
  }),
  'separates keys and groups': (right) => ({
    get: (key, group) => right.get(key.slice(0, 20), group),
    set: (key, group, kept) => right.set(key.slice(0, 20), group, kept),
  }),
  'removes a value': (right) => ({
    set: (key, group, kept) => right.set(key, group, { ...kept, ttl: 60_000 }),
  }),
  'deletes one entry': (right) => ({ delete: (_key, group) => right.invalidate(group) }),
  'evicts the oldest': (right) => ({
    set: async (key, group, kept: StoreEntry) => {
      if (key.endsWith('new')) await right.delete(`${key.slice(0, -3)}0`, group)
      return right.set(key, group, kept)
    },
  }),
  'invalidates all entries of a group': () => ({ invalidate: async () => {} }),
  'before an invalidation': (right) => ({
    set: async (key, group, kept) => {
      const { epoch } = await right.get(key, group)
      return right.set(key, group, { ...kept, epoch })
    },
  }),
  'never reuses an epoch': (right) => {
    let ended = 0
    return {
      get: async (key, group) => ({
        ...(await right.get(key, group)),
        epoch: String(ended % 2),
      }),
      invalidate: async (group) => {
        ended += 1
        await right.invalidate(group)
      },
    }
  },
  'only the owner releases it': (right) => ({
    unlock: async (key) => {
      for (const owner of ['one', 'two']) await right.unlock(key, owner)
    },
  }),
  'extends a lock': (right) => {
    const owners = new Map<string, string>()
    return {
      lock: async (key, owner, ttl) => {
        if (owners.get(key) === owner) return true
        const isTaken = await right.lock(key, owner, ttl)
        if (isTaken) owners.set(key, owner)
        return isTaken
      },
    }
  },
  'one of many concurrent owners': (right) => ({
    lock: async (key, owner, ttl) => (await right.lock(key, owner, ttl)) || owner < '8',
  }),
  'releases a lock': (right) => ({ lock: (key, owner) => right.lock(key, owner, 60_000) }),
  'if it is shared': () => ({ shared: true }),
  'after close': () => ({ close: async () => {} }),
}

t.test('each test is failed by a store that is wrong in what it is about', async (t) => {
  const names = tokenStoreTests(() => memoryStore()).map(({ name }) => name)
  t.equal(new Set(names).size, Object.keys(WRONG).length)
  for (const [about, wrong] of Object.entries(WRONG)) {
    const tests = tokenStoreTests(() => {
      const right = memoryStore()
      return { ...methodsOf(right), ...wrong(right) }
    })
    const test = tests.find(({ name }) => name.includes(about))
    t.ok(test, about)
    await t.rejects(async () => test?.run(), about)
  }
})

t.test('a store without a clock, and without deadlines, keeps the contract', async (t) => {
  for (const { name, run } of tokenStoreTests(() => {
    const right = memoryStore()
    return {
      ...methodsOf(right),
      get: async (key, group) => {
        const { value, epoch } = await right.get(key, group)
        return { value, epoch }
      },
    }
  })) {
    await t.test(name, run)
  }
})

t.test('stores may be made later, and are closed whatever comes', async (t) => {
  let closed = 0
  const tests = tokenStoreTests(async () => {
    const right = memoryStore()
    return {
      ...methodsOf(right),
      close: async () => {
        closed += 1
      },
      get: () => Promise.reject(new Error('no')),
    }
  })
  await t.rejects(async () => tests[0]?.run(), { message: 'no' })
  t.equal(closed, 1)
})

function methodsOf(store: MemoryStore): TokenStore {
  return {
    shared: store.shared,
    get: (key, group) => store.get(key, group),
    set: (key, group, kept) => store.set(key, group, kept),
    delete: (key, group) => store.delete(key, group),
    invalidate: (group) => store.invalidate(group),
    lock: (key, owner, ttl) => store.lock(key, owner, ttl),
    unlock: (key, owner) => store.unlock(key, owner),
    close: () => store.close(),
  }
}
