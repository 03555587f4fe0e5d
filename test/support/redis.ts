/** A redis-server of the test's own: on loopback, with nothing on disk. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { storeLimit } from './store-limit.ts'

/** Valkey's takes the same arguments. */
const BINARY = process.env['REDIS_SERVER'] ?? 'redis-server'
const ATTEMPTS = 5

/** Why tests over Redis are left out, or false. In the gate they are not: there it is an error. */
export const withoutRedis: string | false = lookForRedis()

function lookForRedis(): string | false {
  if (spawnSync(BINARY, ['--version']).status === 0) return false
  const message = `${BINARY} IS NOT INSTALLED: nothing is tested over Redis (apt-get install redis-server)`
  if (process.env['CI'] === 'true') throw new Error(message)
  process.stderr.write(`${message}\n`)
  return message
}

/** A running server. */
export interface RedisProcess {
  readonly port: number
  readonly url: string
  readonly pid: number
  /** Hangs: connections stay, nothing answers. */
  pause(): void
  resume(): void
  /** Ends it as a crash does, and waits until it is gone. */
  kill(): Promise<void>
}

/** @param options.port For one that comes back where another was. */
export async function startRedis(options: { port?: number } = {}): Promise<RedisProcess> {
  if (options.port === undefined) storeLimit.lengthen()
  let last: unknown
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = options.port ?? (await freePort())
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    // Whatever becomes of this process, its pipe ends, and Redis with it.
    const child = spawn('sh', [
      '-c',
      '"$@" & echo "pid $!"; cat; kill -9 $!; wait',
      'sh',
      BINARY,
      ...args,
    ])
    try {
      return running(child, await readiness(child), port)
    } catch (error) {
      last = error
    }
  }
  throw last
}

function readiness(child: ChildProcess): Promise<number> {
  let said = ''
  return new Promise((resolve, reject) => {
    // Read to its end: a full pipe would hang the server.
    child.stdout?.on('data', (chunk) => {
      said += String(chunk)
      if (!said.includes('Ready to accept connections')) {
        if (said.includes('Failed listening')) child.stdin?.end()
        return
      }
      resolve(Number(/^pid (\d+)/.exec(said)?.[1]))
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`${BINARY} did not start: ${said}`)))
  })
}

function running(child: ChildProcess, pid: number, port: number): RedisProcess {
  return {
    port,
    pid,
    url: `redis://127.0.0.1:${port}`,
    pause: () => {
      storeLimit.shorten()
      process.kill(pid, 'SIGSTOP')
    },
    resume: () => void process.kill(pid, 'SIGCONT'),
    async kill() {
      storeLimit.shorten()
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.stdin?.end()
      await gone
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
