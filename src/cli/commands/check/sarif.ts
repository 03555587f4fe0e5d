/** Formats findings as SARIF 2.1.0, which code scanning services read. */
import { readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Finding } from '../../../contract/infra/index.ts'
import { PACKAGE_ROOT, PACKAGE_VERSION } from '../../../core/util/package-files.ts'
import { toPrintable } from '../../../core/util/text.ts'
import { formatJson } from '../../terminal/format.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import { computeFingerprint } from './fingerprint.ts'
import { toRepositoryPath } from './github.ts'

const SCHEMA =
  'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json'
/** Longest message of a result, in characters. */
const MAX_TEXT_LENGTH = 2000

/** The documentation of a code. */
export interface Rule {
  readonly code: string
  /** The first paragraph of its section, on one line, without Markdown. */
  readonly description: string
  /** The section, in Markdown. */
  readonly markdown: string
}

/** One line of JSON: a log with one run. */
export function formatSarif(findings: readonly Finding[], env: Terminal['env']): string {
  const levels = new Map<string, string>(findings.map(({ code, severity }) => [code, severity]))
  const rules = readRules().filter(({ code }) => levels.has(code))
  const indexes = new Map(rules.map(({ code }, index) => [code, index]))
  const occurrences = new Map<string, number>()
  const results = findings.map((finding) => {
    const fingerprint = computeFingerprint(finding)
    const occurrence = (occurrences.get(fingerprint) ?? 0) + 1
    occurrences.set(fingerprint, occurrence)
    return {
      ruleId: finding.code,
      ruleIndex: indexes.get(finding.code),
      level: finding.severity,
      message: { text: formatMessage(finding) },
      locations: [{ physicalLocation: toLocation(finding, env) }],
      partialFingerprints: {
        'cognitoM2m/v1': fingerprint,
        // The only member that GitHub compares. Its form is a hash and the number of the occurrence.
        primaryLocationLineHash: `${fingerprint}:${occurrence}`,
      },
    }
  })
  const driver = {
    name: 'cognito-m2m',
    version: PACKAGE_VERSION,
    informationUri: 'https://www.npmjs.com/package/cognito-m2m',
    rules: rules.map((rule) => toDescriptor(rule, levels.get(rule.code))),
  }
  const run = { tool: { driver }, columnKind: 'utf16CodeUnits', results }
  return formatJson({ $schema: SCHEMA, version: '2.1.0', runs: [run] })
}

function toDescriptor({ code, description, markdown }: Rule, level: string | undefined): object {
  const name = code
    .split('-')
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join('')
  return {
    id: code,
    name,
    shortDescription: { text: description },
    fullDescription: { text: description },
    help: { text: description, markdown },
    helpUri: `https://unpkg.com/cognito-m2m@${PACKAGE_VERSION}/docs/check-codes.md#${code}`,
    defaultConfiguration: { level },
  }
}

/** Two sentences, each with a period, as viewers show the first one in lists. */
function formatMessage({ message, fix }: Finding): string {
  const sentences = [message, `Fix: ${fix}`].map((text) => toPrintable(text, MAX_TEXT_LENGTH))
  return sentences.map((text) => (text.endsWith('.') ? text : `${text}.`)).join(' ')
}

function toLocation({ file, line, column }: Finding, env: Terminal['env']): object {
  const path = toRepositoryPath(file, env)
  const artifactLocation = isAbsolute(path)
    ? { uri: pathToFileURL(path).href }
    : { uri: path.split('/').map(encodeURIComponent).join('/'), uriBaseId: '%SRCROOT%' }
  return { artifactLocation, region: { startLine: line, startColumn: column } }
}

/** Reads the rules from docs/check-codes.md, which the package contains, in the order of the page. */
export function readRules(): readonly Rule[] {
  const page = readFileSync(join(PACKAGE_ROOT, 'docs/check-codes.md'), 'utf8')
  const sections = page.split(/^## /m).filter((section) => section.startsWith('`'))
  return sections.map((section) => {
    const [heading = '', ...lines] = section.split('\n')
    const markdown = lines.join('\n').trim()
    const [paragraph = ''] = markdown.split('\n\n')
    const description = paragraph.replaceAll('\n', ' ').replaceAll('`', '')
    return { code: heading.replaceAll('`', ''), description, markdown }
  })
}
