/** The code of docs/shutdown.md in processes of its own, with callers that keep their connections. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { type LocalUserPool, startUserPool } from '../../src/testing/index.ts'
import { createRequest } from '../support/proxy.ts'
import { startRedis, withoutRedis } from '../support/redis.ts'

const PAGE = readFileSync('docs/shutdown.md', 'utf8')
const CALLERS = 20
/** Far beyond the test: what ends the process is not the end of the grace period. */
const NEVER_MS = '600_000'

// A process takes seconds to start, so they run side by side.
t.jobs = 3

type Change = readonly [from: string, to: string]

const urlOf = (path: string) => pathToFileURL(path).href

/** The only snippet of the page that contains a text. */
function snippet(part: string): string {
  const blocks = [...PAGE.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code as string)
  const [found = '', ...others] = blocks.filter((code) => code.includes(part))
  if (found === '' || others.length > 0) throw new Error(`not one snippet has ${part}`)
  return found
}

/** Replaces texts that have to be there. */
function replaced(code: string, changes: readonly Change[]): string {
  return changes.reduce((it, [from, to]) => {
    if (!it.includes(from)) throw new Error(`${from} is not there`)
    return it.replaceAll(from, () => to)
  }, code)
}

/** Short phases, or a drain that lasts until SIGUSR2 and a grace period that does not end. */
const byTheClock = (drain: string, grace: string): readonly Change[] => [
  ['DRAIN_MS = 5_000', `DRAIN_MS = ${drain}`],
  ['GRACE_MS = 25_000', `GRACE_MS = ${grace}`],
]
const BY_SIGNAL: readonly Change[] = [
  ...byTheClock('0', NEVER_MS),
  ['await sleep(DRAIN_MS)', "await new Promise<void>((go) => process.once('SIGUSR2', () => go()))"],
]

/** A process of the page's code. */
interface Started {
  readonly child: ChildProcess
  readonly port: number
  readonly output: () => string
  /** Exit code and signal. */
  readonly ended: Promise<unknown[]>
}

