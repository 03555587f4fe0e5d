/** Proxies as processes over one Redis: started, told and ended by a test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { startRedis } from '../store/redis.ts'
import { type Answer, ask } from '../testing/http.ts'
import type { ProxySettings } from './proxy-process.ts'
import { type AskOptions, requestOf } from './support.ts'

const SCRIPT = fileURLToPath(new URL('./proxy-process.ts', import.meta.url))
const KEY = { id: 'test', key: randomBytes(32).toString('base64') }

/** A proxy of another process. */
export interface ProxyProcess {
  readonly port: number
  readonly ask: (options?: AskOptions) => Promise<Answer>
  /** Resolves once that process says it is done. */
  readonly invalidate: (clientId: string) => Promise<void>
  /** As a crash does. */
  readonly kill: () => Promise<void>
}

/** With this process's loaders. */
export async function startProxy(t: Test, settings: ProxySettings): Promise<ProxyProcess> {
  const args = [...process.execArgv, SCRIPT, JSON.stringify(settings)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  t.teardown(kill)
  const { port } = await message<{ port: number }>(child)
  return {
    port,
    kill,
    ask: (options = {}) => ask(port, requestOf(options)),
    async invalidate(clientId) {
      const done = message(child)
      child.send({ clientId })
      await done
    },
  }
}

async function message<Message>(child: ChildProcess): Promise<Message> {
  const ended = once(child, 'exit').then(() => {
    throw new Error('The proxy ended before it answered')
  })
  const [said] = await Promise.race([once(child, 'message'), ended])
  return said as Message
}

/** A Redis, and so many proxies over it. */
export async function fleetOf(
  t: Test,
  tokenEndpoint: string,
  { count = 2, timeout = 30, bound }: Partial<ProxySettings> & { readonly count?: number } = {},
) {
  const redis = await startRedis()
  t.teardown(() => redis.kill())
  const settings = { tokenEndpoint, redisUrl: redis.url, encryptionKeys: [KEY], timeout, bound }
  const start = (): Promise<ProxyProcess> => startProxy(t, settings)
  const proxies = await Promise.all(Array.from({ length: count }, start))
  return { redis, proxies, start }
}
