/** Rows as a table: JSON for programs, CSV (RFC 4180) for spreadsheets. */
import type { UsageReport, UsageRow } from './types.ts'

type Cell = string | number | boolean | null
type Column = readonly [name: string, cell: (row: UsageRow) => Cell]

const NARROW: readonly Column[] = [
  ['user_pool_id', ({ userPoolId }) => userPoolId],
  ['client_id', ({ kind, clientId }) => clientId ?? kind],
  ['count', ({ tokens }) => tokens.issued],
  ['last_used', ({ lastUsed }) => time(lastUsed)],
]

const WIDE: readonly Column[] = [
  ...NARROW,
  ['kind', ({ kind }) => kind],
  ['first_used', ({ firstUsed }) => time(firstUsed)],
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

/** What a spreadsheet takes for the beginning of a formula, in full width too. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/
/** What means the same whatever separates cells. */
const PLAIN = /^[\w.:-]*$/

export function toJson({ rows }: UsageReport, wide: boolean): string {
  return JSON.stringify(
    rows.map((row) => Object.fromEntries(columns(wide).map(([name, cell]) => [name, cell(row)]))),
  )
}

export function toCsv({ rows }: UsageReport, wide: boolean): string {
  const head = columns(wide).map(([name]) => name)
  const body = rows.map((row) => columns(wide).map(([, cell]) => escaped(cell(row))))
  return [head, ...body].map((cells) => `${cells.join(',')}\r\n`).join('')
}

function columns(wide: boolean): readonly Column[] {
  return wide ? WIDE : NARROW
}

/** Whole seconds, as CloudTrail writes them. */
function time(seconds: number | null): string | null {
  return seconds === null ? null : new Date(seconds * 1000).toISOString().replace('.000', '')
}

function escaped(cell: Cell): string {
  if (typeof cell !== 'string') return String(cell ?? '')
  const text = FORMULA.test(cell) ? `'${cell}` : cell
  return PLAIN.test(text) ? text : `"${text.replaceAll('"', '""')}"`
}
