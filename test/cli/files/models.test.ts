import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { readText } from '../../../src/cli/files/read.ts'
import { run } from '../../support/run-cli.ts'

interface Files {
  readonly [name: string]: string | Files
}

interface Test {
  testdir(files?: Files): string
}

/** Creates files of a test. Returns their paths, relative to the working directory. */
function files(test: Test, given: Files) {
  const folder = relative('.', test.testdir(given))
  return (name: string) => join(folder, name)
}

const DEPLOYED = relative(
  '.',
  fileURLToPath(new URL('../../../fixtures/templates/deployed', import.meta.url)),
)

/** A template whose client is granted a scope. */
const template = (granted: string): string => `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Domain: { Type: AWS::Cognito::UserPoolDomain, Properties: { UserPoolId: !Ref Pool, Domain: orders-x } }
  Server:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties:
      UserPoolId: !Ref Pool
      Identifier: orders
      Name: Orders
      Scopes: [{ ScopeName: read, ScopeDescription: d }]
  Client:
    Type: AWS::Cognito::UserPoolClient
    DependsOn: Server
    Properties:
      UserPoolId: !Ref Pool
      GenerateSecret: true
      AllowedOAuthFlowsUserPoolClient: true
      AllowedOAuthFlows: [client_credentials]
      AllowedOAuthScopes: [${granted}]
`
const CLEAN = template('orders/read')
const WRONG = template('orders/raed')

const MODULE = `variable "scope" {}
variable "name" { default = "orders" }
resource "aws_cognito_user_pool" "p" { name = "p" }
resource "aws_cognito_user_pool_domain" "d" {
  user_pool_id = aws_cognito_user_pool.p.id
  domain       = "orders-x"
}
resource "aws_cognito_resource_server" "s" {
  user_pool_id = aws_cognito_user_pool.p.id
  identifier   = var.name
  name         = var.name
  scope {
    scope_name        = "read"
    scope_description = "d"
  }
}
module "client" {
  source = "../client"
  pool   = aws_cognito_user_pool.p.id
  scopes = ["\${aws_cognito_resource_server.s.identifier}/\${var.scope}"]
}
`
const CLIENT = `variable "pool" {}
variable "scopes" {}
resource "aws_cognito_user_pool_client" "c" {
  name                                 = "c"
  user_pool_id                         = var.pool
  generate_secret                      = true
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_scopes                 = var.scopes
}
`

t.test('the variables of Terraform: files of the folder, --var-file and --var', async (t) => {
  const at = files(t, {
    prod: {
      'main.tf': MODULE,
      'terraform.tfvars': 'scope = "first"\n',
      'terraform.tfvars.json': '{ "scope": "second" }',
      'b.auto.tfvars': 'scope = "fourth"\n',
      'a.auto.tfvars.json': '{ "scope": "third" }',
      'ignored.tfvars': 'scope = "ignored"\n',
    },
    client: { 'main.tf': CLIENT },
    'read.tfvars': 'scope = "read"\n',
    'wrong.tfvars': 'scope = "fifth"\n',
  })
  const scope = async (...args: string[]) => {
    const { out, code } = await run(['check', at('prod'), ...args])
    const names = [...out.matchAll(/error grant-undefined .*?orders\/(\w+)/g)]
    return [code, ...names.map(([, name]) => name)]
  }
  t.strictSame(await scope(), [1, 'fourth'])
  t.strictSame(await scope('--var-file', at('wrong.tfvars')), [1, 'fifth'])
  const both = ['--var-file', at('wrong.tfvars'), '--var', 'scope=read']
  t.strictSame(await scope(...both), [0])
  const reversed = ['--var', 'scope=read', '--var-file', at('wrong.tfvars')]
  t.strictSame(await scope(...reversed), [1, 'fifth'], 'the last one counts')
  t.strictSame(await scope('--var', 'scope=a=b', '--var-file', at('read.tfvars')), [0])
  t.strictSame(await scope(...both, '--parameter', 'scope=sixth'), [1, 'sixth'])
  const named = await run(['check', at('prod/main.tf'), '--var', 'scope=seventh'])
  t.match(named.out, /orders\/seventh/, 'a file is a module with the variables of its folder')
})

t.test('invalid variables', async (t) => {
  const at = files(t, { 'main.tf': MODULE, 'bad.tfvars': 'scope = [' })
  const cases: [string[], RegExp][] = [
    [['--var', 's3cret'], /--var: expected NAME=VALUE, got text without a name\. Add the name\.$/],
    [
      ['--var-file', at('absent')],
      /--var-file: expected a readable file, got ".+absent" \(ENOENT\)/,
    ],
    [['--var-file', at('bad.tfvars')], /bad\.tfvars:1:\d+: expected valid HCL/],
  ]
  for (const [args, message] of cases) {
    const { code, out, err } = await run(['check', at('main.tf'), ...args])
    t.strictSame([code, out], [2, ''])
    t.match(err.trimEnd(), message)
    t.notMatch(err, 's3cret')
  }
})

