/** Processes whose clocks are minutes apart, over one real Redis: its clock decides. */
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { redisStore } from '../../../src/tokens/store/redis-store.ts'
import { ResilientStore } from '../../../src/tokens/store/resilient-store.ts'
import { type RedisProcess, startRedis, withoutRedis } from '../../support/redis.ts'
import { found, KEY, recorder, text } from '../../support/shared-store.ts'

const NAME = 'name'
const GROUP = 'group'
const LIFE = 1500

interface Skewed {
  readonly store: ResilientStore
  readonly lines: readonly string[]
}

async function skewedBy(t: Test, server: RedisProcess, seconds: number): Promise<Skewed> {
  const redis = new Redis(server.url, { lazyConnect: true })
  const { lines, logger } = recorder()
  const store = new ResilientStore({
    store: redisStore({ redis }),
    encryptionKeys: [KEY],
    logger,
    now: () => Date.now() + 1000 * seconds,
    monotonicNow: () => performance.now(),
  })
  t.teardown(() => store.close())
  while (!(await store.get('first', 'first')).epoch.includes('first')) await wait(25)
  return { store, lines }
}

t.test('clocks with skew', { skip: withoutRedis }, async (t) => {
  for (const skews of [
    [120, -120],
    [120, -120, 0, 3600],
  ]) {
    t.test(`by ${skews} s from Redis`, async (t) => {
      const server = await startRedis()
      const admin = new Redis(server.url)
      await once(admin, 'ready')
      t.teardown(async () => {
        admin.disconnect()
        await server.kill()
      })
      const time = async (): Promise<number> => {
        const [seconds, microseconds] = await admin.time()
        return Number(seconds) * 1000 + Number(microseconds) / 1000
      }
      const stores = await Promise.all(skews.map((skew) => skewedBy(t, server, skew)))
      for (const [index, writer] of stores.entries()) {
        const name = `${NAME} ${index}`
        const before = await time()
        const { epoch, now } = await writer.store.get(name, GROUP)
        t.ok(now >= Math.floor(before) && now <= (await time()), 'dated by the clock of Redis')
        await writer.store.set(name, GROUP, { value: Buffer.from('good'), epoch, ttl: LIFE })
        const expiresAt = (await time()) + LIFE
        for (const { store } of stores) {
          const { value, now: later } = await store.get(name, GROUP)
          // A busy machine may take longer than the life of the entry.
          if (value === undefined) t.ok((await time()) >= before + LIFE - 2, 'not lost by the skew')
          t.ok(later >= now - 2 && later <= (await time()))
        }
        // The number of lookups depends on the speed of the machine, so only the last one is asserted.
        let lastFoundAt = 0
        for (let left = stores.length; left > 0; await wait(50)) {
          left = 0
          for (const { store } of stores) {
            const lookedUpAt = await time()
            if ((await found(store, name, GROUP)) === undefined) continue
            left += 1
            lastFoundAt = lookedUpAt
          }
        }
        t.ok(lastFoundAt < expiresAt, 'nothing past its expiry')
      }
      for (const [index, skew] of skews.entries()) {
        const warnings = stores[index]?.lines.filter((line) => line.includes('clocks'))
        if (skew === 0) t.strictSame(warnings, [])
        else {
          const warning = 'cognito-m2m: the clocks of this process and of the token store differ'
          t.strictSame(warnings, [`warn ${warning} {"skew":${skew}}`], 'once')
        }
      }
    })
  }

  t.test('copies age by the monotonic clock while Redis is away', async (t) => {
    const server = await startRedis()
    t.teardown(() => server.kill())
    const { store } = await skewedBy(t, server, -120)
    const dated = await store.get(NAME, GROUP)
    const entry = { value: Buffer.from('good'), epoch: dated.epoch, ttl: LIFE }
    const begun = performance.now()
    await store.set(NAME, GROUP, entry)
    await server.kill()
    const wrong: string[] = []
    let lastFoundAt = Number.NaN
    for (;;) {
      const before = performance.now()
      const { value, now } = await store.get(NAME, GROUP)
      const age = now - dated.now
      const isDated = age >= before - begun - 2 && age <= performance.now() - begun + 1000
      if (!isDated) wrong.push(`${age} ms after ${before - begun} ms`)
      if (value === undefined) break
      if (text(value) !== 'good') wrong.push(`value ${text(value)}`)
      lastFoundAt = before - begun
    }
    t.strictSame(wrong, [])
    t.ok(lastFoundAt < LIFE)
    t.ok(performance.now() - begun >= LIFE)
  })
})
