import t from 'tap'
import { decodeJws, type JwsHeader, rememberHeader } from '../../../src/core/token/jws.ts'
import { encode, KID, label, machineClaims, machineToken, seeded } from '../../support/forge.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const header = { alg: 'RS256', kid: KID }
const good = machineToken()
const [head, body, tail] = good.split('.') as [string, string, string]

/** By nothing but the token itself. */
const decode = (token: string) => decodeJws(token, new Map())

/** Decoding looks at no signature. */
function withHeader(changes: Record<string, unknown>): string {
  return `${encode({ ...header, ...changes })}.${body}.${tail}`
}

/** The good token with one part replaced. */
function withPart(index: number, change: (part: string) => string): string {
  const parts = [head, body, tail]
  parts[index] = change(parts[index] as string)
  return parts.join('.')
}

t.test('decodes what was signed, byte by byte', async (t) => {
  const jws = decode(good)
  t.equal(jws?.header.kid, KID)
  t.strictSame(jws?.claims, machineClaims())
  t.equal(jws?.signingInput, `${head}.${body}`)
  t.equal(jws?.signature, tail)
})

t.test('rejects fewer than three parts', async (t) => {
  for (const token of ['', 'a', '.', head, `${head}.${body}`, `${head}.`]) {
    t.equal(decode(token), undefined, label(token))
  }
})

t.test('rejects a single part', async (t) => {
  // Without its last character the whole is header and payload at once, canonical either way.
  for (let padding = 0; padding < 4; padding += 1) {
    const part = encode({ ...header, ...machineClaims(), padding: 'x'.repeat(padding) })
    t.equal(decode(`${part}A`), undefined)
  }
})

t.test('rejects more than three parts', async (t) => {
  t.equal(decode(`${good}.`), undefined)
  t.equal(decode(`${good}.${tail}`), undefined)
  t.equal(decode(`${good}.${tail}.${tail}`), undefined, 'a JWE has five')
  t.equal(decode(`.${good}`), undefined)
})

t.test('rejects an empty part', async (t) => {
  t.equal(decode('..'), undefined)
  for (const index of [0, 1, 2]) t.equal(decode(withPart(index, () => '')), undefined)
})

t.test('rejects padded base64url', async (t) => {
  // 256 bytes leave two characters; the JSON is filled up to leave two and three.
  t.equal(decode(`${good}==`), undefined)
  t.equal(decode(`${good}=`), undefined)
  for (const filler of ['', 'x', 'xx']) {
    const part = encode({ ...header, filler })
    const padded = part.padEnd(Math.ceil(part.length / 4) * 4, '=')
    t.equal(decode(`${part}.${body}.${tail}`)?.header.kid, KID)
    if (padded !== part) t.equal(decode(`${padded}.${body}.${tail}`), undefined)
    t.equal(decode(`${head}.${part}=.${tail}`), undefined)
  }
})

t.test('rejects the alphabet of standard base64', async (t) => {
  const bytes = Buffer.from(JSON.stringify({ ...header, text: '~~~???>>>' }))
  t.match(bytes.toString('base64'), /[+/]/)
  t.equal(decode(`${bytes.toString('base64url')}.${body}.${tail}`)?.header.kid, KID)
  t.equal(decode(`${bytes.toString('base64').replace(/=/g, '')}.${body}.${tail}`), undefined)
})

t.test("rejects every character outside base64url, which Node's decoder skips", async (t) => {
  for (const character of [' ', '\n', '\r\n', '\t', '\0', '%', '*', '~', 'é', '\u2028', '😀']) {
    for (const index of [0, 1, 2]) {
      const inside = withPart(index, (part) => `${part.slice(0, 4)}${character}${part.slice(4)}`)
      const behind = withPart(index, (part) => `${part}${character}`)
      t.equal(decode(inside), undefined, `${label(character)} inside part ${index}`)
      t.equal(decode(behind), undefined, `${label(character)} behind part ${index}`)
    }
  }
})

t.test('rejects a part of a length base64url cannot have', async (t) => {
  // Node's decoder drops the one character too many and reads the rest as if it were not there.
  const texts = ['', 'x', 'xx', 'xxx'].map((text) => encode({ ...header, text }))
  const whole = texts.find((encoded) => encoded.length % 4 === 0) as string
  for (const index of [0, 1, 2]) {
    t.not(decode(withPart(index, () => whole)), undefined)
    t.equal(decode(withPart(index, () => `${whole}A`)), undefined, `part ${index}`)
  }
  t.equal(decode(`${head}.${body}.A`), undefined)
})

