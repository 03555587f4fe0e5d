/** Runs the recipes of docs/http-clients.md against an API that rejects its first token. */
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import axios, { type AxiosInstance } from 'axios'
import got, { type Got } from 'got'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { Agent, type Dispatcher, request } from 'undici'
import type { TokenClient } from '../../src/tokens/client/index.ts'
import { serve, setUpClient, tokenAnswer } from '../support/client.ts'

const blocks = [
  ...readFileSync('docs/http-clients.md', 'utf8').matchAll(/^```ts\n(.*?)^```$/gms),
].map(([, text = '']) => text)

/** The recipes import types only, so they run as a data: URL. */
async function load<Recipe>(name: string): Promise<Recipe> {
  const source = blocks.find((it) => it.includes(`export function ${name}(`)) ?? ''
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
  })
  const loaded = await import(`data:text/javascript,${encodeURIComponent(outputText)}`)
  return (loaded as Record<string, Recipe>)[name] as Recipe
}

async function startApi(t: Test) {
  const received: (string | undefined)[] = []
  const bodies: string[] = []
  const origin = await serve(t, async (request, response) => {
    const { authorization, 'x-a': seen = '' } = request.headers
    received.push(authorization)
    bodies.push(await text(request))
    const isRejected = authorization !== 'Bearer token-2'
    const challenge = { 'www-authenticate': 'Bearer error="invalid_token"' }
    const headers = isRejected ? challenge : { 'x-seen': seen }
    response.writeHead(isRejected ? 401 : 200, headers).end('answer')
  })
  let issued = 0
  const { client } = setUpClient({
    origins: [origin],
    fetch: async (url, init) => {
      if (!String(url).endsWith('/oauth2/token')) return fetch(url, init)
      issued += 1
      return tokenAnswer(`token-${issued}`)
    },
  })
  return { origin, client, received, bodies }
}

const RENEWED = ['Bearer token-1', 'Bearer token-2']

t.test('fetch', async (t) => {
  const { origin, client, received } = await startApi(t)
  const library: { readonly fetch: typeof fetch } = { fetch: client.fetch }
  t.equal((await library.fetch(new Request(origin))).status, 200)
  t.strictSame(received, RENEWED)
})

t.test('axios', async (t) => {
  const authorize =
    await load<(it: AxiosInstance, client: TokenClient, origins: string[]) => void>(
      'authorizeAxios',
    )
  const { origin, client, received } = await startApi(t)
  const instance = axios.create({ baseURL: origin, proxy: false })
  authorize(instance, client, [origin])
  t.equal((await instance.post('/orders', { a: 1 })).status, 200)
  t.strictSame(received, RENEWED)
  await t.rejects(instance.get('http://127.0.0.1:1/'), /No token is sent to http:/)
  const other = axios.create({ baseURL: origin, proxy: false })
  const rejecting = setUpClient({ fetch: async () => tokenAnswer('always-rejected') })
  authorize(other, rejecting.client, [origin])
  await t.rejects(other.get('/orders'), /status code 401/)
  await t.rejects(other.get('/orders'), /status code 401/)
})

t.test('got', async (t) => {
  const authorize =
    await load<(it: Got, client: TokenClient, origins: string[]) => Got>('authorizeGot')
  const { origin, client, received } = await startApi(t)
  const instance = authorize(got, client, [origin])
  t.equal((await instance.post(`${origin}/orders`, { json: { a: 1 } })).statusCode, 200)
  t.strictSame(received, RENEWED)
  await t.rejects(instance('http://127.0.0.1:1/', { retry: { limit: 0 } }), /No token is sent to/)
})

/** An agent with the interceptor, for the origins. */
async function startAgent(t: Test, client: TokenClient, origins: string[]): Promise<Dispatcher> {
  const authorize =
    await load<(client: TokenClient, origins: string[]) => Dispatcher.DispatcherComposeInterceptor>(
      'authorizeUndici',
    )
  const agent = new Agent()
  t.teardown(() => agent.close())
  return agent.compose(authorize(client, origins))
}

for (const [name, body] of [
  ['without a body', null],
  ['with text', 'text'],
  ['with bytes', Buffer.from('text')],
] as const) {
  t.test(`undici sends a request ${name} once more`, async (t) => {
    const { origin, client, received, bodies } = await startApi(t)
    const dispatcher = await startAgent(t, client, [origin])
    const options = { dispatcher, method: 'POST', headers: { 'x-a': 'b' }, body } as const
    const answer = await request(`${origin}/orders`, options)
    t.equal(answer.statusCode, 200)
    t.equal(answer.headers['x-seen'], 'b')
    t.equal(await answer.body.text(), 'answer')
    t.strictSame(received, RENEWED)
    t.strictSame(bodies, [String(body ?? ''), String(body ?? '')])
    await t.rejects(request('http://127.0.0.1:1/', { dispatcher }), /No token is sent to/)
  })
}

t.test(
  'undici returns the 401 of a stream, and renews the token for the next request',
  async (t) => {
    const { origin, client, received } = await startApi(t)
    const dispatcher = await startAgent(t, client, [origin])
    const body = Readable.from(['text'])
    const rejected = await request(`${origin}/orders`, { dispatcher, method: 'POST', body })
    t.equal(rejected.statusCode, 401)
    t.equal(await rejected.body.text(), 'answer')
    t.equal((await request(`${origin}/orders`, { dispatcher })).statusCode, 200)
    t.strictSame(received, RENEWED)
  },
)

t.test('undici repeats a request once, and never without another token', async (t) => {
  const { origin, received } = await startApi(t)
  let issued = 0
  const rejecting = setUpClient({
    fetch: async () => {
      issued += 1
      return tokenAnswer(`rejected-${issued}`)
    },
  })
  const dispatcher = await startAgent(t, rejecting.client, [origin])
  for (const requests of [2, 3]) {
    const answer = await request(`${origin}/orders`, { dispatcher })
    t.equal(answer.statusCode, 401)
    t.equal(await answer.body.text(), 'answer')
    t.equal(received.length, requests, 'at most one renewal a minute')
  }
})

t.test('undici: an aborted request is not sent again', async (t) => {
  const { origin, client, received } = await startApi(t)
  const controller = new AbortController()
  const renew: TokenClient['renew'] = async () => {
    controller.abort(new RangeError('by the caller'))
    return { accessToken: 'token-2', expiresAt: 0, scopes: [] }
  }
  const dispatcher = await startAgent(t, { ...client, renew }, [origin])
  const { signal } = controller
  await t.rejects(request(`${origin}/orders`, { dispatcher, signal }), /by the caller/)
  t.strictSame(received, ['Bearer token-1'])
})
