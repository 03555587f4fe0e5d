import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { createClient } from 'redis'
import t from 'tap'
import { tokenStoreTests } from '../../../src/testing/index.ts'
import { dynamoDbStore } from '../../../src/tokens/store/dynamodb-store.ts'
import { memoryStore } from '../../../src/tokens/store/memory-store.ts'
import { redisStore } from '../../../src/tokens/store/redis-store.ts'
import { startDynamoDb, TABLE } from '../../support/dynamodb.ts'
import { startRedis, withoutRedis } from '../../support/redis.ts'

t.test('memory', async (t) => {
  for (const { name, run } of tokenStoreTests(() => memoryStore())) t.test(name, run)
})

t.test('Redis, through both majors of ioredis', { skip: withoutRedis }, async (t) => {
  const server = await startRedis()
  const six = new Redis(server.url, { keyPrefix: 'own:' })
  const five = new Redis5(server.url, { lazyConnect: true })
  t.teardown(async () => {
    six.disconnect()
    five.disconnect()
    await server.kill()
  })
  for (const redis of [six, five]) {
    for (const { name, run } of tokenStoreTests(() => redisStore({ redis }))) {
      await t.test(name, run)
    }
  }
  t.equal(five.status, 'wait', 'the instance of the owner is not used')
  const keys = await six.keys('*')
  t.ok(keys.some((key) => key.startsWith('own:cognito-m2m:group:')))
  t.ok(keys.some((key) => key.startsWith('cognito-m2m:group:')))
})

t.test(
  'Redis, through node-redis with both versions of RESP',
  { skip: withoutRedis },
  async (t) => {
    const server = await startRedis()
    t.teardown(() => server.kill())
    for (const RESP of [2, 3] as const) {
      const redis = createClient({ url: server.url, RESP })
      for (const { name, run } of tokenStoreTests(() => redisStore({ redis }))) {
        await t.test(name, run)
      }
      t.equal(redis.isOpen, false, 'the client of the owner is not used')
    }
  },
)

t.test('DynamoDB', async (t) => {
  const dynamoDb = await startDynamoDb(t)
  const client = dynamoDb.createClient()
  for (const { name, run } of tokenStoreTests(() => dynamoDbStore({ client, tableName: TABLE }))) {
    await t.test(name, run)
  }
  t.strictSame(
    [...new Set(dynamoDb.operations)].sort(),
    ['GetItem', 'UpdateItem'],
    'the only operations that the IAM policy permits',
  )
})
