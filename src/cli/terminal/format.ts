/** Emphasis, where the terminal may show it. */
import type { Finding } from '../../contract/infra/index.ts'
import { toPrintable } from '../../core/util/text.ts'

/** See {@link import('../../core/util/text.ts').printable}; what stands outside of strings is none of them. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu

/** One line. Unprintable characters are escaped, so that a parser gets them and a terminal does not. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value).replace(UNPRINTABLE, escapeCharacter)}\n`
}

function escapeCharacter(mark: string): string {
  let text = ''
  for (let at = 0; at < mark.length; at += 1) {
    text += `\\u${mark.charCodeAt(at).toString(16).padStart(4, '0')}`
  }
  return text
}

/** Longest name of a file, and longest message, that is repeated. */
const MAX_TEXT_LENGTH = 2000

/** `file:line:column: severity code message; fix: …` */
export function formatFinding(finding: Finding, { bold, dim, red, yellow }: Style): string {
  const { file, line, column, severity, code, message, fix } = finding
  const shown = severity === 'error' ? red(severity) : yellow(severity)
  const place = bold(`${toPrintable(file, MAX_TEXT_LENGTH)}:${line}:${column}:`)
  const what = `${toPrintable(message, MAX_TEXT_LENGTH)}; ${dim(`fix: ${toPrintable(fix, MAX_TEXT_LENGTH)}`)}`
  return `${place} ${shown} ${code} ${what}\n`
}

export interface Counts {
  readonly errors: number
  readonly warnings: number
}

export function countFindings(findings: readonly Finding[]): Counts {
  const errors = findings.filter(({ severity }) => severity === 'error').length
  return { errors, warnings: findings.length - errors }
}

/** `2 errors, 1 warning` */
export function formatCounts({ errors, warnings }: Counts): string {
  if (errors + warnings === 0) return 'nothing found'
  const parts = [
    [errors, 'error'],
    [warnings, 'warning'],
  ] as const
  return parts
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count} ${name}${count === 1 ? '' : 's'}`)
    .join(', ')
}

/** Words as they are, or between escape sequences (ECMA-48 SGR). Give it printable text alone. */
interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly green: (text: string) => string
  readonly red: (text: string) => string
  readonly yellow: (text: string) => string
}

export function createStyle({ colors }: { readonly colors: boolean }): Style {
  const sgr = (on: number, off: number) => (text: string) =>
    colors ? `\u001b[${on}m${text}\u001b[${off}m` : text
  return {
    bold: sgr(1, 22),
    dim: sgr(2, 22),
    green: sgr(32, 39),
    red: sgr(31, 39),
    yellow: sgr(33, 39),
  }
}

/**
 * Whether output may be coloured: on a terminal that can, unless NO_COLOR says no (no-color.org).
 * FORCE_COLOR decides where it is set, as in Node itself: `0` and `false` say no, everything else yes.
 */
export function isColorEnabled(
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: no, TERM: term } = env
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return isTerminal && (no === undefined || no === '') && term !== 'dumb'
}
