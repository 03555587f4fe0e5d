/**
 * A token store in a table of DynamoDB. A group is one item with its epoch and its entries, so each write is atomic and
 * conditional on the epoch. A lock is an item with its owner and a fencing number.
 */
import { randomUUID } from 'node:crypto'
import {
  describeValue,
  OptionError,
  readFunction,
  readMembers,
} from '../../core/options/validate.ts'
import { BoundedMap } from '../../core/util/bounded-map.ts'
import { wallClock } from '../../core/util/time.ts'
import {
  BoundedCalls,
  createDeadline,
  type DynamoDbInputValue,
  type DynamoDbItem,
  type DynamoDbLike,
  type DynamoDbUpdateInput,
  type DynamoDbValue,
  isConditionFailure,
} from './dynamodb-client.ts'
import { MAX_GROUP, type StoreEntry, type StoreLookup, type TokenStore } from './token-store.ts'

export type {
  DynamoDbCallOptions,
  DynamoDbGetInput,
  DynamoDbInputValue,
  DynamoDbItem,
  DynamoDbLike,
  DynamoDbUpdateInput,
  DynamoDbValue,
} from './dynamodb-client.ts'

/** Options of {@link dynamoDbStore}. */
export interface DynamoDbStoreOptions {
  /**
   * An instance of `DynamoDB` from `@aws-sdk/client-dynamodb`, with Region, credentials and connection limits. The store
   * neither changes nor closes it.
   */
  readonly client: DynamoDbLike
  /** Name or ARN of the table. Its partition key is the string `id`. It has no sort key. */
  readonly tableName: string
  /**
   * Prefix of all ids, at most 64 characters.
   *
   * @defaultValue `'cognito-m2m:'`
   */
  readonly prefix?: string
  /**
   * Wall clock in milliseconds, for expiry: DynamoDB deletes expired items late.
   *
   * @defaultValue `Date.now`
   */
  readonly now?: () => number
}

/** Options after validation. */
type DynamoDbSettings = Required<DynamoDbStoreOptions>

/** Milliseconds that an item lives after its last write. Longer than any token, so that no earlier copy is left. */
const ITEM_TTL_MS = 90_000_000

/** The epoch of a group without an item. An item outlives every token of an earlier epoch. */
const FIRST_EPOCH = 'first'

/** Most locks of this process whose fencing number is remembered. */
const MAX_FENCES = 10_000

const GROUP_NAMES = {
  '#epoch': 'epoch',
  '#entries': 'entries',
  '#orders': 'orders',
  '#count': 'count',
  '#expiresAt': 'expiresAt',
} as const

/** Entries are numbered by `count`, so that the oldest is known whatever the clocks of the writers are. */
const PUT_ENTRY =
  'SET #entries.#key = :entry, #orders.#key = #count + :one, #count = #count + :one, #expiresAt = :expiresAt'
const HAS_ROOM = '#epoch = :epoch AND (size(#entries) < :max OR attribute_exists(#entries.#key))'
/** The entry of a later holder of the lock is not replaced. */
const IS_NOT_FENCED =
  '(attribute_not_exists(#entries.#key.#fence) OR #entries.#key.#fence <= :fence)'
const REMOVE_OLDEST = 'REMOVE #entries.#oldest, #orders.#oldest'
const HAS_OLDEST =
  '#epoch = :epoch AND attribute_exists(#entries.#oldest) AND attribute_not_exists(#entries.#key)'
const CREATE_GROUP =
  'SET #epoch = :epoch, #entries = :entries, #orders = :orders, #count = :one, #expiresAt = :expiresAt'

/** One `set`. */
interface EntryWrite {
  readonly key: string
  readonly id: string
  readonly epoch: string
  readonly entry: DynamoDbInputValue
  /** The fencing number of the lock `key`, if this store has taken it. */
  readonly fence: number | undefined
  /** Epoch seconds at which DynamoDB may delete the item. */
  readonly expiresAt: DynamoDbInputValue
  readonly deadline: number
}

/** The store that {@link dynamoDbStore} returns. */
class DynamoDbStore implements TokenStore {
  readonly shared = true
  readonly #settings: DynamoDbSettings
  readonly #calls = new BoundedCalls()
  /** The fencing numbers of the locks that this store has taken. */
  readonly #fences = new BoundedMap<number>(MAX_FENCES)
  /** The last command of each lock and owner in flight. */
  readonly #lockCommands = new Map<string, Promise<unknown>>()

