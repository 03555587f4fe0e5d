/** Nothing is found in templates of a large estate: resources nobody here knows, and what else is legal. */
import { readdirSync } from 'node:fs'
import t from 'tap'
import { checkScopes, type InfraModel, readTemplate } from '../../src/contract/infra/index.ts'
import { fixture, read } from '../support/templates.ts'

const ESTATE = new URL('../../fixtures/templates/estate/', import.meta.url)

const found = (...models: readonly InfraModel[]): string[] =>
  checkScopes(models).map(({ line, severity, code }) => `${line} ${severity} ${code}`)

for (const file of readdirSync(ESTATE)) {
  t.test(`nothing in ${file}`, async (t) => {
    const model = await readTemplate(fixture(`estate/${file}`))
    t.ok(model.clients.length > 0)
    t.strictSame(checkScopes(model), [])
    t.strictSame(model.dangling, [])
  })
}

const POOL = `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Domain: { Type: AWS::Cognito::UserPoolDomain, Properties: { UserPoolId: !Ref Pool, Domain: orders } }
  Server:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties: { UserPoolId: !Ref Pool, Identifier: orders, Name: o, Scopes: [{ ScopeName: read, ScopeDescription: r }] }
`
const machine = (id: string, scopes: string, more = ''): string => `  ${id}:
    Type: AWS::Cognito::UserPoolClient
${more}
    Properties:
      UserPoolId: !Ref Pool
      GenerateSecret: true
      AllowedOAuthFlowsUserPoolClient: true
      AllowedOAuthFlows: [client_credentials]
      AllowedOAuthScopes: ${scopes}
`
const people = `  Web:
    Type: AWS::Cognito::UserPoolClient
    Properties: { UserPoolId: !Ref Pool, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [code], AllowedOAuthScopes: [openid, !Sub '\${Server}/read'] }
`
const api = (pool: string, more: string) => `
  Api: { Type: AWS::ApiGateway::RestApi, Properties: { Name: o } }
  Authorizer:
    Type: AWS::ApiGateway::Authorizer
    Properties: { RestApiId: !Ref Api, Name: a, Type: COGNITO_USER_POOLS, ProviderARNs: [${pool}]${more} }
  Method:
    Type: AWS::ApiGateway::Method
    Properties: { RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Authorizer }
`
const yaml = (text: string): Promise<InfraModel> => read('t.yaml', text)

t.test('a client that waits for what waits for the resource server waits for it', async (t) => {
  const wait = '  Wait: { Type: AWS::CloudFormation::WaitConditionHandle, DependsOn: Server }\n'
  const client = (on: string) => machine('Client', '[orders/read]', `    DependsOn: ${on}`)
  t.strictSame(found(await yaml(POOL + wait + client('Wait'))), [])
  t.strictSame(found(await yaml(POOL + wait + client('Pool'))), ['16 error scope-order'])
})

t.test('an authorizer without scopes is judged by whose tokens it may be shown', async (t) => {
  const own = api('!GetAtt Pool.Arn', '')
  const job = machine('Job', "[!Sub '${Server}/read']")
  const only = /authorizer-no-scopes/
  const told = async (text: string) => found(await yaml(text)).filter((line) => only.test(line))
  t.match(await told(POOL + job + own), [/error/])
  t.match(await told(POOL + job + people + own), [/warning/], 'either may be meant')
  t.strictSame(await told(POOL + people + own), [], 'people have ID tokens')
  t.match(await told(POOL + job + api('!ImportValue pool', '')), [/warning/], 'it may be this pool')
  t.match(await told(`Resources:${api('!ImportValue pool', '')}`), [/warning/], 'nobody knows')
  const other = await yaml(`Resources:${api('!ImportValue pool', '')}`)
  const pool = await yaml(POOL + job)
  t.match(found(pool, other), [/warning/], 'of two templates')
  const native =
    '  Native: { Type: AWS::Cognito::UserPoolClient, Properties: { UserPoolId: !Ref Pool } }\n'
  t.strictSame(await told(POOL + people + native + own), [], 'nor has one without OAuth')
})

