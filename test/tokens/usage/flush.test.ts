/** Counts are written in the background: a failing store loses none of them, and delays no request. */
import { channel } from 'node:diagnostics_channel'
import { mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { MAX_CELLS, UsageAggregator } from '../../../src/tokens/usage/aggregator.ts'
import { UsageWriter } from '../../../src/tokens/usage/flush.ts'
import { createUsage, type UsageStore } from '../../../src/tokens/usage/index.ts'
import { begin, FaultyStore, HOUR, logged, NOON, POOL, PRICE, source } from '../../support/usage.ts'

const A = JSON.stringify([POOL, 'a'])

/** A writer that no store keeps waiting for long. */
function writing(store: UsageStore, interval = 60_000) {
  const tally = new UsageAggregator()
  const logger = logged()
  const writer = new UsageWriter({
    store,
    aggregator: tally,
    logger,
    intervalMs: interval,
    timeoutMs: 20,
  })
  const total = async () => {
    const [only] = await (store as FaultyStore).memory.totals()
    return only?.counts.get('issued') ?? 0
  }
  return { tally, writer, logger, total }
}

for (const fault of ['reject', 'throw', 'hang', 'lose'] as const) {
  t.test(`no count is lost or added twice by a store that fails: ${fault}`, async (t) => {
    const store = new FaultyStore()
    const { tally, writer, logger, total } = writing(store)
    store.fault = fault
    for (let round = 0; round < 3; round += 1) {
      tally.add(A, 'issued', NOON + round * HOUR)
      await writer.write()
    }
    t.equal(writer.degraded, true)
    t.equal(writer.size + tally.size, 3)
    store.fault = 'none'
    await writer.write()
    t.equal(await total(), 3)
    t.strictSame([writer.degraded, writer.size, tally.size], [false, 0, 0])
    t.strictSame(logger.lines, [
      ['warn', { pending: 1 }, 'cognito-m2m: the usage store failed; counts are kept in memory'],
      ['info', {}, 'cognito-m2m: the usage store recovered'],
    ])
    writer.stop()
  })
}

t.test('counts during a write are in the next batch', async (t) => {
  const store = new FaultyStore()
  const { tally, writer, total } = writing(store)
  const { add } = store
  let later: Promise<unknown> | undefined
  store.add = (batch) => {
    if (later === undefined) {
      tally.add(A, 'issued', NOON)
      later = Promise.all([writer.write(), writer.write()])
    }
    return add.call(store, batch)
  }
  tally.add(A, 'issued', NOON)
  await writer.write()
  await later
  t.equal(await total(), 2)
  t.strictSame(
    store.batches.map(({ sequence }) => sequence),
    [1, 2],
  )
})

t.test('a batch has one hour and at most 500 cells, with ascending numbers', async (t) => {
  const store = new FaultyStore()
  const { tally, writer } = writing(store)
  for (let index = 0; index < 501; index += 1) tally.add(`["p","${index}"]`, 'issued', NOON)
  tally.add(A, 'issued', NOON + HOUR)
  await writer.write()
  const hour = NOON / HOUR
  t.strictSame(
    store.batches.map(({ sequence, hour, cells }) => [sequence, hour, cells.length]),
    [
      [1, hour, 500],
      [2, hour, 1],
      [3, hour + 1, 1],
    ],
  )
  t.equal(new Set(store.batches.map((it) => it.writer)).size, 1)
  await writer.write()
  t.equal(store.batches.length, 3, 'nothing counted, nothing written')
})

t.test('after a failure, the remaining batches wait', async (t) => {
  const store = new FaultyStore()
  const { tally, writer } = writing(store)
  store.fault = 'reject'
  for (let index = 0; index < 501; index += 1) tally.add(`["p","${index}"]`, 'issued', NOON)
  await writer.write()
  t.strictSame([writer.size, tally.size, store.batches.length], [501, 0, 1])
  tally.add(A, 'issued', NOON)
  await writer.write()
  t.strictSame([writer.size, tally.size, store.batches.length], [501, 1, 2])
  store.fault = 'none'
  await writer.write()
  t.strictSame(
    store.batches.map(({ sequence }) => sequence),
    [1, 1, 1, 2, 3],
  )
  writer.stop()
})

t.test('a timer writes counts, and no timer runs without counts', async (t) => {
  const store = new FaultyStore()
  const usage = createUsage({ price: PRICE, store, flushInterval: 0.1 })
  t.teardown(() => usage.close())
  const attached = source()
  usage.attach(attached)
  const timers = () => process.getActiveResourcesInfo().filter((it) => it === 'Timeout').length
  const before = timers()
  t.equal(store.batches.length, 0)
  const written = new Promise((resolve) => {
    const { add } = store
    store.add = (batch) => {
      resolve(batch)
      return add.call(store, batch)
    }
  })
  attached.token('issued', 'a')
  attached.token('issued', 'a')
  t.equal(timers(), before, 'a timer that would keep the process alive counts here')
  // Nothing else keeps this process alive but the test itself.
  const alive = setInterval(() => {}, 1000)
  t.match(await written, { sequence: 1, cells: [{ counts: new Map([['issued', 2]]) }] })
  clearInterval(alive)
})

t.test('a failed write is retried after at least a second', async (t) => {
  const store = new FaultyStore()
  store.fault = 'reject'
  const { tally, writer, total } = writing(store, 1)
  tally.add(A, 'issued', NOON)
  await writer.write()
  store.fault = 'none'
  const begun = performance.now()
  const alive = setInterval(() => {}, 1000)
  while (writer.degraded) await new Promise((resolve) => setTimeout(resolve, 50))
  clearInterval(alive)
  t.ok(performance.now() - begun >= 900)
  t.equal(await total(), 1)
})

t.test('cells are limited: counts beyond the limit are counted as other', async (t) => {
  const tally = new UsageAggregator(3)
  for (const client of ['a', 'b', 'c', 'd', 'e', 'a'])
    tally.add(`["p","${client}"]`, 'issued', NOON)
  tally.add('["p","f"]', 'issued', NOON + HOUR)
  for (let hour = 0; hour < 50; hour += 1) tally.add('unverified', 'refused', NOON + hour * HOUR)
  t.equal(tally.size, 5)
  const cells = tally.drain()
  t.strictSame(
    cells.map(({ subject, counts, last }) => [subject, [...counts], last - NOON]),
    [
      ...[
        ['["p","a"]', [['issued', 2]], 0],
        ['["p","b"]', [['issued', 1]], 0],
      ],
      ...[
        ['["p","c"]', [['issued', 1]], 0],
        ['other', [['issued', 3]], HOUR],
      ],
      ['unverified', [['refused', 50]], 49 * HOUR],
    ],
  )
  t.equal(tally.size, 0)
  t.equal(MAX_CELLS, 20_000)
})

t.test('a failed read rejects with its code, without details of the store', async (t) => {
  const store = new FaultyStore()
  const { usage, source } = begin(t, { store })
  source.token('issued', 'a')
  store.fault = 'reject'
  for (const read of [
    () => usage.report(),
    () => usage.series(),
    () => usage.cost(),
    () => usage.csv(),
  ]) {
    const error = (await read().catch((reason: unknown) => reason)) as Error
    t.match(error, { name: 'UsageUnavailableError', code: 'ERR_USAGE_UNAVAILABLE' })
    t.equal(
      error.message,
      'cognito-m2m: the usage store cannot be read. Check the store, then retry.',
    )
    t.notMatch(`${error.stack}${error.cause}`, 'secret of the store')
  }
  t.strictSame(usage.status(), { sources: 1, pending: 1, degraded: true })
  store.fault = 'none'
  t.equal((await usage.report()).rows[0]?.tokens.issued, 1)
  t.strictSame(usage.status(), { sources: 1, pending: 0, degraded: false })
})

t.test('with a store that never responds, no call waits longer than 4 s', async (t) => {
  const store = new FaultyStore()
  const { usage, source } = begin(t, { store })
  source.token('issued', 'a')
  store.fault = 'hang'
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let error: unknown
  const reading = usage.report().catch((reason: unknown) => {
    error = reason
  })
  for (let step = 0; step < 4; step += 1) {
    for (let turn = 0; turn < 10; turn += 1) await setImmediate()
    t.equal(error, undefined)
    mock.timers.tick(1000)
  }
  await reading
  t.match(error, { code: 'ERR_USAGE_UNAVAILABLE' })
  mock.timers.reset()
  store.fault = 'none'
})

t.test('close writes pending counts, unsubscribes, and never rejects', async (t) => {
  const store = new FaultyStore()
  const { usage, source } = begin(t, { store })
  source.token('issued', 'a')
  await usage.close()
  t.match(await store.memory.totals(), [{ subject: A, counts: new Map([['issued', 1]]) }])
  t.equal(store.closed, 1)
  t.equal(channel('cognito-m2m:token-request').hasSubscribers, false)
  store.fault = 'reject'
  await usage.close()
  t.equal(store.closed, 2)
})

t.test('a logger that throws has no effect', async (t) => {
  const fails = () => {
    throw new Error('the disk is full')
  }
  const store = new FaultyStore()
  store.fault = 'reject'
  const { usage, source } = begin(t, { store, logger: { info: fails, warn: fails, error: fails } })
  source.token('issued', 'a')
  await t.rejects(usage.report(), { code: 'ERR_USAGE_UNAVAILABLE' })
  store.fault = 'none'
  t.equal((await usage.report()).rows[0]?.tokens.issued, 1)
})
