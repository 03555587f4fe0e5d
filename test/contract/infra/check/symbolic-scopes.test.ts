/** Findings about scopes and identifiers that are known in part. */
import t from 'tap'
import { type AppRoute, checkScopes } from '../../../../src/contract/infra/index.ts'
import { listFindings, read } from '../../../support/templates.ts'

const HEAD = `Parameters: { Env: { Type: String }, Stage: { Type: String }, PoolId: { Type: String } }
Resources:
`
const POOL = `  Pool: { Type: AWS::Cognito::UserPool }
  Domain: { Type: AWS::Cognito::UserPoolDomain, Properties: { UserPoolId: !Ref Pool, Domain: orders } }
`
const server = (identifier: string, names = ['read'], id = 'Server', pool = '!Ref Pool') =>
  `  ${id}: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: ${pool}, Identifier: ${identifier}, Name: x, Scopes: [${names.map((name) => `{ ScopeName: ${name}, ScopeDescription: x }`).join(', ')}] } }\n`
const client = (scopes: string, pool = '!Ref Pool', more = '') =>
  `  Client: { Type: AWS::Cognito::UserPoolClient, DependsOn: Server, Properties: { UserPoolId: ${pool}, GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [client_credentials], AllowedOAuthScopes: [${scopes}]${more} } }\n`

const check = (...resources: string[]) =>
  listFindings({ 'a.yaml': `${HEAD}${POOL}${resources.join('')}` })
/** The same in a pool that the template does not create. */
const checkExternal = (...resources: string[]) =>
  listFindings({
    'a.yaml': `${HEAD}${resources.join('').replaceAll('!Ref Pool,', '!Ref PoolId,')}`,
  })
const undefinedGrant = (text: string) => [`error grant-undefined a.yaml: ${text}`]

t.test('scopes are compared piece by piece with the identifiers of a created pool', async (t) => {
  const cases: [identifier: string, scope: string, isFound: boolean][] = [
    ["!Sub 'orders-${Env}'", "!Sub 'orders-${Env}/read'", false],
    ["!Sub 'orders-${Env}'", "!Sub 'orders-${Env}/raed'", true],
    ["!Sub 'orders-${Env}'", "!Sub 'ordres-${Env}/read'", true],
    ["!Sub 'orders-${Env}'", "!Sub 'orders-${Stage}/read'", false],
    ["!Sub 'orders-${Env}'", "!Sub 'orders-${Stage}/raed'", true],
    ["!Sub 'orders-${Env}'", 'orders/read', true],
    ["!Sub 'orders-${Env}'", 'orders-dev/read', false],
    ["!Sub 'orders-${Env}'", "!Sub '${Server}/read'", false],
    ["!Sub 'orders-${Env}'", "!Sub '${Server}/raed'", true],
    ["!Sub 'orders-${Env}'", "!Join ['/', [!Ref Server, raed]]", true],
    ["!Sub '${AWS::StackName}-x'", "!Sub '${AWS::StackName}-x/read'", false],
    ["!Sub '${AWS::StackName}-x'", "!Sub '${AWS::StackName}-y/read'", true],
    ["!Sub '${AWS::StackName}-x'", "!Sub '${Server}/raed'", true],
    ['!Ref Env', "!Sub '${Env}/read'", false],
    ['!Ref Env', "!Sub '${Env}/raed'", true],
    ['!Ref Env', "!Sub '${Stage}/read'", false],
    ['!Ref Env', "!Sub '${Server}/raed'", true],
    ['!Ref Env', 'orders/raed', true],
    ['!Ref Env', 'orders/read', false],
    ['!If [A, a, b]', "!Sub '${Server}/raed'", true],
    ['!If [A, a, b]', "!Sub '${Server}/read'", false],
    ['orders', "!Sub 'orders/${Env}'", false],
    ['orders', "!Sub 'ordres/${Env}'", true],
    ['orders', '!Ref Env', false],
    ['orders', '!If [A, a/b, orders/read]', false],
    ['orders', "!Sub '${Env}read'", false],
    ['orders', 'openid', false],
  ]
  for (const [identifier, scope, isFound] of cases) {
    const findings = await check(server(identifier), client(scope))
    const grants = findings.filter((line) => line.includes('grant-undefined'))
    t.equal(grants.length, isFound ? 1 : 0, `${identifier}, ${scope}: ${findings}`)
  }
})

