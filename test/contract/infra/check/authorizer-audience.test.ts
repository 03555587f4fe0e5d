/** Findings about the audiences of authorizers. */
import t from 'tap'
import {
  check,
  client,
  HEAD,
  ISSUER,
  jwt,
  MACHINE,
  READ,
  rest,
  route,
  WRITE,
} from '../../../support/authorizers.ts'
import { listFindings } from '../../../support/templates.ts'

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