  constructor(settings: DynamoDbSettings) {
    this.#settings = settings
  }

  async get(key: string, group: string): Promise<StoreLookup> {
    const item = await this.#read(
      this.#groupId(group),
      '#epoch, #entries.#key',
      { '#epoch': 'epoch', '#entries': 'entries', '#key': key },
      createDeadline(),
    )
    const entry = item?.['entries']?.M?.[key]?.M
    const isValid = Number(entry?.['expiresAt']?.N) > this.#settings.now()
    return {
      value: isValid ? entry?.['value']?.B : undefined,
      epoch: item?.['epoch']?.S ?? FIRST_EPOCH,
    }
  }

  async set(key: string, group: string, { value, epoch, ttl }: StoreEntry): Promise<boolean> {
    const now = this.#settings.now()
    const fence = this.#fences.get(key)
    const entry: Record<string, DynamoDbInputValue> = {
      value: { B: value },
      expiresAt: toNumber(now + ttl),
    }
    if (fence !== undefined) entry['fence'] = toNumber(fence)
    const write: EntryWrite = {
      key,
      id: this.#groupId(group),
      epoch,
      entry: { M: entry },
      fence,
      expiresAt: toExpiry(now + Math.max(ttl, ITEM_TTL_MS)),
      deadline: createDeadline(),
    }
    // Ends at the deadline, where other processes change the group each time.
    for (;;) {
      const isStored = (await this.#putEntry(write)) ?? (await this.#resolveConflict(write))
      if (isStored !== undefined) return isStored
    }
  }

  async delete(key: string, group: string): Promise<void> {
    await this.#update(createDeadline(), this.#groupId(group), {
      UpdateExpression: 'REMOVE #entries.#key, #orders.#key',
      ConditionExpression: 'attribute_exists(#entries.#key)',
      ExpressionAttributeNames: { '#entries': 'entries', '#orders': 'orders', '#key': key },
    })
  }

  async invalidate(group: string): Promise<void> {
    await this.#update(createDeadline(), this.#groupId(group), {
      UpdateExpression:
        'SET #epoch = :epoch, #entries = :none, #orders = :none, #count = :zero, #expiresAt = :expiresAt',
      ExpressionAttributeNames: GROUP_NAMES,
      ExpressionAttributeValues: {
        ':epoch': { S: randomUUID() },
        ':none': { M: {} },
        ':zero': toNumber(0),
        ':expiresAt': toExpiry(this.#settings.now() + ITEM_TTL_MS),
      },
    })
  }

  /** The fencing number grows with each call. A lock without an item starts at the time, so no number is reused. */
  lock(key: string, owner: string, ttl: number): Promise<boolean> {
    return this.#inOrder(key, owner, async () => {
      const now = this.#settings.now()
      const attributes = await this.#update(createDeadline(), this.#lockId(key), {
        UpdateExpression:
          'SET #owner = :owner, #lockedUntil = :until, #fence = if_not_exists(#fence, :now) + :one, #expiresAt = :expiresAt',
        ConditionExpression:
          'attribute_not_exists(#owner) OR #owner = :owner OR #lockedUntil <= :now',
        ExpressionAttributeNames: {
          '#owner': 'owner',
          '#lockedUntil': 'lockedUntil',
          '#fence': 'fence',
          '#expiresAt': 'expiresAt',
        },
        ExpressionAttributeValues: {
          ':owner': { S: owner },
          ':now': toNumber(now),
          ':until': toNumber(now + ttl),
          ':one': toNumber(1),
          ':expiresAt': toExpiry(now + ITEM_TTL_MS),
        },
        ReturnValues: 'UPDATED_NEW',
      })
      if (attributes === undefined) return false
      this.#fences.set(key, Number(attributes['fence']?.N))
      return true
    })
  }

  /** Keeps the item, for the fencing number of the next holder. */
  unlock(key: string, owner: string): Promise<void> {
    return this.#inOrder(key, owner, async () => {
      const attributes = await this.#update(createDeadline(), this.#lockId(key), {
        UpdateExpression: 'REMOVE #owner',
        ConditionExpression: '#owner = :owner',
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: { ':owner': { S: owner } },
      })
      if (attributes !== undefined) this.#fences.delete(key)
    })
  }

  async close(): Promise<void> {
    this.#calls.close()
  }

  /** Replaces the entry, or adds it to a group with room. @returns Undefined if the condition is not met. */
  async #putEntry(write: EntryWrite): Promise<true | undefined> {
    const { key, id, epoch, entry, fence, expiresAt, deadline } = write
    const names: Record<string, string> = { ...GROUP_NAMES, '#key': key }
    const values: Record<string, DynamoDbInputValue> = {
      ':epoch': { S: epoch },
      ':entry': entry,
      ':one': toNumber(1),
      ':max': toNumber(MAX_GROUP),
      ':expiresAt': expiresAt,
    }
    let condition = HAS_ROOM
    if (fence !== undefined) {
      names['#fence'] = 'fence'
      values[':fence'] = toNumber(fence)
      condition += ` AND ${IS_NOT_FENCED}`
    }
    const attributes = await this.#update(deadline, id, {
      UpdateExpression: PUT_ENTRY,
      ConditionExpression: condition,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
    })
    return attributes && true
  }

  /** @returns Undefined if the group has changed since the write, which is then tried again. */
  async #resolveConflict(write: EntryWrite): Promise<boolean | undefined> {
    const { key, id, epoch, fence, deadline } = write
    const names = { '#epoch': 'epoch', '#orders': 'orders', '#entries': 'entries', '#key': key }
    const item = await this.#read(
      id,
      '#epoch, #orders, #entries.#key.#fence',
      { ...names, '#fence': 'fence' },
      deadline,
    )
    if (item === undefined) return epoch === FIRST_EPOCH ? this.#createGroup(write) : false
    if (item['epoch']?.S !== epoch) return false
    const storedFence = Number(item['entries']?.M?.[key]?.M?.['fence']?.N)
    // A later holder of the lock has stored a newer entry, as if it had replaced this one.
    if (fence !== undefined && storedFence > fence) return true
    const orders = Object.entries(item['orders']?.M as DynamoDbItem)
    if (orders.length < MAX_GROUP || orders.some(([name]) => name === key)) return undefined
    orders.sort(([, one], [, other]) => Number(one.N) - Number(other.N))
    const [oldest] = orders[0] as [string, DynamoDbValue]
    return this.#replaceOldest(write, oldest)
  }

  async #createGroup({
    key,
    id,
    epoch,
    entry,
    expiresAt,
    deadline,
  }: EntryWrite): Promise<true | undefined> {
    const attributes = await this.#update(deadline, id, {
      UpdateExpression: CREATE_GROUP,
      ConditionExpression: 'attribute_not_exists(#epoch)',
      ExpressionAttributeNames: GROUP_NAMES,
      ExpressionAttributeValues: {
        ':epoch': { S: epoch },
        ':entries': { M: { [key]: entry } },
        ':orders': { M: { [key]: toNumber(1) } },
        ':one': toNumber(1),
        ':expiresAt': expiresAt,
      },
    })
    return attributes && true
  }

  async #replaceOldest(
    { key, id, epoch, entry, expiresAt, deadline }: EntryWrite,
    oldest: string,
  ): Promise<true | undefined> {
    const attributes = await this.#update(deadline, id, {
      UpdateExpression: `${PUT_ENTRY} ${REMOVE_OLDEST}`,
      ConditionExpression: HAS_OLDEST,
      ExpressionAttributeNames: { ...GROUP_NAMES, '#key': key, '#oldest': oldest },
      ExpressionAttributeValues: {
        ':epoch': { S: epoch },
        ':entry': entry,
        ':one': toNumber(1),
        ':expiresAt': expiresAt,
      },
    })
    return attributes && true
  }

  /** A strongly consistent read: an invalidation applies to each look-up after it. */
  async #read(
    id: string,
    projection: string,
    names: Readonly<Record<string, string>>,
    deadline: number,
  ): Promise<DynamoDbItem | undefined> {
    const { client, tableName } = this.#settings
    const { Item } = await this.#calls.run(deadline, (options) =>
      client.getItem(
        {
          TableName: tableName,
          Key: { id: { S: id } },
          ConsistentRead: true,
          ProjectionExpression: projection,
          ExpressionAttributeNames: names,
        },
        options,
      ),
    )
    return Item
  }

  /** @returns The updated attributes, if requested. Undefined if the condition is not met. */
  async #update(
    deadline: number,
    id: string,
    input: Omit<DynamoDbUpdateInput, 'TableName' | 'Key'>,
  ): Promise<DynamoDbItem | undefined> {
    const { client, tableName } = this.#settings
    const key = { TableName: tableName, Key: { id: { S: id } } }
    try {
      const { Attributes = {} } = await this.#calls.run(deadline, (options) =>
        client.updateItem({ ...key, ...input }, options),
      )
      return Attributes
    } catch (error) {
      if (isConditionFailure(error)) return undefined
      throw error
    }
  }

  /**
   * Sends the commands of an owner one after the other. Requests have separate connections, and an unlock before its
   * lock would leave a lock without a holder.
   */
  #inOrder<Result>(key: string, owner: string, command: () => Promise<Result>): Promise<Result> {
    const name = `${owner} ${key}`
    const previous = this.#lockCommands.get(name) ?? Promise.resolve()
    const next = previous.then(command, command)
    this.#lockCommands.set(name, next)
    const forget = (): void => {
      if (this.#lockCommands.get(name) === next) this.#lockCommands.delete(name)
    }
    void next.then(forget, forget)
    return next
  }

  #groupId(group: string): string {
    return `${this.#settings.prefix}group:${group}`
  }

  #lockId(key: string): string {
    return `${this.#settings.prefix}lock:${key}`
  }
}

