import { join } from 'node:path'
import t from 'tap'
import { type Conditions, explain } from '../../src/cli/explanation.ts'
import { tokenIn } from '../../src/cli/token-text.ts'
import { startUserPool } from '../../src/testing/index.ts'
import {
  CLIENT,
  encode,
  ISSUER,
  jwk,
  KID,
  machineClaims,
  machineToken,
  NOW,
  outcome,
  POOL,
  serve,
  signed,
  UPDATED_ISSUER,
  userClaims,
} from '../core/forge.ts'
import { run as campaign } from '../fuzz/campaign.ts'
import { OTHER_CLIENT } from '../fuzz/forging.ts'
import { judges, stopClock } from '../fuzz/oracles.ts'
import { RULES } from '../fuzz/rules.ts'
import { jwks as fuzzKeys } from '../fuzz/signing.ts'
import { acceptedCases, hostileCases } from '../hostile/cases.ts'
import { SCOPE } from '../hostile/doors.ts'
import type { DoorName } from '../hostile/kit.ts'
import { weakKeySet } from '../hostile/weak-keys.ts'
import { HOSTILE, isPlain, run } from './run.ts'
import { testTerminal } from './terminal.ts'

t.setTimeout(120_000)

const KEYS_URL = `${ISSUER}/.well-known/jwks.json`
const UPDATED_URL = `${UPDATED_ISSUER}/.well-known/jwks.json`
const keySet = { keys: [jwk()] }

/** A transport that answers by address, and remembers what it was asked. */
function network(answers: Readonly<Record<string, () => Response>>) {
  const asked: string[] = []
  const fetch: typeof globalThis.fetch = async (input) => {
    asked.push(String(input))
    const answer = answers[String(input)]
    if (answer === undefined) throw new TypeError('failed', { cause: { code: 'ENOTFOUND' } })
    return answer()
  }
  return { fetch, asked }
}

const healthy = () => network({ [KEYS_URL]: () => Response.json(keySet) })

/** Explains a token that is piped in, at {@link NOW}. */
async function explained(token: string, args: readonly string[] = [], parts = {}) {
  const { fetch, asked } = healthy()
  const world = { fetch, now: () => NOW * 1000, input: async () => token, ...parts }
  const ran = await run(['explain', ...args], world)
  return { ...ran, asked }
}

interface Document {
  readonly verdict: string
  readonly answer: { code: string; statusCode: number } | null
  readonly checks: readonly {
    check: string
    state: string
    code?: string
    message: string
    fix?: string
  }[]
  readonly header: Record<string, unknown> | null
  readonly claims: Record<string, unknown> | null
  readonly keys: string | null
  readonly notes: readonly string[]
  readonly judgedAt: number
}

async function document(token: string, args: readonly string[] = [], parts = {}) {
  const { out, err, code, asked } = await explained(token, [...args, '--json'], parts)
  if (err !== '' || !/^\{[^\n]+\}\n$/.test(out))
    throw new Error(`not one line of JSON: ${err}${out}`)
  return { code, asked, ...(JSON.parse(out) as Document) }
}

