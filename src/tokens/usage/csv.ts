/** Writes CSV as in RFC 4180, without formulas. */

/** A value of a table. */
export type Cell = string | number | boolean | null

/** Characters that begin a formula in a spreadsheet, and their full-width forms. */
const FORMULA_START = /[=+\-@＝＋－＠]/
/** Control characters that a spreadsheet skips before a formula (OWASP, CSV injection). */
const CONTROL = /^[\t\r\n]/
/** Characters that some programs read as the end of a cell, even inside quotes. */
const SEPARATOR = /[,;|\t\r\n\v\f\u0085\u2028\u2029]/
/** Characters that programs skip at the beginning of a cell. */
const SKIPPED = /["\s]/

/** Formats a table with a header line. Lines end with CR LF. */
export function formatCsv(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const body = rows.map((cells) => cells.map(formatCsvCell))
  return [head, ...body].map((cells) => `${cells.join(',')}\r\n`).join('')
}

/** ISO 8601 with whole seconds, the format of CloudTrail. */
export function formatTime(seconds: number | null): string | null {
  return seconds === null ? null : new Date(seconds * 1000).toISOString().replace('.000', '')
}

/** Quotes text. Numbers and booleans need no quotes. */
function formatCsvCell(cell: Cell): string {
  if (typeof cell !== 'string') return String(cell ?? '')
  return `"${escapeFormulas(cell).replaceAll('"', '""')}"`
}

/**
 * Inserts `'` before a character that would begin a formula, at the beginning of a cell and after each separator.
 * A program that uses another separator has other cells. One pass, so that long names take linear time.
 */
function escapeFormulas(text: string): string {
  let out = CONTROL.test(text) ? "'" : ''
  let isCellStart = true
  for (const character of text) {
    if (isCellStart && FORMULA_START.test(character)) out += "'"
    out += character
    isCellStart = SEPARATOR.test(character) || (isCellStart && SKIPPED.test(character))
  }
  return out
}
