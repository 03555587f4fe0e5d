/** Findings as text: a line each, as editors and CI read the messages of compilers. */

import type { Finding } from '../../contract/infra/index.ts'
import { printable } from '../../core/util/text.ts'
import type { Style } from './format.ts'

/** Longest name of a file, and longest message, that is repeated. */
const LONGEST = 2000

/** `file:line:column: severity code message; fix: …` */
export function findingLine(finding: Finding, { bold, dim, red, yellow }: Style): string {
  const { file, line, column, severity, code, message, fix } = finding
  const shown = severity === 'error' ? red(severity) : yellow(severity)
  const place = bold(`${printable(file, LONGEST)}:${line}:${column}:`)
  const what = `${printable(message, LONGEST)}; ${dim(`fix: ${printable(fix, LONGEST)}`)}`
  return `${place} ${shown} ${code} ${what}\n`
}

export interface Counts {
  readonly errors: number
  readonly warnings: number
}

export function countsOf(findings: readonly Finding[]): Counts {
  const errors = findings.filter(({ severity }) => severity === 'error').length
  return { errors, warnings: findings.length - errors }
}

/** `2 errors, 1 warning` */
export function countsText({ errors, warnings }: Counts): string {
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
