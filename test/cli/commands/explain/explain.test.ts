import t from 'tap'
import { SCOPE } from '../../../conformance/hostile/options.ts'
import { document, explained, KEYS_URL, network } from '../../../support/explained.ts'
import {
  CLIENT,
  encode,
  ISSUER,
  jwk,
  KID,
  machineClaims,
  machineToken,
  NOW,
  POOL,
  signed,
  userClaims,
} from '../../../support/forge.ts'
import { HOSTILE, isPlain } from '../../../support/run-cli.ts'

t.test('a valid token as text: contents, every check, and the response of an API', async (t) => {
  const { code, out, err, asked } = await explained(machineToken(), [
    '--pool',
    POOL,
    '--scope',
    SCOPE,
  ])
  t.strictSame([code, err, asked], [0, '', [KEYS_URL]])
  t.equal(
    out,
    `header
  kid  ${KID}
  alg  RS256

claims
  sub        ${CLIENT}
  token_use  access
  scope      orders/read orders/write
  auth_time  2023-11-14 22:13:10 UTC (10 seconds ago)
  iss        ${ISSUER}
  exp        2023-11-14 23:13:20 UTC (in 1 hour)
  iat        2023-11-14 22:13:10 UTC (10 seconds ago)
  version    2
  jti        39cdbc77-8743-4e1e-9669-96e62b165f1c
  client_id  ${CLIENT}

ok   form       a signed token (JWS), RS256
ok   issuer     ${ISSUER}
ok   use        an access token
ok   claims     complete and well-formed
ok   subject    a machine: sub is the app client, no username
ok   audience   no aud
ok   expiry     2023-11-14 23:13:20 UTC (in 1 hour)
ok   begin      2023-11-14 22:13:10 UTC (10 seconds ago)
ok   client     ${CLIENT}; without --client-id, every app client is allowed
ok   key        ${KID}
ok   signature  verified with that key
ok   scopes     orders/read orders/write

Keys from ${KEYS_URL}
An API with these options accepts the token.
`,
  )
})

t.test('every failed check is reported with its fix, not only the first', async (t) => {
  const token = machineToken({ exp: NOW - 7300, scope: 'orders/read' })
  const args = ['--pool', POOL, '--client-id', 'a', '--client-id', 'b', '--scope', 'orders/write']
  const { code, out } = await explained(token, args)
  t.equal(code, 1)
  const lines = out.split('\n').slice(-13)
  t.match(
    lines.join('\n'),
    `
FAIL expiry     it expired at 2023-11-14 20:11:40 UTC (2 hours ago) [ERR_TOKEN_EXPIRED]
                fix: get a new token; a token client renews it before it expires
ok   begin      2023-11-14 22:13:10 UTC (10 seconds ago)
FAIL client     the app client is ${CLIENT}, not a or b [ERR_CLIENT_NOT_ALLOWED]
                fix: add it to the API's clientId, or call with an app client of that list
ok   key        ${KID}
ok   signature  verified with that key
FAIL scopes     it lacks orders/write; it has orders/read [ERR_SCOPE_INSUFFICIENT]
                fix: grant the scope to the app client (AllowedOAuthScopes), and request it, or request no scope to get all

Keys from ${KEYS_URL}
An API returns 401 ERR_TOKEN_EXPIRED: The access token expired.
`.trim(),
  )
})

t.test('colors: signs instead of words', async (t) => {
  const { out } = await explained(machineToken({ exp: NOW - 10 }), ['--pool', POOL], {
    colors: true,
  })
  t.match(out, '\u001b[32m✔\u001b[39m form       a signed')
  t.match(out, '\u001b[31m✖\u001b[39m expiry     it expired')
  t.match(out, '\n             fix: get a new token')
  t.match(out, '\u001b[1m\u001b[31mAn API returns 401 ERR_TOKEN_EXPIRED')
  const good = await explained(machineToken(), ['--pool', POOL], { colors: true })
  t.match(
    good.out,
    '\u001b[1m\u001b[32mAn API with these options accepts the token.\u001b[39m\u001b[22m\n',
  )
  const offline = await explained(machineToken(), ['--pool', POOL, '--offline'], { colors: true })
  t.match(offline.out, '\u001b[33m?\u001b[39m key        no request was made (--offline)')
  t.match(
    offline.out,
    '\u001b[1m\u001b[33mThe token could not be verified: no signing keys are available.\u001b[39m',
  )
})

