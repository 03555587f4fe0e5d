/** Requests over budget wait up to 2 s for their turn: bounded, fair, proven clients apart. */
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import {
  type QuotaLimits,
  QuotaQueue,
  type Release,
  UpstreamQuota,
} from '../../../src/tokens/proxy/quota.ts'

const LIMITS = { perSecond: 100, unprovenPerSecond: 50, concurrency: 10_000 }

/** A queue with a separate clock. */
function queueOf(t: Test, limits: QuotaLimits = LIMITS) {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let now = 0
  const queue = new QuotaQueue(new UpstreamQuota(limits), () => now)
  const granted: { readonly name: string; readonly at: number; readonly release: Release }[] = []
  const refused: { readonly name: string; readonly at: number }[] = []
  return {
    queue,
    granted,
    refused,
    async take(name: string, clientId: string, isProven = false, maxWaitMs = 5000) {
      const release = await queue.take(clientId, isProven, maxWaitMs)
      if (release === undefined) refused.push({ name, at: now })
      else granted.push({ name, at: now, release })
    },
    /** Lets so many milliseconds pass, in steps of the queue's timer or less. */
    async pass(milliseconds: number): Promise<void> {
      for (const end = now + milliseconds; now < end; ) {
        const step = Math.min(20, end - now)
        now += step
        mock.timers.tick(step)
        await settled()
      }
    },
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

t.test('100 new clients at once all get a turn within 2 s', async (t) => {
  const { take, pass, granted, refused } = queueOf(t)
  for (let client = 0; client < 100; client += 1) void take(`${client}`, `client-${client}`)
  await settled()
  t.equal(granted.length, 50)
  await pass(980)
  t.equal(granted.length, 50)
  await pass(20)
  t.equal(granted.length, 100)
  t.equal(refused.length, 0)
})

t.test('of 300, those that the budget serves in 2 s; with retries all within 6 s', async (t) => {
  const { take, pass, granted, refused, queue } = queueOf(t)
  const request = async (client: number): Promise<void> => {
    const before = refused.length
    await take(`${client}`, `client-${client}`)
    const isRefused = refused.slice(before).some(({ name }) => name === `${client}`)
    if (!isRefused) return
    // As Retry-After says.
    await new Promise((resolve) => setTimeout(resolve, 1000))
    await request(client)
  }
  for (let client = 0; client < 300; client += 1) void request(client)
  await settled()
  t.same(queue.lengths, { proven: 0, unproven: 250 })
  await pass(1980)
  t.equal(granted.length, 100)
  t.equal(refused.length, 0, 'nobody is refused before')
  await pass(20)
  t.equal(granted.length, 150)
  t.equal(refused.length, 150)
  t.ok(
    refused.every(({ at }) => at === 2000),
    'who waits, waits 2 s',
  )
  await pass(4000)
  t.equal(new Set(granted.map(({ name }) => name)).size, 300)
})

t.test('a queue holds 500 requests, and 20 of a client', async (t) => {
  for (const isProven of [false, true]) {
    const { take, pass, granted, refused, queue } = queueOf(t, {
      perSecond: 4,
      unprovenPerSecond: 1,
      concurrency: 8,
    })
    for (let index = 0; index < 30; index += 1) void take(`a${index}`, 'a', isProven)
    await settled()
    t.same([granted.length, refused.length], [1, 9], 'one at once, 20 wait')
    t.equal(queue.hasRoom('a', isProven), false)
    t.equal(queue.hasRoom('b', isProven), true)
    for (let client = 0; client < 600; client += 1) void take(`b${client}`, `b${client}`, isProven)
    await settled()
    const { proven, unproven } = queue.lengths
    t.equal(isProven ? proven : unproven, 500)
    t.equal(queue.hasRoom('c', isProven), false)
    t.equal(queue.hasRoom('c', !isProven), true, 'the other queue has room')
    await pass(2000)
    t.same(queue.lengths, { proven: 0, unproven: 0 })
    mock.timers.reset()
  }
})

t.test('clients take turns, however many requests each has', async (t) => {
  const { take, pass, granted } = queueOf(t, { perSecond: 3, unprovenPerSecond: 2, concurrency: 9 })
  for (const name of ['a0', 'a1', 'a2', 'a3']) void take(name, 'a')
  void take('b0', 'b')
  void take('c0', 'c')
  await settled()
  t.same(
    granted.map(({ name }) => name),
    ['a0', 'a1'],
  )
  await pass(1000)
  t.same(
    granted.slice(2).map(({ name }) => name),
    ['a2', 'b0'],
  )
  await pass(1000)
  t.same(
    granted.slice(4).map(({ name }) => name),
    ['c0', 'a3'],
  )
})

t.test('a client over its share does not hold up the others', async (t) => {
  const { take, granted, queue } = queueOf(t, {
    perSecond: 8,
    unprovenPerSecond: 1,
    concurrency: 8,
  })
  for (let index = 0; index < 5; index += 1) void take(`a${index}`, 'a', true)
  await settled()
  t.equal(granted.length, 2, 'a quarter')
  for (const client of ['b', 'c']) void take(client, client, true)
  await settled()
  t.same(
    granted.slice(2).map(({ name }) => name),
    ['b', 'c'],
  )
  t.equal(queue.lengths.proven, 3)
})

t.test('a request with a response gives its turn to the next one at once', async (t) => {
  const { take, granted, queue } = queueOf(t, {
    perSecond: 100,
    unprovenPerSecond: 50,
    concurrency: 2,
  })
  for (const name of ['a', 'b']) void take(name, name)
  await settled()
  t.equal(granted.length, 1)
  granted[0]?.release()
  await settled()
  t.equal(granted.length, 2)
  t.same(queue.lengths, { proven: 0, unproven: 0 })
})

t.test('a wait ends with the timeout', async (t) => {
  const { take, pass, refused } = queueOf(t, { perSecond: 2, unprovenPerSecond: 1, concurrency: 2 })
  void take('first', 'a')
  void take('short', 'b', false, 500)
  await pass(480)
  t.equal(refused.length, 0)
  await pass(20)
  t.same(refused, [{ name: 'short', at: 500 }])
})

t.test('closing refuses all waiting requests', async (t) => {
  const { take, refused, queue } = queueOf(t, {
    perSecond: 2,
    unprovenPerSecond: 1,
    concurrency: 2,
  })
  for (const name of ['a', 'b', 'c']) void take(name, name)
  await settled()
  queue.close()
  await settled()
  t.equal(refused.length, 2)
  t.same(queue.lengths, { proven: 0, unproven: 0 })
})
