/** GetClientToken of a local pool: the wire format, headers and exceptions of AWS. */
import { createRemoteJWKSet, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import {
  type LocalUserPool,
  type LocalUserPoolOptions,
  startUserPool,
} from '../../../src/testing/index.ts'
import { ask, decode } from '../../support/http.ts'

const TARGET = 'AWSCognitoIdentityProviderService.GetClientToken'
const JSON_1_1 = 'application/x-amz-json-1.1'
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const billing = { ClientId: 'billing', Secret: 'first' }

async function start(test: Test, options: LocalUserPoolOptions = {}): Promise<LocalUserPool> {
  const pool = await startUserPool({
    clients: [
      {
        clientId: 'billing',
        clientSecrets: ['first', 'second'],
        scopes: ['orders/read', 'orders/write'],
        accessTokenValidity: 900,
      },
      {
        clientId: 'api-only',
        clientSecrets: ['first'],
        flows: [],
        oauth: false,
        clientToken: true,
      },
      { clientId: 'oauth-only', clientSecrets: ['first'], clientToken: false },
      { clientId: 'web', clientSecrets: ['first'], flows: ['code'] },
      { clientId: 'public', clientSecrets: [], flows: ['code'] },
    ],
    ...options,
  })
  test.teardown(() => pool.close())
  return pool
}

function call(pool: LocalUserPool, body: unknown, headers: Record<string, string | string[]> = {}) {
  return ask(pool.port, {
    method: 'POST',
    path: '/',
    headers: { 'content-type': JSON_1_1, 'x-amz-target': TARGET, ...headers },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  })
}

t.test('a token: that of /oauth2/token, in the response of AWS', async (t) => {
  const pool = await start(t)
  t.strictSame(pool.userPoolsApi, { endpoint: `http://127.0.0.1:${pool.port}` })
  const answer = await call(pool, billing)
  t.equal(answer.status, 200)
  t.equal(answer.headers['content-type'], JSON_1_1)
  t.match(answer.headers['x-amzn-requestid'], UUID)
  t.equal(answer.headers['x-amzn-errortype'], undefined)
  t.strictSame(Object.keys(answer.json), ['ClientAuthenticationResult'])
  const { AccessToken, ...result } = answer.json['ClientAuthenticationResult'] as {
    AccessToken: string
  }
  t.strictSame(result, { ExpiresIn: 900, TokenType: 'Bearer' })
  const { payload } = await jwtVerify(AccessToken, createRemoteJWKSet(new URL(pool.jwksUri)), {
    issuer: pool.issuer,
  })
  t.match(payload, { client_id: 'billing', scope: 'orders/read orders/write', token_use: 'access' })
})

t.test('scopes, secrets and metadata', async (t) => {
  const pool = await start(t)
  const cases: readonly (readonly [object, string | undefined])[] = [
    [{ ...billing, Scopes: ['orders/write'] }, 'orders/write'],
    [{ ...billing, Scopes: ['orders/read', 'orders/read'] }, 'orders/read'],
    [{ ...billing, Scopes: null, ClientMetadata: null }, 'orders/read orders/write'],
    [{ ...billing, Secret: 'second', ClientMetadata: { a: 'b' } }, 'orders/read orders/write'],
    [{ ClientId: 'api-only', Secret: 'first', Unknown: 1 }, undefined],
  ]
  for (const [input, scope] of cases) {
    const { status, json } = await call(pool, input)
    t.equal(status, 200)
    const { AccessToken } = json['ClientAuthenticationResult'] as { AccessToken: string }
    t.equal(decode(AccessToken, 1)['scope'], scope)
  }
})

t.test('exceptions have the type in header and body, and a request id', async (t) => {
  const pool = await start(t)
  const invalid = 'InvalidParameterException'
  const cases: readonly (readonly [unknown, string, RegExp])[] = [
    [{ ...billing, Secret: 'third' }, 'NotAuthorizedException', /^Invalid client or secret$/],
    [
      { ClientId: 'public', Secret: 'first' },
      'NotAuthorizedException',
      /^Invalid client or secret$/,
    ],
    [
      { ClientId: 'nobody', Secret: 'first' },
      'ResourceNotFoundException',
      /^User pool client nobody does not exist\.$/,
    ],
    [{ ClientId: 'oauth-only', Secret: 'first' }, invalid, /^ALLOW_CLIENT_TOKEN_AUTH flow not/],
    [{ ClientId: 'web', Secret: 'first' }, invalid, /^ALLOW_CLIENT_TOKEN_AUTH flow not/],
    [{ ...billing, Scopes: ['orders/purge'] }, invalid, /^Invalid scope requested\.$/],
    [{ Secret: 'first' }, invalid, /Value at 'clientId' failed .*: Member must not be null$/],
    [{ ClientId: 'billing' }, invalid, /Value at 'secret' failed/],
    [{ ...billing, Secret: '' }, invalid, /Value at 'secret' failed/],
    [{ ...billing, Secret: 7 }, invalid, /Value at 'secret' failed/],
    [{ ...billing, Scopes: 'orders/read' }, invalid, /Value at 'scopes' failed .*: .* list$/],
    [{ ...billing, Scopes: [7] }, invalid, /Value at 'scopes' failed/],
    [{ ...billing, ClientMetadata: { a: 1 } }, invalid, /Value at 'clientMetadata' failed/],
    [{ ...billing, ClientMetadata: [] }, invalid, /Value at 'clientMetadata' failed/],
    ['{', 'SerializationException', /JSON/],
    ['[]', 'SerializationException', /JSON/],
    ['null', 'SerializationException', /JSON/],
  ]
  for (const [input, type, message] of cases) {
    const { status, headers, json } = await call(pool, input)
    t.equal(status, 400, type)
    t.match(json, { __type: type, message })
    t.equal(headers['x-amzn-errortype'], `${type}:`)
    t.match(headers['x-amzn-requestid'], UUID)
    t.equal(headers['content-type'], JSON_1_1)
  }
})

t.test('only GetClientToken in JSON 1.1 is served, by POST', async (t) => {
  const pool = await start(t)
  for (const headers of [
    { 'x-amz-target': 'AWSCognitoIdentityProviderService.InitiateAuth' },
    { 'x-amz-target': '' },
    { 'content-type': 'application/json' },
    { 'content-type': 'text/plain' },
  ]) {
    const { status, json } = await call(pool, billing, headers)
    t.match([status, json], [400, { __type: 'UnknownOperationException' }], JSON.stringify(headers))
  }
  const bare = await ask(pool.port, { method: 'POST', path: '/', body: '{}' })
  t.match(bare.json, { __type: 'UnknownOperationException' })
  for (const method of ['GET', 'PUT', 'OPTIONS']) {
    t.equal((await ask(pool.port, { method })).status, 404, method)
  }
  const sized = (length: number) => JSON.stringify({ ...billing, X: '' }).padEnd(length, ' ')
  t.equal((await call(pool, sized(16 * 1024))).status, 200)
  const over = await call(pool, sized(16 * 1024 + 1))
  t.match([over.status, over.json], [413, { __type: 'RequestEntityTooLargeException' }])
  const foreign = await call(pool, billing, { host: 'evil.example' })
  t.equal(foreign.status, 403)
})

t.test('one quota for both APIs', async (t) => {
  const pool = await start(t, { quota: 1, monotonicNow: () => 0 })
  t.equal((await call(pool, billing)).status, 200)
  const { status, headers, json } = await call(pool, billing)
  t.equal(status, 400)
  t.strictSame(json, { __type: 'TooManyRequestsException', message: 'Rate exceeded' })
  t.equal(headers['x-amzn-errortype'], 'TooManyRequestsException:')
  const form = 'grant_type=client_credentials&client_id=billing&client_secret=first'
  const oauth = await ask(pool.port, {
    method: 'POST',
    path: '/oauth2/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form,
  })
  t.equal(oauth.status, 429)
})

t.test('the log in the shape of CloudTrail has none of these requests', async (t) => {
  const pool = await start(t)
  await call(pool, billing)
  t.strictSame(pool.events(), [])
})

t.test('clientToken is validated', async (t) => {
  const of = (client: object) =>
    startUserPool({ clients: [{ clientId: 'a', ...client }] } as LocalUserPoolOptions)
  await t.rejects(of({ clientToken: 'yes' }), {
    message:
      'cognito-m2m: clients[0].clientToken: expected a boolean, got "yes". Pass true or false.',
  })
  await t.rejects(of({ clientSecrets: [], flows: ['code'], clientToken: true }), {
    message:
      'cognito-m2m: clients[0].clientToken: expected a secret for GetClientToken, got a public client. Add a secret, or pass false.',
  })
})
