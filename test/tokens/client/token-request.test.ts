/** The token request to Cognito, and its response. */
import t from 'tap'
import {
  ENDPOINT,
  failureOf,
  refusal,
  SECRET,
  START,
  settle,
  setUpClient,
  tokenAnswer,
} from '../../support/client.ts'

const claims = (payload: object): string =>
  `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`

t.test('client_secret_basic sends the credentials in the header only', async (t) => {
  const { client, world } = setUpClient()
  await client.getToken({ scopes: ['orders/write', 'orders/read', 'orders/write'] })
  const [request] = world.requests
  t.strictSame(Object.fromEntries(request?.form ?? []), {
    grant_type: 'client_credentials',
    scope: 'orders/read orders/write',
  })
  const encoded = Buffer.from(`billing:${SECRET}`).toString('base64')
  t.equal(request?.headers.get('authorization'), `Basic ${encoded}`)
  t.match(request?.headers.get('content-type'), /^application\/x-www-form-urlencoded/)
  t.equal(request?.headers.get('accept'), 'application/json')
})

t.test('client_secret_post sends the credentials in the form only', async (t) => {
  const { client, world } = setUpClient({ authMethod: 'client_secret_post' })
  await client.getToken()
  const [request] = world.requests
  t.strictSame(Object.fromEntries(request?.form ?? []), {
    grant_type: 'client_credentials',
    client_id: 'billing',
    client_secret: SECRET,
  })
  t.equal(request?.headers.has('authorization'), false)
})

t.test('the request uses the URL unchanged, and no redirect is followed', async (t) => {
  const seen: unknown[] = []
  const { client } = setUpClient({
    fetch: async (url, init) => {
      seen.push(url, init?.method, init?.redirect)
      return tokenAnswer('a')
    },
  })
  await client.getToken()
  t.strictSame(seen, [ENDPOINT, 'POST', 'manual'])
})

t.test('expires_in counts, within the lifetimes that Cognito can issue', async (t) => {
  const lives: readonly (readonly [unknown, number])[] = [
    [3600, 3600],
    ['3600', 3600],
    [1, 1],
    [86_400, 86_400],
    [86_401, 86_400],
    [Number.MAX_VALUE, 86_400],
  ]
  for (const [expiresIn, life] of lives) {
    const { client, world } = setUpClient()
    world.answer = () => tokenAnswer('a', expiresIn)
    t.equal((await client.getToken()).expiresAt, START / 1000 + life, String(expiresIn))
  }
  const { client, world } = setUpClient()
  world.answer = () => Response.json({ access_token: 'a', token_type: 'Bearer' })
  t.equal((await client.getToken()).expiresAt, START / 1000 + 300, "not told: Cognito's shortest")
})

t.test('responses without a usable token', async (t) => {
  const answers: Record<string, () => Response> = {
    'dead when it comes': () => tokenAnswer('a', 0),
    'shorter than a second': () => tokenAnswer('a', 0.9),
    'negative life': () => tokenAnswer('a', -3600),
    'life that is no number': () => tokenAnswer('a', 'soon'),
    'life that is null': () => tokenAnswer('a', null),
    'no token': () => Response.json({ expires_in: 3600, token_type: 'Bearer' }),
    'an empty token': () => tokenAnswer(''),
    'a token that breaks a header': () => tokenAnswer('a\r\nx: y'),
    'another kind of token': () =>
      Response.json({ access_token: 'a', expires_in: 3600, token_type: 'DPoP' }),
    'no kind of token': () => Response.json({ access_token: 'a', expires_in: 3600 }),
    'not JSON': () => new Response('<html>'),
    'not an object': () => Response.json(['a']),
    empty: () => new Response(''),
    'another status': () => new Response(null, { status: 204 }),
    'not modified': () => new Response(null, { status: 304 }),
  }
  for (const [name, answer] of Object.entries(answers)) {
    const { client, world } = setUpClient()
    world.answer = answer
    const error = await failureOf(client.getToken())
    t.equal(error.code, 'ERR_TOKEN_RESPONSE_INVALID', name)
    t.equal(error.error, undefined, name)
    t.equal(world.requests.length, 1, `${name}: not asked again`)
  }
})

