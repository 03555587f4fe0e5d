/** Examples of the documents as they are printed, on real servers: what a reader copies has to hold. */
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { request as http1Request } from 'node:http'
import { type Http2Server, connect as http2Connect } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { apiKey } from '../../examples/token-proxy/authorize.ts'
import { right } from '../support/fastify.ts'

const PAGES = ['docs/core.md']
const PROTOCOLS = { HTTP: 'node:http', 'HTTP/2': 'node:http2' } as const
type Protocol = keyof typeof PROTOCOLS

const urlOf = (path: string) => pathToFileURL(path).href

/** The TypeScript blocks of a page that contain a text. */
function snippets(page: string, text: string): string[] {
  const blocks = [...readFileSync(page, 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)]
  return blocks.map(([, code]) => code as string).filter((code) => code.includes(text))
}

/** Replaces a text that has to be there, once. */
function replaced(code: string, text: string, by: string): string {
  if (code.split(text).length !== 2) throw new Error(`${text} is not there once`)
  return code.replace(text, () => by)
}

let made = 0

/** Runs an example as a module. */
async function load(test: Test, code: string): Promise<Record<string, unknown>> {
  made += 1
  const name = `example-${made}.ts`
  const folder = test.testdir({ [name]: code })
  return import(urlOf(`${folder}/${name}`))
}

/** Listens with the example of a page; `then` stands where it answers. */
async function serve(test: Test, page: string, protocol: Protocol, then?: string): Promise<number> {
  const [code = '', ...others] = snippets(page, "from 'node:http'")
  test.equal(others.length, 0)
  const changes: [string, string][] = [
    ["'cognito-m2m'", `'${urlOf('src/index.ts')}'`],
    ["'node:http'", `'${PROTOCOLS[protocol]}'`],
    ["{ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null }", 'pool.options()'],
    ['\ncreateServer(', '\nexport const api = createServer('],
  ]
  if (then !== undefined) changes.push(['response.end(`Hello $' + '{token.clientId}`)', then])
  const text = changes.reduce((it, [from, to]) => replaced(it, from, to), code)
  const imported = `import { pool } from '${urlOf('test/support/fastify.ts')}'\n${text}`
  const { api } = (await load(test, imported)) as { api: Server | Http2Server }
  api.listen(0, '127.0.0.1')
  await once(api, 'listening')
  test.teardown(() => api.close())
  return (api.address() as AddressInfo).port
}

interface Answer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
  readonly cut: boolean
}

/** A request as Node's clients send it. */
function ask(protocol: Protocol, port: number, authorization?: string): Promise<Answer> {
  const headers = authorization === undefined ? {} : { authorization }
  return protocol === 'HTTP' ? askHttp1(port, headers) : askHttp2(port, headers)
}

async function askHttp1(port: number, headers: Record<string, string>): Promise<Answer> {
  const request = http1Request({ host: '127.0.0.1', port, headers, agent: false }).end()
  const [response] = await once(request, 'response')
  let body = ''
  let cut = false
  try {
    for await (const chunk of response) body += chunk
  } catch {
    cut = true
  }
  return { status: response.statusCode, headers: response.headers, body, cut }
}

async function askHttp2(port: number, headers: Record<string, string>): Promise<Answer> {
  const session = http2Connect(`http://127.0.0.1:${port}`)
  const stream = session.request({ ':path': '/', ...headers })
  const [received] = await once(stream, 'response')
  let body = ''
  stream.on('data', (chunk) => {
    body += chunk
  })
  stream.on('error', () => {})
  await new Promise((resolve) => stream.on('close', resolve))
  const cut = stream.rstCode !== 0
  session.destroy()
  return { status: received[':status'], headers: received, body, cut }
}

/** Everything a server sends to raw bytes, until it has sent a text. */
async function exchange(port: number, bytes: Uint8Array | string, until: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.write(bytes)
  let received = ''
  for await (const chunk of socket) {
    received += (chunk as Buffer).toString('latin1')
    if (received.includes(until)) break
  }
  socket.destroy()
  return received
}

/** HPACK (RFC 7541, 6.2.2): a literal, not indexed, with a new name. */
function literal(name: string, value: string): Buffer {
  const text = (it: string) => {
    const length = Buffer.byteLength(it)
    if (length < 127) return Buffer.concat([Buffer.from([length]), Buffer.from(it)])
    const bytes = [127]
    let rest = length - 127
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
    return Buffer.concat([Buffer.from([...bytes, rest]), Buffer.from(it)])
  }
  return Buffer.concat([Buffer.from([0]), text(name), text(value)])
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Two Authorization lines, which Node's HTTP/2 client does not send. */
function twoLines(protocol: Protocol): Uint8Array | string {
  if (protocol === 'HTTP') {
    return `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: ${right}\r\nauthorization: ${right}\r\n\r\n`
  }
  // GET, http and / are indexed; END_STREAM and END_HEADERS.
  const block = [Buffer.from([0x82, 0x86, 0x84]), literal(':authority', 'a')]
  const lines = [literal('authorization', right), literal('authorization', right)]
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(4, 0, 0, Buffer.alloc(0)),
    frame(1, 0x5, 1, Buffer.concat([...block, ...lines])),
  ])
}

