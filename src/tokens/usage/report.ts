/** Makes of what a store keeps what is shown: rows, series, cost. */

import { inOrder, readSubject } from './events.ts'
import type { Price } from './price.ts'
import {
  DAYS,
  HOURS,
  UNVERIFIED,
  type UsageBucket,
  type UsageStore,
  type UsageTotal,
} from './store/types.ts'
import type {
  ClientCost,
  UsageCost,
  UsageLine,
  UsageReport,
  UsageRow,
  UsageSeries,
  UsageUnit,
} from './types.ts'

const HOUR = 3600
const DAY = 24 * HOUR
/** Days of a month, and of what its projection rests on. */
const MONTH = 30
const UNUSED_AFTER = 90 * DAY
const OUTCOMES = ['issued', 'cached', 'refused', 'unavailable'] as const
const TOKEN_NAMES = new Set<string>([...OUTCOMES, 'accepted'])
const NOBODY: UsageTotal = { subject: UNVERIFIED, first: 0, last: 0, counts: new Map() }

/** @param at Epoch seconds. */
export async function readReport(store: UsageStore, at: number): Promise<UsageReport> {
  const totals = await store.totals()
  const isMissing = totals.every(({ subject }) => subject !== UNVERIFIED)
  return {
    at,
    since: sinceOf(totals),
    rows: [...totals, ...(isMissing ? [NOBODY] : [])].map((it) => rowOf(it, at)).sort(inOrder),
  }
}

function rowOf({ subject, first, last, counts }: UsageTotal, at: number): UsageRow {
  const of = (name: string): number => counts.get(name) ?? 0
  const byCode = [...counts].filter(([name]) => !TOKEN_NAMES.has(name)).sort()
  const who = readSubject(subject)
  const isUsed = counts.size > 0
  return {
    ...who,
    tokens: {
      ...{ issued: of('issued'), cached: of('cached') },
      ...{ refused: of('refused'), unavailable: of('unavailable') },
    },
    requests: {
      accepted: of('accepted'),
      refused: byCode.reduce((sum, [, count]) => sum + count, 0),
      byCode: Object.fromEntries(byCode),
    },
    firstUsed: isUsed ? first : null,
    lastUsed: isUsed ? last : null,
    unused: who.kind === 'client' && at - last >= UNUSED_AFTER,
  }
}

function sinceOf(totals: readonly UsageTotal[]): number | null {
  return totals.length === 0 ? null : Math.min(...totals.map(({ first }) => first))
}

/** @param at Epoch seconds. */
export async function readSeries(
  store: UsageStore,
  unit: UsageUnit,
  at: number,
): Promise<UsageSeries> {
  const { step, count } =
    unit === 'hour' ? { step: HOUR, count: HOURS } : { step: DAY, count: DAYS }
  const from = Math.floor(at / step) - count + 1
  const buckets = await store.buckets(unit, from, count)
  const subjects = [...new Set(buckets.flatMap((bucket) => [...bucket.keys()]))]
  return {
    ...{ unit, step },
    starts: buckets.map((_, index) => (from + index) * step),
    lines: subjects.map((subject) => lineOf(subject, buckets)).sort(inOrder),
  }
}

function lineOf(subject: string, buckets: readonly UsageBucket[]): UsageLine {
  return {
    ...readSubject(subject),
    issued: buckets.map((bucket) => bucket.get(subject)?.issued ?? 0),
    cached: buckets.map((bucket) => bucket.get(subject)?.cached ?? 0),
  }
}

/** @param at Epoch seconds. */
export async function readCost(store: UsageStore, price: Price, at: number): Promise<UsageCost> {
  const today = Math.floor(at / DAY)
  const from = today - MONTH + 1
  const [totals, buckets] = await Promise.all([store.totals(), store.buckets('day', from, MONTH)])
  const since = Math.max(sinceOf(totals) ?? at, from * DAY)
  // A minute says nothing about a month: it counts as an hour.
  const observed = Math.max(HOUR, at - since)
  const factor = (MONTH * DAY) / observed
  const had = tokensOf(buckets).map(({ subject, issued, cached }) => ({
    ...{ subject, issued: issued * factor, cached: cached * factor },
  }))
  const issued = had.reduce((sum, it) => sum + it.issued, 0)
  const cached = had.reduce((sum, it) => sum + it.cached, 0)
  const cost = price.cost(issued)
  const withoutCache = price.cost(issued + cached)
  const monthly = { issued, cached, cost, withoutCache, saved: withoutCache - cost }
  const clients = had.map(({ subject, ...it }): ClientCost => {
    const part = cost * share(it.issued, issued)
    const saved = monthly.saved * share(it.cached, cached)
    return { ...readSubject(subject), ...it, cost: part, withoutCache: part + saved, saved }
  })
  return {
    ...{ currency: price.currency, observed, monthly },
    cachedShare: share(cached, issued + cached),
    clients: clients.sort((left, right) => right.cost - left.cost || inOrder(left, right)),
  }
}

function tokensOf(buckets: readonly UsageBucket[]) {
  const subjects = new Set(buckets.flatMap((bucket) => [...bucket.keys()]))
  return [...subjects].map((subject) => {
    const { issued, cached } = lineOf(subject, buckets)
    return { subject, issued: sum(issued), cached: sum(cached) }
  })
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((left, right) => left + right, 0)
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
