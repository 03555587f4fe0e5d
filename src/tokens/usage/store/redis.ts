/** `redisUsageStore`: adds up the counts of several processes in Redis or Valkey. */
import { describeValue, OptionError, readMembers } from '../../../core/options/validate.ts'
import { readMaxClients } from './memory.ts'
import {
  isShared,
  STORED_DAYS,
  STORED_HOURS,
  type UsageBatch,
  type UsageBucket,
  type UsageStore,
  type UsageTotal,
} from './types.ts'

/** The used part of an ioredis instance, 5.4 or later, or 6. */
export interface UsageRedis {
  duplicate(override: UsageRedisOverrides): UsageRedisConnection
}

/** Options that differ in the duplicated connection. */
export interface UsageRedisOverrides {
  readonly lazyConnect: false
  readonly enableOfflineQueue: false
  readonly autoResendUnfulfilledCommands: false
  readonly maxRetriesPerRequest: 0
  readonly commandTimeout: number
  readonly connectTimeout: number
  readonly retryStrategy: (times: number) => number
}

/** The used part of the duplicated connection. */
export interface UsageRedisConnection {
  eval(script: string, numberOfKeys: number, ...args: (string | number)[]): Promise<unknown>
  hgetall(key: string): Promise<Record<string, string>>
  on(event: 'ready' | 'close' | 'error', listener: () => void): unknown
  disconnect(): void
}

/** Options of {@link redisUsageStore}. */
export interface RedisUsageStoreOptions {
  /**
   * An instance of ioredis with host, Sentinel, TLS, user and password. The store duplicates it, and neither uses
   * nor closes the instance itself.
   */
  readonly redis: UsageRedis
  /**
   * Prefix of all keys: 1 to 100 letters, digits and `_ : . -`.
   *
   * @defaultValue `'cognito-m2m:usage'`
   */
  readonly prefix?: string
  /**
   * App clients with a separate row, from 1 to 20,000. Further clients are counted as `other`.
   *
   * @defaultValue `1000`
   */
  readonly maxClients?: number
}

/** Milliseconds of one command. It ends before the caller's timeout of 2 s. */
const COMMAND_TIMEOUT_MS = 1500

const PREFIX_PATTERN = /^[\w:.-]{1,100}$/

/** Seconds that a process can be disconnected without counting a batch twice. */
const WRITER_TTL = 7 * 24 * 3600
const HOUR_TTL = (STORED_HOURS + 24) * 3600
const DAY_TTL = (STORED_DAYS + 2) * 24 * 3600

/**
 * Adds a batch atomically and once. Keys: totals, clients, writer, hour, day. Arguments: sequence, limit, cells,
 * and the TTL of writer, hour and day in seconds.
 */
const ADD = `
if tonumber(ARGV[1]) <= tonumber(redis.call('GET', KEYS[3]) or '0') then return 0 end
redis.call('SET', KEYS[3], ARGV[1], 'EX', ARGV[4])

for _, cell in ipairs(cjson.decode(ARGV[3])) do
  local subject = cell.subject

  if not cell.shared and redis.call('SISMEMBER', KEYS[2], subject) == 0 then
    if redis.call('SCARD', KEYS[2]) < tonumber(ARGV[2]) then
      redis.call('SADD', KEYS[2], subject)
    else
      subject = 'other'
    end
  end

  for name, count in pairs(cell.counts) do
    redis.call('HINCRBY', KEYS[1], subject .. ' ' .. name, count)
    if name == 'issued' or name == 'cached' then
      redis.call('HINCRBY', KEYS[4], subject .. ' ' .. name, count)
      redis.call('HINCRBY', KEYS[5], subject .. ' ' .. name, count)
    end
  end

  local first = redis.call('HGET', KEYS[1], subject .. ' first')
  local last = redis.call('HGET', KEYS[1], subject .. ' last')
  if not first or cell.first < tonumber(first) then
    redis.call('HSET', KEYS[1], subject .. ' first', cell.first)
  end
  if not last or cell.last > tonumber(last) then
    redis.call('HSET', KEYS[1], subject .. ' last', cell.last)
  end
end

redis.call('EXPIRE', KEYS[4], ARGV[5])
redis.call('EXPIRE', KEYS[5], ARGV[6])
return 1`

class RedisUsageStore implements UsageStore {
  readonly #connection: UsageRedisConnection
  readonly #prefix: string
  readonly #maxClients: number
  /** Resolves after the first attempt to connect, successful or not. */
  readonly #firstAttempt: Promise<void>

