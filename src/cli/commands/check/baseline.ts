/** Reads, compares and writes baselines: files of findings that a repository accepts for now. */
import { createFinding } from '../../../contract/infra/check/finding.ts'
import {
  type Finding,
  type Position,
  TemplateError,
  type TemplateSource,
} from '../../../contract/infra/index.ts'
import { toPrintable } from '../../../core/util/text.ts'
import { computeFingerprint, type FindingIdentity } from './fingerprint.ts'
import { readMembers, readString, readTreeItems } from './json-file.ts'

/** An accepted finding. */
interface BaselineEntry {
  readonly at: Position
  readonly fingerprint: string
  readonly code: string
  readonly resource: string
  readonly value: string | undefined
}

/** The version of the format, which changes if fingerprints do. */
const VERSION = 1

/** @throws {TemplateError} with the position of the invalid member. */
export async function readBaseline(source: TemplateSource): Promise<readonly BaselineEntry[]> {
  const root = await readMembers(source, ['version', 'findings'])
  const version = root.get('version')
  if (version.tree?.kind !== 'scalar' || version.tree.value !== VERSION) {
    throw new TemplateError(
      version.at,
      `version: expected ${VERSION}, got another value. Write the file with --update-baseline.`,
    )
  }
  return readTreeItems(root.get('findings'), ['fingerprint', 'code', 'resource', 'value']).map(
    (entry) => ({
      at: entry.at,
      fingerprint: readString(entry.get('fingerprint')),
      code: readString(entry.get('code')),
      resource: readString(entry.get('resource')),
      value: entry.get('value').tree === undefined ? undefined : readString(entry.get('value')),
    }),
  )
}

export interface BaselineComparison {
  /** Findings that the baseline does not contain, and one for each entry that no longer occurs. */
  readonly findings: readonly Finding[]
  /** How many findings the baseline contains. */
  readonly known: number
}

/** Compares by fingerprint. An entry accepts one finding, so a second one with the same fingerprint is new. */
export function compareWithBaseline(
  findings: readonly Finding[],
  baseline: readonly BaselineEntry[],
): BaselineComparison {
  const accepted = new Map<string, BaselineEntry[]>()
  for (const entry of baseline) {
    const entries = accepted.get(entry.fingerprint)
    if (entries === undefined) accepted.set(entry.fingerprint, [entry])
    else entries.push(entry)
  }
  const remaining = findings.filter(
    (finding) => accepted.get(computeFingerprint(finding))?.shift() === undefined,
  )
  const unused = [...accepted.values()].flat().map(reportUnused)
  return { findings: [...remaining, ...unused], known: findings.length - remaining.length }
}

function reportUnused({ at, code, resource, value }: BaselineEntry): Finding {
  const subject = value === undefined ? resource : `${resource} (${value})`
  const message = `${toPrintable(code)} of ${toPrintable(subject, 300)} no longer occurs`
  const fix = 'remove the entry, or run with --update-baseline'
  return createFinding(at, 'warning', 'baseline-unused', message, fix, {
    resource,
    value: code,
  })
}

/** Formats a baseline. The order depends on the findings alone, not on their lines. */
export function formatBaseline(findings: readonly FindingIdentity[]): string {
  const entries = findings.map((finding) => {
    const { code, resource, value } = finding
    return { code, resource, value, fingerprint: computeFingerprint(finding) }
  })
  const lines = entries.map((entry) => JSON.stringify(entry)).sort()
  const list = lines.length === 0 ? '[]' : `[\n    ${lines.join(',\n    ')}\n  ]`
  return `{\n  "version": ${VERSION},\n  "findings": ${list}\n}\n`
}
