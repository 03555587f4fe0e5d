import t, { type Test } from 'tap'
import { toCommandFailure } from '../../../src/cli/commands/token.ts'
import { CommandFailure } from '../../../src/cli/exit-codes.ts'
import { startUserPool } from '../../../src/testing/index.ts'
import { TokenClientError, type TokenClientErrorCode } from '../../../src/tokens/client/index.ts'
import { decode } from '../../support/http.ts'
import { HOSTILE, isPlain, run } from '../../support/run-cli.ts'

const ENDPOINT = 'https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token'
const SECRET = 's3cret+with%odd:signs and blanks'
const env = { COGNITO_CLIENT_SECRET: SECRET }
const NOW = 1_800_000_000_000

async function pool(t: Test) {
  const started = await startUserPool({
    resourceServers: [{ identifier: 'orders', scopes: { read: 'Read', write: 'Write' } }],
    clients: [
      { clientId: 'billing', clientSecrets: [SECRET], scopes: ['orders/read', 'orders/write'] },
      { clientId: 'closed', clientSecrets: [SECRET], oauth: false },
      { clientId: 'other', clientSecrets: [SECRET], flows: ['code'] },
    ],
  })
  t.teardown(() => started.close())
  return started
}

/** A transport that answers what it is told, and remembers what it was asked. */
function answering(answer: (url: string) => Response) {
  const asked: { url: string; init: RequestInit | undefined }[] = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    asked.push({ url: String(input), init })
    return answer(String(input))
  }
  return { fetch, asked }
}

const granted = () =>
  Response.json({ access_token: 'a.b.c', expires_in: 3600, token_type: 'Bearer' })