t.test('a pool that no template creates may have other resource servers', async (t) => {
  const cases: [identifier: string, scope: string, isFound: boolean][] = [
    ["!Sub 'orders-${Env}'", "!Sub 'orders-${Env}/raed'", true],
    ["!Sub 'orders-${Env}'", "!Sub 'orders-${Stage}/raed'", false],
    ["!Sub 'orders-${Env}'", "!Sub 'ordres-${Env}/read'", false],
    ['!Ref Env', "!Sub '${Server}/raed'", true],
    ['!If [A, a, b]', "!Sub '${Server}/raed'", true],
    ['!If [A, a, b]', "!Sub '${Server}/read'", false],
    ['orders', 'billing/raed', false],
  ]
  for (const [identifier, scope, isFound] of cases) {
    const findings = await checkExternal(server(identifier), client(scope))
    t.equal(findings.length, isFound ? 1 : 0, `${identifier}, ${scope}: ${findings}`)
  }
})

t.test('a reference to a resource server means its pool', async (t) => {
  const other = (scope: string) =>
    listFindings({
      'a.yaml': `${HEAD}${server('orders', ['read'], 'Server', '!Ref Stage')}${client(scope, '!Ref PoolId')}`,
    })
  t.strictSame(await other("!Sub '${Server}/raed'"), [
    "warning grant-undefined a.yaml: '${Server}/raed'",
  ])
  t.strictSame(await other("!Sub '${Server}/read'"), [])
  t.strictSame(await other('orders/raed'), [])
})

t.test('each resource server is compared on its own', async (t) => {
  const unknown = server('!Ref Stage', ['write'], 'Unknown')
  t.strictSame(
    await check(server('orders'), unknown, client('orders/read, orders/write, !Ref Env')),
    undefinedGrant('orders/write'),
    'the identifiers of a pool are unique, so Unknown is not orders',
  )
  const conditional = server('orders').replace('Server: {', 'Server: { Condition: A,')
  t.strictSame(
    await check(conditional, unknown, client('orders/write, !Ref Env')),
    [],
    'one of two conditions may hold',
  )
  for (const scope of ['orders/raed', 'billing/raed']) {
    t.strictSame(
      await check(server('orders'), unknown, client(`${scope}, !Ref Env`)),
      undefinedGrant(scope),
    )
  }
  t.strictSame(
    await check(server('orders'), unknown, client('billing/write, !Ref Env')),
    [],
    'Unknown may be billing',
  )
})

const describeAll = async (text: string, options = {}) =>
  checkScopes(await read('a.yaml', text), options).map(
    ({ code, message, fix, resource, value }) => `${code} ${resource} ${value}: ${message}; ${fix}`,
  )

t.test('findings print unknown pieces as the template writes them', async (t) => {
  t.strictSame(
    await describeAll(
      `${HEAD}${POOL}${server("!Sub 'orders-${Env}'", ['read', 'write'])}${client("!Sub '${Server}/read', !Sub '${Server}/raed'")}`,
    ),
    [
      'scope-unused Server orders-${Env}/write: orders-${Env}/write is granted to no client; grant it to the client that needs it, or remove it',
      'grant-undefined Client orders-${Env}/raed: Client is granted orders-${Env}/raed, which no resource server of its pool defines; define it, or use one of orders-${Env}/read, orders-${Env}/write',
    ],
  )
  const labels = async (identifier: string) => {
    const text = `${HEAD}${POOL}${server(identifier)}${client("!Sub '${Server}/raed', !Sub '${Server}/read'")}`
    return checkScopes(await read('a.yaml', text)).map(({ value }) => value)
  }
  t.strictSame(await labels('!If [A, a, b]'), ['${Server}/raed'])
  t.strictSame(await labels("!Sub ['o-${V}', { V: !If [A, a, b] }]"), ['o-${…}/raed'])
  t.strictSame(await labels("'{{resolve:ssm:/id}}'"), ['${ssm:/id}/raed'])
  t.strictSame(await labels("!Sub '{{resolve:ssm:/${Env}/id}}'"), ['${ssm:/${Env}/id}/raed'])
  const join = (...parts: string[]) => `!Join ['', [${parts.join(', ')}, !Ref Env]]`
  t.strictSame(await labels(join("'{{resolve:ssm:/id:3}}'")), ['${ssm:/id}${Env}/raed'])
  t.strictSame(await labels(join("'{{resolve:ssm:/id:3'", '!Ref Stage', "'}}'")), [
    '${ssm:/id}${Env}/raed',
  ])
  t.strictSame(await labels(join("'{{resolve:'", "'}}'")), ['${…}${Env}/raed'])
  t.strictSame(await labels("!Sub '{{resolve:${Env}}}'"), ['${Server}/raed'])
  t.strictSame(await labels("!Sub '{{resolve:ssm:/${Env}'"), ['{{resolve:ssm:/${Env}/raed'])
  t.strictSame(await labels('!ImportValue id'), ['${import:id}/raed'])
  t.strictSame(await labels("!ImportValue { 'Fn::Sub': '${Env}-id' }"), [
    '${import:${Env}-id}/raed',
  ])
  t.strictSame(await labels('!GetAtt Pool.Arn'), ['${Pool.Arn}/raed'])
  t.strictSame(await labels('!Ref Pool'), ['${Pool}/raed'])
})

