/** Failover between the Regions of a user pool: what causes it, what never does, and how the primary is restored. */
import t, { type Test } from 'tap'
import type { BoundedFetchError } from '../../../src/core/util/bounded-fetch.ts'
import { createRegionalApis, createTokenSender } from '../../../src/tokens/oauth/failover.ts'
import {
  createTokenEndpointApi,
  type OAuthResponse,
  type TokenRegion,
} from '../../../src/tokens/oauth/protocol.ts'
import { createUserPoolsApi } from '../../../src/tokens/oauth/user-pools-api.ts'
import { settle, timers } from '../../support/client.ts'

const PRIMARY = 'https://a.auth.eu-west-1.amazoncognito.com/oauth2/token'
const SECONDARY = 'https://a.auth.us-west-2.amazoncognito.com/oauth2/token'

const parameters = {
  credentials: { clientId: 'billing', secret: 's3cret' },
  authMethod: 'client_secret_basic',
  scopes: undefined,
  metadata: undefined,
} as const

const token = (region: string): Response =>
  Response.json({ access_token: `token of ${region}`, expires_in: 3600, token_type: 'Bearer' })
const status =
  (code: number, headers: Record<string, string> = {}, body = '{}') =>
  () =>
    new Response(body, { status: code, headers })
const networkError = (code?: string) => () => {
  throw Object.assign(new TypeError('fetch failed'), { cause: { code } })
}
/** No response until the request is aborted. */
const hang = (_region: TokenRegion, signal: AbortSignal): Promise<Response> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })

type Answer = (region: TokenRegion, signal: AbortSignal) => Response | Promise<Response>

function setUp({
  random = (): number => 0.5,
  timeoutMs = 5000,
  apis = createRegionalApis(createTokenEndpointApi(PRIMARY), createTokenEndpointApi(SECONDARY)),
} = {}) {
  const requests: TokenRegion[] = []
  const logged: (readonly [object, string])[] = []
  const log = (details: object, message: string): void => void logged.push([details, message])
  const world = {
    time: 0,
    /** Requests in flight, and the most at once. */
    inFlight: 0,
    peak: 0,
    answers: { primary: token as Answer, secondary: token as Answer },
  }
  const failover = createTokenSender(apis, {
    timeoutMs,
    monotonicNow: () => world.time,
    random,
    logger: { info: log, warn: log, error: log },
  })
  const fetch: typeof globalThis.fetch = async (url, init) => {
    const region = String(url) === apis.primary.url ? 'primary' : 'secondary'
    requests.push(region)
    world.inFlight += 1
    world.peak = Math.max(world.peak, world.inFlight)
    try {
      return await world.answers[region](region, init?.signal as AbortSignal)
    } finally {
      world.inFlight -= 1
    }
  }
  const limits = { fetch, timeoutMs, maxBytes: 1000 }
  const send = async (): Promise<OAuthResponse | BoundedFetchError | undefined> => {
    try {
      return await failover.send(parameters, limits)
    } catch (error) {
      return error as BoundedFetchError
    }
  }
  return {
    world,
    failover,
    logged,
    send,
    limits,
    /** Sends one request. @returns The Regions that it went to, and the Region that issued the token. */
    async trace(): Promise<string> {
      const before = requests.length
      const result = await send()
      const [, issuer] = /token of (\w+)/.exec(String((result as OAuthResponse)?.body)) ?? []
      return `${requests.slice(before).join(' ')}: ${issuer ?? 'no token'}`
    },
  }
}

const regions = (url: string) =>
  createRegionalApis(
    createUserPoolsApi(`${url}1.amazonaws.com/`),
    createUserPoolsApi(`${url}2.amazonaws.com/`),
  )
const exception = (name: string, code = 400) =>
  status(code, { 'x-amzn-errortype': name }, JSON.stringify({ __type: name }))

