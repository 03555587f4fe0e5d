import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import t, { type Test } from 'tap'
import { OptionError } from '../../../src/core/options/validate.ts'
import { tokenStoreTests } from '../../../src/testing/index.ts'
import { redisStore } from '../../../src/tokens/store/redis-store.ts'
import { COMMAND_TIMEOUT_MS } from '../../../src/tokens/store/store-caller.ts'
import { type RedisProcess, startRedis, withoutRedis } from '../../support/redis.ts'
import {
  acquireReleased,
  Clock,
  fill,
  found,
  type Process,
  process,
  WAIT,
} from '../../support/shared-store.ts'

const GROUP = 'group'
const NAME = 'name'
const HOUR = 3_600_000

const LIBRARIES = ['ioredis', 'node-redis'] as const
type Library = (typeof LIBRARIES)[number]

/** A client without a connection, which the store duplicates. */
function clientOf(
  library: Library,
  url: string,
  user: { username?: string; password?: string } = {},
) {
  return library === 'ioredis'
    ? new Redis(url, { ...user, lazyConnect: true })
    : createClient({ ...user, url })
}

/** Processes over one Redis, each with a separate connection. */
async function processesOf(
  t: Test,
  server: RedisProcess,
  clock: Clock,
  library: Library,
  count = 1,
): Promise<Process[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const redis = clientOf(library, server.url)
      const one = process(redisStore({ redis }), clock)
      t.teardown(() => one.store.close())
      await until(async () => (await one.store.get('first', 'first')).epoch.includes('first 1'))
      return one
    }),
  )
}

