/** Reports what `check` evaluated, and converts facts that it could not evaluate to findings for `--strict`. */
import { createFinding } from '../../../contract/infra/check/finding.ts'
import type { Coverage, Finding, UnevaluatedFact } from '../../../contract/infra/index.ts'
import { toPrintable } from '../../../core/util/text.ts'
import type { Exemption } from './config.ts'

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
