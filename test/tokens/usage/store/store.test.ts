/** The contract of usage stores, in memory and in Redis, and their invalid options. */
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import t from 'tap'
import {
  memoryUsageStore,
  type RedisUsageStoreOptions,
  redisUsageStore,
} from '../../../../src/tokens/usage/index.ts'
import { STORED_DAYS, STORED_HOURS } from '../../../../src/tokens/usage/store/types.ts'
import { startRedis, withoutRedis } from '../../../support/redis.ts'
import { HOUR, NOON } from '../../../support/usage.ts'
import { usageStoreTests } from '../../../support/usage-store-contract.ts'

t.test('memory', async (t) => {
  await usageStoreTests(t, (_, options) => memoryUsageStore(options))
})

t.test('Redis, through both majors of ioredis', { skip: withoutRedis }, async (t) => {
  const server = await startRedis()
  const [six, five] = [new Redis(server.url), new Redis5(server.url, { lazyConnect: true })]
  t.teardown(async () => {
    await server.kill()
    six.disconnect()
    five.disconnect()
  })
  for (const redis of [six, five]) {
    await usageStoreTests(t, (prefix, options) => redisUsageStore({ redis, prefix, ...options }))
  }
  t.equal(five.status, 'wait', 'the instance of the owner is not used')
  const keys = await six.keys('*')
  t.ok(keys.length > 0)
  const oneSlot = /^\{[\w-]+\}:(?:totals|clients|writer:[\w-]+|hour:\d+|day:\d+)$/
  t.strictSame(
    keys.filter((key) => !oneSlot.test(key)),
    [],
  )
  const days = async (kind: RegExp) => {
    const ttls = await Promise.all(keys.filter((key) => kind.test(key)).map((key) => six.ttl(key)))
    return new Set(ttls.map((ttl) => Math.ceil(ttl / (24 * HOUR))))
  }
  t.strictSame(await days(/totals|clients/), new Set([0]), 'rows stay')
  t.strictSame(await days(/writer/), new Set([7]))
  t.strictSame(await days(/hour/), new Set([8]))
  t.strictSame(await days(/day/), new Set([94]))
})

t.test('the default prefix is cognito-m2m:usage', { skip: withoutRedis }, async (t) => {
  const server = await startRedis()
  const redis = new Redis(server.url)
  const store = redisUsageStore({ redis })
  t.teardown(async () => {
    redis.disconnect()
    await store.close()
    await server.kill()
  })
  const cell = {
    subject: 'other',
    hour: 1,
    first: NOON,
    last: NOON,
    counts: new Map([['issued', 1]]),
  }
  await store.add({ writer: 'w', sequence: 1, hour: 1, cells: [cell] })
  t.strictSame((await redis.keys('*')).sort(), [
    ...['{cognito-m2m:usage}:day:0', '{cognito-m2m:usage}:hour:1'],
    ...['{cognito-m2m:usage}:totals', '{cognito-m2m:usage}:writer:w'],
  ])
})

t.test('memory stores a limited number of buckets, whatever the clocks show', async (t) => {
  const store = memoryUsageStore()
  const counts = new Map([['issued', 1]])
  for (let hour = 1; hour <= 3000; hour += 1) {
    const cell = { subject: 'other', hour, first: hour, last: hour, counts }
    await store.add({ writer: 'w', sequence: hour, hour, cells: [cell] })
  }
  const countBuckets = async (unit: 'hour' | 'day', count: number) =>
    (await store.buckets(unit, 0, count)).filter((it) => it.size > 0).length
  t.equal(await countBuckets('hour', 3001), STORED_HOURS + 1)
  t.equal(await countBuckets('day', 126), STORED_DAYS + 1)
})

for (const maxClients of [0, 1.5, 20_001, '5', undefined]) {
  t.test(`maxClients ${String(maxClients)} is rejected`, (t) => {
    const expected = { code: 'ERR_OPTION_INVALID', option: 'maxClients' }
    t.throws(() => memoryUsageStore({ maxClients } as { maxClients: number }), expected)
    const redis = { duplicate: () => t.fail('asked') }
    const options = { redis, maxClients } as unknown as RedisUsageStoreOptions
    t.throws(() => redisUsageStore(options), expected)
    t.end()
  })
}

for (const [option, value, message] of [
  ['redis', undefined, 'redis: expected a value, got undefined. Set it or leave it out.'],
  ['redis', null, 'redis: expected an instance of ioredis, got null. Pass new Redis(…).'],
  [
    'redis',
    'redis://:hunter2@localhost',
    'redis: expected an instance of ioredis, got a string. Pass new Redis(…).',
  ],
  [
    'prefix',
    '',
    'prefix: expected 1 to 100 letters, digits and _ : . -, got "". Change the prefix.',
  ],
  [
    'prefix',
    '{a}',
    'prefix: expected 1 to 100 letters, digits and _ : . -, got "{a}". Change the prefix.',
  ],
  [
    'key',
    'a',
    'key: expected one of redis, prefix, maxClients, got an unknown name. Rename or remove it.',
  ],
] as const) {
  t.test(`${option} ${value} is rejected`, (t) => {
    const redis = { duplicate: () => t.fail('asked') }
    const options = { redis, [option]: value } as unknown as RedisUsageStoreOptions
    t.throws(() => redisUsageStore(options), {
      code: 'ERR_OPTION_INVALID',
      option,
      message: `cognito-m2m: ${message}`,
    })
    t.end()
  })
}
