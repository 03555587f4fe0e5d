import { join, relative } from 'node:path'
import t from 'tap'
import { createStyle, formatFinding } from '../../../src/cli/terminal/format.ts'
import { isPlain, run } from '../../support/run-cli.ts'

// Modules run in child processes with the loaders of this one.
t.jobs = 3

const SOURCE = new URL('../../../src/', import.meta.url).href

type Files = Record<string, string | Record<string, string>>

interface Test {
  testdir(files: Files): string
}

const template = (scopes: readonly string[], granted: readonly string[]): string => `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Server:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties:
      UserPoolId: !Ref Pool
      Identifier: orders
      Name: Orders
      Scopes: [${scopes.map((name) => `{ ScopeName: ${name}, ScopeDescription: d }`).join(', ')}]
  Client:
    Type: AWS::Cognito::UserPoolClient
    DependsOn: Server
    Properties:
      UserPoolId: !Ref Pool
      GenerateSecret: true
      AllowedOAuthFlowsUserPoolClient: true
      AllowedOAuthFlows: [client_credentials]
      AllowedOAuthScopes: [${granted.join(', ')}]
  Domain: { Type: AWS::Cognito::UserPoolDomain, Properties: { UserPoolId: !Ref Pool, Domain: orders } }
`
const CLEAN = template(['read'], ['orders/read'])
const ROUTES = (scope: string, at?: object) =>
  JSON.stringify({ routes: [{ method: 'GET', path: '/orders', auth: { scopes: [scope] }, at }] })

/** Creates files of a test. Returns their paths, relative to the working directory. */
function files(test: Test, given: Files) {
  const folder = relative('.', test.testdir(given))
  return (name: string) => join(folder, name)
}

t.test('nothing found: no line, exit 0', async (t) => {
  const at = files(t, { 'template.yaml': CLEAN })
  const { err, ...ran } = await run(['check', at('template.yaml')])
  t.strictSame(ran, { code: 0, out: '' })
  t.match(err, /^no findings\nread 1 file; evaluated 1 of 1 clients, [^\n]+\n$/)
})

t.test('each finding is a line with its fix, and errors end with 1', async (t) => {
  const at = files(t, {
    'template.yaml': template(['read', 'write'], ['orders/read']),
    'routes.json': ROUTES('orders/echo', { file: 'src/app.js', line: 7, column: 3 }),
  })
  const args = ['check', at('template.yaml'), '--routes', at('routes.json')]
  const { code, out, err } = await run(args)
  t.equal(code, 1)
  t.match(out, /^src\/app\.js:7:3: error scope-undefined orders\/echo is required .*; fix: .+\n/m)
  t.ok(out.includes(`${at('template.yaml')}:9:`), out)
  t.match(out, /: warning scope-unused /)
  for (const line of out.trimEnd().split('\n')) {
    t.match(line, /^[^:]+:\d+:\d+: (?:error|warning) [a-z-]+ [^\n]+; fix: [^\n]+$/)
  }
  t.match(err, /^1 error, \d warnings?\nread 1 file; /)
})

const UNPROTECTED = `import Fastify from 'fastify'
import { cognitoAuth } from '${SOURCE}adapters/fastify/index.ts'
export const app = Fastify()
app.register(async (plugin) => {
  await plugin.register(cognitoAuth, { userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null, allowNoRoutes: true })
})
app.register(async (orders) => {
  orders.get('/orders', { config: { auth: { scopes: 'orders/read' } } }, async () => [])
})
`

t.test(
  '--app: a route that asks for a guard and has none is an error, export refuses',
  async (t) => {
    const at = files(t, { 'template.yaml': CLEAN, 'app.mjs': UNPROTECTED })
    const checked = await run(['check', at('template.yaml'), '--app', at('app.mjs')])
    t.equal(checked.code, 1)
    t.ok(
      checked.out.startsWith(
        `${at('app.mjs')}:8:10: error route-unprotected GET /orders declares config.auth, and no registration of cognitoAuth reaches it; fix: wrap `,
      ),
      checked.out,
    )
    const exported = await run(['export', at('app.mjs')])
    t.strictSame([exported.code, exported.out], [2, ''])
    t.match(
      exported.err,
      /GET \/orders \(.+app\.mjs:8\): expected a cognitoAuth registration for config\.auth, got none\. Wrap the plugin that registers cognitoAuth in fastify-plugin\. Nothing was written\.\n$/,
    )
  },
)

