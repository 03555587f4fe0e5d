/** Sources of tokens and keys, and options that are rejected before any request. */
import { join } from 'node:path'
import t from 'tap'
import { extractToken } from '../../../../src/cli/commands/explain/decode.ts'
import { startUserPool } from '../../../../src/testing/index.ts'
import {
  document,
  explained,
  healthy,
  KEYS_URL,
  keySet,
  network,
  UPDATED_URL,
} from '../../../support/explained.ts'
import { jwk, machineToken, NOW, POOL, UPDATED_ISSUER } from '../../../support/forge.ts'
import { HOSTILE, run } from '../../../support/run-cli.ts'

t.test('keys come from the pool, from the issuer form that the token names', async (t) => {
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
})

t.test('an issuer form that the pool does not have: 401, as in the middleware', async (t) => {
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
      message: `the pool has no keys at ${UPDATED_ISSUER}`,
    },
  )
  const neither = network({
    [UPDATED_URL]: () => new Response('', { status: 404 }),
    [KEYS_URL]: () => Response.json({ keys: [] }),
  })
  const unknown = await document(token, ['--pool', POOL], { fetch: neither.fetch })
  t.match(unknown, { code: 3, verdict: 'unjudged', answer: { code: 'ERR_KEYS_UNAVAILABLE' } })
})

