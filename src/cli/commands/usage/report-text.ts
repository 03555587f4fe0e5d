/** Formats histories and comparisons as text of at most 80 columns. */

import { toPrintable } from '../../../core/util/text.ts'
import type {
  ComparedTokens,
  UsageAmounts,
  UsageComparison,
  UsageForecast,
  UsageHistory,
  UsageHistoryRow,
  UsagePeak,
} from '../../../tokens/usage/index.ts'
import { wrapText } from '../../terminal/help.ts'
import { formatAmount, formatCount, formatTable, type TableColumn } from './table.ts'

const MAX_COLUMNS = 80

const HISTORY_COLUMNS: readonly TableColumn[] = [
  { title: 'period', width: 10, align: 'left' },
  { title: 'name', width: 24, align: 'left' },
  { title: 'issued', width: 13, align: 'right' },
  { title: 'cached', width: 12, align: 'right' },
  { title: 'cost', width: 13, align: 'right' },
]

const COMPARISON_COLUMNS: readonly TableColumn[] = [
  { title: 'name', width: 21, align: 'left' },
  { title: 'path', width: 6, align: 'left' },
  { title: 'billed', width: 11, align: 'right' },
  { title: 'direct', width: 11, align: 'right' },
  { title: 'cached', width: 11, align: 'right' },
  { title: 'saved', width: 10, align: 'right' },
]

export function formatHistory(history: UsageHistory, forecast: UsageForecast): string {
  const { from, to, by, group, currency, priceAsOf, rows, periods, total, notes } = history
  if (from === null) return 'no tokens\n'
  const amounts = ({ issued, cached, cost }: UsageAmounts): readonly string[] => [
    ...[formatCount(issued), formatCount(cached), formatAmount(cost)],
  ]
  const sums = periods.map((it) => [it.period, 'total', ...amounts(it)])
  const table = formatTable(HISTORY_COLUMNS, [
    ...rows.map((row) => [row.period, nameRow(row), ...amounts(row)]),
    // The rows of the group `total` are these sums.
    ...(group === 'total' ? [] : sums),
    ['all', 'total', ...amounts(total)],
  ])
  const unit = currency === null ? 'without a price' : `in ${currency}`
  return [
    `${from} to ${to} by ${by} and ${toPrintable(group, 30)}, ${unit}\n${table}`,
    formatSavings(total, currency),
    formatForecast(forecast),
    formatQuota(history),
    priceAsOf === null ? '' : `prices as of ${priceAsOf}\n`,
    formatNotes(notes),
  ].join('')
}

function nameRow({ name, group }: UsageHistoryRow): string {
  return name ?? group ?? '(none)'
}

function formatSavings({ cached, saved }: UsageAmounts, currency: string | null): string {
  if (cached === 0 || saved === null) return ''
  return `saved by caching: ${formatAmount(saved)} ${currency}\n`
}

/** Empty for a month that has ended. */
function formatForecast({
  month,
  monthToDate,
  lastMonth,
  forecast,
  currency,
}: UsageForecast): string {
  if (month === null || forecast.issued === monthToDate.issued) return ''
  const describe = ({ issued, cost }: UsageAmounts): string =>
    cost === null ? `${formatCount(issued)} tokens` : `${formatAmount(cost)} ${currency}`
  return [
    `forecast for ${month}: ${describe(forecast)}\n`,
    `  ${describe(monthToDate)} so far, ${describe(lastMonth)} in the month before\n`,
  ].join('')
}

/** The busiest second of each Region. */
function formatQuota({ quota: { perSecond, peaks } }: UsageHistory): string {
  const highest = new Map<string, UsagePeak>()
  for (const peak of peaks) {
    const known = highest.get(peak.region)
    if (known === undefined || peak.requests > known.requests) highest.set(peak.region, peak)
  }
  return [...highest.values()]
    .map(({ region, requests, at }) => {
      const time = new Date(at * 1000).toISOString().replace('.000', '')
      const share = Math.round((100 * requests) / perSecond)
      return `peak in ${region}: ${formatCount(requests)} requests/s at ${time}\n  ${share} % of the quota, ${formatCount(perSecond)}/s\n`
    })
    .join('')
}

function formatNotes(notes: readonly string[]): string {
  return notes.map((note) => `${wrapText(`note: ${note}`, MAX_COLUMNS, 0)}\n`).join('')
}

export function formatComparison(comparison: UsageComparison): string {
  const { from, to, clients, total, currency, notes } = comparison
  const lines = formatNotes(notes)
  if (from === null) return `nothing to compare\n${lines}`
  const amounts = ({ billed, direct, cached, saved }: ComparedTokens) => [
    ...[formatCount(billed), formatCount(direct), formatCount(cached), formatAmount(saved)],
  ]
  const table = formatTable(COMPARISON_COLUMNS, [
    ...clients.map((it) => [it.name ?? it.clientId ?? it.kind, it.path, ...amounts(it)]),
    ['total', '', ...amounts(total)],
  ])
  const cost = total.cost === null ? '' : `billed: ${formatAmount(total.cost)} ${currency}\n`
  return `${from} to ${to}\n${table}${cost}${lines}`
}