/** What the example logs is the owner's to read. */
function loggedBy(test: Test): () => unknown[][] {
  return test.capture(console, 'error', () => {}).args
}

for (const page of PAGES) {
  for (const protocol of Object.keys(PROTOCOLS) as Protocol[]) {
    t.test(`${page} over ${protocol}: a good token is answered, others are refused`, async (t) => {
      const port = await serve(t, page, protocol)
      t.match(await ask(protocol, port, right), { status: 200, body: 'Hello billing' })
      const missing = await ask(protocol, port)
      t.match(missing, { status: 401, headers: { 'cache-control': 'no-store' } })
      t.equal(missing.headers['www-authenticate'], 'Bearer realm="api"')
      t.match(JSON.parse(missing.body), { statusCode: 401, code: 'ERR_TOKEN_MISSING' })
    })

    t.test(`${page} over ${protocol}: two Authorization lines are refused`, async (t) => {
      const port = await serve(t, page, protocol)
      const received = await exchange(port, twoLines(protocol), 'ERR_')
      t.match(received, '"code":"ERR_REQUEST_INVALID"')
      t.notMatch(received, 'Hello')
    })

    t.test(`${page} over ${protocol}: a handler that throws ends no process`, async (t) => {
      const faults = ["throw new Error('secret')", 'throw undefined', 'await Promise.reject(7)']
      for (const then of faults) {
        const logged = loggedBy(t)
        const port = await serve(t, page, protocol, then)
        for (const _ of [1, 2]) {
          const { status, body } = await ask(protocol, port, right)
          t.equal(status, 500, then)
          t.notMatch(body, /secret|at /)
          t.match(JSON.parse(body), { statusCode: 500 })
        }
        t.equal((await ask(protocol, port)).status, 401)
        t.equal(logged().length, 2)
      }
    })

    t.test(`${page} over ${protocol}: an answer that was begun is cut off`, async (t) => {
      loggedBy(t)
      const then = "response.write('begun'); await new Promise((go) => setImmediate(go)); throw 1"
      const port = await serve(t, page, protocol, then)
      const { status, body, cut } = await ask(protocol, port, right)
      // Over HTTP/2 a stream that is destroyed looks like one that ended.
      t.strictSame({ status, cut }, { status: 200, cut: protocol === 'HTTP' })
      t.notMatch(body, /500|Internal/)
      t.equal((await ask(protocol, port)).status, 401)
    })
  }
}

/** The dashboard of a page, under a password in the environment. */
async function openDashboard(test: Test, password: string | undefined): Promise<FastifyInstance> {
  const [code = ''] = snippets('docs/dashboard.md', 'process.env')
  const changes = [
    ["'cognito-m2m/usage'", `'${urlOf('src/tokens/usage/index.ts')}'`],
    ["'cognito-m2m/usage/dashboard'", `'${urlOf('src/tokens/usage/dashboard/index.ts')}'`],
    ["'fastify'", `'${import.meta.resolve('fastify')}'`],
    ['\nconst app = ', '\nexport const app = '],
  ] as const
  const text = changes.reduce((it, [from, to]) => replaced(it, from, to), code)
  const before = process.env['DASHBOARD_PASSWORD']
  test.teardown(() => restore(before))
  restore(password)
  const { app } = (await load(test, text)) as { app: FastifyInstance }
  test.teardown(() => app.close())
  return app
}

function restore(password: string | undefined): void {
  if (password === undefined) delete process.env['DASHBOARD_PASSWORD']
  else process.env['DASHBOARD_PASSWORD'] = password
}

t.test('the dashboard of docs/dashboard.md does not start without a password', async (t) => {
  for (const password of [undefined, '']) {
    const error = { message: 'DASHBOARD_PASSWORD is not set' }
    await t.rejects(openDashboard(t, password), error, String(password))
  }
})

t.test('the dashboard of docs/dashboard.md lets its password in, and no other', async (t) => {
  const app = await openDashboard(t, 'pässword')
  const statusOf = async (credentials?: string) => {
    const encoded = credentials && Buffer.from(credentials).toString('base64')
    const headers = encoded === undefined ? {} : { authorization: `Basic ${encoded}` }
    return (await app.inject({ url: '/usage/', headers })).statusCode
  }
  t.equal(await statusOf('ops:pässword'), 200)
  for (const other of [undefined, 'ops:', 'ops:undefined', 'ops:password', 'root:pässword']) {
    t.equal(await statusOf(other), 401, String(other))
  }
})

t.test('the recipe for API keys refuses a key that is empty', (t) => {
  t.throws(() => apiKey(['']), /expected keys, got an empty string/)
  t.throws(() => apiKey(['key', '']), /expected keys/)
  t.end()
})

t.test('no page compares a secret by === or puts a variable into it that may be unset', (t) => {
  for (const page of ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)]) {
    if (!page.endsWith('.md')) continue
    for (const code of snippets(page, '')) {
      t.notMatch(code, /\$\{process\.env/, page)
      t.notMatch(code, /[!=]==? *(?:process\.env|\w*(?:secret|password|apiKey))\b/i, page)
    }
  }
  t.end()
})
