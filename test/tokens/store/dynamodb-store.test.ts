/** The store in DynamoDB: what its items hold, conflicts of writers, and every way in which DynamoDB fails. */
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { OptionError } from '../../../src/core/options/validate.ts'
import { type DynamoDbLike, dynamoDbStore } from '../../../src/tokens/store/dynamodb-store.ts'
import type { StoreLookup, TokenStore } from '../../../src/tokens/store/token-store.ts'
import { settle } from '../../support/client.ts'
import { type DynamoDbFault, startDynamoDb, TABLE } from '../../support/dynamodb.ts'
import { Clock, fill, found, NOW, process, text, WAIT } from '../../support/shared-store.ts'

const GROUP = 'group'
const HOUR = 3_600_000
const DAY_SECONDS = 86_400

type Hook = (count: number) => Promise<unknown>

/** A client that calls a function before each GetItem or UpdateItem. */
function interrupt(
  client: DynamoDbLike,
  { get = async () => {}, update = async () => {} }: { get?: Hook; update?: Hook },
): DynamoDbLike {
  let [reads, updates] = [0, 0]
  return {
    async getItem(...args) {
      reads += 1
      await get(reads)
      return client.getItem(...args)
    },
    async updateItem(...args) {
      updates += 1
      await update(updates)
      return client.updateItem(...args)
    },
  }
}

async function setUp(t: Test) {
  const dynamoDb = await startDynamoDb(t)
  const client = dynamoDb.createClient(1)
  const clock = new Clock()
  const open = (over: DynamoDbLike = client): TokenStore => {
    const store = dynamoDbStore({ client: over, tableName: TABLE, now: clock.now })
    t.teardown(() => store.close())
    return store
  }
  const scan = async () => (await client.scan({ TableName: TABLE })).Items ?? []
  return { dynamoDb, client, clock, open, scan }
}

const entryOf = (value: string, epoch: string, ttl = HOUR) => {
  return { value: Buffer.from(value), epoch, ttl }
}

/** Stores a value with the current epoch. */
async function put(store: TokenStore, key: string, value: string, ttl?: number): Promise<boolean> {
  const { epoch } = await store.get(key, GROUP)
  return store.set(key, GROUP, entryOf(value, epoch, ttl))
}

const get = async (store: TokenStore, key: string): Promise<string | undefined> =>
  text((await store.get(key, GROUP)).value)

t.test('items are sealed, and expire a day after their last token', async (t) => {
  const { client, clock, scan } = await setUp(t)
  const store = dynamoDbStore({ client, tableName: TABLE, prefix: 'a:', now: clock.now })
  const { store: resilient } = process(store, clock)
  t.teardown(() => resilient.close())
  await fill(resilient, 'name', GROUP, 'the token')
  const lock = await resilient.acquire('name', WAIT)
  t.ok(lock)
  const items = await scan()
  const ids = items.map(({ id }) => id?.S)
  t.strictSame(ids.sort(), ['a:group:group', 'a:lock:name'])
  const { entries } = items.find(({ id }) => id?.S === 'a:group:group') ?? {}
  const sealed = Buffer.from(entries?.M?.['name']?.M?.['value']?.B ?? '')
  t.ok(sealed.length > 0)
  t.notOk(sealed.includes('the token'))
  for (const { expiresAt } of items) {
    t.ok(Number(expiresAt?.N) >= NOW / 1000 + DAY_SECONDS, 'epoch seconds')
    t.ok(Number(expiresAt?.N) <= NOW / 1000 + 2 * DAY_SECONDS)
  }
  lock?.release()
})

t.test('an expired entry is not found while DynamoDB still has it', async (t) => {
  const { clock, open, scan } = await setUp(t)
  const store = open()
  await put(store, 'key', 'one', 60_000)
  clock.wall += 59_999
  t.equal(await get(store, 'key'), 'one')
  clock.wall += 1
  t.equal(await get(store, 'key'), undefined)
  t.equal((await scan()).length, 1)
})

