/** A connection to Redis. Commands wait for it, are sent again after it broke, and have deadlines by the clock of Redis. */
import { performance } from 'node:perf_hooks'
import type { RedisScript } from './redis-scripts.ts'
import { StoreClock } from './store-clock.ts'
import { LateError } from './token-store.ts'

/** The required part of an ioredis instance: 5.4 or later, or 6. */
export interface RedisLike {
  duplicate(override: RedisOverrides): RedisConnection
}

/** Options of the store's connection that replace those of the instance. */
export interface RedisOverrides {
  readonly lazyConnect: false
  readonly enableOfflineQueue: false
  readonly autoResendUnfulfilledCommands: false
  readonly maxRetriesPerRequest: 0
  readonly commandTimeout: number
  readonly connectTimeout: number
  readonly disconnectTimeout: number
  readonly socketTimeout: number
  readonly retryStrategy: (times: number) => number
}

/** The required part of the connection. */
export interface RedisConnection {
  callBuffer(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>
  on(event: 'ready' | 'close' | 'error', listener: () => void): unknown
  disconnect(): void
}

/** Arguments of a script. */
export type RedisArguments = readonly (string | Buffer | number)[]

/** One script to run. */
export interface RedisCommand {
  readonly script: RedisScript
  readonly key: string
  /** Milliseconds from the call within which Redis must execute it. */
  readonly maxDelayMs: number
  /** @param deadline Whole milliseconds by the clock of Redis. */
  readonly argsOf: (deadline: number) => RedisArguments
}

/** Milliseconds of silence after which a connection with commands in flight counts as broken. */
export const SOCKET_TIMEOUT_MS = 2000
/** Milliseconds until a closed connection without a response is destroyed. */
const DISCONNECT_TIMEOUT_MS = 100
/** Milliseconds. Longer than the socket's timeout: ioredis must not end commands in flight. */
const COMMAND_TIMEOUT_MS = 10_000
/** Quick attempts to connect, while callers may wait for a broken connection, and milliseconds between attempts. */
const QUICK_ATTEMPTS = 8
const QUICK_DELAY_MS = 150
const SLOW_DELAY_MS = 1000
/** Most commands that wait for a connection. Further ones reject at once. */
const MAX_WAITING = 5000

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * The offline queue of ioredis is off: it would end all commands at each failed attempt to connect. A command may be
 * executed twice, so all scripts are idempotent.
 */
export class RedisLink {
  readonly #connection: RedisConnection
  readonly #waiters = new Set<Waiter>()
  /** Scripts that this connection has sent. */
  readonly #sent = new Set<string>()
  #clock: StoreClock
  #state: 'connecting' | 'connected' | 'ready' | 'closed' = 'connecting'
  #connections = 0
  #server: string | undefined
  #servers = 0
  #isInHandshake = false