for (const library of LIBRARIES) {
  t.test(`over a separate Redis, through ${library}`, { skip: withoutRedis }, async (t) => {
    t.test('killed: copies are served, and an empty Redis applies after its restart', async (t) => {
      const clock = new Clock()
      let server = await startRedis()
      const [here, there] = (await processesOf(t, server, clock, library, 2)) as [Process, Process]
      await fill(here.store, NAME, GROUP, 'good')
      t.equal(await found(there.store, NAME, GROUP), 'good')
      const { epoch } = await there.store.get('under way', GROUP)
      await server.kill()
      for (let look = 0; look < 5; look += 1) {
        t.equal(await found(here.store, NAME, GROUP), 'good')
        t.equal(await found(there.store, NAME, GROUP), 'good')
      }
      t.equal(here.store.status().degraded, true)
      server = await startRedis({ port: server.port })
      t.teardown(() => server.kill())
      for (const { store } of [here, there]) {
        await until(async () => {
          clock.pass(1000)
          await store.get('first', 'first')
          return !store.status().degraded
        })
      }
      t.equal(await found(here.store, NAME, GROUP), undefined, 'nobody knows what was invalidated')
      const late = { value: Buffer.from('late'), epoch, ttl: HOUR }
      await there.store.set('under way', GROUP, late)
      t.equal(await found(there.store, 'under way', GROUP), undefined, 'nor since when')
      t.equal(await fill(here.store, NAME, GROUP, 'new'), undefined)
      t.equal(await found(there.store, NAME, GROUP), 'new')
      t.equal(here.lines.length, 3)
      t.match(here.lines[0], /^warn cognito-m2m: the clocks of this process and of the token store/)
      t.match(here.lines[1], /^warn cognito-m2m: the token store fails/)
      t.match(here.lines[2], /^info cognito-m2m: the token store is back/)
    })

    t.test(
      'hung: every call ends within its bound, and no lock outlives its release',
      async (t) => {
        const clock = new Clock()
        const server = await startRedis()
        t.teardown(() => server.kill())
        const [here, there] = (await processesOf(t, server, clock, library, 2)) as [
          Process,
          Process,
        ]
        await fill(here.store, NAME, GROUP, 'good')
        t.equal(await found(there.store, NAME, GROUP), 'good')
        server.pause()
        for (let call = 0; call < 4; call += 1) {
          t.equal(await found(here.store, NAME, GROUP), 'good')
          const lock = await here.store.acquire(NAME, COMMAND_TIMEOUT_MS)
          t.ok(lock)
          lock?.release()
        }
        server.resume()
        await until(async () => {
          clock.pass(1000)
          await there.store.get(NAME, GROUP)
          return !there.store.status().degraded
        })
        const theirs = await acquireReleased(there.store, NAME)
        t.equal(there.store.status().degraded, false, 'it is no stand-in')
        theirs.release()
        t.equal(await found(there.store, NAME, GROUP), 'good')
      },
    )

    t.test('full: reads continue, and entries that it rejects are in memory', async (t) => {
      const clock = new Clock()
      const server = await startRedis()
      const admin = new Redis(server.url)
      t.teardown(async () => {
        admin.disconnect()
        await server.kill()
      })
      const [here] = (await processesOf(t, server, clock, library)) as [Process]
      await fill(here.store, NAME, GROUP, 'good')
      await admin.config('SET', 'maxmemory', '1')
      for (const name of ['a', 'b', 'c']) await fill(here.store, name, GROUP, name)
      for (const name of ['a', 'b', 'c']) t.equal(await found(here.store, name, GROUP), name)
      t.equal(await found(here.store, NAME, GROUP), 'good')
      t.match(here.lines.at(-1), /"reason":"OOM"/)
      t.equal(await here.store.invalidate(GROUP), true, 'and can be told')
      t.equal(await found(here.store, NAME, GROUP), undefined)
      await admin.config('SET', 'maxmemory', '0')
      clock.pass(1000)
      await fill(here.store, 'd', GROUP, 'd')
      t.equal(here.store.status().degraded, false)
    })

    t.test('without its scripts: they are sent again', async (t) => {
      const clock = new Clock()
      const server = await startRedis()
      const admin = new Redis(server.url)
      t.teardown(async () => {
        admin.disconnect()
        await server.kill()
      })
      const [here] = (await processesOf(t, server, clock, library)) as [Process]
      await fill(here.store, NAME, GROUP, 'good')
      await admin.script('FLUSH')
      t.equal(await found(here.store, NAME, GROUP), 'good')
      t.equal(here.store.status().degraded, false)
      const before = Number(/total_commands_processed:(\d+)/.exec(await admin.info('stats'))?.[1])
      await found(here.store, NAME, GROUP)
      const after = Number(/total_commands_processed:(\d+)/.exec(await admin.info('stats'))?.[1])
      // Redis counts what a script calls too: EVALSHA, TIME and HMGET, in addition to this INFO.
      t.equal(after - before, 4, 'one round trip per look-up')
    })

    t.test('a user with the documented rights can run all commands', async (t) => {
      const page = readFileSync(new URL('../../../docs/token-stores.md', import.meta.url), 'utf8')
      const [, rights = ''] = /these commands: `(~[^`]+)`/.exec(page) ?? []
      const server = await startRedis()
      const admin = new Redis(server.url)
      t.teardown(async () => {
        admin.disconnect()
        await server.kill()
      })
      await admin.acl(
        'SETUSER',
        'proxy',
        'on',
        '>pass',
        'resetkeys',
        '-@all',
        ...rights.split(/\s+/),
      )
      const redis = clientOf(library, server.url, { username: 'proxy', password: 'pass' })
      for (const { name, run } of tokenStoreTests(() => redisStore({ redis }))) {
        await t.test(name, run)
      }
      const other = redisStore({ redis, prefix: 'other:' })
      await t.rejects(other.get('key', GROUP), /NOPERM/)
      await other.close()
    })

    t.test(
      'epochs outlive tokens, entries go with their time, and strangers leave nothing',
      async (t) => {
        const server = await startRedis()
        const admin = new Redis(server.url)
        t.teardown(async () => {
          admin.disconnect()
          await server.kill()
        })
        const [here] = (await processesOf(t, server, new Clock(), library)) as [Process]
        const { store } = here
        for (let client = 0; client < 100; client += 1) await store.get(NAME, `client ${client}`)
        t.strictSame(await admin.keys('*'), [])
        await fill(store, NAME, GROUP, 'good', 60_000)
        const key = `cognito-m2m:group:${GROUP}`
        t.ok((await admin.pttl(key)) > 50_000 && (await admin.pttl(key)) <= 60_000)
        await store.invalidate(GROUP)
        await fill(store, NAME, GROUP, 'good', 60_000)
        t.ok((await admin.pttl(key)) > 24 * HOUR)
        await store.delete(NAME, GROUP)
        t.strictSame(await admin.hkeys(key), ['epoch', 'order'])
        const lock = await store.acquire(NAME, WAIT)
        t.ok(lock)
        t.ok((await admin.pttl(`cognito-m2m:lock:${NAME}`)) <= 2000)
        lock?.release()
        await until(async () => (await admin.keys('*:lock:*')).length === 0)
      },
    )
  })
}

t.test(
  'a Redis that is not there costs 100 ms at most, and its owner no unhandled error',
  async (t) => {
    const silent: Server = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    t.teardown(() => silent.close())
    const { port } = silent.address() as AddressInfo
    for (const url of ['redis://127.0.0.1:1', `redis://127.0.0.1:${port}`]) {
      for (const library of LIBRARIES) {
        const redis = clientOf(library, url)
        const { store, lines } = process(redisStore({ redis }), new Clock())
        for (let look = 0; look < 4; look += 1) {
          t.equal(await fill(store, NAME, GROUP, 'good'), look === 0 ? undefined : 'good')
        }
        t.equal(lines.length, 1)
        await store.close()
      }
    }
  },
)

t.test('errors name invalid options', async (t) => {
  const redis = new Redis({ lazyConnect: true })
  const cluster = new Cluster([], { lazyConnect: true })
  const nodes = createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:1' }] })
  for (const wrong of [undefined, null, 'redis://localhost', {}, cluster, nodes]) {
    const options = wrong === undefined ? {} : { redis: wrong }
    t.throws(() => redisStore(options as never), { name: OptionError.name, option: 'redis' })
  }
  for (const prefix of [1, 'x'.repeat(65), null]) {
    t.throws(() => redisStore({ redis, prefix } as never), {
      name: OptionError.name,
      option: 'prefix',
    })
  }
  t.throws(() => redisStore({ redis, url: '' } as never), { name: OptionError.name, option: 'url' })
})

/** For at most a minute. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 2400; attempt += 1) {
    if (await isSo()) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('It did not come about within a minute')
}