t.test('look-ups of unknown groups write nothing', async (t) => {
  const { dynamoDb, open, scan } = await setUp(t)
  const store = open()
  for (let client = 0; client < 10; client += 1) await store.get('key', `group ${client}`)
  await store.delete('key', 'group 1')
  await store.unlock('key', 'nobody')
  t.strictSame(await scan(), [])
  t.equal(dynamoDb.operations.filter((it) => it === 'GetItem').length, 10, 'one read each')
})

t.test('a lock ends by the clock of its next owner, and its number grows', async (t) => {
  const { client, clock, open } = await setUp(t)
  const [one, two] = [open(), open()]
  const readFence = async (): Promise<number> => {
    const { Item } = await client.getItem({
      TableName: TABLE,
      Key: { id: { S: 'cognito-m2m:lock:key' } },
    })
    return Number(Item?.['fence']?.N)
  }
  t.equal(await one.lock('key', 'one', 2000), true)
  const first = await readFence()
  t.equal(await one.lock('key', 'one', 2000), true, 'a renewal')
  t.ok((await readFence()) > first)
  clock.wall += 1999
  t.equal(await two.lock('key', 'two', 2000), false)
  clock.wall += 1
  t.equal(await two.lock('key', 'two', 2000), true)
  const second = await readFence()
  t.ok(second > first)
  await one.unlock('key', 'one')
  t.equal(await one.lock('key', 'one', 2000), false, 'only its owner frees it')
  await two.unlock('key', 'two')
  t.equal(await one.lock('key', 'one', 2000), true)
  t.ok((await readFence()) > second, 'also after a release')
  await client.deleteItem({ TableName: TABLE, Key: { id: { S: 'cognito-m2m:lock:key' } } })
  clock.wall += 100
  await one.lock('key', 'one', 2000)
  t.ok((await readFence()) > second, 'also once DynamoDB has deleted the item')
})

t.test('a late holder of a lock does not replace the entry of the next one', async (t) => {
  const { clock, open } = await setUp(t)
  const [late, next, none] = [open(), open(), open()]
  t.equal(await late.lock('key', 'late', 2000), true)
  t.equal(await put(late, 'key', 'first'), true)
  clock.wall += 2000
  t.equal(await next.lock('key', 'next', 2000), true)
  t.equal(await put(next, 'key', 'newer'), true)
  t.equal(await put(late, 'key', 'older'), true, 'as if it had been replaced at once')
  t.equal(await get(late, 'key'), 'newer')
  t.equal(await put(none, 'key', 'without a lock'), true)
  t.equal(await get(late, 'key'), 'without a lock')
  await late.unlock('key', 'late')
  t.equal(await put(next, 'key', 'again'), true)
  t.equal(await get(late, 'key'), 'again')
})

t.test('writers of a new group do not lose the entries of each other', async (t) => {
  const { client, open } = await setUp(t)
  const other = open()
  // The group is created between the first write and the creation.
  const update: Hook = async (count) => count === 2 && put(other, 'other', 'two')
  const store = open(interrupt(client, { update }))
  t.equal(await put(store, 'key', 'one'), true)
  t.equal(await get(store, 'key'), 'one')
  t.equal(await get(store, 'other'), 'two')
})

t.test('writers of a full group evict an entry each', async (t) => {
  const { client, open } = await setUp(t)
  const other = open()
  for (let index = 0; index < 16; index += 1) await put(other, `key${index}`, 'old')
  // The oldest entry is evicted between the look-up and the eviction.
  const update: Hook = async (count) => count === 2 && put(other, 'other', 'two')
  const store = open(interrupt(client, { update }))
  t.equal(await put(store, 'key', 'one'), true)
  t.equal(await get(store, 'key'), 'one')
  t.equal(await get(store, 'other'), 'two')
  t.equal(await get(store, 'key0'), undefined)
  t.equal(await get(store, 'key1'), undefined)
  t.equal(await get(store, 'key2'), 'old')
})

