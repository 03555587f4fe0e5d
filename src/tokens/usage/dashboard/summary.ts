/** The summary of the page: months, forecast, clients, pools, Regions, anomalies and savings. */
import { getRegion } from '../../../core/options/partitions.ts'
import { formatDay, getMonthStart, parseDay, SECONDS_PER_DAY } from '../history/days.ts'
import type {
  UsageAmounts,
  UsageForecast,
  UsageHistory,
  UsageHistoryRow,
} from '../history/types.ts'
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
  readonly last: Month
  /** The whole current month. */
  readonly forecast: UsageForecast
}

export async function createSummary(
  usage: Usage,
  { lookUp, budget }: SummarySettings,
): Promise<SummaryView> {
  const [report, history, forecast] = await Promise.all([
    usage.report(),
    usage.history({ by: 'day' }),
    usage.forecast(),
  ])
  const { at, since } = report
  const months = findMonths(history, forecast)
  const { current, last } = months
  return {
    at,
    since,
    status: usage.status(),
    currency: history.currency as string,
    budget,
    notes: history.notes,
    month: createMonth(current.start, forecast.monthToDate),
    forecast: createMonth(current.start, forecast.forecast),
    lastMonth: createMonth(last.start, forecast.lastMonth),
    days: listDayCosts(last.start, history),
    clients: createClients(report, months, lookUp),
    pools: createGroups(months, ({ userPoolId }) => userPoolId),
    regions: createGroups(months, ({ userPoolId }) => getPoolRegion(userPoolId)),
    anomalies: listAnomalies(history, at - RECENT_SECONDS, lookUp),
    savings: listSavings(history, at - RECENT_SECONDS, lookUp),
  }
}

function findMonths({ rows }: UsageHistory, forecast: UsageForecast): Months {
  const first = parseDay(`${forecast.month}-01`) as number
  const findMonth = (start: number): Month => ({
    start: start * SECONDS_PER_DAY,
    rows: rows.filter(({ period }) => period.startsWith(formatDay(start).slice(0, 7))),
  })
  return { current: findMonth(first), last: findMonth(getMonthStart(first - 1)), forecast }
}

function getPoolRegion(userPoolId: string | null): string | null {
  return userPoolId === null ? null : (getRegion(userPoolId) ?? null)
}

/** The price of a usage is required, so every row has a cost. */
function sum(rows: readonly UsageAmounts[], name: keyof UsageAmounts): number {
  return rows.reduce((total, row) => total + (row[name] as number), 0)
}

function createMonth(start: number, amounts: UsageAmounts): MonthView {
  const { issued, cached, cost, saved } = amounts
  return { start, issued, cached, cost: cost as number, saved: saved as number }
}

function listDayCosts(from: number, { periods }: UsageHistory): readonly DayCost[] {
  return periods
    .filter(({ start }) => start >= from)
    .map(({ start, cost }) => ({ start, cost: cost as number }))
}

function groupRows<Key, Row>(
  rows: readonly Row[],
  getKey: (row: Row) => Key,
): ReadonlyMap<Key, readonly Row[]> {
  const groups = new Map<Key, Row[]>()
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
  const forecastRows = groupRows(forecast.clients, getSubjectKey)
  return rows.map(({ firstUsed: _, ...row }) => {
    const key = getSubjectKey(row)
    const { name, team, tags } = findClient(row, lookUp)
    return {
      ...row,
      name,
      team,
      tags,
      monthCost: sum(monthRows.get(key) ?? [], 'cost'),
      forecastCost: sum(forecastRows.get(key) ?? [], 'cost'),
    }
  })
}

function createGroups(
  { current, forecast, last }: Months,
  getGroup: (row: Pick<UsageHistoryRow, 'userPoolId'>) => string | null,
): readonly GroupView[] {
  const monthRows = groupRows(current.rows, getGroup)
  const forecastRows = groupRows(forecast.clients, getGroup)
  const lastRows = groupRows(last.rows, getGroup)
  const names = new Set([...monthRows.keys(), ...lastRows.keys()])
  // A forecast has every subject with days.
  const groups = [...names].map((group) => {
    const month = monthRows.get(group) ?? []
    return {
      group,
      issued: sum(month, 'issued'),
      cached: sum(month, 'cached'),
      monthCost: sum(month, 'cost'),
      forecastCost: sum(forecastRows.get(group) as readonly UsageAmounts[], 'cost'),
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
    issued,
    needed,
    saving,
  }))
}
