import t from 'tap'
import { StringInterner } from '../../../src/core/token/token-cache.ts'

t.test('equal names are one string, and no more than 10,000 are kept', async (t) => {
  const names = new StringInterner()
  t.equal(names.intern('billing'), 'billing')
  for (let index = 1; index < 10_000; index += 1) names.intern(`client ${index}`)
  t.equal(names.size, 10_000)
  t.equal(names.intern('billing'), 'billing')
  t.equal(names.size, 10_000)
  t.equal(names.intern('one more'), 'one more')
  t.equal(names.size, 1)
})
