/** Entries as bytes. */
import t from 'tap'
import { BoundedMap } from '../../../src/tokens/proxy/bounded-map.ts'
import { decodeEntry, encodeEntry } from '../../../src/tokens/proxy/cache-entry.ts'

t.test('an entry comes back as it was', (t) => {
  for (const userPoolId of ['eu-west-1_Ab1', null]) {
    const entry = { askedAt: 1.5, life: 3600, userPoolId, text: '{"a":"ä\\n b"' }
    t.same(decodeEntry(encodeEntry(entry)), entry)
  }
  t.end()
})

t.test('what another version kept is not read', (t) => {
  for (const text of ['', '2 1 1 pool\n{', '1 1 1', '{"a":1}']) {
    t.equal(decodeEntry(Buffer.from(text)), undefined, text)
  }
  t.end()
})

t.test('a bounded map forgets what was set longest ago', (t) => {
  const map = new BoundedMap<number>(2)
  map.set('a', 1)
  map.set('b', 2)
  map.set('a', 3)
  map.set('c', 4)
  t.same([map.get('a'), map.get('b'), map.get('c')], [3, undefined, 4])
  map.delete('a')
  t.equal(map.get('a'), undefined)
  t.end()
})
