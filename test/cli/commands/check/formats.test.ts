/** `--format sarif|github|junit`, and the fingerprint of a finding. */
import { relative } from 'node:path'
import { parse } from 'junit2json'
import t from 'tap'
import { computeFingerprint } from '../../../../src/cli/commands/check/fingerprint.ts'
import { formatGithub } from '../../../../src/cli/commands/check/github.ts'
import { formatJunit } from '../../../../src/cli/commands/check/junit.ts'
import { formatSarif, readRules } from '../../../../src/cli/commands/check/sarif.ts'
import { CHECK_CODES } from '../../../../src/contract/infra/check/finding.ts'
import type { Finding } from '../../../../src/contract/infra/index.ts'
import { HOSTILE, isPlain, run } from '../../../support/run-cli.ts'

const FINDING: Finding = {
  file: 'infra/a b.yaml',
  line: 7,
  column: 5,
  severity: 'error',
  code: 'grant-undefined',
  resource: 'Client',
  value: 'orders/raed',
  message: 'Client is granted orders/raed, which is undefined',
  fix: 'use orders/read.',
}
const WARNING: Finding = { ...FINDING, severity: 'warning', code: 'scope-unused', resource: 'S' }
const HOSTILE_FINDING: Finding = {
  ...FINDING,
  file: `a${HOSTILE}:,%.yaml`,
  resource: `<&"'>${HOSTILE}\uFFFE\uFFFF`,
  message: `100%: ${HOSTILE}::error::x <&"'> ]]>`,
  fix: `a,b\r\n${HOSTILE}`,
}

interface Sarif {
  readonly $schema: string
  readonly version: string
  readonly runs: readonly [
    {
      readonly tool: { readonly driver: { readonly rules: readonly Record<string, unknown>[] } }
      readonly results: readonly Record<string, unknown>[]
    },
  ]
}

const readSarif = (findings: readonly Finding[], env = {}): Sarif =>
  JSON.parse(formatSarif(findings, env)) as Sarif