t.test('a good token, as text: what it says, every check, what an API answers', async (t) => {
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
ok   expiry     2023-11-14 23:13:20 UTC (in 1 hour)
ok   begin      2023-11-14 22:13:10 UTC (10 seconds ago)
ok   client     ${CLIENT}; any is let in without --client-id
ok   key        ${KID}
ok   signature  made with that key
ok   scopes     orders/read orders/write

Keys from ${KEYS_URL}
An API with these options lets it pass.
`,
  )
})

t.test('every check that fails is told with its fix, not the first alone', async (t) => {
  const token = machineToken({ exp: NOW - 7300, scope: 'orders/read' })
  const args = ['--pool', POOL, '--client-id', 'a', '--client-id', 'b', '--scope', 'orders/write']
  const { code, out } = await explained(token, args)
  t.equal(code, 1)
  const lines = out.split('\n').slice(-13)
  t.match(
    lines.join('\n'),
    `
FAIL expiry     it expired at 2023-11-14 20:11:40 UTC (2 hours ago) [ERR_TOKEN_EXPIRED]
                fix: get a new one; a token client renews in time
ok   begin      2023-11-14 22:13:10 UTC (10 seconds ago)
FAIL client     the app client is ${CLIENT}, not a or b [ERR_CLIENT_NOT_ALLOWED]
                fix: add it to the API's clientId, or call with an app client that is on that list
ok   key        ${KID}
ok   signature  made with that key
FAIL scopes     it lacks orders/write; it has orders/read [ERR_SCOPE_INSUFFICIENT]
                fix: grant the scope to the app client (AllowedOAuthScopes), and name it in the token request or name none

Keys from ${KEYS_URL}
An API answers 401 ERR_TOKEN_EXPIRED: The access token expired.
`.trim(),
  )
})

t.test('in colours: signs instead of words', async (t) => {
  const { out } = await explained(machineToken({ exp: NOW - 10 }), ['--pool', POOL], {
    colors: true,
  })
  t.match(out, '\u001b[32m✔\u001b[39m form       a signed')
  t.match(out, '\u001b[31m✖\u001b[39m expiry     it expired')
  t.match(out, '\n             fix: get a new one')
  t.match(out, '\u001b[1m\u001b[31mAn API answers 401 ERR_TOKEN_EXPIRED')
  const good = await explained(machineToken(), ['--pool', POOL], { colors: true })
  t.match(
    good.out,
    '\u001b[1m\u001b[32mAn API with these options lets it pass.\u001b[39m\u001b[22m\n',
  )
  const offline = await explained(machineToken(), ['--pool', POOL, '--offline'], { colors: true })
  t.match(offline.out, '\u001b[33m?\u001b[39m key        no request was made (--offline)')
  t.match(offline.out, '\u001b[1m\u001b[33mIt cannot be judged without keys.\u001b[39m')
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

t.test('what each code is told as', async (t) => {
  const cases: readonly [string, string[], string, string, RegExp][] = [
    [
      machineToken({ iss: 'https://evil.example' }),
      [],
      'issuer',
      'ERR_TOKEN_ISSUER',
      /iss is https:\/\/evil\.example, not https:\/\/cognito-idp\./,
    ],
    [machineToken({ iss: 7 }), [], 'issuer', 'ERR_TOKEN_INVALID', /iss is no text/],
    [machineToken({ token_use: 'id' }), [], 'use', 'ERR_TOKEN_USE', /token_use is id, not access/],
    [machineToken({ token_use: 7 }), [], 'use', 'ERR_TOKEN_INVALID', /token_use is no text/],
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
      /it is good from 2023-11-14 22:14:45 UTC \(in 1 minute\)/,
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
      /changed, or is forged|in bits/,
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

t.test('faults of the form, all of them', async (t) => {
  const [header = '', payload = '', signature = ''] = machineToken().split('.')
  const cases: readonly [string, string, RegExp][] = [
    [
      `${header}.${payload}`,
      'ERR_TOKEN_INVALID',
      /it has 2 parts between dots where a token has 3/,
    ],
    [
      'garbage',
      'ERR_TOKEN_INVALID',
      /it has one part between dots.*header is no JSON.*payload is no JSON/,
    ],
    [`${header}.${payload}.a.b.c`, 'ERR_TOKEN_INVALID', /5 parts .*: it is encrypted/],
    [
      `${header}..${signature}`,
      'ERR_TOKEN_INVALID',
      /its payload is empty; its payload is no JSON object/,
    ],
    [
      `${header}=.${payload}.${signature}`,
      'ERR_TOKEN_INVALID',
      /its header holds characters that base64url has not/,
    ],
    [
      `${header}.${payload}.${signature}Z`,
      'ERR_TOKEN_INVALID',
      /its signature ends as no encoder would end it/,
    ],
    [`${header}.${payload}.${signature} ${header}`, 'ERR_REQUEST_INVALID', /a blank or a comma/],
    [
      `${encode({ alg: 'none' })}.${payload}.${signature}`,
      'ERR_TOKEN_INVALID',
      /its alg is not RS256.*names no key/,
    ],
    [
      `${encode({ alg: 'RS256', kid: 'a', crit: [] })}.${payload}.${signature}`,
      'ERR_TOKEN_INVALID',
      /demands extensions \(crit\)/,
    ],
    [
      `${header}.${encode('{"a":1,"a":2}')}.${signature}`,
      'ERR_TOKEN_INVALID',
      /payload is no JSON object with one reading/,
    ],
    [
      machineToken({ long: 'x'.repeat(9000) }),
      'ERR_TOKEN_INVALID',
      /it has \d+ characters, and more than 8192 are refused/,
    ],
  ]
  for (const [token, code, message] of cases) {
    const told = await document(token, ['--pool', POOL])
    t.match(told.checks[0], { check: 'form', state: 'failed', code, message })
    t.equal(told.answer?.code, code)
    if (told.claims === null) t.match(told.checks[1], { check: 'claims', state: 'unjudged' })
  }
})

t.test('what cannot be read is not shown', async (t) => {
  const { code, out } = await explained('garbage', ['--pool', POOL])
  t.equal(code, 1)
  t.match(out, /^FAIL form {4}it has one part/)
  t.match(out, /\n\? {4}claims {2}they cannot be read/)
})

t.test('faults of the claims, all of them', async (t) => {
  const changes = {
    client_id: '',
    sub: 7,
    jti: undefined,
    exp: 'soon',
    iat: null,
    nbf: 'x',
    aud: 'another',
    scope: 'a  b',
  }
  const told = await document(machineToken(changes), ['--pool', POOL])
  t.equal(
    told.checks.find(({ check }) => check === 'claims')?.message,
    'client_id is no text; sub is no text; jti is no text; exp is no number; iat is no number; nbf is no number; aud is not the app client; scope is no list of scopes',
  )
  const states = Object.fromEntries(told.checks.map(({ check, state }) => [check, state]))
  t.match(states, { expiry: 'unjudged', begin: 'unjudged', key: 'passed', signature: 'passed' })
  const others = await document(machineToken({ client_id: 7, scope: 7 }), ['--pool', POOL])
  t.match(Object.fromEntries(others.checks.map(({ check, state }) => [check, state])), {
    client: 'unjudged',
    scopes: 'unjudged',
  })
})

t.test(
  'whose keys are asked: the pool, and of its forms the one that the token names',
  async (t) => {
    const updated = machineToken({ iss: UPDATED_ISSUER })
    const both = network({ [UPDATED_URL]: () => Response.json(keySet) })
    const told = await document(updated, ['--pool', POOL], { fetch: both.fetch })
    t.equal(told.code, 0)
    t.strictSame(both.asked, [UPDATED_URL])
    const foreign = healthy()
    await document(machineToken({ iss: 'https://evil.example' }), ['--pool', POOL], {
      fetch: foreign.fetch,
    })
    t.strictSame(foreign.asked, [KEYS_URL])
  },
)

t.test(
  'a form of the issuer that the pool does not have: 401, as the middleware says',
  async (t) => {
    const { fetch, asked } = network({
      [UPDATED_URL]: () => new Response('', { status: 403 }),
      [KEYS_URL]: () => Response.json(keySet),
    })
    const token = machineToken({ iss: UPDATED_ISSUER })
    const told = await document(token, ['--pool', POOL], { fetch })
    t.strictSame(asked, [UPDATED_URL, KEYS_URL])
    t.equal(told.keys, `${UPDATED_URL}, ${KEYS_URL}`)
    t.match(told, { code: 1, answer: { code: 'ERR_KEY_UNKNOWN' } })
    t.match(
      told.checks.find(({ check }) => check === 'key'),
      {
        state: 'failed',
        message: `the pool has no keys as ${UPDATED_ISSUER}`,
      },
    )
    const neither = network({
      [UPDATED_URL]: () => new Response('', { status: 404 }),
      [KEYS_URL]: () => Response.json({ keys: [] }),
    })
    const unknown = await document(token, ['--pool', POOL], { fetch: neither.fetch })
    t.match(unknown, { code: 3, verdict: 'unjudged', answer: { code: 'ERR_KEYS_UNAVAILABLE' } })
  },
)

t.test(
  'without a pool: the issuer of the token, where it has the form of Cognito alone',
  async (t) => {
    const own = await document(machineToken())
    t.strictSame([own.code, own.asked], [0, [KEYS_URL]])
    t.match(own.checks[1], {
      check: 'issuer',
      state: 'unjudged',
      message: /as the token says: name --pool/,
    })
    const others = [
      'https://evil.example/eu-west-1_AbCdEfGhI',
      'https://cognito-idp.eu-west-1.amazonaws.com.evil.example/eu-west-1_AbCdEfGhI',
      'https://cognito-idp.eu-west-1.amazonaws.com@evil.example/eu-west-1_AbCdEfGhI',
      'https://cognito-idp.us-east-1.amazonaws.com/eu-west-1_AbCdEfGhI',
      'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI/',
      'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI?x',
      'https://cognito-idp.xx-local-1.amazonaws.com/xx-local-1_AbCdEfGhI',
      'http://127.0.0.1:9/xx-local-1_AbCdEfGhI',
      'http://169.254.169.254/latest',
      'file:///etc/passwd',
      'ISSUER',
      HOSTILE,
    ]
    for (const iss of others) {
      const told = await document(machineToken({ iss }))
      t.strictSame(told.asked, [], 'nothing was asked')
      t.not(told.code, 0)
      t.equal(told.keys, null)
      t.match(
        told.checks.find(({ check }) => check === 'key'),
        {
          state: 'unjudged',
          message:
            /not of Cognito's own host form, so nothing is asked of it: name --jwks, --pool or --issuer/,
        },
      )
    }
    const known = await document(machineToken({ iss: 'https://idp.example' }))
    t.match(known, { code: 3, verdict: 'unjudged', answer: { code: 'ERR_KEYS_UNAVAILABLE' } })
    t.match(await document(machineToken({ iss: 7 })), {
      code: 1,
      asked: [],
      answer: { code: 'ERR_TOKEN_INVALID' },
    })
    const none = await document(machineToken({ iss: 'file:///etc/passwd' }))
    t.match(none, { code: 1, answer: { code: 'ERR_TOKEN_ISSUER' } })
    t.match(none.checks[1], { message: 'iss is file:///etc/passwd, no address of a pool' })
  },
)

t.test('--jwks: a file or an address, whoever issued the token', async (t) => {
  const folder = t.testdir({ 'jwks.json': JSON.stringify(keySet) })
  const file = join(folder, 'jwks.json')
  const token = machineToken({ iss: 'https://idp.example' })
  const told = await document(token, ['--jwks', file, '--offline'])
  t.match(told, { code: 0, verdict: 'accepted', keys: file, asked: [] })
  const url = 'https://idp.example/keys'
  const { fetch, asked } = network({ [url]: () => Response.json(keySet) })
  t.match(await document(token, ['--jwks', url], { fetch }), { code: 0, keys: url })
  t.strictSame(asked, [url])
  const named = await document(token, ['--jwks', file, '--issuer', 'https://idp.example'])
  t.match(named.checks[1], { check: 'issuer', state: 'passed' })
  t.match(await document(token, ['--jwks', file, '--pool', POOL]), {
    code: 1,
    answer: { code: 'ERR_TOKEN_ISSUER' },
  })
})

t.test('a local pool, by its issuer', async (t) => {
  const pool = await startUserPool()
  t.teardown(() => pool.close())
  const now = Date.now
  const args = ['--issuer', pool.issuer, '--scope', 'orders/read']
  const fetch = globalThis.fetch
  const clientId = pool.clients[0]?.clientId
  const told = await document(pool.accessToken(), ['--issuer', pool.issuer], { fetch, now })
  t.match(told, { code: 0, keys: pool.jwksUri, claims: { client_id: clientId } })
  await pool.setJwksFault('500')
  const failing = await document(pool.accessToken(), args, { fetch, now })
  t.match(failing, { code: 3, verdict: 'unjudged' })
  t.match(
    failing.checks.find(({ check }) => check === 'key'),
    {
      state: 'unjudged',
      code: 'ERR_KEYS_UNAVAILABLE',
      message: 'The key set endpoint answered with an error status (500)',
    },
  )
})

t.test('keys that cannot be had: 3, and everything else is judged', async (t) => {
  const answers: readonly [() => Response, RegExp][] = [
    [() => Response.json({ keys: [] }), /the key set holds no usable key/],
    [() => new Response('<html>'), /not JSON/],
    [() => new Response('', { status: 302 }), /redirects, which is not followed \(302\)/],
    [() => new Response('x'.repeat(300_000)), /too large/],
    [
      () => Response.json({ keys: [jwk({ use: 'enc' }), jwk({ kid: 'b' })] }),
      /is listed, but no RSA key for RS256/,
    ],
  ]
  for (const [answer, message] of answers) {
    const { fetch } = network({ [KEYS_URL]: answer })
    const told = await document(machineToken(), ['--pool', POOL, '--scope', 'a/b'], { fetch })
    t.match(told, { code: 3, verdict: 'unjudged', answer: { code: 'ERR_KEYS_UNAVAILABLE' } })
    t.match(
      told.checks.find(({ check }) => check === 'key'),
      { state: 'unjudged', message },
    )
    t.match(told.checks.at(-1), { check: 'scopes', state: 'failed' })
  }
  const { out, code } = await explained(machineToken(), ['--pool', POOL], {
    fetch: network({}).fetch,
  })
  t.equal(code, 3)
  t.match(
    out,
    /\? {4}key {8}The key set could not be fetched \(ENOTFOUND\) \[ERR_KEYS_UNAVAILABLE\]/,
  )
  t.match(out, /It could not be judged\. An API answers 503 ERR_KEYS_UNAVAILABLE: /)
  const expired = await document(machineToken({ exp: NOW - 10 }), ['--offline'])
  t.match(expired, { code: 1, answer: { code: 'ERR_TOKEN_EXPIRED' }, asked: [] })
})

t.test('where the token comes from', async (t) => {
  const token = machineToken()
  const silent = { input: async () => undefined }
  const nothing = { input: async () => ' \n' }
  const env = { COGNITO_TOKEN: token, MINE: machineToken({ jti: 'mine' }) }
  const secret = async (question: string) => {
    t.equal(question, 'Token: ')
    return machineToken({ jti: 'typed' })
  }
  const jti = async (args: string[], parts: object) =>
    (await document(token, ['--offline', ...args], parts)).claims?.['jti']
  const mine = '39cdbc77-8743-4e1e-9669-96e62b165f1c'
  t.equal(await jti([], { ...silent, env }), mine)
  t.equal(await jti([], { ...nothing, env }), mine)
  t.equal(await jti([], { input: async () => machineToken({ jti: 'piped' }), env }), 'piped')
  t.equal(await jti(['--token-env', 'MINE'], { env }), 'mine')
  t.equal(await jti([], { ...silent, secret }), 'typed')
  t.match(await explained(token, ['--token-env', 'OTHER'], { env }), {
    code: 2,
    err: 'cognito-m2m: --token-env names "OTHER", which is not set\n',
  })
  for (const parts of [silent, nothing, { input: async () => '""' }]) {
    t.match(await explained(token, [], parts), {
      code: 2,
      err: 'cognito-m2m: the token is missing: pipe it in, set COGNITO_TOKEN, or be asked\n',
    })
  }
})

t.test('a token is taken out of what stands around it, and that is said', async (t) => {
  const quotes = 'the quotes around it were left out'
  const name = 'the name of the header before it was left out'
  const word = 'the word Bearer before it was left out'
  const given: readonly [string, string[]][] = [
    ['a.b.c', []],
    [' \ta.b.c\r\n', []],
    ['Bearer a.b.c', [word]],
    ['bearer\ta.b.c', [word]],
    ['"a.b.c"', [quotes]],
    ["'Authorization:Bearer a.b.c'\n", [quotes, name, word]],
    ['authorization: "Bearer `a.b.c`"', [name, quotes, word]],
  ]
  for (const [text, notes] of given) {
    const found = tokenIn(text)
    t.equal(found.token, 'a.b.c')
    t.strictSame([...found.notes].sort(), [...notes].sort())
  }
  t.equal(tokenIn('a.b.c d').token, 'a.b.c d')
  const { out } = await explained(`"Bearer ${machineToken()}"`, ['--pool', POOL])
  t.match(out, `\nNote: ${quotes}\nNote: ${word}\nAn API with`)
})

t.test('foreign text reaches no terminal as it is', async (t) => {
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

const wrong: readonly [string, string[], RegExp][] = [
  [
    'a pool that is none',
    ['--pool', 'nowhere'],
    /--pool is "nowhere": a user pool id is .*use --issuer for another/,
  ],
  ['an issuer over http', ['--issuer', 'http://a.example'], /--issuer is .*: use an https URL/],
  ['keys over http', ['--jwks', 'http://a.example/jwks'], /--jwks is .*: use an https URL/],
  [
    'an address without requests',
    ['--offline', '--jwks', 'https://a.example'],
    /--jwks is .*: with --offline, pass a file/,
  ],
  [
    'a file that is not there',
    ['--jwks', 'absent.json'],
    /--jwks names "absent\.json", which cannot be read \(ENOENT\)/,
  ],
  ['a folder', ['--jwks', '.'], /cannot be read \(EISDIR\)/],
  [
    'a file that is no key set',
    ['--jwks', 'package.json'],
    /--jwks names "package\.json", which holds no usable key: pass a key set/,
  ],
  ['a file that is no JSON', ['--jwks', 'README.md'], /which holds no usable key/],
  [
    'a file that does not end',
    ['--jwks', '/dev/zero'],
    /the file of --jwks holds more than 262144 bytes/,
  ],
  ['a scope that is none', ['--scope', 'orders'], /--scope is "orders": a scope is/],
  [
    'a tolerance in words',
    ['--clock-tolerance', 'long'],
    /--clock-tolerance is "long": use a number of seconds from 0 to 300/,
  ],
  ['a tolerance too long', ['--clock-tolerance', '301'], /from 0 to 300/],
  ['a time that is none', ['--at', 'noon'], /--at is "noon": use epoch seconds or a time as/],
  ['a date that is none', ['--at', '2026-13-01'], /--at is "2026-13-01"/],
  [
    'subjects that are none',
    ['--subjects', 'people'],
    /'people' is invalid\. Allowed choices are machine, any/,
  ],
]

for (const [name, args, message] of wrong) {
  t.test(`${name}: one line, exit 2, nothing asked`, async (t) => {
    const { code, out, err, asked } = await explained(machineToken(), args)
    t.strictSame([code, out, asked], [2, '', []])
    t.match(err, /^cognito-m2m: [^\n]+\n$/)
    t.match(err, message)
  })
}

t.test('a token on the command line is refused, and never repeated', async (t) => {
  const token = machineToken()
  const wanted =
    'the command line is seen by every process of this machine and kept by the shell; pipe it in, set COGNITO_TOKEN, or be asked\n'
  for (const [args, start] of [
    [[token], 'a token is no argument: '],
    [['--token', token], '--token is no option: '],
    [[`--token=${token}`], '--token is no option: '],
    [['--token'], '--token is no option: '],
  ] as const) {
    const told = await explained(token, args)
    t.match(told, { code: 2, out: '', err: `cognito-m2m: ${start}${wanted}` })
  }
  for (const args of [['explain', `--jwt=${token}`], [token], ['explain', '--subjects', token]]) {
    const { code, err } = await run(args)
    t.equal(code, 2)
    t.notMatch(err, token.split('.')[1] as string)
    t.notMatch(err, token.slice(0, 60))
  }
})

t.test('Ctrl-C ends the request, without a word', async (t) => {
  const interruption = new AbortController()
  const fetch = async () => {
    interruption.abort()
    return new Promise<Response>(() => {})
  }
  const { code, out, err } = await explained(machineToken(), ['--pool', POOL], {
    fetch,
    signal: interruption.signal,
  })
  t.strictSame([code, out, err], [130, '', ''])
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
  t.match(out, /exp +1e\+300 \(no time of this calendar\)/)
  t.match(out, /nbf +2023-11-14 22:13:20 UTC \(now\)/)
  t.match(out, /auth_time +1969-12-30 23:00:00 UTC \(19,676 days ago\)/)
})

const good = { keys: keySet, conditions: {} }
/** What the options of a door are here. */
const doors: Readonly<Record<DoorName, { keys: object; conditions: Partial<Conditions> }>> = {
  plain: good,
  scoped: { ...good, conditions: { scopes: [SCOPE] } },
  large: good,
  fetched: good,
  weak: { ...good, keys: weakKeySet() },
}
/** A token with a bit flipped is like its neighbours: one of so many is enough here. */
const BITS = 8

const base: Conditions = {
  pool: POOL,
  clientIds: [CLIENT],
  subjects: 'machine',
  scopes: [],
  clockTolerance: 5,
  now: NOW * 1000,
}

/** Every code that a check has, in their order. */
const codesOf = (checks: readonly { readonly code?: string }[]) =>
  checks.flatMap(({ code }) => code ?? [])

t.test('every hostile token: explained as the middleware answers it', async (t) => {
  const wrongOnes: unknown[] = []
  let asked = 0
  let bits = 0
  const plain = serve({}).guard()
  const guards = {
    ...{ plain, large: plain, fetched: plain, scoped: serve({}).guard({ scopes: SCOPE }) },
    weak: serve({ jwks: weakKeySet() }).guard(),
  }
  const cases = [...hostileCases(9), ...acceptedCases(9).map((it) => ({ ...it, code: undefined }))]
  for (const { authorization, door, code, clause, field, mutation } of cases) {
    if (typeof authorization !== 'string' || !authorization.startsWith('Bearer ')) continue
    const text = authorization.slice('Bearer '.length)
    const given = tokenIn(text)
    if (given.token === '') continue
    if (field.endsWith(' bit') && bits++ % BITS > 0) continue
    const { keys, conditions } = doors[door]
    const { fetch } = network({ [KEYS_URL]: () => Response.json(keys) })
    const told = await explain(given, { ...base, ...conditions }, testTerminal({ fetch }))
    const answered = await outcome(guards[door] as never, `Bearer ${given.token}`)
    const seen = [told.answer?.code ?? 'accepted', codesOf(told.checks)[0] ?? 'accepted']
    const isAsGiven = given.token === text && door !== 'large'
    const should = isAsGiven ? (code ?? 'accepted') : answered
    asked += 1
    const isTold = told.checks.every(({ message }) => message !== '')
    if (answered !== should || !isTold || seen.some((it) => it !== should)) {
      wrongOnes.push({ clause, field, mutation, should, answered, seen })
    }
  }
  t.comment(`${asked} tokens`)
  t.ok(asked > 400)
  t.strictSame(wrongOnes, [])
})

t.test('generated tokens: explained as the middleware answers them', async (t) => {
  const answer = () => Response.json(fuzzKeys)
  const { fetch } = network({ [KEYS_URL]: answer, [UPDATED_URL]: answer })
  const conditions = {
    ...base,
    clientIds: [CLIENT, OTHER_CLIENT],
  }
  t.teardown(stopClock())
  const codes = new Map<string, number>()
  const core: typeof judges.core = async (token) => {
    const answer = await judges.core(token)
    if (tokenIn(token).token !== token || token === '') return answer
    const should = typeof answer === 'string' ? answer : 'accepted'
    const told = await explain({ token, notes: [] }, conditions, testTerminal({ fetch }))
    const seen = [told.answer?.code ?? 'accepted', codesOf(told.checks)[0] ?? 'accepted']
    codes.set(should, (codes.get(should) ?? 0) + 1)
    if (seen.some((it) => it !== should)) throw new Error(`${should}, explained as ${seen}`)
    return answer
  }
  const { finding } = await campaign({
    judges: { ...judges, core },
    rules: RULES,
    seed: 7,
    runs: 400,
  })
  t.equal(finding?.error, undefined)
  t.ok(codes.size >= 5, [...codes.keys()].join(' '))
})
