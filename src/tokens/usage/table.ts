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

/** Signs that a spreadsheet takes for the beginning of a formula, in full width too. */
const SIGN = /[=+\-@＝＋－＠]/
/** At the beginning of a cell they are as good as one (OWASP, CSV injection). */
const CONTROL = /^[\t\r\n]/
/** What some reader ends a cell by, whatever quotes say. */
const SEPARATOR = /[,;|\t\r\n\v\f\u0085\u2028\u2029]/
/** What readers pass over in front of a cell's text. */
const PASSED_OVER = /["\s]/

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

/** Text is quoted; numbers and answers are the package's own. */
function escaped(cell: Cell): string {
  if (typeof cell !== 'string') return String(cell ?? '')
  return `"${neutralized(cell).replaceAll('"', '""')}"`
}

/**
 * Puts `'` in front of whatever would begin a formula, at the beginning and after every separator: who
 * opens the file with another separator has other cells. One pass, as names are as long as callers like.
 */
function neutralized(text: string): string {
  let out = CONTROL.test(text) ? "'" : ''
  let begins = true
  for (const character of text) {
    if (begins && SIGN.test(character)) out += "'"
    out += character
    begins = SEPARATOR.test(character) || (begins && PASSED_OVER.test(character))
  }
  return out
}
