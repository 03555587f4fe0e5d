import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import t from 'tap'
import { tokenStoreTests } from '../../../src/testing/index.ts'
import { memoryStore } from '../../../src/tokens/store/memory-store.ts'
import { redisStore } from '../../../src/tokens/store/redis-store.ts'
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