const failures: Readonly<Record<string, Answer>> = {
  'status 500': status(500),
  'status 503': status(503, {}, '<html>'),
  'status 503 with a short Retry-After': status(503, { 'retry-after': '4' }),
  'a status of 5xx that is too large': status(502, {}, 'x'.repeat(2000)),
  'a connection that is reset': networkError('ECONNRESET'),
  'an error without a code': networkError(),
  'OperationNotEnabledException as an error': status(
    400,
    {},
    '{"error":"OperationNotEnabledException"}',
  ),
}

for (const [name, answer] of Object.entries(failures)) {
  t.test(`${name}: the second in a row moves to the secondary`, async (t) => {
    const { world, failover, logged, trace } = setUp()
    world.answers.primary = answer
    t.equal(await trace(), 'primary: no token')
    t.equal(failover.region, 'primary')
    world.time += 5000
    t.equal(await trace(), 'primary secondary: secondary', 'the same request')
    t.equal(failover.region, 'secondary')
    t.equal(await trace(), 'secondary: secondary', 'sticky')
    t.strictSame(
      logged.map(([, message]) => message),
      ['cognito-m2m: the primary Region issues no tokens; using the secondary Region'],
    )
  })

  t.test(`${name}: so it does for a caller with one request a minute`, async (t) => {
    const { world, trace } = setUp()
    world.answers.primary = answer
    t.equal(await trace(), 'primary: no token')
    world.time += 60_000
    t.equal(await trace(), 'primary secondary: secondary')
  })

  t.test(`${name}: failures with a token in between have no effect`, async (t) => {
    const { world, trace } = setUp()
    for (let count = 0; count < 5; count += 1) {
      world.answers.primary = answer
      t.equal(await trace(), 'primary: no token')
      world.answers.primary = token
      t.equal(await trace(), 'primary: primary')
    }
  })
}

t.test('exceptions of GetClientToken count too', async (t) => {
  for (const [name, code] of [
    ['InternalErrorException', 500],
    ['OperationNotEnabledException', 400],
  ] as const) {
    const { world, trace } = setUp({ apis: regions('https://cognito-idp.eu-west-') })
    world.answers.primary = exception(name, code)
    world.answers.secondary = (region) =>
      Response.json({
        ClientAuthenticationResult: {
          AccessToken: `token of ${region}`,
          ExpiresIn: 3600,
          TokenType: 'Bearer',
        },
      })
    t.equal(await trace(), 'primary: no token', name)
    t.equal(await trace(), 'primary secondary: secondary', name)
  }
})

t.test('where no connection can be made, one failure is enough', async (t) => {
  const codes = ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN']
  for (const code of [...codes, 'ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT']) {
    const { world, logged, trace } = setUp()
    world.answers.primary = networkError(code)
    t.equal(await trace(), 'primary secondary: secondary', code)
    t.match(logged, [[{ reason: 'network', errno: code }, /using the secondary Region$/]])
  }
})

t.test('so it is where the Region asks to wait 5 s', async (t) => {
  const { world, logged, trace } = setUp()
  world.answers.primary = status(503, { 'retry-after': '5' })
  t.equal(await trace(), 'primary secondary: secondary')
  t.match(logged, [[{ reason: 'status', status: 503 }, /using the secondary Region$/]])
})

const harmless: Readonly<Record<string, Answer>> = {
  invalid_client: status(400, {}, '{"error":"invalid_client"}'),
  'invalid_client with 401': status(401, {}, '{"error":"invalid_client"}'),
  invalid_scope: status(400, {}, '{"error":"invalid_scope"}'),
  'status 429': status(429, { 'retry-after': '30' }, '{"error":"TooManyRequestsException"}'),
  'status 408': status(408),
  'a page of a firewall': status(403, {}, '<html>'),
  'a redirect': status(302, { location: '/' }),
  'a 200 without a token': status(200),
  'a 200 with an empty token': status(200, {}, '{"access_token":""}'),
  'a page with 200': status(200, {}, '<html>'),
  'a response that is too large': status(200, {}, 'x'.repeat(2000)),
}

