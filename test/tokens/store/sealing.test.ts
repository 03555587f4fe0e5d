import { randomBytes } from 'node:crypto'
import t from 'tap'
import { readEncryptionKeys } from '../../../src/tokens/store/encryption-keys.ts'
import { seal, unseal } from '../../../src/tokens/store/sealing.ts'
import {
  acquireReleased,
  Clock,
  fill,
  found,
  KEY,
  NOW,
  process,
  SharedStore,
  WAIT,
} from '../../support/shared-store.ts'

const HOUR = 3_600_000
const GROUP = 'group'
const identity = new Uint8Array([1, 2, 3])
const value = Buffer.from('{"access_token":"hidden"}')
const keys = readEncryptionKeys([KEY])
const [key] = keys as [(typeof keys)[0] & object]

t.test('an entry is unsealed with its expiry', async (t) => {
  const sealed = seal({ value, expiresAt: NOW }, 'name', key)
  t.strictSame(unseal(sealed, 'name', keys), { value, expiresAt: NOW })
  t.notMatch(Buffer.from(sealed).toString('latin1'), 'hidden')
  t.notSame(seal({ value, expiresAt: NOW }, 'name', key), sealed, 'no nonce comes twice')
  const inside = Buffer.concat([Buffer.from('before'), sealed, Buffer.from('after')])
  const view = new Uint8Array(inside.buffer, inside.byteOffset + 6, sealed.length)
  t.ok(unseal(view, 'name', keys), 'wherever it lies')
})

t.test('an entry with one changed bit is not unsealed', async (t) => {
  const sealed = Buffer.from(seal({ value, expiresAt: NOW }, 'name', key))
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const changed = Buffer.from(sealed)
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    if (unseal(changed, 'name', keys) !== undefined) t.fail(`bit ${bit}`)
  }
  for (let length = 0; length < sealed.length; length += 1) {
    if (unseal(sealed.subarray(0, length), 'name', keys) !== undefined) t.fail(`length ${length}`)
  }
  t.equal(unseal(Buffer.concat([sealed, Buffer.alloc(1)]), 'name', keys), undefined)
  t.equal(unseal(sealed, 'another', keys), undefined)
  t.equal(unseal(sealed, 'name', []), undefined)
  t.equal(unseal(sealed, 'name', readEncryptionKeys([{ ...KEY, key: randomBytes(32) }])), undefined)
})

t.test('the store contains no plain text, and a changed entry is a miss', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(clock)
  const { store, lines } = process(shared, clock)
  const name = store.deriveName(identity)
  await fill(store, name, GROUP, 'a secret token')
  const [[at, sealed]] = [...shared.values] as [[string, Uint8Array]]
  t.notMatch(Buffer.from(sealed).toString('latin1'), 'secret')
  const epoch = (await shared.get(at, GROUP)).epoch
  for (const written of [
    Buffer.from(sealed).fill(0, 20),
    Buffer.alloc(0),
    Buffer.from('a token'),
  ]) {
    await shared.set(at, GROUP, { value: written, epoch, ttl: HOUR })
    t.equal(await found(store, name, GROUP), undefined)
  }
  t.equal(store.status().unreadable, 3)
  await shared.set('moved', GROUP, { value: sealed, epoch, ttl: HOUR })
  t.equal(await found(store, 'moved', GROUP), undefined)
  t.equal(store.status().unreadable, 4)
  shared.get = async () => ({ value: 'no bytes' as never, epoch })
  t.equal(await found(store, name, GROUP), undefined)
  t.equal(store.status().unreadable, 5)
  t.strictSame(lines, [], 'the store itself is well')
})

t.test('if the store has no clock, expiry uses the wall clock of the process', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(new Clock())
  shared.hasClock = false
  const { store } = process(shared, clock)
  await fill(store, 'name', GROUP, 'good', HOUR)
  clock.pass(HOUR - 1)
  t.equal(await found(store, 'name', GROUP), 'good')
  clock.pass(1)
  t.equal(await found(store, 'name', GROUP), undefined)
  t.equal(store.status().unreadable, 0, 'it could be read')
  await fill(store, 'name', GROUP, 'good', HOUR)
  clock.wall = Number.NaN
  t.equal(await found(store, 'name', GROUP), undefined, 'nor where it cannot be read')
})