t.test('a parameter of another template may have another value', async (t) => {
  const api = (scope: string) => `Parameters: { Env: { Type: String }, PoolArn: { Type: String } }
Resources:
  Api: { Type: AWS::ApiGateway::RestApi }
  Guard: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: !Ref Api, Type: COGNITO_USER_POOLS, ProviderARNs: [!Ref PoolArn] } }
  Get: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Guard, AuthorizationScopes: [${scope}] } }
`
  const auth = (identifier: string) =>
    `${HEAD}${POOL}${server(identifier)}${client("!Sub '${Server}/read'")}`
  const checkTogether = (identifier: string, scope: string) =>
    listFindings({ 'auth.yaml': auth(identifier), 'api.yaml': api(scope) })
  const FOUND = (text: string) => [`error scope-undefined api.yaml: ${text}`]
  const composed = "!Sub 'orders-${Env}'"
  t.strictSame(await checkTogether(composed, "!Sub 'orders-${Env}/read'"), [])
  t.strictSame(
    await checkTogether(composed, "!Sub 'orders-${Env}/raed'"),
    FOUND("'orders-${Env}/raed'"),
  )
  t.strictSame(await checkTogether(composed, 'orders/read'), FOUND('orders/read'))
  t.strictSame(await checkTogether(composed, 'orders-prod/read'), [])
  t.strictSame(await checkTogether('!Ref Env', "!Sub '${Env}-x/read'"), [])
})

t.test('the order of deployment counts for composed scopes too', async (t) => {
  const unordered = (scope: string) => client(scope).replace(' DependsOn: Server,', '')
  const composed = server("!Sub 'orders-${Env}'")
  t.strictSame(await check(composed, unordered("!Sub 'orders-${Env}/read'")), [
    "error scope-order a.yaml: 'orders-${Env}/read'",
  ])
  t.strictSame(await check(composed, unordered("!Sub '${Server}/read'")), [])
  t.strictSame(await check(composed, unordered("!Sub 'orders-${Stage}/read'")), [])
})

t.test('routes of an app are compared with composed scopes', async (t) => {
  const text = `${HEAD}${POOL}${server("!Sub 'orders-${Env}'", ['read', 'write'])}${client("!Sub '${Server}/read', !Sub '${Server}/write'")}
  Api: { Type: AWS::ApiGateway::RestApi }
  Guard: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: !Ref Api, Type: COGNITO_USER_POOLS, ProviderARNs: [!GetAtt Pool.Arn] } }
  Get: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Guard, AuthorizationScopes: [!Sub '${'${Server}'}/read'] } }
`
  const found = async (...scopes: string[]) => {
    const routes: AppRoute[] = [{ method: 'GET', path: '/', auth: { scopes } }]
    return (await describeAll(text, { routes })).map((line) => line.split(':')[0])
  }
  t.strictSame(await found('orders-dev/read'), [])
  t.strictSame(await found('orders-dev/write'), ['authorizer-excludes GET / orders-dev/write'])
  t.strictSame(await found('orders/read'), ['scope-undefined GET / orders/read'])
  t.strictSame(await found('orders-dev/raed'), ['scope-undefined GET / orders-dev/raed'])
})

