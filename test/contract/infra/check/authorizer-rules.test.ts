/** Findings about user pool ARNs, issuers, audiences and missing authorizers. */
import t from 'tap'
import { checkScopes } from '../../../../src/contract/infra/index.ts'
import { listFindings, read } from '../../../support/templates.ts'

const scopes = (...names: string[]) =>
  names.map((name) => `{ ScopeName: ${name}, ScopeDescription: x }`).join(', ')
const HEAD = `  Pool: { Type: AWS::Cognito::UserPool }
  Domain: { Type: AWS::Cognito::UserPoolDomain, Properties: { UserPoolId: !Ref Pool, Domain: orders } }
  Server: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: !Ref Pool, Identifier: orders, Name: x, Scopes: [${scopes('read', 'write')}] } }
  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: x, ProtocolType: HTTP } }
  RestApi: { Type: AWS::ApiGateway::RestApi }`
const client = (id: string, names: string, flow = 'client_credentials') =>
  `  ${id}: { Type: AWS::Cognito::UserPoolClient, Properties: { UserPoolId: !Ref Pool, GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [${flow}], AllowedOAuthScopes: [${names}] } }`
const READ = "!Sub '${Server}/read'"
const WRITE = "!Sub '${Server}/write'"
const MACHINE = client('Machine', `${READ}, ${WRITE}`)
const rest = (arns: string, id = 'Guard') =>
  `  ${id}: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: !Ref RestApi, Name: x, Type: COGNITO_USER_POOLS${arns === '' ? '' : `, ProviderARNs: ${arns}`} } }`
const jwt = (issuer: string, audience = '[!Ref Machine]', id = 'Tokens') =>
  `  ${id}: { Type: AWS::ApiGatewayV2::Authorizer, Properties: { ApiId: !Ref Api, Name: x, AuthorizerType: JWT, JwtConfiguration: { Issuer: ${issuer}${audience === '' ? '' : `, Audience: ${audience}`} } } }`
const ISSUER = '!GetAtt Pool.ProviderURL'
const route = (names: string, authorizer = 'Tokens', key = 'GET /orders') =>
  `  ${key.replace(/\W/g, '')}: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: ${key}, AuthorizationType: JWT, AuthorizerId: !Ref ${authorizer}, AuthorizationScopes: [${names}] } }`

const check = (...resources: string[]) =>
  listFindings({ 'a.yaml': `Resources:\n${[HEAD, ...resources].join('\n')}\n` })

t.test('user pool ARNs', async (t) => {
  const provider = (text: string) => [`error authorizer-provider a.yaml: ${text}`]
  const cases: [arns: string, expected: string[]][] = [
    ['[!Ref Pool]', provider('Pool')],
    ['[!GetAtt Pool.UserPoolId]', provider('Pool.UserPoolId')],
    ['[eu-west-1_AbCdEfGhI]', provider('eu-west-1_AbCdEfGhI')],
    ["[!Sub 'https://x/${Pool}']", provider("'https://x/${Pool}'")],
    ['[]', provider('[')],
    ['', provider('Guard: { Type: AWS::ApiGateway::Authorizer')],
    ['[!GetAtt Pool.Arn]', []],
    ["['arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_AbCdEfGhI']", []],
    ["[!Sub 'arn:aws:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/${Pool}']", []],
    ["[!Sub '${AWS::Region}/x']", []],
    ['[!ImportValue pool-arn]', []],
    ['!Ref AWS::Region', []],
  ]
  for (const [arns, expected] of cases) {
    t.strictSame(await check(MACHINE, rest(arns)), expected, arns)
  }
  const module = `resource "aws_cognito_user_pool" "p" {}
resource "aws_api_gateway_authorizer" "a" {
  type          = "COGNITO_USER_POOLS"
  rest_api_id   = "x"
  name          = "x"
  provider_arns = [aws_cognito_user_pool.p.id, aws_cognito_user_pool.p.arn]
}
`
  t.strictSame(await listFindings({ 'a.tf': module }), [
    'error authorizer-provider a.tf: aws_cognito_user_pool.p.id',
  ])
  const alone = `Resources:\n  RestApi: { Type: AWS::ApiGateway::RestApi }\n${rest('[eu-west-1_AbCdEfGhI]')}\n`
  t.strictSame(await listFindings({ 'a.yaml': alone }), provider('eu-west-1_AbCdEfGhI'))
  const open = rest('').replace('Name: x', "'Fn::Transform': { Name: AWS::Include }")
  t.strictSame(await check(MACHINE, open), [], 'an include may add them')
})

