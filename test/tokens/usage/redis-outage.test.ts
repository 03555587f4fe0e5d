/** Several processes add up counts in Redis: no count is lost if Redis is killed, hangs or restarts. */
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { createUsage, redisUsageStore } from '../../../src/tokens/usage/index.ts'
import { RealLimit } from '../../support/real-limit.ts'
import { type RedisProcess, startRedis, withoutRedis } from '../../support/redis.ts'
import { PRICE, source } from '../../support/usage.ts'

/** Of a command, and of everything that is waited for. */
const limits = [1500, 2000].map((milliseconds) => new RealLimit(milliseconds))

function counting(t: Test, { url }: RedisProcess) {
  const redis = new Redis(url, { lazyConnect: true })
  const usage = createUsage({ price: PRICE, store: redisUsageStore({ redis }), flushInterval: 60 })
  t.teardown(() => usage.close())
  const attached = source()
  usage.attach(attached)
  const issued = async () => (await usage.report()).rows[0]?.tokens.issued
  return { usage, source: attached, issued }
}

t.test(
  'the counts of several processes add up, also of one that starts later',
  { skip: withoutRedis },
  async (t) => {
    const server = await startRedis()
    t.teardown(() => server.kill())
    const [one, other] = [counting(t, server), counting(t, server)]
    for (let index = 0; index < 5; index += 1) one.source.token('issued', 'a')
    for (let index = 0; index < 3; index += 1) other.source.token('issued', 'a')
    t.equal(await one.issued(), 5)
    t.equal(await other.issued(), 8)
    t.equal(await one.issued(), 8)
    one.source.token('issued', 'a')
    await one.usage.close()
    t.equal(await counting(t, server).issued(), 9)
  },
)

t.test(
  'no count is lost and no call throws after Redis is killed and restarted',
  { skip: withoutRedis },
  async (t) => {
    const server = await startRedis()
    const { usage, source, issued } = counting(t, server)
    t.equal(await issued(), 0)
    await server.kill()
    for (const limit of limits) limit.shorten()
    for (let index = 0; index < 100; index += 1) source.token('issued', 'a')
    await t.rejects(usage.report(), { code: 'ERR_USAGE_UNAVAILABLE' })
    t.match(usage.status(), { degraded: true, pending: 1 })
    source.token('issued', 'a')
    const back = await startRedis({ port: server.port })
    t.teardown(() => back.kill())
    let count: number | undefined
    for (let tries = 0; tries < 1200 && count === undefined; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      count = await issued().catch(() => undefined)
    }
    t.equal(count, 101)
    t.match(usage.status(), { degraded: false, pending: 0 })
    for (const limit of limits) limit.lengthen()
  },
)

t.test(
  'a batch whose response is lost in a hanging Redis counts once',
  { skip: withoutRedis },
  async (t) => {
    const server = await startRedis()
    t.teardown(() => server.kill())
    const { usage, source, issued } = counting(t, server)
    source.token('issued', 'a')
    t.equal(await issued(), 1)
    server.pause()
    for (const limit of limits) limit.shorten()
    source.token('issued', 'a')
    await t.rejects(usage.report(), { code: 'ERR_USAGE_UNAVAILABLE' })
    // What was sent is read now, and the same batch comes again.
    server.resume()
    for (const limit of limits) limit.lengthen()
    t.equal(await issued(), 2)
    t.equal(await issued(), 2)
  },
)
