/** `client.fetch`: origins, redirects, and the renewal of a rejected token. */
import t, { type Test } from 'tap'
import { startUserPool } from '../../../src/testing/index.ts'
import { createTokenClient, type TokenClientOptions } from '../../../src/tokens/client/index.ts'
import { codeOf, failureOf, serve, setUpClient, tokenAnswer, until } from '../../support/client.ts'

const INVALID = { 'www-authenticate': 'Bearer realm="api", error="invalid_token"' }

interface ApiRequest {
  readonly method: string
  readonly url: string
  readonly authorization: string | undefined
  readonly type: string | undefined
  readonly body: string
}

type Answer = (request: ApiRequest, count: number) => readonly [number, Record<string, string>?]

/** An API with scripted responses, a client on injected clocks, and the requests that the API received. */
async function startApi(t: Test, answer: Answer, options: Partial<TokenClientOptions> = {}) {
  const requests: ApiRequest[] = []
  const origin = await serve(t, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', url = '', headers } = request
    const it: ApiRequest = {
      method,
      url,
      authorization: headers.authorization,
      type: headers['content-type'],
      body: Buffer.concat(chunks).toString(),
    }
    requests.push(it)
    const [status, fields] = answer(it, requests.length)
    response.writeHead(status, fields).end(`answer ${requests.length}`)
  })
  let issued = 0
  const transport: typeof fetch = async (url, init) => {
    if (!String(url).includes('/oauth2/token')) return fetch(url, init)
    issued += 1
    return Response.json({
      access_token: `token-${issued}`,
      expires_in: 3600,
      token_type: 'Bearer',
    })
  }
  const { client, world } = setUpClient({ origins: [origin], fetch: transport, ...options })
  return { origin, client, world, requests, issued: () => issued }
}

t.test('adds the token and passes all other options on', async (t) => {
  const { origin, client, requests } = await startApi(t, () => [201, { 'x-answer': 'yes' }])
  const response = await client.fetch(`${origin}/orders?x=1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  t.equal(response.status, 201)
  t.equal(response.headers.get('x-answer'), 'yes')
  t.equal(await response.text(), 'answer 1')
  t.strictSame(requests, [
    {
      method: 'POST',
      url: '/orders?x=1',
      authorization: 'Bearer token-1',
      type: 'application/json',
      body: '{}',
    },
  ])
  t.equal((await client.fetch(new URL('/b', origin), {}, { scopes: 'a/b' })).status, 201)
  t.equal(requests[1]?.authorization, 'Bearer token-2', 'of the scopes that were named')
})

t.test('a Request is sent with all its members, and again after 401', async (t) => {
  const { origin, client, requests } = await startApi(t, (_request, count) =>
    count === 1 ? [401, INVALID] : [200],
  )
  const headers = { 'content-type': 'application/json' }
  const post = new Request(`${origin}/orders`, { method: 'POST', headers, body: '{"a":1}' })
  t.equal((await client.fetch(post)).status, 200)
  const sent = { method: 'POST', url: '/orders', type: 'application/json', body: '{"a":1}' }
  t.strictSame(requests, [
    { ...sent, authorization: 'Bearer token-1' },
    { ...sent, authorization: 'Bearer token-2' },
  ])
  const put = new Request(`${origin}/orders`, { method: 'POST', headers, body: 'x' })
  await client.fetch(put, { method: 'PUT', body: 'y' })
  t.match(requests[2], { method: 'PUT', body: 'y' })
  await client.fetch(new Request(`${origin}/orders`))
  t.match(requests[3], { method: 'GET', body: '' })
  const controller = new AbortController()
  const aborted = new Request(origin, { signal: controller.signal })
  controller.abort()
  t.match(await failureOf(client.fetch(aborted)), { name: 'AbortError' })
  t.equal(await codeOf(client.fetch(new Request('https://other.example'))), 'ERR_FETCH_ORIGIN')
  const withHeader = new Request(origin, { headers: { authorization: 'Basic a' } })
  t.equal(await codeOf(client.fetch(withHeader)), 'ERR_FETCH_AUTHORIZATION')
  const library: typeof globalThis.fetch = client.fetch
  t.equal((await library(`${origin}/b`)).status, 200, 'it is a fetch function')
})

t.test('a token is sent to the configured origins only', async (t) => {
  const { origin, client, requests, issued } = await startApi(t, () => [200])
  const elsewhere = await serve(t, () => t.fail('nothing may arrive here'))
  const others = [
    elsewhere,
    origin.replace('http:', 'https:'),
    origin.replace('127.0.0.1', 'localhost'),
    origin.replace(/:\d+$/, ''),
    `http://127.0.0.1:1@${new URL(elsewhere).host}`,
    'https://api.example.com',
    'data:text/plain,x',
    'blob:nodedata:1',
  ]
  for (const url of others) {
    const code = await codeOf(client.fetch(url))
    t.ok(code === 'ERR_FETCH_ORIGIN' || code === 'ERR_OPTION_INVALID', url)
  }
  t.equal(issued(), 0, 'no token is asked for either')
  t.equal(requests.length, 0)
})