t.test('issuers', async (t) => {
  const URL = 'cognito-idp.${AWS::Region}.amazonaws.com'
  const wrong = [
    '!GetAtt Pool.Arn',
    'arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_A',
    `!Sub 'https://${URL}/\${Pool.Arn}'`,
    '!Ref Pool',
    '!GetAtt Pool.ProviderName',
    `!Sub 'http://${URL}/\${Pool}'`,
    `!Sub '${URL}/\${Pool}'`,
    `!Sub 'https://${URL}/\${Pool}/'`,
    "!Sub '${Pool.ProviderURL}/'",
    'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A/',
  ]
  for (const issuer of wrong) {
    const found = await check(MACHINE, jwt(issuer))
    const start = issuer.replace(/^!\w+ /, '').slice(0, 8)
    t.strictSame(
      found.map((line) => line.slice(0, 32 + start.length)),
      [`error authorizer-issuer a.yaml: ${start}`],
      issuer,
    )
  }
  const correct = [
    ISSUER,
    `!Sub 'https://${URL}/\${Pool}'`,
    'https://example.auth0.com/',
    "!Sub '${AWS::StackName}/'",
    '!ImportValue issuer',
    '!Ref AWS::NoValue',
  ]
  for (const issuer of correct) t.strictSame(await check(MACHINE, jwt(issuer)), [], issuer)
  const module = (issuer: string) => `resource "aws_cognito_user_pool" "p" {}
resource "aws_apigatewayv2_authorizer" "a" {
  api_id          = "x"
  authorizer_type = "JWT"
  jwt_configuration {
    audience = ["x"]
    issuer   = ${issuer}
  }
}
`
  t.strictSame(await listFindings({ 'a.tf': module('aws_cognito_user_pool.p.endpoint') }), [
    'error authorizer-issuer a.tf: aws_cognito_user_pool.p.endpoint',
  ])
  const url = module('"https://${aws_cognito_user_pool.p.endpoint}"')
  t.strictSame(await listFindings({ 'a.tf': url }), [])
})

