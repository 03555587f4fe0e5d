/** What `checkScopes` evaluates, and what would resolve the facts that it cannot evaluate. */
import t from 'tap'
import { checkCoverage, checkScopes, readTemplate } from '../../../../src/contract/infra/index.ts'
import { read } from '../../../support/templates.ts'

const describe = (coverage: ReturnType<typeof checkCoverage>): string[] =>
  coverage.unevaluated.map(
    ({ line, resource, fact, resolve }) => `${line} ${resource}: ${fact}; ${resolve}`,
  )
const count = ({ clients, scopes, routes, authorizers }: ReturnType<typeof checkCoverage>) =>
  [clients, scopes, routes, authorizers].map(({ evaluated, total }) => `${evaluated}/${total}`)

t.test('a template without unknown values is evaluated completely', async (t) => {
  const text = `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Server: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: !Ref Pool, Identifier: !Sub 'orders-\${AWS::StackName}', Scopes: [{ ScopeName: read, ScopeDescription: x }] } }
  Client: { Type: AWS::Cognito::UserPoolClient, Properties: { UserPoolId: !Ref Pool, GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [client_credentials], AllowedOAuthScopes: [!Sub '\${Server}/read'] } }
  Api: { Type: AWS::ApiGateway::RestApi }
  Guard: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: !Ref Api, Type: COGNITO_USER_POOLS, ProviderARNs: [!GetAtt Pool.Arn] } }
  Get: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Guard, AuthorizationScopes: [!Sub 'orders-\${AWS::StackName}/read', openid] } }
  Open: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: PUT, AuthorizationType: NONE } }
`
  const coverage = checkCoverage(await read('a.yaml', text))
  t.strictSame(describe(coverage), [])
  t.strictSame(coverage.files, ['a.yaml'])
  t.strictSame(count(coverage), ['1/1', '4/4', '2/2', '1/1'])
  t.strictSame(count(checkCoverage([])), ['0/0', '0/0', '0/0', '0/0'])
})

const TEMPLATE = `Parameters:
  Env: { Type: String }
  Scopes: { Type: CommaDelimitedList }
  Flow: { Type: String }
  Secret: { Type: String }
  Name: { Type: String }
Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Server:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties: { UserPoolId: !Ref Pool, Identifier: orders, Scopes: [{ ScopeName: read, ScopeDescription: x }, { ScopeName: !Ref Name, ScopeDescription: x }] }
  Known:
    Type: AWS::Cognito::UserPoolClient
    DependsOn: Server
    Properties: { UserPoolId: !Ref Pool, GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [client_credentials], AllowedOAuthScopes: [orders/read] }
  Listed:
    Type: AWS::Cognito::UserPoolClient
    Properties: { UserPoolId: !Ref Pool, GenerateSecret: !Ref Secret, AllowedOAuthFlowsUserPoolClient: !If [A, true, false], AllowedOAuthFlows: [!Ref Flow], AllowedOAuthScopes: !Ref Scopes, AccessTokenValidity: !Ref Env }
  Composed:
    Type: AWS::Cognito::UserPoolClient
    DependsOn: Server
    Properties: { UserPoolId: !Ref Pool, GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [client_credentials], AllowedOAuthScopes: [!Sub 'orders/\${Env}', orders/write] }
  Api: { Type: AWS::ApiGateway::RestApi }
  Guard: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: !Ref Api, Type: COGNITO_USER_POOLS, ProviderARNs: !Ref Scopes, AuthorizerResultTtlInSeconds: !Ref Env } }
  Get: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: !Ref Env, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Guard, AuthorizationScopes: [!Sub 'orders/\${AWS::StackName}'] } }
  Put: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: PUT, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !ImportValue guard } }
  Any: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref Api, ResourceId: !Ref Env, HttpMethod: ANY, AuthorizationType: !Ref Env } }
  Post: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: POST, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Guard, AuthorizationScopes: !Ref Scopes } }
`

t.test('each unknown fact names what would resolve it', async (t) => {
  const coverage = checkCoverage(await read('a.yaml', TEMPLATE))
  t.strictSame(describe(coverage), [
    '11 Server: name of a scope; pass parameter Name',
    '18 Listed: secret; pass parameter Secret',
    '18 Listed: OAuth setting; replace the expression by a value or a parameter',
    '18 Listed: flows; pass parameter Flow',
    '18 Listed: scopes; pass parameter Scopes',
    '18 Listed: token lifetime; pass parameter Env',
    '22 Composed: scope orders/${Env}; pass parameter Env',
    '22 Composed: scope orders/write; pass parameter Name',
    '24 Guard: user pools; pass parameter Scopes',
    '24 Guard: cache lifetime; pass parameter Env',
    '25 Get: method; pass parameter Env',
    '25 Get: scope orders/${AWS::StackName}; pass pseudo parameter AWS::StackName',
    '26 Put: authorizer; pass the template that creates the authorizer',
    '27 Any: authorization; replace the expression by a value or a parameter',
    '27 Any: path; replace the expression by a value or a parameter',
    '28 Post: scopes; pass parameter Scopes',
  ])
  t.strictSame(count(coverage), ['1/3', '2/6', '0/4', '0/1'])
})

