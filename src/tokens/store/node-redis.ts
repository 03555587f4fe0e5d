/** The store's connection through node-redis. It has the interface of a connection of ioredis. */
import { EventEmitter } from 'node:events'
import type { RedisConnection, RedisOverrides } from './redis-link.ts'

/** The required part of a client of node-redis (`createClient` of the package `redis`): 5 or 6. */
export interface NodeRedisLike {
  readonly options?: { readonly socket?: object | undefined } | undefined
  /** Only clients of one server have it. A cluster and a Sentinel client have none. */
  readonly socketEpoch: number
  duplicate(overrides: NodeRedisOverrides): NodeRedisClient
}

/** Options of the store's connection that replace those of the client. */
export interface NodeRedisOverrides {
  readonly socket: { readonly connectTimeout: number; readonly reconnectStrategy: false }
}

/** The required part of the duplicate. */
export interface NodeRedisClient {
  connect(): Promise<unknown>
  destroy(): void
  on(event: 'ready' | 'error', listener: () => void): unknown
  sendCommand(
    args: readonly (string | Buffer)[],
    options: { readonly typeMapping: { readonly 36: BufferConstructor } },
  ): Promise<unknown>
}

/** Returns bulk strings (type `$` of RESP) as bytes. */
const AS_BYTES = { typeMapping: { 36: Buffer } } as const

/**
 * Each attempt to connect has a separate client. A client that reconnects itself sends commands again without their
 * deadline, and keeps a connection that is silent.
 */
export class NodeRedisConnection implements RedisConnection {
  readonly #redis: NodeRedisLike
  readonly #overrides: RedisOverrides
  readonly #events = new EventEmitter()
  /** Undefined while there is no connection, and after {@link disconnect}. */
  #client: NodeRedisClient | undefined
  #timer: NodeJS.Timeout | undefined
  #failures = 0

  constructor(redis: NodeRedisLike, overrides: RedisOverrides) {
    this.#redis = redis
    this.#overrides = overrides
    this.#connect()
  }

  async callBuffer(command: string, ...args: (string | Buffer | number)[]): Promise<unknown> {
    const client = this.#client
    if (client === undefined) throw new Error('The connection is closed')
    const { socketTimeout } = this.#overrides
    const reply = client.sendCommand([command, ...args.map(toArgument)], AS_BYTES)
    const timer = setTimeout(() => this.#onBroken(client), socketTimeout).unref()
    return reply
      .catch((error: unknown) => {
        // A broken connection is dropped before its commands reject. So this error is a reply of Redis.
        throw this.#client === client ? new ReplyError(error) : error
      })
      .finally(() => clearTimeout(timer))
  }

  on(event: 'ready' | 'close' | 'error', listener: () => void): void {
    this.#events.on(event, listener)
  }

  disconnect(): void {
    clearTimeout(this.#timer)
    const client = this.#client
    this.#client = undefined
    if (client !== undefined) destroy(client)
  }

  #connect(): void {
    const { connectTimeout } = this.#overrides
    const client = this.#redis.duplicate({
      socket: { ...this.#redis.options?.socket, connectTimeout, reconnectStrategy: false },
    })
    this.#client = client
    client.on('ready', () => {
      // A client that is destroyed while it connects still gets ready.
      if (this.#client !== client) return destroy(client)
      this.#failures = 0
      this.#events.emit('ready')
    })
    client.on('error', () => this.#onBroken(client))
    client.connect().catch(() => this.#onBroken(client))
  }

  #onBroken(client: NodeRedisClient): void {
    if (this.#client !== client) return
    this.#client = undefined
    this.#events.emit('close')
    destroy(client)
    this.#failures += 1
    const delayMs = this.#overrides.retryStrategy(this.#failures)
    this.#timer = setTimeout(() => this.#connect(), delayMs).unref()
  }
}

/** Also where the client has closed itself: node-redis lists clients until then. Version 5 throws there. */
function destroy(client: NodeRedisClient): void {
  try {
    client.destroy()
  } catch {
    // It is closed.
  }
}

/** An error reply of Redis, with the name that ioredis gives it. */
class ReplyError extends Error {
  constructor(error: unknown) {
    super((error as Error).message)
    this.name = 'ReplyError'
  }
}

function toArgument(value: string | Buffer | number): string | Buffer {
  return typeof value === 'number' ? String(value) : value
}