  constructor(redis: RedisLike) {
    this.#clock = createClock()
    this.#connection = redis.duplicate({
      lazyConnect: false,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: SOCKET_TIMEOUT_MS,
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      retryStrategy: (times) => (times > QUICK_ATTEMPTS ? SLOW_DELAY_MS : QUICK_DELAY_MS),
    })
    this.#connection.on('ready', () => this.#onConnected())
    this.#connection.on('close', () => this.#onDisconnected())
    // Each command rejects on its own. Without a listener, ioredis writes to the console.
    this.#connection.on('error', () => {})
  }

  /** Number of servers so far. A restarted server, or a replica after a failover, is another server. */
  get servers(): number {
    return this.#servers
  }

  /**
   * Runs a script.
   *
   * @returns The script's result.
   * @throws {LateError} If Redis executed it after the deadline.
   */
  async run({ script, key, maxDelayMs, argsOf }: RedisCommand): Promise<unknown> {
    const end = performance.now() + maxDelayMs
    for (;;) {
      if (this.#state !== 'ready') await this.#waitForConnection(end - performance.now())
      const left = end - performance.now()
      if (left <= 0) throw new LateError()
      const args = argsOf(Math.floor(this.#clock.earliest() + left))
      try {
        return await this.#send(script, key, args)
      } catch (error) {
        if (isRedisError(error)) throw error
        // The connection broke. Its `close` event is handled first, then the command is sent again.
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
  }

  close(): void {
    this.#state = 'closed'
    this.#connection.disconnect()
    this.#rejectAll(new Error('The store is closed'))
  }

  /** Sends the first call of a script as EVAL. After NOSCRIPT, later commands would be executed before it. */
  async #send({ sha, source }: RedisScript, key: string, args: RedisArguments): Promise<unknown> {
    if (!this.#sent.has(sha)) {
      this.#sent.add(sha)
      return this.#call('EVAL', source, 1, key, ...args)
    }
    try {
      return await this.#call('EVALSHA', sha, 1, key, ...args)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return this.#call('EVAL', source, 1, key, ...args)
    }
  }

  /** A result that begins with the time corrects the clock, even if the caller has stopped waiting. */
  async #call(command: string, ...args: RedisArguments): Promise<unknown> {
    const clock = this.#clock
    const sentAt = clock.monotonicNow()
    const result = await this.#connection.callBuffer(command, ...args)
    if (Array.isArray(result)) {
      clock.observe(result[0], sentAt)
      if (result.length === 1) throw new LateError()
    }
    return result
  }

  /** Resolves once the clock of Redis is known, which deadlines require. */
  #waitForConnection(milliseconds: number): Promise<void> {
    if (this.#state === 'closed') return Promise.reject(new Error('The store is closed'))
    if (this.#waiters.size >= MAX_WAITING) {
      return Promise.reject(new Error('Too many commands wait for a connection'))
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(new LateError())), milliseconds).unref()
      const settle = (end: () => void): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
        end()
      }
      const waiter = {
        resolve: () => settle(resolve),
        reject: (error: unknown) => settle(() => reject(error)),
      }
      this.#waiters.add(waiter)
      // The next command retries a handshake that Redis rejected.
      if (this.#state === 'connected' && !this.#isInHandshake) void this.#handshake()
    })
  }

  #onConnected(): void {
    this.#state = 'connected'
    void this.#handshake()
  }

  #onDisconnected(): void {
    if (this.#state !== 'closed') this.#state = 'connecting'
    this.#connections += 1
    this.#isInHandshake = false
    this.#sent.clear()
  }

  /** Reads time and identity of the server, before any other command. */
  async #handshake(): Promise<void> {
    const connection = this.#connections
    const clock = createClock()
    const sentAt = clock.monotonicNow()
    this.#isInHandshake = true
    try {
      const [time, info] = await Promise.all([
        this.#connection.callBuffer('TIME'),
        this.#connection.callBuffer('INFO').catch(() => undefined),
      ])
      if (connection !== this.#connections || this.#state === 'closed') return
      const [seconds, microseconds] = time as readonly [Buffer, Buffer]
      clock.observe(Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000), sentAt)
      this.#clock = clock
      this.#identifyServer(String(info))
      this.#state = 'ready'
      for (const waiter of [...this.#waiters]) waiter.resolve()
    } catch (error) {
      // After a broken connection, commands wait for the next one.
      if (isRedisError(error)) this.#rejectAll(error)
    }
    if (connection === this.#connections) this.#isInHandshake = false
  }

  /** Without an identity, each connection counts as another server. */
  #identifyServer(info: string): void {
    const names = ['run_id', 'master_replid'].map((name) => readInfoField(info, name))
    const server = names.includes(undefined) ? undefined : names.join(' ')
    if (server === undefined || server !== this.#server) this.#servers += 1
    this.#server = server
  }

  #rejectAll(error: unknown): void {
    for (const waiter of [...this.#waiters]) waiter.reject(error)
  }
}

function createClock(): StoreClock {
  return new StoreClock({ now: () => Number.NaN, monotonicNow: () => performance.now() })
}

/** Whether Redis returned the error. All other errors mean that the connection broke. */
function isRedisError(error: unknown): boolean {
  return error instanceof LateError || (error instanceof Error && error.name === 'ReplyError')
}

function readInfoField(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(\\w+)`, 'm').exec(info)?.[1]
}
