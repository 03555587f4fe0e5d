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

/** Creates a transport with a fixed response that records its requests. */
function createTransport(answer: (url: string) => Response) {
  const requests: { url: string; init: RequestInit | undefined }[] = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    requests.push({ url: String(input), init })
    return answer(String(input))
  }
  return { fetch, requests }
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
  const { fetch, requests } = createTransport(granted)
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
    requests.map(({ url }) => url),
    [ENDPOINT],
  )
  const [{ init }] = requests as [(typeof requests)[number]]
  const basic = Buffer.from(`billing:${SECRET}`).toString('base64')
  t.equal(new Headers(init?.headers).get('authorization'), `Basic ${basic}`)
  t.equal(String(init?.body), 'grant_type=client_credentials&scope=orders%2Fread')
})

t.test('--json in the words of RFC 6749, and --header', async (t) => {
  const { fetch } = createTransport(granted)
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
  const { fetch } = createTransport(() =>
    Response.json({ access_token: `a.${claims}.c`, expires_in: 300, token_type: 'Bearer' }),
  )
  const args = ['token', '--token-url', ENDPOINT, '--client-id', 'billing', '--json']
  const { code, out } = await run(args, { env, fetch })
  t.equal(code, 0)
  t.ok(isPlain(out))
  t.match(JSON.parse(out).scope, '\u001b[31mred')
})

t.test('the endpoint by its domain', async (t) => {
  const { fetch, requests } = createTransport(granted)
  for (const domain of ['https://shop.example.com', 'https://shop.example.com/']) {
    const args = ['token', '--domain', domain, '--client-id', 'billing']
    t.strictSame(await run(args, { env, fetch }), { code: 0, out: 'a.b.c\n', err: '' })
  }
  t.strictSame(
    requests.map(({ url }) => url),
    ['https://shop.example.com/oauth2/token', 'https://shop.example.com/oauth2/token'],
  )
})

t.test(
  'the endpoint of an issuer: its discovery document is requested, and the request is logged',
  async (t) => {
    const { issuer } = await pool(t)
    const args = ['token', '--issuer', issuer, '--client-id', 'billing']
    const { code, out, err } = await run(args, { env, fetch: globalThis.fetch })
    t.equal(code, 0)
    t.equal(decode(out, 1)['iss'], issuer)
    const url = `${issuer}/.well-known/openid-configuration`
    t.equal(err, `cognito-m2m: requesting the token endpoint from ${url}\n`)
  },
)

const POOL = 'eu-west-1_AbCdEfGhI'
const ORIGINAL = `https://cognito-idp.eu-west-1.amazonaws.com/${POOL}`
const UPDATED = `https://issuer-cognito-idp.eu-west-1.amazonaws.com/${POOL}`

t.test(
  'the endpoint by the pool: the other form of its issuer where the first is not its own',
  async (t) => {
    const args = ['token', '--pool', POOL, '--client-id', 'billing']
    const document = (issuer: string) => Response.json({ issuer, token_endpoint: ENDPOINT })
    const first = createTransport((url) => (url === ENDPOINT ? granted() : document(ORIGINAL)))
    t.match(await run(args, { env, fetch: first.fetch }), { code: 0, out: 'a.b.c\n' })
    const path = '/.well-known/openid-configuration'
    t.strictSame(
      first.requests.map(({ url }) => url),
      [`${ORIGINAL}${path}`, ENDPOINT],
    )
    for (const status of [403, 404]) {
      const second = createTransport((url) => {
        if (url === ENDPOINT) return granted()
        return url.startsWith(UPDATED) ? document(UPDATED) : new Response('', { status })
      })
      const { code, err } = await run(args, { env, fetch: second.fetch })
      t.equal(code, 0)
      t.equal(err.split('\n').length, 3, 'both requests are logged')
      t.strictSame(
        second.requests.map(({ url }) => url),
        [`${ORIGINAL}${path}`, `${UPDATED}${path}`, ENDPOINT],
      )
    }
  },
)

