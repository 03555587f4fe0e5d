/** A token client with two Regions: retries, cache, store, status and log. */
import t from 'tap'
import {
  createTokenClient,
  memoryStore,
  type TokenClientOptions,
} from '../../../src/tokens/client/index.ts'
import {
  ENDPOINT,
  failureOf,
  SECRET,
  START,
  settle,
  timers,
  tokenAnswer,
} from '../../support/client.ts'

const SECONDARY = ENDPOINT.replace('eu-west-1', 'us-west-2')

function setUp(options: Partial<TokenClientOptions> = {}) {
  const requests: string[] = []
  const logged: string[] = []
  const log = (_details: object, message: string): void => void logged.push(message)
  const world = {
    wall: START,
    monotonic: 0,
    requests,
    logged,
    primary: (): Response => tokenAnswer(`primary-${requests.length}`),
    secondary: (): Response => tokenAnswer(`secondary-${requests.length}`),
    pass(milliseconds: number): void {
      world.wall += milliseconds
      world.monotonic += milliseconds
    },
  }
  const client = createTokenClient({
    tokenEndpoint: [ENDPOINT, SECONDARY],
    clientId: 'billing',
    clientSecret: SECRET,
    now: () => world.wall,
    monotonicNow: () => world.monotonic,
    logger: { info: log, warn: log, error: log },
    fetch: async (url) => {
      const region = String(url) === ENDPOINT ? 'primary' : 'secondary'
      requests.push(region)
      return world[region]()
    },
    ...options,
  })
  return { client, world }
}

const refuse = (): never => {
  throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } })
}
const fail = (): Response => new Response('{}', { status: 500 })

t.test('a call without a token gets that of the secondary Region', async (t) => {
  const { client, world } = setUp()
  t.equal(client.status().region, 'primary')
  world.primary = refuse
  const { accessToken } = await client.getToken()
  t.equal(accessToken, 'secondary-2')
  t.strictSame(world.requests, ['primary', 'secondary'])
  t.equal(client.status().region, 'secondary')
  t.strictSame(world.logged, [
    'cognito-m2m: the primary Region issues no tokens; using the secondary Region',
  ])
  t.match(client.status().scopeSets, [{ lastError: null }])
  t.equal((await client.getToken()).accessToken, accessToken, 'one token is cached')
})

t.test('the retry of a failed request moves to the secondary Region', async (t) => {
  const tick = timers(t)
  const { client, world } = setUp()
  world.primary = fail
  const token = client.getToken()
  await tick(200)
  t.equal((await token).accessToken, 'secondary-3')
  t.strictSame(world.requests, ['primary', 'primary', 'secondary'])
})

t.test('renewals go to the secondary, and a probe serves a renewal', async (t) => {
  const { client, world } = setUp()
  await client.getToken({ scopes: 'a/b' })
  world.primary = refuse
  world.pass(2_700_000)
  t.equal((await client.getToken({ scopes: 'a/b' })).accessToken, 'primary-1', 'still cached')
  await settle()
  t.equal((await client.getToken({ scopes: 'a/b' })).accessToken, 'secondary-3')
  world.primary = () => tokenAnswer(`primary-${world.requests.length}`)
  world.pass(23_999)
  t.equal((await client.getToken({ scopes: 'a/c' })).accessToken, 'secondary-4')
  world.pass(12_001)
  t.equal((await client.getToken({ scopes: 'a/d' })).accessToken, 'primary-5')
  t.equal(client.status().region, 'primary')
  t.equal(world.requests.length, 5, 'no request only for the probe')
})

t.test('rejections and throttling stay in the Region', async (t) => {
  const answers: readonly (readonly [Response, object])[] = [
    [Response.json({ error: 'invalid_scope' }, { status: 400 }), { error: 'invalid_scope' }],
    [Response.json({ error: 'invalid_client' }, { status: 401 }), { error: 'invalid_client' }],
  ]
  for (const [answer, expected] of answers) {
    const { client, world } = setUp()
    world.primary = () => answer.clone()
    t.match(await failureOf(client.getToken()), { code: 'ERR_TOKEN_REQUEST_REFUSED', ...expected })
    t.strictSame(world.requests, ['primary'])
  }
  const tick = timers(t)
  const { client, world } = setUp()
  world.primary = () => new Response('{}', { status: 429 })
  const failure = failureOf(client.getToken())
  for (let step = 0; step < 4; step += 1) await tick(1000)
  t.match(await failure, { code: 'ERR_TOKEN_REQUEST_STATUS', status: 429 })
  t.strictSame(world.requests, ['primary', 'primary', 'primary', 'primary'])
})

t.test('a caller gets an error only after both Regions failed', async (t) => {
  const tick = timers(t)
  const { client, world } = setUp()
  const inactive = () => Response.json({ error: 'OperationNotEnabledException' }, { status: 400 })
  world.primary = inactive
  world.secondary = inactive
  const failure = failureOf(client.getToken())
  for (let step = 0; step < 4; step += 1) await tick(1000)
  t.match(await failure, {
    code: 'ERR_TOKEN_REQUEST_STATUS',
    status: 503,
    exception: 'OperationNotEnabledException',
  })
  t.equal(client.status().region, 'secondary')
})

t.test('clients of one store share the tokens of both Regions', async (t) => {
  const store = memoryStore()
  t.teardown(() => store.close())
  const first = setUp({ store })
  first.world.primary = refuse
  const { accessToken } = await first.client.getToken()
  const second = setUp({ store })
  t.equal((await second.client.getToken()).accessToken, accessToken)
  t.strictSame(second.world.requests, [])
  const other = setUp({ store, tokenEndpoint: ENDPOINT })
  t.not((await other.client.getToken()).accessToken, accessToken, 'not with one Region')
})

t.test('GetClientToken in two Regions', async (t) => {
  const urls: string[] = []
  const client = createTokenClient({
    userPoolsApi: [{ region: 'eu-west-1' }, { region: 'us-west-2' }],
    clientId: 'billing',
    clientSecret: SECRET,
    fetch: async (url) => {
      urls.push(String(url))
      if (urls.length === 1) return refuse()
      return Response.json({
        ClientAuthenticationResult: { AccessToken: 'a', ExpiresIn: 300, TokenType: 'Bearer' },
      })
    },
  })
  t.equal((await client.getToken()).accessToken, 'a')
  t.strictSame(urls, [
    'https://cognito-idp.eu-west-1.amazonaws.com/',
    'https://cognito-idp.us-west-2.amazonaws.com/',
  ])
})

t.test('insecureHttp warns of both Regions', async (t) => {
  const origins: unknown[] = []
  const log = (details: object): void => {
    origins.push((details as { readonly origins?: unknown }).origins)
  }
  createTokenClient({
    tokenEndpoint: ['http://a.example/oauth2/token', 'http://b.example/oauth2/token'],
    clientId: 'billing',
    clientSecret: SECRET,
    insecureHttp: true,
    logger: { info: log, warn: log, error: log },
  })
  t.strictSame(origins, [['http://a.example', 'http://b.example']])
})