t.test('values of parameters complete the coverage', async (t) => {
  const parameters = {
    Env: '3600',
    Scopes: 'orders/read',
    Flow: 'code',
    Secret: 'true',
    Name: 'write',
    'AWS::StackName': 'stack',
  }
  const model = await readTemplate({ file: 'a.yaml', text: TEMPLATE }, { parameters })
  t.strictSame(describe(checkCoverage(model)), [
    '24 Guard: user pool; replace the expression by a value or a parameter',
    '25 Get: scope orders/stack; pass the template that creates a user pool without a name',
    '26 Put: authorizer; pass the template that creates the authorizer',
    '27 Any: path; replace the expression by a value or a parameter',
    '28 Post: scope orders/read; pass the template that creates Pool',
  ])
})

t.test('pools, routes of an app and templates that are not passed', async (t) => {
  const text = `Parameters: { PoolId: { Type: String } }
Resources:
  Nested: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: https://x.test/a.yaml } }
  Client: { Type: AWS::Cognito::UserPoolClient, Properties: { UserPoolId: !Ref PoolId, GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [client_credentials], AllowedOAuthScopes: [orders/read] } }
  Users: { Type: AWS::Cognito::UserPoolClient, Properties: { UserPoolId: !If [A, a, b], AllowedOAuthFlows: [code], GenerateSecret: !If [A, true, false] } }
`
  const routes = [{ method: 'get', path: '/orders', auth: { scopes: ['orders/read'] } }]
  const nested = await read('a.yaml', text)
  t.strictSame(describe(checkCoverage(nested, { routes })), [
    '3 Nested: resources that the template does not show; pass the template of Nested',
    '4 Client: scope orders/read; pass what the template does not show: nested stacks, modules, macros',
    '5 Users: user pool; replace the expression by a value or a parameter',
    '1 GET /orders: scope orders/read; pass what the template does not show: nested stacks, modules, macros',
  ])
  const plain = await read('a.yaml', text.replace(/\n {2}Nested.*/, ''))
  const coverage = checkCoverage(plain, { routes })
  t.strictSame(describe(coverage), [
    '3 Client: scope orders/read; pass the template that creates PoolId',
    '4 Users: user pool; replace the expression by a value or a parameter',
    '1 GET /orders: scope orders/read; pass the template that creates a user pool without a name',
  ])
  t.strictSame(count(coverage), ['0/2', '0/2', '0/1', '0/0'])
  const alone = text
    .replace('UserPoolId: !Ref PoolId', 'UserPoolId: !Ref P')
    .replace(/\n {2}Nested.*/, '')
  t.strictSame(
    describe(
      checkCoverage(await read('a.yaml', `${alone}  P: { Type: AWS::Cognito::UserPool }\n`)),
    ),
    [
      '3 Client: scope orders/read; pass the template that creates the resource server',
      '4 Users: user pool; replace the expression by a value or a parameter',
    ],
  )
  const without = `Resources: { C: { Type: AWS::Cognito::UserPoolClient, Properties: { UserPoolId: pool } }, D: { Type: AWS::Cognito::UserPoolClient } }`
  t.strictSame(describe(checkCoverage(await read('a.yaml', without))), [
    '1 C: user pool; replace the expression by a value or a parameter',
    '1 D: user pool; replace the expression by a value or a parameter',
  ])
})

t.test('macros, modules and plans that hide resources', async (t) => {
  const facts = async (file: string, text: string) =>
    describe(checkCoverage(await read(file, text)))
  const macro = (line: number) => [
    `${line} : resources that the template does not show; pass the template that CloudFormation returns after its macros`,
  ]
  t.strictSame(await facts('a.yaml', 'Transform: [Macro]\nResources: {}\n'), macro(1))
  const loop =
    "Resources:\n  'Fn::ForEach::Pools': [A, [a], {}]\n  Topic: { Type: AWS::SNS::Topic }\n"
  t.strictSame(await facts('a.yaml', loop), macro(1))
  const module = 'module "auth" { source = "registry/auth/aws" }\n'
  const client =
    'resource "aws_cognito_user_pool_client" "c" { user_pool_id = module.auth.pool[0] }\n'
  t.strictSame(await facts('main.tf', `${module}${client}`), [
    '1 module.auth: resources that the template does not show; check a plan, which has the resources of module.auth',
  ])
  const scopes =
    'resource "aws_cognito_resource_server" "s" {\n  user_pool_id = "eu-west-1_Ab1"\n  scope { scope_name = module.auth.name }\n}\n'
  t.strictSame((await facts('main.tf', `${module}${scopes}`)).slice(1), [
    '4 aws_cognito_resource_server.s: name of a scope; check a plan, which has the outputs of module.auth',
  ])
  const plan = {
    format_version: '1.2',
    terraform_version: '1.9.0',
    errored: true,
    planned_values: { root_module: {} },
    configuration: {},
  }
  t.strictSame(await facts('plan.json', JSON.stringify(plan)), [
    '1 : resources that the template does not show; create the plan again, without errors',
  ])
})