for (const [name, answer] of Object.entries(harmless)) {
  t.test(`${name} never causes failover`, async (t) => {
    const { world, failover, logged, trace } = setUp()
    world.answers.primary = answer
    for (let count = 0; count < 10; count += 1) t.equal(await trace(), 'primary: no token')
    t.equal(failover.region, 'primary')
    t.strictSame(logged, [])
  })

  t.test(`${name} does not end a row of failures`, async (t) => {
    const { world, trace } = setUp()
    world.answers.primary = status(500)
    t.equal(await trace(), 'primary: no token')
    world.answers.primary = answer
    t.equal(await trace(), 'primary: no token')
    world.answers.primary = status(500)
    t.equal(await trace(), 'primary secondary: secondary')
  })

  t.test(`${name} does not restore the primary: the secondary serves the caller`, async (t) => {
    const { world, failover, trace } = await failOver()
    world.answers.primary = answer
    world.time += 30_000
    t.equal(await trace(), 'primary secondary: secondary')
    t.equal(failover.region, 'secondary')
    world.time += 29_999
    t.equal(await trace(), 'secondary: secondary', 'the next probe is 30 s later')
    world.time += 1
    world.answers.primary = token
    t.equal(await trace(), 'primary: primary')
  })
}

t.test('neither does a canceled request', async (t) => {
  const { world, failover, limits } = setUp()
  world.answers.primary = networkError('ECONNREFUSED')
  const signal = AbortSignal.abort()
  for (let count = 0; count < 3; count += 1) {
    await t.rejects(failover.send(parameters, { ...limits, signal }), /aborted/)
  }
  t.equal(failover.region, 'primary')
})

async function failOver(random?: () => number) {
  const it = setUp(random === undefined ? {} : { random })
  it.world.answers.primary = networkError('ECONNREFUSED')
  await it.trace()
  return it
}

t.test('the primary is probed every 30 s, plus or minus 20 %', async (t) => {
  for (const [random, seconds] of [
    [0, 24],
    [0.5, 30],
    [1, 36],
  ] as const) {
    const { world, trace } = await failOver(() => random)
    for (let count = 0; count < 3; count += 1) {
      world.time += seconds * 1000 - 1
      t.equal(await trace(), 'secondary: secondary')
      world.time += 1
      t.equal(await trace(), 'primary secondary: secondary', 'the secondary serves the caller')
      t.equal(await trace(), 'secondary: secondary')
    }
  }
})

t.test('a probe serves its caller, and restores the primary', async (t) => {
  const { world, failover, logged, trace } = await failOver()
  world.answers.primary = token
  world.time += 29_999
  t.equal(await trace(), 'secondary: secondary')
  world.time += 1
  t.equal(await trace(), 'primary: primary', 'one request, one token')
  t.equal(failover.region, 'primary')
  t.equal(await trace(), 'primary: primary')
  t.strictSame(logged[1], [{}, 'cognito-m2m: the primary Region issues tokens again'])
  world.answers.primary = status(500)
  t.equal(await trace(), 'primary: no token', 'failures from before do not count')
})

t.test('a request that both Regions reject gets the rejection', async (t) => {
  const { world, send } = await failOver()
  world.answers.primary = harmless['invalid_scope'] as Answer
  world.answers.secondary = harmless['invalid_client'] as Answer
  world.time += 30_000
  t.match(await send(), { status: 400, body: /invalid_client/ })
})

t.test('a canceled probe is not repeated', async (t) => {
  const { world, failover, limits, trace } = await failOver()
  world.time += 30_000
  const signal = AbortSignal.abort()
  await t.rejects(failover.send(parameters, { ...limits, signal }), /aborted/)
  t.equal(await trace(), 'secondary: secondary')
})

t.test('one request probes; those meanwhile go to the secondary', async (t) => {
  const { world, trace } = await failOver()
  let answer = (): void => {}
  world.answers.primary = () => new Promise((resolve) => (answer = () => resolve(token('primary'))))
  world.time += 30_000
  const probe = trace()
  await settle()
  t.match(await trace(), /^secondary: secondary/)
  answer()
  t.match(await probe, /: primary$/)
  world.answers.primary = token
  t.equal(await trace(), 'primary: primary')
})

