import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { runProgram } from '../../../src/cli/program.ts'
import type { LocalUserPool } from '../../../src/testing/index.ts'
import { ask, decode, FORM } from '../../support/http.ts'
import { fixture } from '../../support/templates.ts'
import { testTerminal } from '../../support/terminal.ts'

interface Test {
  testdir(): string
  teardown(handler: () => unknown): void
}

interface Summary {
  readonly clients: readonly {
    readonly clientId: string
    readonly clientSecret?: string
    readonly scopes: readonly string[]
    readonly resource: string
    readonly at: string
  }[]
}

const HEAD = `
Parameters:
  Stage: { Type: String }
Conditions:
  IsTest: !Equals [!Ref Stage, test]
Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Orders:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties:
      UserPoolId: !Ref Pool
      Identifier: !Sub 'https://\${Stage}.example.com/orders'
      Name: Orders
      Scopes:
        - { ScopeName: read, ScopeDescription: Read orders }
        - { ScopeName: write, ScopeDescription: Change orders }
`

/** A client of the pool above, from its properties. */
const client = (id: string, properties: string, more = ''): string => `  ${id}:
    Type: AWS::Cognito::UserPoolClient
${more}    Properties: { UserPoolId: !Ref Pool, ${properties} }
`

const MACHINE =
  'GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [client_credentials]'
const READS = `AllowedOAuthScopes: [!Sub '\${Orders}/read']`

/** Runs `local` with files in a separate folder. `@` in arguments and output is that folder. */
async function run(t: Test, files: Record<string, string>, ...args: string[]) {
  const folder = t.testdir()
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  const pools: LocalUserPool[] = []
  t.teardown(() => Promise.all(pools.map((pool) => pool.close())))
  const terminal = testTerminal()
  const named = args.map((arg) => arg.replace('@', `${folder}/`))
  const code = await runProgram(['local', '--port', '0', ...named], terminal, (pool) =>
    pools.push(pool),
  )
  const { out, err } = terminal.written()
  const short = (text: string): string => text.replaceAll(`${folder}/`, '@')
  return { code, pools, pool: pools[0] as LocalUserPool, out: short(out), err: short(err) }
}

const clientsOf = (out: string): Summary['clients'] => (JSON.parse(out) as Summary).clients

function token(pool: LocalUserPool, clientId: string, secret?: string, scope?: string) {
  const form = { grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) }
  const sent = secret === undefined ? { ...form, client_id: clientId } : form
  const authorization = `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`
  return ask(pool.port, {
    method: 'POST',
    path: '/oauth2/token',
    headers: { 'content-type': FORM, ...(secret === undefined ? {} : { authorization }) },
    body: new URLSearchParams(sent).toString(),
  })
}

/** Requests each scope, and none. Returns the granted scopes and the lifetime in seconds, or the error. */
async function answers(
  pool: LocalUserPool,
  { clientId, clientSecret }: Summary['clients'][number],
) {
  const all = await token(pool, clientId, clientSecret)
  if (all.status !== 200) return all.json['error']
  const granted = String(decode(all.json['access_token'] as string, 1)['scope']).split(' ')
  for (const scope of ['orders/read', 'orders/write', 'orders/raed', 'orders/a', ...granted]) {
    const one = await token(pool, clientId, clientSecret, scope)
    const expected = granted.includes(scope) ? [200, undefined] : [400, 'invalid_scope']
    if (one.status !== expected[0] || one.json['error'] !== expected[1])
      return `${scope}: ${one.text}`
  }
  return [...granted, all.json['expires_in']]
}

async function listAnswers(ran: { readonly out: string; readonly pool: LocalUserPool }) {
  const rows = clientsOf(ran.out).map(async (it) => [
    ...[it.clientId, `${it.at} ${it.resource}`],
    await answers(ran.pool, it),
  ])
  return Promise.all(rows)
}

