import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { ask, failure } from '../testing/http.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** The bin in a process of its own, with this process's loaders. */
function start(...args: string[]) {
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  return { child, err: () => err }
}

// Starting a process takes seconds with the loaders, so they run side by side.
t.jobs = 3

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`local runs until ${signal}, then ends with 0`, async (t) => {
    const { child, err } = start('local', '--json')
    t.teardown(() => child.kill('SIGKILL'))
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const { jwksUri } = JSON.parse(line.toString()) as { jwksUri: string }
    const { port, pathname } = new URL(jwksUri)
    t.equal((await ask(Number(port), { path: pathname })).status, 200)
    child.kill(signal)
    t.strictSame(await once(child, 'close'), [0, null])
    t.equal(err(), '')
    t.equal(await failure(ask(Number(port))), 'ECONNREFUSED')
  })
}

t.test('wrong usage ends with 2 and one line', async (t) => {
  const { child, err } = start('lokal')
  t.strictSame(await once(child, 'close'), [2, null])
  t.match(err(), /^cognito-m2m: unknown command 'lokal'[^\n]*\n$/)
})