for (const [name, change] of [
  ['gets room', (other: TokenStore) => other.delete('key5', GROUP)],
  [
    'gets the same entry',
    async (other: TokenStore) => {
      await other.delete('key5', GROUP)
      await put(other, 'key', 'theirs')
    },
  ],
] as const) {
  t.test(`a full group that ${name} loses no further entry`, async (t) => {
    const { client, open } = await setUp(t)
    const other = open()
    for (let index = 0; index < 16; index += 1) await put(other, `key${index}`, 'old')
    // Between the rejected write and the look-up of the oldest entry.
    const store = open(interrupt(client, { get: async (count) => count === 2 && change(other) }))
    t.equal(await put(store, 'key', 'one'), true)
    t.equal(await get(store, 'key'), 'one')
    t.equal(await get(store, 'key0'), 'old')
  })
}

t.test('a group that is invalidated during a write stays empty', async (t) => {
  const { client, open } = await setUp(t)
  const other = open()
  const store = open(interrupt(client, { update: () => other.invalidate(GROUP) }))
  t.equal(await put(store, 'key', 'one'), false)
  t.equal(await get(store, 'key'), undefined)
})

t.test('an epoch whose item DynamoDB has deleted has ended', async (t) => {
  const { client, open } = await setUp(t)
  const store = open()
  await store.invalidate(GROUP)
  const { epoch }: StoreLookup = await store.get('key', GROUP)
  await client.deleteItem({ TableName: TABLE, Key: { id: { S: `cognito-m2m:group:${GROUP}` } } })
  t.equal(await store.set('key', GROUP, entryOf('one', epoch)), false)
  t.equal(await put(store, 'key', 'two'), true)
})

const faults: readonly (readonly [string, DynamoDbFault, string])[] = [
  [
    'throttles',
    { exception: 'ProvisionedThroughputExceededException' },
    'ProvisionedThroughputExceededException',
  ],
  [
    'rejects the credentials',
    { exception: 'UnrecognizedClientException' },
    'UnrecognizedClientException',
  ],
  ['denies access', { exception: 'AccessDeniedException' }, 'AccessDeniedException'],
  ['has no such table', { exception: 'ResourceNotFoundException' }, 'ResourceNotFoundException'],
  ['is down', 'is down', 'ECONNRESET'],
  ['hangs', 'hangs', 'TIMEOUT'],
]

for (const [name, fault, reason] of faults) {
  t.test(`a DynamoDB that ${name} costs no caller a token`, async (t) => {
    const { dynamoDb, clock, open } = await setUp(t)
    const { store, lines } = process(open(), clock)
    await fill(store, 'name', GROUP, 'good')
    dynamoDb.fault = fault
    for (let look = 0; look < 4; look += 1) t.equal(await found(store, 'name', GROUP), 'good')
    const lock = await store.acquire('other', WAIT)
    t.ok(lock, 'a substitute')
    lock?.release()
    t.equal(await fill(store, 'other', GROUP, 'new'), undefined)
    t.equal(await found(store, 'other', GROUP), 'new', 'kept in memory')
    t.equal(await store.invalidate('far away'), false)
    t.equal(store.status().degraded, true)
    t.match(lines[0], `"reason":"${reason}"`)
    dynamoDb.fault = undefined
    for (let second = 0; second < 20 && store.status().degraded; second += 1) {
      clock.pass(1000)
      await found(store, 'name', GROUP)
      await fill(store, `probe${second}`, GROUP, 'new')
    }
    t.equal(store.status().degraded, false)
    await store.close()
  })
}

t.test('a slow DynamoDB is waited for without a copy, and not with one', async (t) => {
  const { dynamoDb, clock, open } = await setUp(t)
  const [here, there] = [process(open(), clock), process(open(), clock)]
  await fill(here.store, 'name', GROUP, 'good')
  dynamoDb.delayMs = 200
  const { value } = await there.store.get('name', GROUP, WAIT)
  t.equal(text(value), 'good')
  dynamoDb.fault = 'hangs'
  t.equal(await found(here.store, 'name', GROUP), 'good')
  dynamoDb.fault = undefined
  dynamoDb.delayMs = 0
  await here.store.close()
  await there.store.close()
})

