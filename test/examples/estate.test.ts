/** Nothing is found in templates of a large estate: resources nobody here knows, and what else is legal. */
import { readdirSync } from 'node:fs'
import t from 'tap'
import { checkScopes, type InfraModel, readTemplate } from '../../src/infra/index.ts'
import { fixture, read } from '../infra/templates.ts'

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
  t.strictSame(found(await yaml(POOL + wait + client('Pool'))), ['15 error scope-order'])
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
        message: "Short's tokens live 600 s, Authorizer keeps its decisions 1800 s",
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
  const imported = POOL.replace('UserPoolId: !Ref Pool', 'UserPoolId: !ImportValue pool')
  const job = machine('Job', '[stock/read]').replace('!Ref Pool', '!ImportValue pool')
  t.strictSame(found(await yaml(imported + job)), [])
  t.strictSame(found(await yaml(POOL + machine('Job', '[stock/read]'))), [
    '5 warning scope-unused',
    '14 error grant-undefined',
  ])
})
