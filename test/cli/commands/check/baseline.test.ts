/** `--baseline` and `--update-baseline`: accepted findings, new ones, and entries that no longer occur. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import t from 'tap'
import {
  compareWithBaseline,
  formatBaseline,
  readBaseline,
} from '../../../../src/cli/commands/check/baseline.ts'
import type { Finding } from '../../../../src/contract/infra/index.ts'
import { run } from '../../../support/run-cli.ts'

const FINDING: Finding = {
  file: 'a.yaml',
  line: 7,
  column: 5,
  severity: 'error',
  code: 'grant-undefined',
  resource: 'Client',
  value: 'a/x',
  message: 'm',
  fix: 'f',
}
const { value: _, ...WITHOUT_VALUE } = { ...FINDING, resource: 'Other' }

const read = (text: string) => readBaseline({ file: 'baseline.json', text })

t.test('what is written is read, and accepts the same findings', async (t) => {
  const findings = [WITHOUT_VALUE, FINDING]
  const text = formatBaseline(findings)
  t.equal(formatBaseline([FINDING, WITHOUT_VALUE]), text, 'in any order')
  t.match(JSON.parse(text), { version: 1, findings: [{ code: 'grant-undefined' }, {}] })
  t.notMatch(text, /line|a\.yaml/)
  const baseline = await read(text)
  const moved = findings.map((one) => ({ ...one, file: 'b.yaml', line: 99, message: 'other' }))
  t.strictSame(compareWithBaseline(moved, baseline), { findings: [], known: 2 })
  t.strictSame(await read(formatBaseline([])), [])
})

t.test('new findings remain, a second one with the same fingerprint too', async (t) => {
  const baseline = await read(formatBaseline([FINDING]))
  const second = { ...FINDING, line: 8 }
  const other = { ...FINDING, value: 'a/y' }
  t.strictSame(compareWithBaseline([FINDING, second, other], baseline), {
    findings: [second, other],
    known: 1,
  })
  const twice = await read(formatBaseline([FINDING, second]))
  t.strictSame(compareWithBaseline([FINDING, second], twice), { findings: [], known: 2 })
})

t.test('an entry that no longer occurs is a warning at its line', async (t) => {
  const baseline = await read(formatBaseline([FINDING, WITHOUT_VALUE]))
  const { findings, known } = compareWithBaseline([], baseline)
  t.equal(known, 0)
  t.match(findings, [
    {
      file: 'baseline.json',
      line: 4,
      severity: 'warning',
      code: 'baseline-unused',
      message: 'grant-undefined of Client (a/x) no longer occurs',
    },
    { file: 'baseline.json', line: 5, message: 'grant-undefined of Other no longer occurs' },
  ])
})

t.test('an invalid file', async (t) => {
  const entry = { fingerprint: 'f', code: 'c', resource: 'r' }
  const invalid: readonly [unknown, string][] = [
    [[], '1:1: the file: expected an object, got an array. Write an object.'],
    [
      { findings: [] },
      '1:1: version: expected 1, got another value. Write the file with --update-baseline.',
    ],
    [
      { version: 2, findings: [] },
      '1:2: version: expected 1, got another value. Write the file with --update-baseline.',
    ],
    [
      { version: [1] },
      '1:2: version: expected 1, got another value. Write the file with --update-baseline.',
    ],
    [
      { version: 1, findings: {} },
      '1:14: findings: expected an array, got an object. Write an array.',
    ],
    [
      { version: 1, findings: [1] },
      '1:26: findings[0]: expected an object, got 1. Write an object.',
    ],
    [
      { version: 1, findings: [{ ...entry, fingerprint: 1 }] },
      '1:27: findings[0].fingerprint: expected a string, got 1. Write text in quotes.',
    ],
    [
      { version: 1, findings: [{ ...entry, code: undefined }] },
      '1:26: findings[0].code: expected a string, got none. Write text in quotes.',
    ],
    [
      { version: 1, findings: [{ ...entry, resource: null }] },
      '1:56: findings[0].resource: expected a string, got null. Write text in quotes.',
    ],
    [
      { version: 1, findings: [{ ...entry, value: 1 }] },
      '1:71: findings[0].value: expected a string, got 1. Write text in quotes.',
    ],
    [
      { version: 1, findings: [{ ...entry, line: 1 }] },
      '1:71: findings[0].line: expected one of fingerprint, code, resource, value, got an unknown name. Rename or remove it.',
    ],
    [
      { version: 1, more: 1 },
      '1:14: more: expected one of version, findings, got an unknown name. Rename or remove it.',
    ],
  ]
  for (const [content, message] of invalid) {
    await t.rejects(read(JSON.stringify(content)), { message: `baseline.json:${message}` }, message)
  }
  t.strictSame(await read('{ "version": 1 }'), [])
})

const TEMPLATE = `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Client:
    Type: AWS::Cognito::UserPoolClient
    Properties:
      UserPoolId: !Ref Pool
      AllowedOAuthFlowsUserPoolClient: true
      AllowedOAuthFlows: [client_credentials]
      AllowedOAuthScopes: [!ImportValue scope]
      ExplicitAuthFlows: [ALLOW_CLIENT_TOKEN_AUTH]
`

t.test('the command accepts what it wrote, after lines moved', async (t) => {
  const folder = relative('.', t.testdir({ 'a.yaml': TEMPLATE, old: { 'b.json': '{' } }))
  const template = join(folder, 'a.yaml')
  const file = join(folder, 'baseline.json')
  const args = ['check', template, '--baseline', file]
  t.match(await run(args), {
    code: 2,
    err: /--baseline: expected a readable file, got .*\(ENOENT\)/,
  })
  t.match(await run([...args, '--update-baseline']), {
    code: 0,
    out: '',
    err: `cognito-m2m: wrote 1 finding to "${file}"\n`,
  })
  t.match(JSON.parse(readFileSync(file, 'utf8')), {
    findings: [{ code: 'client-no-secret', resource: 'Client' }],
  })
  writeFileSync(template, `# moved\n\n${TEMPLATE}`)
  const known = await run(args)
  t.match(known, { code: 0, out: '', err: /^no findings; 1 more in the baseline\n/ })
  t.match(JSON.parse((await run([...args, '--json'])).out), { findings: [], errors: 0, known: 1 })
  writeFileSync(
    template,
    TEMPLATE.replace('AllowedOAuthFlowsUserPoolClient: true', 'GenerateSecret: true'),
  )
  const fixed = await run(args)
  t.equal(fixed.code, 1)
  t.match(fixed.out, /: error oauth-off /)
  t.match(fixed.out, /baseline\.json:4:\d+: warning baseline-unused client-no-secret of Client /)
  writeFileSync(template, 'Resources: {}')
  t.match(await run([...args, '--update-baseline']), { code: 0, err: /wrote 0 findings/ })
  t.match(await run(args), { code: 0, out: '' })
  t.match(await run(['check', template, '--update-baseline']), {
    code: 2,
    err: 'cognito-m2m: --update-baseline: expected the file of --baseline, got none. Add --baseline FILE.\n',
  })
  t.match(await run(['check', template, '--baseline', join(folder, 'old/b.json')]), {
    code: 2,
    err: /old\/b\.json:1:2: expected valid JSON/,
  })
  t.match(
    await run(['check', template, '--baseline', join(folder, 'none/b.json'), '--update-baseline']),
    {
      code: 2,
      err: /--baseline: expected a writable path, got .* \(ENOENT\)/,
    },
  )
})
