import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, watch } from 'node:fs'
import { relative } from 'node:path'
import process from 'node:process'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import {
  killProcessGroup,
  readAppModule,
  readChildMessage,
} from '../../../src/cli/app-loader/process.ts'
import { CommandFailure } from '../../../src/cli/exit-codes.ts'

// Each test starts a process with the loaders of this one.
t.jobs = 3

const SOURCE = new URL('../../../src/', import.meta.url).href
const POOL = JSON.stringify({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null })

interface Test {
  testdir(files: Record<string, string>): string
}

/** Reads a module with this text. */
async function read(
  test: Test,
  name: string,
  text: string,
  { timeout = 500, signal = new AbortController().signal, ...more } = {},
) {
  const file = relative('.', `${test.testdir({ [name]: text, ...more })}/${name}`)
  const routes = readAppModule(file, { option: '--app', timeout, signal })
  return { file, ...(await routes.catch((error: Error) => ({ error, routes: [] }))) }
}

t.test('an Express app that listens where something else does, and insists on keys', async (t) => {
  const text = `
const express = require('express4')
const { createServer } = require('node:http')
const auth = import('${SOURCE}adapters/express/index.ts').then(({ cognitoAuth }) =>
  cognitoAuth({ ...${POOL}, keyStore: { startup: 'require' } }))

async function main() {
  const guard = await auth
  await guard.server.ready()
  console.log('not for the command')
  const app = express()
  const router = express.Router()
  router
    .get('/', guard({ scopes: 'orders/read' }), (req, res) => res.end())
    .post('/', guard({ scopes: 'orders/write' }), (req, res) => res.end())
  app.use('/orders', router)
  createServer(app).listen(1, () => setInterval(() => {}, 1000))
}
main()
`
  const { file, ...found } = await read(t, 'server.cjs', text)
  t.strictSame(found, {
    routes: [
      {
        method: 'GET',
        path: '/orders',
        auth: { scopes: ['orders/read'] },
        at: { file, line: 14, column: 6 },
      },
      {
        method: 'POST',
        path: '/orders',
        auth: { scopes: ['orders/write'] },
        at: { file, line: 15, column: 6 },
      },
    ],
    resourceServers: [],
  })
})

t.test('a Fastify app that a function makes, and its scopes', async (t) => {
  const text = `
import Fastify from 'fastify'
import { defineScopes } from '${SOURCE}index.ts'
import { cognitoAuth } from '${SOURCE}adapters/fastify/index.ts'
export const orders = defineScopes('orders', { read: 'Read orders' })
export async function buildApp() {
  const app = Fastify()
  await app.register(cognitoAuth, { ...${POOL}, keyStore: { startup: 'require' } })
  app.get('/orders', { config: { auth: { scopes: orders.read } } }, async () => [])
  return app
}
`
  const { file, ...found } = await read(t, 'app.js', text)
  t.strictSame(found, {
    routes: [
      {
        method: 'GET',
        path: '/orders',
        auth: { scopes: ['orders/read'] },
        at: { file, line: 9, column: 7 },
      },
    ],
    resourceServers: [{ identifier: 'orders', scopes: { read: 'Read orders' } }],
  })
})

t.test('a module that throws, immediately or later: one line with its position', async (t) => {
  const { file, ...now } = await read(t, 'app.js', "throw new Error('no\\nDATABASE')")
  t.match(now, { error: { exitCode: 2 } })
  t.match(now, { error: { message: `${file} failed to start: Error: no DATABASE (${file}:1:7)` } })
  const text = `setTimeout(() => { throw new TypeError('late') })\nawait new Promise(() => {})`
  t.match(await read(t, 'app.js', text), {
    error: { message: `${file} failed to start: TypeError: late (${file}:1:26)` },
  })
})

const writing = (text: string) =>
  `import { writeSync } from 'node:fs'; writeSync(3, ${JSON.stringify(text)}); setInterval(() => {}, 1000); await new Promise(() => {})`

t.test('a module that writes to file descriptor 3: one line', async (t) => {
  for (const text of ['null\n', 'x\n']) {
    const { file, ...found } = await read(t, 'app.js', writing(text))
    t.match(found, {
      error: {
        message: `${file}: expected no output on file descriptor 3, got other data. Remove the code that writes to it.`,
        exitCode: 2,
      },
    })
  }
})

