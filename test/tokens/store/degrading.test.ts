import { mock } from 'node:test'
import t from 'tap'
import { settle } from '../../support/client.ts'
import {
  acquireReleased,
  Clock,
  type Fault,
  fill,
  found,
  process,
  SharedStore,
  text,
  WAIT,
} from '../../support/shared-store.ts'

const NAME = 'name'
const GROUP = 'group'
const HOUR = 3_600_000

for (const fault of ['rejects', 'throws', 'hangs'] as const satisfies Fault[]) {
  t.test(`a store that ${fault} costs no caller a good token, and is told of once`, async (t) => {
    const clock = new Clock()
    const shared = new SharedStore(clock)
    const { store, lines } = process(shared, clock)
    await fill(store, NAME, GROUP, 'good')
    shared.fault = fault
    for (let look = 0; look < 3; look += 1) t.equal(await found(store, NAME, GROUP), 'good')
    t.equal(store.status().degraded, true)
    const reason = fault === 'hangs' ? 'TIMEOUT' : 'ECONNREFUSED'
    const warning = `warn cognito-m2m: the token store fails: tokens are kept in memory until it is back {"reason":"${reason}"}`
    t.strictSame(lines, [warning])
    shared.commands.length = 0
    for (let look = 0; look < 10; look += 1) t.equal(await found(store, NAME, GROUP), 'good')
    t.strictSame(shared.commands, [], 'it is left alone')
    clock.pass(HOUR)
    shared.fault = undefined
    t.equal(await found(store, NAME, GROUP), undefined, 'nothing is served past its expiry')
    t.strictSame(shared.commands, ['get'])
    t.strictSame(lines, [warning, 'info cognito-m2m: the token store is back {}'])
    t.equal(store.status().degraded, false)
  })
}

t.test('one caller a second retries a failing store', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(clock)
  const { store, lines } = process(shared, clock)
  shared.fault = 'rejects'
  for (let look = 0; look < 3; look += 1) {
    await store.get(NAME, GROUP)
    clock.pass(700)
  }
  for (let second = 0; second < 3; second += 1) {
    clock.pass(1000)
    shared.commands.length = 0
    await Promise.all(Array.from({ length: 5 }, () => store.get(NAME, GROUP)))
    t.strictSame(shared.commands, ['get'])
  }
  t.equal(lines.length, 1)
  clock.monotonic = Number.NaN
  shared.commands.length = 0
  await store.get(NAME, GROUP)
  t.strictSame(shared.commands, [], 'nor where the clock cannot be read')
})

t.test('a token requested during an outage of the store is served until it expires', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(clock)
  const { store } = process(shared, clock)
  await fill(store, NAME, GROUP, 'one')
  shared.fault = 'rejects'
  await fill(store, 'other', GROUP, 'two')
  await fill(store, 'far', 'away', 'three')
  t.equal(await found(store, 'other', GROUP), 'two')
  t.equal(await found(store, 'far', 'away'), 'three')
  shared.fault = undefined
  clock.pass(1000)
  t.equal(await found(store, NAME, GROUP), 'one')
  t.equal(await found(store, 'other', GROUP), 'two', 'its epoch has not ended')
  t.equal(await found(store, 'far', 'away'), undefined, 'nobody knows what became of its epoch')
})

t.test('a full store is still read, and does not cause a token request per call', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(clock)
  const { store, lines } = process(shared, clock)
  await fill(store, NAME, GROUP, 'old', 60_000)
  shared.fault = 'is full'
  const { epoch } = await store.get(NAME, GROUP)
  for (let look = 0; look < 3; look += 1) {
    await store.set(NAME, GROUP, { value: Buffer.from('new'), epoch, ttl: HOUR })
    t.equal(await found(store, NAME, GROUP), 'new', 'not the older one that the store has')
  }
  t.strictSame(lines, [
    'warn cognito-m2m: the token store fails: tokens are kept in memory until it is back {"reason":"OOM"}',
  ])
  const lock = await store.acquire(NAME, WAIT)
  t.ok(lock, 'nobody waits for a lock that cannot be had')
  lock?.release()
  shared.fault = undefined
  const other = process(shared, clock)
  await other.store.invalidate(GROUP)
  t.equal(await found(store, NAME, GROUP), undefined, 'while it is read, it is obeyed')
})

t.test('an invalidation ends the copies of all processes that reach the store', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(clock)
  const [here, there] = [process(shared, clock), process(shared, clock)]
  for (const name of ['one', 'two']) await fill(here.store, name, GROUP, name)
  for (const name of ['one', 'two']) t.equal(await found(there.store, name, GROUP), name)
  const { epoch } = await there.store.get('three', GROUP)
  t.equal(await here.store.invalidate(GROUP), true)
  await there.store.set('three', GROUP, { value: Buffer.from('late'), epoch, ttl: HOUR })
  t.equal(await found(there.store, 'one', GROUP), undefined)
  shared.fault = 'rejects'
  for (const name of ['one', 'two', 'three']) {
    t.equal(await found(there.store, name, GROUP), undefined, 'one look-up ended them all')
    t.equal(await found(here.store, name, GROUP), undefined)
  }
})

