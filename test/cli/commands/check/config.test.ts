/** `cognito-m2m.config.json`: what it changes, what is invalid, and its schema. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Ajv } from 'ajv'
import t from 'tap'
import { readConfig } from '../../../../src/cli/commands/check/settings.ts'
import { CHECK_CODES } from '../../../../src/contract/infra/check/finding.ts'
import { run } from '../../../support/run-cli.ts'

const SCHEMA = 'schemas/config.json'

interface Schema {
  readonly properties: {
    readonly severities: { readonly properties: Readonly<Record<string, object>> }
  }
}

const readSchema = (): Schema => JSON.parse(readFileSync(SCHEMA, 'utf8')) as Schema
const isValid = new Ajv({ strict: true, strictRequired: false }).compile(readSchema())

const COMPLETE = {
  $schema: './node_modules/cognito-m2m/schemas/config.json',
  templates: ['auth.yaml', 'infra'],
  app: 'dist/app.js',
  openapi: 'openapi.yaml',
  parameters: { Stage: 'dev' },
  proxyTtl: 1800,
  pools: [['/auth/UserPoolId', '/auth/UserPoolArn']],
  severities: { 'scope-unused': 'off', 'client-over-granted': 'error' },
  unjudged: [
    { resource: 'Client', fact: 'flows', reason: 'a macro sets them' },
    { resource: 'Other', reason: 'legacy' },
  ],
  baseline: 'cognito-m2m.baseline.json',
}

const read = (content: unknown, file = 'config.json') =>
  readConfig({ file, text: typeof content === 'string' ? content : JSON.stringify(content) })

t.test('every member is read; paths are relative to the file', async (t) => {
  const config = await read(COMPLETE, 'deploy/config.json')
  t.strictSame(config, {
    templates: ['deploy/auth.yaml', 'deploy/infra'],
    app: 'deploy/dist/app.js',
    routes: undefined,
    openapi: 'deploy/openapi.yaml',
    baseline: 'deploy/cognito-m2m.baseline.json',
    parameters: { Stage: 'dev' },
    proxyTtl: 1800,
    pools: [['/auth/UserPoolId', '/auth/UserPoolArn']],
    severities: new Map([
      ['scope-unused', 'off'],
      ['client-over-granted', 'error'],
    ]),
    exemptions: [{ resource: 'Client', fact: 'flows' }, { resource: 'Other' }],
  })
  t.ok(isValid(COMPLETE), JSON.stringify(isValid.errors))
  const empty = await read({})
  t.strictSame([empty.templates, empty.pools, empty.exemptions], [[], [], []])
  t.ok(isValid({}))
  t.match(await read({ routes: 'r.json' }), { routes: 'r.json' })
})

/** Invalid content, and the message after `config.json:`. */
const INVALID: readonly [unknown, string][] = [
  [[], '1:1: the file: expected an object, got an array. Write an object.'],
  ['null', '1:1: the file: expected an object, got null. Write an object.'],
  ['"x"', '1:1: the file: expected an object, got "x". Write an object.'],
  ['{ "templates": [] ', '1:19: expected valid JSON, got a syntax error. Correct the syntax.'],
  ['', '1:1: expected valid JSON, got a syntax error. Correct the syntax.'],
  [
    '{ "templates": [], "templates": [] }',
    '1:20: expected a unique key, got a repeated one. Remove one of the two.',
  ],
  [
    { template: 'a' },
    '1:2: template: expected one of $schema, templates, app, routes, openapi, parameters, proxyTtl, pools, severities, unjudged, baseline, got an unknown name. Rename or remove it.',
  ],
  [{ $schema: 1 }, '1:2: $schema: expected a string, got 1. Write text in quotes.'],
  [{ templates: 'a' }, '1:2: templates: expected an array, got "a". Write an array.'],
  [{ templates: [1] }, '1:15: templates[0]: expected a string, got 1. Write text in quotes.'],
  [
    { templates: ['a', ' '] },
    '1:19: templates[1]: expected a string, got " ". Write text in quotes.',
  ],
  [{ app: null }, '1:2: app: expected a string, got null. Write text in quotes.'],
  [{ app: ['a'] }, '1:2: app: expected a string, got an array. Write text in quotes.'],
  [
    { app: 'a', routes: 'b' },
    '1:12: routes: expected app or routes, got both. Remove one of them.',
  ],
  [{ openapi: {} }, '1:2: openapi: expected a string, got an object. Write text in quotes.'],
  [{ baseline: false }, '1:2: baseline: expected a string, got false. Write text in quotes.'],
  [{ parameters: ['A=b'] }, '1:2: parameters: expected an object, got an array. Write an object.'],
  [{ parameters: { A: 1 } }, '1:16: parameters.A: expected a string, got 1. Write text in quotes.'],
  [
    { proxyTtl: '5' },
    '1:2: proxyTtl: expected a number from 0 to 86400, got "5". Write a number in that range.',
  ],
  [
    { proxyTtl: -1 },
    '1:2: proxyTtl: expected a number from 0 to 86400, got -1. Write a number in that range.',
  ],
  [
    { proxyTtl: 86_401 },
    '1:2: proxyTtl: expected a number from 0 to 86400, got 86401. Write a number in that range.',
  ],
  [
    { proxyTtl: [] },
    '1:2: proxyTtl: expected a number from 0 to 86400, got an array. Write a number in that range.',
  ],
  [{ pools: {} }, '1:2: pools: expected an array, got an object. Write an array.'],
  [{ pools: ['a'] }, '1:11: pools[0]: expected an array, got "a". Write an array.'],
  [
    { pools: [['a']] },
    '1:11: pools[0]: expected at least 2 names of one pool, got 1. Add the other name.',
  ],
  [{ pools: [['a', 2]] }, '1:16: pools[0][1]: expected a string, got 2. Write text in quotes.'],
  [{ severities: [] }, '1:2: severities: expected an object, got an array. Write an object.'],
  [
    { severities: { 'scope-unused': 'none' } },
    '1:16: severities.scope-unused: expected error, warning, off, got "none". Write one of them.',
  ],
  [
    { severities: { 'scope-unused': ['off'] } },
    '1:16: severities.scope-unused: expected error, warning, off, got an array. Write one of them.',
  ],
  [
    { unjudged: [{ resource: 'A' }] },
    '1:14: unjudged[0].reason: expected a string, got none. Write text in quotes.',
  ],
  [
    { unjudged: [{ reason: 'a' }] },
    '1:14: unjudged[0].resource: expected a string, got none. Write text in quotes.',
  ],
  [
    { unjudged: [{ resource: 'A', reason: '' }] },
    '1:30: unjudged[0].reason: expected a string, got "". Write text in quotes.',
  ],
  [
    { unjudged: [{ resource: 'A', fact: 1, reason: 'a' }] },
    '1:30: unjudged[0].fact: expected a string, got 1. Write text in quotes.',
  ],
  [
    { unjudged: [{ resource: 'A', reason: 'a', line: 1 }] },
    '1:43: unjudged[0].line: expected one of resource, fact, reason, got an unknown name. Rename or remove it.',
  ],
  [{ unjudged: ['A'] }, '1:14: unjudged[0]: expected an object, got "A". Write an object.'],
]

