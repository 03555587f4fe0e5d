/** Every example of docs/check-codes.md is checked: the failing one has its code alone, the fixed one none. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { compareWithBaseline, readBaseline } from '../../src/cli/commands/check/baseline.ts'
import { createStrictFindings } from '../../src/cli/commands/check/report.ts'
import { CHECK_CODES } from '../../src/contract/infra/check/finding.ts'
import {
  type AppRoute,
  checkCoverage,
  checkScopes,
  readOpenApi,
  readTemplate,
} from '../../src/contract/infra/index.ts'

const page = readFileSync(new URL('../../docs/check-codes.md', import.meta.url), 'utf8')
const [head, ...parts] = page.split(/^## /m) as [string, ...string[]]
const sections = parts.filter((part) => part.startsWith('`'))

const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter(([, name]) => name === language)
    .map(([, , code]) => code as string)

/** Resources by id, as they are written. */
const resources = (text: string): Map<string, string> =>
  new Map(
    text
      .split(/^(?= {2}\w)/m)
      .filter((part) => part.startsWith('  '))
      .map((part) => [(/\w+/.exec(part) as RegExpExecArray)[0], part]),
  )

const base = blocks(head, 'yaml')[0] as string

/** @param isStrict Whether facts that are not evaluated are findings. */
async function found(example: string, isStrict = false) {
  const yaml = blocks(example, 'yaml')
  const isDocument = (text: string) => text.startsWith('openapi:')
  const changed = yaml.filter((text) => !isDocument(text)).join('')
  const all = new Map([...resources(base), ...resources(changed)])
  const [transform = ''] = /^Transform: .*\n/m.exec(changed) ?? []
  const text = `${transform}Resources:\n${[...all.values()].join('')}`
  const json = blocks(example, 'json')
  const isBaseline = (text: string) => text.startsWith('{')
  const routes = json
    .filter((text) => !isBaseline(text))
    .flatMap((code) => JSON.parse(code) as AppRoute[])
  const documents = yaml.filter(isDocument).map((text) => readOpenApi({ file: 'api.yaml', text }))
  const openapi = (await Promise.all(documents)).flat()
  const model = await readTemplate({ file: 'template.yaml', text })
  const options = { routes, openapi }
  const strict = isStrict ? createStrictFindings(checkCoverage(model, options), []) : []
  const findings = [...checkScopes(model, options), ...strict]
  const [baseline] = json.filter(isBaseline)
  if (baseline === undefined) return findings
  const source = { file: 'baseline.json', text: baseline }
  return compareWithBaseline(findings, await readBaseline(source)).findings
}

t.test('nothing is found in the template of the page', async (t) => {
  t.strictSame(await found(''), [])
})

t.test('the page has every code, once', async (t) => {
  t.ok(CHECK_CODES.length > 10)
  t.strictSame(
    sections.map((section) => /^`(.+)`/.exec(section)?.[1]),
    CHECK_CODES,
  )
})

for (const section of sections) {
  const [, code] = /^`(.+)`/.exec(section) as RegExpExecArray
  t.test(`${code}: fails, and is fixed`, async (t) => {
    const [text, ...examples] = section.split(/^(?=(?:Fails|Fixed):$)/m) as [string, ...string[]]
    const failing = examples.filter((example) => example.startsWith('Fails:'))
    const fixed = examples.filter((example) => example.startsWith('Fixed:'))
    t.ok(failing.length > 0)
    t.equal(failing.length, fixed.length)
    for (const example of failing) {
      const findings = await found(example, code === 'not-evaluated')
      t.strictSame([...new Set(findings.map((finding) => finding.code))], [code])
      for (const { severity, message, fix, line } of findings) {
        t.match(text.toLowerCase(), severity, 'the page says how severe it is')
        t.ok(message.length > 10 && fix.length > 3 && line > 0)
      }
    }
    for (const example of fixed)
      t.strictSame(await found(example, code === 'not-evaluated'), [], example)
  })
}
