/** Faults of a real Redis that several processes share: which of them request a token, and how often. */
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { DOWN_AFTER_MS } from '../../../src/tokens/store/circuit-breaker.ts'
import { redisStore } from '../../../src/tokens/store/redis-store.ts'
import type { ResilientStore } from '../../../src/tokens/store/resilient-store.ts'
import { delayedLink } from '../../support/delayed-link.ts'
import { RealLimit } from '../../support/real-limit.ts'
import { type RedisProcess, startRedis, withoutRedis } from '../../support/redis.ts'
import { Clock, process, text } from '../../support/shared-store.ts'

const GROUP = 'group'
const HOUR = 3_600_000
const PROCESSES = 4
const NAMES = 10
/** Callers wait for a stall of the test's as long as it takes: a busy machine may lengthen it. */
new RealLimit(DOWN_AFTER_MS, 30_000)

/** Stores of several processes; their clocks stand still, so that no stall counts as an outage. */
async function fleet(t: Test, urls: readonly string[]): Promise<ResilientStore[]> {
  return Promise.all(
    urls.map(async (url) => {
      const redis = new Redis(url, { lazyConnect: true })
      const { store } = process(redisStore({ redis }), new Clock())
      t.teardown(() => store.close())
      for (let tries = 0; !(await store.get('x', 'x')).epoch.includes('first'); tries += 1) {
        if (tries > 2400) throw new Error('It did not connect within a minute')
        await wait(25)
      }
      return store
    }),
  )
}

/** Cognito: counts token requests by name. */
class Upstream {
  readonly requestCounts = new Map<string, number>()
  readonly #milliseconds: number
  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds
  }

  get most(): number {
    return Math.max(...this.requestCounts.values())
  }

  async requestToken(name: string): Promise<Buffer> {
    const count = (this.requestCounts.get(name) ?? 0) + 1
    this.requestCounts.set(name, count)
    await wait(this.#milliseconds)
    return Buffer.from(`${name} ${count}`)
  }
}

/** A caller of one process: one pass, as proxy and client make it. */
async function obtain(
  store: ResilientStore,
  name: string,
  upstream: Upstream,
): Promise<string | undefined> {
  for (;;) {
    const first = await store.get(name, GROUP, DOWN_AFTER_MS)
    if (first.value !== undefined) return text(first.value)
    const lock = await store.acquire(name, DOWN_AFTER_MS)
    if (lock === undefined) {
      await wait(50)
      continue
    }
    try {
      const { value, epoch } = await store.get(name, GROUP, DOWN_AFTER_MS)
      if (value !== undefined) return text(value)
      const issued = await upstream.requestToken(name)
      await store.set(name, GROUP, { value: issued, epoch, ttl: HOUR })
      return text(issued)
    } finally {
      lock.release()
    }
  }
}

const names = Array.from({ length: NAMES }, (_, index) => `name-${index}`)

/** All names at all processes at once. */
function callers(
  stores: readonly ResilientStore[],
  upstream: Upstream,
): Promise<(string | undefined)[]> {
  return Promise.all(names.flatMap((name) => stores.map((store) => obtain(store, name, upstream))))
}

async function server(t: Test): Promise<RedisProcess> {
  const redis = await startRedis()
  t.teardown(() => redis.kill())
  return redis
}

const oneEach = names.flatMap((name) => Array.from({ length: PROCESSES }, () => `${name} 1`))

t.test('faults of Redis', { skip: withoutRedis }, async (t) => {
  for (const stall of [250, 500, 1000]) {
    for (const [when, before, latency] of [
      ['before the first look-up', 0, 50],
      ['while Cognito is asked, and over before it answers', 100, stall + 400],
      ['while Cognito is asked, and not over when it answers', 100, 150],
    ] as const) {
      t.test(`a stall of ${stall} ms ${when} costs no token request`, async (t) => {
        const redis = await server(t)
        const stores = await fleet(t, Array(PROCESSES).fill(redis.url))
        const upstream = new Upstream(latency)
        if (before === 0) redis.pause()
        const answers = callers(stores, upstream)
        await wait(before)
        redis.pause()
        await wait(stall)
        redis.resume()
        t.strictSame(await answers, oneEach)
        t.equal(upstream.most, 1)
      })
    }
  }

  t.test('one link of four delayed by 150 ms for 0.7 s costs no token request', async (t) => {
    const redis = await server(t)
    const link = await delayedLink(t, redis.port)
    const stores = await fleet(t, [link.url, redis.url, redis.url, redis.url])
    const upstream = new Upstream(50)
    link.delayMs = 150
    const answers = callers(stores, upstream)
    await wait(700)
    link.delayMs = 0
    t.strictSame(await answers, oneEach)
    t.equal(upstream.most, 1)
  })

  t.test('a connection that breaks during a token request causes no further request', async (t) => {
    const redis = await server(t)
    const link = await delayedLink(t, redis.port)
    const stores = await fleet(t, Array(PROCESSES).fill(link.url))
    const upstream = new Upstream(200)
    const answers = callers(stores, upstream)
    await wait(100)
    link.cut()
    t.strictSame(await answers, oneEach)
    t.equal(upstream.most, 1)
  })

  t.test(
    'a Redis that is restarted costs one more request each, and locks work again',
    async (t) => {
      const redis = await server(t)
      const stores = await fleet(t, Array(PROCESSES).fill(redis.url))
      const upstream = new Upstream(500)
      const answers = callers(stores, upstream)
      await wait(100)
      await redis.kill()
      const next = await startRedis({ port: redis.port })
      t.teardown(() => next.kill())
      for (const answer of await answers) t.match(answer, /^name-\d (1|2)$/)
      t.ok(upstream.most <= 2, `${upstream.most} requests`)
      const later = new Upstream(100)
      const one = await Promise.all(stores.map((store) => obtain(store, 'later', later)))
      t.strictSame(one, Array(PROCESSES).fill('later 1'))
    },
  )
})