t.test('a folder of CloudFormation templates, with its subfolders', async (t) => {
  const at = files(t, {
    'a.yaml': CLEAN,
    'b.template': WRONG.replace('Identifier: orders', 'Identifier: other'),
    'package.json': '{ "name": "Resources" }',
    'other.yaml': 'Resources:\n  - a\n',
    'nested.json': '{ "a": { "Resources": "AWS::" } }',
    'list.json': '["AWS::", "Resources"]',
    'manifest.json': '{ "version": 1, "artifacts": {} }',
    'notes.md': 'Resources: AWS::',
    'compose.yml': 'resources:\n  Resources: { A: { Type: AWS::X::Y } }\n',
    node_modules: { 'c.yaml': WRONG },
    '.hidden': { 'c.yaml': WRONG },
    deep: { er: { 'c.yml': WRONG.replaceAll('orders', 'deep') } },
    'big.json': `{ "Resources": "AWS::${' '.repeat(4_200_000)}" }`,
  })
  symlinkSync('..', at('deep/circle'))
  symlinkSync('../a.yaml', at('deep/link.yaml'))
  const { code, out } = await run(['check', at('.')])
  t.equal(code, 1)
  const found = [...out.matchAll(/^(.+?):\d+:\d+: error grant-undefined/gm)].map(([, file]) => file)
  t.strictSame(found, [at('b.template'), at('deep/er/c.yml')])
  const same = await run(['check', at('.'), at('b.template'), at('deep')])
  t.equal(same.out, out, 'a file is read once')
  writeFileSync(at('broken.json'), '{ "Resources": { "A": "AWS::X" ')
  t.match(await run(['check', at('.')]), {
    code: 2,
    err: /broken\.json:1:\d+: expected valid JSON/,
  })
})

t.test('a folder without templates', async (t) => {
  const at = files(t, {
    'a.yaml': CLEAN,
    empty: {},
    other: { 'package.json': '{}' },
    modules: { auth: { 'main.tf': '' } },
  })
  for (const folder of ['empty', 'other', 'modules']) {
    const { code, err } = await run(['check', at('a.yaml'), at(folder)])
    t.equal(code, 2)
    t.equal(
      err,
      `cognito-m2m: TEMPLATE: expected a folder with templates, got "${at(folder)}". Name the templates, or the folder of a Terraform module.\n`,
    )
  }
  const named = await run(['check', at('other/package.json')])
  t.match(named, { code: 2, err: /got no Resources/ }, 'a named file must be a template')
})

t.test('a cloud assembly of the AWS CDK, with nested assemblies and stacks', async (t) => {
  t.match(await run(['check', join(DEPLOYED, 'cdk.out')]), { code: 0, out: '' })
  const json = (value: object) => JSON.stringify(value)
  const stack = (templateFile: unknown) => ({
    type: 'aws:cloudformation:stack',
    properties: { templateFile },
  })
  const nested = (directoryName: unknown) => ({
    type: 'cdk:cloud-assembly',
    properties: { directoryName },
  })
  const manifest = (artifacts: object) => json({ version: '38.0.1', artifacts })
  const at = files(t, {
    'outside.yaml': WRONG,
    out: {
      'manifest.json': manifest({
        a: stack('a.yaml'),
        b: nested('assembly-Prod'),
        outside: stack('../outside.yaml'),
        absolute: stack('/outside.yaml'),
        folder: stack('.'),
        none: stack(''),
        number: stack(1),
        up: nested('..'),
        gone: nested('gone'),
        null: null,
        tree: { type: 'cdk:tree' },
      }),
      'a.yaml': CLEAN,
      'not-listed.yaml': WRONG,
      'inner.nested.template.json': json({
        Resources: { Gone: { Type: 'AWS::X::Y', DependsOn: 'Nothing' } },
      }),
      'assembly-Prod': {
        'manifest.json': manifest({ b: stack('b.yaml') }),
        'b.yaml': WRONG.replaceAll('orders', 'b'),
      },
    },
    missing: { 'manifest.json': manifest({ a: stack('a.yaml') }) },
    other: { 'manifest.json': json({ version: '1', artifacts: null }), 'a.yaml': WRONG },
    broken: { 'manifest.json': '{', 'a.yaml': WRONG },
    empty: { 'manifest.json': manifest({}) },
  })
  const { out } = await run(['check', at('out')])
  t.strictSame(
    [...out.matchAll(/^(.+?):\d+:\d+: error (\S+)/gm)].map(([, file, code]) => `${file} ${code}`),
    [
      `${at('out/assembly-Prod/b.yaml')} grant-undefined`,
      `${at('out/inner.nested.template.json')} reference-missing`,
    ],
  )
  const missing = await run(['check', at('missing')])
  t.match(missing, { code: 2, err: /got ".+a\.yaml" \(ENOENT\)/ })
  for (const folder of ['other', 'broken'])
    t.match(await run(['check', at(folder)]), { code: 1, out: /a\.yaml:\d+:\d+: error grant-un/ })
  t.match(await run(['check', at('empty')]), { code: 2, err: /expected a folder with templates/ })
})