  constructor(redis: UsageRedis, prefix: string, maxClients: number) {
    // A hash tag: a script needs all keys in one slot of a cluster.
    this.#prefix = `{${prefix}}`
    this.#maxClients = maxClients
    // Without a queue in ioredis: a batch that cannot be sent at once is retried by the writer.
    this.#connection = redis.duplicate({
      lazyConnect: false,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: COMMAND_TIMEOUT_MS,
      retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1000),
    })
    this.#firstAttempt = new Promise((resolve) => {
      this.#connection.on('ready', resolve)
      this.#connection.on('close', resolve)
    })
    // Each command rejects with the error. Without a listener, ioredis writes to the console.
    this.#connection.on('error', () => {})
  }

  async add({ writer, sequence, hour, cells }: UsageBatch): Promise<void> {
    const encoded = cells.map(({ subject, first, last, counts }) => ({
      subject,
      first,
      last,
      shared: isShared(subject),
      counts: Object.fromEntries(counts),
    }))
    await this.#firstAttempt
    await this.#connection.eval(
      ADD,
      5,
      `${this.#prefix}:totals`,
      `${this.#prefix}:clients`,
      `${this.#prefix}:writer:${writer}`,
      this.#bucket('hour', hour),
      this.#bucket('day', Math.floor(hour / 24)),
      sequence,
      this.#maxClients,
      JSON.stringify(encoded),
      WRITER_TTL,
      HOUR_TTL,
      DAY_TTL,
    )
  }

  async totals(): Promise<readonly UsageTotal[]> {
    await this.#firstAttempt
    const fields = await this.#connection.hgetall(`${this.#prefix}:totals`)
    return [...groupBySubject(fields)].map(([subject, counts]) => {
      const { first, last } = Object.fromEntries(counts) as { first: number; last: number }
      counts.delete('first')
      counts.delete('last')
      return { subject, first, last, counts }
    })
  }

  async buckets(unit: 'hour' | 'day', from: number, count: number): Promise<UsageBucket[]> {
    await this.#firstAttempt
    const reads = Array.from({ length: count }, (_, index) =>
      this.#connection.hgetall(this.#bucket(unit, from + index)),
    )
    return (await Promise.all(reads)).map(
      (fields) =>
        new Map(
          [...groupBySubject(fields)].map(([subject, counts]) => [
            subject,
            { issued: counts.get('issued') ?? 0, cached: counts.get('cached') ?? 0 },
          ]),
        ),
    )
  }

  async close(): Promise<void> {
    this.#connection.disconnect()
  }

  #bucket(unit: 'hour' | 'day', index: number): string {
    return `${this.#prefix}:${unit}:${index}`
  }
}

/** A field is a subject, a space, and a name without spaces. */
function groupBySubject(fields: Record<string, string>): Map<string, Map<string, number>> {
  const subjects = new Map<string, Map<string, number>>()
  for (const [field, value] of Object.entries(fields)) {
    const space = field.lastIndexOf(' ')
    const subject = field.slice(0, space)
    const counts = subjects.get(subject) ?? new Map<string, number>()
    subjects.set(subject, counts.set(field.slice(space + 1), Number(value)))
  }
  return subjects
}

/** Describes an invalid store or connection. A string is not shown: a connection URL may have a password. */
export function describeConnection(value: unknown): string {
  return typeof value === 'string' ? 'a string' : describeValue(value)
}

/**
 * Creates a store in Redis or Valkey. It takes about 200 bytes for each client with tokens in an hour or day. No
 * `maxmemory-policy` may evict counts: use `noeviction`, or a separate database.
 *
 * @param options `redis` is required.
 * @returns A store for the option `store` of `createUsage`.
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 * @example
 * ```ts
 * const usage = createUsage({ store: redisUsageStore({ redis: new Redis() }), price })
 * ```
 */
export function redisUsageStore(options: RedisUsageStoreOptions): UsageStore {
  const members = readMembers(options, ['redis', 'prefix', 'maxClients'], '')
  const { redis, prefix = 'cognito-m2m:usage' } = members
  if (typeof (redis as Partial<UsageRedis> | null | undefined)?.duplicate !== 'function') {
    throw new OptionError(
      'redis',
      `expected an instance of ioredis, got ${describeConnection(redis)}. Pass new Redis(…).`,
    )
  }
  if (typeof prefix !== 'string' || !PREFIX_PATTERN.test(prefix)) {
    throw new OptionError(
      'prefix',
      `expected 1 to 100 letters, digits and _ : . -, got ${describeValue(prefix)}. Change the prefix.`,
    )
  }
  return new RedisUsageStore(redis as UsageRedis, prefix, readMaxClients(members))
}
