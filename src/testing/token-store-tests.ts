/** The contract of a token store as tests, for authors of stores. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { MAX_GROUP, type TokenStore } from '../tokens/store/token-store.ts'

/** One test, for any test runner. */
export interface TokenStoreTest {
  readonly name: string
  /** Runs the test. Rejects with an `AssertionError` if the store breaks its contract. */
  readonly run: () => Promise<void>
}

/** Lifetimes: longer than a test, and short enough to wait for. */
const LONG_MS = 60_000
const SHORT_MS = 50
/** Time limit for an expiry. */
const TIMEOUT_MS = 2000

/** A store, with a unique key and group. */
interface TestContext {
  readonly store: TokenStore
  readonly another: () => Promise<TokenStore>
  readonly key: string
  readonly group: string
}

const TESTS: Readonly<Record<string, (context: TestContext) => Promise<void>>> = {
  async 'returns an epoch without a value for an unknown key'({ store, key, group }) {
    const { value, epoch } = await store.get(key, group)
    assert.equal(value, undefined)
    assert.equal(typeof epoch, 'string')
    assert.equal((await store.get(key, group)).epoch, epoch)
  },

  async 'returns the time of its clock if it has one'({ store, key, group }) {
    const { now: first } = await store.get(key, group)
    if (first === undefined) return
    assert.ok(Number.isFinite(first), `expected milliseconds since 1970, got ${first}`)
    await wait(2 * SHORT_MS)
    const { now: second = Number.NaN } = await store.get(key, group, { maxDelayMs: TIMEOUT_MS })
    assert.ok(second - first >= SHORT_MS, `${second} is not ${2 * SHORT_MS} ms later than ${first}`)
    assert.ok(second - first < TIMEOUT_MS, `${second} is far from ${first}`)
  },

  async 'locks and reads with a deadline'({ store, key, group }) {
    await setValue(store, key, group, ONE)
    const { value } = await store.get(key, group, { maxDelayMs: TIMEOUT_MS })
    assert.deepEqual(value && new Uint8Array(value), ONE)
    assert.equal(await store.lock(key, 'one', LONG_MS, { maxDelayMs: TIMEOUT_MS }), true)
    assert.equal(await store.lock(key, 'two', LONG_MS, { maxDelayMs: TIMEOUT_MS }), false)
  },

  async 'returns a stored value unchanged'({ store, key, group }) {
    const value = Uint8Array.from({ length: 2048 }, (_, index) => index % 256)
    assert.equal(await setValue(store, key, group, value), true)
    assert.deepEqual(await getValue(store, key, group), value)
  },

  async 'accepts fractions of milliseconds'({ store, key, group }) {
    const { epoch } = await store.get(key, group)
    assert.equal(await store.set(key, group, { value: ONE, epoch, ttl: 9999.5 }), true)
    assert.deepEqual(await getValue(store, key, group), ONE)
  },

  async 'replaces a value'({ store, key, group }) {
    await setValue(store, key, group, ONE)
    await setValue(store, key, group, TWO)
    assert.deepEqual(await getValue(store, key, group), TWO)
  },

  async 'separates keys and groups'({ store, key, group }) {
    await setValue(store, key, group, ONE)
    assert.equal(await getValue(store, `${key}x`, group), undefined)
    assert.equal(await getValue(store, key, `${group}x`), undefined)
  },

  async 'removes a value at its expiry'({ store, key, group }) {
    await setValue(store, key, group, ONE, SHORT_MS)
    await waitUntil(async () => (await getValue(store, key, group)) === undefined)
  },

  async 'deletes one entry and no other'({ store, key, group }) {
    await setValue(store, key, group, ONE)
    await setValue(store, `${key}x`, group, TWO)
    await store.delete(key, group)
    await store.delete(`${key}y`, group)
    assert.equal(await getValue(store, key, group), undefined)
    assert.deepEqual(await getValue(store, `${key}x`, group), TWO)
  },

  async 'limits the entries of a group, and evicts the oldest'({ store, key, group }) {
    for (let index = 0; index < MAX_GROUP; index += 1)
      await setValue(store, key + index, group, ONE)
    await setValue(store, `${key}0`, group, TWO)
    await setValue(store, `${key}new`, group, TWO)
    assert.equal(await getValue(store, `${key}1`, group), undefined)
    assert.deepEqual(await getValue(store, `${key}0`, group), TWO)
    assert.deepEqual(await getValue(store, `${key}new`, group), TWO)
    for (let index = 2; index < MAX_GROUP; index += 1) {
      assert.deepEqual(await getValue(store, key + index, group), ONE)
    }
  },

  async 'invalidates all entries of a group, and of no other'({ store, key, group }) {
    await setValue(store, key, group, ONE)
    await setValue(store, `${key}x`, group, ONE)
    await setValue(store, key, `${group}x`, TWO)
    await store.invalidate(group)
    assert.equal(await getValue(store, key, group), undefined)
    assert.equal(await getValue(store, `${key}x`, group), undefined)
    assert.deepEqual(await getValue(store, key, `${group}x`), TWO)
  },

  async 'rejects a value with an epoch from before an invalidation'({ store, key, group }) {
    const { epoch } = await store.get(key, group)
    await store.invalidate(group)
    assert.equal(await store.set(key, group, { value: ONE, epoch, ttl: LONG_MS }), false)
    assert.equal(await getValue(store, key, group), undefined)
    assert.equal(await setValue(store, key, group, TWO), true)
    assert.deepEqual(await getValue(store, key, group), TWO)
  },

  async 'never reuses an epoch'({ store, key, group }) {
    const epochs = new Set<string>()
    for (let index = 0; index < 5; index += 1) {
      epochs.add((await store.get(key, group)).epoch)
      await store.invalidate(group)
    }
    assert.equal(epochs.size, 5)
  },

  async 'grants a lock to one owner, and only the owner releases it'({ store, key }) {
    assert.equal(await store.lock(key, 'one', LONG_MS), true)
    assert.equal(await store.lock(key, 'two', LONG_MS), false)
    assert.equal(await store.lock(`${key}x`, 'two', LONG_MS), true)
    await store.unlock(key, 'two')
    assert.equal(await store.lock(key, 'two', LONG_MS), false)
    await store.unlock(key, 'one')
    assert.equal(await store.lock(key, 'two', LONG_MS), true)
    await store.unlock(`${key}y`, 'one')
  },

  async 'extends a lock for its owner'({ store, key }) {
    assert.equal(await store.lock(key, 'one', SHORT_MS), true)
    assert.equal(await store.lock(key, 'one', LONG_MS), true)
    await wait(2 * SHORT_MS)
    assert.equal(await store.lock(key, 'two', LONG_MS), false)
    await store.unlock(key, 'one')
    assert.equal(await store.lock(key, 'two', LONG_MS), true)
    assert.equal(await store.lock(key, 'one', LONG_MS), false)
  },

  async 'grants a lock to one of many concurrent owners'({ store, key }) {
    const owners = Array.from({ length: 50 }, () => randomUUID())
    const results = await Promise.all(owners.map((owner) => store.lock(key, owner, LONG_MS)))
    assert.equal(results.filter(Boolean).length, 1)
  },

  async 'releases a lock at its expiry'({ store, key }) {
    assert.equal(await store.lock(key, 'one', SHORT_MS), true)
    await waitUntil(() => store.lock(key, 'two', LONG_MS))
    await store.unlock(key, 'one')
    assert.equal(await store.lock(key, 'three', LONG_MS), false)
  },

  async 'shares data with other stores if it is shared'({ store, another, key, group }) {
    if (!store.shared) return
    const other = await another()
    await setValue(store, key, group, ONE)
    assert.deepEqual(await getValue(other, key, group), ONE)
    assert.equal(await store.lock(key, 'one', LONG_MS), true)
    assert.equal(await other.lock(key, 'two', LONG_MS), false)
    const { epoch } = await store.get(key, group)
    await other.invalidate(group)
    assert.equal(await getValue(store, key, group), undefined)
    assert.equal(await store.set(key, group, { value: TWO, epoch, ttl: LONG_MS }), false)
    assert.equal(await getValue(other, key, group), undefined)
  },

  async 'rejects every call after close'({ store, key, group }) {
    const { epoch } = await store.get(key, group)
    await store.close()
    await assert.rejects(async () => store.get(key, group))
    await assert.rejects(async () => store.set(key, group, { value: ONE, epoch, ttl: LONG_MS }))
    await assert.rejects(async () => store.delete(key, group))
    await assert.rejects(async () => store.invalidate(group))
    await assert.rejects(async () => store.lock(key, 'one', LONG_MS))
    await assert.rejects(async () => store.unlock(key, 'one'))
    await store.close()
  },
}

