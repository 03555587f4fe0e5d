/** Removes suppressed findings, and reports suppressions that are invalid or have no effect. */
import { toPrintable } from '../../../core/util/text.ts'
import type { InfraModel } from '../model/model.ts'
import type { Position } from '../position.ts'
import type { Suppression } from '../suppression/suppression.ts'
import { type CheckCode, comparePositions, createFinding, type Finding } from './finding.ts'
import { groupBy } from './pools.ts'

/** Longest text of a suppression in a message, in characters. */
const MAX_SHOWN_LENGTH = 200

/**
 * @param isEvaluated Whether a check with this code ran. A suppression of another code may still be necessary.
 */
export function applySuppressions(
  found: readonly Finding[],
  models: readonly InfraModel[],
  isEvaluated: (code: CheckCode) => boolean,
): readonly Finding[] {
  const suppressions = models.flatMap((model) => model.suppressions)
  if (suppressions.length === 0) return found
  const findResource = createResourceFinder(models)
  const used = new Set<string>()
  const remaining = found.filter((finding) => {
    const matching = suppressions.filter((one) => isSuppressed(finding, one))
    for (const { at } of matching) used.add(toKey(at, finding.code))
    return matching.length === 0
  })
  const reported = suppressions.flatMap((one) => {
    if (one.kind === 'invalid') return [reportInvalid(one, findResource(one))]
    const unused = one.codes.filter((code) => isEvaluated(code) && !used.has(toKey(one.at, code)))
    return unused.map((code) => reportUnused(one, code, findResource(one)))
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

/** The subject of a suppression before the first resource of its file. */
const NO_RESOURCE = 'cognito-m2m-ignore'

/** Finds the resource that a suppression is for: the last one that begins before. It identifies the finding. */
function createResourceFinder(models: readonly InfraModel[]): (one: Suppression) => string {
  const resources = models.flatMap(listResources).sort((a, b) => comparePositions(a.at, b.at))
  const byFile = groupBy(resources, ({ at }) => at.file)
  return (one) => {
    if (one.kind === 'resource') return one.resource
    const last = byFile.get(one.at.file)?.findLast(({ at }) => at.line <= one.firstLine)
    return last?.id ?? NO_RESOURCE
  }
}

const listResources = (model: InfraModel): readonly { id: string; at: Position }[] => [
  ...model.userPools,
  ...model.domains,
  ...model.resourceServers,
  ...model.clients,
  ...model.parameters,
  ...model.authorizers,
  ...model.routes,
]

function reportInvalid(
  { at, text, problem }: Suppression & { kind: 'invalid' },
  resource: string,
): Finding {
  const message = `the suppression "${toPrintable(text, MAX_SHOWN_LENGTH)}" is invalid: ${toPrintable(problem, MAX_SHOWN_LENGTH)}`
  const fix = 'write cognito-m2m-ignore, the code, a colon and the reason'
  return createFinding(at, 'error', 'suppression-invalid', message, fix, { resource, value: text })
}

function reportUnused({ at, text }: Suppression, code: CheckCode, resource: string): Finding {
  const message = `the suppression of ${code} has no effect: there is no such finding`
  const fix = 'remove it, or move it to the line of the finding'
  const subject = { resource, value: `${code}: ${text}` }
  return createFinding(at, 'warning', 'suppression-unused', message, fix, subject)
}