t.test('--json has all of it, and neither the token nor its signature', async (t) => {
  const token = machineToken({ plan: ['gold'] })
  const told = await document(token, ['--pool', POOL, '--client-id', CLIENT])
  t.match(told, { code: 0, verdict: 'accepted', answer: null, keys: KEYS_URL, judgedAt: NOW })
  t.strictSame(told.header, { kid: KID, alg: 'RS256' })
  t.strictSame(told.claims, { ...machineClaims(), plan: ['gold'] })
  t.strictSame(told.notes, [])
  t.strictSame(new Set(told.checks.map(({ state }) => state)), new Set(['passed']))
  for (const part of token.split('.')) t.notMatch(JSON.stringify(told), part)
  const late = await document(token, ['--pool', POOL, '--at', String(NOW + 4000)])
  t.match(late, { code: 1, verdict: 'refused', judgedAt: NOW + 4000 })
  t.match(late.answer, { code: 'ERR_TOKEN_EXPIRED', statusCode: 401 })
})

t.test('the message of each code', async (t) => {
  const cases: readonly [string, string[], string, string, RegExp][] = [
    [
      machineToken({ iss: 'https://evil.example' }),
      [],
      'issuer',
      'ERR_TOKEN_ISSUER',
      /iss is https:\/\/evil\.example, not https:\/\/cognito-idp\./,
    ],
    [machineToken({ iss: 7 }), [], 'issuer', 'ERR_TOKEN_INVALID', /^iss is not a string$/],
    [machineToken({ token_use: 'id' }), [], 'use', 'ERR_TOKEN_USE', /token_use is id, not access/],
    [machineToken({ token_use: 7 }), [], 'use', 'ERR_TOKEN_INVALID', /^token_use is not a string$/],
    [
      signed({ kid: KID, alg: 'RS256' }, userClaims()),
      [],
      'subject',
      'ERR_TOKEN_USE',
      /a user's token/,
    ],
    [
      machineToken({ nbf: NOW + 90 }),
      [],
      'begin',
      'ERR_TOKEN_NOT_ACTIVE',
      /it is valid from 2023-11-14 22:14:45 UTC \(in 1 minute\)/,
    ],
    [machineToken({ iat: NOW + 400 }), [], 'begin', 'ERR_TOKEN_NOT_ACTIVE', /in 1 minute/],
    [
      machineToken({}, { kid: 'gone' }),
      [],
      'key',
      'ERR_KEY_UNKNOWN',
      /gone is not in the key set, which has 1 key$/,
    ],
    [
      `${machineToken().slice(0, -6)}AAAAAA`,
      [],
      'signature',
      'ERR_TOKEN_SIGNATURE',
      /^it does not match the header and payload: the token was changed or forged$/,
    ],
    [
      machineToken({ scope: '' }),
      ['--scope', 'a/b'],
      'scopes',
      'ERR_SCOPE_INSUFFICIENT',
      /lacks a\/b; it has none/,
    ],
    [
      machineToken({ scope: undefined }),
      ['--scope', 'a/b'],
      'scopes',
      'ERR_SCOPE_INSUFFICIENT',
      /it has none/,
    ],
  ]
  for (const [token, args, check, code, message] of cases) {
    const told = await document(token, ['--pool', POOL, ...args])
    const found = told.checks.find((it) => it.check === check)
    t.match(found, { state: 'failed', code, message }, code)
    t.ok(found?.fix)
    t.equal(told.answer?.code, code)
    t.equal(told.code, 1)
  }
  const two = network({ [KEYS_URL]: () => Response.json({ keys: [jwk(), jwk({ kid: 'b' })] }) })
  const gone = await document(machineToken({}, { kid: 'c' }), ['--pool', POOL], {
    fetch: two.fetch,
  })
  t.match(
    gone.checks.find(({ check }) => check === 'key'),
    { message: /which has 2 keys$/ },
  )
  const user = signed({ kid: KID, alg: 'RS256' }, userClaims())
  const any = await document(user, ['--pool', POOL, '--subjects', 'any'])
  t.match(any, { code: 0, verdict: 'accepted' })
})