function toNumber(value: number): DynamoDbInputValue {
  return { N: String(value) }
}

/** @param milliseconds Since 1970. @returns Whole seconds, as the Time to Live of DynamoDB requires. */
function toExpiry(milliseconds: number): DynamoDbInputValue {
  return toNumber(Math.ceil(milliseconds / 1000))
}

/** A name, or an ARN with the same characters and colons and slashes. */
const TABLE_NAME = /^[\w.:/-]{3,1024}$/

/**
 * Creates a token store in a table of DynamoDB, for functions, processes and machines that share tokens. Proxy and client
 * seal the values: the proxy requires the option `encryptionKeys`, the client derives a key from its secret.
 *
 * It calls GetItem and UpdateItem only. A look-up is one strongly consistent read. Each command ends after 2 s, and
 * proxy and client limit each wait further. The wall clocks of the processes date entries and locks, so they must be
 * synchronized, as those of AWS are.
 *
 * @param options `client` and `tableName` are required.
 * @returns A store for the option `store` of proxy and client.
 * @throws {OptionError} `ERR_OPTION_INVALID` for the first invalid option.
 * @example
 * ```ts
 * import { DynamoDB } from '@aws-sdk/client-dynamodb'
 *
 * const store = dynamoDbStore({ client: new DynamoDB({}), tableName: 'tokens' })
 * ```
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
export function dynamoDbStore(options: DynamoDbStoreOptions): TokenStore {
  const members = readMembers(options, ['client', 'tableName', 'prefix', 'now'], '')
  const { client, tableName, prefix = 'cognito-m2m:' } = members
  const { getItem, updateItem } = (client ?? {}) as Record<string, unknown>
  if (typeof getItem !== 'function' || typeof updateItem !== 'function') {
    throw new OptionError(
      'client',
      `expected an instance of DynamoDB, got ${describeValue(client)}. Pass new DynamoDB({}) from @aws-sdk/client-dynamodb.`,
    )
  }
  if (typeof tableName !== 'string' || !TABLE_NAME.test(tableName)) {
    throw new OptionError(
      'tableName',
      `expected the name or ARN of a table, got ${describeValue(tableName)}. Pass the name of the table.`,
    )
  }
  if (typeof prefix !== 'string' || prefix.length > 64) {
    throw new OptionError(
      'prefix',
      `expected a string of at most 64 characters, got ${describeValue(prefix)}. Change the prefix.`,
    )
  }
  return new DynamoDbStore({
    client: client as DynamoDbLike,
    tableName,
    prefix,
    now: wallClock(readFunction<() => number>(members, 'now') ?? Date.now),
  })
}
