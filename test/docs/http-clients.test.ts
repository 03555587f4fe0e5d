/** Runs the recipes of docs/http-clients.md against an API that rejects its first token. */
import { readFileSync } from 'node:fs'
import axios, { type AxiosInstance } from 'axios'
import got, { type Got } from 'got'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { Agent, type Dispatcher, request } from 'undici'
import type { TokenClient } from '../../src/tokens/client/index.ts'
import { serve, setUpClient, tokenAnswer, until } from '../support/client.ts'

const blocks = [
  ...readFileSync('docs/http-clients.md', 'utf8').matchAll(/^```ts\n(.*?)^```$/gms),
].map(([, text = '']) => text)

/** The recipes import types only, so they run as a data: URL. */
async function load<Recipe>(name: string): Promise<Recipe> {
  const text = blocks.find((it) => it.includes(`export function ${name}(`)) ?? ''
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
  })
  const loaded = await import(`data:text/javascript,${encodeURIComponent(outputText)}`)
  return (loaded as Record<string, Recipe>)[name] as Recipe
}

async function startApi(t: Test) {
  const received: (string | undefined)[] = []
  const origin = await serve(t, (request, response) => {
    const { authorization } = request.headers
    received.push(authorization)
    const isRejected = authorization !== 'Bearer token-2'
    const challenge = { 'www-authenticate': 'Bearer error="invalid_token"' }
    response.writeHead(isRejected ? 401 : 200, isRejected ? challenge : {}).end('answer')
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
  return { origin, client, received }
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

t.test('undici', async (t) => {
  const authorize =
    await load<(client: TokenClient, origins: string[]) => Dispatcher.DispatcherComposeInterceptor>(
      'authorizeUndici',
    )
  const { origin, client, received } = await startApi(t)
  const agent = new Agent()
  t.teardown(() => agent.close())
  const dispatcher = agent.compose(authorize(client, [origin]))
  const rejected = await request(`${origin}/orders`, { dispatcher })
  t.equal(rejected.statusCode, 401)
  await rejected.body.dump()
  await until(() => client.status().scopeSets[0]?.isRequesting === false)
  const answer = await request(`${origin}/orders`, { dispatcher, headers: { 'x-a': 'b' } })
  t.equal(answer.statusCode, 200)
  t.equal(await answer.body.text(), 'answer')
  t.strictSame(received, RENEWED)
  await t.rejects(request('http://127.0.0.1:1/', { dispatcher }), /No token is sent to/)
})