t.test('requests in flight at the failover are served by the secondary', async (t) => {
  const { world, failover, logged, send } = setUp()
  const answers: ((response: Response) => void)[] = []
  world.answers.primary = () => new Promise((resolve) => answers.push(resolve))
  const results = [send(), send(), send(), send()]
  await settle()
  for (const answer of answers.slice(0, 3)) answer(new Response('', { status: 500 }))
  for (const result of await Promise.all(results.slice(0, 3))) {
    t.match(String((result as OAuthResponse).body), 'token of secondary')
  }
  answers[3]?.(token('primary'))
  t.match(String(((await results[3]) as OAuthResponse).body), 'token of primary')
  t.equal(failover.region, 'secondary', 'only a probe restores the primary')
  t.equal(logged.length, 1)
})

t.test('while the secondary fails too, each request probes the primary', async (t) => {
  const { world, failover, logged, trace } = await failOver()
  world.answers.secondary = networkError('ECONNREFUSED')
  t.equal(await trace(), 'secondary primary: no token')
  for (let count = 0; count < 3; count += 1) {
    t.equal(await trace(), 'secondary primary: no token')
    t.equal(failover.region, 'secondary')
  }
  t.equal(logged.length, 1, 'one line')
  world.answers.primary = token
  t.match(await trace(), /primary: primary$/)
  t.equal(failover.region, 'primary')
})

t.test('one failure of the secondary has no effect, two probe the primary', async (t) => {
  const { world, trace } = await failOver()
  world.answers.secondary = status(500)
  world.answers.primary = token
  t.equal(await trace(), 'secondary: no token')
  world.time += 20_000
  t.equal(await trace(), 'secondary primary: primary', 'whatever the time between them')
})

t.test('the limit of the body applies to each Region', async (t) => {
  const { world, send } = await failOver()
  world.answers.secondary = status(200, {}, 'x'.repeat(1001))
  t.match(await send(), { reason: 'too-large', status: 200, bytes: 1001 })
})

t.test('a request goes to one Region at a time', async (t) => {
  const { world, trace } = setUp()
  for (const answer of [...Object.values(failures), ...Object.values(harmless)]) {
    world.answers.primary = answer
    for (let count = 0; count < 5; count += 1) {
      await trace()
      world.time += 10_000
    }
  }
  t.equal(world.peak, 1)
})

type FailoverSetUp = Pick<ReturnType<typeof setUp>, 'world' | 'send'>

/** Sends a request that times out after exactly this time. */
async function assertTimeout(
  t: Test,
  { world, send }: FailoverSetUp,
  tick: (milliseconds: number) => Promise<void>,
  milliseconds: number,
): Promise<void> {
  const result = send()
  world.time += milliseconds
  await tick(milliseconds - 1)
  t.equal(world.inFlight, 1)
  await tick(1)
  t.match(await result, { reason: 'timeout' })
}

t.test('a primary that hangs gets 1.75 s, the secondary the time that is left', async (t) => {
  const tick = timers(t)
  const it = setUp()
  const { world, logged, send, trace } = it
  world.answers.primary = hang
  await assertTimeout(t, it, tick, 1750)
  world.answers.secondary = hang
  const second = send()
  world.time += 1750
  await tick(1750)
  t.equal(logged.length, 1)
  t.equal(world.inFlight, 1)
  world.time += 3250
  await tick(3249)
  t.equal(world.inFlight, 1)
  await tick(1)
  t.match(await second, { reason: 'timeout' })
  world.answers.secondary = token
  t.equal(await trace(), 'secondary: secondary')
})

t.test('within a short limit, the primary gets half', async (t) => {
  const tick = timers(t)
  const it = setUp({ timeoutMs: 1000 })
  it.world.answers.primary = hang
  await assertTimeout(t, it, tick, 500)
})

t.test('a secondary that hangs gets all the time once, then half of it', async (t) => {
  const tick = timers(t)
  const it = await failOver()
  const { world, trace } = it
  world.answers.secondary = hang
  world.answers.primary = token
  await assertTimeout(t, it, tick, 5000)
  const second = trace()
  world.time += 1750
  await tick(1750)
  t.equal(await second, 'secondary primary: primary')
})

