/** Histories as CSV and JSON. */
import { type Cell, formatCsv, formatTime } from '../csv.ts'
import type { ComparedClient, UsageComparison, UsageHistory, UsageHistoryRow } from './types.ts'

type Column = readonly [name: string, cell: (row: UsageHistoryRow, history: UsageHistory) => Cell]

const COLUMNS: readonly Column[] = [
  ['period', ({ period }) => period],
  ['group', ({ group }) => group],
  ['user_pool_id', ({ userPoolId }) => userPoolId],
  ['client_id', ({ clientId }) => clientId],
  ['region', ({ region }) => region],
  ['name', ({ name }) => name],
  ['team', ({ team }) => team],
  ['tags', ({ tags }) => formatTags(tags)],
  ['resource_servers', ({ resourceServers }) => resourceServers.join(' ')],
  ['tokens_issued', ({ issued }) => issued],
  ['tokens_cached', ({ cached }) => cached],
  ['cost', ({ cost }) => roundAmount(cost)],
  ['saved', ({ saved }) => roundAmount(saved)],
  ['currency', (_, { currency }) => currency],
  ['first_used', ({ firstUsed }) => formatTime(firstUsed)],
  ['last_used', ({ lastUsed }) => formatTime(lastUsed)],
]

/** Decimals of an amount. Rounding hides the inaccuracy of binary fractions. */
const AMOUNT_DECIMALS = 6

function roundAmount(amount: number | null): number | null {
  return amount === null ? null : Number(amount.toFixed(AMOUNT_DECIMALS))
}

function formatTags(tags: Readonly<Record<string, string>>): string {
  return Object.entries(tags)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}

/**
 * Writes the rows of a history as CSV, one line for each period and group. Text is quoted. `'` is inserted before a
 * character that would begin a formula.
 *
 * @param history Result of `createUsageHistory` or `usage.history()`.
 * @returns The CSV text, with a header line.
 * @see RFC 4180
 */
export function toHistoryCsv(history: UsageHistory): string {
  return formatCsv(
    COLUMNS.map(([name]) => name),
    history.rows.map((row) => COLUMNS.map(([, cell]) => cell(row, history))),
  )
}

/**
 * Writes the rows of a history as a JSON array of objects, with the columns of {@link toHistoryCsv}. Names are not
 * escaped for HTML.
 *
 * @param history Result of `createUsageHistory` or `usage.history()`.
 * @returns The JSON text.
 */
export function toHistoryJson(history: UsageHistory): string {
  return JSON.stringify(
    history.rows.map((row) =>
      Object.fromEntries(COLUMNS.map(([name, cell]) => [name, cell(row, history)])),
    ),
  )
}

const COMPARISON_COLUMNS: readonly (readonly [
  name: string,
  cell: (row: ComparedClient) => Cell,
])[] = [
  ['user_pool_id', ({ userPoolId }) => userPoolId],
  ['client_id', ({ kind, clientId }) => clientId ?? kind],
  ['name', ({ name }) => name],
  ['team', ({ team }) => team],
  ['path', ({ path }) => path],
  ['tokens_billed', ({ billed }) => billed],
  ['tokens_counted', ({ counted }) => counted],
  ['tokens_direct', ({ direct }) => direct],
  ['tokens_cached', ({ cached }) => cached],
  ['cost', ({ cost }) => roundAmount(cost)],
  ['saved', ({ saved }) => roundAmount(saved)],
]

/**
 * Writes the clients of a comparison as CSV, without formulas.
 *
 * @param comparison Result of `compareUsage`.
 * @returns The CSV text, with a header line.
 * @see RFC 4180
 */
export function toComparisonCsv({ clients }: UsageComparison): string {
  return formatCsv(
    COMPARISON_COLUMNS.map(([name]) => name),
    clients.map((client) => COMPARISON_COLUMNS.map(([, cell]) => cell(client))),
  )
}
