/** Entries as bytes. */
import t from 'tap'
import { decodeEntry, encodeEntry } from '../../../src/tokens/proxy/cached-results.ts'

t.test('a decoded entry equals the encoded one', (t) => {
  for (const userPoolId of ['eu-west-1_Ab1', null]) {
    const entry = { requestedAt: 1.5, lifetime: 3600, userPoolId, text: '{"a":"ä\\n b"' }
    t.same(decodeEntry(encodeEntry(entry)), entry)
  }
  t.end()
})

t.test('an entry of another format version is not decoded', (t) => {
  for (const text of ['', '2 1 1 pool\n{', '1 1 1', '{"a":1}']) {
    t.equal(decodeEntry(Buffer.from(text)), undefined, text)
  }
  t.end()
})