t.test('if the store has a clock, expiry uses that clock', async (t) => {
  const [clock, clockOfStore] = [new Clock(), new Clock()]
  clock.wall += 120_000
  const { store } = process(new SharedStore(clockOfStore), clock)
  await fill(store, 'name', GROUP, 'good', HOUR)
  // A reading in whole milliseconds may be one too early.
  clock.monotonic += HOUR - 2
  clockOfStore.pass(HOUR - 2)
  t.equal(await found(store, 'name', GROUP), 'good')
  clock.monotonic += 2
  clockOfStore.pass(2)
  t.equal(await found(store, 'name', GROUP), undefined)
})

t.test('no entry lives longer than a day', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(new Clock())
  shared.hasClock = false
  const { store } = process(shared, clock)
  await fill(store, 'name', GROUP, 'good', 100 * 24 * HOUR)
  clock.pass(24 * HOUR)
  t.equal(await found(store, 'name', GROUP), undefined)
  for (const ttl of [0, -1, Number.NaN]) await fill(store, 'name', GROUP, 'good', ttl)
  t.equal(await found(store, 'name', GROUP), undefined)
})

t.test('keys rotate while old and new processes run', async (t) => {
  const next = { id: '2026-02', key: randomBytes(32) }
  const steps = { old: [KEY], both: [KEY, next], turned: [next, KEY], done: [next] }
  const sides = [
    ['old', 'both'],
    ['both', 'turned'],
    ['turned', 'done'],
  ] as const
  for (const [left, right] of sides) {
    const clock = new Clock()
    const shared = new SharedStore(clock)
    const [one, two] = [process(shared, clock, steps[left]), process(shared, clock, steps[right])]
    for (const [writer, reader] of [
      [one, two],
      [two, one],
    ] as const) {
      const unique = randomBytes(8)
      const placeIn = ({ store }: typeof writer) =>
        [store.deriveName(unique), store.deriveGroup('client')] as const
      await fill(writer.store, ...placeIn(writer), 'good')
      t.equal(await found(reader.store, ...placeIn(reader)), 'good', `${left} ${right}`)
      t.equal(await writer.store.invalidate(writer.store.deriveGroup('client')), true)
      t.equal(await found(reader.store, ...placeIn(reader)), undefined)
      await fill(writer.store, ...placeIn(writer), 'new')
      await reader.store.delete(...placeIn(reader))
      t.equal(await found(writer.store, ...placeIn(writer)), undefined)
    }
    t.equal(one.store.status().unreadable + two.store.status().unreadable, 0)
  }
})

t.test(
  'while both orders run, one process at a time asks, and the longer life is found',
  async (t) => {
    const next = { id: '2026-02', key: randomBytes(32) }
    const clock = new Clock()
    const shared = new SharedStore(clock)
    const [one, two] = [process(shared, clock, [KEY, next]), process(shared, clock, [next, KEY])]
    const [nameOfOne, nameOfTwo] = [one.store.deriveName(identity), two.store.deriveName(identity)]
    const lock = await one.store.acquire(nameOfOne, WAIT)
    t.ok(lock)
    t.equal(await two.store.acquire(nameOfTwo, WAIT), undefined)
    lock?.release()
    const theirs = await acquireReleased(two.store, nameOfTwo)
    t.equal(await one.store.acquire(nameOfOne, WAIT), undefined)
    theirs.release()
    const [ofOne, ofTwo] = [one.store.deriveGroup('client'), two.store.deriveGroup('client')]
    const [atOne, atTwo] = [
      await one.store.get(nameOfOne, ofOne),
      await two.store.get(nameOfTwo, ofTwo),
    ]
    const short = { value: Buffer.from('short'), epoch: atOne.epoch, ttl: HOUR / 2 }
    await one.store.set(nameOfOne, ofOne, short)
    const long = { value: Buffer.from('long'), epoch: atTwo.epoch, ttl: HOUR }
    await two.store.set(nameOfTwo, ofTwo, long)
    t.equal(await found(one.store, nameOfOne, ofOne), 'long')
    t.equal(await found(two.store, nameOfTwo, ofTwo), 'long')
  },
)
