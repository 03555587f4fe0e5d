import t from 'tap'
import { OptionError } from '../../../src/core/options/validate.ts'
import { memoryStore } from '../../../src/tokens/store/memory-store.ts'
import { ResilientStore } from '../../../src/tokens/store/resilient-store.ts'
import {
  acquireReleased,
  Clock,
  fill,
  found,
  KEY,
  recorder,
  SharedStore,
  WAIT,
} from '../../support/shared-store.ts'

const clock = new Clock()
const base = { logger: undefined, ...clock.options }
const GROUP = 'group'

t.test('without a store, memory is used and never degraded', async (t) => {
  const store = new ResilientStore(base)
  const name = store.deriveName(new Uint8Array([1]))
  t.not(name, store.deriveName(new Uint8Array([2])))
  t.match(store.deriveGroup('client'), /^[\w-]{43}$/)
  t.not(store.deriveGroup('client'), store.deriveGroup('another'))
  await fill(store, name, GROUP, 'good')
  t.equal(await found(store, name, GROUP), 'good')
  await store.delete(name, GROUP)
  t.equal(await found(store, name, GROUP), undefined)
  const { epoch } = await store.get(name, GROUP)
  t.equal(await store.invalidate(GROUP), true)
  await store.set(name, GROUP, { value: new Uint8Array(1), epoch, ttl: 1000 })
  t.equal(await found(store, name, GROUP), undefined, 'asked for before it was invalidated')
  t.strictSame(store.status(), { shared: false, degraded: false, unreadable: 0 })
  await store.close()
  t.equal(await fill(store, name, GROUP, 'good'), undefined)
  t.equal(await found(store, name, GROUP), undefined)
})

t.test('in memory, a look-up is dated by the wall clock, and a lock has one owner', async (t) => {
  const store = new ResilientStore(base)
  const name = store.deriveName(new Uint8Array([1]))
  t.equal((await store.get(name, GROUP)).now, clock.wall)
  const lock = await store.acquire(name, WAIT)
  t.ok(lock)
  t.equal(await store.acquire(name, WAIT), undefined)
  lock?.release()
  lock?.release()
  const next = await acquireReleased(store, name)
  t.equal(await store.acquire(name, WAIT), undefined)
  await store.close()
  next.release()
  const last = await store.acquire(name, WAIT)
  t.ok(last, 'closed, it keeps nobody from asking')
  last?.release()
})

t.test('the skew is logged once per logger, for all its stores', async (t) => {
  const ahead = new Clock()
  ahead.wall += 60_000
  const shared = new SharedStore(clock)
  const { lines, logger } = recorder()
  const warning = 'warn cognito-m2m: the clocks of this process and of the token store differ'
  for (const [index, itsLogger] of [logger, logger, undefined].entries()) {
    const options = { store: shared, encryptionKeys: [KEY], logger: itsLogger, ...ahead.options }
    const store = new ResilientStore(options)
    await store.get(`name ${index}`, GROUP)
    await store.get(`name ${index}`, GROUP)
  }
  t.strictSame(lines, [`${warning} {"skew":60}`])
})

t.test('a memory store that another app closed does not block token requests', async (t) => {
  const memory = memoryStore(clock.options)
  const store = new ResilientStore({ ...base, store: memory })
  await memory.close()
  const lock = await store.acquire('name', WAIT)
  t.ok(lock)
  lock?.release()
})

t.test('two resilient stores of a process share a memory store', async (t) => {
  const store = memoryStore({ maxEntries: 2, ...clock.options })
  const [one, two] = [
    new ResilientStore({ ...base, store }),
    new ResilientStore({ ...base, store }),
  ]
  const names = [1, 2, 3].map((byte) => one.deriveName(new Uint8Array([byte])))
  for (const name of names) await fill(one, name, GROUP, 'good')
  t.strictSame(await Promise.all(names.map((name) => found(two, name, GROUP))), [
    undefined,
    'good',
    'good',
  ])
})

t.test("a store of one's own that nobody shares needs no keys", async (t) => {
  const backing = memoryStore(clock.options)
  const store = new ResilientStore({
    ...base,
    store: {
      shared: false,
      get: backing.get.bind(backing),
      set: backing.set.bind(backing),
      delete: backing.delete.bind(backing),
      invalidate: backing.invalidate.bind(backing),
      lock: backing.lock.bind(backing),
      unlock: backing.unlock.bind(backing),
      close: backing.close.bind(backing),
    },
  })
  const name = store.deriveName(new Uint8Array([1]))
  await fill(store, name, GROUP, 'good')
  t.equal(await found(store, name, GROUP), 'good')
  t.equal(backing.entries.size, 1)
  t.strictSame(store.status(), { shared: false, degraded: false, unreadable: 0 })
})

t.test('errors name invalid options', async (t) => {
  const shared = new SharedStore(clock)
  t.throws(() => new ResilientStore({ ...base, store: shared }), {
    name: OptionError.name,
    option: 'encryptionKeys',
    message: /openssl rand -base64 32/,
  })
  t.throws(() => new ResilientStore({ ...base, store: shared, encryptionKeys: [] }), {
    name: OptionError.name,
    option: 'encryptionKeys',
  })
  const almost = { ...memoryStore(), shared: 'yes' }
  for (const store of [null, 'redis', {}, () => {}, almost, new Map()]) {
    t.throws(() => new ResilientStore({ ...base, store: store as never }), {
      name: OptionError.name,
      option: 'store',
    })
  }
  const methods = Object.fromEntries(
    ['get', 'set', 'delete', 'invalidate', 'lock', 'unlock', 'close'].map((name) => [
      name,
      () => {},
    ]),
  )
  t.throws(() => new ResilientStore({ ...base, store: methods as never }), {
    message:
      'cognito-m2m: store: expected a token store, got an object without a boolean `shared`. Pass memoryStore(), redisStore({ redis }) or a TokenStore.',
  })
  t.throws(
    () => new ResilientStore({ ...base, store: { ...methods, shared: true, lock: 1 } as never }),
    {
      message: /without a method `lock`/,
    },
  )
})

t.test('a logger that throws has no effect', async (t) => {
  const shared = new SharedStore(clock)
  const throws = (): never => {
    throw new Error('full disk')
  }
  const logger = { ...recorder().logger, warn: throws, info: throws }
  const store = new ResilientStore({ ...base, store: shared, encryptionKeys: [KEY], logger })
  shared.fault = 'rejects'
  for (let look = 0; look < 4; look += 1) t.equal(await found(store, 'name', GROUP), undefined)
  t.equal(store.status().degraded, true)
})

t.test('errors without a known form are logged as unknown', async (t) => {
  for (const error of [undefined, null, 'text', new Error('a secret'), { code: 'has secret' }]) {
    const { lines, logger } = recorder()
    const shared = new SharedStore(clock)
    shared.get = () => Promise.reject(error)
    const store = new ResilientStore({ ...base, store: shared, encryptionKeys: [KEY], logger })
    for (let look = 0; look < 3; look += 1) await store.get('name', GROUP)
    t.match(lines, [/"reason":"unknown"/])
  }
})