t.test('the issuer of a JWT authorizer', async (t) => {
  const http = (
    issuer: string,
  ) => `Parameters: { Issuer: { Type: String }, PoolId: { Type: String } }
Resources:
  Api: { Type: AWS::ApiGatewayV2::Api }
  Guard: { Type: AWS::ApiGatewayV2::Authorizer, Properties: { ApiId: !Ref Api, AuthorizerType: JWT, JwtConfiguration: { Issuer: ${issuer} } } }
  Get: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: GET /orders, AuthorizationType: JWT, AuthorizerId: !Ref Guard, AuthorizationScopes: [orders/read] } }
`
  const facts = async (issuer: string) =>
    describe(checkCoverage(await read('a.yaml', http(issuer))))
  t.strictSame(await facts('!Ref Issuer'), ['4 Guard: issuer; pass parameter Issuer'])
  t.strictSame(await facts('https://login.example.com/'), [])
  t.strictSame(await facts('!Ref AWS::NoValue'), [])
  t.strictSame(await facts("!Sub 'https://cognito-idp.x.amazonaws.com/${PoolId}'"), [
    '5 Get: scope orders/read; pass the template that creates PoolId',
  ])
})

t.test('resources whose members are unknown', async (t) => {
  const text = `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Server: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: !Ref Pool, Identifier: orders, Scopes: [!If [A, a, b], { ScopeDescription: x }] } }
  Client: { Type: AWS::Cognito::UserPoolClient, Properties: { 'Fn::Transform': { Name: M } } }
  Api: { Type: AWS::ApiGateway::RestApi }
  Guard: { Type: AWS::ApiGateway::Authorizer, Properties: { Type: COGNITO_USER_POOLS, RestApiId: !Ref Api, 'Fn::Transform': { Name: M } } }
  Get: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref Api, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Guard, 'Fn::Transform': { Name: M } } }
`
  t.strictSame(describe(checkCoverage(await read('a.yaml', text))), [
    '3 Server: scopes; list the scopes of Server',
    ...['flows', 'secret', 'OAuth setting', 'token lifetime', 'scopes'].map(
      (fact) => `4 Client: ${fact}; replace the expression by a value or a parameter`,
    ),
    ...['user pools', 'cache lifetime'].map(
      (fact) => `6 Guard: ${fact}; replace the expression by a value or a parameter`,
    ),
    ...['method', 'path', 'scopes'].map(
      (fact) => `7 Get: ${fact}; replace the expression by a value or a parameter`,
    ),
  ])
})

t.test('a fact of two resources is listed for each of them, and the same fact once', async (t) => {
  const text = `Transform: AWS::Serverless-2016-10-31
Parameters: { Env: { Type: String }, PoolArn: { Type: String } }
Resources:
  Api: { Type: AWS::Serverless::Api, Properties: { Auth: { DefaultAuthorizer: C, Authorizers: { C: { UserPoolArn: !Ref PoolArn, AuthorizationScopes: [!Ref Env, !Ref Env] } } } } }
  List: { Type: AWS::Serverless::Function, Properties: { Events: { Get: { Type: Api, Properties: { RestApiId: !Ref Api, Method: get, Path: /orders } } } } }
`
  const model = await read('a.yaml', text)
  t.strictSame(describe(checkCoverage([model, model])).length, 4)
  t.strictSame(checkScopes(model), [])
})

t.test('models, routes and options are validated', (t) => {
  t.throws(() => checkCoverage([5] as never), { code: 'ERR_OPTION_INVALID' })
  t.throws(() => checkCoverage([], { pools: [['a']] }), { code: 'ERR_OPTION_INVALID' })
  t.end()
})

t.test('a fact names at most five parameters', async (t) => {
  const names = ['A', 'B', 'C', 'D', 'E', 'F']
  const text = `Parameters:
${names.map((name) => `  ${name}: { Type: String }`).join('\n')}
Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Server: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: !Ref Pool, Identifier: orders, Scopes: [${names.map((name) => `{ ScopeName: !Ref ${name}, ScopeDescription: x }`).join(', ')}] } }
  Client: { Type: AWS::Cognito::UserPoolClient, DependsOn: Server, Properties: { UserPoolId: !Ref Pool, GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [client_credentials], AllowedOAuthScopes: [orders/read] } }
`
  const { unevaluated } = checkCoverage(await read('a.yaml', text))
  t.equal(
    unevaluated.find(({ resource }) => resource === 'Client')?.resolve,
    'pass parameter A, pass parameter B, pass parameter C, pass parameter D, pass parameter E',
  )
})
