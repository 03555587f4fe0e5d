/** `client.fetch` with a `Request`: the same request as that of `fetch`, apart from the token. */
import t, { type Test } from 'tap'
import { codeOf, failureOf, serve, settle, setUpClient, tokenAnswer } from '../../support/client.ts'

const INVALID = { 'www-authenticate': 'Bearer error="invalid_token"' }

/** An API that returns what it received, without the token, and a client for it. */
async function startEcho(t: Test) {
  const world = { rejects: false, requests: 0 }
  const origin = await serve(t, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    world.requests += 1
    const { authorization, host, connection, ...headers } = request.headers
    // A stream has no length. A `Request` with a stream is sent with one.
    delete headers['content-length']
    delete headers['transfer-encoding']
    const isRejected = world.rejects && authorization === 'Bearer token-1'
    const { method, url } = request
    response.writeHead(isRejected ? 401 : 200, isRejected ? INVALID : {})
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }))
  })
  let issued = 0
  const { client } = setUpClient({
    origins: [origin],
    fetch: async (url, init) => {
      if (!String(url).includes('/oauth2/token')) return fetch(url, init)
      issued += 1
      return tokenAnswer(`token-${issued}`)
    },
  })
  return { origin, client, world }
}

const stream = (text: string): ReadableStream => new Blob([text]).stream()
const post = { method: 'POST', headers: { 'x-a': 'request', 'content-type': 'text/x' }, body: 'a' }

const calls: Readonly<Record<string, readonly [RequestInit, RequestInit?]>> = {
  'a GET': [{}],
  'a POST': [post],
  'a method in lower case': [{ ...post, method: 'post' }],
  'a PATCH': [{ ...post, method: 'PATCH' }],
  'a stream': [{ method: 'POST', body: stream('a'), duplex: 'half' }],
  'a form': [{ method: 'POST', body: new URLSearchParams({ a: 'b' }) }],
  'an empty init': [post, {}],
  'headers of init, which replace all': [post, { headers: { 'x-b': 'init' } }],
  'empty headers of init': [post, { headers: {} }],
  'a method of init': [post, { method: 'PUT' }],
  'a body of init': [post, { body: '{"a":1}' }],
  'a form of init, with the type of the Request': [post, { body: new URLSearchParams({ a: 'b' }) }],
  'a form of init, with its own type': [post, { headers: {}, body: new URLSearchParams() }],
  'no body in init: that of the Request': [post, { body: null }],
  'an empty body of init': [post, { body: '' }],
  'members of init without a value': [
    post,
    {
      method: undefined,
      headers: undefined,
      body: undefined,
      signal: undefined,
      redirect: undefined,
    } as never,
  ],
  'a signal of init that is null': [post, { signal: null }],
  'an init that is null': [post, null as never],
}

for (const [name, [own, init]] of Object.entries(calls)) {
  t.test(`${name}, as fetch sends it`, async (t) => {
    const { origin, client, world } = await startEcho(t)
    const request = new Request(`${origin}/orders?x=1#hash`, own)
    const copy = request.clone()
    const expected = await (await fetch(copy, init)).json()
    t.strictSame(await (await client.fetch(request, init)).json(), expected)
    t.equal(request.bodyUsed, copy.bodyUsed, 'uses the body as fetch does')
    t.equal(world.requests, 2)
  })
}

t.test('a GET with the body of the Request is an error, as of fetch', async (t) => {
  const { origin, client } = await startEcho(t)
  const request = new Request(origin, post)
  t.match(await failureOf(fetch(request.clone(), { method: 'GET' })), { name: 'TypeError' })
  t.match(await failureOf(client.fetch(request, { method: 'GET' })), { name: 'TypeError' })
})

t.test('a body that was used is an error, unless init has another', async (t) => {
  const { origin, client, world } = await startEcho(t)
  const request = new Request(origin, post)
  await request.text()
  t.match(await failureOf(client.fetch(request)), { name: 'TypeError' })
  t.equal(world.requests, 0)
  t.match(await (await client.fetch(request, { body: 'b' })).json(), { body: 'b' })
  const locked = new Request(origin, post)
  locked.body?.getReader()
  t.match(await failureOf(client.fetch(locked)), { name: 'TypeError' })
})