t.test('a blob: URL with the origin of the API never receives a token', async (t) => {
  const sent: string[] = []
  const { client, world } = setUpClient({
    origins: ['https://api.example.com', 'http://localhost:3000'],
    fetch: async (url) => {
      sent.push(String(url))
      return tokenAnswer('token-1')
    },
  })
  const blob = 'blob:https://api.example.com/0b9a5a4e-0000-4000-8000-000000000001'
  t.equal(new URL(blob).origin, 'https://api.example.com')
  for (const url of [
    ...[blob, new URL(blob), `BLOB:${blob.slice(5)}`, ` ${blob}`, 'blob:http://localhost:3000/x'],
    ...['blob:https://api.example.com', 'filesystem:https://api.example.com/temporary/x'],
    ...['blob:blob:https://api.example.com/x', 'view-source:https://api.example.com/x'],
  ]) {
    t.equal(await codeOf(client.fetch(url)), 'ERR_FETCH_ORIGIN', String(url))
  }
  const request = Object.assign(new Request('https://api.example.com/x'), {})
  Object.defineProperty(request, 'url', { value: blob })
  t.equal(await codeOf(client.fetch(request)), 'ERR_FETCH_ORIGIN')
  t.match(await failureOf(client.fetch({ url: blob } as never)), { code: 'ERR_OPTION_INVALID' })
  t.equal(sent.length + world.requests.length, 0, 'no token is asked for either')
})

t.test('a redirect to a blob: URL of the same origin is rejected', async (t) => {
  for (const scheme of ['blob:', 'BLOB:', 'blob:blob:', 'filesystem:']) {
    const location = (url: string) => `${scheme}${new URL(url).origin}/0b9a5a4e`
    const sent: string[] = []
    const { client } = setUpClient({
      origins: ['https://api.example.com', 'http://localhost:3000'],
      fetch: async (url) => {
        if (String(url).endsWith('/oauth2/token')) return tokenAnswer('token-1')
        sent.push(String(url))
        const headers = { location: location(String(url)) }
        return new Response(null, { status: 302, headers })
      },
    })
    for (const url of ['https://api.example.com/a', 'http://localhost:3000/a']) {
      t.equal(await codeOf(client.fetch(url)), 'ERR_FETCH_REDIRECT')
    }
    t.strictSame(sent, ['https://api.example.com/a', 'http://localhost:3000/a'])
  }
})

t.test('without origins or with an invalid URL, nothing is sent', async (t) => {
  const { client } = setUpClient()
  const missing = await failureOf(client.fetch('https://api.example.com/'))
  t.match(missing, {
    code: 'ERR_OPTION_INVALID',
    option: 'origins',
    problem: /expected an array of origins, got undefined/,
  })
  const { origin, client: other } = await startApi(t, () => [200])
  for (const [url, shown] of [
    ['/orders', 'an invalid URL'],
    ['', 'an invalid URL'],
    [`${origin.replace('//', '//user:hunter2@')}/`, 'credentials'],
  ] as const) {
    const error = await failureOf(other.fetch(url))
    const problem = `expected an absolute URL without credentials, got ${shown}. Change the URL.`
    t.match(error, { code: 'ERR_OPTION_INVALID', option: 'url', problem })
    t.notOk(error.message.includes('hunter2'))
  }
})

