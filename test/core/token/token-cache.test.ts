/** The cache by itself: it stays right and bounded, whatever crowds into it. */
import t from 'tap'
import { type CacheEntry, TokenCache } from '../../../src/core/token/token-cache.ts'
import { seeded } from '../../support/forge.ts'

class Entry implements CacheEntry {
  readonly credential: string
  readonly bytes: number
  visited = false
  next: this | undefined = undefined

  constructor(credential: string, bytes = 1) {
    this.credential = credential
    this.bytes = bytes
  }
}

const MANY = { maxEntries: 1000, maxBytes: 1_000_000 }

t.test('finds an entry by its whole header value and by nothing less', async (t) => {
  const cache = new TokenCache<Entry>(MANY)
  const entry = new Entry('Bearer aaaa.bbbb.cccccccccccc')
  cache.add(entry)
  t.equal(cache.get('Bearer aaaa.bbbb.cccccccccccc'), entry)
  // Same bucket, because the end is the same. The rest differs.
  for (const other of ['bearer aaaa.bbbb.cccccccccccc', 'Bearer aaab.bbbb.cccccccccccc', '', 'c']) {
    t.equal(cache.get(other), undefined, other)
  }
  t.match([cache.entries, cache.bytes], [1, 1])
})

t.test(
  'many entries that collide are all told apart, and no more than eight are kept',
  async (t) => {
    const cache = new TokenCache<Entry>(MANY)
    const colliding = Array.from(
      { length: 20 },
      (_, index) => new Entry(`Bearer ${index}.samesamesame`),
    )
    for (const entry of colliding) cache.add(entry)
    t.match([cache.entries, cache.bytes], [8, 8])
    const found = colliding.filter((entry) => cache.get(entry.credential) !== undefined)
    t.strictSame(found, colliding.slice(-8), 'the newest')
    for (const entry of found) t.equal(cache.get(entry.credential), entry)
    cache.delete(found[3] as Entry)
    cache.delete(found[7] as Entry)
    cache.delete(found[0] as Entry)
    t.strictSame(
      colliding.filter((entry) => cache.get(entry.credential) !== undefined),
      [1, 2, 4, 5, 6].map((index) => found[index]),
    )
    t.match([cache.entries, cache.bytes], [5, 5])
  },
)

t.test('is bounded by entries and keeps recently used ones', async (t) => {
  const cache = new TokenCache<Entry>({ maxEntries: 64, maxBytes: 1_000_000 })
  const random = seeded(7)
  const name = (): string => `Bearer ${random(1e9)}.${random(1e9)}.${random(1e9)}`
  const hot = Array.from({ length: 8 }, () => new Entry(name()))
  for (const entry of hot) cache.add(entry)
  let lost = 0
  let most = 0
  for (let turn = 0; turn < 2000; turn += 1) {
    cache.add(new Entry(name()))
    most = Math.max(most, cache.entries)
    for (const entry of hot) {
      if (cache.get(entry.credential) === undefined) {
        lost += 1
        cache.add(entry)
      }
    }
  }
  t.equal(most, 64)
  t.ok(lost < 50, `hot tokens were lost ${lost} times in 16,000 uses`)
})

t.test('is bounded by bytes, and an oversized entry evicts nothing', async (t) => {
  const cache = new TokenCache<Entry>({ maxEntries: 1000, maxBytes: 100 })
  cache.add(new Entry('Bearer small.a.aaaaaaa', 40))
  cache.add(new Entry('Bearer large.b.bbbbbbb', 101))
  t.match([cache.entries, cache.bytes], [1, 40])
  cache.add(new Entry('Bearer small.c.ccccccc', 60))
  t.match([cache.entries, cache.bytes], [2, 100])
  cache.add(new Entry('Bearer small.d.ddddddd', 100))
  t.match([cache.entries, cache.bytes], [1, 100])
  t.ok(cache.get('Bearer small.d.ddddddd'))
})

