/**
 * Run as a separate process: a proxy over Redis. Reports its port, and follows commands of its parent.
 *
 * `node proxy-process.ts <settings as JSON>`
 */
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { Redis } from 'ioredis'
import { redisStore, tokenProxy } from '../../src/tokens/proxy/index.ts'
import { COMMAND_TIMEOUT_MS } from '../../src/tokens/store/store-caller.ts'
import { RealLimit } from './real-limit.ts'

/** What the parent hands over. */
export interface ProxySettings {
  readonly tokenEndpoint: string
  readonly redisUrl: string
  readonly encryptionKeys: readonly { readonly id: string; readonly key: string }[]
  /** Seconds. */
  readonly timeout: number
  /** Milliseconds that Redis may take in place of 100. */
  readonly bound?: number | undefined
  /** Milliseconds by which the wall clock of this process is ahead of the real one. Default 0. */
  readonly skewMs?: number | undefined
}

/** A message to the parent: one member of these. */
export interface ProxyMessage {
  readonly port?: number
  /** The client that was invalidated. */
  readonly invalidated?: string
  /** A warning or an error that was logged. */
  readonly logged?: LogLine
}

/** A line of the log, as pino writes it. */
export interface LogLine {
  readonly msg: string
  readonly [detail: string]: unknown
}

const tellParent = (message: ProxyMessage): void => {
  process.send?.(message)
}

const {
  redisUrl,
  bound,
  skewMs = 0,
  ...options
} = JSON.parse(process.argv[2] ?? '') as ProxySettings
if (bound !== undefined) new RealLimit(COMMAND_TIMEOUT_MS, bound)
const stream = { write: (line: string) => tellParent({ logged: JSON.parse(line) as LogLine }) }
const app = fastify({ forceCloseConnections: true, logger: { level: 'warn', stream } })
await app.register(tokenProxy, {
  ...options,
  now: () => Date.now() + skewMs,
  store: redisStore({ redis: new Redis(redisUrl, { lazyConnect: true }) }),
})
await app.listen({ port: 0, host: '127.0.0.1' })
process.on('message', async ({ clientId }: { readonly clientId: string }) => {
  await app.tokenProxy.invalidate({ clientId })
  tellParent({ invalidated: clientId })
})
process.on('disconnect', () => process.exit())
tellParent({ port: (app.server.address() as AddressInfo).port })