t.test('the template that the Serverless Framework leaves', async (t) => {
  const folder = join(DEPLOYED, '.serverless')
  t.match(await run(['check', folder]), { code: 0, out: '' })
})

t.test('a Terraform plan', async (t) => {
  const { code, out } = await run(['check', join(DEPLOYED, 'plan.json')])
  t.equal(code, 0, out)
})

t.test('--fix changes no file that a tool wrote', async (t) => {
  const plan = readFileSync(join(DEPLOYED, 'plan.json'), 'utf8')
  const at = files(t, {
    'plan.json': plan.replace(/("allowed_oauth_scopes": \[\s+)"orders.read"/, '$1"orders/raed"'),
    'template.yaml': WRONG,
    'cdk.out': { 'template.yaml': WRONG },
    '.serverless': { 'template.yaml': WRONG },
  })
  const fix = async (name: string) => {
    const { code, out } = await run(['check', at(name), '--fix'])
    return [code, /^\+.*orders\/read/m.test(out)]
  }
  t.strictSame(await fix('template.yaml'), [1, true])
  for (const name of ['plan.json', 'cdk.out/template.yaml', '.serverless/template.yaml'])
    t.strictSame(await fix(name), [1, false], name)
})

t.test('AWS::Include reads files inside of the root only', async (t) => {
  const include = (location: string) => `Resources:
  Fn::Transform: { Name: AWS::Include, Parameters: { Location: '${location}' } }
  Queue: { Type: AWS::SQS::Queue }
`
  const server = 'Gone: { Type: AWS::X::Y, DependsOn: Nothing }\n'
  const folder = t.testdir({
    'inside.yaml': server,
    folder: {},
    'a.yaml': include('inside.yaml'),
    'b.yaml': include('link.yaml'),
    'c.yaml': include('../../../../../../../../../../../../tmp/x'),
    'd.yaml': include('folder'),
    'e.yaml': include('inner.yaml'),
  })
  const at = (name: string) => join(relative('.', folder), name)
  // A link is followed where its target is inside of the root.
  symlinkSync('inside.yaml', join(folder, 'inner.yaml'))
  symlinkSync('/proc/self/environ', join(folder, 'link.yaml'))
  const found = async (name: string) => {
    const { out, code } = await run(['check', at(name)])
    return [code, /Nothing/.test(out)]
  }
  t.strictSame(await found('a.yaml'), [1, true])
  t.strictSame(await found('b.yaml'), [0, false])
  t.strictSame(await found('c.yaml'), [0, false])
  t.strictSame(await found('d.yaml'), [0, false])
  t.strictSame(await found('e.yaml'), [1, true])
})

t.test('the root of a template outside of the working directory is its folder', async (t) => {
  const outside = join(t.testdir({ parent: {} }), 'parent', 'stack')
  mkdirSync(outside)
  const include = (location: string) => `Resources:
  Fn::Transform: { Name: AWS::Include, Parameters: { Location: '${location}' } }
  Queue: { Type: AWS::SQS::Queue }
`
  writeFileSync(join(outside, 'server.yaml'), 'Gone: { Type: AWS::X::Y, DependsOn: Nothing }\n')
  writeFileSync(
    join(outside, '..', 'server.yaml'),
    'Gone: { Type: AWS::X::Y, DependsOn: Nothing }\n',
  )
  writeFileSync(join(outside, 'in.yaml'), include('server.yaml'))
  writeFileSync(join(outside, 'out.yaml'), include('../server.yaml'))
  const working = process.cwd()
  t.teardown(() => process.chdir(working))
  process.chdir(t.testdirName.replace(/[^/\\]+$/, ''))
  mkdirSync('elsewhere', { recursive: true })
  process.chdir('elsewhere')
  const inner = await run(['check', join(outside, 'in.yaml')])
  t.match(inner, { code: 1, out: /Nothing/ })
  t.match(await run(['check', join(outside, 'out.yaml')]), { code: 0, out: '' })
})

t.test('a pipe is read to its end, and an aborted read ends at once', async (t) => {
  const folder = t.testdir({})
  const pipe = join(folder, 'pipe')
  spawnSync('mkfifo', [pipe])
  const { signal } = new AbortController()
  const read = readText(pipe, '--routes', signal)
  await writeFile(pipe, 'a'.repeat(200_000))
  t.strictSame(await read, { file: pipe, text: 'a'.repeat(200_000) })
  const controller = new AbortController()
  const pending = readText(pipe, '--routes', controller.signal)
  setImmediate(() => controller.abort())
  await t.rejects(pending, { message: 'interrupted' })
  await t.rejects(readText(pipe, '--routes', AbortSignal.abort()), { message: 'interrupted' })
})
