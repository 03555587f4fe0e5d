/** A token client over GetClientToken: cache, retries, rotation and errors are those of `/oauth2/token`. */
import t from 'tap'
import {
  createTokenClient,
  memoryStore,
  OptionError,
  type TokenClientError,
  type TokenClientOptions,
} from '../../../src/tokens/client/index.ts'
import { failureOf, SECRET, START, settle, timers } from '../../support/client.ts'

const REQUEST_ID = 'c0ffee00-0000-4000-8000-000000000001'

interface ApiRequest {
  readonly url: string
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

type Reply = (request: ApiRequest) => Response

const issue = (accessToken: string, expiresIn: unknown = 3600): Response =>
  Response.json({
    ClientAuthenticationResult: {
      AccessToken: accessToken,
      ExpiresIn: expiresIn,
      TokenType: 'Bearer',
    },
  })

const except = (name: string, status = 400, message = 'x'): Response =>
  Response.json(
    { __type: name, message },
    { status, headers: { 'x-amzn-requestid': REQUEST_ID, 'x-amzn-errortype': `${name}:` } },
  )

function setUp(options: Partial<TokenClientOptions> = {}) {
  const requests: ApiRequest[] = []
  const world = {
    wall: START,
    monotonic: 0,
    requests,
    reply: (() => issue(`token-${requests.length}`)) as Reply,
    pass(milliseconds: number): void {
      world.wall += milliseconds
      world.monotonic += milliseconds
    },
  }
  const client = createTokenClient({
    userPoolsApi: { region: 'eu-west-1' },
    clientId: 'billing',
    clientSecret: SECRET,
    now: () => world.wall,
    monotonicNow: () => world.monotonic,
    fetch: async (url, init) => {
      const body = JSON.parse(String(init?.body)) as ApiRequest['body']
      const request = { url: String(url), headers: new Headers(init?.headers), body }
      requests.push(request)
      return world.reply(request)
    },
    ...options,
  })
  return { client, world }
}

t.test('one unsigned request, with the scopes and the secret unchanged', async (t) => {
  const { client, world } = setUp()
  const token = await client.getToken({ scopes: ['orders/write', 'orders/read'] })
  t.match(token, {
    accessToken: 'token-1',
    expiresAt: START / 1000 + 3600,
    scopes: ['orders/read', 'orders/write'],
  })
  t.equal(await client.getToken({ scopes: ['orders/read', 'orders/write'] }), token)
  const [{ url, headers, body }] = world.requests as [ApiRequest]
  t.equal(world.requests.length, 1)
  t.equal(url, 'https://cognito-idp.eu-west-1.amazonaws.com/')
  t.equal(headers.get('x-amz-target'), 'AWSCognitoIdentityProviderService.GetClientToken')
  t.equal(headers.get('content-type'), 'application/x-amz-json-1.1')
  t.equal(headers.has('authorization'), false)
  t.strictSame(body, {
    ClientId: 'billing',
    Secret: SECRET,
    Scopes: ['orders/read', 'orders/write'],
  })
})

t.test('the token is renewed in the background at 75 % of its lifetime', async (t) => {
  const { client, world } = setUp()
  await client.getToken()
  world.pass(2_699_000)
  t.equal((await client.getToken()).accessToken, 'token-1')
  t.equal(world.requests.length, 1)
  world.pass(1000)
  t.equal((await client.getToken()).accessToken, 'token-1')
  await settle()
  t.equal((await client.getToken()).accessToken, 'token-2')
})

t.test('final errors have the code, the error, the exception and the request id', async (t) => {
  const cases: readonly (readonly [Response, Partial<TokenClientError>])[] = [
    [
      except('NotAuthorizedException', 400, 'Invalid client or secret'),
      { code: 'ERR_TOKEN_REQUEST_REFUSED', error: 'invalid_client', status: 400 },
    ],
    [
      except('InvalidParameterException', 400, 'Invalid scope requested.'),
      { code: 'ERR_TOKEN_REQUEST_REFUSED', error: 'invalid_scope', status: 400 },
    ],
    [
      except('UserLambdaValidationException'),
      { code: 'ERR_TOKEN_REQUEST_REFUSED', error: 'invalid_request', status: 400 },
    ],
    [
      except('ForbiddenException'),
      { code: 'ERR_TOKEN_REQUEST_REFUSED', error: undefined, status: 403 },
    ],
    [issue('a b'), { code: 'ERR_TOKEN_RESPONSE_INVALID', status: 200 }],
    [Response.json({}), { code: 'ERR_TOKEN_RESPONSE_INVALID', status: 200 }],
    [new Response('<html>', { status: 403 }), { code: 'ERR_TOKEN_REQUEST_REFUSED', status: 403 }],
  ]
  for (const [response, expected] of cases) {
    const { client, world } = setUp()
    const exception = response.headers.get('x-amzn-errortype')?.slice(0, -1)
    world.reply = () => response
    const error = await failureOf(client.getToken())
    const requestId = exception === undefined ? undefined : REQUEST_ID
    t.match(error, { ...expected, exception, requestId })
    t.notMatch(JSON.stringify(error) + error.message, SECRET)
    t.equal(world.requests.length, 1)
  }
})

t.test('an exception with the name of the secret is not repeated', async (t) => {
  const { client, world } = setUp({ clientSecret: 'Secret' })
  world.reply = () => except('SecretException')
  t.equal((await failureOf(client.getToken())).exception, undefined)
})

t.test('throttling, internal errors and an inactive replica are retried', async (t) => {
  const tick = timers(t)
  const temporary = [
    ['TooManyRequestsException', 400, 429],
    ['InternalErrorException', 500, 500],
    ['OperationNotEnabledException', 400, 503],
  ] as const
  for (const [name, status, reported] of temporary) {
    const { client, world } = setUp()
    world.reply = () => (world.requests.length < 3 ? except(name, status) : issue('good'))
    const token = client.getToken()
    for (let step = 0; step < 3; step += 1) await tick(1000)
    t.equal((await token).accessToken, 'good', name)
    t.equal(world.requests.length, 3, name)

    const failing = setUp()
    failing.world.reply = () => except(name, status)
    const failure = failureOf(failing.client.getToken())
    for (let step = 0; step < 6; step += 1) await tick(1000)
    t.match(await failure, {
      code: 'ERR_TOKEN_REQUEST_STATUS',
      status: reported,
      exception: name,
      requestId: REQUEST_ID,
    })
    t.equal(failing.world.requests.length, 4, name)
  }
})

t.test('a rotated secret is loaded again after NotAuthorizedException', async (t) => {
  for (const name of ['NotAuthorizedException', 'ResourceNotFoundException']) {
    let secret = 'old'
    const { client, world } = setUp({ clientSecret: () => secret })
    await client.getToken()
    secret = 'new'
    world.reply = ({ body }) => (body['Secret'] === 'new' ? issue('renewed') : except(name))
    world.pass(3_600_000)
    t.equal((await client.getToken()).accessToken, 'renewed', name)
    t.strictSame(
      world.requests.map(({ body }) => body['Secret']),
      ['old', 'old', 'new'],
    )
  }
  const { client, world } = setUp({ clientSecret: () => 'same' })
  world.reply = () => except('InvalidParameterException', 400, 'ALLOW_CLIENT_TOKEN_AUTH')
  t.match(await failureOf(client.getToken()), { error: 'unauthorized_client' })
  t.equal(world.requests.length, 1, 'a missing flow is no rotation')
})

t.test('two clients share tokens of one API, not of two', async (t) => {
  const store = memoryStore({ now: () => START, monotonicNow: () => 0 })
  const first = setUp({ store })
  const second = setUp({ store })
  const token = await first.client.getToken()
  t.equal((await second.client.getToken()).accessToken, token.accessToken)
  t.equal(second.world.requests.length, 0)
  const other = setUp({ store, userPoolsApi: { region: 'eu-west-2' } })
  await other.client.getToken()
  t.equal(other.world.requests.length, 1)
})

t.test('authMethod does not apply', async (t) => {
  const error = t.throws(() => setUp({ authMethod: 'client_secret_post' })) as OptionError
  t.ok(error instanceof OptionError)
  t.equal(
    error.message,
    'cognito-m2m: authMethod: expected no authMethod with userPoolsApi, got "client_secret_post". Remove it: GetClientToken has one place for the secret.',
  )
})