t.test(
  'CloudFormation: its client, its scopes, its lifetime; unknown values are reported',
  async (t) => {
    const { text } = fixture('orders.yaml')
    const ran = await run(t, { 'auth.yaml': text }, '--template', '@auth.yaml', '--json')
    t.equal(ran.code, 0)
    t.equal(
      ran.err,
      'cognito-m2m: @auth.yaml:39:24: skipped: a scope of Client is unknown; write the value in the template\n',
    )
    t.strictSame(await listAnswers(ran), [
      ['billing', '@auth.yaml:26:3 Client', ['orders/read', 'orders/write', 900]],
    ])
  },
)

t.test('a SAM pair: one pool out of both, parameters given', async (t) => {
  const auth = `Transform: AWS::Serverless-2016-10-31${HEAD}${client('Reader', `${MACHINE}, ${READS}, ClientName: reader`)}
  Published: { Type: AWS::SSM::Parameter, Properties: { Name: /orders/pool-id, Type: String, Value: !Ref Pool } }
`
  const api = `Transform: AWS::Serverless-2016-10-31
Parameters:
  PoolId: { Type: 'AWS::SSM::Parameter::Value<String>', Default: /orders/pool-id }
Resources:
  Reader:
    Type: AWS::Cognito::UserPoolClient
    Properties:
      UserPoolId: !Ref PoolId
      ClientName: reader
      GenerateSecret: true
      AllowedOAuthFlowsUserPoolClient: true
      AllowedOAuthFlows: [client_credentials]
      AllowedOAuthScopes: ['https://test.example.com/orders/write']
      AccessTokenValidity: 2
`
  const files = { 'auth.yaml': auth, 'api.yaml': api }
  const flags = ['-t', '@auth.yaml', '@api.yaml', '--parameter', 'Stage=test', '--json']
  const ran = await run(t, files, ...flags)
  t.strictSame([ran.code, ran.err], [0, ''])
  t.strictSame(await listAnswers(ran), [
    ['reader', '@auth.yaml:17:3 Reader', ['https://test.example.com/orders/read', 3600]],
    ['reader-2', '@api.yaml:5:3 Reader', ['https://test.example.com/orders/write', 7200]],
  ])
  const open = await run(t, files, '-t', '@auth.yaml', '-t', '@api.yaml', '--json')
  t.strictSame([open.code, open.out, open.pools.length], [2, '', 0])
  t.equal(
    open.err,
    [
      'cognito-m2m: @auth.yaml:12:24: skipped: the identifier of Orders is unknown; pass --parameter Stage=VALUE',
      'cognito-m2m: @auth.yaml:19:170: skipped: a scope of Reader is unknown; pass --parameter Stage=VALUE',
      'cognito-m2m: @auth.yaml:19:164: skipped: no scope of Reader is certain, and a token without scope is of no use; pass --parameter Stage=VALUE',
      'cognito-m2m: @api.yaml:13:28: skipped: Reader is granted https://test.example.com/orders/write, which may be undefined in this user pool; pass --parameter Stage=VALUE',
      'cognito-m2m: @api.yaml:13:27: skipped: no scope of Reader is certain, and a token without scope is of no use; pass --parameter Stage=VALUE',
      'cognito-m2m: --parameter: expected values of Stage, which the clients depend on, got none. Pass --parameter Stage=VALUE.',
      '',
    ].join('\n'),
  )
})

t.test('pseudo parameters have values, which --parameter overrides', async (t) => {
  const text = HEAD.replace(`\${Stage}`, `\${AWS::StackName}-\${AWS::Region}-\${AWS::AccountId}`)
  const files = { 'a.yaml': `${text}${client('Reader', `${MACHINE}, ${READS}`)}` }
  const scopesOf = async (...more: string[]) => {
    const ran = await run(t, files, '-t', '@a.yaml', '--json', ...more)
    t.strictSame([ran.code, ran.err], [0, ''])
    return clientsOf(ran.out).map(({ scopes }) => scopes)
  }
  t.strictSame(await scopesOf(), [['https://local-us-east-1-123456789012.example.com/orders/read']])
  t.strictSame(await scopesOf('--parameter', 'AWS::Region=eu-west-1', 'AWS::StackName=orders'), [
    ['https://orders-eu-west-1-123456789012.example.com/orders/read'],
  ])
})

