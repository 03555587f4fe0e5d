/** Prints the results of `check` in the format that the user chose. */
import type { Coverage, Finding } from '../../../contract/infra/index.ts'
import { describeValue, OptionError } from '../../../core/options/validate.ts'
import {
  countFindings,
  createStyle,
  formatCounts,
  formatFinding,
  formatJson,
} from '../../terminal/format.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import { formatCoverage, hasEvaluated } from './coverage.ts'
import { formatGithub } from './github.ts'
import { formatJunit } from './junit.ts'
import { formatSarif } from './sarif.ts'

export interface CheckReport {
  readonly findings: readonly Finding[]
  readonly coverage: Coverage
  /** How many findings the baseline contains. */
  readonly known: number
}

const FORMATTERS: Readonly<Record<string, (report: CheckReport, terminal: Terminal) => string>> = {
  text({ findings }, terminal) {
    const style = createStyle(terminal)
    return findings.map((finding) => formatFinding(finding, style)).join('')
  },
  json: ({ findings, coverage, known }) =>
    formatJson({ findings, ...countFindings(findings), known, coverage }),
  sarif: ({ findings }, { env }) => formatSarif(findings, env),
  github: ({ findings }, { env }) => formatGithub(findings, env),
  junit: ({ findings }) => formatJunit(findings),
}

/** @throws {OptionError} for an unknown format. */
export function readFormat({ format, json }: { readonly format: string; json?: true }): string {
  if (json === true) return 'json'
  if (Object.hasOwn(FORMATTERS, format)) return format
  throw new OptionError(
    '--format',
    `expected ${Object.keys(FORMATTERS).join(', ')}, got ${describeValue(format)}. Pass one of them.`,
  )
}

/** Prints findings to standard output. Except with JSON, a summary follows on standard error. */
export function printReport(report: CheckReport, format: string, terminal: Terminal): void {
  const formatReport = FORMATTERS[format] as (typeof FORMATTERS)[string]
  terminal.out(formatReport(report, terminal))
  if (format !== 'json') printSummary(report, terminal)
}

export function printSummary(report: CheckReport, terminal: Terminal): void {
  terminal.err(formatSummary(report))
}

function formatSummary({ findings, coverage, known }: CheckReport): string {
  const isEmpty = findings.length + known === 0 && !hasEvaluated(coverage)
  const counts = isEmpty ? 'nothing was evaluated' : formatCounts(countFindings(findings))
  const baseline = known === 0 ? '' : `; ${known} more in the baseline`
  return `${counts}${baseline}\n${formatCoverage(coverage)}`
}
