/** Locks, deadlines and shutdown over a real Redis. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { redisStore } from '../../../src/tokens/store/redis-store.ts'
import { LateError, type TokenStore } from '../../../src/tokens/store/token-store.ts'
import type { LockSettings } from '../../support/locking-process.ts'
import { type RedisProcess, startRedis, withoutRedis } from '../../support/redis.ts'
import { Clock, KEY, process as processOf } from '../../support/shared-store.ts'

const SCRIPT = fileURLToPath(new URL('../../support/locking-process.ts', import.meta.url))
const NAME = 'name'
const GROUP = 'group'
const LOCK = `cognito-m2m:lock:${NAME}`
const MINUTE = 60_000

async function start(t: Test): Promise<{ server: RedisProcess; admin: Redis; store: TokenStore }> {
  const server = await startRedis()
  const admin = new Redis(server.url)
  const store = redisStore({ redis: admin })
  t.teardown(async () => {
    await store.close()
    admin.disconnect()
    await server.kill()
  })
  // Connected: the clock of Redis is known.
  await store.get(NAME, GROUP, { maxDelayMs: MINUTE })
  return { server, admin, store }
}

async function holder(t: Test, redisUrl: string): Promise<ChildProcess> {
  const settings: LockSettings = { redisUrl, name: NAME, encryptionKeys: [KEY] }
  const args = [...process.execArgv, SCRIPT, JSON.stringify(settings)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [said] = await once(child, 'message')
  t.equal(said, 'held')
  return child
}

t.test('over Redis', { skip: withoutRedis }, async (t) => {
  t.test('a command that Redis executes after its deadline has no effect', async (t) => {
    const { server, admin, store } = await start(t)
    const { epoch } = await store.get(NAME, GROUP, { maxDelayMs: MINUTE })
    const value = Buffer.from('good')
    // Sent once, so that what is stopped below is one command each.
    await store.set('other', GROUP, { value, epoch, ttl: MINUTE })
    t.equal(await store.lock('other', 'me', MINUTE, { maxDelayMs: MINUTE }), true)
    server.pause()
    const late = [
      t.rejects(store.lock(NAME, 'me', MINUTE, { maxDelayMs: 100 }), LateError),
      t.rejects(store.get('other', GROUP, { maxDelayMs: 100 }), LateError),
    ]
    const inTime = [
      store.lock('in time', 'me', MINUTE, { maxDelayMs: MINUTE }),
      store.set('expired', GROUP, { value, epoch, ttl: 100 }),
      store.set('kept', GROUP, { value, epoch, ttl: MINUTE }),
    ]
    await wait(300)
    server.resume()
    await Promise.all(late)
    t.strictSame(await Promise.all(inTime), [true, false, true])
    t.equal(await admin.exists(LOCK), 0, 'no lock was taken late')
    const key = `cognito-m2m:group:${GROUP}`
    t.equal(await admin.hexists(key, 'v:expired'), 0, 'nothing is kept past its expiry')
    const [seconds] = await admin.time()
    const left = Number(await admin.hget(key, 'x:kept')) - Number(seconds) * 1000
    t.ok(left <= MINUTE - 300 + 1000, `what is kept late has the life that is left: ${left}`)
  })

  t.test('a lock is renewed until its owner releases it, or dies', async (t) => {
    const { server, admin } = await start(t)
    const { store } = processOf(redisStore({ redis: admin }), new Clock())
    t.teardown(() => store.close())
    const child = await holder(t, server.url)
    t.ok((await admin.pttl(LOCK)) <= 2000, 'it is short')
    let renewals = 0
    for (let last = await admin.pttl(LOCK); renewals < 5; ) {
      await wait(50)
      const left = await admin.pttl(LOCK)
      t.ok(left > 0)
      if (left > last) renewals += 1
      last = left
    }
    t.equal(await store.acquire(NAME, 1250), undefined, 'longer than its life it is held')
    child.kill('SIGKILL')
    await once(child, 'exit')
    t.ok((await admin.pttl(LOCK)) <= 2000)
    let lock = await store.acquire(NAME, 1250)
    while (lock === undefined) {
      await wait(50)
      lock = await store.acquire(NAME, 1250)
    }
    t.equal(await admin.exists(LOCK), 1)
    lock.release()
    while ((await admin.exists(LOCK)) === 1) await wait(25)
    await wait(600)
    t.equal(await admin.exists(LOCK), 0, 'and renewed no more')
  })

  t.test('a process closes and ends while Redis hangs, and while it is gone', async (t) => {
    for (const fault of ['pause', 'kill'] as const) {
      const { server } = await start(t)
      const child = await holder(t, server.url)
      await server[fault]()
      const exit = once(child, 'exit')
      child.send('close')
      t.strictSame((await once(child, 'message'))[0], 'closed')
      t.strictSame(await exit, [0, null], 'Redis is as it was')
    }
  })
})