t.test('Terraform: a folder is one module', async (t) => {
  const [head = '', tail = ''] = fixture('orders.tf').text.split(/^(?=# Every scope)/m)
  const files = { 'infra/main.tf': head, 'infra/clients.tf': tail, 'infra/notes.txt': '' }
  const ran = await run(t, files, '--template', '@infra', '--json')
  t.equal(ran.code, 0)
  t.equal(
    ran.err,
    'cognito-m2m: @infra/clients.tf:15:1: skipped: a condition, count or loop decides whether aws_cognito_user_pool_client.one is deployed; make it unconditional to include it\n',
  )
  t.strictSame(await listAnswers(ran), [
    [
      ...['billing', '@infra/clients.tf:2:1 aws_cognito_user_pool_client.all'],
      ['orders/read', 'orders/write', 900],
    ],
  ])
})

t.test('clients that cannot get a token, each with the error of Cognito', async (t) => {
  const text = `${HEAD}${[
    client(
      'Web',
      'GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [code], AllowedOAuthScopes: [openid]',
    ),
    client(
      'Spa',
      'AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [code], AllowedOAuthScopes: [openid]',
    ),
    client('Login', 'ClientName: "Log in!"'),
    client('Off', `GenerateSecret: true, AllowedOAuthFlows: [client_credentials], ${READS}`),
  ].join('')}`
  const flags = ['-t', '@a.yaml', '--parameter', 'Stage=test']
  const ran = await run(t, { 'a.yaml': text }, ...flags, '--json')
  t.equal(ran.code, 0)
  t.match(ran.err, /^@a\.yaml:26:3: error oauth-off Off has OAuth off: [^\n]+\n$/)
  t.strictSame(
    (await listAnswers(ran)).map(([id, , answer]) => [id, answer]),
    [
      ['Web', 'unauthorized_client'],
      ['Spa', 'unauthorized_client'],
      ['Log-in', 'invalid_grant'],
      ['Off', 'invalid_grant'],
    ],
  )
  t.strictSame(
    clientsOf(ran.out).map(({ clientSecret }) => typeof clientSecret),
    ['string', 'undefined', 'undefined', 'string'],
  )
  t.equal((await token(ran.pool, 'Spa', 'guessed')).json['error'], 'invalid_client')
  const said = await run(t, { 'a.yaml': text }, ...flags)
  t.match(said.out, /^ {2}Spa {2}\(no secret\) {2}openid {2}\(cannot get a token\)$/m)
  t.match(said.out, /^ {2}Log-in {2}@a\.yaml:23:3 {2}Login$/m)
  t.match(
    said.out,
    /^ {2}No client can get a token: none has OAuth enabled with the flow client_credentials\.$/m,
  )
  t.notMatch(said.out, 'curl')
})

t.test('GetClientToken: only a client with ALLOW_CLIENT_TOKEN_AUTH gets a token', async (t) => {
  const flow = 'ExplicitAuthFlows: [ALLOW_CLIENT_TOKEN_AUTH]'
  const text = `${HEAD}${client('Plain', `${MACHINE}, ${READS}`)}${client('Token', `${MACHINE}, ${READS}, ${flow}`)}`
  const { pool, out } = await run(
    t,
    { 'a.yaml': text },
    ...['-t', '@a.yaml', '--parameter', 'Stage=x', '--json'],
  )
  const request = async (id: string) => {
    const { clientSecret } = clientsOf(out).find(({ clientId }) => clientId === id) ?? {}
    return ask(pool.port, {
      method: 'POST',
      path: '/',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AWSCognitoIdentityProviderService.GetClientToken',
      },
      body: JSON.stringify({ ClientId: id, Secret: clientSecret }),
    })
  }
  t.equal((await request('Token')).status, 200)
  const rejected = await request('Plain')
  t.equal(rejected.status, 400)
  t.match(rejected.json, {
    __type: 'InvalidParameterException',
    message: 'ALLOW_CLIENT_TOKEN_AUTH flow not enabled for this client',
  })
})

t.test('--var and --var-file set the variables of a Terraform module', async (t) => {
  const module = `variable "stage" {}
variable "name" { default = "reader" }
resource "aws_cognito_user_pool" "p" {}
resource "aws_cognito_resource_server" "s" {
  user_pool_id = aws_cognito_user_pool.p.id
  identifier   = "\${var.stage}-orders"
  name         = "Orders"
  scope {
    scope_name        = "read"
    scope_description = "Read orders"
  }
}
resource "aws_cognito_user_pool_client" "c" {
  name                                 = var.name
  user_pool_id                         = aws_cognito_user_pool.p.id
  generate_secret                      = true
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_scopes                 = aws_cognito_resource_server.s.scope_identifiers
}
`
  const files = {
    'infra/main.tf': module,
    'prod.tfvars': 'stage = "prod"\nnam = "billing"\n',
  }
  const serve = async (...args: string[]) => {
    const ran = await run(t, files, '-t', '@infra', '--json', ...args)
    t.equal(ran.code, 0, ran.err)
    return [ran.err, ...clientsOf(ran.out).map(({ clientId, scopes }) => [clientId, ...scopes])]
  }
  t.strictSame(await serve('--var', 'stage=test', '--var', 'name=billing'), [
    '',
    ['billing', 'test-orders/read'],
  ])
  t.strictSame(await serve('--var-file', '@prod.tfvars'), [
    'cognito-m2m: warning: @prod.tfvars: expected a variable that a Terraform module declares, got "nam". Write "name", or remove the value.\n',
    ['reader', 'prod-orders/read'],
  ])
  const unknown = await run(t, files, '-t', '@infra', '--var', 'stge=test')
  t.strictSame([unknown.code, unknown.out, unknown.pools.length], [2, '', 0])
  t.equal(
    unknown.err,
    'cognito-m2m: --var: expected a variable that a Terraform module declares, got "stge". Write "stage", or remove the option.\n',
  )
})

t.test('the text lists each client with its position in the template', async (t) => {
  const text = `${HEAD}${client('Web', '')}${client('Reader', `${MACHINE}, ${READS}`)}`
  const ran = await run(t, { 'a.yaml': text }, '-t', '@a.yaml', '--parameter', 'Stage=a=b')
  t.match(ran.out, /^ {2}client, template, resource\n {2}Web {2}@a\.yaml:17:3 {2}Web\n {2}Reader /m)
  t.match(ran.out, /curl -s -u 'Reader:/)
  t.strictSame(ran.pool.clients[1]?.scopes, ['https://a=b.example.com/orders/read'])
})

t.test(
  '--secrets: one or two secrets per client, the same at each start, and never shown',
  async (t) => {
    const text = `${HEAD}${client('Reader', `${MACHINE}, ${READS}`)}${client('Spa', '')}`
    const with_ = (secrets: string) =>
      run(
        t,
        { 'a.yaml': text, 's.json': secrets },
        '-t',
        '@a.yaml',
        '--parameter',
        'Stage=x',
        '--secrets',
        '@s.json',
      )
    const { pool } = await with_('{ "Reader": "hunter2" }')
    t.equal((await token(pool, 'Reader', 'hunter2')).status, 200)
    const both = await with_('{ "Reader": ["hunter2", "hunter3"] }')
    t.equal((await token(both.pool, 'Reader', 'hunter3')).status, 200)
    for (const [secrets, message] of [
      [
        '{ "Spa": "hunter2" }',
        /s\.json: expected the id of a client with a secret, one of \[Reader\], got "Spa"\. Correct the client id\.$/m,
      ],
      [
        '{ "Nobody": "hunter2" }',
        /s\.json: expected the id of a client with a secret, one of \[Reader\], got "Nobody"\. Correct the client id\.$/m,
      ],
      [
        '["hunter2"]',
        /s\.json: expected a JSON object, got another value\. Write \{ "client id": "secret" \}\.$/m,
      ],
      [
        '{ "Reader": "hunter2',
        /s\.json:1:21: expected JSON, got a syntax error\. Correct the file\.$/m,
      ],
      [
        '{ "Reader": ["hunter2", "hunter2"] }',
        /clients\[0\]\.clientSecrets: expected at most two different strings of 1 to 128 characters without control characters, got another value\. Change the secrets\.$/m,
      ],
      [
        '{ "Reader": null }',
        /clients\[0\]\.clientSecrets: expected at most two different strings of 1 to 128 characters without control characters, got another value\. Change the secrets\.$/m,
      ],
    ] as const) {
      const { code, out, err, pools } = await with_(secrets)
      t.strictSame([code, out, pools.length], [2, '', 0])
      t.match(err, message)
      t.notMatch(err, 'hunter2')
    }
  },
)

t.test('several pools: each by its id', async (t) => {
  const other = `  Staff: { Type: AWS::Cognito::UserPool }
  Clerk:
    Type: AWS::Cognito::UserPoolClient
    Properties: { UserPoolId: !Ref Staff, ${MACHINE}, AllowedOAuthScopes: ['stock/count'] }
  Stock:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties: { UserPoolId: !Ref Staff, Identifier: stock, Scopes: [{ ScopeName: count, ScopeDescription: Count }] }
  Stray:
    Type: AWS::Cognito::UserPoolClient
    Properties: { UserPoolId: !ImportValue elsewhere, ${MACHINE}, AllowedOAuthScopes: ['stock/count'] }
  Lost: { Type: AWS::Cognito::UserPoolClient }
`
  const files = { 'a.yaml': `${HEAD}${client('Reader', `${MACHINE}, ${READS}`)}${other}` }
  const flags = ['-t', '@a.yaml', '--parameter', 'Stage=x', '--json']
  const withoutPool = await run(t, files, ...flags)
  t.strictSame([withoutPool.code, withoutPool.out], [2, ''])
  t.match(
    withoutPool.err,
    /cognito-m2m: --pool: expected one of Pool \(@a\.yaml:7:3\), Staff \(@a\.yaml:20:3\), got no value\. Choose one of the user pools\.\n$/,
  )
  const { err } = await run(t, files, ...flags, '--pool', 'Stuff')
  t.match(err, /--pool: expected one of Pool .*, got "Stuff"\./)
  for (const [id, clientId] of [
    ['Pool', 'Reader'],
    ['Staff', 'Clerk'],
  ] as const) {
    const ran = await run(t, files, ...flags, '--pool', id)
    t.strictSame(
      clientsOf(ran.out).map((it) => it.clientId),
      [clientId],
    )
    t.match(
      ran.err,
      /^cognito-m2m: @a\.yaml:29:\d+: skipped: Stray may belong to another user pool; /m,
    )
    t.match(
      ran.err,
      /^cognito-m2m: @a\.yaml:30:3: skipped: Lost may belong to another user pool; /m,
    )
  }
})

const refused: readonly [string, string, number, RegExp][] = [
  [
    'an undefined scope',
    client('Reader', `${MACHINE}, AllowedOAuthScopes: [!Sub '\${Orders}/raed']`),
    1,
    /^@a\.yaml:19:\d+: error grant-undefined Reader is granted https:\/\/x\.example\.com\/orders\/raed, which no resource server of its pool defines; fix: [^\n]+\ncognito-m2m: --template: expected templates that can be deployed, got 1 error\. Correct the templates\.\n$/,
  ],
  [
    'no secret, and another flow',
    client(
      'Reader',
      `AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [client_credentials, code], ${READS}`,
    ),
    1,
    /error client-no-secret .*\n.*error flow-mixed .*\ncognito-m2m: --template: expected templates that can be deployed, got 2 errors\. Correct the templates\.\n$/s,
  ],
  [
    'a life of a minute',
    client('Reader', `${MACHINE}, ${READS}, AccessTokenValidity: 25`),
    1,
    /error cognito-limit /,
  ],
  [
    'a flow that is none',
    client('Reader', 'AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [password]'),
    1,
    /^@a\.yaml:19:\d+: error flow-invalid AllowedOAuthFlows of Reader: expected a flow, got password; fix: use client_credentials, code, implicit\ncognito-m2m: --template: expected templates that can be deployed, got 1 error\. Correct the templates\.\n$/,
  ],
  [
    'no client',
    '',
    2,
    /^cognito-m2m: the template: expected an app client whose flows and scopes are known, got none\. /,
  ],
  ['no YAML', '  - a: [', 2, /@a\.yaml:\d+:\d+: /],
]

for (const [name, resources, exitCode, message] of refused) {
  t.test(`${name}: refused, nothing started`, async (t) => {
    const flags = ['-t', '@a.yaml', '--parameter', 'Stage=x']
    const ran = await run(t, { 'a.yaml': `${HEAD}${resources}` }, ...flags)
    t.strictSame([ran.code, ran.out, ran.pools.length], [exitCode, '', 0])
    t.match(ran.err, message)
  })
}

const flags: readonly [string, readonly string[], RegExp][] = [
  [
    'a file that is not there',
    ['-t', '@absent.yaml'],
    /--template: expected an existing file, got "@absent\.yaml"\. Correct the path\.$/m,
  ],
  [
    'a folder of something else',
    ['-t', '@other'],
    /--template: expected a folder with templates, got "@other"\. Name the templates, or the folder of a Terraform module\.$/m,
  ],
  [
    'a parameter without a value',
    ['-t', '@a.yaml', '--parameter', 'Stage'],
    /--parameter: expected NAME=VALUE, got text without a name\. Add the name\.$/m,
  ],
  [
    'a parameter that no template declares',
    ['-t', '@a.yaml', '--parameter', 'Stag=x'],
    /--parameter: expected a parameter that a template declares, got "Stag"\. Write "Stage", or remove the option\.$/m,
  ],
  [
    'a variable of nothing',
    ['--var', 'a=b', '--pool', 'Pool'],
    /--var: expected --template with this option, got none\. Add --template or remove the option\.$/m,
  ],
  [
    'a variable file of nothing',
    ['--var-file', '@b.tfvars'],
    /--var-file: expected --template with this option, got none\. Add --template or remove the option\.$/m,
  ],
  [
    'a pool file as well',
    ['-t', '@a.yaml', '-c', '@b.json'],
    /--config: expected --config or --template, got both\. Pass one of them\.$/m,
  ],
  [
    'parameters of nothing',
    ['--parameter', 'a=b'],
    /--parameter: expected --template with this option, got none\. Add --template or remove the option\.$/m,
  ],
  [
    'a pool of nothing',
    ['--pool', 'Pool'],
    /--pool: expected --template with this option, got none\. Add --template or remove the option\.$/m,
  ],
  [
    'secrets of nothing',
    ['--secrets', '@s.json'],
    /--secrets: expected --template with this option, got none\. Add --template or remove the option\.$/m,
  ],
]

for (const [name, args, message] of flags) {
  t.test(`${name}: one line, exit 2`, async (t) => {
    const ran = await run(t, { 'a.yaml': HEAD, 'other/a.txt': '' }, ...args)
    t.strictSame([ran.code, ran.out, ran.pools.length], [2, '', 0])
    t.match(ran.err, /^cognito-m2m: [^\n]+\n$/)
    t.match(ran.err, message)
  })
}
