/** The contract of a token store as tests, for whoever writes one. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { MAX_GROUP, type TokenStore } from '../tokens/store/token-store.ts'

/** One test, for any test runner. */
export interface TokenStoreTest {
  readonly name: string
  /** Rejects with an `AssertionError` where the store breaks its contract. */
  readonly run: () => Promise<void>
}

/** Milliseconds: long enough to stay, and short enough to wait for. */
const LONG_MS = 60_000
const SHORT_MS = 50
/** Milliseconds after which something that should be gone counts as staying. */
const TIMEOUT_MS = 2000

/** A store, and names nobody else uses. */
interface TestContext {
  readonly store: TokenStore
  readonly another: () => Promise<TokenStore>
  readonly key: string
  readonly group: string
}

const TESTS: Readonly<Record<string, (scene: TestContext) => Promise<void>>> = {
  async 'finds nothing where nothing was kept, but an epoch'({ store, key, group }) {
    const { value, epoch } = await store.get(key, group)
    assert.equal(value, undefined)
    assert.equal(typeof epoch, 'string')
    assert.equal((await store.get(key, group)).epoch, epoch)
  },

  async 'tells the time of its clock if it has one'({ store, key, group }) {
    const { now: first } = await store.get(key, group)
    if (first === undefined) return
    assert.ok(Number.isFinite(first), `expected milliseconds since 1970, got ${first}`)
    await wait(2 * SHORT_MS)
    const { now: second = Number.NaN } = await store.get(key, group, { maxDelayMs: TIMEOUT_MS })
    assert.ok(second - first >= SHORT_MS, `${second} is not ${2 * SHORT_MS} ms later than ${first}`)
    assert.ok(second - first < TIMEOUT_MS, `${second} is far from ${first}`)
  },

  async 'takes a lock and finds a value that are asked for with a deadline'({ store, key, group }) {
    await setValue(store, key, group, ONE)
    const { value } = await store.get(key, group, { maxDelayMs: TIMEOUT_MS })
    assert.deepEqual(value && new Uint8Array(value), ONE)
    assert.equal(await store.lock(key, 'one', LONG_MS, { maxDelayMs: TIMEOUT_MS }), true)
    assert.equal(await store.lock(key, 'two', LONG_MS, { maxDelayMs: TIMEOUT_MS }), false)
  },

  async 'finds what was kept, byte for byte'({ store, key, group }) {
    const value = Uint8Array.from({ length: 2048 }, (_, index) => index % 256)
    assert.equal(await setValue(store, key, group, value), true)
    assert.deepEqual(await getValue(store, key, group), value)
  },

  async 'takes fractions of milliseconds'({ store, key, group }) {
    const { epoch } = await store.get(key, group)
    assert.equal(await store.set(key, group, { value: ONE, epoch, ttl: 9999.5 }), true)
    assert.deepEqual(await getValue(store, key, group), ONE)
  },

  async 'replaces what was kept before'({ store, key, group }) {
    await setValue(store, key, group, ONE)
    await setValue(store, key, group, TWO)
    assert.deepEqual(await getValue(store, key, group), TWO)
  },

  async 'tells keys and groups apart'({ store, key, group }) {
    await setValue(store, key, group, ONE)
    assert.equal(await getValue(store, `${key}x`, group), undefined)
    assert.equal(await getValue(store, key, `${group}x`), undefined)
  },

  async 'forgets a value when its time is over'({ store, key, group }) {
    await setValue(store, key, group, ONE, SHORT_MS)
    await waitUntil(async () => (await getValue(store, key, group)) === undefined)
  },

  async 'drops one entry and no other'({ store, key, group }) {
    await setValue(store, key, group, ONE)
    await setValue(store, `${key}x`, group, TWO)
    await store.delete(key, group)
    await store.delete(`${key}y`, group)
    assert.equal(await getValue(store, key, group), undefined)
    assert.deepEqual(await getValue(store, `${key}x`, group), TWO)
  },

  async 'holds so many entries of a group, and lets the oldest go'({ store, key, group }) {
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

  async 'ends all entries of a group, and of no other'({ store, key, group }) {
    await setValue(store, key, group, ONE)
    await setValue(store, `${key}x`, group, ONE)
    await setValue(store, key, `${group}x`, TWO)
    await store.invalidate(group)
    assert.equal(await getValue(store, key, group), undefined)
    assert.equal(await getValue(store, `${key}x`, group), undefined)
    assert.deepEqual(await getValue(store, key, `${group}x`), TWO)
  },

  async 'does not keep what was asked for before an invalidation'({ store, key, group }) {
    const { epoch } = await store.get(key, group)
    await store.invalidate(group)
    assert.equal(await store.set(key, group, { value: ONE, epoch, ttl: LONG_MS }), false)
    assert.equal(await getValue(store, key, group), undefined)
    assert.equal(await setValue(store, key, group, TWO), true)
    assert.deepEqual(await getValue(store, key, group), TWO)
  },

  async 'never comes back to an epoch'({ store, key, group }) {
    const epochs = new Set<string>()
    for (let index = 0; index < 5; index += 1) {
      epochs.add((await store.get(key, group)).epoch)
      await store.invalidate(group)
    }
    assert.equal(epochs.size, 5)
  },

  async 'gives a lock to one owner, who alone frees it'({ store, key }) {
    assert.equal(await store.lock(key, 'one', LONG_MS), true)
    assert.equal(await store.lock(key, 'two', LONG_MS), false)
    assert.equal(await store.lock(`${key}x`, 'two', LONG_MS), true)
    await store.unlock(key, 'two')
    assert.equal(await store.lock(key, 'two', LONG_MS), false)
    await store.unlock(key, 'one')
    assert.equal(await store.lock(key, 'two', LONG_MS), true)
    await store.unlock(`${key}y`, 'one')
  },

  async 'extends a lock for the owner who holds it'({ store, key }) {
    assert.equal(await store.lock(key, 'one', SHORT_MS), true)
    assert.equal(await store.lock(key, 'one', LONG_MS), true)
    await wait(2 * SHORT_MS)
    assert.equal(await store.lock(key, 'two', LONG_MS), false)
    await store.unlock(key, 'one')
    assert.equal(await store.lock(key, 'two', LONG_MS), true)
    assert.equal(await store.lock(key, 'one', LONG_MS), false)
  },

  async 'gives a lock to one of many who ask at once'({ store, key }) {
    const owners = Array.from({ length: 50 }, () => randomUUID())
    const given = await Promise.all(owners.map((owner) => store.lock(key, owner, LONG_MS)))
    assert.equal(given.filter(Boolean).length, 1)
  },

  async 'frees a lock when its time is over'({ store, key }) {
    assert.equal(await store.lock(key, 'one', SHORT_MS), true)
    await waitUntil(() => store.lock(key, 'two', LONG_MS))
    await store.unlock(key, 'one')
    assert.equal(await store.lock(key, 'three', LONG_MS), false)
  },

  async 'is shared if it says so'({ store, another, key, group }) {
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

  async 'rejects what is asked once it is closed'({ store, key, group }) {
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
 * What every store of tokens must do, for any test runner: `run` rejects where it does not.
 *
 * ```ts
 * import { test } from 'node:test'
 *
 * for (const { name, run } of tokenStoreTests(() => myStore())) test(name, run)
 * ```
 *
 * Each test makes stores of its own, closes them, and uses keys nobody else does; it takes up to 2 s
 * of real time.
 *
 * @param makeStore Called once per test, and twice where a store says it is shared: both stores have to
 *   reach the same data.
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
  // A Buffer is as good, and compares as another type.
  return value === undefined ? undefined : new Uint8Array(value)
}

/** Keeps a value that was asked for just now. */
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

async function waitUntil(isSo: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < TIMEOUT_MS; waited += SHORT_MS) {
    if (await isSo()) return
    await wait(SHORT_MS)
  }
  assert.fail(`It did not come about within ${TIMEOUT_MS} ms`)
}
