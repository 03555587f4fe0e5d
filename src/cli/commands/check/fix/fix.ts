/** `--fix`: edits of templates that remove findings, each of which is verified by a second check. */
import type { Finding, InfraModel } from '../../../../contract/infra/index.ts'
import { computeFingerprint } from '../fingerprint.ts'
import { addHclDependsOn } from './depends-on-hcl.ts'
import { addDependsOn } from './depends-on-yaml.ts'
import { applyEdit, type Edit } from './edit.ts'
import { fixScope } from './scope.ts'

/** Most fixes of a run. Each one is followed by a check of all templates. */
const MAX_FIXES = 50

/** The result of a check of templates. */
export interface Checked {
  readonly models: readonly InfraModel[]
  readonly findings: readonly Finding[]
}

/** A file with its original text and the text after all fixes. */
export interface FixedFile {
  readonly file: string
  readonly before: string
  readonly after: string
}

/** The result of a check of the changed templates. */
export interface FixResult extends Checked {
  /** Files that change. */
  readonly files: readonly FixedFile[]
}

export interface FixOptions {
  /** Reads the text of a file. Undefined if the file may not be changed. */
  readonly readFile: (file: string) => string | undefined
  /** Checks the templates. Files of the map have other texts. */
  readonly check: (texts: ReadonlyMap<string, string>) => Promise<Checked>
}

/**
 * Fixes misspelled scopes and missing dependencies. An edit is kept if a check then finds nothing new. The exception is
 * the order of deployment of a scope that is correct now, which is fixed next.
 */
export async function fixTemplates(
  checked: Checked,
  { readFile, check }: FixOptions,
): Promise<FixResult> {
  const originals = new Map<string, string>()
  let texts: ReadonlyMap<string, string> = new Map()
  let result = checked
  const pending = checked.findings.filter(isFixable)
  for (let index = 0; index < Math.min(pending.length, MAX_FIXES); index += 1) {
    const finding = pending[index] as Finding
    // Earlier fixes may have moved it, or removed it too.
    const moved = findSame(finding, result.findings)
    if (moved === undefined) continue
    const { file } = moved
    const text = texts.get(file) ?? readFile(file)
    const edit = text === undefined ? undefined : await createEdit(moved, text, result.models)
    if (text === undefined || edit === undefined) continue
    const candidate = new Map([...texts, [file, applyEdit(text, edit)]])
    const next = await check(candidate).catch(() => undefined)
    if (next === undefined || findSame(finding, next.findings) !== undefined) continue
    const added = listNew(result.findings, next.findings)
    if (!added.every(isOrder)) continue
    pending.push(...added)
    if (!originals.has(file)) originals.set(file, text)
    texts = candidate
    result = next
  }
  const files = [...originals].map(([file, before]) => {
    return { file, before, after: texts.get(file) as string }
  })
  return { files, ...result }
}

const isOrder = ({ code }: Finding): boolean => code === 'scope-order'

const isFixable = (finding: Finding): boolean =>
  isOrder(finding) || finding.code === 'scope-undefined' || finding.code === 'grant-undefined'

function findSame(finding: Finding, findings: readonly Finding[]): Finding | undefined {
  const fingerprint = computeFingerprint(finding)
  return findings.find(
    (one) => one.file === finding.file && computeFingerprint(one) === fingerprint,
  )
}

function listNew(before: readonly Finding[], after: readonly Finding[]): readonly Finding[] {
  const known = new Set(before.map(computeFingerprint))
  return after.filter((one) => !known.has(computeFingerprint(one)))
}

async function createEdit(
  finding: Finding,
  text: string,
  models: readonly InfraModel[],
): Promise<Edit | undefined> {
  if (finding.code !== 'scope-order') return fixScope(finding, text, models)
  const { file, resource, value = '' } = finding
  if (!/\.(?:tf|tofu)$/i.test(file)) return addDependsOn(text, resource, value)
  return addHclDependsOn(text, getAddress(resource), getAddress(value))
}

/** Returns the address of a block in its file: without modules and the key of a repeated block. */
const getAddress = (address: string): string =>
  address.replaceAll(/\[[^\]]*\]/g, '').replace(/^(?:module\.[^.]+\.)+/, '')
