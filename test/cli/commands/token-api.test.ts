/** `cognito-m2m token` over GetClientToken: `--region` and `--endpoint-url`. */
import t, { type Test } from 'tap'
import { toCommandFailure } from '../../../src/cli/commands/token.ts'
import { CommandFailure } from '../../../src/cli/exit-codes.ts'
import { startUserPool } from '../../../src/testing/index.ts'
import { TokenClientError, type TokenClientErrorCode } from '../../../src/tokens/client/index.ts'
import { decode } from '../../support/http.ts'
import { run } from '../../support/run-cli.ts'

const SECRET = 's3cret+with%odd:signs and blanks'
const env = { COGNITO_CLIENT_SECRET: SECRET }
const API = 'https://cognito-idp.eu-west-1.amazonaws.com/'

async function startPool(test: Test) {
  const pool = await startUserPool({
    clients: [
      { clientId: 'billing', clientSecrets: [SECRET], scopes: ['orders/read', 'orders/write'] },
      { clientId: 'other', clientSecrets: [SECRET], clientToken: false },
    ],
  })
  test.teardown(() => pool.close())
  return pool
}

t.test('--region calls the API of the Region, unsigned', async (t) => {
  const urls: string[] = []
  const bodies: unknown[] = []
  const fetch: typeof globalThis.fetch = async (url, init) => {
    urls.push(String(url))
    bodies.push(JSON.parse(String(init?.body)))
    const result = { AccessToken: 'a.b.c', ExpiresIn: 3600, TokenType: 'Bearer' }
    return Response.json({ ClientAuthenticationResult: result })
  }
  const args = ['token', '--region', 'eu-west-1', '--client-id', 'billing']
  const ran = await run([...args, '--scope', 'orders/read'], { env, fetch })
  t.strictSame(ran, { code: 0, out: 'a.b.c\n', err: '' })
  t.strictSame(urls, [API])
  t.strictSame(bodies, [{ ClientId: 'billing', Secret: SECRET, Scopes: ['orders/read'] }])
})

t.test('--endpoint-url calls another endpoint', async (t) => {
  const { userPoolsApi } = await startPool(t)
  const args = ['token', '--endpoint-url', userPoolsApi.endpoint, '--client-id', 'billing']
  const { fetch } = globalThis
  const { code, out, err } = await run(args, { env, fetch })
  t.strictSame([code, err], [0, ''])
  t.equal(decode(out, 1)['scope'], 'orders/read orders/write')
})

t.test('a refusal names the error, the exception and the fix', async (t) => {
  const { userPoolsApi } = await startPool(t)
  const { fetch } = globalThis
  const args = ['token', '--endpoint-url', userPoolsApi.endpoint]
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [
      ['--client-id', 'nobody'],
      /^cognito-m2m: no token \(status 400, ResourceNotFoundException, request [\da-f-]{36}\): invalid_client: the app client is unknown/,
    ],
    [
      ['--client-id', 'other'],
      /InvalidParameterException, .*: unauthorized_client: the app client lacks the flow\. Set ExplicitAuthFlows to ALLOW_CLIENT_TOKEN_AUTH only\.\n$/,
    ],
    [
      ['--client-id', 'billing', '--scope', 'orders/purge'],
      /: invalid_scope: the app client lacks one of the scopes\./,
    ],
  ]
  for (const [flags, message] of cases) {
    const { code, out, err } = await run([...args, ...flags], { env, fetch })
    t.strictSame([code, out], [1, ''])
    t.match(err, message)
    t.notMatch(err, SECRET)
  }
})

t.test('each failure of the API has its exit code and its fix', async (t) => {
  const cases: readonly (readonly [TokenClientErrorCode, object, number, RegExp])[] = [
    [
      'ERR_TOKEN_REQUEST_STATUS',
      { status: 429, exception: 'TooManyRequestsException' },
      3,
      /^the user pools API is over its quota \(status 429, TooManyRequestsException\)\. /,
    ],
    [
      'ERR_TOKEN_REQUEST_NETWORK',
      { errno: 'ENOTFOUND' },
      3,
      /^the user pools API at cognito-idp\.eu-west-1\.amazonaws\.com \(ENOTFOUND\) cannot be reached\./,
    ],
    [
      'ERR_TOKEN_RESPONSE_INVALID',
      { status: 200 },
      3,
      /returned no token\. Check --region or --endpoint-url, and a firewall in front of it\.$/,
    ],
    [
      'ERR_TOKEN_REQUEST_REFUSED',
      { status: 403 },
      1,
      /^no token \(status 403\): the address is not the user pools API\. Check --region or /,
    ],
    [
      'ERR_TOKEN_REQUEST_REFUSED',
      { status: 400, error: 'x' },
      1,
      /: x: the endpoint gives no reason\.$/,
    ],
  ]
  for (const [code, facts, exitCode, message] of cases) {
    const failure = toCommandFailure(new TokenClientError(code, facts), API, true)
    t.ok(failure instanceof CommandFailure)
    t.match(failure, { exitCode, message })
  }
})

t.test('a wrong combination has a one-line error with the fix', async (t) => {
  const url = 'https://a.example/oauth2/token'
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [
      [],
      /--token-url: expected one of --token-url, --domain, --issuer, --pool, --region, --endpoint-url, got none\./,
    ],
    [['--region', 'eu-west-1', '--token-url', url], /expected one of .*, got 2\. Pass one of them/],
    [['--region', 'eu-west-1', '--endpoint-url', 'https://a.example'], /got 2\. Pass one of them/],
    [['--region', 'moon-1'], /--region: expected a Region of AWS, got "moon-1"\. Pass for example/],
    [
      ['--endpoint-url', url],
      /--endpoint-url: expected the user pools API, got the token endpoint .*\. Pass it as --token-url\./,
    ],
    [['--endpoint-url', 'http://a.example'], /--endpoint-url: expected an https URL/],
    [
      ['--endpoint-url', 'https://a.example/x'],
      /without a path, got .* Use https:\/\/a\.example\./,
    ],
    [
      ['--token-url', 'https://cognito-idp.eu-west-1.amazonaws.com'],
      /--token-url: expected a token endpoint, got the user pools API .*\. Pass it as --endpoint-url\./,
    ],
  ]
  for (const [flags, message] of cases) {
    const { code, out, err } = await run(['token', '--client-id', 'billing', ...flags], { env })
    t.strictSame([code, out], [2, ''], flags.join(' '))
    t.match(err, message)
    t.equal(err.trimEnd().includes('\n'), false, err)
  }
})