t.test('without a pool: the issuer of the token, if it is a Cognito host', async (t) => {
  const own = await document(machineToken())
  t.strictSame([own.code, own.asked], [0, [KEYS_URL]])
  t.match(own.checks[1], {
    check: 'issuer',
    state: 'unjudged',
    message: /, from the token; pass --pool to compare it with your pool$/,
  })
  const others = [
    'https://evil.example/eu-west-1_AbCdEfGhI',
    'https://cognito-idp.eu-west-1.amazonaws.com.evil.example/eu-west-1_AbCdEfGhI',
    'https://cognito-idp.eu-west-1.amazonaws.com@evil.example/eu-west-1_AbCdEfGhI',
    'https://cognito-idp.us-east-1.amazonaws.com/eu-west-1_AbCdEfGhI',
    'https://cognito-idp.cn-north-1.amazonaws.com/cn-north-1_AbCdEfGhI',
    'https://cognito-idp.eu-west-1.amazonaws.com.cn/eu-west-1_AbCdEfGhI',
    'https://cognito-idp.eu-west-1.amazonaws.eu/eu-west-1_AbCdEfGhI',
    'https://cognito-idp.zz-north-1.amazonaws.com/zz-north-1_AbCdEfGhI',
    'https://cognito-idp.eu-west-1.evil.example/eu-west-1_AbCdEfGhI',
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
    t.strictSame(told.asked, [], 'no request was sent')
    t.not(told.code, 0)
    t.equal(told.keys, null)
    t.match(
      told.checks.find(({ check }) => check === 'key'),
      {
        state: 'unjudged',
        message:
          /^the issuer is not a Cognito host, so the command sends it no request; pass --jwks, --pool or --issuer$/,
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
  t.match(none.checks[1], {
    message: 'iss is file:///etc/passwd, which is not the issuer of a user pool',
  })
})

t.test('a token of any partition: keys come from its host', async (t) => {
  for (const issuer of [
    'https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_AbCdEfGhI',
    'https://issuer-cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_AbCdEfGhI',
    'https://cognito-idp.eusc-de-east-1.amazonaws.eu/eusc-de-east-1_AbCdEfGhI',
    'https://cognito-idp.us-iso-east-1.c2s.ic.gov/us-iso-east-1_AbCdEfGhI',
    'https://issuer-cognito-idp.us-isob-east-1.sc2s.sgov.gov/us-isob-east-1_AbCdEfGhI',
    'https://cognito-idp.eu-isoe-west-1.cloud.adc-e.uk/eu-isoe-west-1_AbCdEfGhI',
    'https://cognito-idp.us-isof-south-1.csp.hci.ic.gov/us-isof-south-1_AbCdEfGhI',
  ]) {
    const keys = `${issuer}/.well-known/jwks.json`
    for (const args of [[], ['--pool', issuer.slice(issuer.lastIndexOf('/') + 1)]]) {
      const { fetch, asked } = network({ [keys]: () => Response.json(keySet) })
      const told = await document(machineToken({ iss: issuer }), args, { fetch })
      t.match(told, { code: 0, verdict: 'accepted', keys })
      t.strictSame(asked, [keys])
    }
  }
  const { err, code } = await explained(machineToken(), ['--pool', 'zz-north-1_AbCdEfGhI'])
  t.equal(code, 2)
  t.match(
    err,
    '--pool: expected a Region of a known AWS partition, got "zz-north-1". Set --issuer to the issuer URL of the user pool.',
  )
})

t.test('--region: the issuers of a replica of --pool', async (t) => {
  const issuer = 'https://cognito-idp.us-west-2.amazonaws.com/eu-west-1_AbCdEfGhI'
  const token = machineToken({ iss: issuer })
  const keys = `${issuer}/.well-known/jwks.json`
  const replica = () => network({ [keys]: () => Response.json(keySet) })
  const { fetch, asked } = replica()
  const args = ['--pool', POOL, '--region', 'us-west-2']
  const told = await document(token, args, { fetch })
  t.match(told, { code: 0, verdict: 'accepted', keys })
  t.match(told.checks[1], { check: 'issuer', state: 'passed', message: issuer })
  t.strictSame(asked, [keys], 'the form that the token names, and no other')
  t.match(await document(machineToken(), args), { code: 0, asked: [KEYS_URL] })
  t.match(await document(token, ['--pool', POOL, '--region', 'eu-west-2'], replica()), {
    code: 1,
    answer: { code: 'ERR_TOKEN_ISSUER' },
  })
  for (const [flags, problem] of [
    [
      ['--region', 'us-west-2'],
      '--region: expected --pool with this option, got none. Add --pool, or remove --region.',
    ],
    [
      ['--pool', POOL, '--region', 'cn-north-1'],
      '--region: expected a Region of the user pool\'s partition aws, got "cn-north-1". Use a Region of this partition.',
    ],
    [
      ['--pool', POOL, '--region', 'eu-west-1'],
      '--region: expected each Region once, got "eu-west-1" again. Remove it: the Region of the user pool is always included.',
    ],
  ] as const) {
    const { code, err } = await explained(token, flags)
    t.equal(code, 2)
    t.match(err, problem)
  }
})

t.test('an http issuer is explained with --jwks alone, as an API accepts it', async (t) => {
  const file = join(t.testdir({ 'jwks.json': JSON.stringify(keySet) }), 'jwks.json')
  const issuer = 'http://localstack:4566/eu-west-1_AbCdEfGhI'
  const token = machineToken({ iss: issuer })
  for (const args of [[], ['--issuer', issuer]]) {
    t.match(await document(token, ['--jwks', file, ...args]), { code: 0, verdict: 'accepted' })
  }
  t.match(await document(token), { code: 1, answer: { code: 'ERR_TOKEN_ISSUER' }, asked: [] })
  const { code, err } = await explained(token, ['--issuer', issuer])
  t.equal(code, 2)
  t.match(err, /--issuer: expected an https URL, got "http:\/\/localstack.*"/)
  const slash = await explained(token, ['--issuer', `https://idp.example/`])
  t.equal(slash.code, 2)
  t.match(
    slash.err,
    '--issuer: expected an issuer without a query or a trailing slash, got one with a trailing slash. Remove it: iss is compared as exact text.',
  )
})

t.test('repeatable options accept one value each, not a list', async (t) => {
  const ids = await explained(machineToken(), ['--pool', POOL, '--client-id', 'a,b'])
  t.equal(ids.code, 2)
  t.match(
    ids.err,
    '--client-id: expected one app client id, got "a,b". Repeat the option for each id.',
  )
  const scopes = await explained(machineToken(), ['--pool', POOL, '--scope', 'a/b c/d'])
  t.equal(scopes.code, 2)
  t.match(
    scopes.err,
    '--scope: expected one scope without spaces, got "a/b c/d". Repeat the option for each scope.',
  )
})

t.test('a local pool is explained in production too', async (t) => {
  const before = process.env['NODE_ENV']
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = before
  })
  process.env['NODE_ENV'] = 'production'
  const issuer = 'http://127.0.0.1:9229/xx-local-1_AbCdEfGhI'
  const keys = `${issuer}/.well-known/jwks.json`
  const { fetch } = network({ [keys]: () => Response.json(keySet) })
  const told = await document(machineToken({ iss: issuer }), ['--issuer', issuer], { fetch })
  t.match(told, { code: 0, verdict: 'accepted' })
})

t.test('--jwks: a file or a URL, for any issuer', async (t) => {
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

t.test('a key with another use is rejected, as in the middleware', async (t) => {
  const keys = [null, jwk({ use: 'enc' }), jwk({ kid: 'b' })]
  const { fetch } = network({ [KEYS_URL]: () => Response.json({ keys }) })
  const told = await document(machineToken(), ['--pool', POOL], { fetch })
  t.match(told, { code: 1, verdict: 'refused', answer: { code: 'ERR_KEY_UNKNOWN' } })
  t.match(
    told.checks.find(({ check }) => check === 'key'),
    {
      state: 'failed',
      code: 'ERR_KEY_UNKNOWN',
      message: /is listed, but not for RS256 signatures$/,
    },
  )
})

t.test('keys that are not available: exit code 3, and every other check runs', async (t) => {
  const answers: readonly [() => Response, RegExp][] = [
    [() => Response.json({ keys: [] }), /the key set has no usable key/],
    [() => new Response('<html>'), /not JSON/],
    [() => new Response('', { status: 302 }), /redirects, which is not followed \(302\)/],
    [() => new Response('x'.repeat(300_000)), /too large/],
    [
      () => Response.json({ keys: [jwk({ e: 'AQ' }), jwk({ kid: 'b' })] }),
      /is listed, but is not a usable RSA key of at least 2048 bits/,
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
  t.match(out, /The token could not be verified\. An API returns 503 ERR_KEYS_UNAVAILABLE: /)
  const expired = await document(machineToken({ exp: NOW - 10 }), ['--offline'])
  t.match(expired, { code: 1, answer: { code: 'ERR_TOKEN_EXPIRED' }, asked: [] })
})

t.test('sources of the token', async (t) => {
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
    err: 'cognito-m2m: --token-env: expected a variable that is set, got "OTHER". Export the token in it.\n',
  })
  for (const parts of [silent, nothing, { input: async () => '""' }]) {
    t.match(await explained(token, [], parts), {
      code: 2,
      err: 'cognito-m2m: TOKEN: expected an access token, got none. Pipe the token to standard input, set COGNITO_TOKEN, or type it at the prompt.\n',
    })
  }
})

t.test('text around a token is removed, with a note', async (t) => {
  const quotes = 'the quotes around the token were removed'
  const name = 'the header name before the token was removed'
  const word = 'the scheme Bearer before the token was removed'
  const cases: readonly [string, string[]][] = [
    ['a.b.c', []],
    [' \ta.b.c\r\n', []],
    ['Bearer a.b.c', [word]],
    ['bearer\ta.b.c', [word]],
    ['"a.b.c"', [quotes]],
    ["'Authorization:Bearer a.b.c'\n", [quotes, name, word]],
    ['authorization: "Bearer `a.b.c`"', [name, quotes, word]],
  ]
  for (const [text, notes] of cases) {
    const found = extractToken(text)
    t.equal(found.token, 'a.b.c')
    t.strictSame([...found.notes].sort(), [...notes].sort())
  }
  t.equal(extractToken('a.b.c d').token, 'a.b.c d')
  const { out } = await explained(`"Bearer ${machineToken()}"`, ['--pool', POOL])
  t.match(out, `\nNote: ${quotes}\nNote: ${word}\nAn API with`)
})

const wrong: readonly [string, string[], RegExp][] = [
  [
    'a pool that is none',
    ['--pool', 'nowhere'],
    /--pool: expected "<region>_<letters and digits>", for example "eu-west-1_AbCdEfGhI", got "nowhere"\. Copy the user pool id from the Cognito console, or set --issuer\.$/m,
  ],
  [
    'an issuer over http',
    ['--issuer', 'http://a.example'],
    /--issuer: expected an https URL, got .*/,
  ],
  ['keys over http', ['--jwks', 'http://a.example/jwks'], /--jwks: expected an https URL, got .*/],
  [
    'an address without requests',
    ['--offline', '--jwks', 'https://a.example'],
    /--jwks: expected a file with --offline, got "https:\/\/a\.example"\. Pass a file, or remove --offline\.$/m,
  ],
  [
    'a file that is not there',
    ['--jwks', 'absent.json'],
    /--jwks: expected a readable file, got "absent\.json" \(ENOENT\)\. Correct the path or the file\.$/m,
  ],
  [
    'a folder',
    ['--jwks', '.'],
    /--jwks: expected a readable file, got "\." \(EISDIR\)\. Correct the path or the file\.$/m,
  ],
  [
    'a file that is no key set',
    ['--jwks', 'package.json'],
    /--jwks: expected a JSON key set with a usable key, got "package\.json"\. Pass the JWKS of the user pool\.$/m,
  ],
  [
    'a file that is no JSON',
    ['--jwks', 'README.md'],
    /--jwks: expected a JSON key set with a usable key, got "README\.md"\. /,
  ],
  [
    'a file that does not end',
    ['--jwks', '/dev/zero'],
    /the file of --jwks: expected at most 262144 bytes, got more\. Pass a shorter input\.$/m,
  ],
  [
    'a scope that is none',
    ['--scope', 'orders'],
    /--scope: expected a scope as "identifier\/name", got "orders"\. /,
  ],
  [
    'a tolerance in words',
    ['--clock-tolerance', 'long'],
    /--clock-tolerance: expected seconds from 0 to 300, got "long"\. Pass a number in that range\.$/m,
  ],
  [
    'a tolerance too long',
    ['--clock-tolerance', '301'],
    /--clock-tolerance: expected seconds from 0 to 300, got "301"\. /,
  ],
  [
    'a time that is none',
    ['--at', 'noon'],
    /--at: expected epoch seconds or an ISO 8601 time, got "noon"\. Write, for example, 2026-11-21T14:52:16Z\.$/m,
  ],
  [
    'a date that is none',
    ['--at', '2026-13-01'],
    /--at: expected epoch seconds or an ISO 8601 time, got "2026-13-01"\. /,
  ],
  [
    'subjects that are none',
    ['--subjects', 'people'],
    /'people' is invalid\. Allowed choices are machine, any/,
  ],
]

for (const [name, args, message] of wrong) {
  t.test(`${name}: one line, exit 2, no request`, async (t) => {
    const { code, out, err, asked } = await explained(machineToken(), args)
    t.strictSame([code, out, asked], [2, '', []])
    t.match(err, /^cognito-m2m: [^\n]+\n$/)
    t.match(err, message)
  })
}

t.test('a token on the command line is refused, and never repeated', async (t) => {
  const token = machineToken()
  const wanted =
    'on the command line, which other processes and the shell history can read, got one. Pipe the token to standard input, set COGNITO_TOKEN, or type it at the prompt.\n'
  for (const [args, start] of [
    [[token], 'TOKEN: expected no token '],
    [['--token', token], '--token: expected no secret '],
    [[`--token=${token}`], '--token: expected no secret '],
    [['--token'], '--token: expected no secret '],
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

t.test('Ctrl-C aborts the request without a message', async (t) => {
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
