/** The proxy over GetClientToken: callers of `/oauth2/token` notice no difference. */
import t from 'tap'
import { ask } from '../../support/http.ts'
import {
  CLIENT,
  createRequest,
  READ,
  type ReceivedRequest,
  reply,
  SECRET,
  startPool,
  startProxy,
  startUpstream,
  type TokenRequestOptions,
  until,
  WRITE,
} from '../../support/proxy.ts'

const JSON_1_1 = 'application/x-amz-json-1.1'
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

const issue = (count: number, expiresIn = 3600) => ({
  ClientAuthenticationResult: {
    AccessToken: `token-${count}`,
    ExpiresIn: expiresIn,
    TokenType: 'Bearer',
  },
})

const bodyOf = (request: ReceivedRequest | undefined) =>
  JSON.parse(request?.body ?? '{}') as Record<string, unknown>

t.test('one unsigned request, written from the parsed members', async (t) => {
  const { requests, origin } = await startUpstream(t, (response, _request, count) =>
    reply(response, 200, issue(count), { 'x-amzn-requestid': 'id-1' }),
  )
  const { send } = await startProxy(t, {
    userPoolsApi: { endpoint: origin },
    headers: { 'x-waf': 'firewall-secret' },
  })
  const answer = await send({
    scope: `${WRITE} ${READ}`,
    metadata: '{"tenant":"a"}',
    headers: { 'x-tracking': 'inbound', 'user-agent': 'inbound' },
  })
  t.equal(answer.status, 200)
  t.strictSame(answer.json, { access_token: 'token-1', expires_in: 3600, token_type: 'Bearer' })
  t.equal(answer.headers['x-amz-cognito-request-id'], 'id-1')
  t.equal(answer.headers['cache-control'], 'no-store')
  const [request] = requests
  t.strictSame(bodyOf(request), {
    ClientId: CLIENT,
    Secret: SECRET,
    Scopes: [READ, WRITE],
    ClientMetadata: { tenant: 'a' },
  })
  t.match(request?.headers, {
    'content-type': JSON_1_1,
    'x-amz-target': 'AWSCognitoIdentityProviderService.GetClientToken',
    'x-waf': 'firewall-secret',
    authorization: undefined,
  })
  t.notMatch(JSON.stringify(request), 'inbound')
})

t.test('a cached token is served, by both methods of authentication', async (t) => {
  const { requests, origin } = await startUpstream(t, (response, _request, count) =>
    reply(response, 200, issue(count)),
  )
  const { send } = await startProxy(t, { userPoolsApi: { endpoint: origin } })
  const secret = 'abc+def'
  for (const method of ['basic', 'post', 'basic'] as const) {
    t.equal((await send({ secret, method })).json['access_token'], 'token-1')
  }
  t.equal(requests.length, 1)
  await send({ secret, metadata: '{"tenant":"a"}' })
  await send({ secret, scope: '' })
  t.equal(requests.length, 3)
  t.notOk('Scopes' in bodyOf(requests[2]), 'an empty list: all scopes')
})

t.test(
  'a form-encoded secret in a header is decoded, as no secret contains a percent sign',
  async (t) => {
    const { requests, origin } = await startUpstream(t, (response, _request, count) =>
      reply(response, 200, issue(count)),
    )
    const { send } = await startProxy(t, { userPoolsApi: { endpoint: origin } })
    const body = 'grant_type=client_credentials'
    const cases: readonly (readonly [string, string, string])[] = [
      ['billing:a%2Bb', 'billing', 'a+b'],
      ['bill%2Bing:a%2Bb', 'bill+ing', 'a+b'],
      ['billing:a+b', 'billing', 'a+b'],
      ['billing:100%', 'billing', '100%'],
    ]
    for (const [credentials, clientId, secret] of cases) {
      await send({ body, headers: { authorization: basic(credentials) } })
      t.match(bodyOf(requests.at(-1)), { ClientId: clientId, Secret: secret }, credentials)
    }
    await send({ secret: 'a%2Bb' })
    t.equal(bodyOf(requests.at(-1))['Secret'], 'a%2Bb', 'unchanged from a form')
  },
)

