/** Formats findings as JUnit XML, which CI systems show as test results. */
import type { Finding } from '../../../contract/infra/index.ts'
import { toPrintable } from '../../../core/util/text.ts'

/** Longest text of an attribute or element, in characters. */
const MAX_TEXT_LENGTH = 2000
/** Noncharacters that XML 1.0 forbids and `toPrintable` keeps. */
const FORBIDDEN = /[\uFFFE\uFFFF]/g
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/**
 * One test case per finding. An error is a failure. A warning passes, with its text as output, because JUnit has no
 * warnings. Without findings, there is one test case that passes: some CI systems reject a report without tests.
 */
export function formatJunit(findings: readonly Finding[]): string {
  const failures = findings.filter(({ severity }) => severity === 'error').length
  const cases =
    findings.length > 0
      ? findings.map(formatCase)
      : ['    <testcase name="check" classname="cognito-m2m"/>\n']
  const counts = `tests="${cases.length}" failures="${failures}" errors="0"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    `<testsuites name="cognito-m2m" ${counts}>\n`,
    `  <testsuite name="cognito-m2m check" ${counts} skipped="0">\n`,
    ...cases,
    '  </testsuite>\n</testsuites>\n',
  ].join('')
}

function formatCase(finding: Finding): string {
  const { file, line, column, severity, code, resource, value, message, fix } = finding
  const name = escapeXml([code, resource, value].filter((part) => part !== undefined).join(' '))
  const text = escapeXml(`${file}:${line}:${column}: ${message}; fix: ${fix}`)
  const result =
    severity === 'error'
      ? `<failure type="${code}" message="${escapeXml(message)}">${text}</failure>`
      : `<system-out>${text}</system-out>`
  const attributes = `name="${name}" classname="${escapeXml(file)}" file="${escapeXml(file)}" line="${line}"`
  return `    <testcase ${attributes}>\n      ${result}\n    </testcase>\n`
}

const escapeXml = (text: string): string =>
  toPrintable(text, MAX_TEXT_LENGTH)
    .replace(FORBIDDEN, (mark) => `\\u{${mark.charCodeAt(0).toString(16)}}`)
    .replace(/[&<>"']/g, (mark) => ENTITIES[mark] as string)