t.test("the audience of a user's token, as the middleware has it", async (t) => {
  const api = 'https://api.example/v1'
  const user = (aud?: unknown) =>
    signed({ kid: KID, alg: 'RS256' }, userClaims(aud === undefined ? {} : { aud }))
  const any = ['--pool', POOL, '--subjects', 'any']
  const bound = [...any, '--audience', api, '--audience', 'urn:b']
  const cases: readonly [string, string[], 'passed' | 'failed', RegExp][] = [
    [user(api), bound, 'passed', /^aud is https:\/\/api\.example\/v1$/],
    [user(['x', 'urn:b']), bound, 'passed', /^aud is x urn:b$/],
    [user('x'), bound, 'failed', /^aud is x, not https:\/\/api\.example\/v1 or urn:b$/],
    [user(), bound, 'failed', /^no aud, not https/],
    [user(), any, 'passed', /^no aud$/],
    [user(api), any, 'failed', /^aud is https:.*, not only the app client$/],
    [machineToken({ aud: api }), bound, 'failed', /not only the app client$/],
    [machineToken({ aud: CLIENT }), bound, 'passed', /^aud is/],
  ]
  for (const [token, args, state, message] of cases) {
    const { checks, answer, code } = await document(token, args)
    const found = checks.find(({ check }) => check === 'audience')
    t.match(found, { state, message })
    t.equal(answer?.code, state === 'failed' ? 'ERR_TOKEN_AUDIENCE' : undefined)
    t.equal(code, state === 'failed' ? 1 : 0)
    t.equal(found?.fix !== undefined, state === 'failed')
  }
  const wrong = await explained(user(), [...any, '--audience', ''])
  t.equal(wrong.code, 2)
  t.match(
    wrong.err,
    /--audience\[0\]: expected the audience as a non-empty string without spaces, got ""\. Pass the exact audience\.$/m,
  )
})