t.test('room is made without passing places that bytes cannot fill', async (t) => {
  const bounds = { maxEntries: 1_000_000, maxBytes: 16_384 }
  const cache = new TokenCache<Entry>(bounds)
  const random = seeded(3)
  const begun = process.cpuUsage()
  for (let turn = 0; turn < 2000; turn += 1) {
    const entry = new Entry(`Bearer ${random(1e9)}.${random(1e9)}.${random(1e9)}`, 2500)
    cache.add(entry)
    if (cache.get(entry.credential) !== entry) t.fail(`entry ${turn} is not there`)
  }
  const { user, system } = process.cpuUsage(begun)
  const used = (user + system) / 1000
  // Processor time: passing them took two seconds; without, it is some ten milliseconds.
  t.ok(used < 1000, `${used} ms`)
  t.ok(cache.entries >= 5)
})

t.test('a cache of one entry works', async (t) => {
  const cache = new TokenCache<Entry>({ maxEntries: 1, maxBytes: 16_384 })
  const [first, second] = [new Entry('Bearer a.a.aaaaaaa'), new Entry('Bearer b.b.bbbbbbb')]
  cache.add(first)
  t.equal(cache.get(first.credential), first)
  cache.add(second)
  t.equal(cache.get(first.credential), undefined)
  t.equal(cache.get(second.credential), second)
  t.equal(cache.entries, 1)
})

t.test('deleting an absent or evicted entry has no effect', async (t) => {
  const cache = new TokenCache<Entry>(MANY)
  const [there, gone] = [new Entry('Bearer a.a.aaaaaaa'), new Entry('Bearer a.b.aaaaaaa')]
  cache.add(there)
  cache.delete(gone)
  cache.delete(new Entry('Bearer a.a.aaaaaaa'))
  t.match([cache.entries, cache.bytes], [1, 1])
  cache.delete(there)
  cache.delete(there)
  t.match([cache.entries, cache.bytes], [0, 0])
})

t.test('clear() removes every entry', async (t) => {
  const cache = new TokenCache<Entry>(MANY)
  const entries = Array.from(
    { length: 50 },
    (_, index) => new Entry(`Bearer ${index}.${index * 7919}xyz`),
  )
  for (const entry of entries) cache.add(entry)
  cache.clear()
  t.match([cache.entries, cache.bytes], [0, 0])
  t.ok(entries.every((entry) => cache.get(entry.credential) === undefined))
})

t.test('random additions and deletions keep its counts correct', async (t) => {
  const random = seeded(42)
  const bounds = { maxEntries: 32, maxBytes: 200 }
  const cache = new TokenCache<Entry>(bounds)
  const kept = new Map<string, Entry>()
  for (let turn = 0; turn < 5000; turn += 1) {
    const credential = `Bearer ${random(40)}.tail${'abc'[random(3)]}tail${random(2)}x`
    const entry = kept.get(credential)
    const found = cache.get(credential)
    // An entry may have been evicted. One that is found is the last one added.
    if (found !== undefined && found !== entry) t.fail(`another entry for ${credential}`)
    if (found !== undefined && random(3) === 0) cache.delete(found)
    if (found === undefined) {
      const added = new Entry(credential, 1 + random(20))
      cache.add(added)
      kept.set(credential, added)
    }
    const there = [...kept.values()].filter((it) => {
      const { visited } = it
      const isThere = cache.get(it.credential) === it
      it.visited = visited
      return isThere
    })
    const bytes = there.reduce((sum, it) => sum + it.bytes, 0)
    if (there.length !== cache.entries || bytes !== cache.bytes) {
      t.fail(`counts ${cache.entries} and ${cache.bytes}, holds ${there.length} and ${bytes}`)
      return
    }
    if (cache.entries > bounds.maxEntries || cache.bytes > bounds.maxBytes)
      t.fail('over its bounds')
  }
  t.ok(cache.entries > 0)
})