t.test('a call with an Authorization header is rejected', async (t) => {
  const { origin, client, requests, issued } = await startApi(t, () => [200])
  for (const headers of [
    { Authorization: 'Basic eA==' },
    new Headers({ authorization: '' }),
    [['AUTHORIZATION', 'x']] as [string, string][],
  ]) {
    t.equal(await codeOf(client.fetch(origin, { headers })), 'ERR_FETCH_AUTHORIZATION')
  }
  t.equal(requests.length + issued(), 0)
})

t.test('redirects are followed within the origin, with the token', async (t) => {
  const { origin, client, requests } = await startApi(t, ({ url }) =>
    url === '/end' ? [200] : [302, { location: url === '/start' ? '/middle' : 'end' }],
  )
  const response = await client.fetch(`${origin}/start#part`)
  t.equal(response.status, 200)
  t.strictSame(
    requests.map(({ url, authorization }) => [url, authorization]),
    ['/start', '/middle', '/end'].map((url) => [url, 'Bearer token-1']),
  )
})

t.test('a redirect to another origin is rejected before a request is sent to it', async (t) => {
  const elsewhere = await serve(t, () => t.fail('nothing may arrive here'))
  const { host } = new URL(elsewhere)
  for (const location of [elsewhere, `//${host}/`, `http://x:y@${host}/`, 'https://[', 'data:,x']) {
    const { origin, client, requests } = await startApi(t, () => [307, { location }])
    t.equal(await codeOf(client.fetch(origin)), 'ERR_FETCH_REDIRECT', location)
    t.equal(requests.length, 1)
  }
  const { origin, client } = await startApi(t, ({ url }) => [
    302,
    { location: `http://user:pass@127.0.0.1${url}` },
  ])
  t.equal(await codeOf(client.fetch(origin)), 'ERR_FETCH_REDIRECT')
})

t.test('a redirect to another configured origin is rejected', async (t) => {
  const other = await serve(t, () => t.fail('nothing may arrive here'))
  const api = await serve(t, (_request, response) =>
    response.writeHead(302, { location: other }).end(),
  )
  const { client } = setUpClient({
    origins: [api, other],
    fetch: async (url, init) =>
      String(url).includes('/oauth2/') ? tokenAnswer('a') : fetch(url, init),
  })
  t.equal(await codeOf(client.fetch(api)), 'ERR_FETCH_REDIRECT')
})

t.test('five redirects are followed, a sixth is rejected', async (t) => {
  const { origin, client, requests } = await startApi(t, ({ url }) =>
    url === '/5' ? [200] : [302, { location: `/${Number(url.slice(1)) + 1}` }],
  )
  t.equal((await client.fetch(`${origin}/0`)).status, 200)
  t.equal(requests.length, 6)
  const {
    origin: loop,
    client: other,
    requests: looped,
  } = await startApi(t, () => [302, { location: '/' }])
  t.equal(await codeOf(other.fetch(loop)), 'ERR_FETCH_REDIRECT')
  t.equal(looped.length, 6)
})