t.test('scopes are those of the token, else of the response, else of the request', async (t) => {
  const { client, world } = setUpClient()
  const scopesOf = async (answer: () => Response, scopes?: string): Promise<unknown> => {
    world.answer = answer
    world.pass(4_000_000)
    return (await client.getToken(scopes === undefined ? {} : { scopes })).scopes
  }
  const token = claims({ scope: 'orders/write  orders/read' })
  t.strictSame(await scopesOf(() => tokenAnswer(token), 'a/b'), ['orders/read', 'orders/write'])
  const answered = { access_token: 'opaque', token_type: 'Bearer', scope: 'b/c a/b' }
  t.strictSame(await scopesOf(() => Response.json(answered)), ['a/b', 'b/c'])
  t.strictSame(await scopesOf(() => tokenAnswer(claims({ scope: 7 })), 'a/b'), ['a/b'])
  t.strictSame(await scopesOf(() => tokenAnswer('opaque')), [])
})

t.test("rejections have Cognito's error and request id, and are not retried", async (t) => {
  const cases: readonly (readonly [string, () => Response, object])[] = [
    ['400', () => refusal('invalid_scope'), { error: 'invalid_scope', status: 400 }],
    ['401', () => refusal('invalid_client', 401), { error: 'invalid_client', status: 401 }],
    [
      '401 with a challenge',
      () => {
        const answer = refusal('invalid_client', 401)
        answer.headers.set('www-authenticate', 'Basic realm="cognito"')
        return answer
      },
      { error: 'invalid_client', status: 401 },
    ],
    ['a page of a firewall', () => new Response('<html>', { status: 403 }), { status: 403 }],
    ['an error that is none', () => refusal('Client <b>x</b>'), { error: undefined, status: 400 }],
    ['404', () => Response.json({}, { status: 404 }), { error: undefined, status: 404 }],
  ]
  for (const [name, answer, expected] of cases) {
    const { client, world } = setUpClient()
    world.answer = answer
    const error = await failureOf(client.getToken())
    t.equal(error.code, 'ERR_TOKEN_REQUEST_REFUSED', name)
    t.match(error, expected, name)
    t.equal(world.requests.length, 1, name)
  }
  const { client, world } = setUpClient()
  world.answer = () => refusal('invalid_scope')
  const error = await failureOf(client.getToken())
  t.equal(error.requestId, 'c0ffee00-0000-4000-8000-000000000001')
  t.equal(error.message, 'The token endpoint rejected the token request: invalid_scope')
  t.equal(error.name, 'TokenClientError')
  t.equal(error.stack, undefined)
})

t.test('a secret that the endpoint repeats is in no error and no log', async (t) => {
  const secret = 'abcdefghijklmnop'
  const headers = { 'x-amz-cognito-request-id': secret }
  const answers = [
    () => Response.json({ error: secret, error_description: secret }, { status: 400, headers }),
    () => Response.json({ error: `is_${secret}` }, { status: 400, headers }),
    () => new Response(secret, { status: 200, headers }),
    () => new Response(secret, { status: 403, headers }),
    () => {
      throw Object.assign(new TypeError(secret), { cause: { code: secret, message: secret } })
    },
  ]
  for (const answer of answers) {
    const { client, world } = setUpClient({ clientSecret: secret })
    world.answer = answer
    const pending = failureOf(client.getToken())
    await settle()
    client.close()
    const error = await pending
    const shown = JSON.stringify([
      error,
      error.message,
      error.cause,
      world.logged,
      Object.getOwnPropertyNames(error).map((name) => Reflect.get(error, name)),
    ])
    t.notOk(shown.includes(secret))
  }
})