t.test('rejects non-canonical base64url', async (t) => {
  for (const start of ['QU', 'QUJDQU', 'Q', 'QUJDQ']) {
    for (const last of ALPHABET) {
      const signature = `${start}${last}`
      const canonical = Buffer.from(signature, 'base64url').toString('base64url') === signature
      t.equal(decode(`${head}.${body}.${signature}`) !== undefined, canonical, signature)
    }
  }
  for (const index of [0, 1, 2]) {
    const filler = ['x', 'xx', 'xxx'].map((text) => encode({ ...header, text }))
    const part = filler.find((encoded) => encoded.length % 4 !== 0) as string
    const next = ALPHABET[ALPHABET.indexOf(part.slice(-1)) + 1] as string
    const other = `${part.slice(0, -1)}${next}`
    t.same(Buffer.from(other, 'base64url'), Buffer.from(part, 'base64url'), 'the same bytes')
    t.not(decode(withPart(index, () => part)), undefined)
    t.equal(decode(withPart(index, () => other)), undefined, `part ${index}`)
  }
})

t.test('rejects every alg but RS256', async (t) => {
  const others = ['none', 'None', '', 'HS256', 'RS384', 'RS512', 'PS256', 'ES256', 'EdDSA']
  const slips = ['rs256', 'RS256 ', ' RS256', 'RS256\0', ['RS256'], { RS256: 1 }, null, 256, true]
  for (const alg of [...others, ...slips, undefined]) {
    t.equal(decode(withHeader({ alg })), undefined, label(alg))
  }
})

t.test('rejects crit in any form', async (t) => {
  for (const crit of [['b64'], ['exp'], ['unknown'], [], null, false, 0, '', 'exp', {}]) {
    t.equal(decode(withHeader({ crit })), undefined, label(crit))
  }
})

t.test('rejects a kid that is not a string', async (t) => {
  for (const kid of [undefined, null, 5, true, [KID], { kid: KID }]) {
    t.equal(decode(withHeader({ kid })), undefined, label(kid))
  }
})

t.test('ignores header members that embed or reference a key', async (t) => {
  const foreign = {
    jwk: { kty: 'oct', k: 'AA' },
    jku: 'https://evil.example',
    x5u: 'x',
    x5c: ['x'],
  }
  const jws = decode(withHeader({ ...foreign, typ: 'JWT', b64: false, x5t: 1 }))
  t.strictSame(Object.keys(jws ?? {}).sort(), [
    'claims',
    'encodedHeader',
    'header',
    'signature',
    'signingInput',
  ])
  t.equal(jws?.header.kid, KID)
})

t.test('rejects a header that is not a strict JSON object', async (t) => {
  const duplicate = `{"alg":"none","alg":"RS256","kid":${JSON.stringify(KID)}}`
  for (const text of [duplicate, '[]', 'null', '"RS256"', '{', '{"alg":"RS256","kid":"k",}']) {
    t.equal(decode(`${encode(text)}.${body}.${tail}`), undefined, label(text))
  }
  t.not(decode(`${encode(duplicate.replace('"alg":"none",', ''))}.${body}.${tail}`), undefined)
})

t.test('rejects a payload that is not a strict JSON object', async (t) => {
  for (const text of ['{"sub":"a","sub":"b"}', '[]', 'null', '1', 'x', '{"__proto__":{}}']) {
    t.equal(decode(`${head}.${encode(text)}.${tail}`), undefined, label(text))
  }
  t.not(decode(`${head}.${encode('{"sub":"a"}')}.${tail}`), undefined)
})

t.test('no two spellings of one token are accepted', async (t) => {
  const random = seeded(7)
  const odd = `${ALPHABET}=+/. \n%é`
  let decoded = 0
  for (let round = 0; round < 3000; round += 1) {
    const at = random(good.length + 1)
    const character = odd[random(odd.length)] as string
    const token = `${good.slice(0, at)}${character}${good.slice(at + random(2))}`
    const jws = decode(token)
    if (jws === undefined) continue
    decoded += 1
    const again = `${jws.signingInput}.${Buffer.from(jws.signature, 'base64url').toString('base64url')}`
    if (again !== token) t.fail(`${token} was read as ${again}`)
  }
  t.ok(decoded > 100, 'enough of them were decoded to tell')
})