t.test('the token of a request in flight does not outlive an invalidation', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(clock)
  const { store } = process(shared, clock)
  for (const fault of [undefined, 'rejects'] as const) {
    const { epoch } = await store.get(NAME, GROUP)
    shared.fault = fault
    await store.invalidate(GROUP)
    await store.set(NAME, GROUP, { value: Buffer.from('late'), epoch, ttl: HOUR })
    t.equal(await found(store, NAME, GROUP), undefined)
  }
})

t.test('an entry that the store refused is not kept in memory for an outage', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(clock)
  const [here, there] = [process(shared, clock), process(shared, clock)]
  const { epoch } = await there.store.get(NAME, GROUP)
  await here.store.invalidate(GROUP)
  await there.store.set(NAME, GROUP, { value: Buffer.from('late'), epoch, ttl: HOUR })
  shared.fault = 'rejects'
  t.equal(await found(there.store, NAME, GROUP), undefined)
})

t.test('writes that the store missed apply to this process, and are retried', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const clock = new Clock()
  const shared = new SharedStore(clock)
  const [here, there] = [process(shared, clock), process(shared, clock)]
  for (const name of ['one', 'two']) await fill(here.store, name, GROUP, name)
  await fill(here.store, 'apart', 'another', 'apart')
  shared.fault = 'rejects'
  t.equal(await here.store.invalidate(GROUP), false)
  await here.store.delete('apart', 'another')
  t.strictSame(here.lines, [
    'warn cognito-m2m: the token store missed an invalidation; sending it again when the store is back {}',
  ])
  shared.fault = undefined
  t.equal(await found(here.store, 'one', GROUP), undefined, 'the store has it, but is not believed')
  t.equal(await found(here.store, 'apart', 'another'), undefined)
  t.equal(await found(there.store, 'one', GROUP), 'one', 'nobody told the others')
  shared.fault = 'rejects'
  mock.timers.tick(1000)
  await settle()
  shared.fault = undefined
  mock.timers.tick(1000)
  await settle()
  for (const { store } of [here, there]) {
    t.equal(await found(store, 'two', GROUP), undefined)
    t.equal(await found(store, 'apart', 'another'), undefined)
  }
  shared.commands.length = 0
  mock.timers.tick(10_000)
  await settle()
  t.strictSame(shared.commands, [], 'it is told once')
  t.equal(await fill(here.store, 'one', GROUP, 'new'), undefined)
  t.equal(await found(there.store, 'one', GROUP), 'new')
})

t.test('a late response of the store does not undo an invalidation', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(clock)
  const { store } = process(shared, clock)
  await fill(store, NAME, GROUP, 'good')
  let answer: (() => void) | undefined
  const { get } = shared
  shared.get = (key, group) =>
    new Promise((resolve, reject) => {
      answer = () => get.call(shared, key, group).then(resolve, reject)
    })
  t.equal(await found(store, NAME, GROUP), 'good')
  await store.invalidate(GROUP)
  answer?.()
  await settle()
  shared.fault = 'hangs'
  t.equal(await found(store, NAME, GROUP), undefined)
})

t.test('locks and deletions are sent, and not awaited while the store is down', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(clock)
  const [here, there] = [process(shared, clock), process(shared, clock)]
  const ours = await here.store.acquire(NAME, WAIT)
  t.ok(ours)
  t.equal(await there.store.acquire(NAME, WAIT), undefined)
  ours?.release()
  const theirs = await acquireReleased(there.store, NAME)
  t.equal(await here.store.acquire(NAME, WAIT), undefined)
  await fill(here.store, NAME, GROUP, 'good')
  t.equal(await found(there.store, NAME, GROUP), 'good')
  await here.store.delete(NAME, GROUP)
  t.equal(await found(there.store, NAME, GROUP), undefined)
  shared.fault = 'rejects'
  const standIn = await here.store.acquire(NAME, WAIT)
  t.ok(standIn, 'although it is held')
  t.equal(await found(there.store, NAME, GROUP), undefined, 'nor its copy')
  for (const lock of [theirs, standIn]) lock?.release()
})

t.test('a closed store finds, stores and logs nothing', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(clock)
  const { store } = process(shared, clock)
  await fill(store, NAME, GROUP, 'good')
  shared.fault = 'rejects'
  await store.invalidate('other')
  shared.fault = undefined
  await store.close()
  shared.commands.length = 0
  t.equal(await fill(store, NAME, GROUP, 'good'), undefined)
  t.equal(await found(store, NAME, GROUP), undefined)
  await store.delete(NAME, GROUP)
  t.equal(await store.invalidate(GROUP), false)
  const lock = await store.acquire(NAME, WAIT)
  t.ok(lock)
  lock?.release()
  await settle()
  await store.close()
  t.strictSame(shared.commands, [])
})

t.test('a custom store with invalid responses counts as failing', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(clock)
  const { store } = process(shared, clock)
  await fill(store, NAME, GROUP, 'good')
  for (const answer of [undefined, null, {}, { value: 'text', epoch: 1 }, 7]) {
    shared.get = async () => answer as never
    t.equal(text((await store.get(NAME, GROUP)).value), 'good')
  }
  t.equal(store.status().degraded, true)
})