t.test('faults of the form, all of them', async (t) => {
  const [header = '', payload = '', signature = ''] = machineToken().split('.')
  const members = (count: number): object =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index}`, 1]))
  const cases: readonly [string, string, RegExp][] = [
    [`${header}.${payload}`, 'ERR_TOKEN_INVALID', /it has 2 parts between dots, but a token has 3/],
    [
      'garbage',
      'ERR_TOKEN_INVALID',
      /it has one part between dots, but a token has 3; its header is not an unambiguous JSON object; its payload is not an unambiguous JSON object$/,
    ],
    [
      `${header}.${payload}.a.b.c`,
      'ERR_TOKEN_INVALID',
      /5 parts between dots, but a token has 3: it is encrypted, and Cognito does not encrypt tokens/,
    ],
    [
      `${header}..${signature}`,
      'ERR_TOKEN_INVALID',
      /its payload is empty; its payload is not an unambiguous JSON object/,
    ],
    [
      `${header}=.${payload}.${signature}`,
      'ERR_TOKEN_INVALID',
      /its header has characters outside base64url/,
    ],
    [
      `${header}.${payload}.${signature}Z`,
      'ERR_TOKEN_INVALID',
      /its signature is not canonical base64url: it was truncated or changed/,
    ],
    [
      `${header}.${payload}.${signature} ${header}`,
      'ERR_REQUEST_INVALID',
      /it contains a space or a comma, so the text has more than a token/,
    ],
    [
      `${encode({ alg: 'none' })}.${payload}.${signature}`,
      'ERR_TOKEN_INVALID',
      /its alg is not RS256, the only algorithm of Cognito; its header has no key ID \(kid\)/,
    ],
    [
      `${encode({ alg: 'RS256', kid: 'a', crit: [] })}.${payload}.${signature}`,
      'ERR_TOKEN_INVALID',
      /its header requires extensions \(crit\), which are not supported/,
    ],
    [
      `${header}.${encode('{"a":1,"a":2}')}.${signature}`,
      'ERR_TOKEN_INVALID',
      /its payload is not an unambiguous JSON object/,
    ],
    [
      `${header}.${encode(members(255))}.${signature}`,
      'ERR_TOKEN_INVALID',
      /its header and payload have more than 256 members together; remove custom claims/,
    ],
    [
      machineToken({ long: 'x'.repeat(9000) }),
      'ERR_TOKEN_INVALID',
      /it has \d+ characters, but the API decodes at most 8192; its option maxTokenLength raises the limit/,
    ],
  ]
  for (const [token, code, message] of cases) {
    const told = await document(token, ['--pool', POOL])
    t.match(told.checks[0], { check: 'form', state: 'failed', code, message })
    t.equal(told.answer?.code, code)
    if (told.claims === null) t.match(told.checks[1], { check: 'claims', state: 'unjudged' })
  }
})

t.test('unreadable parts are not shown', async (t) => {
  const { code, out } = await explained('garbage', ['--pool', POOL])
  t.equal(code, 1)
  t.match(out, /^FAIL form {4}it has one part/)
  t.match(out, /\n\? {4}claims {2}they cannot be read, so no claim was checked/)
})

t.test('faults of the claims, all of them', async (t) => {
  const changes = {
    client_id: '',
    sub: 7,
    jti: undefined,
    exp: 'soon',
    iat: null,
    nbf: 'x',
    aud: [7],
    scope: 'a  b',
  }
  const told = await document(machineToken(changes), ['--pool', POOL])
  t.equal(
    told.checks.find(({ check }) => check === 'claims')?.message,
    'client_id is not a non-empty string; sub is not a non-empty string; jti is missing; exp is not a number; iat is not a number; nbf is not a number; scope is not a list of scopes with one space between two; aud is not a string or a list of strings',
  )
  const states = Object.fromEntries(told.checks.map(({ check, state }) => [check, state]))
  t.match(states, { expiry: 'unjudged', begin: 'unjudged', key: 'passed', signature: 'passed' })
  const others = await document(machineToken({ client_id: 7, scope: 7 }), ['--pool', POOL])
  t.match(Object.fromEntries(others.checks.map(({ check, state }) => [check, state])), {
    client: 'unjudged',
    scopes: 'unjudged',
  })
})

t.test('untrusted text is escaped for the terminal', async (t) => {
  const claims = {
    client_id: HOSTILE,
    sub: HOSTILE,
    scope: HOSTILE,
    iss: HOSTILE,
    token_use: HOSTILE,
    [HOSTILE]: { [HOSTILE]: [HOSTILE] },
    long: 'x'.repeat(5000),
  }
  const token = machineToken(claims, { kid: HOSTILE, [HOSTILE]: HOSTILE })
  for (const args of [[], ['--json'], ['--pool', POOL, '--client-id', 'a'], ['--scope', 'a/b']]) {
    const { out, err } = await explained(token, args)
    t.ok(isPlain(out), args.join(' '))
    t.equal(err, '')
    t.ok(out.length > 500)
  }
  const { out } = await explained(token)
  t.match(out, '\\u{1b}[31mred')
  t.ok(out.split('\n').every((line) => line.length < 700))
})

t.test('times', async (t) => {
  const at = async (time: string) =>
    (await document(machineToken(), ['--offline', '--at', time])).judgedAt
  t.equal(await at('2023-11-14T22:13:20Z'), NOW)
  t.equal(await at('2023-11-14'), Date.UTC(2023, 10, 14) / 1000)
  t.equal(await at(String(NOW)), NOW)
  const { out } = await explained(machineToken({ exp: 1e300, nbf: NOW, auth_time: -90_000 }), [
    '--offline',
  ])
  t.match(out, /exp +1e\+300 \(out of range\)/)
  t.match(out, /nbf +2023-11-14 22:13:20 UTC \(now\)/)
  t.match(out, /auth_time +1969-12-30 23:00:00 UTC \(19,676 days ago\)/)
})