t.test(
  'a header that was read before stands for its kid, a neighbour of it does not',
  async (t) => {
    const headers = new Map([[head, { kid: 'known', memberCount: 2 }]])
    t.equal(decodeJws(good, headers)?.header.kid, 'known')
    const other = `${encode({ kid: KID, alg: 'RS256', typ: 'JWT' })}.${body}.${tail}`
    t.equal(decodeJws(other, headers)?.header.kid, KID)
    t.equal(
      decodeJws(`${head}.${body}.${tail}=`, headers),
      undefined,
      'the rest is read all the same',
    )
    t.equal(decodeJws(`${head}.${encode('{}')}.${tail}.x`, headers), undefined)
  },
)

t.test('headers are kept by their kid, and no more than a hundred', async (t) => {
  const headers = new Map<string, JwsHeader>()
  const keep = (index: number): void => {
    const jws = decode(withHeader({ index }))
    if (jws !== undefined) rememberHeader(headers, jws)
  }
  for (let index = 0; index < 100; index += 1) keep(index)
  t.equal(headers.size, 100)
  t.strictSame(headers.get(encode({ ...header, index: 5 })), { kid: KID, memberCount: 3 })
  keep(5)
  t.equal(headers.size, 100, 'what is there costs no other its place')
  keep(100)
  t.strictSame([...headers], [[encode({ ...header, index: 100 }), { kid: KID, memberCount: 3 }]])
})

t.test('header and payload have at most 256 members together, cached header or not', async (t) => {
  const payload = (count: number): string =>
    encode(Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index}`, [1, 2]])))
  const wide = encode({ ...header, jwk: { kty: 'RSA', n: 'x' } })
  const headers = new Map<string, JwsHeader>()
  for (const known of [new Map<string, JwsHeader>(), headers]) {
    for (const [part, members] of [
      [head, 2],
      [wide, 5],
    ] as const) {
      const accepted = decodeJws(`${part}.${payload(256 - members)}.${tail}`, known)
      t.equal(accepted?.header.memberCount, members)
      t.equal(decodeJws(`${part}.${payload(257 - members)}.${tail}`, known), undefined)
      if (accepted !== undefined) rememberHeader(headers, accepted)
    }
  }
  t.equal(headers.size, 2)
  t.equal(
    decode(
      `${encode(Object.fromEntries(Array.from({ length: 257 }, (_, i) => [i, 1])))}.${body}.${tail}`,
    ),
    undefined,
  )
})

t.test('the order of kid and alg changes no decision', async (t) => {
  const decodeHeader = (text: string) =>
    decode(`${Buffer.from(text).toString('base64url')}.${body}.${tail}`)?.header
  const ascii = Array.from({ length: 256 }, (_, code) => `a${String.fromCharCode(code)}b`)
  const kids = [...ascii, '', 'Wbc1zdsCuZS/8+=', 'é', '😀', '\ud800', '\u2028', 'x'.repeat(500)]
  for (const kid of kids) {
    const expected = { kid, memberCount: 2 }
    // JSON text may also have a character unescaped that `JSON.stringify` escapes.
    for (const text of [JSON.stringify(kid), `"${kid}"`]) {
      const first = decodeHeader(`{"kid":${text},"alg":"RS256"}`)
      t.strictSame(first, decodeHeader(`{"alg":"RS256","kid":${text}}`), label(text))
      if (text === JSON.stringify(kid)) t.strictSame(first, expected, label(text))
    }
  }
  const cognito = '{"kid":"a","alg":"RS256"}'
  t.strictSame(decodeHeader(cognito), { kid: 'a', memberCount: 2 })
  for (const changed of [
    '{"kid":"a","alg":"RS512"}',
    '{"kid":"a","alg":"none"}',
    '{"kid":"a","alg":"RS256","crit":["exp"]}',
    '{"kid":"a","kid":"b","alg":"RS256"}',
    '{"kid":"a","alg":"RS256","alg":"none"}',
    '{"kid":"a","alg":"none","alg":"RS256"}',
    '{"kid":"a","alg":"RS256"}x',
    '{"kid":"a\\","alg":"RS256"}',
    `[${cognito}]`,
    `\ufeff${cognito}`,
  ]) {
    t.equal(decodeHeader(changed), undefined, changed)
  }
  t.strictSame(decodeHeader(`${cognito}\n`), { kid: 'a', memberCount: 2 }, 'white space after it')
})