t.test('metadata that GetClientToken cannot carry is rejected without a request', async (t) => {
  const { requests, origin } = await startUpstream(t, (response) => reply(response, 500, {}))
  const { send } = await startProxy(t, { userPoolsApi: { endpoint: origin } })
  for (const metadata of ['{', '[]', 'null', '{"a":1}']) {
    const answer = await send({ metadata })
    t.equal(answer.status, 400)
    t.strictSame(answer.json, { error: 'invalid_request' })
  }
  t.equal(requests.length, 0)
})

t.test('the proxy returns every refusal of the pool as /oauth2/token does', async (t) => {
  const pool = await startPool(t)
  const { send } = await startProxy(t, { userPoolsApi: pool.userPoolsApi })
  const requests: readonly TokenRequestOptions[] = [
    { secret: 'x' },
    { clientId: 'nobody' },
    { scope: 'orders/unknown' },
    { metadata: '[]' },
    { method: 'basic', secret: 'x' },
    { scope: READ },
    { metadata: '{"a":"b"}' },
  ]
  for (const options of requests) {
    const direct = await ask(pool.port, createRequest(options))
    const through = await send(options)
    t.equal(through.status, direct.status, JSON.stringify(options))
    if (direct.status !== 200) t.same(through.json, direct.json)
    else t.strictSame(Object.keys(through.json).sort(), Object.keys(direct.json).sort())
    t.match(through.headers['x-amz-cognito-request-id'] ?? '', /^([\da-f-]{36})?$/)
  }
})

t.test('temporary exceptions are failures, and a firewall is one of the request', async (t) => {
  const cases = [
    ['TooManyRequestsException', 400, 429, { code: 'ERR_UPSTREAM_STATUS', status: 429 }],
    ['InternalErrorException', 500, 503, { code: 'ERR_UPSTREAM_STATUS', status: 500 }],
    ['OperationNotEnabledException', 400, 503, { code: 'ERR_UPSTREAM_STATUS', status: 503 }],
    ['ForbiddenException', 400, 403, { code: 'ERR_UPSTREAM_STATUS', status: 403 }],
  ] as const
  for (const [name, status, expected, lastError] of cases) {
    const { requests, origin } = await startUpstream(t, (response) =>
      reply(response, status, { __type: name, message: 'x' }, { 'x-amzn-errortype': `${name}:` }),
    )
    const { app, send } = await startProxy(t, { userPoolsApi: { endpoint: origin } })
    const answer = await send()
    t.equal(answer.status, expected, name)
    t.ok(answer.headers['retry-after'], name)
    t.match(app.tokenProxy.status().endpoint.lastError, lastError, name)
    await send()
    t.equal(requests.length, 1, 'not repeated during the backoff')
  }
})

t.test('a wrong secret drops the tokens of a rotated client', async (t) => {
  let isRotated = false
  const { requests, origin } = await startUpstream(t, (response, _request, count) => {
    if (isRotated) reply(response, 400, { __type: 'NotAuthorizedException', message: 'x' })
    else reply(response, 200, issue(count))
  })
  const { send } = await startProxy(t, { userPoolsApi: { endpoint: origin } })
  t.equal((await send()).status, 200)
  isRotated = true
  t.match((await send({ scope: READ })).json, { error: 'invalid_client' })
  await until(() => requests.length === 2)
  t.match((await send()).json, { error: 'invalid_client' }, 'the cached token is gone')
})

t.test('x-amz-target cannot be configured', async (t) => {
  await t.rejects(
    startProxy(t, {
      userPoolsApi: { region: 'eu-west-1' },
      headers: { 'X-Amz-Target': 'x' },
    }),
    { message: /: headers\.X-Amz-Target: expected .*, got a reserved or repeated name/ },
  )
  for (const [options, message] of [
    [{}, /: tokenEndpoint: expected tokenEndpoint or userPoolsApi, got undefined\. Pass https:/],
    [
      { tokenEndpoint: 'https://a.example/oauth2/token', userPoolsApi: { region: 'eu-west-1' } },
      /: userPoolsApi: expected tokenEndpoint or userPoolsApi, got both\./,
    ],
  ] as const) {
    await t.rejects(startProxy(t, options), { code: 'ERR_OPTION_INVALID', message })
  }
})
