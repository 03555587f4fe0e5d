/** The summary of the page: months, forecast, clients, pools, Regions, anomalies and savings. */
import { formatDay, parseDay, SECONDS_PER_DAY } from '../history/days.ts'
import type { UsageAmounts, UsageHistory, UsageHistoryRow } from '../history/types.ts'
import type { Usage, UsageReport } from '../types.ts'
import { findAnomalies } from './anomalies.ts'
import { findSavings } from './savings.ts'
import { type ClientLookup, findClient, getSubjectKey, nameSubject } from './subjects.ts'
import type {
  AnomalyView,
  ClientView,
  DayCost,
  GroupView,
  MonthView,
  SavingView,
  SummaryView,
} from './view.ts'

export interface SummarySettings {
  readonly lookUp: ClientLookup
  /** null without a budget. */
  readonly budget: number | null
}

/** Days of the lists of anomalies and savings. */
const RECENT_SECONDS = 30 * SECONDS_PER_DAY
/** Longer lists are not read. */
const MAX_ANOMALIES = 50

/** Rows of one month. */
interface Month {
  /** Start in epoch seconds. */
  readonly start: number
  readonly rows: readonly UsageHistoryRow[]
}

interface Months {
  readonly current: Month
  /** The whole current month. */
  readonly forecast: Month
  readonly last: Month
}

export async function createSummary(
  usage: Usage,
  { lookUp, budget }: SummarySettings,
): Promise<SummaryView> {
  const [report, history, projected] = await Promise.all([
    usage.report(),
    usage.history({ by: 'day' }),
    usage.forecast({ by: 'month' }),
  ])
  const { at, since } = report
  const months = findMonths(at, history, projected)
  return {
    at,
    since,
    status: usage.status(),
    currency: history.currency as string,
    budget,
    notes: history.notes,
    month: createMonth(months.current),
    forecast: createMonth(months.forecast),
    lastMonth: createMonth(months.last),
    days: listDayCosts(months.last.start, history),
    clients: createClients(report, months, lookUp),
    pools: createGroups(months, ({ userPoolId }) => userPoolId),
    regions: createGroups(months, ({ region }) => region),
    anomalies: listAnomalies(history, at - RECENT_SECONDS, lookUp),
    savings: listSavings(history, at - RECENT_SECONDS, lookUp),
  }
}

function findMonths(at: number, { rows }: UsageHistory, projected: UsageHistory): Months {
  const today = formatDay(Math.floor(at / SECONDS_PER_DAY))
  const first = parseDay(`${today.slice(0, 7)}-01`) as number
  const findMonth = (day: number, candidates: readonly UsageHistoryRow[]): Month => {
    const month = formatDay(day).slice(0, 7)
    return {
      start: (parseDay(`${month}-01`) as number) * SECONDS_PER_DAY,
      rows: candidates.filter(({ period }) => period.startsWith(month)),
    }
  }
  return {
    current: findMonth(first, rows),
    forecast: findMonth(first, projected.rows),
    last: findMonth(first - 1, rows),
  }
}

/** The price of a usage is required, so every row has a cost. */
function sum(rows: readonly UsageAmounts[], name: keyof UsageAmounts): number {
  return rows.reduce((total, row) => total + (row[name] as number), 0)
}

function createMonth({ start, rows }: Month): MonthView {
  return {
    start,
    issued: sum(rows, 'issued'),
    cached: sum(rows, 'cached'),
    cost: sum(rows, 'cost'),
    saved: sum(rows, 'saved'),
  }
}

function listDayCosts(from: number, { periods }: UsageHistory): readonly DayCost[] {
  return periods
    .filter(({ start }) => start >= from)
    .map(({ start, cost }) => ({ start, cost: cost as number }))
}

function groupRows<Key>(
  rows: readonly UsageHistoryRow[],
  getKey: (row: UsageHistoryRow) => Key,
): ReadonlyMap<Key, readonly UsageHistoryRow[]> {
  const groups = new Map<Key, UsageHistoryRow[]>()
  for (const row of rows) {
    const key = getKey(row)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return groups
}

function createClients(
  { rows }: UsageReport,
  { current, forecast }: Months,
  lookUp: ClientLookup,
): readonly ClientView[] {
  const monthRows = groupRows(current.rows, getSubjectKey)
  const forecastRows = groupRows(forecast.rows, getSubjectKey)
  return rows.map(({ firstUsed: _, ...row }) => {
    const key = getSubjectKey(row)
    const { name, team, tags } = findClient(row, lookUp)
    return {
      ...row,
      ...{ name, team, tags },
      monthCost: sum(monthRows.get(key) ?? [], 'cost'),
      forecastCost: sum(forecastRows.get(key) ?? [], 'cost'),
    }
  })
}

function createGroups(
  { current, forecast, last }: Months,
  getGroup: (row: UsageHistoryRow) => string | null,
): readonly GroupView[] {
  const monthRows = groupRows(current.rows, getGroup)
  const forecastRows = groupRows(forecast.rows, getGroup)
  const lastRows = groupRows(last.rows, getGroup)
  const names = new Set([...monthRows.keys(), ...forecastRows.keys(), ...lastRows.keys()])
  const groups = [...names].map((group) => {
    const month = monthRows.get(group) ?? []
    return {
      group,
      issued: sum(month, 'issued'),
      cached: sum(month, 'cached'),
      monthCost: sum(month, 'cost'),
      forecastCost: sum(forecastRows.get(group) ?? [], 'cost'),
      lastMonthCost: sum(lastRows.get(group) ?? [], 'cost'),
    }
  })
  return groups.sort((a, b) => b.monthCost - a.monthCost || b.lastMonthCost - a.lastMonthCost)
}

function listAnomalies(
  { rows, periods }: UsageHistory,
  from: number,
  lookUp: ClientLookup,
): readonly AnomalyView[] {
  const days = new Map(periods.map(({ start }, index) => [start, index]))
  const starts = [...days.keys()]
  const found = [...groupRows(rows, getSubjectKey).values()].flatMap((group) => {
    const values = starts.map(() => 0)
    for (const { start, issued } of group) values[days.get(start) as number] = issued
    const [row] = group as [UsageHistoryRow]
    return listSubjectAnomalies(starts, values).map((it) => ({
      ...nameSubject(row, lookUp),
      ...it,
    }))
  })
  return found
    .filter(({ start }) => start >= from)
    .sort((a, b) => b.start - a.start || b.factor - a.factor)
    .slice(0, MAX_ANOMALIES)
}

/** @param starts Start of each day in epoch seconds. */
export function listSubjectAnomalies(
  starts: readonly number[],
  values: readonly number[],
): readonly Pick<AnomalyView, 'start' | 'value' | 'median' | 'factor'>[] {
  return findAnomalies(values).map(({ index, ...anomaly }) => ({
    start: starts[index] as number,
    ...anomaly,
  }))
}

function listSavings(
  { rows }: UsageHistory,
  from: number,
  lookUp: ClientLookup,
): readonly SavingView[] {
  const recent = rows.filter(
    ({ kind, start, issued }) => kind === 'client' && start >= from && issued > 0,
  )
  const clients = [...groupRows(recent, getSubjectKey).values()].map((group) => ({
    row: group[0] as UsageHistoryRow,
    issued: sum(group, 'issued'),
    days: group.length,
    cost: sum(group, 'cost'),
  }))
  return findSavings(clients).map(({ row, issued, needed, saving }) => ({
    ...nameSubject(row, lookUp),
    ...{ issued, needed, saving },
  }))
}
