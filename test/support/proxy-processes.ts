/** Proxies as processes over one Redis: started, controlled and ended by a test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { type Answer, ask } from './http.ts'
import { createRequest, type TokenRequestOptions } from './proxy.ts'
import type { LogLine, ProxyMessage, ProxySettings } from './proxy-process.ts'
import { startRedis } from './redis.ts'

const SCRIPT = fileURLToPath(new URL('./proxy-process.ts', import.meta.url))
const KEY = { id: 'test', key: randomBytes(32).toString('base64') }

/** A proxy of another process. */
export interface ProxyProcess {
  readonly port: number
  /** Warnings and errors so far. */
  readonly logged: readonly LogLine[]
  readonly ask: (options?: TokenRequestOptions) => Promise<Answer>
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
  const logged: LogLine[] = []
  child.on('message', (message: ProxyMessage) => {
    if (message.logged !== undefined) logged.push(message.logged)
  })
  const port = await messageOf(child, 'port')
  return {
    port,
    logged,
    kill,
    ask: (options = {}) => ask(port, createRequest(options)),
    async invalidate(clientId) {
      const done = messageOf(child, 'invalidated')
      child.send({ clientId })
      await done
    },
  }
}

/** The member of the next message that has it. */
function messageOf<Name extends keyof ProxyMessage>(
  child: ChildProcess,
  name: Name,
): Promise<NonNullable<ProxyMessage[Name]>> {
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('The proxy ended before it answered')))
    child.on('message', function read(message: ProxyMessage) {
      const value = message[name]
      if (value === undefined) return
      child.off('message', read)
      resolve(value)
    })
  })
}

/** {@link fleetOf}. */
interface FleetOptions {
  /** Seconds. */
  readonly timeout?: number
  /** See {@link ProxySettings}. */
  readonly bound?: number
  /** One process for each: milliseconds by which its wall clock is ahead. Default two without skew. */
  readonly skewsMs?: readonly number[]
}

/** A Redis, and so many proxies over it. */
export async function fleetOf(
  t: Test,
  tokenEndpoint: string,
  { timeout = 30, bound, skewsMs = [0, 0] }: FleetOptions = {},
) {
  const redis = await startRedis()
  t.teardown(() => redis.kill())
  const settings = { tokenEndpoint, redisUrl: redis.url, encryptionKeys: [KEY], timeout, bound }
  const start = (skewMs: number): Promise<ProxyProcess> => startProxy(t, { ...settings, skewMs })
  return { redis, proxies: await Promise.all(skewsMs.map(start)) }
}
