/** How long callers wait for a store that stalls, and what reaches it meanwhile. */
import t, { type Test } from 'tap'
import type { StoreEntry } from '../../../src/tokens/store/token-store.ts'
import { settle } from '../../support/client.ts'
import { fill, found, process, setUpTimedStore, text, WAIT } from '../../support/shared-store.ts'

const NAME = 'name'
const GROUP = 'group'
const HOUR = 3_600_000

function setUpStore(t: Test) {
  const { clock, shared, pass } = setUpTimedStore(t)
  return { clock, shared, pass, ...process(shared, clock) }
}

/** What it resolved with, once it did. */
function watch<Value>(promise: Promise<Value>): { value?: Value; isOver: boolean } {
  const watched: { value?: Value; isOver: boolean } = { isOver: false }
  promise.then((value) => Object.assign(watched, { value, isOver: true }))
  return watched
}

t.test('a miss waits for a stall, and gets the entry of the store', async (t) => {
  const { shared, pass, store, clock } = setUpStore(t)
  await fill(process(shared, clock).store, NAME, GROUP, 'good')
  shared.fault = 'stalls'
  const miss = watch(store.get(NAME, GROUP, WAIT))
  const lock = watch(store.acquire(NAME, WAIT))
  await pass(1000)
  t.equal(miss.isOver, false)
  t.equal(lock.isOver, false)
  shared.resume()
  await settle()
  t.equal(text(miss.value?.value), 'good')
  t.ok(lock.value)
  t.equal(store.status().degraded, false)
  t.equal(await process(shared, clock).store.acquire(NAME, WAIT), undefined)
})

t.test(
  'a caller with a copy waits 100 ms, and not at all after three failures in a row',
  async (t) => {
    const { shared, pass, store } = setUpStore(t)
    await fill(store, NAME, GROUP, 'good')
    shared.fault = 'stalls'
    shared.commands.length = 0
    for (let look = 0; look < 3; look += 1) {
      const looked = watch(store.get(NAME, GROUP))
      await pass(99)
      t.equal(looked.isOver, false)
      await pass(1)
      t.equal(text(looked.value?.value), 'good')
    }
    t.equal(await found(store, NAME, GROUP), 'good')
    t.equal(shared.commands.length, 3)
    const miss = watch(store.get('other', GROUP, WAIT))
    await pass(500)
    t.equal(miss.isOver, false, 'without a copy, it is worth waiting for')
    shared.resume()
    await settle()
    t.equal(miss.isOver, true)
    t.equal(await found(store, NAME, GROUP), 'good')
    t.equal(shared.commands.length, 4, 'late answers do not show that it is fast')
    await pass(1000)
    t.equal(await found(store, NAME, GROUP), 'good')
    t.equal(store.status().degraded, false)
  },
)

t.test('a look-up before a request waits for the store, with or without a copy', async (t) => {
  const { shared, pass, store, clock } = setUpStore(t)
  await fill(store, NAME, GROUP, 'old')
  const there = process(shared, clock).store
  const { epoch } = await there.get(NAME, GROUP)
  await there.set(NAME, GROUP, { value: Buffer.from('new'), epoch, ttl: 2 * HOUR })
  shared.fault = 'stalls'
  for (let look = 0; look < 3; look += 1) {
    void store.get(NAME, GROUP)
    await pass(100)
  }
  const lock = watch(store.acquire(NAME, WAIT))
  await pass(200)
  shared.resume()
  await settle()
  t.ok(lock.value)
  t.equal(await found(store, NAME, GROUP), 'old')
  t.equal(text((await store.get(NAME, GROUP, WAIT)).value), 'new')
})

t.test('no caller waits longer than 1.25 s after the store began to fail', async (t) => {
  const { shared, pass, store } = setUpStore(t)
  shared.fault = 'stalls'
  const first = watch(store.get(NAME, GROUP, WAIT))
  await pass(600)
  const [second, lock] = [watch(store.get(NAME, GROUP, WAIT)), watch(store.acquire(NAME, WAIT))]
  await pass(649)
  t.strictSame([first.isOver, second.isOver, lock.isOver], [false, false, false])
  await pass(1)
  t.strictSame([first.isOver, second.isOver, lock.isOver], [true, true, true])
  t.equal(store.status().degraded, true)
  shared.commands.length = 0
  t.equal((await store.get(NAME, GROUP, WAIT)).value, undefined, 'down: at once')
  const alone = await store.acquire(NAME, WAIT)
  t.ok(alone)
  alone?.release()
  await settle()
  t.strictSame(shared.commands, [], 'a lock that was not asked for is not released')
  await pass(1000)
  shared.commands.length = 0
  const tries = Array.from({ length: 5 }, () => watch(store.get(NAME, GROUP, WAIT)))
  await settle()
  t.strictSame(shared.commands, ['get'])
  t.equal(tries.filter(({ isOver }) => isOver).length, 4)
  await pass(100)
  t.equal(tries.filter(({ isOver }) => isOver).length, 5, 'who tries waits 100 ms')
  shared.resume()
  await settle()
  t.equal(store.status().degraded, false, 'a late answer shows that it is back')
})

t.test('an old failure does not make the next stall an outage', async (t) => {
  const { shared, pass, store } = setUpStore(t)
  shared.fault = 'rejects'
  await store.get(NAME, GROUP, WAIT)
  await pass(600_000)
  shared.fault = 'stalls'
  const miss = watch(store.get(NAME, GROUP, WAIT))
  await pass(1000)
  t.equal(miss.isOver, false)
  shared.resume()
  await settle()
  t.equal(miss.isOver, true)
  t.equal(store.status().degraded, false)
})