t.test('a redirect changes method and body as fetch does', async (t) => {
  const cases: readonly (readonly [number, string, string, string])[] = [
    [301, 'POST', 'GET', ''],
    [302, 'post', 'GET', ''],
    [303, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [302, 'PUT', 'PUT', 'text'],
    [307, 'POST', 'POST', 'text'],
    [308, 'POST', 'POST', 'text'],
  ]
  for (const [status, method, then, body] of cases) {
    const { origin, client, requests } = await startApi(t, ({ url }) =>
      url === '/end' ? [200] : [status, { location: '/end' }],
    )
    const headers = { 'content-type': 'text/x' }
    await client.fetch(`${origin}/`, { method, headers, body: 'text' })
    t.match(requests[1], { method: then, body }, `${status} ${method}`)
    t.equal(requests[1]?.type, body === '' ? undefined : 'text/x')
  }
  const { origin, client, requests } = await startApi(t, ({ url }) =>
    url === '/end' ? [200] : [303, { location: '/end' }],
  )
  await client.fetch(origin, { method: 'HEAD' })
  t.equal(requests[1]?.method, 'HEAD')
})

const stream = (text: string): ReadableStream => new Blob([text]).stream()

t.test('a stream body is not sent after a redirect', async (t) => {
  const { origin, client, requests } = await startApi(t, () => [307, { location: '/end' }])
  const init = { method: 'POST', body: stream('text'), duplex: 'half' } as RequestInit
  t.equal(await codeOf(client.fetch(origin, init)), 'ERR_FETCH_REDIRECT')
  t.equal(requests.length, 1)
})

t.test('with redirect: manual, the caller gets the redirect', async (t) => {
  const { origin, client, requests } = await startApi(t, () => [
    302,
    { location: 'https://a.example/' },
  ])
  const response = await client.fetch(origin, { redirect: 'manual' })
  t.equal(response.status, 302)
  await t.rejects(client.fetch(origin, { redirect: 'error' }), { name: 'TypeError' })
  t.equal(requests.length, 2)
  const { origin: other, client: plain } = await startApi(t, () => [302])
  t.equal((await plain.fetch(other)).status, 302, 'one that leads nowhere is an answer')
})

t.test('the response of a transport that followed a redirect is rejected', async (t) => {
  for (const member of [{ redirected: true }, { type: 'opaqueredirect' }]) {
    const { client } = setUpClient({
      origins: ['https://api.example.com'],
      fetch: async (url) =>
        String(url).includes('/oauth2/')
          ? tokenAnswer('a')
          : Object.defineProperties(
              new Response(''),
              Object.fromEntries(Object.entries(member).map(([name, value]) => [name, { value }])),
            ),
    })
    t.equal(await codeOf(client.fetch('https://api.example.com/')), 'ERR_FETCH_REDIRECT')
  }
})

t.test('a rejected token is renewed and the request is sent once more', async (t) => {
  const form = new FormData()
  form.set('name', 'form')
  const bodies: Record<string, RequestInit['body'] | undefined> = {
    none: undefined,
    string: 'text',
    parameters: new URLSearchParams({ a: 'b' }),
    form,
    blob: new Blob(['text']),
    bytes: Buffer.from('text'),
    buffer: new TextEncoder().encode('text').buffer,
  }
  for (const [name, body] of Object.entries(bodies)) {
    const { origin, client, requests, issued } = await startApi(t, ({ authorization }) =>
      authorization === 'Bearer token-1' ? [401, INVALID] : [200],
    )
    const init = { method: 'POST', ...(body === undefined ? {} : { body }) }
    t.equal((await client.fetch(origin, init)).status, 200, name)
    t.equal(requests.length, 2, name)
    t.equal(issued(), 2)
    // A form has another boundary each time.
    if (body !== form) t.equal(requests[0]?.body, requests[1]?.body, name)
    t.equal((await client.getToken()).accessToken, 'token-2')
  }
})

t.test(
  'a request that cannot be sent again returns the 401, and the next call has another token',
  async (t) => {
    const bodies = {
      stream: stream('text'),
      generator: (async function* () {
        yield 'text'
      })(),
    }
    for (const [name, body] of Object.entries(bodies)) {
      const { origin, client, requests } = await startApi(t, ({ authorization }) =>
        authorization === 'Bearer token-1' ? [401, INVALID] : [200],
      )
      const init = { method: 'POST', body, duplex: 'half' } as unknown as RequestInit
      const response = await client.fetch(origin, init)
      t.equal(response.status, 401, name)
      t.equal(await response.text(), 'answer 1')
      t.equal(requests.length, 1)
      t.equal((await client.fetch(origin)).status, 200)
    }
  },
)

t.test('an API that rejects every token causes one token request a minute', async (t) => {
  const { origin, client, world, issued } = await startApi(t, () => [401, INVALID])
  for (let call = 0; call < 100; call += 1) {
    t.equal((await client.fetch(origin)).status, 401)
  }
  t.equal(issued(), 2)
  world.pass(59_999)
  await client.fetch(origin)
  t.equal(issued(), 2)
  world.pass(1)
  await client.fetch(origin)
  t.equal(issued(), 3)
  await client.fetch(origin, {}, { scopes: 'a/b' })
  t.equal(issued(), 5, 'another scope set has a minute of its own')
})

t.test('calls whose token is rejected at the same time share one renewal', async (t) => {
  const { origin, client, issued } = await startApi(t, ({ authorization }) =>
    authorization === 'Bearer token-1' ? [401, INVALID] : [200],
  )
  const responses = await Promise.all(Array.from({ length: 50 }, () => client.fetch(origin)))
  t.ok(responses.every(({ status }) => status === 200))
  t.equal(issued(), 2)
})

t.test(
  'if the rejected token is no longer cached, the cached one is sent without a token request',
  async (t) => {
    let late: (() => void) | undefined
    let renewed = false
    const authorizations: (string | null)[] = []
    const { client, world } = setUpClient({
      origins: ['https://api.example.com'],
      fetch: async (url, init) => {
        if (String(url).includes('/oauth2/')) {
          const accessToken = renewed ? 'new' : 'old'
          renewed = true
          return Response.json({
            access_token: accessToken,
            expires_in: 3600,
            token_type: 'Bearer',
          })
        }
        const authorization = new Headers(init?.headers).get('authorization')
        authorizations.push(authorization)
        if (authorization === 'Bearer new') return new Response('')
        await new Promise<void>((resolve) => (late = resolve))
        return new Response('', { status: 401, headers: INVALID })
      },
    })
    const calling = client.fetch('https://api.example.com/')
    await until(() => late !== undefined)
    world.pass(3_000_000)
    await client.getToken()
    await until(() => renewed)
    while ((await client.getToken()).accessToken === 'old') await null
    late?.()
    t.equal((await calling).status, 200)
    t.strictSame(authorizations, ['Bearer old', 'Bearer new'])
  },
)

t.test('a late 401 is returned if no token is available', async (t) => {
  let late: (() => void) | undefined
  let down = false
  let issued = 0
  const { client, world } = setUpClient({
    origins: ['https://api.example.com'],
    fetch: async (url) => {
      if (String(url).includes('/oauth2/')) {
        if (down) return Response.json({ error: 'invalid_client' }, { status: 400 })
        issued += 1
        return Response.json({ access_token: `t${issued}`, expires_in: 3600, token_type: 'Bearer' })
      }
      await new Promise<void>((resolve) => (late = resolve))
      return new Response('late', { status: 401, headers: INVALID })
    },
  })
  const calling = client.fetch('https://api.example.com/')
  await until(() => late !== undefined)
  await client.renew(await client.getToken())
  t.equal(issued, 2)
  down = true
  world.pass(7_200_000)
  late?.()
  const response = await calling
  t.equal(response.status, 401)
  t.equal(await response.text(), 'late')
})

t.test('only 401 with invalid_token renews the token', async (t) => {
  const about: readonly (readonly [number, string | undefined, boolean])[] = [
    [401, 'Bearer error="invalid_token"', true],
    [401, 'bearer realm="x",error=invalid_token, scope="a"', true],
    [401, 'Basic realm="x", Bearer error = "invalid_token"', true],
    [401, 'Bearer error="invalid_token" error_description="expired"', true],
    [401, 'Bearer error="invalid_tokens"', false],
    [401, 'Bearer error="invalid_request"', false],
    [401, 'Bearer error_description="error invalid_token"', false],
    [401, 'Bearer realm="x"', false],
    [401, undefined, false],
    [403, 'Bearer error="invalid_token"', false],
    [403, 'Bearer error="insufficient_scope"', false],
    [503, 'Bearer error="invalid_token"', false],
  ]
  for (const [status, challenge, renews] of about) {
    const { origin, client, issued } = await startApi(t, () => [
      status,
      challenge === undefined ? {} : { 'www-authenticate': challenge },
    ])
    t.equal((await client.fetch(origin)).status, status)
    t.equal(issued(), renews ? 2 : 1, `${status} ${challenge}`)
  }
})

t.test(
  'if no other token is available, the 401 is returned and the token stays cached',
  async (t) => {
    let down = false
    const { client, world } = setUpClient({
      origins: ['https://api.example.com'],
      fetch: async (url) => {
        if (!String(url).includes('/oauth2/')) {
          return new Response('no', { status: 401, headers: INVALID })
        }
        if (down) return Response.json({ error: 'invalid_client' }, { status: 400 })
        return tokenAnswer('a')
      },
    })
    const token = await client.getToken()
    down = true
    const response = await client.fetch('https://api.example.com/')
    t.equal(response.status, 401)
    t.equal(await response.text(), 'no')
    t.equal(await client.getToken(), token)
    t.equal(world.logged.length, 1)
    world.pass(500)
    t.equal(await client.renew(token), token, 'while it backs off')
  },
)

t.test('renew works for requests of another HTTP client', async (t) => {
  const { client, world } = setUpClient()
  const first = await client.getToken()
  const [second, same] = await Promise.all([client.renew(first), client.renew(first)])
  t.equal(second.accessToken, 'token-2')
  t.equal(same, second)
  t.equal(await client.renew(first), second, 'refused again after it was replaced')
  t.equal(await client.renew(second), second, 'within the minute')
  world.pass(60_000)
  t.equal((await client.renew(second)).accessToken, 'token-3')
  const other = await client.getToken({ scopes: 'a/b' })
  t.equal((await client.renew(other, { scopes: 'a/b' })).accessToken, 'token-5')
})

t.test('a signal also ends the wait for a token', async (t) => {
  const { client, world } = setUpClient({ origins: ['https://api.example.com'] })
  world.answer = () => new Promise(() => {})
  const abort = new AbortController()
  const calling = client.fetch('https://api.example.com/', { signal: abort.signal })
  const reason = new Error('the caller hung up')
  await until(() => world.requests.length === 1)
  abort.abort(reason)
  await t.rejects(calling, reason)
  await t.rejects(client.fetch('https://api.example.com/', { signal: abort.signal }), reason)
  t.equal(world.requests.length, 1)
  client.close()
  const { origin, client: other } = await startApi(t, () => [200])
  const late = new AbortController()
  const { client: refused } = setUpClient({
    origins: ['https://api.example.com'],
    fetch: async (url) => {
      if (String(url).includes('/oauth2/')) return tokenAnswer('a')
      late.abort(reason)
      return new Response('', { status: 401, headers: INVALID })
    },
  })
  await t.rejects(refused.fetch('https://api.example.com/', { signal: late.signal }), reason)
  const { signal } = new AbortController()
  t.equal((await other.fetch(origin, { signal })).status, 200)
  t.equal((await other.fetch(origin, { signal: null })).status, 200)
})

t.test('against a pool and the platform, end to end', async (t) => {
  const pool = await startUserPool({ clients: [{ clientId: 'billing', clientSecrets: ['s'] }] })
  t.teardown(() => pool.close())
  const origin = await serve(t, (request, response) => response.end(request.headers.authorization))
  const client = createTokenClient({
    tokenEndpoint: pool.tokenEndpoint,
    clientId: 'billing',
    clientSecret: 's',
    origins: [origin],
  })
  const { accessToken } = await client.getToken()
  t.equal(await (await client.fetch(origin)).text(), `Bearer ${accessToken}`)
  client.close()
  t.equal(await codeOf(client.fetch(origin)), 'ERR_CLIENT_CLOSED')
})
