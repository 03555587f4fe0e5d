import t from 'tap'
import {
  classifyMalformed,
  readAuthorizationHeaders,
  readBearer,
} from '../../../src/core/token/bearer.ts'
import { label } from '../../support/forge.ts'

type Header = Parameters<typeof readBearer>[0]

/** The code of a rejection; malformed tokens are classified as `readToken` does. */
function answer(header: unknown, maxTokenLength = 64): unknown {
  const credential = readBearer(header as Header, maxTokenLength)
  if (credential.kind === 'rejected') return credential.code
  const fault = classifyMalformed(credential.token)
  return fault === 'ERR_REQUEST_INVALID' ? fault : credential
}

t.test('reads the token behind the scheme in any case and any number of spaces', async (t) => {
  for (const header of ['Bearer a.b.c', 'bearer a.b.c', 'BEARER a.b.c', 'bEaReR    a.b.c']) {
    t.strictSame(answer(header), { kind: 'token', token: 'a.b.c' }, header)
    t.strictSame(answer([header]), { kind: 'token', token: 'a.b.c' }, `[${header}]`)
  }
})

const refusals = [
  ['no header is a missing token', 'ERR_TOKEN_MISSING', [undefined, null, [], [undefined]]],
  [
    'another scheme is a missing token',
    'ERR_TOKEN_MISSING',
    ['', 'B', 'Basic a.b.c', 'DPoP a.b.c', 'Bear er', ' Bearer a', 'Token Bearer a'],
  ],
  [
    'a scheme that only begins with Bearer is another scheme',
    'ERR_TOKEN_MISSING',
    ['Bearers a', 'Bearer-x a', 'Bearer1 a', 'Bearer_ a', 'Bearer!', 'Bearer~ a', "Bearer' a"],
  ],
  [
    'refuses a second Authorization line, whatever stands in either',
    'ERR_REQUEST_INVALID',
    [
      ['Bearer a', 'Bearer a'],
      ['Bearer a', 'Basic b'],
      ['Basic b', 'Basic c'],
      ['Bearer a', ''],
      ['Bearer a', undefined],
      ['', '', ''],
    ],
  ],
  ['refuses Bearer without a token', 'ERR_REQUEST_INVALID', ['Bearer', 'Bearer ', 'bearer    ']],
  [
    'refuses a blank or a comma inside or behind the token',
    'ERR_REQUEST_INVALID',
    ['Bearer a b', 'Bearer a,b', 'Bearer a, Bearer b', 'Bearer a\tb', 'Bearer a ', 'Bearer a\n'],
  ],
  [
    'refuses Unicode blanks inside the token',
    'ERR_REQUEST_INVALID',
    ['Bearer a\u00a0', 'Bearer \u2003a', 'Bearer a\u2028b', 'Bearer \ufeffa'],
  ],
  [
    'refuses anything but a space behind the scheme',
    'ERR_REQUEST_INVALID',
    ['Bearer\ta', 'Bearer=a', 'Bearer"a"', 'Bearer,a', 'Bearer:a', 'Bearer\u00a0a'],
  ],
  ['refuses what is no string', 'ERR_REQUEST_INVALID', [5, true, {}, [5], [{}], [['Bearer a']]]],
] as const

for (const [rule, code, headers] of refusals) {
  t.test(rule, async (t) => {
    for (const header of headers) t.equal(answer(header), code, label(header))
  })
}

t.test('rejects a token longer than maxTokenLength', async (t) => {
  t.strictSame(answer(`Bearer ${'a'.repeat(64)}`), { kind: 'token', token: 'a'.repeat(64) })
  t.equal(answer(`Bearer ${'a'.repeat(65)}`), 'ERR_TOKEN_INVALID')
})

t.test('whitespace before the token counts towards its length', async (t) => {
  t.strictSame(answer(`Bearer ${' '.repeat(63)}a`), { kind: 'token', token: 'a' })
  t.equal(answer(`Bearer ${' '.repeat(64)}a`), 'ERR_TOKEN_INVALID')
})

t.test('header count comes before length, length before shape', async (t) => {
  const long = `Bearer ${'a b'.repeat(64)}`
  t.equal(answer(long), 'ERR_TOKEN_INVALID')
  t.equal(answer([long, long]), 'ERR_REQUEST_INVALID')
  t.equal(answer(`Bearer\t${'a'.repeat(65)}`), 'ERR_TOKEN_INVALID')
  t.equal(answer(`Basic ${'a'.repeat(65)}`), 'ERR_TOKEN_MISSING', 'no token was sent at all')
})

t.test('finds every Authorization line where Node hides the second', async (t) => {
  const lines = (...rawHeaders: string[]) =>
    readAuthorizationHeaders({ headers: { authorization: 'never looked at' }, rawHeaders })
  t.equal(lines(), undefined)
  t.equal(lines('Host', 'authorization', 'Accept', '*/*'), undefined, 'a value is no name')
  t.equal(lines('Proxy-Authenticate', 'a', 'authorizatiom', 'b'), undefined)
  t.equal(lines('Host', 'h', 'AUTHORIZATION', 'Bearer a'), 'Bearer a')
  t.strictSame(lines('authorization', 'Bearer a', 'Authorization', 'Bearer b'), [
    'Bearer a',
    'Bearer b',
  ])
  t.strictSame(lines('Authorization', '', 'Authorization', '', 'aUTHORIZATION', 'c'), ['', '', 'c'])
})

t.test('a message without raw lines is read from its headers', async (t) => {
  t.equal(readAuthorizationHeaders({ headers: { authorization: 'Bearer a' } }), 'Bearer a')
  t.equal(readAuthorizationHeaders({ headers: {} }), undefined)
})
