/** Reports from stored counts: rows, series, cost, CSV and JSON. */
import { type Cell, formatCsv, formatTime } from './csv.ts'
import { compareSubjects, parseSubject } from './events.ts'
import { formatDay } from './history/days.ts'
import type { UsageDay } from './history/types.ts'
import type { Price } from './price.ts'
import {
  STORED_DAYS,
  STORED_HOURS,
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

type Column = readonly [name: string, cell: (row: UsageRow) => Cell]

const NARROW: readonly Column[] = [
  ['user_pool_id', ({ userPoolId }) => userPoolId],
  ['client_id', ({ kind, clientId }) => clientId ?? kind],
  ['count', ({ tokens }) => tokens.issued],
  ['last_used', ({ lastUsed }) => formatTime(lastUsed)],
]

const WIDE: readonly Column[] = [
  ...NARROW,
  ['kind', ({ kind }) => kind],
  ['first_used', ({ firstUsed }) => formatTime(firstUsed)],
  ['unused', ({ unused }) => unused],
  ['tokens_issued', ({ tokens }) => tokens.issued],
  ['tokens_cached', ({ tokens }) => tokens.cached],
  ['tokens_refused', ({ tokens }) => tokens.refused],
  ['tokens_unavailable', ({ tokens }) => tokens.unavailable],
  ['requests_accepted', ({ requests }) => requests.accepted],
  ['requests_refused', ({ requests }) => requests.refused],
  [
    'refused_by_code',
    ({ requests }) =>
      Object.entries(requests.byCode)
        .map(([code, count]) => `${code} ${count}`)
        .join(' '),
  ],
]

export function toJson({ rows }: UsageReport, wide: boolean): string {
  return JSON.stringify(
    rows.map((row) =>
      Object.fromEntries(getColumns(wide).map(([name, cell]) => [name, cell(row)])),
    ),
  )
}

export function toCsv({ rows }: UsageReport, wide: boolean): string {
  const head = getColumns(wide).map(([name]) => name)
  return formatCsv(
    head,
    rows.map((row) => getColumns(wide).map(([, cell]) => cell(row))),
  )
}

function getColumns(wide: boolean): readonly Column[] {
  return wide ? WIDE : NARROW
}

const HOUR = 3600
const DAY = 24 * HOUR
/** Days of a month in the projection, and days that it is based on. */
const MONTH = 30
const UNUSED_AFTER = 90 * DAY
const OUTCOMES = ['issued', 'cached', 'refused', 'unavailable'] as const
const TOKEN_NAMES = new Set<string>([...OUTCOMES, 'accepted'])
const NO_USAGE: UsageTotal = { subject: UNVERIFIED, first: 0, last: 0, counts: new Map() }

/** @param at Epoch seconds. */
export async function readReport(store: UsageStore, at: number): Promise<UsageReport> {
  const totals = await store.totals()
  const hasUnverified = totals.some(({ subject }) => subject === UNVERIFIED)
  const rows = hasUnverified ? totals : [...totals, NO_USAGE]
  return {
    at,
    since: getStart(totals),
    rows: rows.map((total) => toRow(total, at)).sort(compareSubjects),
  }
}

function toRow({ subject, first, last, counts }: UsageTotal, at: number): UsageRow {
  const getCount = (name: string): number => counts.get(name) ?? 0
  const byCode = [...counts].filter(([name]) => !TOKEN_NAMES.has(name)).sort()
  const parsed = parseSubject(subject)
  const isUsed = counts.size > 0
  return {
    ...parsed,
    tokens: {
      issued: getCount('issued'),
      cached: getCount('cached'),
      refused: getCount('refused'),
      unavailable: getCount('unavailable'),
    },
    requests: {
      accepted: getCount('accepted'),
      refused: byCode.reduce((sum, [, count]) => sum + count, 0),
      byCode: Object.fromEntries(byCode),
    },
    firstUsed: isUsed ? first : null,
    lastUsed: isUsed ? last : null,
    unused: parsed.kind === 'client' && at - last >= UNUSED_AFTER,
  }
}

function getStart(totals: readonly UsageTotal[]): number | null {
  return totals.length === 0 ? null : Math.min(...totals.map(({ first }) => first))
}

/** @param at Epoch seconds. */
export async function readSeries(
  store: UsageStore,
  unit: UsageUnit,
  at: number,
): Promise<UsageSeries> {
  const { step, count } =
    unit === 'hour' ? { step: HOUR, count: STORED_HOURS } : { step: DAY, count: STORED_DAYS }
  const from = Math.floor(at / step) - count + 1
  const buckets = await store.buckets(unit, from, count)
  const subjects = [...new Set(buckets.flatMap((bucket) => [...bucket.keys()]))]
  return {
    unit,
    step,
    starts: buckets.map((_, index) => (from + index) * step),
    lines: subjects.map((subject) => toLine(subject, buckets)).sort(compareSubjects),
  }
}

function toLine(subject: string, buckets: readonly UsageBucket[]): UsageLine {
  return {
    ...parseSubject(subject),
    issued: buckets.map((bucket) => bucket.get(subject)?.issued ?? 0),
    cached: buckets.map((bucket) => bucket.get(subject)?.cached ?? 0),
  }
}

/** @param at Epoch seconds. */
export async function readDays(store: UsageStore, at: number): Promise<readonly UsageDay[]> {
  const from = Math.floor(at / DAY) - STORED_DAYS + 1
  const [totals, buckets] = await Promise.all([
    store.totals(),
    store.buckets('day', from, STORED_DAYS),
  ])
  const times = new Map(totals.map((total) => [total.subject, total]))
  return buckets.flatMap((bucket, index) =>
    [...bucket].map(([subject, { issued, cached }]) => ({
      day: formatDay(from + index),
      ...parseSubject(subject),
      issued,
      cached,
      firstUsed: times.get(subject)?.first ?? null,
      lastUsed: times.get(subject)?.last ?? null,
    })),
  )
}

/** @param at Epoch seconds. */
export async function readCost(store: UsageStore, price: Price, at: number): Promise<UsageCost> {
  const today = Math.floor(at / DAY)
  const from = today - MONTH + 1
  const [totals, buckets] = await Promise.all([store.totals(), store.buckets('day', from, MONTH)])
  const since = Math.max(getStart(totals) ?? at, from * DAY)
  // A shorter time would scale up a few tokens to a meaningless amount.
  const observed = Math.max(HOUR, at - since)
  const factor = (MONTH * DAY) / observed
  const projected = sumTokens(buckets).map(({ subject, issued, cached }) => ({
    subject,
    issued: issued * factor,
    cached: cached * factor,
  }))
  const issued = sum(projected.map((client) => client.issued))
  const cached = sum(projected.map((client) => client.cached))
  const cost = price.cost(issued)
  const withoutCache = price.cost(issued + cached)
  const monthly = { issued, cached, cost, withoutCache, saved: withoutCache - cost }
  const clients = projected.map(({ subject, ...tokens }): ClientCost => {
    const clientCost = cost * getShare(tokens.issued, issued)
    const saved = monthly.saved * getShare(tokens.cached, cached)
    const withoutCache = clientCost + saved
    return { ...parseSubject(subject), ...tokens, cost: clientCost, withoutCache, saved }
  })
  return {
    currency: price.currency,
    observed,
    monthly,
    cachedShare: getShare(cached, issued + cached),
    clients: clients.sort((left, right) => right.cost - left.cost || compareSubjects(left, right)),
  }
}

function sumTokens(buckets: readonly UsageBucket[]) {
  const subjects = new Set(buckets.flatMap((bucket) => [...bucket.keys()]))
  return [...subjects].map((subject) => {
    const { issued, cached } = toLine(subject, buckets)
    return { subject, issued: sum(issued), cached: sum(cached) }
  })
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((left, right) => left + right, 0)
}

function getShare(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
