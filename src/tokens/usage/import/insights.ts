/** Reads rows of CloudWatch Logs Insights: `user_pool_id, client_id, count, last_used`, in CSV and in JSON. */
import type { MalformedEvent } from './cloudtrail.ts'
import { getMember, readName } from './members.ts'
import { parseRowTime } from './times.ts'

/** Tokens of one client in the time range of a query, or on one day if the query groups by day. */
export interface InsightsRow {
  readonly kind: 'row'
  readonly userPoolId: string | null
  readonly clientId: string | null
  readonly count: number
  /** Last use in epoch seconds. */
  readonly lastUsed: number
  /** Any time of the day that the tokens are counted on, in epoch seconds. */
  readonly at: number
}

/** Names of the column with the day: that of the documentation, and that of a query without an alias. */
const DAY_COLUMNS = ['day', 'bin(1d)']
const COUNT = /^\d{1,15}(?:\.0+)?$/

export function isInsightsRow(record: object): boolean {
  return Object.hasOwn(record, 'count') && Object.hasOwn(record, 'last_used')
}

/** Converts `[{ "field": "client_id", "value": "…" }]`, a row of the API, to an object. */
export function readFieldList(record: unknown): object | undefined {
  if (!Array.isArray(record)) return undefined
  const row: Record<string, unknown> = Object.create(null)
  for (const cell of record as unknown[]) {
    if (typeof cell !== 'object' || cell === null) return undefined
    const name = readName(getMember(cell, 'field'))
    if (name !== undefined) row[name] = getMember(cell, 'value')
  }
  return row
}

export function readInsightsRow(row: object): InsightsRow | MalformedEvent {
  const count = String(getMember(row, 'count'))
  if (!COUNT.test(count)) {
    return { kind: 'malformed', reason: 'count: expected a whole number from 0 on' }
  }
  const lastUsed = parseRowTime(getMember(row, 'last_used'))
  if (lastUsed === undefined) return { kind: 'malformed', reason: 'last_used: expected a time' }
  const day = DAY_COLUMNS.map((name) => getMember(row, name)).find((it) => it !== undefined)
  const at = day === undefined ? lastUsed : parseDayCell(day)
  if (at === undefined) return { kind: 'malformed', reason: 'day: expected a day' }
  return {
    kind: 'row',
    userPoolId: readName(getMember(row, 'user_pool_id')) ?? null,
    clientId: readName(getMember(row, 'client_id')) ?? null,
    count: Number(count),
    lastUsed,
    at,
  }
}

function parseDayCell(value: unknown): number | undefined {
  const isDay = typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value)
  return parseRowTime(isDay ? `${value}T00:00:00Z` : value)
}

/** Parses one line of CSV as in RFC 4180. Undefined if its quotes are not balanced. */
export function parseCsvLine(line: string): readonly string[] | undefined {
  const cells: string[] = []
  const cell = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y
  for (;;) {
    const match = cell.exec(line)
    if (match === null) return undefined
    const [, quoted, plain, end] = match
    cells.push(quoted?.replaceAll('""', '"') ?? (plain as string))
    if (end === '') return cells
  }
}

/** @returns The columns, if the line is the header of such a table. */
export function readCsvHeader(line: string): readonly string[] | undefined {
  const columns = parseCsvLine(line.replace(/^\uFEFF/, ''))
  return columns?.includes('client_id') && columns.includes('count') ? columns : undefined
}

/** @returns Undefined if the line has another number of cells than the header. */
export function toCsvRow(columns: readonly string[], line: string): object | undefined {
  const cells = parseCsvLine(line)
  if (cells?.length !== columns.length) return undefined
  // Without a prototype: a column may be named __proto__.
  return Object.assign(
    Object.create(null),
    Object.fromEntries(columns.map((name, index) => [name, cells[index]])),
  )
}