t.test('audiences without the client that has the scope', async (t) => {
  const users = client('Users', 'openid', 'code')
  const USERS = 'authorizer-audience a.yaml: [!Ref Users'
  const both = (audience: string, ...more: string[]) =>
    check(MACHINE, users, jwt(ISSUER, audience), route(READ), ...more)
  t.strictSame(await both('[!Ref Users]'), [`error ${USERS}`])
  t.strictSame(await both('[!Ref Users, !Ref Machine]'), [])
  t.strictSame(await both("['https://api.example.com']"), [
    "error authorizer-audience a.yaml: ['https://api.example.com'",
  ])
  t.strictSame(await both('[]'), ['error authorizer-audience a.yaml: ['])
  t.strictSame(await both(''), [
    'error authorizer-audience a.yaml: Tokens: { Type: AWS::ApiGatewayV2::Authorizer',
  ])
  for (const audience of [
    '[!Ref AWS::Region]',
    '[!Ref Users, !ImportValue client-id]',
    '!Ref AWS::Region',
    '[5kek0i61pgkokoob4fsm9fo9it]',
    '[placeholder]',
  ]) {
    t.strictSame(await both(audience), [], audience)
  }
  const reader = client('Reader', READ)
  t.strictSame(
    await both('[!Ref Reader]', reader),
    ['warning authorizer-audience a.yaml: [!Ref Reader'],
    'another client has the scope',
  )
  const unknown = client('Unknown', '!Ref AWS::Region')
  t.strictSame(await both('[!Ref Unknown]', unknown), [
    'warning authorizer-audience a.yaml: [!Ref Unknown',
  ])
  const scopeless = reader
    .replace(/, AllowedOAuthScopes: .*\]/, '')
    .replace('client_credentials', 'code')
  t.strictSame(await both('[!Ref Reader]', scopeless), [
    'error authorizer-audience a.yaml: [!Ref Reader',
  ])
  const included = scopeless.replace('[code]', "[code], 'Fn::Transform': { Name: AWS::Include }")
  t.strictSame(await both('[!Ref Reader]', included), [
    'warning authorizer-audience a.yaml: [!Ref Reader',
  ])
  t.strictSame(
    await both(
      '[!Ref Users]',
      jwt(ISSUER, '[!Ref Machine]', 'Second'),
      route(READ, 'Second', 'GET /b'),
    ),
    [],
    'another API accepts the client',
  )
  t.strictSame(
    await both(
      '[!Ref Users]',
      jwt(ISSUER, '[!Ref Machine]', 'Second'),
      route(WRITE, 'Second', 'GET /b'),
    ),
    [`error ${USERS}`],
    'for another scope',
  )
  const method = `  Method: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref RestApi, ResourceId: !GetAtt RestApi.RootResourceId, HttpMethod: GET, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Guard, AuthorizationScopes: [${READ}] } }`
  t.strictSame(await both('[!Ref Users]', rest('[!GetAtt Pool.Arn]'), method), [])
  const conditional = MACHINE.replace('Type:', 'Condition: A, Type:')
  t.strictSame(await check(conditional, users, jwt(ISSUER, '[!Ref Users]'), route(READ)), [])
  t.strictSame(
    await check(MACHINE, users, jwt(ISSUER, '[!Ref Users]'), route('!Ref AWS::Region')),
    [],
    'unknown scopes',
  )
  t.strictSame(
    await check(MACHINE, users, jwt('https://example.auth0.com/', '[!Ref Users]'), route(READ)),
    [],
    'another issuer',
  )
  const include = jwt(ISSUER, '').replace('Name: x', "'Fn::Transform': { Name: AWS::Include }")
  t.strictSame(await check(MACHINE, include, route(READ)), [])
  const config = jwt(`${ISSUER}, 'Fn::Transform': { Name: AWS::Include }`, '')
  t.strictSame(await check(MACHINE, config, route(READ)), [])
  t.strictSame(
    await check(MACHINE, jwt(ISSUER).replace(/JwtConfiguration: \{.*?\}/, 'X: y')),
    [],
    'an authorizer without an issuer is not Cognito’s',
  )
})