t.test('SARIF: results with rules, levels, locations and fingerprints', async (t) => {
  const { version, runs } = readSarif([FINDING, WARNING, { ...FINDING, line: 9 }])
  t.equal(version, '2.1.0')
  const [{ tool, results }] = runs
  t.match(tool.driver, { name: 'cognito-m2m', version: /^\d+\.\d+\.\d+/ })
  t.match(
    tool.driver.rules.map(({ id }) => id),
    ['grant-undefined', 'scope-unused'],
  )
  t.match(tool.driver.rules[1], {
    name: 'ScopeUnused',
    shortDescription: { text: /^Warning\. / },
    help: { markdown: /```yaml\n/ },
    helpUri: /docs\/check-codes\.md#scope-unused$/,
    defaultConfiguration: { level: 'warning' },
  })
  t.match(tool.driver.rules[0], { defaultConfiguration: { level: 'error' } })
  const fingerprint = computeFingerprint(FINDING)
  t.strictSame(results[0], {
    ruleId: 'grant-undefined',
    ruleIndex: 0,
    level: 'error',
    message: { text: 'Client is granted orders/raed, which is undefined. Fix: use orders/read.' },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: 'infra/a%20b.yaml', uriBaseId: '%SRCROOT%' },
          region: { startLine: 7, startColumn: 5 },
        },
      },
    ],
    partialFingerprints: {
      'cognitoM2m/v1': fingerprint,
      primaryLocationLineHash: `${fingerprint}:1`,
    },
  })
  t.match(results[1], { ruleId: 'scope-unused', ruleIndex: 1, level: 'warning' })
  t.match(results[2], { partialFingerprints: { primaryLocationLineHash: `${fingerprint}:2` } })
  t.strictSame(readSarif([]).runs[0].results, [])
})

t.test('paths are relative to the repository, or absolute outside of it', async (t) => {
  const uri = (file: string, env = {}): unknown => {
    const [result] = readSarif([{ ...FINDING, file }], env).runs[0].results
    const { locations } = result as {
      locations: [{ physicalLocation: { artifactLocation: object } }]
    }
    return locations[0].physicalLocation.artifactLocation
  }
  const base = '%SRCROOT%'
  t.strictSame(uri('./a/../b.yaml'), { uri: 'b.yaml', uriBaseId: base })
  t.strictSame(uri('/etc/b c.yaml'), { uri: 'file:///etc/b%20c.yaml' })
  t.strictSame(uri('../b.yaml', { GITHUB_WORKSPACE: process.cwd() }), {
    uri: `file://${new URL('../b.yaml', `file://${process.cwd()}/`).pathname}`,
  })
  const parent = new URL('..', `file://${process.cwd()}/`).pathname.slice(0, -1)
  const folder = relative(parent, process.cwd())
  t.strictSame(uri('b.yaml', { GITHUB_WORKSPACE: parent }), {
    uri: `${folder}/b.yaml`,
    uriBaseId: base,
  })
  t.strictSame(uri('b.yaml', { GITHUB_WORKSPACE: '' }), { uri: 'b.yaml', uriBaseId: base })
  t.match(
    formatGithub([{ ...FINDING, file: 'b.yaml' }], { GITHUB_WORKSPACE: parent }),
    [`::error file=${folder}/b.yaml,`].join(),
  )
})

t.test('GitHub: a workflow command per finding, escaped as the runner reads it', async (t) => {
  t.equal(
    formatGithub([FINDING, WARNING], {}),
    [
      '::error file=infra/a b.yaml,line=7,col=5,title=cognito-m2m grant-undefined::Client is granted orders/raed, which is undefined; fix: use orders/read.\n',
      '::warning file=infra/a b.yaml,line=7,col=5,title=cognito-m2m scope-unused::Client is granted orders/raed, which is undefined; fix: use orders/read.\n',
    ].join(''),
  )
  const hostile = formatGithub([HOSTILE_FINDING], {})
  t.equal(hostile.split('\n').length, 2, 'one line')
  t.match(hostile, /^::error file=a[^,:]*%3A%2C%25\.yaml,line=7,col=5,title=[^,:]+::100%25: /)
  t.ok(isPlain(hostile))
  t.equal(formatGithub([], {}), '')
})

t.test('JUnit: errors fail, warnings pass, and a clean run has one test', async (t) => {
  const read = await parse(formatJunit([FINDING, WARNING]))
  t.match(read, { tests: 2, failures: 1, errors: 0 })
  const [suite] = (read as { testsuite: readonly { testcase: readonly object[] }[] }).testsuite
  t.match(suite, { name: 'cognito-m2m check', tests: 2, failures: 1 })
  t.match(suite?.testcase, [
    {
      name: 'grant-undefined Client orders/raed',
      classname: 'infra/a b.yaml',
      failure: [
        {
          type: 'grant-undefined',
          message: FINDING.message,
          inner: `infra/a b.yaml:7:5: ${FINDING.message}; fix: ${FINDING.fix}`,
        },
      ],
    },
    { name: 'scope-unused S orders/raed', 'system-out': [/^infra\/a b\.yaml:7:5: /] },
  ])
  t.notOk('failure' in (suite?.testcase[1] ?? {}))
  t.match(await parse(formatJunit([])), { tests: 1, failures: 0 })
  const { value: _, ...withoutValue } = FINDING
  t.match(formatJunit([withoutValue]), 'name="grant-undefined Client"')
})

t.test('JUnit: hostile text is valid XML, and reads as it was', async (t) => {
  const text = formatJunit([HOSTILE_FINDING])
  t.ok(isPlain(text))
  t.notMatch(text, /[\uFFFE\uFFFF]/)
  const read = (await parse(text)) as {
    testsuite: readonly [{ testcase: readonly [{ failure: readonly [{ message: string }] }] }]
  }
  const { message } = read.testsuite[0].testcase[0].failure[0]
  t.match(message, /^100%: .*::error::x <&"'> \]\]>$/)
})

t.test('a fingerprint does not depend on lines, files, messages or white space', async (t) => {
  const same = computeFingerprint(FINDING)
  t.match(same, /^[0-9a-f]{32}$/)
  for (const change of [
    { file: 'b.yaml', line: 99, column: 1, message: 'm', fix: 'f', severity: 'warning' as const },
    { value: ' orders/raed\n' },
  ]) {
    t.equal(computeFingerprint({ ...FINDING, ...change }), same)
  }
  const composed = { ...FINDING, value: '\u00e9' }
  t.equal(computeFingerprint(composed), computeFingerprint({ ...FINDING, value: 'e\u0301' }))
  for (const change of [
    { code: 'scope-undefined' as const },
    { resource: 'Other' },
    { value: 'orders/read' },
    { resource: 'Clientorders/raed', value: '' },
  ]) {
    t.not(computeFingerprint({ ...FINDING, ...change }), same)
  }
  const { value: _, ...withoutValue } = FINDING
  t.equal(computeFingerprint(withoutValue), computeFingerprint({ ...FINDING, value: '' }))
})

t.test('every code has a rule with a description', async (t) => {
  const rules = readRules()
  t.strictSame(
    rules.map(({ code }) => code),
    CHECK_CODES,
  )
  for (const { description, markdown } of rules) {
    t.ok(description.length > 20)
    t.notMatch(description, /[`\n]/)
    t.match(markdown, /Fails:\n.+Fixed:\n/s)
  }
})

t.test('the command prints each format, and the count on standard error', async (t) => {
  const folder = relative('.', t.testdir({ 'a.yaml': 'Resources: {}' }))
  const args = ['check', `${folder}/a.yaml`, '--format']
  const sarif = await run([...args, 'sarif'])
  t.match(JSON.parse(sarif.out), { version: '2.1.0' })
  const junit = await run([...args, 'junit'])
  t.match(junit.out, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites /)
  const github = await run([...args, 'github'])
  for (const { code, err } of [sarif, junit, github]) {
    t.equal(code, 0)
    t.match(err, /^nothing was evaluated\nread 1 file; /)
  }
})