t.test('an invalid discovery document does not get the secret', async (t) => {
  const args = ['token', '--issuer', ORIGINAL, '--client-id', 'billing']
  const named = (token_endpoint: unknown) => () =>
    Response.json({ issuer: ORIGINAL, token_endpoint })
  const untrusted =
    /: the discovery document has no secure token endpoint\. Add a domain to the pool, or pass --token-url\.$/
  const wrong: readonly [() => Response, RegExp][] = [
    [named(undefined), untrusted],
    [named('http://shop.example.com/oauth2/token'), untrusted],
    [named('http://127.0.0.1:8080/oauth2/token'), untrusted],
    [named(HOSTILE), untrusted],
    [
      () => Response.json({ issuer: UPDATED, token_endpoint: ENDPOINT }),
      /: the discovery document has another issuer\. Check the issuer\.$/,
    ],
    [
      () => new Response('<html>'),
      /: the discovery document has another issuer\. Check the issuer\.$/,
    ],
    [
      () => Response.json(null),
      /: the discovery document has another issuer\. Check the issuer\.$/,
    ],
    [
      () => new Response('', { status: 404 }),
      /: the discovery document is not available \(status 404\)\. Check the issuer, or pass --token-url\.$/,
    ],
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
    const { fetch, requests } = createTransport(answer)
    const { code, out, err } = await run(args, { env, fetch })
    t.strictSame([code, out, requests.length], [3, '', 1])
    const [, line = '', ...others] = err.split('\n')
    t.match(line, message)
    t.strictSame(others, [''])
    t.ok(isPlain(err))
  }
})

t.test('the secret comes from the environment, another variable, or a prompt', async (t) => {
  const args = ['token', '--token-url', ENDPOINT, '--client-id', 'billing']
  const sent = async (more: string[], parts: Parameters<typeof run>[1]) => {
    const { fetch, requests } = createTransport(granted)
    const { code, err } = await run([...args, ...more], { ...parts, fetch })
    if (code !== 0) return err
    const header = new Headers(requests[0]?.init?.headers).get('authorization') ?? ''
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
    'cognito-m2m: COGNITO_CLIENT_SECRET: expected a secret, got none. Export the variable, or use --secret-env.\n',
  )
  for (const empty of [{}, { MINE: '' }]) {
    t.equal(
      await sent(['--secret-env', 'MINE'], { env: { ...env, ...empty }, secret }),
      'cognito-m2m: --secret-env: expected a variable that is set, got "MINE". Export the secret in it.\n',
    )
  }
})

t.test('a rejection by Cognito is explained, with exit code 1', async (t) => {
  const { tokenEndpoint } = await pool(t)
  const fetch = globalThis.fetch
  const refusals: readonly [string[], string, RegExp][] = [
    [
      ['--client-id', 'nobody'],
      SECRET,
      /: invalid_client: the app client is unknown, or the secret is wrong\. Check --client-id, the secret, and the user pool of the endpoint\.$/m,
    ],
    [
      ['--client-id', 'billing'],
      'hunter22',
      /: invalid_client: .* Check --client-id, the secret, and the user pool of the endpoint\.$/m,
    ],
    [
      ['--client-id', 'closed'],
      SECRET,
      /: invalid_grant: OAuth is disabled on the app client\. Set AllowedOAuthFlowsUserPoolClient to true, and allow client_credentials\.$/m,
    ],
    [
      ['--client-id', 'other'],
      SECRET,
      /: unauthorized_client: the app client lacks the flow\. Set AllowedOAuthFlows to client_credentials only\.$/m,
    ],
    [
      ['--client-id', 'billing', '--scope', 'a/b'],
      SECRET,
      /: invalid_scope: the app client lacks one of the scopes\. Define it on a resource server and grant it in AllowedOAuthScopes, or change --scope\.$/m,
    ],
  ]
  for (const [flags, secret, message] of refusals) {
    const { code, out, err } = await run(['token', '--token-url', tokenEndpoint, ...flags], {
      env: { COGNITO_CLIENT_SECRET: secret },
      fetch,
    })
    t.strictSame([code, out], [1, ''])
    t.match(err, /^cognito-m2m: no token \(status 400, request [\w-]+\): [^\n]+\n$/)
    t.match(err, message)
    t.notMatch(err, secret)
  }
})

t.test('a failing endpoint is reported, with exit code 3', async (t) => {
  const { fetch, requests } = createTransport(() => new Response('', { status: 503 }))
  const args = ['token', '--token-url', ENDPOINT, '--client-id', 'billing']
  const { code, out, err } = await run(args, { env, fetch })
  t.strictSame([code, out], [3, ''])
  t.equal(
    err,
    'cognito-m2m: the token endpoint at shop.auth.eu-west-1.amazoncognito.com (status 503) returned an error. Try again later.\n',
  )
  t.equal(requests.length, 4, 'it was tried again')
})