t.test('audiences that name clients of another template', async (t) => {
  const auth = (more: string) => `Resources:
${HEAD}
${MACHINE}
${client('Users', 'openid', 'code')}
  Pools: { Type: AWS::SSM::Parameter, Properties: { Name: /pool-id, Type: String, Value: !Ref Pool } }
  Ids: { Type: AWS::SSM::Parameter, Properties: { Name: /client-id, Type: String, Value: !Ref Users } }
  Unnamed: { Type: AWS::SSM::Parameter, Properties: { Type: String, Value: !Ref Users } }
  Valueless: { Type: AWS::SSM::Parameter, Properties: { Type: String, Name: /none } }
Outputs:
  Users: { Value: !Ref Users, Export: { Name: users } }
  Composed: { Value: !Sub 'x-\${Users}', Export: { Name: composed } }
  Internal: { Value: !Ref Users }
  Perhaps: { Condition: A, Value: !Ref Users, Export: { Name: perhaps } }
${more}`
  const api = (audience: string) => `Parameters:
  ClientId: { Type: 'AWS::SSM::Parameter::Value<String>', Default: /client-id }
Resources:
  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: x, ProtocolType: HTTP } }
${jwt("!Sub 'https://cognito-idp.eu-west-1.amazonaws.com/{{resolve:ssm:/pool-id}}'", audience)}
${route('orders/read')}
`
  const found = (audience: string, more = '') =>
    listFindings({ 'auth.yaml': auth(more), 'api.yaml': api(audience) })
  for (const audience of ['!ImportValue users', '!Ref ClientId', "'{{resolve:ssm:/client-id}}'"]) {
    const [line, ...others] = await found(`[${audience}]`)
    t.match(line, /^error authorizer-audience api\.yaml: \[/, audience)
    t.strictSame(others, [])
  }
  t.strictSame(await found('[!ImportValue other]'), [], 'it may be the id of any client')
  t.strictSame(await found('[!ImportValue composed]'), [])
  t.strictSame(await found('[!ImportValue perhaps]'), [])
  const again = '  Again: { Value: !Ref Machine, Export: { Name: users } }\n'
  t.strictSame(await found('[!ImportValue users]', again), [], 'two exports of one name')
})

t.test('audiences of Terraform, SAM and OpenAPI documents', async (t) => {
  const module = (audience: string) => `resource "aws_cognito_user_pool" "p" {}
resource "aws_cognito_user_pool_domain" "d" {
  user_pool_id = aws_cognito_user_pool.p.id
  domain       = "orders"
}
resource "aws_cognito_resource_server" "s" {
  user_pool_id = aws_cognito_user_pool.p.id
  identifier   = "orders"
  scope {
    scope_name        = "read"
    scope_description = "Read"
  }
}
resource "aws_cognito_user_pool_client" "c" {
  for_each     = toset(["billing", "sales"])
  user_pool_id = aws_cognito_user_pool.p.id
  generate_secret = true
  allowed_oauth_flows = ["client_credentials"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes = aws_cognito_resource_server.s.scope_identifiers
}
resource "aws_cognito_user_pool_client" "web" {
  user_pool_id = aws_cognito_user_pool.p.id
}
resource "aws_apigatewayv2_authorizer" "a" {
  api_id          = aws_apigatewayv2_api.x.id
  authorizer_type = "JWT"
  jwt_configuration {
    audience = ${audience}
    issuer   = "https://\${aws_cognito_user_pool.p.endpoint}"
  }
}
resource "aws_apigatewayv2_api" "x" {}
resource "aws_apigatewayv2_route" "r" {
  api_id             = aws_apigatewayv2_api.x.id
  route_key          = "GET /orders"
  authorization_type = "JWT"
  authorizer_id      = aws_apigatewayv2_authorizer.a.id
  authorization_scopes = ["orders/read"]
}
`
  const checkModule = async (audience: string) => listFindings({ 'a.tf': module(audience) })
  t.strictSame(await checkModule('[aws_cognito_user_pool_client.web.id]'), [
    'error authorizer-audience a.tf: [aws_cognito_user_pool_client.web.id',
  ])
  t.strictSame(await checkModule('[aws_cognito_user_pool_client.c["billing"].id]'), [])
  t.strictSame(await checkModule('values(aws_cognito_user_pool_client.c)[*].id'), [])
  t.strictSame(await checkModule('concat([aws_cognito_user_pool_client.web.id], var.more)'), [
    'error reference-missing a.tf: var.more)',
  ])
  const sam = (audience: string) => `Transform: AWS::Serverless-2016-10-31
Resources:
${HEAD}
${MACHINE}
${client('Users', 'openid', 'code')}
  Http:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth: { DefaultAuthorizer: Tokens, Authorizers: { Tokens: { AuthorizationScopes: [${READ}], JwtConfiguration: { issuer: ${ISSUER}, ${audience} } } } }
  List:
    Type: AWS::Serverless::Function
    Properties: { Events: { Get: { Type: HttpApi, Properties: { ApiId: !Ref Http, Method: get, Path: /orders } } } }
`
  for (const key of ['audience', 'Audience']) {
    t.strictSame(await listFindings({ 'a.yaml': sam(`${key}: [!Ref Users]`) }), [
      'error authorizer-audience a.yaml: [!Ref Users',
    ])
    t.strictSame(await listFindings({ 'a.yaml': sam(`${key}: [!Ref Machine]`) }), [])
  }
  const body = (audience: string) => `Resources:
${HEAD}
${MACHINE}
${client('Users', 'openid', 'code')}
  Http:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Body:
        openapi: 3.0.1
        components:
          securitySchemes:
            tokens:
              type: oauth2
              x-amazon-apigateway-authorizer: { type: jwt, jwtConfiguration: { issuer: ${ISSUER}, audience: ${audience} } }
        paths: { /orders: { get: { security: [{ tokens: [${READ}] }] } } }
`
  t.strictSame(await listFindings({ 'a.yaml': body('[!Ref Users]') }), [
    'error authorizer-audience a.yaml: [!Ref Users',
  ])
  t.strictSame(await listFindings({ 'a.yaml': body('[!Ref Machine]') }), [])
  t.strictSame(await listFindings({ 'a.yaml': body('one') }), [], 'one value')
  const without = body('[!Ref Users]').replace(
    `[{ tokens: [${READ}] }]`,
    '[{ tokens: !Ref AWS::NoValue }]',
  )
  t.strictSame(await listFindings({ 'a.yaml': without }), [], 'a route without scopes')
})

t.test('routes without their authorizer', async (t) => {
  const method = (more: string) =>
    `  Method: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref RestApi, ResourceId: !GetAtt RestApi.RootResourceId, HttpMethod: GET${more} } }`
  const MISSING = 'error authorizer-missing a.yaml: Method: { Type: AWS::ApiGateway::Method'
  const COGNITO = ', AuthorizationType: COGNITO_USER_POOLS'
  t.strictSame(await check(MACHINE, method(COGNITO)), [MISSING])
  t.strictSame(await check(MACHINE, method(`${COGNITO}, AuthorizerId: !ImportValue x`)), [])
  t.strictSame(
    await check(MACHINE, method(`${COGNITO}, 'Fn::Transform': { Name: AWS::Include }`)),
    [],
  )
  for (const type of ['NONE', 'AWS_IAM', '!Ref AWS::Region']) {
    t.strictSame(await check(MACHINE, method(`, AuthorizationType: ${type}`)), [], type)
  }
  const unused = method(', AuthorizationType: NONE, AuthorizerId: !Ref Tokens')
  const tokens = (type: string) =>
    `  Tokens: { Type: AWS::${type}::Authorizer, Properties: { Type: TOKEN, AuthorizerType: REQUEST } }`
  t.strictSame(
    await check(MACHINE, unused, tokens('ApiGateway')),
    [MISSING],
    'API Gateway does not call it',
  )
  const untyped = route(READ).replace(', AuthorizationType: JWT', '')
  t.strictSame(
    await check(MACHINE, untyped, tokens('ApiGatewayV2')),
    ['error authorizer-missing a.yaml: GETorders: { Type: AWS::ApiGatewayV2::Route'],
    'the default of HTTP APIs is NONE',
  )
  const plain = route(READ).replace(', AuthorizerId: !Ref Tokens', '')
  t.strictSame(await check(MACHINE, plain), [
    'error authorizer-missing a.yaml: GETorders: { Type: AWS::ApiGatewayV2::Route',
  ])
})

t.test('REST methods without scopes, in a pool whose machine also signs users in', async (t) => {
  const method =
    '  Method: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref RestApi, ResourceId: !GetAtt RestApi.RootResourceId, HttpMethod: GET, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Guard } }'
  const signIn = (flows: string) =>
    MACHINE.replace('GenerateSecret: true', `GenerateSecret: true, ExplicitAuthFlows: ${flows}`)
  const guard = rest('[!GetAtt Pool.Arn]')
  const NO_SCOPES = 'authorizer-no-scopes a.yaml: Method: { Type: AWS::ApiGateway::Method'
  t.strictSame(await check(MACHINE, guard, method), [`error ${NO_SCOPES}`])
  for (const flows of ['[ALLOW_REFRESH_TOKEN_AUTH]', '[ALLOW_CLIENT_TOKEN_AUTH]', '[]'])
    t.strictSame(await check(signIn(flows), guard, method), [`error ${NO_SCOPES}`], flows)
  const both = '[ALLOW_ADMIN_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH]'
  for (const flows of [both, '[ALLOW_USER_SRP_AUTH]', '!Ref AWS::Region', '[!Ref AWS::Region]'])
    t.strictSame(await check(signIn(flows), guard, method), [`warning ${NO_SCOPES}`], flows)
  const text = `Resources:\n${[HEAD, signIn(both), guard, method].join('\n')}\n`
  t.match(checkScopes(await read('a.yaml', text)), [
    {
      fix: 'list the scopes that it accepts (AuthorizationScopes), unless it is for ID tokens of users, who may sign in with Machine',
    },
  ])
})

t.test('user pools in an audience', async (t) => {
  const AUDIENCE = 'error authorizer-audience a.yaml:'
  for (const item of ['!Ref Pool', '!GetAtt Pool.Arn', '!GetAtt Pool.ProviderURL'])
    t.strictSame(
      await check(MACHINE, jwt(ISSUER, `[!Ref Machine, ${item}]`)),
      [`${AUDIENCE} ${item.replace(/^!\w+ /, '')}`],
      item,
    )
  for (const item of ['eu-west-1_AbCdEfGhI', 'us-gov-west-1_AbCdEfGhI', 'arn:aws:cognito-idp'])
    t.strictSame(await check(MACHINE, jwt(ISSUER, `[${item}]`)), [`${AUDIENCE} ${item}`], item)
  for (const item of [
    '!ImportValue pool',
    '5kek0i61pgkokoob4fsm9fo9it',
    'my_client',
    "!Sub '${Pool}-x'",
  ])
    t.strictSame(await check(MACHINE, jwt(ISSUER, `[${item}]`)), [], item)
  t.strictSame(
    await check(MACHINE, jwt('https://example.auth0.com/', '[!Ref Pool]')),
    [],
    'another identity provider accepts any audience',
  )
})

t.test('types of authorization, and authorizers, of another API', async (t) => {
  const method = (more: string, id = 'Method') =>
    `  ${id}: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref RestApi, ResourceId: !GetAtt RestApi.RootResourceId, HttpMethod: GET, AuthorizationScopes: [${READ}], ${more} } }`
  const guard = rest('[!GetAtt Pool.Arn]')
  const MISMATCH = 'error authorizer-mismatch a.yaml:'
  const METHOD = `${MISMATCH} Method: { Type: AWS::ApiGateway::Method`
  t.strictSame(
    await check(MACHINE, guard, method('AuthorizationType: JWT, AuthorizerId: !Ref Guard')),
    [`${MISMATCH} JWT`],
  )
  const http = route(READ).replace(
    'AuthorizationType: JWT',
    'AuthorizationType: COGNITO_USER_POOLS',
  )
  t.strictSame(await check(MACHINE, jwt(ISSUER), http), [`${MISMATCH} COGNITO_USER_POOLS`])
  for (const type of ['COGNITO_USER_POOLS', '!If [A, JWT, NONE]', 'CUSTOM'])
    t.strictSame(
      await check(MACHINE, guard, method(`AuthorizationType: ${type}, AuthorizerId: !Ref Guard`)),
      [],
      type,
    )
  const other = '  Other: { Type: AWS::ApiGateway::RestApi }'
  const COGNITO = 'AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Guard'
  const elsewhere = (api: string) => guard.replace('!Ref RestApi', api)
  t.strictSame(await check(MACHINE, other, elsewhere('!Ref Other'), method(COGNITO)), [METHOD])
  t.strictSame(
    await check(MACHINE, jwt(ISSUER), method(COGNITO.replace('Guard', 'Tokens'))),
    [METHOD],
    'an authorizer of an HTTP API',
  )
  const custom =
    '  Guard: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: !Ref Other, Type: TOKEN } }'
  t.strictSame(
    await check(
      MACHINE,
      other,
      custom,
      method('AuthorizationType: CUSTOM, AuthorizerId: !Ref Guard'),
    ),
    [METHOD],
    'a Lambda authorizer',
  )
  const stack = '  Stack: { Type: AWS::CloudFormation::Stack }'
  for (const api of [
    '!ImportValue api',
    '!GetAtt Stack.Outputs.Api',
    '!If [A, !Ref Other, !Ref RestApi]',
  ])
    t.strictSame(await check(MACHINE, other, stack, elsewhere(api), method(COGNITO)), [], api)
  const imported = method(COGNITO).replace('!Ref RestApi', '!ImportValue api')
  t.strictSame(await check(MACHINE, other, elsewhere('!Ref Other'), imported), [])
  const module = (key: string) => `resource "aws_api_gateway_rest_api" "a" {
  for_each = toset(["x", "y"])
  name     = each.key
}
resource "aws_api_gateway_authorizer" "g" {
  for_each    = toset(["x", "y"])
  rest_api_id = aws_api_gateway_rest_api.a[each.key].id
  type        = "TOKEN"
}
resource "aws_api_gateway_method" "m" {
  for_each      = toset(["x", "y"])
  rest_api_id   = aws_api_gateway_rest_api.a[each.key].id
  authorization = "CUSTOM"
  authorizer_id = aws_api_gateway_authorizer.g[${key}].id
}
`
  t.strictSame(await listFindings({ 'a.tf': module('each.key') }), [])
  t.strictSame(await listFindings({ 'a.tf': module('"x"') }), [
    'error authorizer-mismatch a.tf: resource "aws_api_gateway_method" "m" {',
  ])
  t.strictSame(await listFindings({ 'a.tf': module('var.key') }), [
    'error reference-missing a.tf: var.key',
  ])
})

t.test('a slash at the end of an issuer of another identity provider', async (t) => {
  for (const issuer of [
    'https://cognito-idp.example.com/',
    'https://cognito-idp.eu-west-1.example.com/x/',
    "!Sub 'https://idp.example.com/${Pool}/'",
    "!Sub 'https://cognito-idp.${AWS::StackName}/'",
  ])
    t.strictSame(await check(MACHINE, jwt(issuer, '[x]')), [], issuer)
  for (const issuer of [
    'https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A/',
    'https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_A/',
    'https://cognito-idp.us-iso-east-1.c2s.ic.gov/us-iso-east-1_A/',
    "!Sub 'https://cognito-idp.${AWS::Region}.${AWS::URLSuffix}/${Pool}/'",
    "!Sub 'https://${Pool.ProviderName}/'",
  ])
    t.match(
      (await check(MACHINE, jwt(issuer, '[x]'))).join(),
      /^error authorizer-issuer[^,]*$/,
      issuer,
    )
})

t.test('attributes of a user pool that a data source looks up', async (t) => {
  const module = (provider: string, pool: string) => `data "aws_cognito_user_pool" "p" {
  user_pool_id = "eu-west-1_AbCdEfGhI"
}
resource "aws_cognito_user_pool_client" "c" {
  user_pool_id = ${pool}
}
resource "aws_api_gateway_authorizer" "a" {
  type          = "COGNITO_USER_POOLS"
  rest_api_id   = "x"
  provider_arns = [${provider}]
}
`
  const [id, arn] = ['data.aws_cognito_user_pool.p.id', 'data.aws_cognito_user_pool.p.arn']
  const found = (provider: string, pool: string) => listFindings({ 'a.tf': module(provider, pool) })
  t.strictSame(await found(arn, id), [])
  t.strictSame(await found(id, id), [`error authorizer-provider a.tf: ${id}`])
  t.strictSame(await found(arn, arn), [`error pool-reference a.tf: ${arn}`])
})
