/** Prints the results of `check` in the format that the user chose. */

import { createFinding } from '../../../contract/infra/check/finding.ts'
import type { Coverage, Finding, UnevaluatedFact } from '../../../contract/infra/index.ts'
import { describeValue, OptionError } from '../../../core/options/validate.ts'
import { toPrintable } from '../../../core/util/text.ts'
import {
  countFindings,
  createStyle,
  formatCounts,
  formatFinding,
  formatJson,
} from '../../terminal/format.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import { formatGithub } from './github.ts'
import { formatJunit } from './junit.ts'
import { formatSarif } from './sarif.ts'
import type { Exemption } from './settings.ts'

/** Longest text of a fact, in characters. */
const MAX_TEXT_LENGTH = 2000
const COUNTED = ['clients', 'scopes', 'routes', 'authorizers'] as const

/** Whether there was anything to evaluate, and a part of it was evaluated. */
export const hasEvaluated = (coverage: Coverage): boolean =>
  COUNTED.some((name) => coverage[name].evaluated > 0)

/** Formats the numbers on one line, and each fact without a value on a line with its position. */
export function formatCoverage(coverage: Coverage): string {
  const { files, unevaluated } = coverage
  const counts = COUNTED.map((name) => {
    const { evaluated, total } = coverage[name]
    return `${evaluated} of ${total} ${name}`
  })
  const read = `${files.length} ${files.length === 1 ? 'file' : 'files'}`
  return [`read ${read}; evaluated ${counts.join(', ')}\n`, ...unevaluated.map(formatFact)].join('')
}

const show = (text: string): string => toPrintable(text, MAX_TEXT_LENGTH)

function formatFact(fact: UnevaluatedFact): string {
  const { file, line, column, resolve } = fact
  return `${show(file)}:${line}:${column}: not evaluated: ${describeFact(fact)}; ${show(resolve)}\n`
}

const describeFact = ({ resource, fact }: UnevaluatedFact): string =>
  show(resource === '' ? fact : `${fact} of ${resource}`)

/** Creates an error for each fact that was not evaluated, without exempt ones. */
export const createStrictFindings = (
  { unevaluated }: Coverage,
  exemptions: readonly Exemption[],
): readonly Finding[] =>
  unevaluated.filter((one) => !exemptions.some((it) => isExempt(one, it))).map(toFinding)

const isExempt = ({ resource, fact }: UnevaluatedFact, exemption: Exemption): boolean =>
  exemption.resource === resource && (exemption.fact ?? fact) === fact

function toFinding(one: UnevaluatedFact): Finding {
  const { resource, fact: value, resolve } = one
  const message = `${describeFact(one)} was not evaluated`
  return createFinding(one, 'error', 'not-evaluated', message, show(resolve), { resource, value })
}

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
