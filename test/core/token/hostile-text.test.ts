/** Nothing a request carries is ever repeated: not in a message, a header, a body or a cause. */
import t from 'tap'
import {
  type Changes,
  encode,
  keyPair,
  machineClaims,
  machineToken,
  NOW,
  outcome,
  parseChallenge,
  refusal,
  serve,
  signed,
} from '../../support/forge.ts'

const MARK = 'EVIL'
const texts = [
  `${MARK}"`,
  `${MARK}\r\nSet-Cookie: a=b`,
  `", error="none", x="${MARK}`,
  `${MARK}\\`,
  `${MARK}\0`,
  `${MARK}\u2028<script>`,
  `\u00e9${MARK}`,
]

function bearer(claims: Changes, header: Changes = {}, pair = keyPair()): string {
  return `Bearer ${machineToken(claims, header, pair)}`
}

/** Ways to carry text into each refusal that looks at a token. */
const carriers: [string, string, (text: string) => string][] = [
  ['ERR_REQUEST_INVALID', 'the credential', (text) => `Bearer a ${text}`],
  ['ERR_TOKEN_INVALID', 'the token', (text) => `Bearer ${encode(text)}.${encode(text)}.AAAA`],
  ['ERR_TOKEN_INVALID', 'alg', (text) => bearer({}, { alg: text })],
  ['ERR_TOKEN_INVALID', 'crit', (text) => bearer({}, { crit: [text] })],
  ['ERR_TOKEN_INVALID', 'broken JSON', (text) => `Bearer ${signed(`{"alg":"${text}`, text)}`],
  [
    'ERR_TOKEN_INVALID',
    'a duplicate',
    (text) => `Bearer ${signed({}, `{"a":1,"a":"${encode(text)}"}`)}`,
  ],
  ['ERR_TOKEN_ISSUER', 'iss', (text) => bearer({ iss: text })],
  ['ERR_TOKEN_USE', 'token_use', (text) => bearer({ token_use: text })],
  ['ERR_TOKEN_USE', 'username', (text) => bearer({ username: text })],
  ['ERR_TOKEN_USE', 'sub', (text) => bearer({ sub: text })],
  ['ERR_TOKEN_INVALID', 'scope', (text) => bearer({ scope: `\t${text}` })],
  ['ERR_TOKEN_AUDIENCE', 'aud', (text) => bearer({ aud: text })],
  ['ERR_TOKEN_INVALID', 'exp', (text) => bearer({ exp: text })],
  ['ERR_TOKEN_EXPIRED', 'jti', (text) => bearer({ jti: text, exp: NOW - 60 })],
  ['ERR_TOKEN_NOT_ACTIVE', 'jti', (text) => bearer({ jti: text, nbf: NOW + 60 })],
  ['ERR_CLIENT_NOT_ALLOWED', 'client_id', (text) => bearer({ client_id: text, sub: text })],
  ['ERR_KEY_UNKNOWN', 'kid', (text) => bearer({}, { kid: text })],
  ['ERR_TOKEN_SIGNATURE', 'jti', (text) => bearer({ jti: text }, {}, keyPair('other'))],
  ['ERR_SCOPE_INSUFFICIENT', 'a claim', (text) => bearer({ scope: '', [text]: text })],
]

for (const [code, place, carry] of carriers) {
  t.test(`${code} repeats nothing of ${place}`, async (t) => {
    const guard = serve().guard({ scopes: 'orders/read' })
    for (const text of texts) {
      const refused = await refusal(guard, carry(text))
      t.equal(refused.code, code)
      const { headers, message, cause } = refused
      const said = JSON.stringify([headers, message, refused, `${cause}`, Object.keys(refused)])
      t.notMatch(said, MARK)
      t.ok(parseChallenge(headers['www-authenticate'])['realm'] === 'api')
    }
  })
}

t.test('hostile text in unknown claims is accepted', async (t) => {
  const guard = serve().guard()
  for (const text of texts) {
    t.equal(await outcome(guard, bearer({ [text]: text, jti: text })), 'accepted')
  }
})

t.test('a token of megabytes is rejected by its length', async (t) => {
  const guard = serve({ maxTokenLength: 1_048_576 }).guard()
  t.equal(await outcome(guard, `Bearer ${'A'.repeat(1_048_577)}`), 'ERR_TOKEN_INVALID')
  const deep = `{"a":${'['.repeat(300_000)}${']'.repeat(300_000)}}`
  t.equal(
    await outcome(guard, `Bearer ${signed({ alg: 'RS256', kid: 'k' }, deep)}`),
    'ERR_TOKEN_INVALID',
  )
  const wide = { ...machineClaims(), list: Array.from({ length: 100_000 }, () => 1) }
  t.equal(
    await outcome(guard, `Bearer ${signed({ alg: 'RS256', kid: 'k' }, wide)}`),
    'ERR_KEY_UNKNOWN',
  )
})
