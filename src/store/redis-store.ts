/** Redis or Valkey as a store of tokens, through the owner's ioredis. */
import { randomUUID } from 'node:crypto'
import { OptionError, readMembers, show } from '../core/option-error.ts'
import { BOUND } from './reach.ts'
import { DELETE, GET, INVALIDATE, LOCK, type RedisScript, SET, UNLOCK } from './redis-scripts.ts'
import type { Found, Kept, TokenStore } from './token-store.ts'

/** What is needed of an ioredis instance: 5.4 or later, or 6. */
export interface RedisLike {
  duplicate(override: RedisOverrides): RedisConnection
}

/** What the store's own connection has differently. */
export interface RedisOverrides {
  readonly lazyConnect: false
  readonly enableOfflineQueue: false
  readonly autoResendUnfulfilledCommands: false
  readonly maxRetriesPerRequest: 0
  readonly commandTimeout: number
  readonly connectTimeout: number
  readonly socketTimeout: number
  readonly retryStrategy: (times: number) => number
}

/** What is needed of the connection. */
export interface RedisConnection {
  callBuffer(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>
  on(event: 'ready' | 'close' | 'error', listener: () => void): unknown
  disconnect(): void
}

/** See {@link redisStore}. */
export interface RedisStoreOptions {
  /**
   * An instance of ioredis, connected as its options say: host, Sentinel, TLS, user and password are
   * its affair. It is duplicated, never used or closed.
   */
  readonly redis: RedisLike
  /** Before every key; default `'cognito-m2m:'`. At most 64 characters. */
  readonly prefix?: string
}

/** Longer than any token lives, so that no copy and no answer is left that belongs to another. */
const EPOCH_TTL = 90_000_000

/** See {@link redisStore}. */
class RedisStore implements TokenStore {
  readonly shared = true
  readonly #connection: RedisConnection
  readonly #prefix: string
  /** Settles once the first attempt to connect is over, well or not, or takes too long. */
  readonly #begun: Promise<void>
  #connections = 0

  constructor(redis: RedisLike, prefix: string) {
    this.#prefix = prefix
    this.#connection = redis.duplicate({
      lazyConnect: false,
      enableOfflineQueue: false,
      // A lock or an entry that is written once nobody waits for it does harm.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      commandTimeout: BOUND,
      connectTimeout: 2000,
      // A host that vanished without a word: no answer for so long, and it is connected to anew.
      socketTimeout: 2000,
      retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1000),
    })
    this.#begun = new Promise((resolve) => {
      setTimeout(resolve, BOUND).unref()
      this.#connection.on('ready', () => {
        this.#connections += 1
        resolve()
      })
      this.#connection.on('close', resolve)
    })
    // Every command rejects by itself; without a listener, ioredis writes to the console.
    this.#connection.on('error', () => {})
  }

  async get(key: string, group: string): Promise<Found> {
    const answer = await this.#run(GET, this.#group(group), key)
    const [epoch, value, now] = answer as readonly [Buffer, Buffer | null, number]
    return { value: value ?? undefined, epoch: epoch.toString() || this.#firstEpoch(), now }
  }

  async set(key: string, group: string, { value, epoch, ttl }: Kept): Promise<boolean> {
    if (epoch.startsWith(FIRST) && epoch !== this.#firstEpoch()) return false
    const known = epoch.startsWith(FIRST) ? '' : epoch
    const args = [key, Buffer.from(value), known, Math.ceil(ttl)]
    return (await this.#run(SET, this.#group(group), ...args)) === 1
  }

  async delete(key: string, group: string): Promise<void> {
    await this.#run(DELETE, this.#group(group), key)
  }

  async invalidate(group: string): Promise<void> {
    await this.#run(INVALIDATE, this.#group(group), randomUUID(), EPOCH_TTL)
  }

  async lock(key: string, owner: string, ttl: number): Promise<boolean> {
    return (await this.#run(LOCK, this.#lock(key), owner, Math.ceil(ttl))) === 1
  }

  async unlock(key: string, owner: string): Promise<void> {
    await this.#run(UNLOCK, this.#lock(key), owner)
  }

  async close(): Promise<void> {
    this.#connection.disconnect()
  }

  /**
   * The epoch of a group that was never invalidated, as far as Redis remembers. A Redis that was
   * restarted may have forgotten, so it is another one on every connection.
   */
  #firstEpoch(): string {
    return `${FIRST}${this.#connections}`
  }

  #group(group: string): string {
    return `${this.#prefix}group:${group}`
  }

  #lock(key: string): string {
    return `${this.#prefix}lock:${key}`
  }

  /** By its name, and with its text where Redis does not have it, as after a restart. */
  async #run({ sha, source }: RedisScript, key: string, ...args: Arguments): Promise<unknown> {
    try {
      return await this.#call('EVALSHA', sha, 1, key, ...args)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return this.#call('EVAL', source, 1, key, ...args)
    }
  }

  async #call(command: string, ...args: Arguments): Promise<unknown> {
    await this.#begun
    return this.#connection.callBuffer(command, ...args)
  }
}

type Arguments = (string | Buffer | number)[]

const FIRST = 'first '

/**
 * Keeps tokens in Redis or Valkey, for several processes or machines. Values come sealed: give the
 * proxy or client `encryptionKeys` too.
 *
 * ```ts
 * import { Redis } from 'ioredis'
 *
 * const store = redisStore({ redis: new Redis('rediss://tokens.internal:6379') })
 * ```
 *
 * Commands are bounded to 100 ms, nothing is queued while the connection is down, and it is tried
 * anew at most 1 s apart for as long as it takes. Not for `Redis.Cluster`. Configure Redis with
 * `maxmemory-policy` `noeviction` or `volatile-ttl`: one that evicts at random may forget that tokens
 * were invalidated.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`.
 */
export function redisStore(options: RedisStoreOptions): TokenStore {
  const { redis, prefix = 'cognito-m2m:' } = readMembers(options, ['redis', 'prefix'], '')
  const { duplicate, isCluster } = (redis ?? {}) as Record<string, unknown>
  if (typeof duplicate !== 'function' || isCluster === true) {
    const what = isCluster === true ? 'a Redis.Cluster' : show(redis)
    throw new OptionError('redis', `is ${what}: pass an instance of Redis from ioredis`)
  }
  if (typeof prefix !== 'string' || prefix.length > 64) {
    throw new OptionError('prefix', `is ${show(prefix)}: use a string of at most 64 characters`)
  }
  return new RedisStore(redis as RedisLike, prefix)
}