t.test(
  'a token from a pool, alone on its line, for all scopes or those that are named',
  async (t) => {
    const { tokenEndpoint } = await pool(t)
    const fetch = globalThis.fetch
    const args = ['token', '--token-url', tokenEndpoint, '--client-id', 'billing']
    const { code, out, err } = await run(args, { env, fetch })
    t.strictSame([code, err], [0, ''])
    t.match(out, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    t.equal(decode(out, 1)['scope'], 'orders/read orders/write')
    const one = await run([...args, '--scope', 'orders/read'], { env, fetch })
    t.equal(decode(one.out, 1)['scope'], 'orders/read')
    const two = await run([...args, '--scope', 'orders/write', '--scope', 'orders/read'], {
      env,
      fetch,
    })
    t.equal(decode(two.out, 1)['scope'], 'orders/read orders/write')
    const list = await run([...args, '--scope', ' orders/write  orders/read'], { env, fetch })
    t.equal(decode(list.out, 1)['scope'], 'orders/read orders/write')
  },
)

t.test('what is sent: the client and its secret to the endpoint alone', async (t) => {
  const { fetch, asked } = answering(granted)
  const args = [
    'token',
    '--token-url',
    ENDPOINT,
    '--client-id',
    'billing',
    '--scope',
    'orders/read',
  ]
  t.strictSame(await run(args, { env, fetch }), { code: 0, out: 'a.b.c\n', err: '' })
  t.strictSame(
    asked.map(({ url }) => url),
    [ENDPOINT],
  )
  const [{ init }] = asked as [(typeof asked)[number]]
  const basic = Buffer.from(`billing:${SECRET}`).toString('base64')
  t.equal(new Headers(init?.headers).get('authorization'), `Basic ${basic}`)
  t.equal(String(init?.body), 'scope=orders%2Fread&grant_type=client_credentials')
})

t.test('--json in the words of RFC 6749, and --header', async (t) => {
  const { fetch } = answering(granted)
  const args = [
    'token',
    '--token-url',
    ENDPOINT,
    '--client-id',
    'billing',
    '--scope',
    'orders/read',
  ]
  const { code, out, err } = await run([...args, '--json'], { env, fetch, now: () => NOW })
  t.strictSame([code, err], [0, ''])
  t.match(out, /^\{[^\n]+\}\n$/)
  t.strictSame(JSON.parse(out), {
    access_token: 'a.b.c',
    token_type: 'Bearer',
    expires_in: 3600,
    expires_at: NOW / 1000 + 3600,
    scope: 'orders/read',
    client_id: 'billing',
  })
  const header = await run([...args, '--header'], { env, fetch })
  t.strictSame(header, { code: 0, out: 'Authorization: Bearer a.b.c\n', err: '' })
})

t.test('scopes in a hostile token reach no terminal as they are', async (t) => {
  const claims = Buffer.from(JSON.stringify({ scope: HOSTILE })).toString('base64url')
  const { fetch } = answering(() =>
    Response.json({ access_token: `a.${claims}.c`, expires_in: 300, token_type: 'Bearer' }),
  )
  const args = ['token', '--token-url', ENDPOINT, '--client-id', 'billing', '--json']
  const { code, out } = await run(args, { env, fetch })
  t.equal(code, 0)
  t.ok(isPlain(out))
  t.match(JSON.parse(out).scope, '\u001b[31mred')
})

t.test('the endpoint by its domain', async (t) => {
  const { fetch, asked } = answering(granted)
  for (const domain of ['https://shop.example.com', 'https://shop.example.com/']) {
    const args = ['token', '--domain', domain, '--client-id', 'billing']
    t.strictSame(await run(args, { env, fetch }), { code: 0, out: 'a.b.c\n', err: '' })
  }
  t.strictSame(
    asked.map(({ url }) => url),
    ['https://shop.example.com/oauth2/token', 'https://shop.example.com/oauth2/token'],
  )
})

t.test('the endpoint by the issuer: its document is asked, and that is said', async (t) => {
  const { issuer } = await pool(t)
  const args = ['token', '--issuer', issuer, '--client-id', 'billing']
  const { code, out, err } = await run(args, { env, fetch: globalThis.fetch })
  t.equal(code, 0)
  t.equal(decode(out, 1)['iss'], issuer)
  const url = `${issuer}/.well-known/openid-configuration`
  t.equal(err, `cognito-m2m: asking ${url} for the token endpoint\n`)
})

const POOL = 'eu-west-1_AbCdEfGhI'
const ORIGINAL = `https://cognito-idp.eu-west-1.amazonaws.com/${POOL}`
const UPDATED = `https://issuer-cognito-idp.eu-west-1.amazonaws.com/${POOL}`

t.test(
  'the endpoint by the pool: the other form of its issuer where the first is not its own',
  async (t) => {
    const args = ['token', '--pool', POOL, '--client-id', 'billing']
    const document = (issuer: string) => Response.json({ issuer, token_endpoint: ENDPOINT })
    const first = answering((url) => (url === ENDPOINT ? granted() : document(ORIGINAL)))
    t.match(await run(args, { env, fetch: first.fetch }), { code: 0, out: 'a.b.c\n' })
    const path = '/.well-known/openid-configuration'
    t.strictSame(
      first.asked.map(({ url }) => url),
      [`${ORIGINAL}${path}`, ENDPOINT],
    )
    for (const status of [403, 404]) {
      const second = answering((url) => {
        if (url === ENDPOINT) return granted()
        return url.startsWith(UPDATED) ? document(UPDATED) : new Response('', { status })
      })
      const { code, err } = await run(args, { env, fetch: second.fetch })
      t.equal(code, 0)
      t.equal(err.split('\n').length, 3, 'both requests are told')
      t.strictSame(
        second.asked.map(({ url }) => url),
        [`${ORIGINAL}${path}`, `${UPDATED}${path}`, ENDPOINT],
      )
    }
  },
)

t.test('a document that is none gets no secret', async (t) => {
  const args = ['token', '--issuer', ORIGINAL, '--client-id', 'billing']
  const named = (token_endpoint: unknown) => () =>
    Response.json({ issuer: ORIGINAL, token_endpoint })
  const untrusted = /names no token endpoint to trust: a pool without a domain has none/
  const wrong: readonly [() => Response, RegExp][] = [
    [named(undefined), untrusted],
    [named('http://shop.example.com/oauth2/token'), untrusted],
    [named('http://127.0.0.1:8080/oauth2/token'), untrusted],
    [named(HOSTILE), untrusted],
    [() => Response.json({ issuer: UPDATED, token_endpoint: ENDPOINT }), /is of another issuer/],
    [() => new Response('<html>'), /is of another issuer/],
    [() => Response.json(null), /is of another issuer/],
    [() => new Response('', { status: 404 }), /is not available \(status 404\): check the issuer/],
    [() => new Response('', { status: 500 }), /is not available \(status 500\)/],
    [() => new Response('', { status: 302 }), /is not available \(redirect\)/],
    [() => new Response('x'.repeat(70_000)), /is not available \(too-large\)/],
    [
      () => {
        throw new TypeError('failed', { cause: { code: 'ECONNREFUSED' } })
      },
      /is not available \(ECONNREFUSED\)/,
    ],
  ]
  for (const [answer, message] of wrong) {
    const { fetch, asked } = answering(answer)
    const { code, out, err } = await run(args, { env, fetch })
    t.strictSame([code, out, asked.length], [3, '', 1])
    const [, line = '', ...others] = err.split('\n')
    t.match(line, message)
    t.strictSame(others, [''])
    t.ok(isPlain(err))
  }
})

t.test('the secret: from the environment, another variable, or a person', async (t) => {
  const args = ['token', '--token-url', ENDPOINT, '--client-id', 'billing']
  const sent = async (more: string[], parts: Parameters<typeof run>[1]) => {
    const { fetch, asked } = answering(granted)
    const { code, err } = await run([...args, ...more], { ...parts, fetch })
    if (code !== 0) return err
    const header = new Headers(asked[0]?.init?.headers).get('authorization') ?? ''
    return Buffer.from(header.slice(6), 'base64').toString().slice('billing:'.length)
  }
  const questions: string[] = []
  const secret = async (question: string) => {
    questions.push(question)
    return 'typed'
  }
  t.equal(await sent([], { env, secret }), SECRET)
  t.equal(await sent(['--secret-env', 'MINE'], { env: { ...env, MINE: 'mine' }, secret }), 'mine')
  t.strictSame(questions, [])
  t.equal(await sent([], { secret }), 'typed')
  t.equal(await sent([], { secret, env: { COGNITO_CLIENT_SECRET: '' } }), 'typed')
  t.strictSame(questions, Array(2).fill('Secret of app client billing: '))
  t.equal(
    await sent([], {}),
    'cognito-m2m: COGNITO_CLIENT_SECRET is not set and nobody typed a secret: export it, or use --secret-env\n',
  )
  for (const empty of [{}, { MINE: '' }]) {
    t.equal(
      await sent(['--secret-env', 'MINE'], { env: { ...env, ...empty }, secret }),
      'cognito-m2m: --secret-env names "MINE", which is not set: export the secret there\n',
    )
  }
})

t.test('what Cognito refuses is told in words, with 1', async (t) => {
  const { tokenEndpoint } = await pool(t)
  const fetch = globalThis.fetch
  const refusals: readonly [string[], string, RegExp][] = [
    [
      ['--client-id', 'nobody'],
      SECRET,
      /invalid_client: the app client is unknown there, or the secret/,
    ],
    [['--client-id', 'billing'], 'wrong', /invalid_client: .*check --client-id, the secret/],
    [['--client-id', 'closed'], SECRET, /invalid_grant: .*AllowedOAuthFlowsUserPoolClient to true/],
    [['--client-id', 'other'], SECRET, /unauthorized_client: .*client_credentials its only one/],
    [['--client-id', 'billing', '--scope', 'a/b'], SECRET, /invalid_scope: .*AllowedOAuthScopes/],
  ]
  for (const [flags, secret, message] of refusals) {
    const { code, out, err } = await run(['token', '--token-url', tokenEndpoint, ...flags], {
      env: { COGNITO_CLIENT_SECRET: secret },
      fetch,
    })
    t.strictSame([code, out], [1, ''])
    t.match(err, /^cognito-m2m: no token, [^\n]+ \(status 400[^\n]*\)\n$/)
    t.match(err, message)
    t.notMatch(err, secret)
  }
})

t.test('an endpoint that fails is told with 3', async (t) => {
  const { fetch, asked } = answering(() => new Response('', { status: 503 }))
  const args = ['token', '--token-url', ENDPOINT, '--client-id', 'billing']
  const { code, out, err } = await run(args, { env, fetch })
  t.strictSame([code, out], [3, ''])
  t.equal(
    err,
    'cognito-m2m: the token endpoint at shop.auth.eu-west-1.amazoncognito.com returned an error: try again later (status 503)\n',
  )
  t.equal(asked.length, 4, 'it was tried again')
})

t.test('every way a token cannot be had', async (t) => {
  const told = (code: TokenClientErrorCode, facts = {}) => {
    const failure = toCommandFailure(new TokenClientError(code, facts), ENDPOINT)
    t.ok(failure instanceof CommandFailure)
    return failure as CommandFailure
  }
  const at = 'the token endpoint at shop.auth.eu-west-1.amazoncognito.com'
  const ways: readonly [TokenClientErrorCode, object, number, string][] = [
    [
      'ERR_TOKEN_REQUEST_STATUS',
      { status: 429, retryAfter: 1.2, requestId: 'c0ffee' },
      3,
      'Cognito was asked too often (status 429, wait 2 s, request c0ffee): its quota is 150 token requests a second for the account; reuse tokens until they expire',
    ],
    [
      'ERR_TOKEN_REQUEST_TIMEOUT',
      {},
      3,
      `${at} did not answer in time: check the address and the way out of this machine`,
    ],
    [
      'ERR_TOKEN_TIMEOUT',
      {},
      3,
      `${at} did not answer in time: check the address and the way out of this machine`,
    ],
    [
      'ERR_TOKEN_REQUEST_NETWORK',
      { errno: 'ENOTFOUND' },
      3,
      `${at} cannot be reached: check the address and the way out of this machine (ENOTFOUND)`,
    ],
    [
      'ERR_TOKEN_RESPONSE_REDIRECT',
      { status: 302 },
      3,
      `${at} leads elsewhere, where the secret is not sent: name the endpoint itself (status 302)`,
    ],
    [
      'ERR_TOKEN_RESPONSE_INVALID',
      { status: 200 },
      3,
      `${at} returned no token: check that it ends in /oauth2/token (status 200)`,
    ],
    [
      'ERR_TOKEN_RESPONSE_TOO_LARGE',
      {},
      3,
      `${at} returned no token: check that it ends in /oauth2/token`,
    ],
    [
      'ERR_TOKEN_REQUEST_REFUSED',
      { status: 404 },
      1,
      'no token, no token endpoint answers there: check that the address ends in /oauth2/token (status 404)',
    ],
    [
      'ERR_TOKEN_REQUEST_REFUSED',
      { status: 400, error: 'slow_down' },
      1,
      'no token, slow_down: it gives no other reason (status 400)',
    ],
    [
      'ERR_TOKEN_REQUEST_REFUSED',
      { error: 'unsupported_grant_type' },
      1,
      'no token, unsupported_grant_type: the endpoint takes no client credentials: check that it is the one of a Cognito user pool',
    ],
    [
      'ERR_TOKEN_REQUEST_REFUSED',
      { error: 'invalid_request' },
      1,
      'no token, invalid_request: it could not read the request: check that the endpoint is a token endpoint',
    ],
    ['ERR_CLIENT_CLOSED', {}, 130, 'interrupted'],
  ]
  for (const [code, facts, exitCode, message] of ways) {
    t.match(told(code, facts), { exitCode, message }, code)
  }
  const other = new Error('something else')
  t.equal(toCommandFailure(other, ENDPOINT), other)
})

t.test('Ctrl-C ends a request under way, without a word', async (t) => {
  for (const [when, flag] of [
    ['token', ['--token-url', ENDPOINT]],
    ['discovery', ['--issuer', ORIGINAL]],
    ['before', ['--token-url', ENDPOINT]],
  ] as const) {
    const interruption = new AbortController()
    if (when === 'before') interruption.abort()
    const fetch: typeof globalThis.fetch = async () => {
      interruption.abort()
      return new Promise(() => {})
    }
    const args = ['token', ...flag, '--client-id', 'billing']
    const { code, out, err } = await run(args, { env, fetch, signal: interruption.signal })
    t.strictSame([code, out], [130, ''])
    t.match(err, when === 'discovery' ? /^cognito-m2m: asking [^\n]+\n$/ : /^$/)
  }
})

const wrong: readonly [string, string[], RegExp][] = [
  [
    'no endpoint',
    [],
    /--token-url is missing: name the token endpoint by one of --token-url, --domain, --issuer, --pool/,
  ],
  [
    'two endpoints',
    ['--domain', 'https://a.example', '--pool', POOL],
    /--domain does not stand alone: name/,
  ],
  [
    'http',
    ['--token-url', 'http://shop.example.com/oauth2/token'],
    /--token-url: expected an https URL, got "http:.*\. Use https, or http for localhost/,
  ],
  [
    'no path',
    ['--token-url', 'https://shop.example.com'],
    /--token-url: expected a URL with a path, got .* Pass the whole URL, for example https:\/\/shop\.example\.com\/oauth2\/token\./,
  ],
  [
    "another path than Cognito's",
    ['--token-url', 'https://shop.auth.eu-west-1.amazoncognito.com/token'],
    /--token-url: expected the path \/oauth2\/token at a Cognito domain, got "\/token"\. Use https:\/\/shop\..*\/oauth2\/token\./,
  ],
  [
    'no URL',
    ['--domain', 'shop.example.com'],
    /--domain: expected an https URL, got "shop.example.com"/,
  ],
  [
    'a domain with a path',
    ['--domain', 'https://a.example/oauth2/token'],
    /--domain is .*: pass scheme and host alone, or the whole endpoint as --token-url/,
  ],
  [
    'an issuer over http',
    ['--issuer', 'http://a.example'],
    /--issuer: expected an https URL, got "http:\/\/a.example"/,
  ],
  [
    'a pool that is none',
    ['--pool', 'nowhere'],
    /--pool is "nowhere": a user pool id is .*; use --issuer for another partition/,
  ],
  [
    'a scope that is none',
    ['--token-url', ENDPOINT, '--scope', 'orders'],
    /--scope: expected a scope as "identifier\/name", got "orders"/,
  ],
  [
    'two forms of output',
    ['--token-url', ENDPOINT, '--json', '--header'],
    /--header stands beside --json: choose one of them/,
  ],
]

for (const [name, flags, message] of wrong) {
  t.test(`${name}: one line, exit 2, nothing asked`, async (t) => {
    const { code, out, err } = await run(['token', '--client-id', 'billing', ...flags], { env })
    t.strictSame([code, out], [2, ''])
    t.match(err, /^cognito-m2m: [^\n]+\n$/)
    t.match(err, message)
  })
}

t.test('no client is told by the option', async (t) => {
  const { code, err } = await run(['token', '--token-url', ENDPOINT], { env })
  t.equal(code, 2)
  t.match(err, /required option '--client-id <id>' not specified; see cognito-m2m --help/)
})

t.test('a secret on the command line is refused, and never repeated', async (t) => {
  const forms = [
    ['--client-secret', 'hunter22'],
    ['--client-secret=hunter22'],
    ['--client-secret'],
    ['--secret=hunter22'],
    ['hunter22-hunter22-hunter22-hunter22-hunter22-hunter22'],
  ]
  for (const form of forms) {
    const args = ['token', '--token-url', ENDPOINT, '--client-id', 'billing', ...form]
    const { code, out, err } = await run(args, { env })
    t.strictSame([code, out], [2, ''])
    t.notMatch(err, 'hunter22')
    if (String(form).startsWith('--client-secret')) {
      t.equal(
        err,
        'cognito-m2m: --client-secret is no option: the command line is seen by every process of this machine and kept by the shell; set COGNITO_CLIENT_SECRET, name another variable with --secret-env, or be asked\n',
      )
    }
  }
})