async function run(t: Test, code: string, env: Readonly<Record<string, string>>): Promise<Started> {
  const folder = t.testdir({ 'main.ts': code })
  const child = spawn(process.execPath, [...process.execArgv, `${folder}/main.ts`], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const ended = once(child, 'close')
  let port = 0
  while (port === 0) {
    const [code] = await Promise.race([once(child.stdout, 'data').then(() => []), ended])
    if (code !== undefined) throw new Error(`ended with ${code}\n${output}`)
    port = Number(/PORT (\d+)/.exec(output)?.[1] ?? 0)
  }
  await readiness(port, 200)
  return { child, port, output: () => output, ended }
}

/** Stands in for Cognito and for the API that is called: it answers when the test says so. */
class Held {
  readonly #waiting: ServerResponse[] = []
  #changed = withResolvers()
  origin = ''

  static async start(t: Test): Promise<Held> {
    const held = new Held()
    const server = createServer((asked, response) => {
      asked.resume().on('end', () => held.#take(response))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => {
      server.close()
      server.closeAllConnections()
    })
    held.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return held
  }

  #take(response: ServerResponse): void {
    this.#waiting.push(response)
    this.#changed.resolve()
    this.#changed = withResolvers()
  }

  /** Resolves once so many requests wait. */
  async has(count: number): Promise<void> {
    while (this.#waiting.length < count) await this.#changed.promise
  }

  release(body: unknown = []): void {
    for (const response of this.#waiting.splice(0)) {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
    }
  }
}

function withResolvers() {
  let resolve = (): void => {}
  const promise = new Promise<void>((go) => {
    resolve = go
  })
  return { promise, resolve }
}

interface Answer {
  readonly status: number | undefined
  readonly connection: string | undefined
  readonly body: string
}

/** One request of a caller that keeps its connections. */
async function ask(port: number, path: string, options: object = {}): Promise<Answer> {
  const { body, ...rest } = options as { readonly body?: string }
  const asked = request({ host: '127.0.0.1', port, path, ...rest })
  const [response] = (await once(asked.end(body), 'response')) as [IncomingMessage]
  const { statusCode: status, headers } = response
  return { status, connection: headers.connection, body: await text(response) }
}

const codeOf = (asked: Promise<Answer>) =>
  asked.then(
    ({ status }) => String(status),
    ({ code }: NodeJS.ErrnoException) => code,
  )

/** Asks until readiness has a status: 200 once there are keys, 503 once the process is stopping. */
async function readiness(port: number, status: 200 | 503): Promise<Answer> {
  for (;;) {
    const answer = await ask(port, '/ready', { agent: false })
    if (answer.status === status) return answer
  }
}

/** Asks until nobody listens. A connection that is opened just then is reset before it is served. */
async function refusal(port: number): Promise<void> {
  while ((await codeOf(ask(port, '/ready', { agent: false }))) !== 'ECONNREFUSED');
}

/** The one connection that an agent keeps. */
const keptBy = (agent: Agent) => Object.values(agent.freeSockets).flat()[0] as Socket

async function poolOf(t: Test): Promise<LocalUserPool> {
  const clients = [{ clientId: 'billing', clientSecrets: ['billing-secret'] }]
  const pool = await startUserPool({ clients })
  t.teardown(() => pool.close())
  return pool
}

/** The changes that let the APIs of the page run on this machine. */
function local(pool: LocalUserPool, api: Held, phases: readonly Change[]): readonly Change[] {
  return [
    ...phases,
    ["'cognito-m2m/client'", `'${urlOf('src/tokens/client/index.ts')}'`],
    [
      "{ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null }",
      JSON.stringify(pool.options()).replaceAll('"', "'"),
    ],
    ['https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token', pool.tokenEndpoint],
    ["clientId: '5kek0i61pgkokoob4fsm9fo9it'", "clientId: 'billing'"],
    ['https://orders.example.com', api.origin],
  ]
}

/** No connection that a test keeps ends because the machine is busy. */
const KEPT = 'keepAliveTimeout = 600_000'
const FASTIFY: readonly Change[] = [
  ["host: '0.0.0.0', port: 3000", "host: '127.0.0.1', port: 0"],
  ['return503OnClosing: false }', `return503OnClosing: false, ${KEPT.replace(' =', ':')} }`],
]
const TELL_FASTIFY = '\nconsole.info(`PORT $' + '{app.addresses()[0]?.port}`)\n'
const TELL_EXPRESS =
  "\nserver.once('listening', () => console.info('PORT', (server.address() as { port: number }).port))\n"

/** The APIs of the page: name, and their code on this machine. */
const apis = new Map<string, (changes: readonly Change[]) => string>([
  [
    'Fastify',
    (changes) => {
      const own: Change = ["'cognito-m2m/fastify'", `'${urlOf('src/adapters/fastify/index.ts')}'`]
      return (
        replaced(snippet("'cognito-m2m/fastify'"), [...changes, ...FASTIFY, own]) + TELL_FASTIFY
      )
    },
  ],
  ['Express 5', (changes) => expressCode(changes, 'express')],
  ['Express 4', (changes) => expressCode(changes, 'express4')],
])

function expressCode(changes: readonly Change[], framework: string): string {
  const own: readonly Change[] = [
    ["'cognito-m2m/express'", `'${urlOf('src/adapters/express/index.ts')}'`],
    ["from 'express'", `from '${framework}'`],
    ['createServer(app)\n', `createServer(app)\nserver.${KEPT}\n`],
    ['{ port: 3000 }', "{ host: '127.0.0.1', port: 0 }"],
  ]
  return replaced(snippet("'cognito-m2m/express'"), [...changes, ...own]) + TELL_EXPRESS
}

const ENV = { CLIENT_SECRET: 'billing-secret' }

for (const [name, codeWith] of apis) {
  t.test(
    `${name}: requests in flight are answered, connections end, the process exits`,
    async (t) => {
      const [pool, api] = [await poolOf(t), await Held.start(t)]
      const { child, port, ended } = await run(t, codeWith(local(pool, api, BY_SIGNAL)), ENV)
      const headers = { authorization: `Bearer ${pool.accessToken()}` }
      const [idle, busy, used] = [0, 1, 2].map(() => new Agent({ keepAlive: true })) as [
        Agent,
        Agent,
        Agent,
      ]
      for (const agent of [idle, used]) {
        t.match(await ask(port, '/ready', { agent }), { status: 200, connection: 'keep-alive' })
      }
      const inFlight = Array.from({ length: CALLERS }, () =>
        ask(port, '/report', { agent: busy, headers }),
      )
      await api.has(CALLERS)

      child.kill('SIGTERM')
      t.match(
        await readiness(port, 503),
        { status: 503, connection: 'close' },
        'new callers are told',
      )
      const before = keptBy(used)
      const late = ask(port, '/report', { agent: used, headers })
      await api.has(CALLERS + 1)
      t.equal(Object.values(used.sockets).flat()[0], before, 'on the connection from before')
      const refused = await ask(port, '/report', { agent: false })
      t.match(refused, { status: 401, connection: 'close' }, 'refusals as well')

      const gone = once(keptBy(idle), 'close')
      child.kill('SIGUSR2')
      await gone
      await refusal(port)

      api.release()
      for (const answer of await Promise.all([...inFlight, late])) {
        t.strictSame(answer, { status: 200, connection: 'close', body: '[]' })
      }
      t.strictSame(await ended, [0, null])
    },
  )

  t.test(`${name}: a request that comes after the end of listening is answered`, async (t) => {
    const [pool, api] = [await poolOf(t), await Held.start(t)]
    const { child, port, ended } = await run(t, codeWith(local(pool, api, BY_SIGNAL)), ENV)
    const authorization = `Bearer ${pool.accessToken()}`
    const head = `GET /report HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`
    const caller = connect({ host: '127.0.0.1', port })
    t.teardown(() => caller.destroy())
    // The second one is pipelined, and its end comes when nobody listens any more.
    caller.write(head + head.slice(0, -2))
    await api.has(1)
    child.kill('SIGTERM')
    await readiness(port, 503)
    child.kill('SIGUSR2')
    await refusal(port)
    api.release()
    const received = await text(caller)
    t.match(received, /^HTTP\/1\.1 200 OK\r\n/)
    t.match(received, /\r\nconnection: close\r\n/i)
    t.notMatch(received, /50[03]/)
    t.strictSame(await ended, [0, null])
  })

  t.test(`${name}: what does not end in time is cut, and the process exits with 0`, async (t) => {
    const [pool, api] = [await poolOf(t), await Held.start(t)]
    const code = codeWith(local(pool, api, byTheClock('10', '500')))
    const { child, port, ended, output } = await run(t, code, ENV)
    const headers = { authorization: `Bearer ${pool.accessToken()}` }
    const hanging = codeOf(ask(port, '/report', { agent: new Agent({ keepAlive: true }), headers }))
    const silent = connect({ host: '127.0.0.1', port })
    silent.on('error', () => {})
    const cut = once(silent, 'close')
    await api.has(1)
    child.kill('SIGTERM')
    t.equal(await hanging, 'ECONNRESET', 'cut before anything was answered')
    await cut
    t.strictSame(await ended, [0, null])
    t.match(output(), /some requests did not end in time and are cut/)
  })
}

/** A route that begins its answer, and ends it once the other API answered. */
const streams: Readonly<Record<string, string>> = {
  Fastify: `app.get('/stream', { config: { auth: false } }, async (_request, reply) => {
    const { Readable } = await import('node:stream')
    return reply.send(Readable.from((async function* () {
      yield 'begun '
      await fetch('API')
      yield 'ended'
    })()))
  })`,
  'Express 5': `app.get('/stream', async (_req, res) => {
    res.write('begun ')
    await fetch('API')
    res.end('ended')
  })`,
}

for (const [name, route] of Object.entries(streams)) {
  t.test(`${name}: an answer that had begun ends whole, its connection after it`, async (t) => {
    const [pool, api] = [await poolOf(t), await Held.start(t)]
    const codeWith = apis.get(name) as (changes: readonly Change[]) => string
    const stop = 'async function stop()'
    const added: Change = [stop, `${route.replace('API', api.origin)}\n${stop}`]
    const code = codeWith([...local(pool, api, BY_SIGNAL), added])
    const { child, port, ended } = await run(t, code, ENV)
    const agent = new Agent({ keepAlive: true })
    const asked = request({ host: '127.0.0.1', port, path: '/stream', agent }).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    await api.has(1)
    child.kill('SIGTERM')
    await readiness(port, 503)
    child.kill('SIGUSR2')
    await refusal(port)
    api.release()
    t.equal(await text(response), 'begun ended')
    t.equal(response.headers.connection, 'keep-alive', 'it was too late to say close')
    t.strictSame(await ended, [0, null])
  })
}

t.test(
  'the token proxy answers who waits for a token, and Redis keeps nothing alive',
  {
    skip: withoutRedis,
  },
  async (t) => {
    const [cognito, redis] = [await Held.start(t), await startRedis()]
    t.teardown(() => redis.kill())
    const code = replaced(snippet("'cognito-m2m/proxy'"), [
      ...BY_SIGNAL,
      ...FASTIFY,
      ["'cognito-m2m/proxy'", `'${urlOf('src/tokens/proxy/index.ts')}'`],
      ['https://shop.auth.eu-west-1.amazoncognito.com', cognito.origin],
      ['rediss://cache.example.com', redis.url],
    ])
    const TOKEN_STORE_KEY = randomBytes(32).toString('base64')
    const { child, port, ended } = await run(t, code + TELL_FASTIFY, { TOKEN_STORE_KEY })
    const { path, ...options } = createRequest({})
    const agent = new Agent({ keepAlive: true })
    const waiting = Array.from({ length: CALLERS }, () => ask(port, path, { agent, ...options }))
    await cognito.has(1)
    child.kill('SIGTERM')
    await readiness(port, 503)
    child.kill('SIGUSR2')
    await refusal(port)
    cognito.release({ access_token: 'token', expires_in: 3600, token_type: 'Bearer' })
    for (const { status, connection, body } of await Promise.all(waiting)) {
      t.strictSame({ status, connection }, { status: 200, connection: 'close' })
      t.equal(JSON.parse(body).access_token, 'token')
    }
    t.strictSame(await ended, [0, null])
  },
)

t.test('Fastify alone leaves the connection of an answer in flight open', async (t) => {
  const api = await Held.start(t)
  const app = Fastify()
  app.get('/', async () => (await fetch(api.origin)).json())
  const agent = new Agent({ keepAlive: true })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const inFlight = ask(port, '/', { agent })
  await api.has(1)
  let isClosed = false
  const closed = app.close().then(() => {
    isClosed = true
  })
  await refusal(port)
  api.release()
  t.match(await inFlight, { status: 200, connection: 'keep-alive' })
  t.equal(app.initialConfig.keepAliveTimeout, 72_000)
  for (let turn = 0; turn < 50; turn += 1) await new Promise((go) => setImmediate(go))
  t.notOk(isClosed, 'close() waits for the caller')
  t.match(await ask(port, '/', { agent }), { status: 503, connection: 'close' })
  await closed
})
