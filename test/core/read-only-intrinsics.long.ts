/** Refusals where the app may change no intrinsic: each keeps its status, body and code. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

const SCENARIO = fileURLToPath(new URL('../support/challenge-scenario.ts', import.meta.url))
const run = promisify(execFile)

/** Node's argument that runs code first. */
const first = (code: string) => `--import=data:text/javascript,${encodeURIComponent(code)}`
const PROCESSES = {
  '--frozen-intrinsics': '--frozen-intrinsics',
  'a read-only Error.stackTraceLimit': first(
    "Object.defineProperty(Error, 'stackTraceLimit', { writable: false })",
  ),
  'a frozen Error': first('Object.freeze(Error)'),
} as const

interface Refusal {
  readonly status?: number
  readonly code?: string
  readonly body?: { readonly code?: string; readonly error?: string }
}
type Results = Record<string, Record<string, Refusal>>

async function resultsIn(args: readonly string[], ...rest: string[]): Promise<Results> {
  const { stdout } = await run(process.execPath, [...process.execArgv, ...args, SCENARIO, ...rest])
  return JSON.parse(stdout) as Results
}

// A process takes seconds to start, so they run side by side.
const plain = resultsIn([], 'express')
t.jobs = 4

t.test('the scenario rejects in every way', async (t) => {
  const { fastify, express, lambda, client, proxy } = await plain
  const answered = {
    ok: { status: 200, body: { ok: true } },
    missing: { status: 401, body: { code: 'ERR_TOKEN_MISSING' } },
    malformed: { status: 400, body: { code: 'ERR_REQUEST_INVALID' } },
    forged: { status: 401, body: { code: 'ERR_TOKEN_SIGNATURE' } },
    scope: { status: 403, body: { code: 'ERR_SCOPE_INSUFFICIENT' } },
    fault: { status: 503, body: { code: 'ERR_CHECK_UNAVAILABLE' } },
    keys: { status: 503, body: { code: 'ERR_KEYS_UNAVAILABLE' } },
  }
  t.match(fastify, answered)
  t.match(express, answered)
  t.match(lambda, {
    ok: ['Allow'],
    missing: { message: 'Unauthorized', code: 'ERR_TOKEN_MISSING' },
    scope: ['Deny'],
    keys: { code: 'ERR_KEYS_UNAVAILABLE' },
  })
  t.match(client, {
    ok: 'string',
    refused: { code: 'ERR_TOKEN_REQUEST_REFUSED' },
    network: { code: 'ERR_TOKEN_REQUEST_NETWORK' },
    secret: { code: 'ERR_CLIENT_SECRET_UNAVAILABLE' },
  })
  t.match(proxy, {
    ok: { status: 200 },
    malformed: { status: 400 },
    grant: { status: 400, body: { error: 'unsupported_grant_type' } },
    secret: { status: 400, body: { error: 'invalid_client' } },
    upstream: { status: 503 },
  })
})

for (const [name, argument] of Object.entries(PROCESSES)) {
  t.test(`${name}: everything is rejected as without`, async (t) => {
    const withExpress = name === 'a read-only Error.stackTraceLimit'
    const results = await resultsIn([argument], ...(withExpress ? ['express'] : []))
    const { express, ...others } = await plain
    t.strictSame(results, withExpress ? { express, ...others } : others)
  })
}

for (const framework of ['express', 'express4']) {
  t.test(`${framework} does not load with --frozen-intrinsics`, async (t) => {
    const code = `await import('${framework}')`
    const args = ['--frozen-intrinsics', '--input-type=module', '--eval', code]
    await t.rejects(run(process.execPath, args), /node_modules.depd/)
    const loaded = run(process.execPath, args.slice(1))
    await t.resolves(loaded)
  })
}

/** A Redis that answers errors alone, asked once. */
const ERROR_REPLY = `import { createServer } from 'node:net'
  const { Redis } = await import(process.argv[1])
  const server = createServer((socket) => socket.on('data', () => socket.write('-ERR no\\r\\n')))
  server.listen(0, '127.0.0.1', async () => {
    const { port } = server.address()
    const options = { enableReadyCheck: false, retryStrategy: null, maxRetriesPerRequest: 0 }
    const redis = new Redis({ port, host: '127.0.0.1', ...options })
    redis.on('error', () => {})
    process.stdout.write(await redis.get('a').catch(({ message }) => message))
    process.exit()
  })`

for (const client of ['ioredis', 'ioredis5']) {
  t.test(`${client} does not survive an error reply with --frozen-intrinsics`, async (t) => {
    const args = ['--input-type=module', '--eval', ERROR_REPLY, client]
    const ended = run(process.execPath, ['--frozen-intrinsics', ...args])
    const { stdout, stderr } = await ended.catch(
      (error: { stdout: string; stderr: string }) => error,
    )
    t.match(stdout + stderr, /stackTraceLimit/)
  })
}