for (const [content, message] of INVALID) {
  t.test(`invalid: ${JSON.stringify(content)}`, async (t) => {
    await t.rejects(read(content), {
      code: 'ERR_TEMPLATE_INVALID',
      message: `config.json:${message}`,
    })
    if (typeof content === 'string' && !content.endsWith('"') && content !== 'null') return
    // ajv accepts blank strings, which the pattern of the schema excludes.
    t.notOk(isValid(typeof content === 'string' ? JSON.parse(content) : content))
  })
}

t.test('the example of docs/check.md is valid', async (t) => {
  const page = readFileSync('docs/check.md', 'utf8')
  const [, example = ''] = /```json\n(\{\n {2}"\$schema".*?)```/s.exec(page) ?? []
  t.ok(isValid(JSON.parse(example)), JSON.stringify(isValid.errors))
  t.match(await read(example), { templates: ['auth.yaml', 'api.yaml'] })
})

t.test('an unknown code, and a name that a terminal would obey', async (t) => {
  await t.rejects(read({ severities: { 'scope-unusd': 'off' } }), {
    message:
      /^config\.json:1:16: severities\.scope-unusd: expected one of scope-undefined, .*, got an unknown name\. Rename or remove it\.$/,
  })
  await t.rejects(read({ 'a\u001b[31m\n': 1 }), { message: /: a\\u\{1b\}\[31m\\u\{a\}: expected / })
  await t.rejects(read({ ['x'.repeat(1000)]: 1 }), { message: /: x{60}…: expected / })
})

t.test('the schema has every code', async (t) => {
  const schema = readSchema()
  const severities = Object.fromEntries(
    CHECK_CODES.map((code) => [code, { $ref: '#/definitions/severity' }]),
  )
  if (process.env['UPDATE_DOCS'] === '1') {
    Object.assign(schema.properties.severities, { properties: severities })
    writeFileSync(SCHEMA, `${JSON.stringify(schema, null, 2)}\n`)
  }
  t.strictSame(
    schema.properties.severities.properties,
    severities,
    'UPDATE_DOCS=1 writes the codes into the schema; format it with biome',
  )
})

const TEMPLATE = `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Server:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties:
      UserPoolId: !Ref Pool
      Identifier: !Ref Identifier
      Name: a
      Scopes: [{ ScopeName: r, ScopeDescription: d }, { ScopeName: w, ScopeDescription: d }]
  Client:
    Type: AWS::Cognito::UserPoolClient
    DependsOn: Server
    Properties:
      UserPoolId: !Ref Pool
      GenerateSecret: true
      AllowedOAuthFlowsUserPoolClient: true
      AllowedOAuthFlows: [client_credentials]
      AllowedOAuthScopes: [a/r]
      ExplicitAuthFlows: [ALLOW_CLIENT_TOKEN_AUTH]
Parameters: { Identifier: { Type: String } }
`
const ROUTES = JSON.stringify({ routes: [{ method: 'GET', path: '/', auth: { scopes: ['a/x'] } }] })

t.test('the command uses it, and the command line has precedence', async (t) => {
  const folder = relative(
    '.',
    t.testdir({
      'a.yaml': TEMPLATE,
      'b.yaml': 'Resources: {}',
      'routes.json': ROUTES,
      'none.json': JSON.stringify({ routes: [] }),
      'app.mjs': 'throw new Error("runs")',
      'plain.json': JSON.stringify({ templates: ['a.yaml'], parameters: { Identifier: 'a' } }),
      'full.json': JSON.stringify({
        templates: ['a.yaml'],
        routes: 'routes.json',
        parameters: { Identifier: 'a' },
        proxyTtl: 3600,
        severities: {
          'scope-undefined': 'warning',
          'lifetime-ttl': 'off',
          'scope-unused': 'error',
        },
      }),
      'app.json': JSON.stringify({ templates: ['a.yaml'], app: 'app.mjs' }),
      'pools.json': JSON.stringify({ templates: ['b.yaml'], pools: [['/a/id', '/a/id']] }),
      'wrong.json': '{ "templates": 1 }',
    }),
  )
  const at = (name: string): string => join(folder, name)
  const check = (...args: string[]) => run(['check', ...args])
  const plain = await check('--config', at('plain.json'))
  t.match(plain, { code: 0, out: /^[^\n]*a\.yaml:9:\d+: warning scope-unused a\/w [^\n]*\n$/ })
  const full = await check('--config', at('full.json'))
  t.equal(full.code, 1)
  t.match(full.out, /: error scope-unused a\/w /)
  t.match(full.out, /: warning scope-undefined a\/x /)
  t.notMatch(full.out, 'lifetime-ttl')
  t.match(await check('--config', at('full.json'), '--routes', at('none.json')), {
    out: /^[^\n]* error scope-unused [^\n]*\n$/,
  })
  const parameter = await check('--config', at('plain.json'), '--parameter', 'Identifier=b')
  t.match(parameter, { code: 1, out: /grant-undefined/ })
  t.match(await check('--config', at('full.json'), '--proxy-ttl', '1h'), {
    code: 2,
    err: /--proxy-ttl: expected seconds/,
  })
  t.match(await check(at('b.yaml'), '--config', at('full.json')), {
    code: 0,
    out: /^(?!.*a\.yaml)/s,
  })
  t.match(await check('--config', at('app.json')), { code: 2, err: /app\.mjs/ })
  t.match(await check('--config', at('app.json'), '--no-app'), { code: 0 })
  t.match(await check('--config', at('app.json'), '--routes', at('none.json')), { code: 0 })
  t.match(await check('--config', at('pools.json')), {
    code: 2,
    err: /^cognito-m2m: pools\[0\]\[1\]: expected a name that is in one group once/,
  })
  t.match(await check('--config', at('wrong.json')), {
    code: 2,
    out: '',
    err: `cognito-m2m: ${at('wrong.json')}:1:3: templates: expected an array, got 1. Write an array.\n`,
  })
  t.match(await check('--config', at('absent.json')), {
    code: 2,
    err: /--config: expected a readable file, got ".*absent\.json" \(ENOENT\)/,
  })
  t.match(await check(), {
    code: 2,
    err: 'cognito-m2m: TEMPLATE: expected a template, got none. Pass one, or list templates in cognito-m2m.config.json.\n',
  })
})

t.test('the file in the working directory is found', async (t) => {
  const folder = t.testdir({
    'a.yaml': TEMPLATE.replace('!Ref Identifier', 'a'),
    'cognito-m2m.config.json': JSON.stringify({ templates: ['a.yaml'] }),
  })
  const before = process.cwd()
  process.chdir(folder)
  t.teardown(() => process.chdir(before))
  t.match(await run(['check']), { code: 0, out: /^a\.yaml:9:\d+: warning scope-unused / })
})