t.test('every failure of a token request', async (t) => {
  const convert = (code: TokenClientErrorCode, facts = {}) => {
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
      'the token endpoint is over its quota (status 429, wait 2 s, request c0ffee). Cognito allows 150 token requests per second for an account. Reuse tokens until they expire.',
    ],
    [
      'ERR_TOKEN_REQUEST_TIMEOUT',
      {},
      3,
      `${at} did not respond in time. Check the address and the network.`,
    ],
    [
      'ERR_TOKEN_TIMEOUT',
      {},
      3,
      `${at} did not respond in time. Check the address and the network.`,
    ],
    [
      'ERR_TOKEN_REQUEST_NETWORK',
      { errno: 'ENOTFOUND' },
      3,
      `${at} (ENOTFOUND) cannot be reached. Check the address and the network.`,
    ],
    [
      'ERR_TOKEN_RESPONSE_REDIRECT',
      { status: 302 },
      3,
      `${at} (status 302) returned a redirect, which the command does not follow with a secret. Pass the final address.`,
    ],
    [
      'ERR_TOKEN_RESPONSE_INVALID',
      { status: 200 },
      3,
      `${at} (status 200) returned no token. Check that the address ends in /oauth2/token.`,
    ],
    [
      'ERR_TOKEN_RESPONSE_TOO_LARGE',
      {},
      3,
      `${at} returned no token. Check that the address ends in /oauth2/token.`,
    ],
    [
      'ERR_TOKEN_REQUEST_REFUSED',
      { status: 404 },
      1,
      'no token (status 404): the address is not a token endpoint. Check that it ends in /oauth2/token.',
    ],
    [
      'ERR_TOKEN_REQUEST_REFUSED',
      { status: 400, error: 'slow_down' },
      1,
      'no token (status 400): slow_down: the endpoint gives no reason.',
    ],
    [
      'ERR_TOKEN_REQUEST_REFUSED',
      { error: 'unsupported_grant_type' },
      1,
      'no token: unsupported_grant_type: the endpoint does not support client credentials. Check that it belongs to a Cognito user pool.',
    ],
    [
      'ERR_TOKEN_REQUEST_REFUSED',
      { error: 'invalid_request' },
      1,
      'no token: invalid_request: the endpoint could not process the request. Check its address, and the pre-token-generation trigger of the pool.',
    ],
    ['ERR_CLIENT_CLOSED', {}, 130, 'interrupted'],
  ]
  for (const [code, facts, exitCode, message] of ways) {
    t.match(convert(code, facts), { exitCode, message }, code)
  }
  const other = new Error('something else')
  t.equal(toCommandFailure(other, ENDPOINT), other)
})

t.test('Ctrl-C aborts a request without a message', async (t) => {
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
    t.match(
      err,
      when === 'discovery'
        ? /^cognito-m2m: requesting the token endpoint from https:\/\/[^\n]+\n$/
        : /^$/,
    )
  }
})

const wrong: readonly [string, string[], RegExp][] = [
  [
    'no endpoint',
    [],
    /: --token-url: expected one of --token-url, --domain, --issuer, --pool, --region, --endpoint-url, got none\. Pass one of them\.$/m,
  ],
  [
    'two endpoints',
    ['--domain', 'https://a.example', '--pool', POOL],
    /: --domain: expected one of --token-url, --domain, --issuer, --pool, --region, --endpoint-url, got 2\. Pass one of them\.$/m,
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
    /: --domain: expected a URL without a path, got "https:\/\/a\.example\/oauth2\/token"\. Remove the path, or pass the endpoint as --token-url\.$/m,
  ],
  [
    'an issuer over http',
    ['--issuer', 'http://a.example'],
    /--issuer: expected an https URL, got "http:\/\/a.example"/,
  ],
  [
    'a pool that is none',
    ['--pool', 'nowhere'],
    /: --pool: expected "<region>_<letters and digits>", for example "eu-west-1_AbCdEfGhI", got "nowhere"\. Copy the user pool id from the Cognito console, or set --issuer\.$/m,
  ],
  [
    'a scope that is none',
    ['--token-url', ENDPOINT, '--scope', 'orders'],
    /--scope: expected a scope as "identifier\/name", got "orders"/,
  ],
  [
    'two forms of output',
    ['--token-url', ENDPOINT, '--json', '--header'],
    /: --header: expected --header or --json, got both\. Pass one of them\.$/m,
  ],
]

for (const [name, flags, message] of wrong) {
  t.test(`${name}: one line, exit 2, no request`, async (t) => {
    const { code, out, err } = await run(['token', '--client-id', 'billing', ...flags], { env })
    t.strictSame([code, out], [2, ''])
    t.match(err, /^cognito-m2m: [^\n]+\n$/)
    t.match(err, message)
  })
}

t.test('a missing client id names its option', async (t) => {
  const { code, err } = await run(['token', '--token-url', ENDPOINT], { env })
  t.equal(code, 2)
  t.match(err, /required option '--client-id <id>' not specified\. Run cognito-m2m --help\.$/m)
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
        'cognito-m2m: --client-secret: expected no secret on the command line, which other processes and the shell history can read, got one. Set COGNITO_CLIENT_SECRET, set another variable with --secret-env, or type it at the prompt.\n',
      )
    }
  }
})
