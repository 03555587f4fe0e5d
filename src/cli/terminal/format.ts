/** Formats output of commands: JSON, findings, counts and colors. */
import type { Finding } from '../../contract/infra/index.ts'
import { toPrintable } from '../../core/util/text.ts'

/** The characters that `toPrintable` escapes. JSON has them in strings only. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu

/** One line of JSON. Unprintable characters are escaped: parsers restore them, terminals never see them. */
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

/** Longest file name and message in a finding. */
const MAX_TEXT_LENGTH = 2000

/** Formats a finding as `file:line:column: severity code message; fix: …`. */
export function formatFinding(finding: Finding, { bold, dim, red, yellow }: Style): string {
  const { file, line, column, severity, code, message, fix } = finding
  const coloredSeverity = severity === 'error' ? red(severity) : yellow(severity)
  const position = bold(`${toPrintable(file, MAX_TEXT_LENGTH)}:${line}:${column}:`)
  const text = `${toPrintable(message, MAX_TEXT_LENGTH)}; ${dim(`fix: ${toPrintable(fix, MAX_TEXT_LENGTH)}`)}`
  return `${position} ${coloredSeverity} ${code} ${text}\n`
}

export interface Counts {
  readonly errors: number
  readonly warnings: number
}

export function countFindings(findings: readonly Finding[]): Counts {
  const errors = findings.filter(({ severity }) => severity === 'error').length
  return { errors, warnings: findings.length - errors }
}

/** Formats counts as `2 errors, 1 warning`. */
export function formatCounts({ errors, warnings }: Counts): string {
  if (errors + warnings === 0) return 'no findings'
  const parts = [
    [errors, 'error'],
    [warnings, 'warning'],
  ] as const
  return parts
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count} ${name}${count === 1 ? '' : 's'}`)
    .join(', ')
}

/** Adds escape sequences (ECMA-48 SGR) to printable text, or returns it unchanged. */
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
 * Whether output has colors: on a capable terminal, unless NO_COLOR is set (no-color.org). FORCE_COLOR has
 * precedence, as in Node: `0` and `false` disable colors, every other value enables them.
 */
export function isColorEnabled(
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = env
  if (force !== undefined) return force !== '0' && force !== 'false'
  return isTerminal && (no === undefined || no === '') && term !== 'dumb'
}
