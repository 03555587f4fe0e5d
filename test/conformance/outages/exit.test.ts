/** A process whose APIs have nothing to do ends by itself, whatever their pools are like. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startUserPool } from '../../../src/testing/index.ts'
import type { Situation } from './idle-process.ts'
import { CLIENT } from './surface-fixture.ts'

const SCRIPT = fileURLToPath(new URL('./idle-process.ts', import.meta.url))
/** Milliseconds; a process that does not end is ended by then. */
const PATIENCE = 300_000

/** What a process says and how it ends, with this process's loaders. */
async function run(situations: readonly Situation[]) {
  const args = [...process.execArgv, SCRIPT, JSON.stringify(situations)]
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE,
  })
  const [out, err, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, string | null]>,
  ])
  return { said: JSON.parse(out || 'null') as unknown, err, code, signal }
}

/** A door that listens keeps its process alive, as it should: these are the ways not to. */
const everyKind = (status: number, thrown = status) => ({
  'the bare core': status,
  'a Fastify app that only injects': status,
  'an Express app that never listens': status,
  'a Lambda authorizer': thrown,
})

t.test('a process with APIs that are idle ends by itself, closed or not', async (t) => {
  const situation = async (name: string, fault: 'refuse' | 'hang' | null, close: boolean) => {
    const pool = await startUserPool({ clients: [{ clientId: CLIENT }] })
    t.teardown(() => pool.close())
    await pool.setJwksFault(fault)
    const options = { ...pool.options(), keyStore: { fetchTimeout: fault === 'hang' ? 1 : 30 } }
    return { name, options, token: pool.accessToken(), close }
  }
  const ended = await run([
    await situation('healthy, left open', null, false),
    await situation('healthy, closed', null, true),
    await situation('refusing, left open', 'refuse', false),
    await situation('hanging, closed', 'hang', true),
  ])
  const answers = {
    'healthy, left open': everyKind(200),
    'healthy, closed': everyKind(200),
    'refusing, left open': everyKind(503, 500),
    'hanging, closed': everyKind(503, 500),
  }
  t.strictSame(ended, { said: { answers, left: [] }, err: '', code: 0, signal: null })
})
