/** Redis or Valkey as a store of tokens, through the owner's ioredis. */
import { randomUUID } from 'node:crypto'
import { describeValue, OptionError, readMembers } from '../../core/options/validate.ts'
import { type RedisArguments, type RedisLike, RedisLink, SOCKET_TIMEOUT_MS } from './redis-link.ts'
import { DELETE, GET, INVALIDATE, LOCK, type RedisScript, SET, UNLOCK } from './redis-scripts.ts'
import type { StoreCommandOptions, StoreEntry, StoreLookup, TokenStore } from './token-store.ts'

export type { RedisConnection, RedisLike, RedisOverrides } from './redis-link.ts'

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
const EPOCH_TTL_MS = 90_000_000

/** Milliseconds that a command without a deadline of its own waits for the connection. */
const DEFAULT_DELAY_MS = SOCKET_TIMEOUT_MS

/** See {@link redisStore}. */
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
    const answer = await this.#run(GET, this.#group(group), argsOf, maxDelayMs)
    const [now, epoch, value] = answer as readonly [number, Buffer, Buffer | null]
    return { value: value ?? undefined, epoch: epoch.toString() || this.#firstEpoch(), now }
  }

  /** The deadline is the end of its life: until then it is worth keeping, whoever waits for it. */
  async set(key: string, group: string, { value, epoch, ttl }: StoreEntry): Promise<boolean> {
    const argsOf = (expiresAt: number): RedisArguments => {
      const known = epoch === this.#firstEpoch() ? '' : epoch
      return [expiresAt, key, Buffer.from(value), known, Math.ceil(ttl)]
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
   * The epoch of a group that was never invalidated, as far as Redis remembers. A Redis that was
   * restarted may have forgotten, so it is another one on every server.
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

/** Of an answer that begins with the time. */
function isApplied(answer: unknown): boolean {
  return (answer as readonly number[])[1] === 1
}

const FIRST_EPOCH_PREFIX = 'first '

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
 * The store waits for a broken connection, and connects anew at most 1 s after the last attempt for as
 * long as it takes. Who uses it bounds each wait. Commands carry a deadline by the clock of Redis. Not for `Redis.Cluster`. Configure Redis with
 * `maxmemory-policy` `noeviction` or `volatile-ttl`: one that evicts at random may forget that tokens
 * were invalidated.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`.
 */
export function redisStore(options: RedisStoreOptions): TokenStore {
  const { redis, prefix = 'cognito-m2m:' } = readMembers(options, ['redis', 'prefix'], '')
  const { duplicate, isCluster } = (redis ?? {}) as Record<string, unknown>
  if (typeof duplicate !== 'function' || isCluster === true) {
    const what = isCluster === true ? 'a Redis.Cluster' : describeValue(redis)
    throw new OptionError(
      'redis',
      `expected an ioredis client, got ${what}. Pass an instance of Redis from ioredis.`,
    )
  }
  if (typeof prefix !== 'string' || prefix.length > 64) {
    throw new OptionError(
      'prefix',
      `expected a string of at most 64 characters, got ${describeValue(prefix)}. Change the prefix.`,
    )
  }
  return new RedisStore(redis as RedisLike, prefix)
}
