/** Which values of an Authorization header may have been several lines. */
import t from 'tap'
import { splitJoinedLines } from '../../src/adapters/joined-lines.ts'

const SINGLE = [
  '',
  'Bearer a.b.c',
  'Digest username="a,b"',
  'Digest username="a\\",b"',
  'Digest a="1,2" b="3,4"',
  'Bearer "',
  'Bearer "\\',
]
const SEVERAL = [
  ',',
  'Bearer a, Bearer b',
  'Bearer a,',
  ',Bearer a',
  'Basic x,Bearer a',
  'Digest username="a", realm="b"',
  // Outside of quotes, a backslash escapes nothing.
  'Bearer \\"a", Bearer b"',
  // A quote that never ends hides no comma.
  'Basic ", Bearer a',
  'Digest a="1" b="2, Bearer a',
  'Digest a="\\", Bearer a',
]

t.test('a comma inside of quotes is no joint', async (t) => {
  for (const value of SINGLE) t.equal(splitJoinedLines(value), value, value)
})

t.test('any other comma is one', async (t) => {
  for (const value of SEVERAL) t.ok(splitJoinedLines(value).length > 1, value)
  for (const value of SEVERAL) t.ok(Array.isArray(splitJoinedLines(value)), value)
})
