import t from 'tap'
import { BoundedMap } from '../../../src/core/util/bounded-map.ts'

t.test('a bounded map drops the oldest entry', (t) => {
  const map = new BoundedMap<number>(2)
  map.set('a', 1)
  map.set('b', 2)
  t.equal(map.set('a', 3), false)
  t.equal(map.set('c', 4), true, 'reports that it dropped one')
  t.same([map.get('a'), map.get('b'), map.get('c')], [3, undefined, 4])
  map.delete('a')
  t.equal(map.get('a'), undefined)
  map.clear()
  t.equal(map.get('c'), undefined)
  t.end()
})