t.test('new entries are always sent to the store, and a late response counts', async (t) => {
  const { shared, pass, store, clock } = setUpStore(t)
  const there = process(shared, clock).store
  const createEntry = async (name: string, value: string): Promise<StoreEntry> => ({
    value: Buffer.from(value),
    ttl: HOUR,
    epoch: (await store.get(name, GROUP)).epoch,
  })
  const [one, two] = [await createEntry('one', 'one'), await createEntry('two', 'two')]
  const three = await createEntry('three', 'three')
  shared.fault = 'stalls'
  const keeping = [store.set('one', GROUP, one), store.set('two', GROUP, two)]
  await pass(100)
  await Promise.all(keeping)
  t.equal(store.status().degraded, false)
  const third = store.set('three', GROUP, three)
  await pass(100)
  await third
  t.equal(store.status().degraded, true)
  shared.commands.length = 0
  await store.set('three', GROUP, { ...three, value: Buffer.from('newer') })
  t.strictSame(shared.commands, ['set'], 'sent, and nobody waits')
  const copy = watch(found(store, 'three', GROUP))
  await pass(100)
  t.equal(copy.value, 'newer')
  shared.resume()
  await settle()
  for (const name of ['one', 'two']) t.equal(await found(there, name, GROUP), name)
  t.equal(await found(there, 'three', GROUP), 'newer')
  await there.delete('one', GROUP)
  await pass(1000)
  t.equal(await found(store, 'one', GROUP), undefined, 'the store had it: it was dropped there')
  t.equal(await found(store, 'two', GROUP), 'two')
})

t.test('a copy that the store refused late is dropped, and no other', async (t) => {
  const { shared, pass, store, clock } = setUpStore(t)
  const { epoch } = await store.get(NAME, GROUP)
  await process(shared, clock).store.invalidate(GROUP)
  shared.fault = 'stalls'
  const keep = (name: string, value: string): Promise<void> =>
    store.set(name, GROUP, { value: Buffer.from(value), epoch, ttl: HOUR })
  const keeping = [keep(NAME, 'late'), keep('other', 'late')]
  await pass(100)
  await Promise.all(keeping)
  shared.fault = 'hangs'
  const newer = keep('other', 'newer')
  await pass(100)
  await newer
  shared.resume()
  await settle()
  shared.fault = 'rejects'
  t.equal(await found(store, NAME, GROUP), undefined)
  t.equal(await found(store, 'other', GROUP), 'newer')
})

t.test('a lock without a response is taken by a renewal, and always released', async (t) => {
  const { shared, pass, store, clock } = setUpStore(t)
  const there = process(shared, clock).store
  shared.fault = 'hangs'
  const acquired = watch(store.acquire(NAME, 400))
  await pass(400)
  t.ok(acquired.value)
  await pass(500)
  shared.fault = undefined
  await pass(500)
  t.equal(await there.acquire(NAME, WAIT), undefined, 'renewed, it is held')
  shared.commands.length = 0
  acquired.value?.release()
  acquired.value?.release()
  await settle()
  t.strictSame(shared.commands, ['unlock'], 'once')
  const theirs = await there.acquire(NAME, WAIT)
  t.ok(theirs)
  shared.fault = 'rejects'
  theirs?.release()
  await settle()
  shared.commands.length = 0
  await pass(5000)
  t.strictSame(shared.commands, [], 'and renewed no more')
})

t.test('a renewal does not take a lock that another process holds', async (t) => {
  const { shared, pass, store, clock } = setUpStore(t)
  const there = process(shared, clock).store
  shared.fault = 'hangs'
  const acquired = watch(store.acquire(NAME, 100))
  await pass(100)
  shared.fault = undefined
  const theirs = await there.acquire(NAME, WAIT)
  await pass(500)
  shared.commands.length = 0
  await pass(500)
  t.strictSame(shared.commands, ['lock'], 'theirs is renewed')
  acquired.value?.release()
  await settle()
  t.equal(await store.acquire(NAME, WAIT), undefined)
  shared.fault = 'rejects'
  await pass(500)
  shared.fault = undefined
  await pass(500)
  t.equal(await store.acquire(NAME, WAIT), undefined, 'a renewal may fail')
  await there.close()
  shared.commands.length = 0
  await pass(500)
  t.strictSame(shared.commands, [], 'a closed store renews nothing')
  theirs?.release()
})

t.test('while the store is down, locks are not renewed', async (t) => {
  const { shared, pass, store } = setUpStore(t)
  const lock = await store.acquire(NAME, WAIT)
  shared.fault = 'rejects'
  for (let look = 0; look < 20; look += 1) {
    await store.get('other', GROUP, WAIT)
    await store.acquire('other', WAIT)
    await pass(100)
  }
  shared.commands.length = 0
  await pass(500)
  t.notOk(shared.commands.includes('lock'))
  lock?.release()
  await settle()
  t.ok(shared.commands.includes('unlock'), 'but released')
})

t.test('a store that never responds gets at most 5,000 commands', async (t) => {
  const { shared, pass, store } = setUpStore(t)
  const { epoch } = await store.get(NAME, GROUP)
  shared.fault = 'hangs'
  const miss = store.get(NAME, GROUP, WAIT)
  await pass(WAIT)
  await miss
  const value = Buffer.from('value')
  for (let count = 0; count < 5100; count += 1) {
    await store.set(`${count}`, GROUP, { value, epoch, ttl: HOUR })
  }
  t.equal(shared.commands.filter((command) => command === 'set').length, 5000)
})