t.test('the stream of a Request is sent again after 401', async (t) => {
  const { origin, client, world } = await startEcho(t)
  world.rejects = true
  const request = new Request(origin, { method: 'POST', body: stream('text'), duplex: 'half' })
  const response = await client.fetch(request)
  t.equal(response.status, 200)
  t.match(await response.json(), { method: 'POST', body: 'text' })
  t.equal(world.requests, 2)
})

t.test('a stream of init is not', async (t) => {
  const { origin, client, world } = await startEcho(t)
  world.rejects = true
  const response = await client.fetch(new Request(origin, post), {
    body: stream('text'),
    duplex: 'half',
  })
  t.equal(response.status, 401)
  t.match(await response.json(), { body: 'text' })
  t.equal(world.requests, 1)
})

t.test('Authorization: headers of init replace that of the Request', async (t) => {
  const { origin, client } = await startEcho(t)
  const request = new Request(origin, { headers: { authorization: 'Basic a' } })
  t.equal(await codeOf(client.fetch(request)), 'ERR_FETCH_AUTHORIZATION')
  t.equal((await client.fetch(request, { headers: {} })).status, 200)
  const headers = { Authorization: 'Basic a' }
  t.equal(await codeOf(client.fetch(new Request(origin), { headers })), 'ERR_FETCH_AUTHORIZATION')
})

t.test('the body is read only for a configured origin', async (t) => {
  const { client } = await startEcho(t)
  const request = new Request('https://other.example', post)
  t.equal(await codeOf(client.fetch(request)), 'ERR_FETCH_ORIGIN')
  t.equal(request.bodyUsed, false)
})

t.test('a signal ends the wait for a body that does not end', async (t) => {
  const { origin, client, world } = await startEcho(t)
  for (const isOfInit of [true, false]) {
    const controller = new AbortController()
    const { signal } = controller
    const endless = new ReadableStream({ start() {} })
    const request = new Request(origin, {
      method: 'POST',
      body: endless,
      duplex: 'half',
      ...(isOfInit ? {} : { signal }),
    })
    const failure = failureOf(client.fetch(request, isOfInit ? { signal } : {}))
    await settle()
    controller.abort(new RangeError('by the caller'))
    t.match(await failure, { name: 'RangeError', message: 'by the caller' })
  }
  t.equal(world.requests, 0)
})

t.test('other members of the Request reach the transport', async (t) => {
  const sent: RequestInit[] = []
  const { client } = setUpClient({
    origins: ['https://api.example.com'],
    fetch: async (url, init) => {
      if (String(url).includes('/oauth2/token')) return tokenAnswer('a')
      sent.push(init as RequestInit)
      return new Response('')
    },
  })
  const integrity = 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
  const members = { integrity, keepalive: true, cache: 'no-store', credentials: 'omit' } as const
  await client.fetch(new Request('https://api.example.com', { ...members, redirect: 'error' }))
  t.match(sent[0], { ...members, redirect: 'error' })
  await client.fetch(new Request('https://api.example.com', members), {
    cache: 'reload',
  } as RequestInit)
  t.match(sent[1], { ...members, cache: 'reload' })
})

t.test('a redirect to another origin gets no token', async (t) => {
  const seen: (string | undefined)[] = []
  const elsewhere = await serve(t, (request, response) => {
    seen.push(request.headers.authorization)
    response.end()
  })
  const origin = await serve(t, (_request, response) => {
    response.writeHead(307, { location: elsewhere }).end()
  })
  const { client } = setUpClient({
    origins: [origin, elsewhere],
    fetch: (url, init) =>
      String(url).includes('/oauth2/token') ? Promise.resolve(tokenAnswer('a')) : fetch(url, init),
  })
  t.equal(await codeOf(client.fetch(new Request(origin, post))), 'ERR_FETCH_REDIRECT')
  const manual = await client.fetch(new Request(origin, { redirect: 'manual' }))
  t.equal(manual.status, 307)
  t.strictSame(seen, [])
})
