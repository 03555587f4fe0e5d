import t from 'tap'
import { OptionError } from '../../../src/core/options/validate.ts'
import {
  MemoryEntries,
  type MemoryEntry,
  memoryStore,
} from '../../../src/tokens/store/memory-store.ts'
import { Clock, NOW } from '../../support/shared-store.ts'

const createEntry = (life = 1000): MemoryEntry => ({
  value: new Uint8Array([1]),
  expiresAt: NOW + life,
})

function entriesOf(maxEntries: number): { entries: MemoryEntries; clock: Clock } {
  const clock = new Clock()
  return { entries: new MemoryEntries({ maxEntries, ...clock.options }), clock }
}

t.test('an entry expires by the first of both clocks', async (t) => {
  for (const clockName of ['wall', 'monotonic'] as const) {
    const { entries, clock } = entriesOf(10)
    entries.set('key', 'group', createEntry(), entries.epoch('group'))
    clock[clockName] += 999
    t.ok(entries.get('key', 'group'), clockName)
    clock[clockName] += 1
    t.equal(entries.get('key', 'group'), undefined, clockName)
    t.equal(entries.size, 0)
  }
})

t.test('setting the wall clock back does not extend the lifetime', async (t) => {
  const { entries, clock } = entriesOf(10)
  entries.set('key', 'group', createEntry(), entries.epoch('group'))
  clock.wall -= 3_600_000
  clock.monotonic += 1000
  t.equal(entries.get('key', 'group'), undefined)
})

t.test('while a clock fails, nothing is found and nothing is stored', async (t) => {
  for (const clockName of ['wall', 'monotonic'] as const) {
    const { entries, clock } = entriesOf(10)
    entries.set('old', 'group', createEntry(), entries.epoch('group'))
    clock[clockName] = Number.NaN
    entries.set('new', 'group', createEntry(), entries.epoch('group'))
    t.equal(entries.get('old', 'group'), undefined)
    t.equal(entries.get('new', 'group'), undefined)
    t.equal(entries.size, 0)
  }
})

t.test('an expired entry is not stored', async (t) => {
  const { entries } = entriesOf(10)
  for (const life of [0, -1, Number.NaN]) {
    entries.set('key', 'group', createEntry(life), entries.epoch('group'))
    t.equal(entries.size, 0, String(life))
  }
})

t.test('the group with the oldest set is evicted', async (t) => {
  const { entries } = entriesOf(3)
  for (const [key, group] of ['1a', '1b', '2a', '2c'].map(
    (pair) => [...pair] as [string, string],
  )) {
    entries.set(key, group, createEntry(), entries.epoch(group))
  }
  t.equal(entries.size, 3)
  t.equal(entries.get('1', 'b'), undefined)
  for (const [key, group] of ['1a', '2a', '2c'].map((pair) => [...pair] as [string, string])) {
    t.ok(entries.get(key, group), key + group)
  }
})

t.test(
  'a million invalidations later, an answer from before the first is still refused',
  async (t) => {
    const { entries } = entriesOf(100)
    const before = entries.epoch('first')
    entries.set('kept', 'bystander', createEntry(), entries.epoch('bystander'))
    entries.invalidate('first')
    for (let index = 0; index < 100_000; index += 1) entries.invalidate(`group ${index}`)
    entries.set('key', 'first', createEntry(), before)
    t.equal(entries.get('key', 'first'), undefined)
    entries.set('key', 'first', createEntry(), entries.epoch('first'))
    t.ok(entries.get('key', 'first'))
    t.ok(entries.get('kept', 'bystander'), 'nobody else loses what is kept')
  },
)

t.test('the size stays correct after each kind of deletion', async (t) => {
  const { entries } = entriesOf(100)
  for (let index = 0; index < 40; index += 1) {
    entries.set(`key ${index}`, `group ${index % 2}`, createEntry(), '0')
  }
  t.equal(entries.size, 32)
  entries.delete('key 39', 'group 1')
  entries.delete('key 39', 'group 1')
  entries.delete('key 39', 'nowhere')
  t.equal(entries.size, 31)
  entries.invalidate('group 0')
  entries.invalidate('nowhere')
  t.equal(entries.size, 15)
  entries.clear()
  t.equal(entries.size, 0)
})

t.test('locks are bounded: the oldest is dropped', async (t) => {
  const store = memoryStore({ maxEntries: 2, ...new Clock().options })
  for (const key of ['one', 'two', 'three']) t.equal(await store.lock(key, 'me', 1000), true)
  t.equal(await store.lock('two', 'you', 1000), false)
  t.equal(await store.lock('one', 'you', 1000), true)
})

t.test('errors name invalid options', async (t) => {
  const wrong = { maxEntries: [0, 1_000_001, 1.5, '10'], now: [1], monotonicNow: ['clock'] }
  for (const [option, values] of Object.entries(wrong)) {
    for (const value of values) {
      t.throws(() => memoryStore({ [option]: value }), { name: OptionError.name, option })
    }
  }
  t.throws(() => memoryStore({ size: 1 } as never), { name: OptionError.name, option: 'size' })
})