t.test('a client without credentials is an outage too', async (t) => {
  const { clock } = await setUp(t)
  const broken = async (): Promise<never> => {
    throw Object.assign(new Error('Could not load credentials from any providers'), {
      name: 'CredentialsProviderError',
    })
  }
  const client = { getItem: broken, updateItem: broken }
  const { store, lines } = process(dynamoDbStore({ client, tableName: TABLE }), clock)
  for (let look = 0; look < 3; look += 1) {
    t.equal(await fill(store, 'name', GROUP, 'good'), look === 0 ? undefined : 'good')
  }
  t.match(lines[0], '"reason":"CredentialsProviderError"')
  await store.close()
})

/** A client that never responds, and the signals it got. */
function silentClient() {
  const signals: AbortSignal[] = []
  const call = (_input: unknown, { abortSignal }: { readonly abortSignal: AbortSignal }) => {
    signals.push(abortSignal)
    return new Promise<never>(() => {})
  }
  return { client: { getItem: call, updateItem: call }, signals }
}

t.test('a command ends after 2 s, and is aborted', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { client, signals } = silentClient()
  const store = dynamoDbStore({ client, tableName: TABLE })
  const call = store.get('key', GROUP)
  mock.timers.tick(2000)
  await t.rejects(call, { code: 'TIMEOUT', message: 'DynamoDB did not respond in time' })
  t.equal(signals[0]?.aborted, true)
})

t.test('close ends commands in flight, and does not close the client', async (t) => {
  const { client, signals } = silentClient()
  const store = dynamoDbStore({ client, tableName: TABLE })
  const calls = [store.get('key', GROUP), store.lock('key', 'one', 2000)]
  // Sent once the lock has ended, so that it cannot overtake it.
  const unlocked = store.unlock('key', 'one')
  await settle()
  t.equal(signals.length, 2)
  const ended = [...calls, unlocked].map((call: Promise<unknown>) =>
    t.rejects(call as Promise<void>, /The store is closed/),
  )
  await store.close()
  await Promise.all(ended)
  t.equal(signals[0]?.aborted, true)
})

t.test('errors name invalid options', async (t) => {
  const { client } = silentClient()
  const options = { client, tableName: TABLE }
  for (const wrong of [undefined, null, 'tokens', {}, { getItem() {} }]) {
    const given = wrong === undefined ? { tableName: TABLE } : { ...options, client: wrong }
    t.throws(() => dynamoDbStore(given as never), { name: OptionError.name, option: 'client' })
  }
  t.throws(() => dynamoDbStore({ ...options, client: {} } as never), {
    message:
      'cognito-m2m: client: expected an instance of DynamoDB, got an object. Pass new DynamoDB({}) from @aws-sdk/client-dynamodb.',
  })
  for (const tableName of ['', 'a', 'a b', 7, null, 'x'.repeat(1025)]) {
    t.throws(() => dynamoDbStore({ ...options, tableName } as never), {
      name: OptionError.name,
      option: 'tableName',
    })
  }
  dynamoDbStore({ client, tableName: 'arn:aws:dynamodb:eu-west-1:123456789012:table/tokens' })
  for (const prefix of [1, 'x'.repeat(65), null]) {
    t.throws(() => dynamoDbStore({ ...options, prefix } as never), {
      name: OptionError.name,
      option: 'prefix',
    })
  }
  t.throws(() => dynamoDbStore({ ...options, now: 7 } as never), {
    name: OptionError.name,
    option: 'now',
  })
  t.throws(() => dynamoDbStore({ ...options, table: TABLE } as never), {
    name: OptionError.name,
    option: 'table',
  })
})
