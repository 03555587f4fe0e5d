/** `--fix`: edits, their verification, the diff, and what is never written. */
import { execFileSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import t from 'tap'
import { addHclDependsOn } from '../../../../src/cli/commands/check/fix/depends-on-hcl.ts'
import { addDependsOn } from '../../../../src/cli/commands/check/fix/depends-on-yaml.ts'
import { formatDiff } from '../../../../src/cli/commands/check/fix/diff.ts'
import { applyEdit, type Edit } from '../../../../src/cli/commands/check/fix/edit.ts'
import { fixTemplates } from '../../../../src/cli/commands/check/fix/fix.ts'
import { findCandidate, fixScope } from '../../../../src/cli/commands/check/fix/scope.ts'
import { measureDistance } from '../../../../src/cli/files/distance.ts'
import { replaceFiles } from '../../../../src/cli/files/replace.ts'
import type { Finding, InfraModel } from '../../../../src/contract/infra/index.ts'
import { checkScopes, readTemplate } from '../../../../src/contract/infra/index.ts'
import { run } from '../../../support/run-cli.ts'

const TEMPLATE = `# The pool of the orders API
Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Server:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties:
      UserPoolId: !Ref Pool
      Identifier: orders
      Name: Orders
      Scopes:
        - { ScopeName: read, ScopeDescription: d }
        - { ScopeName: write, ScopeDescription: d }
  Client:
    Type: AWS::Cognito::UserPoolClient # machine
    Properties:
      UserPoolId:   !Ref Pool
      GenerateSecret: true
      AllowedOAuthFlowsUserPoolClient: true
      AllowedOAuthFlows: [client_credentials]
      # Both scopes
      AllowedOAuthScopes: ["orders/raed", 'orders/write']   # why
      ExplicitAuthFlows: [ALLOW_CLIENT_TOKEN_AUTH]
`
const FIXED = TEMPLATE.replace('orders/raed', 'orders/read').replace(
  '# machine\n',
  '# machine\n    DependsOn: Server\n',
)

t.test('a misspelled scope and the order of deployment, as a diff that git applies', async (t) => {
  const folder = t.testdir({ 'a.yaml': TEMPLATE })
  const template = join(relative('.', folder), 'a.yaml')
  const { code, out, err } = await run(['check', template, '--fix'])
  t.equal(code, 1, 'nothing changed yet')
  t.match(
    err,
    /cognito-m2m: the diff fixes 3 findings; add --write to change the files\n2 errors, 1 warning\n/,
  )
  t.equal(readFileSync(template, 'utf8'), TEMPLATE)
  t.match(out, `--- a/${template}\n+++ b/${template}\n@@ -12,11 +12,12 @@\n`)
  t.match(out, '\n+    DependsOn: Server\n')
  execFileSync('git', ['init', '-q'], { cwd: folder })
  execFileSync('git', ['apply', `-p${template.split('/').length}`], { cwd: folder, input: out })
  t.equal(readFileSync(template, 'utf8'), FIXED)
  t.match(await run(['check', template, '--fix']), { code: 0, out: '', err: /the diff fixes 0 / })
})

t.test('a single finding', async (t) => {
  const text = TEMPLATE.replace('orders/raed', 'orders/read')
  const template = join(relative('.', t.testdir({ 'a.yaml': text })), 'a.yaml')
  const { err } = await run(['check', template, '--fix'])
  t.match(err, 'cognito-m2m: the diff fixes 1 finding; add --write to change the files\n1 error\n')
})

t.test('--write changes the file, and prints what remains', async (t) => {
  const text = TEMPLATE.replace("'orders/write'", "'orders/write', orders/delete")
  const template = join(relative('.', t.testdir({ 'a.yaml': text })), 'a.yaml')
  chmodSync(template, 0o640)
  const { code, out, err } = await run(['check', template, '--fix', '--write'])
  t.equal(code, 1)
  t.match(out, /^[^\n]*: error grant-undefined Client is granted orders\/delete[^\n]*\n$/)
  t.match(err, `cognito-m2m: fixed "${template}"\n1 error\n`)
  t.equal(
    readFileSync(template, 'utf8'),
    FIXED.replace("'orders/write'", "'orders/write', orders/delete"),
  )
  t.equal(statSync(template).mode & 0o777, 0o640)
  t.strictSame(readdirSync(join(template, '..')), ['a.yaml'], 'no temporary file is left')
})

t.test('options that exclude each other', async (t) => {
  const template = join(relative('.', t.testdir({ 'a.yaml': TEMPLATE })), 'a.yaml')
  const wrong: readonly [string[], string][] = [
    [['--write'], '--write: expected --fix too, got --write alone. Add --fix.'],
    [['--fix', '--json'], '--fix: expected the format text, got another one. Remove --format.'],
    [
      ['--fix', '--format', 'sarif'],
      '--fix: expected the format text, got another one. Remove --format.',
    ],
    [
      ['--fix', '--baseline', 'b', '--update-baseline'],
      '--fix: expected --fix or --update-baseline, got both. Pass one of them.',
    ],
  ]
  for (const [args, message] of wrong) {
    const { code, out, err } = await run(['check', template, ...args])
    t.strictSame([code, out, err], [2, '', `cognito-m2m: ${message}\n`])
  }
})

t.test('what is outside, linked or changed is not written', async (t) => {
  const folder = t.testdir({ 'a.yaml': TEMPLATE, sub: {}, repository: {} })
  const at = (name: string): string => join(relative('.', folder), name)
  symlinkSync('a.yaml', join(folder, 'link.yaml'))
  symlinkSync('.', join(folder, 'linked'))
  const linked = /which is or passes a symbolic link\. Pass the path of the file itself\.\n$/
  for (const name of ['link.yaml', 'linked/a.yaml']) {
    t.match(await run(['check', at(name), '--fix', '--write']), { code: 2, out: '', err: linked })
  }
  const before = process.cwd()
  process.chdir(join(folder, 'repository'))
  const outside = await run(['check', '../a.yaml', '--fix', '--write'])
  process.chdir(before)
  t.match(outside, {
    code: 2,
    err: /--write: expected a file inside the working directory, got "\.\.\/a\.yaml"\. Run the command in its repository\.\n$/,
  })
  t.equal(readFileSync(at('a.yaml'), 'utf8'), TEMPLATE)
  const { signal } = new AbortController()
  const replace = (file: string, text: string, options = { option: '--write', signal }): void =>
    replaceFiles([{ file, before: text, after: 'new' }], options)
  t.throws(() => replace(at('a.yaml'), `${TEMPLATE} `), {
    message: /which changed or is not UTF-8\. Run the command again\.$/,
  })
  t.throws(() => replace(at('sub'), ''), { message: linked.source.slice(0, 20) && /symbolic link/ })
  t.throws(() => replace(at('absent.yaml'), ''), {
    message: /expected a writable file, got ".*absent\.yaml" \(ENOENT\)/,
  })
  writeFileSync(at('latin1.yaml'), Buffer.from([0x61, 0xe9]))
  t.throws(() => replace(at('latin1.yaml'), 'a\ufffd'), { message: /not UTF-8/ })
  t.throws(
    () => replace(at('a.yaml'), TEMPLATE, { option: '--write', signal: AbortSignal.abort() }),
    {
      message: 'interrupted',
    },
  )
  const both = [
    { file: at('a.yaml'), before: TEMPLATE, after: 'new' },
    { file: at('latin1.yaml'), before: 'other', after: 'new' },
  ]
  t.throws(() => replaceFiles(both, { option: '--write', signal }), { message: /latin1/ })
  t.equal(readFileSync(at('a.yaml'), 'utf8'), TEMPLATE, 'neither was written')
  t.strictSame(
    readdirSync(folder).filter((name) => name.endsWith('.new')),
    [],
  )
})

t.test('a misspelling has one candidate that differs by a mistake', (t) => {
  const defined = [
    'orders/read',
    'orders/write',
    'orders/cancel-order',
    'v1/read',
    'billing/read',
    'a/b',
  ]
  const cases: readonly [string, string | undefined][] = [
    ['orders/raed', 'orders/read'],
    ['orders/rea', undefined],
    ['orders/reads', 'orders/read'],
    ['orders/wirte', 'orders/write'],
    ['orders/cancle-ordre', 'orders/cancel-order'],
    ['orders/cancle-ordres', undefined],
    ['order/read', 'orders/read'],
    ['odrers/raed', undefined],
    ['v2/read', undefined],
    ['orders/delete', undefined],
    ['orders/lead', 'orders/read'],
    ['orders/read2', undefined],
    ['a/c', undefined],
    ['raed', undefined],
    ['', undefined],
  ]
  for (const [scope, expected] of cases) t.equal(findCandidate(scope, defined), expected, scope)
  t.equal(findCandidate('orders/raed', ['orders/read', 'orders/reed']), undefined, 'a choice')
  t.equal(measureDistance('abcd', 'badc'), 2)
  t.equal(measureDistance('abc', 'abcdef'), Number.POSITIVE_INFINITY)
  t.end()
})

const MODELS = [
  {
    resourceServers: [
      { identifier: { value: 'orders' }, scopes: [{ name: { value: 'read' } }, { name: {} }, {}] },
      { id: 'S', identifier: { source: {} }, scopes: [{ name: { value: 'x' } }] },
      { id: 'T', scopes: [{ name: { value: 'x' } }] },
    ],
  },
] as unknown as readonly InfraModel[]

const reference = (name: string): string => `\${${name}}`

t.test('a scope is edited where it is written, in every notation', (t) => {
  const fix = (text: string, column = 1, value = 'orders/raed'): string | undefined => {
    const finding = { line: 2, column, value } as Finding
    const edit = fixScope(finding, `#\n${text}`, MODELS)
    return edit && applyEdit(`#\n${text}`, edit).slice(2)
  }
  const cases: readonly [string, string | undefined][] = [
    ['orders/raed', 'orders/read'],
    ['orders/raed # orders/raed', 'orders/read # orders/raed'],
    ["'orders/raed', b]", "'orders/read', b]"],
    ['"orders/raed"]', '"orders/read"]'],
    [`'${reference('Server')}/raed'`, `'${reference('Server')}/read'`],
    [
      `"${reference('aws_cognito_resource_server.s.identifier')}/raed"`,
      `"${reference('aws_cognito_resource_server.s.identifier')}/read"`,
    ],
    ['orders/raed]', 'orders/read]'],
    ['orders/raed}', undefined],
    ['!Ref Scope', undefined],
    ['var.scope', undefined],
    ['orders/raeder', undefined],
    ['', undefined],
  ]
  for (const [text, expected] of cases) t.equal(fix(text), expected, text)
  t.equal(fix('"ordres/read"', 1, 'ordres/read'), '"orders/read"')
  t.equal(fix(`"${reference('var.server')}/read"`, 1, 'ordres/read'), undefined)
  t.equal(fixScope({ line: 1, column: 1 } as Finding, 'x', MODELS), undefined)
  t.end()
})

const applyTo = async (
  text: string,
  edit: Promise<Edit | undefined>,
): Promise<string | undefined> => {
  const made = await edit
  return made && applyEdit(text, made)
}

t.test('DependsOn in YAML and JSON keeps the notation', async (t) => {
  const cases: readonly [string, string | undefined][] = [
    ['  C:\n    Type: T\n', '  C:\n    Type: T\n    DependsOn: S\n'],
    [
      '  C:\r\n    Type: T # t\r\n    A: 1\r\n',
      '  C:\r\n    Type: T # t\r\n    DependsOn: S\r\n    A: 1\r\n',
    ],
    ['  C: { Type: T, A: 1 }\n', '  C: { Type: T, DependsOn: S, A: 1 }\n'],
    ['  C:\n    DependsOn: A\n    Type: T\n', '  C:\n    DependsOn: [A, S]\n    Type: T\n'],
    ['  C:\n    DependsOn: [A, B]\n    Type: T\n', '  C:\n    DependsOn: [A, B, S]\n    Type: T\n'],
    [
      '  C:\n    DependsOn:\n      - A\n      - B # b\n    Type: T\n',
      '  C:\n    DependsOn:\n      - A\n      - B # b\n      - S\n    Type: T\n',
    ],
    [
      '  C:\n    DependsOn:\n    - A\n    Type: T',
      '  C:\n    DependsOn:\n    - A\n    - S\n    Type: T',
    ],
    ['  C:\n    DependsOn: []\n    Type: T\n', undefined],
    ['  C:\n    DependsOn: { A: 1 }\n    Type: T\n', undefined],
    ['  C:\n    A: 1\n', undefined],
    ['  C: 1\n', undefined],
    ['  D:\n    Type: T\n', undefined],
  ]
  for (const [text, expected] of cases) {
    const before = `Resources:\n${text}`
    const after = expected && `Resources:\n${expected}`
    t.equal(await applyTo(before, addDependsOn(before, 'C', 'S')), after, text)
  }
  const json: readonly [string, string][] = [
    ['{ "Type": "T" }', '{ "Type": "T", "DependsOn": "S" }'],
    [
      '{\n\t\t"Type": "T",\n\t\t"A": 1\n\t}',
      '{\n\t\t"Type": "T",\n\t\t"DependsOn": "S",\n\t\t"A": 1\n\t}',
    ],
    ['{ "Type": "T", "DependsOn": "A" }', '{ "Type": "T", "DependsOn": ["A", "S"] }'],
    ['{ "Type": "T", "DependsOn": ["A"] }', '{ "Type": "T", "DependsOn": ["A", "S"] }'],
  ]
  for (const [text, expected] of json) {
    const wrap = (resource: string): string => `{ "Resources": { "C": ${resource} } }`
    const before = wrap(text)
    t.equal(await applyTo(before, addDependsOn(before, 'C', 'S')), wrap(expected))
  }
})

t.test('depends_on in HCL keeps the notation', async (t) => {
  const cases: readonly [string, string | undefined][] = [
    ['resource "a" "b" {\n  x = 1\n}\n', 'resource "a" "b" {\n  x = 1\n  depends_on = [a.s]\n}\n'],
    [
      'resource "a" "b" {\r\n  x = 1\r\n}\r\n',
      'resource "a" "b" {\r\n  x = 1\r\n  depends_on = [a.s]\r\n}\r\n',
    ],
    [
      'resource "a" "b" {\n  depends_on = [a.c] # c\n}',
      'resource "a" "b" {\n  depends_on = [a.c, a.s] # c\n}',
    ],
    [
      'resource "a" "b" {\n  depends_on = [\n    a.c,\n  ]\n}',
      'resource "a" "b" {\n  depends_on = [\n    a.c, a.s,\n  ]\n}',
    ],
    ['resource "a" "b" {\n  depends_on = []\n}', undefined],
    ['resource "a" "b" { x = 1 }', undefined],
    ['resource "a" "b" {}', undefined],
    ['data "a" "b" {\n}\nresource "a" "c" {\n}\n', undefined],
  ]
  for (const [text, expected] of cases) {
    t.equal(await applyTo(text, addHclDependsOn(text, 'a.b', 'a.s')), expected, text)
  }
})

t.test('Terraform: a repeated client and its server', async (t) => {
  const text = `resource "aws_cognito_user_pool" "p" {
  name = "p"
}
resource "aws_cognito_resource_server" "s" {
  identifier   = "orders"
  name         = "orders"
  user_pool_id = aws_cognito_user_pool.p.id
  scope {
    scope_name        = "read"
    scope_description = "d"
  }
}
resource "aws_cognito_user_pool_client" "c" {
  for_each                             = toset(["a", "b"])
  name                                 = each.key
  user_pool_id                         = aws_cognito_user_pool.p.id
  generate_secret                      = true
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  explicit_auth_flows                  = ["ALLOW_CLIENT_TOKEN_AUTH"]
  allowed_oauth_scopes                 = ["orders/raed"]
}
`
  const template = join(relative('.', t.testdir({ 'main.tf': text })), 'main.tf')
  t.match(await run(['check', template, '--fix', '--write']), { code: 0, out: '' })
  t.equal(
    readFileSync(template, 'utf8'),
    text
      .replace('raed', 'read')
      .replace(
        '["orders/read"]\n',
        '["orders/read"]\n  depends_on = [aws_cognito_resource_server.s]\n',
      ),
  )
})

t.test('an edit that does not help is dropped', async (t) => {
  const check = async (text: string) => {
    const models = [await readTemplate({ file: 'a.yaml', text })]
    return { models, findings: checkScopes(models) }
  }
  const checked = await check(TEMPLATE)
  const readFile = (): string => TEMPLATE
  const unchanged = { files: [], ...checked }
  const fails = () => Promise.reject(new Error('not read'))
  t.strictSame(await fixTemplates(checked, { readFile, check: fails }), unchanged)
  const same = async () => checked
  t.strictSame(await fixTemplates(checked, { readFile, check: same }), unchanged)
  const [finding] = checked.findings as [Finding]
  const worse = async () => ({ ...checked, findings: [{ ...finding, value: 'other' }] })
  t.strictSame(await fixTemplates(checked, { readFile, check: worse }), unchanged)
  const unreadable = { readFile: () => undefined, check: same }
  t.strictSame(await fixTemplates(checked, unreadable), unchanged)
  const none = async () => ({ ...checked, findings: [] })
  const { files } = await fixTemplates(checked, { readFile, check: none })
  t.equal(files.length, 1, 'a finding that an earlier fix removed is not fixed again')
})

t.test('a diff has hunks with three lines of context, and escapes what a terminal obeys', (t) => {
  const lines = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`)
  const before = `${lines(30).join('\n')}\n`
  const after = before
    .replace('\n2\n', '\ntwo\n')
    .replace('\n25\n', '\n25\nnew\n')
    .replace('\n10\n', '\n')
  t.equal(
    formatDiff('a b.yaml', before, after),
    [
      '--- a/a b.yaml\n+++ b/a b.yaml\n@@ -1,6 +1,6 @@\n 0\n 1\n-2\n+two\n 3\n 4\n 5\n',
      '@@ -8,7 +8,6 @@\n 7\n 8\n 9\n-10\n 11\n 12\n 13\n',
      '@@ -24,6 +23,7 @@\n 23\n 24\n 25\n+new\n 26\n 27\n 28\n',
    ].join(''),
  )
  t.equal(
    formatDiff('a', '1\n2\n3\n4', '1\nx\n3\ny'),
    '--- a/a\n+++ b/a\n@@ -1,4 +1,4 @@\n 1\n-2\n+x\n 3\n-4\n\\ No newline at end of file\n+y\n\\ No newline at end of file\n',
  )
  t.equal(formatDiff('a', '1\r\n', '2\r\n'), '--- a/a\n+++ b/a\n@@ -1,1 +1,1 @@\n-1\r\n+2\r\n')
  t.match(formatDiff('a', '', 'x\t\u001b[31m\n'), '\n+x\t\\u{1b}[31m\n')
  t.equal(formatDiff('a', 'x\n', ''), '--- a/a\n+++ b/a\n@@ -1,1 +1,0 @@\n-x\n')
  t.end()
})
