/** The contract of every usage store, built-in or custom. */
import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import type { UsageBatch, UsageStore } from '../../src/tokens/usage/index.ts'
import { STORED_DAYS, STORED_HOURS } from '../../src/tokens/usage/store/types.ts'
import { DAY, HOUR, NOON } from './usage.ts'

/** @returns A store that nothing was written to; a second one of the same name shares what it keeps. */
export type MakeStore = (name: string, options?: { maxClients?: number }) => UsageStore

const hour = NOON / HOUR
const today = Math.floor(NOON / DAY)
const A = '["pool","a"]'
const B = '["pool","b"]'

type Row = readonly [subject: string, counts: Record<string, number>, first?: number, last?: number]

function writer() {
  const name = randomUUID()
  let sequence = 0
  return (rows: readonly Row[], at = hour): UsageBatch => {
    sequence += 1
    const cells = rows.map(([subject, counts, first = NOON, last = first]) => ({
      subject,
      hour: at,
      first,
      last,
      counts: new Map(Object.entries(counts)),
    }))
    return { writer: name, sequence, hour: at, cells }
  }
}

async function totals(store: UsageStore): Promise<Record<string, unknown>> {
  const all = await store.totals()
  const entries = all.map(({ subject, first, last, counts }) => [
    subject,
    { first, last, ...Object.fromEntries([...counts].sort()) },
  ])
  return Object.fromEntries(entries)
}

async function bucket(store: UsageStore, unit: 'hour' | 'day', at: number) {
  const [found] = await store.buckets(unit, at, 1)
  return Object.fromEntries(found ?? [])
}

/** Adds the contract's tests to `t`. */
export async function usageStoreTests(t: Test, make: MakeStore): Promise<void> {
  const open = (t: Test, options?: { maxClients?: number }, name: string = randomUUID()) => {
    const store = make(name, options)
    t.teardown(() => store.close())
    return store
  }

  await t.test('is empty at first', async (t) => {
    const store = open(t)
    t.strictSame(await store.totals(), [])
    t.strictSame(await store.buckets('hour', hour, 2), [new Map(), new Map()])
  })

  await t.test('adds up, and keeps the first and the last use', async (t) => {
    const store = open(t)
    const [one, other] = [writer(), writer()]
    await store.add(one([[A, { issued: 1, ERR_TOKEN_EXPIRED: 2 }, NOON + 5, NOON + 9]]))
    await store.add(other([[A, { issued: 2, cached: 3 }, NOON + 3, NOON + 7]]))
    await store.add(one([['unverified', { refused: 4 }]]))
    t.strictSame(await totals(store), {
      [A]: { first: NOON + 3, last: NOON + 9, ERR_TOKEN_EXPIRED: 2, cached: 3, issued: 3 },
      unverified: { first: NOON, last: NOON, refused: 4 },
    })
    t.strictSame(await bucket(store, 'hour', hour), { [A]: { issued: 3, cached: 3 } })
    t.strictSame(await bucket(store, 'day', today), { [A]: { issued: 3, cached: 3 } })
  })

  await t.test('a repeated batch changes nothing', async (t) => {
    const store = open(t)
    const next = writer()
    const [first, second] = [next([[A, { issued: 1 }]]), next([[A, { issued: 10 }]])]
    for (const batch of [first, first, second, first, second]) await store.add(batch)
    t.match(await totals(store), { [A]: { issued: 11 } })
    t.strictSame(await bucket(store, 'hour', hour), { [A]: { issued: 11, cached: 0 } })
  })

  await t.test('hours and days are stored separately', async (t) => {
    const store = open(t)
    const next = writer()
    await store.add(next([[A, { issued: 1 }]], hour))
    await store.add(next([[A, { issued: 2 }]], hour - 1))
    await store.add(next([[A, { cached: 4 }]], hour - 24))
    const issued = (buckets: Awaited<ReturnType<UsageStore['buckets']>>) =>
      buckets.map((it) => [it.get(A)?.issued, it.get(A)?.cached])
    t.strictSame(issued(await store.buckets('hour', hour - 2, 4)), [
      ...[
        [undefined, undefined],
        [2, 0],
      ],
      ...[
        [1, 0],
        [undefined, undefined],
      ],
    ])
    t.strictSame(issued(await store.buckets('day', today - 1, 2)), [
      ...[
        [0, 4],
        [3, 0],
      ],
    ])
  })

  await t.test(
    'clients beyond the bound are other; the shared ones take nobody’s place',
    async (t) => {
      const store = open(t, { maxClients: 1 })
      const next = writer()
      await store.add(
        next([
          ['unverified', { refused: 1 }],
          ['other', { issued: 1 }],
        ]),
      )
      await store.add(
        next([
          [A, { issued: 1 }],
          [B, { issued: 2 }],
        ]),
      )
      await store.add(
        next([
          [B, { cached: 3 }],
          [A, { cached: 1 }],
        ]),
      )
      t.match(await totals(store), {
        [A]: { issued: 1, cached: 1 },
        other: { issued: 3, cached: 3 },
        unverified: { refused: 1 },
      })
      t.notOk(Object.hasOwn(await totals(store), B))
      t.strictSame(await bucket(store, 'day', today), {
        [A]: { issued: 1, cached: 1 },
        other: { issued: 3, cached: 3 },
      })
    },
  )

  await t.test('names are kept as they are', async (t) => {
    const store = open(t)
    const names = ['["p","a issued"]', '["__proto__","constructor"]', '["p","é\\u2028\\ud800 \\""]']
    await store.add(writer()(names.map((name) => [name, { issued: 1 }] as const)))
    const kept = (await store.totals()).map(({ subject }) => subject)
    t.strictSame(kept.sort(), names.sort())
  })

  await t.test('a week of hours and a quarter of days are kept', async (t) => {
    const store = open(t)
    const next = writer()
    for (let index = 0; index < STORED_HOURS; index += 1) {
      await store.add(next([[A, { issued: 1 }]], hour - index))
    }
    for (let index = 7; index < STORED_DAYS; index += 1) {
      await store.add(next([[A, { issued: 24 }]], hour - 24 * index))
    }
    const hours = await store.buckets('hour', hour - STORED_HOURS + 1, STORED_HOURS)
    t.ok(hours.every((it) => it.has(A)))
    const days = await store.buckets('day', today - STORED_DAYS + 1, STORED_DAYS)
    t.ok(days.every((it) => it.has(A)))
  })
}