const ONE = new Uint8Array([1])
const TWO = new Uint8Array([2, 2])

/**
 * Creates tests of the contract of a token store, for any test runner. Each test creates stores, closes them,
 * uses unique keys, and takes up to 2 s of real time.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 *
 * for (const { name, run } of tokenStoreTests(() => myStore())) test(name, run)
 * ```
 *
 * @param makeStore Creates a store. Called once per test, and twice if the store is shared: both stores must
 *   use the same data.
 * @returns The tests.
 */
export function tokenStoreTests(
  makeStore: () => TokenStore | Promise<TokenStore>,
): readonly TokenStoreTest[] {
  return Object.entries(TESTS).map(([name, test]) => ({
    name: `a token store ${name}`,
    async run() {
      const stores: TokenStore[] = []
      const another = async (): Promise<TokenStore> => {
        const store = await makeStore()
        stores.push(store)
        return store
      }
      try {
        const unique = randomBytes(16).toString('base64url')
        await test({ store: await another(), another, key: `k${unique}`, group: `g${unique}` })
      } finally {
        await Promise.all(stores.map((store) => store.close()))
      }
    },
  }))
}

async function getValue(
  store: TokenStore,
  key: string,
  group: string,
): Promise<Uint8Array | undefined> {
  const { value } = await store.get(key, group)
  // Stores may return a Buffer, which `deepEqual` treats as another type.
  return value === undefined ? undefined : new Uint8Array(value)
}

/** Stores a value with the current epoch. */
async function setValue(
  store: TokenStore,
  key: string,
  group: string,
  value: Uint8Array,
  ttl = LONG_MS,
): Promise<boolean> {
  const { epoch } = await store.get(key, group)
  return store.set(key, group, { value, epoch, ttl })
}

async function waitUntil(isMet: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < TIMEOUT_MS; waited += SHORT_MS) {
    if (await isMet()) return
    await wait(SHORT_MS)
  }
  assert.fail(`expected the entry to expire within ${TIMEOUT_MS} ms`)
}