t.test('a secondary that was slow once and works again gets all the time', async (t) => {
  const tick = timers(t)
  const it = await failOver()
  const { world, trace } = it
  world.answers.secondary = hang
  await assertTimeout(t, it, tick, 5000)
  world.answers.secondary = token
  t.equal(await trace(), 'secondary: secondary')
  world.answers.secondary = hang
  await assertTimeout(t, it, tick, 5000)
})

t.test('a probe that hangs ends after 1.75 s, and another request may probe', async (t) => {
  const tick = timers(t)
  const { world, send, trace } = await failOver()
  world.answers.secondary = networkError('ECONNREFUSED')
  world.answers.primary = hang
  const probe = send()
  await tick(1749)
  t.equal(await trace(), 'secondary: no token', 'one probe at a time')
  await tick(1)
  t.match(await probe, { reason: 'timeout' })
  world.answers.primary = token
  t.equal(await trace(), 'secondary primary: primary')
})

t.test('a timeout with less than half of the usual time is no failure of a Region', async (t) => {
  const tick = timers(t)
  const { world, failover, limits, trace } = setUp()
  world.answers.primary = hang
  const timeOut = async (timeoutMs: number): Promise<void> => {
    const result = failover.send(parameters, { ...limits, timeoutMs }).catch((error) => error)
    await tick(timeoutMs)
    t.match(await result, { reason: 'timeout' })
  }
  for (let count = 0; count < 5; count += 1) await timeOut(1749)
  t.equal(failover.region, 'primary')
  await timeOut(1750)
  world.answers.primary = status(500)
  t.equal(await trace(), 'primary secondary: secondary', 'half of the usual time is enough')
})

t.test('without a clock, requests are sent and the primary is probed', async (t) => {
  const { world, trace } = setUp()
  world.time = Number.NaN
  world.answers.primary = status(500)
  t.equal(await trace(), 'primary: no token')
  t.equal(await trace(), 'primary secondary: secondary')
  world.answers.primary = token
  t.equal(await trace(), 'primary: primary')
})

t.test('one Region: its results are returned unchanged, with the whole time', async (t) => {
  const tick = timers(t)
  const apis = createRegionalApis(createTokenEndpointApi(PRIMARY))
  t.match(apis, { url: PRIMARY, urls: [PRIMARY], secondary: undefined })
  const it = setUp({ apis })
  const { world, failover, logged, trace } = it
  t.equal(await trace(), 'primary: primary')
  world.answers.primary = networkError('ECONNREFUSED')
  for (let count = 0; count < 3; count += 1) t.equal(await trace(), 'primary: no token')
  world.answers.primary = hang
  await assertTimeout(t, it, tick, 5000)
  t.equal(failover.region, 'primary')
  t.strictSame(logged, [])
})

t.test('parameters that the API cannot express are not sent', async (t) => {
  const { failover, limits } = setUp({ apis: regions('https://cognito-idp.eu-west-') })
  t.equal(await failover.send({ ...parameters, metadata: '[]' }, limits), undefined)
})

t.test('probes are spread at random by default', async (t) => {
  const apis = createRegionalApis(
    createTokenEndpointApi(PRIMARY),
    createTokenEndpointApi(SECONDARY),
  )
  t.equal(apis.url, `${PRIMARY} ${SECONDARY}`)
  let time = 0
  const log = (): void => {}
  const failover = createTokenSender(apis, {
    timeoutMs: 5000,
    monotonicNow: () => time,
    logger: { info: log, warn: log, error: log },
  })
  let isDown = true
  const fetch: typeof globalThis.fetch = async (url) => {
    if (isDown && String(url) === PRIMARY) return networkError('ECONNREFUSED')()
    return token('any')
  }
  const limits = { fetch, timeoutMs: 5000, maxBytes: 1000 }
  await failover.send(parameters, limits)
  isDown = false
  time = 23_999
  await failover.send(parameters, limits)
  t.equal(failover.region, 'secondary')
  time = 36_000
  await failover.send(parameters, limits)
  t.equal(failover.region, 'primary')
})
