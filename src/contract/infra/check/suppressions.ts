/** Removes suppressed findings, and reports suppressions that are invalid or have no effect. */
import { toPrintable } from '../../../core/util/text.ts'
import type { Suppression } from '../suppression/suppression.ts'
import { type CheckCode, createFinding, type Finding } from './finding.ts'

/** Longest text of a suppression in a message, in characters. */
const MAX_SHOWN_LENGTH = 200

/**
 * @param isEvaluated Whether a check with this code ran. A suppression of another code may still be necessary.
 */
export function applySuppressions(
  found: readonly Finding[],
  suppressions: readonly Suppression[],
  isEvaluated: (code: CheckCode) => boolean,
): readonly Finding[] {
  if (suppressions.length === 0) return found
  const used = new Set<string>()
  const remaining = found.filter((finding) => {
    const matching = suppressions.filter((one) => isSuppressed(finding, one))
    for (const { at } of matching) used.add(toKey(at, finding.code))
    return matching.length === 0
  })
  const reported = suppressions.flatMap((one) => {
    if (one.kind === 'invalid') return [reportInvalid(one)]
    const unused = one.codes.filter((code) => isEvaluated(code) && !used.has(toKey(one.at, code)))
    return unused.map((code) => reportUnused(one, code))
  })
  return [...remaining, ...reported]
}

const toKey = ({ file, line, column }: Suppression['at'], code: CheckCode): string =>
  JSON.stringify([file, line, column, code])

function isSuppressed({ file, line, code, resource }: Finding, suppression: Suppression): boolean {
  if (suppression.kind === 'invalid' || suppression.at.file !== file) return false
  if (!suppression.codes.includes(code)) return false
  if (suppression.kind === 'resource') return suppression.resource === resource
  return suppression.firstLine <= line && line <= suppression.lastLine
}

function reportInvalid({ at, text, problem }: Suppression & { kind: 'invalid' }): Finding {
  const message = `the suppression "${toPrintable(text, MAX_SHOWN_LENGTH)}" is invalid: ${toPrintable(problem, MAX_SHOWN_LENGTH)}`
  const fix = 'write cognito-m2m-ignore, the code, a colon and the reason'
  return createFinding(at, 'error', 'suppression-invalid', message, fix, {
    resource: 'cognito-m2m-ignore',
    value: text,
  })
}

function reportUnused({ at }: Suppression, code: CheckCode): Finding {
  const message = `the suppression of ${code} has no effect: there is no such finding`
  const fix = 'remove it, or move it to the line of the finding'
  return createFinding(at, 'warning', 'suppression-unused', message, fix, {
    resource: 'cognito-m2m-ignore',
    value: code,
  })
}