t.test('warnings alone end with 0; as JSON on one line', async (t) => {
  const at = files(t, { 'template.yaml': template(['read', 'write'], ['orders/read']) })
  const { code, out, err } = await run(['check', at('template.yaml'), '--json'])
  t.strictSame([code, err], [0, ''])
  t.match(out, /^\{"findings":\[\{[^\n]+\n$/)
  const { findings, ...counts } = JSON.parse(out) as { findings: object[] }
  t.match(counts, { errors: 0, warnings: 1, known: 0, coverage: { clients: { total: 1 } } })
  t.match(findings, [
    {
      file: at('template.yaml'),
      line: 9,
      severity: 'warning',
      code: 'scope-unused',
      resource: 'Server',
      value: 'orders/write',
    },
  ])
  t.strictSame(Object.keys(findings[0] as object), [
    ...['file', 'line', 'column', 'severity', 'code', 'resource', 'value', 'message', 'fix'],
  ])
  const same = await run(['check', at('template.yaml'), '--format', 'json'])
  t.equal(same.out, out)
  const { err: summary } = await run(['check', at('template.yaml')])
  t.match(summary, /^1 warning\nread 1 file; /)
})

t.test('several templates are one deployment, a folder of .tf files is one module', async (t) => {
  const pool = `resource "aws_cognito_user_pool" "p" { name = "p" }\n`
  const server = `resource "aws_cognito_resource_server" "s" {
  identifier = "orders"
  name = "orders"
  user_pool_id = aws_cognito_user_pool.p.id
  scope {
    scope_name = var.scope
    scope_description = "d"
  }
}
variable "scope" {}
variable "other" {}
`
  const at = files(t, {
    'a.yaml': CLEAN,
    'b.yaml': template(['write'], ['orders/write']).replace('Identifier: orders', 'Identifier: b'),
    infra: { 'b.tf': server, 'a.tf': pool, 'README.md': '' },
  })
  t.match(await run(['check', at('a.yaml'), at('a.yaml')]), { code: 0, out: '' })
  const both = await run(['check', at('a.yaml'), at('b.yaml')])
  t.match(both, { code: 1, out: /error grant-undefined/ })
  for (const names of [['infra'], ['infra', 'infra/a.tf'], ['infra/a.tf', 'infra/b.tf']]) {
    const ran = await run(['check', ...names.map(at)])
    t.match(ran, { code: 0, out: '', err: /^nothing was evaluated\nread 2 files; / })
  }
  const alone = await run(['check', at('infra/b.tf')])
  t.match(alone, { code: 1, out: /infra\/b\.tf:4:\d+: error reference-missing/ })
  const parameters = ['--parameter', 'scope=a/b', '--parameter', 'other=']
  const wrong = await run(['check', at('infra'), ...parameters])
  t.match(wrong, { code: 1, out: /infra\/b\.tf:6:\d+: error cognito-limit/ })
})

t.test('a document is compared, and how long a proxy keeps tokens', async (t) => {
  const scheme = {
    type: 'oauth2',
    flows: { clientCredentials: { tokenUrl: 'https://a.example/', scopes: {} } },
  }
  const document = {
    openapi: '3.1.0',
    info: { title: 'a', version: '1' },
    components: { securitySchemes: { cognito: scheme } },
    paths: { '/orders': { get: { security: [{ cognito: ['orders/echo'] }] } } },
  }
  const at = files(t, { 'a.yaml': CLEAN, 'openapi.json': JSON.stringify(document) })
  const openapi = await run(['check', at('a.yaml'), '--openapi', at('openapi.json')])
  t.match(openapi, { code: 1, out: /openapi\.json:1:\d+: error scope-undefined orders\/echo/ })
  const ttl = await run(['check', at('a.yaml'), '--proxy-ttl', '3600'])
  t.match(ttl, { code: 1, out: /error lifetime-ttl/ })
})

t.test('what cannot be read: one line, exit 2, nothing on standard output', async (t) => {
  const at = files(t, {
    'a.yaml': CLEAN,
    'wrong.yaml': 'Resources:\n  A: [',
    'circle.yaml': 'Resources: &a\n  A: *a\n',
    'big.yaml': `# ${'x'.repeat(10_000_000)}`,
    'huge.yaml': 'x'.repeat(20_000_001),
    'routes.json': '{ "routes": [{ "method": 1 }] }',
    empty: {},
  })
  const wrong: readonly [string[], RegExp][] = [
    [
      [],
      /TEMPLATE: expected a template, got none\. Pass one, or list templates in cognito-m2m\.config\.json\.$/,
    ],
    [[at('wrong.yaml')], /wrong\.yaml:2:\d+: /],
    [[at('circle.yaml')], /circle\.yaml:\d+:\d+: /],
    [[at('big.yaml')], /big\.yaml:1:1: expected at most 1048576 characters, got 10000002\./],
    [
      [at('huge.yaml')],
      /TEMPLATE: expected a readable file, got ".*huge\.yaml" \(more than 20000000 bytes\)\. Correct the path or the file\.$/,
    ],
    [
      [at('absent.yaml')],
      /TEMPLATE: expected an existing file, got ".*absent\.yaml"\. Correct the path\.$/,
    ],
    [[at('a.yaml/b')], /TEMPLATE: expected an existing file, got ".*b"\. Correct the path\.$/],
    [
      [at('empty')],
      /TEMPLATE: expected a folder with templates, got ".*empty"\. Name the templates, or the folder of a Terraform module\.$/,
    ],
    [
      [at('a.yaml'), '--routes', at('absent')],
      /--routes: expected a readable file, got ".*absent" \(ENOENT\)\. Correct the path or the file\.$/,
    ],
    [
      [at('a.yaml'), '--routes', at('empty')],
      /--routes: expected a readable file, got ".*empty" \(EISDIR\)\. Correct the path or the file\.$/,
    ],
    [[at('a.yaml'), '--routes', at('routes.json')], /routes\.json:1:\d+: /],
    [
      [at('a.yaml'), '--openapi', at('a.yaml')],
      /a\.yaml:1:1: expected an OpenAPI document of version 3\.0 or 3\.1, got/,
    ],
    [
      [at('a.yaml'), '--routes', 'r', '--app', 'a.js'],
      /--routes: expected --routes or --app, got both\. Pass one of them\.$/,
    ],
    [
      [at('a.yaml'), '--app', 'absent.js'],
      /--app: expected an existing file, got "absent\.js"\. Correct the path\.$/,
    ],
    [
      [at('a.yaml'), '--format', 'xml'],
      /--format: expected text, json, sarif, github, junit, got "xml"\. Pass one of them\.$/,
    ],
    [
      [at('a.yaml'), '--proxy-ttl', '1h'],
      /--proxy-ttl: expected seconds above 0 and up to 86400, got "1h"\. Pass a number in that range\.$/,
    ],
    [
      [at('a.yaml'), '--timeout', '0'],
      /--timeout: expected seconds above 0 and up to 600, got "0"\. Pass a number in that range\.$/,
    ],
    [
      [at('a.yaml'), '--parameter', 's3cret'],
      /--parameter: expected NAME=VALUE, got text without a name\. Add the name\.$/,
    ],
  ]
  for (const [args, message] of wrong) {
    const { code, out, err } = await run(['check', ...args])
    t.strictSame([code, out], [2, ''], String(message))
    const [last = ''] = err.trimEnd().split('\n').slice(-1)
    t.match(last, /^cognito-m2m: /)
    t.match(last, message)
    t.notMatch(err, 's3cret')
  }
})

t.test('colours, and hostile names, in a finding', (t) => {
  const finding = {
    file: 'a\u001b[2J.yaml',
    line: 1,
    column: 2,
    severity: 'warning' as const,
    code: 'scope-unused' as const,
    resource: 'Orders',
    message: 'a\u202eb',
    fix: 'c\u0007',
  }
  const text = formatFinding(finding, createStyle({ colors: false }))
  t.equal(text, 'a\\u{1b}[2J.yaml:1:2: warning scope-unused a\\u{202e}b; fix: c\\u{7}\n')
  t.ok(isPlain(text))
  const shown = formatFinding({ ...finding, severity: 'error' }, createStyle({ colors: true }))
  t.ok(shown.includes('\u001b[31merror\u001b[39m'))
  t.end()
})

const POOL = JSON.stringify({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null })

const FASTIFY = `import Fastify from 'fastify'
import { cognitoAuth } from '${SOURCE}adapters/fastify/index.ts'
const app = Fastify()
await app.register(cognitoAuth, ${POOL})
app.get('/orders', { config: { auth: { scopes: 'orders/read' } } }, async () => [])
app.post('/orders', { config: { auth: { scopes: 'orders/echo' } } }, async () => [])
export default app
`
const EXPRESS = (name: string) => `import express from '${name}'
import { cognitoAuth } from '${SOURCE}adapters/express/index.ts'
const auth = cognitoAuth(${POOL})
export const app = express()
app.get('/orders', auth({ scopes: 'orders/read' }), (req, res) => res.json([]))
app.post('/orders', auth({ scopes: 'orders/echo' }), (req, res) => res.json([]))
`

for (const [name, text] of [
  ['Fastify', FASTIFY],
  ['Express 4', EXPRESS('express4')],
  ['Express 5', EXPRESS('express')],
] as const) {
  t.test(
    `${name}: the same is found in the running app and in what it was exported to`,
    async (t) => {
      const at = files(t, { 'template.yaml': CLEAN, 'app.js': text })
      const args = ['--app', at('app.js'), '--timeout', '500']
      const direct = await run(['check', at('template.yaml'), ...args])
      t.match(direct.out, new RegExp(`^${at('app.js')}:6:5: error scope-undefined orders/echo `))
      t.match(direct, {
        code: 1,
        err: `cognito-m2m: running ${at('app.js')} in a child process, for at most 500 s\n1 error\n`,
      })
      const exported = await run([
        'export',
        at('app.js'),
        '--out',
        at('routes.json'),
        '--timeout',
        '500',
      ])
      t.match(exported, { code: 0, out: '', err: `cognito-m2m: wrote ${at('routes.json')}\n` })
      const later = await run(['check', at('template.yaml'), '--routes', at('routes.json')])
      t.match(later, { code: 1, err: /^1 error\nread 1 file; / })
      t.equal(later.out, direct.out)
    },
  )
}
