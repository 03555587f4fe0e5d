/** A token store in Redis or Valkey, through your ioredis or node-redis client. */
import { randomUUID } from 'node:crypto'
import { describeValue, OptionError, readMembers } from '../../core/options/validate.ts'
import { NodeRedisConnection, type NodeRedisLike } from './node-redis.ts'
import { type RedisArguments, type RedisLike, RedisLink, SOCKET_TIMEOUT_MS } from './redis-link.ts'
import { DELETE, GET, INVALIDATE, LOCK, type RedisScript, SET, UNLOCK } from './redis-scripts.ts'
import type { StoreCommandOptions, StoreEntry, StoreLookup, TokenStore } from './token-store.ts'

export type { NodeRedisClient, NodeRedisLike, NodeRedisOverrides } from './node-redis.ts'
export type { RedisConnection, RedisLike, RedisOverrides } from './redis-link.ts'

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /**
   * A client of ioredis (`new Redis`) or node-redis (`createClient`) with host, TLS, user and password. The store
   * duplicates it, and neither uses nor closes the client itself.
   */
  readonly redis: RedisLike | NodeRedisLike
  /**
   * Prefix of all keys, at most 64 characters.
   *
   * @defaultValue `'cognito-m2m:'`
   */
  readonly prefix?: string
}

/** Milliseconds. Longer than any token lives, so that no copy or response of an earlier epoch is left. */
const EPOCH_TTL_MS = 90_000_000

/** Milliseconds that a command without `maxDelayMs` waits for the connection. */
const DEFAULT_DELAY_MS = SOCKET_TIMEOUT_MS

/** The store that {@link redisStore} returns. */
class RedisStore implements TokenStore {
  readonly shared = true
  readonly #link: RedisLink
  readonly #prefix: string

  constructor(redis: RedisLike, prefix: string) {
    this.#prefix = prefix
    this.#link = new RedisLink(redis)
  }

  async get(
    key: string,
    group: string,
    { maxDelayMs = DEFAULT_DELAY_MS }: StoreCommandOptions = {},
  ): Promise<StoreLookup> {
    const argsOf = (deadline: number): RedisArguments => [deadline, key]
    const result = await this.#run(GET, this.#group(group), argsOf, maxDelayMs)
    const [now, epoch, value] = result as readonly [number, Buffer, Buffer | null]
    return { value: value ?? undefined, epoch: epoch.toString() || this.#firstEpoch(), now }
  }

  /** The deadline is the expiry of the value: until then it is worth storing, even without a waiting caller. */
  async set(key: string, group: string, { value, epoch, ttl }: StoreEntry): Promise<boolean> {
    const argsOf = (expiresAt: number): RedisArguments => {
      const storedEpoch = epoch === this.#firstEpoch() ? '' : epoch
      return [expiresAt, key, Buffer.from(value), storedEpoch, Math.ceil(ttl)]
    }
    return isApplied(await this.#run(SET, this.#group(group), argsOf, Math.ceil(ttl)))
  }

  async delete(key: string, group: string): Promise<void> {
    await this.#run(DELETE, this.#group(group), () => [key])
  }

  async invalidate(group: string): Promise<void> {
    await this.#run(INVALIDATE, this.#group(group), () => [randomUUID(), EPOCH_TTL_MS])
  }

  async lock(
    key: string,
    owner: string,
    ttl: number,
    { maxDelayMs = DEFAULT_DELAY_MS }: StoreCommandOptions = {},
  ): Promise<boolean> {
    const argsOf = (deadline: number): RedisArguments => [deadline, owner, Math.ceil(ttl)]
    return isApplied(await this.#run(LOCK, this.#lock(key), argsOf, maxDelayMs))
  }

  async unlock(key: string, owner: string): Promise<void> {
    await this.#run(UNLOCK, this.#lock(key), () => [owner])
  }

  async close(): Promise<void> {
    this.#link.close()
  }

  /**
   * The epoch of a group without an invalidation in Redis. A restarted Redis may have lost an invalidation, so this
   * epoch differs per server.
   */
  #firstEpoch(): string {
    return `${FIRST_EPOCH_PREFIX}${this.#link.servers}`
  }

  #group(group: string): string {
    return `${this.#prefix}group:${group}`
  }

  #lock(key: string): string {
    return `${this.#prefix}lock:${key}`
  }

  #run(
    script: RedisScript,
    key: string,
    argsOf: (deadline: number) => RedisArguments,
    maxDelayMs: number = DEFAULT_DELAY_MS,
  ): Promise<unknown> {
    return this.#link.run({ script, key, maxDelayMs, argsOf })
  }
}

/** Reads the result that follows the time. */
function isApplied(result: unknown): boolean {
  return (result as readonly number[])[1] === 1
}

const FIRST_EPOCH_PREFIX = 'first '

/**
 * Creates a token store in Redis or Valkey, for several processes or machines. Proxy and client seal the values: the
 * proxy requires the option `encryptionKeys`, the client derives a key from its secret.
 *
 * After a broken connection, the store reconnects without a limit of attempts, at most 1 s apart. Proxy and client limit
 * each wait. Commands have a deadline by the clock of Redis. Clusters, and Sentinel with node-redis, are not supported.
 *
 * Configure Redis with `maxmemory-policy` `noeviction` or `volatile-ttl`. Other policies may evict the record of an
 * invalidation.
 *
 * @param options `redis` is required.
 * @returns A store for the option `store` of proxy and client.
 * @throws {OptionError} `ERR_OPTION_INVALID` for the first invalid option.
 * @example
 * ```ts
 * import { Redis } from 'ioredis'
 *
 * const store = redisStore({ redis: new Redis('rediss://tokens.internal:6379') })
 * ```
 * @see https://redis.io/docs/latest/develop/reference/eviction/
 */
export function redisStore(options: RedisStoreOptions): TokenStore {
  const { redis, prefix = 'cognito-m2m:' } = readMembers(options, ['redis', 'prefix'], '')
  const client = readRedis(redis)
  if (typeof prefix !== 'string' || prefix.length > 64) {
    throw new OptionError(
      'prefix',
      `expected a string of at most 64 characters, got ${describeValue(prefix)}. Change the prefix.`,
    )
  }
  return new RedisStore(client, prefix)
}

/** Clusters have `duplicate` too, but no single connection for the scripts. */
function readRedis(redis: unknown): RedisLike {
  const members = (redis ?? {}) as Record<string, unknown>
  const hasDuplicate = typeof members['duplicate'] === 'function'
  if (hasDuplicate && typeof members['socketEpoch'] === 'number') {
    const client = redis as NodeRedisLike
    return { duplicate: (overrides) => new NodeRedisConnection(client, overrides) }
  }
  // A cluster or a Sentinel client of node-redis has `sendCommand` without the `callBuffer` of ioredis.
  const isForeign = hasDuplicate && 'sendCommand' in members && !('callBuffer' in members)
  if (hasDuplicate && members['isCluster'] !== true && !isForeign) return redis as RedisLike
  const what = hasDuplicate ? 'a client of a cluster or of Sentinel' : describeValue(redis)
  throw new OptionError(
    'redis',
    `expected a client of ioredis or node-redis, got ${what}. Pass new Redis() of ioredis or createClient() of redis.`,
  )
}
