/**
 * Run as a process of its own: a proxy over Redis. Says where it listens, and does what it is told.
 *
 * `node proxy-process.ts <settings as JSON>`
 */
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { Redis } from 'ioredis'
import { redisStore, tokenProxy } from '../../src/proxy/index.ts'
import { BOUND } from '../../src/store/reach.ts'
import { RealLimit } from '../support/real-limit.ts'

/** What the parent hands over. */
export interface ProxySettings {
  readonly tokenEndpoint: string
  readonly redisUrl: string
  readonly encryptionKeys: readonly { readonly id: string; readonly key: string }[]
  /** Seconds. */
  readonly timeout: number
  /** Milliseconds that Redis may take in place of 100. */
  readonly bound?: number | undefined
}

const { redisUrl, bound, ...options } = JSON.parse(process.argv[2] ?? '') as ProxySettings
if (bound !== undefined) new RealLimit(BOUND, bound)
const app = fastify({ forceCloseConnections: true })
await app.register(tokenProxy, {
  ...options,
  store: redisStore({ redis: new Redis(redisUrl, { lazyConnect: true }) }),
})
await app.listen({ port: 0, host: '127.0.0.1' })
process.on('message', async ({ clientId }: { readonly clientId: string }) => {
  await app.tokenProxy.invalidate({ clientId })
  process.send?.({ invalidated: clientId })
})
process.on('disconnect', () => process.exit())
process.send?.({ port: (app.server.address() as AddressInfo).port })