/** Node without this process's loaders. */
const run = (script: string, { timeout = 500, signal = new AbortController().signal } = {}) =>
  readChildMessage(['--input-type=module', '-e', script], { name: 'app.js', timeout, signal })

t.test('the first line, whatever comes behind it', async (t) => {
  const script = `import { writeSync } from 'node:fs'
process.on('SIGTERM', () => {})
const text = Buffer.from('é'.repeat(100_000) + '\\n')
for (let at = 0; at < text.length; ) at += writeSync(3, text, at)
setInterval(() => {}, 1000)`
  t.equal(await run(script), `${'é'.repeat(100_000)}\n`)
})

const endings: readonly [string, string, RegExp, number?][] = [
  [
    'a code',
    "console.error('no\\n\\u001b[31m licence'); console.log('unheard'); process.exit(7)",
    /^app\.js: the process exited with code 7 before the app was ready; standard error: no .\[31m licence$/,
  ],
  [
    'a signal',
    "process.kill(process.pid, 'SIGKILL')",
    /^app\.js: the process exited on SIGKILL before the app was ready$/,
  ],
  [
    'children that live on',
    "import { spawn } from 'node:child_process'; spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: [0, 1, 2, 3] }); process.exit(1)",
    /^app\.js: the process exited with code 1 before/,
  ],
  [
    'the time limit',
    'setInterval(() => {}, 1000)',
    /^app\.js: expected an app within 0\.5 s, got none\. Increase --timeout\.$/,
    0.5,
  ],
  [
    'too long a line',
    "import { writeSync } from 'node:fs'; for (;;) writeSync(3, 'x'.repeat(65536))",
    /^app\.js: expected at most 20000000 characters of routes, got more\. Split the app\.$/,
  ],
]

for (const [name, script, message, timeout = 500] of endings) {
  t.test(`a child that ends by ${name}: one line`, async (t) => {
    await t.rejects(run(script, { timeout }), { message, exitCode: 2 })
  })
}

t.test('a path that is not a file is not run', async (t) => {
  const { signal } = new AbortController()
  for (const file of ['absent.js', 'src']) {
    await t.rejects(readAppModule(file, { option: '--app', timeout: 1, signal }), {
      message: `cognito-m2m: --app: expected an existing file, got "${file}". Correct the path.`,
    })
  }
})

t.test('interrupted before it begins, and while it runs: nothing of it is left', async (t) => {
  const early = run('', { signal: AbortSignal.abort() })
  await t.rejects(early, new CommandFailure(130, 'interrupted'))
  const interruption = new AbortController()
  const folder = t.testdir({})
  const file = `${folder}/pid`
  const script = `import { writeFileSync } from 'node:fs'
writeFileSync(${JSON.stringify(file)}, String(process.pid))
setInterval(() => {}, 1000)`
  const watcher = watch(folder)
  t.teardown(() => watcher.close())
  const line = run(script, { signal: interruption.signal })
  line.catch(() => {})
  while (!existsSync(file) || readFileSync(file, 'utf8') === '') await once(watcher, 'change')
  const pid = Number(readFileSync(file, 'utf8'))
  interruption.abort()
  await t.rejects(line, new CommandFailure(130, 'interrupted'))
  const isThere = () => {
    try {
      return process.kill(-pid, 0)
    } catch {
      return false
    }
  }
  // For ever, if it stays: tap ends this file then.
  while (isThere()) await setImmediate()
})

t.test('the group ends, or where there is none the child', async (t) => {
  const killed: unknown[] = []
  const child = (pid?: number) =>
    ({ pid, kill: (signal: string) => killed.push(signal) }) as unknown as ChildProcess
  killProcessGroup(child(undefined), 'linux')
  killProcessGroup(child(1), 'win32')
  t.strictSame(killed, ['SIGKILL'])
  const real = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true })
  killProcessGroup(real, 'linux')
  t.strictSame(await once(real, 'exit'), [null, 'SIGKILL'])
  killProcessGroup(real, 'linux')
})