t.test('decisions are told once an authorizer, for the tokens that are gone first', async (t) => {
  const lifetime = (id: string, minutes: number) =>
    `${machine(id, "[!Sub '${Server}/read']")}      AccessTokenValidity: ${minutes}\n      TokenValidityUnits: { AccessToken: minutes }\n`
  const own = api('!GetAtt Pool.Arn', ', AuthorizerResultTtlInSeconds: 1800')
  const model = await yaml(
    POOL + lifetime('Long', 60) + lifetime('Short', 10) + lifetime('Half', 30) + own,
  )
  t.match(
    checkScopes(model).filter(({ code }) => code === 'lifetime-ttl'),
    [
      {
        message: 'tokens of Short are valid for 600 s, Authorizer caches its decisions for 1800 s',
        fix: /less than 600 s/,
      },
    ],
  )
  const unknown = machine('Job', "[!Sub '${Server}/read']", '    Condition: X').replace(
    'GenerateSecret: true',
    'AccessTokenValidity: !ImportValue minutes\n      GenerateSecret: true',
  )
  t.notMatch(found(await yaml(POOL + unknown + own)).join(), /lifetime/)
})

t.test('a pool of another template has scopes and clients that are not seen', async (t) => {
  const imported = POOL.replaceAll('UserPoolId: !Ref Pool', 'UserPoolId: !ImportValue pool')
  const job = machine('Job', '[stock/read]').replace('!Ref Pool', '!ImportValue pool')
  t.strictSame(found(await yaml(imported + job)), [])
  t.strictSame(found(await yaml(POOL + machine('Job', '[stock/read]'))), [
    '6 warning scope-unused',
    '15 error grant-undefined',
  ])
})

t.test('a scope of another pool is told as that', async (t) => {
  const text = fixture('estate/two-pools.yaml').text.replace(
    "[!Join ['/', [!Ref PartnerOrders, read]]]",
    "[!Sub '${PartnerOrders}/refund']",
  )
  t.match(checkScopes(await yaml(text)), [
    { code: 'scope-unused' },
    {
      code: 'grant-undefined',
      message: 'Partner is granted orders/refund, which no resource server of its pool defines',
      fix: 'define it there too: StaffOrders (t.yaml:13) belongs to another user pool',
    },
  ])
})

t.test('a proxy keeps tokens for less than the shortest lives', async (t) => {
  const model = await yaml(POOL + machine('Job', "[!Sub '${Server}/read']"))
  t.match(checkScopes(model, { proxyTtl: 3600 }), [
    {
      line: 7,
      column: 3,
      severity: 'error',
      code: 'lifetime-ttl',
      message: 'tokens of Job are valid for 3600 s, the proxy caches them for 3600 s',
      fix: 'cache them for less than 3600 s',
    },
  ])
  t.strictSame(checkScopes(model, { proxyTtl: 3599 }), [])
})

t.test('what clients of one block have in common is told once', async (t) => {
  const model = await read(
    't.tf',
    `resource "aws_cognito_user_pool" "p" {
  name = "p"
}
resource "aws_cognito_user_pool_client" "c" {
  for_each                             = { a = ["orders/read"], b = ["orders/read"], c = ["orders/write"] }
  user_pool_id                         = aws_cognito_user_pool.p.id
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes                 = each.value
  depends_on                           = [aws_cognito_resource_server.s]
}
resource "aws_cognito_user_pool_domain" "d" {
  user_pool_id = aws_cognito_user_pool.p.id
  domain       = "orders"
}
resource "aws_cognito_resource_server" "s" {
  user_pool_id = aws_cognito_user_pool.p.id
  identifier   = "orders"
  name         = "orders"
  scope {
    scope_name        = "read"
    scope_description = "Read orders"
  }
}
`,
  )
  t.strictSame(
    checkScopes(model).map(
      ({ line, column, code, message }) => `${line}:${column} ${code} ${message}`,
    ),
    [
      '4:1 client-no-secret aws_cognito_user_pool_client.c["a"] has no secret: client_credentials needs one',
      '5:91 grant-undefined aws_cognito_user_pool_client.c["c"] is granted orders/write, which no resource server of its pool defines',
    ],
  )
})
