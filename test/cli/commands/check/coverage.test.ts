/** The coverage report, and `--strict`. */
import { relative } from 'node:path'
import t from 'tap'
import {
  createStrictFindings,
  formatCoverage,
  hasEvaluated,
} from '../../../../src/cli/commands/check/report.ts'
import type { Coverage } from '../../../../src/contract/infra/index.ts'
import { HOSTILE, isPlain, run } from '../../../support/run-cli.ts'

const NONE = { total: 0, evaluated: 0 }
const COVERAGE: Coverage = {
  files: ['a.yaml', 'b.yaml'],
  clients: { total: 2, evaluated: 1 },
  scopes: NONE,
  routes: NONE,
  authorizers: NONE,
  unevaluated: [
    {
      file: 'a.yaml',
      line: 3,
      column: 5,
      resource: 'Client',
      fact: 'flows',
      resolve: 'pass parameter Flows',
    },
    {
      file: 'a.yaml',
      line: 9,
      column: 1,
      resource: '',
      fact: 'resources of a macro',
      resolve: 'pass the template after the macro',
    },
  ],
}

t.test('numbers on one line, and a line for each fact', async (t) => {
  t.equal(
    formatCoverage(COVERAGE),
    [
      'read 2 files; evaluated 1 of 2 clients, 0 of 0 scopes, 0 of 0 routes, 0 of 0 authorizers\n',
      'a.yaml:3:5: not evaluated: flows of Client; pass parameter Flows\n',
      'a.yaml:9:1: not evaluated: resources of a macro; pass the template after the macro\n',
    ].join(''),
  )
  t.ok(hasEvaluated(COVERAGE))
  t.notOk(hasEvaluated({ ...COVERAGE, clients: { total: 2, evaluated: 0 } }))
  const [fact] = COVERAGE.unevaluated
  const hostile = { ...fact, file: HOSTILE, resource: HOSTILE, fact: HOSTILE, resolve: HOSTILE }
  const text = formatCoverage({ ...COVERAGE, files: ['a'], unevaluated: [hostile as never] })
  t.match(text, /^read 1 file; /)
  t.ok(isPlain(text))
})

t.test('--strict makes each fact an error, except exempt ones', async (t) => {
  const all = createStrictFindings(COVERAGE, [])
  t.match(all, [
    {
      file: 'a.yaml',
      line: 3,
      column: 5,
      severity: 'error',
      code: 'not-evaluated',
      resource: 'Client',
      value: 'flows',
      message: 'flows of Client was not evaluated',
      fix: 'pass parameter Flows',
    },
    { message: 'resources of a macro was not evaluated' },
  ])
  const remaining = (...exemptions: { resource: string; fact?: string }[]): number =>
    createStrictFindings(COVERAGE, exemptions).length
  t.equal(remaining({ resource: 'Client', fact: 'flows' }), 1)
  t.equal(remaining({ resource: 'Client' }), 1)
  t.equal(remaining({ resource: 'Client', fact: 'scopes' }), 2)
  t.equal(remaining({ resource: 'Other', fact: 'flows' }), 2)
})

const TEMPLATE = `Parameters: { Stage: { Type: String } }
Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Client:
    Type: AWS::Cognito::UserPoolClient
    Properties:
      UserPoolId: !Ref Pool
      GenerateSecret: true
      AllowedOAuthFlowsUserPoolClient: true
      AllowedOAuthFlows: [client_credentials]
      AllowedOAuthScopes: [!Sub '\${Stage}/read']
      ExplicitAuthFlows: [ALLOW_CLIENT_TOKEN_AUTH]
  Server:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties:
      UserPoolId: !Ref Pool
      Identifier: orders
      Name: Orders
      Scopes: [{ ScopeName: read, ScopeDescription: d }]
`

t.test('the command reports what it did not evaluate', async (t) => {
  const exempt = { resource: 'Client', reason: 'the pipeline sets the stage' }
  const folder = relative(
    '.',
    t.testdir({
      'a.yaml': TEMPLATE,
      'empty.yaml': 'Resources: {}',
      'config.json': JSON.stringify({ templates: ['a.yaml'], unjudged: [exempt] }),
      'other.json': JSON.stringify({ unjudged: [{ ...exempt, resource: 'Other' }] }),
    }),
  )
  const template = `${folder}/a.yaml`
  const { code, out, err } = await run(['check', template])
  t.strictSame([code, out], [0, ''])
  t.match(err, /^no findings\nread 1 file; evaluated \d of \d clients?, /)
  t.match(err, `${template}:11:`)
  t.match(err, /: not evaluated: [^\n]+ of Client; pass parameter Stage\n/)
  const strict = await run(['check', template, '--strict'])
  t.equal(strict.code, 1)
  t.match(strict.out, /a\.yaml:11:\d+: error not-evaluated [^\n]+; fix: pass parameter Stage\n$/)
  t.match(await run(['check', template, '--strict', '--parameter', 'Stage=orders']), {
    out: /^(?!.*not-evaluated)/s,
  })
  t.match(await run(['check', '--strict', '--config', `${folder}/config.json`]), {
    code: 0,
    out: '',
  })
  const other = ['check', template, '--strict', '--config', `${folder}/other.json`]
  t.match(await run(other), { code: 1, out: /not-evaluated/ })
  const json = JSON.parse((await run(['check', template, '--json'])).out)
  t.match(json, {
    findings: [],
    coverage: { files: [template], unevaluated: [{ line: 11, resource: 'Client' }] },
  })
})

t.test('no findings is not said where nothing was evaluated', async (t) => {
  const folder = relative('.', t.testdir({ 'empty.yaml': 'Resources: {}' }))
  t.strictSame(await run(['check', `${folder}/empty.yaml`]), {
    code: 0,
    out: '',
    err: 'nothing was evaluated\nread 1 file; evaluated 0 of 0 clients, 0 of 0 scopes, 0 of 0 routes, 0 of 0 authorizers\n',
  })
})
