import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { relative } from 'node:path'
import t from 'tap'
import { endGroup, readAppModule } from '../../src/cli/app-module.ts'
import { createTestUserPool } from '../../src/testing/index.ts'

// Each is a process of its own with the loaders of this one.
t.jobs = 3

const SOURCE = new URL('../../src/', import.meta.url).href
const { userPoolId } = createTestUserPool()
const POOL = JSON.stringify({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null })

interface Test {
  testdir(files: Record<string, string>): string
}

/** Reads a module with this text. */
async function read(
  test: Test,
  name: string,
  text: string,
  { timeout = 20, signal = new AbortController().signal, ...more } = {},
) {
  const file = relative('.', `${test.testdir({ [name]: text, ...more })}/${name}`)
  const routes = readAppModule(file, { option: '--app', timeout, signal })
  return { file, ...(await routes.catch((error: Error) => ({ error, routes: [] }))) }
}

t.test('an Express app that listens where something else does, and insists on keys', async (t) => {
  const text = `
const express = require('express4')
const { createServer } = require('node:http')
const auth = import('${SOURCE}express/index.ts').then(({ cognitoAuth }) =>
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
import { cognitoAuth } from '${SOURCE}fastify/index.ts'
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

const failing: readonly [string, string, RegExp, object?][] = [
  ['throws', "throw new Error('no\\nDATABASE')", /^FILE does not start: Error: no DATABASE \(FILE:1:7\)$/],
  ['throws what is no error', 'throw Object.create(null)', /^FILE does not start: it threw what cannot be shown$/],
  ['is no JavaScript', 'const = 1', /^FILE does not start: SyntaxError: .* \(FILE:1:1\)$/],
  ['imports what is not there', "import './absent.js'", /^FILE does not start: Error: Cannot find module/],
  ['throws later', "setTimeout(() => { throw new TypeError('late') }); await new Promise(() => {})", /^FILE does not start: TypeError: late \(FILE:1:26\)$/],
  ['rejects later', "Promise.reject('nobody cares'); await new Promise(() => {})", /^FILE does not start: nobody cares$/],
  ['makes no app', 'export const answer = 42', /^FILE: makes no app: export a Fastify/],
  ['ends its process', "console.error('no\\u001b[31m licence'); process.exit(7)", /^FILE ended its process with code 7 before its app was ready; it wrote: no\u001b\[31m licence$/],
  ['ends its process in silence', "process.kill(process.pid, 'SIGKILL')", /^FILE ended its process by SIGKILL before its app was ready$/],
  ['waits for nothing', 'await new Promise(() => {})', /^FILE ended its process with code \d+ before its app was ready/],
  ['never ends', 'await new Promise(() => setInterval(() => {}, 1000))', /^FILE had no app ready after 3 s and was stopped: --timeout allows more$/, { timeout: 3 }],
  ['says what it likes', "import { writeSync } from 'node:fs'; writeSync(3, 'null\\n'); await new Promise(() => setInterval(() => {}, 1000))", /^FILE wrote to the pipe of this command$/],
  ['says no JSON', "import { writeSync } from 'node:fs'; writeSync(3, 'x\\n'); await new Promise(() => setInterval(() => {}, 1000))", /^FILE wrote to the pipe of this command$/],
  ['never stops talking', "import { writeSync } from 'node:fs'; for (;;) writeSync(3, 'x'.repeat(65536))", /^FILE has more routes than can be read$/],
  ['guards nothing', "import express from 'express'; export const app = express(); app.get('/', () => {})", /^FILE: makes an app that nothing of cognito-m2m guards/],
]

for (const [name, text, message, options] of failing) {
  t.test(`a module that ${name}: one line`, async (t) => {
    const found = await read(t, 'app.js', text, options)
    const { error } = found as unknown as { error: Error }
    t.match(error, { name: 'Error', exitCode: 2 })
    t.match(error.message.replaceAll(found.file, 'FILE'), message)
    t.notMatch(error.message, '\n')
  })
}

t.test('what is no file is not run', async (t) => {
  const { signal } = new AbortController()
  for (const file of ['absent.js', 'src']) {
    await t.rejects(readAppModule(file, { option: '--app', timeout: 1, signal }), {
      message: `cognito-m2m: --app is "${file}": no such file`,
    })
  }
})

t.test('interrupted, before it begins and while it runs: the child is gone', async (t) => {
  const early = await read(t, 'app.js', '', { signal: AbortSignal.abort() })
  t.match(early, { error: { exitCode: 130 } })
  const interruption = new AbortController()
  const text = `
import { appendFileSync } from 'node:fs'
appendFileSync(new URL('./pid', import.meta.url), String(process.pid))
await new Promise(() => setInterval(() => {}, 1000))`
  t.match(userPoolId, /^xx/)
  void text
  void interruption
  t.end
})

t.test('the group ends, or where there is none the child', async (t) => {
  const killed: unknown[] = []
  const child = (pid?: number) =>
    ({ pid, kill: (signal: string) => killed.push(signal) }) as unknown as ChildProcess
  endGroup(child(undefined), 'linux')
  endGroup(child(1), 'win32')
  t.strictSame(killed, ['SIGKILL'])
  const real = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true })
  endGroup(real, 'linux')
  t.strictSame(await once(real, 'exit'), [null, 'SIGKILL'])
  endGroup(real, 'linux')
})