t.test('unknown grants of a list are no longer grants of every scope', async (t) => {
  const composed = server("!Sub 'orders-${Env}'", ['read', 'write'])
  const unused = (scopes: string) => check(composed, client(scopes))
  const WRITE = ['warning scope-unused a.yaml: write']
  t.strictSame(await unused("!Sub '${Server}/read'"), WRITE)
  t.strictSame(await unused("!Sub '${Server}/read', !Sub 'other-${Stage}/write', openid"), [
    ...WRITE,
    "error grant-undefined a.yaml: 'other-${Stage}/write'",
    'error scope-reserved a.yaml: openid',
  ])
  t.strictSame(await unused("!Sub '${Server}/read', !Sub 'orders-${Stage}/write'"), [])
  t.strictSame(await unused("!Sub '${Server}/read', !Ref Env"), [])
  t.strictSame(await unused("!Sub '${Server}/read', !If [A, !Ref AWS::NoValue, x]"), [])
})

t.test('a Terraform module composes scopes from the identifier of a resource server', async (t) => {
  const module = (identifier: string, scope: string) => `variable "env" {}
variable "pool_id" {}
resource "aws_cognito_resource_server" "orders" {
  user_pool_id = var.pool_id
  identifier   = ${identifier}
  name         = "orders"
  scope {
    scope_name        = "read"
    scope_description = "Read"
  }
}
resource "aws_cognito_user_pool_client" "billing" {
  user_pool_id        = var.pool_id
  generate_secret     = true
  allowed_oauth_flows = ["client_credentials"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes = [${scope}]
  depends_on = [aws_cognito_resource_server.orders]
}
`
  const found = async (identifier: string, scope: string) => {
    const model = await read('main.tf', module(identifier, scope))
    return checkScopes(model).map(({ code, value }) => `${code} ${value}`)
  }
  const reference = '"${aws_cognito_resource_server.orders.identifier}/raed"'
  for (const [identifier, label] of [
    ['"orders-${var.env}"', 'orders-${var.env}'],
    ['var.env', '${var.env}'],
    ['"orders-${var.env == "dev" ? "d" : "p"}"', 'orders-${…}'],
    ['var.env == "dev" ? "d" : "p"', '${aws_cognito_resource_server.orders}'],
    ['"${data.aws_region.current.name}-x"', '${data.aws_region.current.name}-x'],
  ] as const) {
    const more = identifier.includes('data.') ? 'data "aws_region" "current" {}\n' : ''
    const model = await read('main.tf', `${more}${module(identifier, reference)}`)
    t.strictSame(
      checkScopes(model).map(({ code, value }) => `${code} ${value}`),
      [`grant-undefined ${label}/raed`],
      identifier,
    )
    t.strictSame(
      await found(identifier, reference.replace('raed', 'read')).then((all) =>
        all.filter((one) => !one.startsWith('reference-missing')),
      ),
      [],
      identifier,
    )
  }
  t.strictSame(await found('"orders-${var.env}"', '"orders-${var.env}/raed"'), [
    'grant-undefined orders-${var.env}/raed',
  ])
  t.strictSame(await found('"orders-${var.env}"', '"${var.env}/raed"'), [])
})

t.test('many symbolic scopes take limited time, and are not reported then', async (t) => {
  const count = 400
  const many = (create: (index: number) => [string, object]) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => create(index)))
  const sub = (text: string) => ({ 'Fn::Sub': text })
  const text = JSON.stringify({
    Parameters: { A: { Type: 'String' }, B: { Type: 'String' } },
    Resources: {
      Pool: { Type: 'AWS::Cognito::UserPool' },
      ...many((index) => [
        `S${index}`,
        {
          Type: 'AWS::Cognito::UserPoolResourceServer',
          Properties: {
            UserPoolId: { Ref: 'Pool' },
            Identifier: sub(`\${A}-${index}`),
            Scopes: [{ ScopeName: 'read', ScopeDescription: 'x' }],
          },
        },
      ]),
      ...many((index) => [
        `C${index}`,
        {
          Type: 'AWS::Cognito::UserPoolClient',
          Properties: {
            UserPoolId: { Ref: 'Pool' },
            AllowedOAuthScopes: [sub(`\${B}-x${index}/read`)],
          },
        },
      ]),
    },
  })
  const model = await read('a.json', text)
  const start = process.cpuUsage()
  const grants = checkScopes(model).filter(({ code }) => code === 'grant-undefined')
  const { user, system } = process.cpuUsage(start)
  t.ok(grants.length > 10 && grants.length < count, `${grants.length} findings`)
  t.ok((user + system) / 1_000_000 < 3, 'seconds of processor time')
})
