/** Findings about user pool ARNs, issuers and missing authorizers. */
import t from 'tap'
import { checkScopes } from '../../../../src/contract/infra/index.ts'
import {
  check,
  HEAD,
  ISSUER,
  jwt,
  MACHINE,
  READ,
  rest,
  route,
} from '../../../support/authorizers.ts'
import { listFindings, read } from '../../../support/templates.ts'

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
