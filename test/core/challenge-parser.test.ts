import t from 'tap'
import { parseChallenges } from '../support/challenge-parser.ts'

t.test('reads what the grammar allows', async (t) => {
  t.strictSame(parseChallenges('Bearer realm="api", error=invalid_token, scope="a/b \\"c\\""'), [
    { scheme: 'Bearer', params: { realm: 'api', error: 'invalid_token', scope: 'a/b "c"' } },
  ])
  t.strictSame(parseChallenges('Basic realm="a, b=\\"c", Bearer, DPoP algs="ES256"'), [
    { scheme: 'Basic', params: { realm: 'a, b="c' } },
    { scheme: 'Bearer', params: {} },
    { scheme: 'DPoP', params: { algs: 'ES256' } },
  ])
})

t.test('rejects malformed challenges', async (t) => {
  for (const value of [
    'Bearer realm="api',
    'Bearer realm="a"b"',
    'Bearer realm="a" error="b"',
    'Bearer realm="a",, error="b"',
    'Bearer realm = "a"',
    'Bearer realm="a", realm="b"',
    'Bearer realm="a", REALM="b"',
    'Bearer realm="a\r\nSet-Cookie: a=b"',
    'Bearer realm="é"',
    'Bearer realm=',
    'Bearer  realm="a"',
    'Bearer realm="a", ',
    'Bearer YWJj==',
    '"Bearer" realm="a"',
    ' Bearer realm="a"',
  ]) {
    t.throws(() => parseChallenges(value), value)
  }
})
