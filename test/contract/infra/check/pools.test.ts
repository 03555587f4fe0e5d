/** One user pool that templates refer to by several names. */
import t from 'tap'
import { getPoolStem } from '../../../../src/contract/infra/check/pool-names.ts'
import { checkScopes, type InfraModel } from '../../../../src/contract/infra/index.ts'
import { read } from '../../../support/templates.ts'

/** An API stack that defines `s/api` in the pool of an id, and requires `s/echo` from the pool of an ARN. */
const api = (id: string, arn: string, more = '') => `Parameters:
  Env: { Type: String }
  PoolId: { Type: String }
  PoolArn: { Type: String }
  OtherId: { Type: String }
  IdPath: { Type: 'AWS::SSM::Parameter::Value<String>', Default: /auth/CognitoUserPoolId }
  ArnPath: { Type: 'AWS::SSM::Parameter::Value<String>', Default: /auth/CognitoUserPoolArn }
Resources:
  Server: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: ${id}, Identifier: s, Name: s, Scopes: [{ ScopeName: api, ScopeDescription: x }] } }
  Api: { Type: AWS::ApiGateway::RestApi }
  Guard: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: !Ref Api, Type: COGNITO_USER_POOLS, ProviderARNs: [${arn}] } }
  Get: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Guard, AuthorizationScopes: [s/echo] } }
${more}`
const client = (pool: string) =>
  `  Client: { Type: AWS::Cognito::UserPoolClient, Properties: { UserPoolId: ${pool}, AllowedOAuthFlows: [code] } }\n`

const describeFindings = (models: readonly InfraModel[], pools?: string[][]): string[] =>
  checkScopes(models, pools === undefined ? {} : { pools }).map(
    ({ severity, code, message }) =>
      `${severity} ${code}${/(?:; assumed: .*)?$/.exec(message)?.[0] ?? ''}`,
  )
const found = async (text: string, pools?: string[][]) =>
  describeFindings([await read('a.yaml', text)], pools)
const assumed = (text: string) => [`warning scope-undefined; assumed: ${text}`]
const CERTAIN = ['error scope-undefined']

t.test('an id and an ARN with a common stem are assumed to be one pool', async (t) => {
  const PATHS = '/auth/CognitoUserPoolId and /auth/CognitoUserPoolArn are the same user pool'
  // A second name would be another pool, if the first two had no common stem.
  const more = client('!Ref OtherId')
  for (const [id, arn, names] of [
    ['!Ref IdPath', '!Ref ArnPath', PATHS],
    [
      "'{{resolve:ssm:/auth/CognitoUserPoolId}}'",
      "'{{resolve:ssm:/auth/CognitoUserPoolArn:3}}'",
      PATHS,
    ],
    [
      '!ImportValue auth-user-pool-id',
      '!ImportValue auth-user-pool-arn',
      'auth-user-pool-id and auth-user-pool-arn are the same user pool',
    ],
    [
      "!ImportValue { 'Fn::Sub': '${Env}-UserPoolId' }",
      "!ImportValue { 'Fn::Sub': '${Env}-UserPoolArn' }",
      '${Env}-UserPoolId and ${Env}-UserPoolArn are the same user pool',
    ],
    [
      "!Sub '{{resolve:ssm:/${Env}/user-pool-id}}'",
      "!Sub '{{resolve:ssm:/${Env}/user-pool-arn}}'",
      '/${Env}/user-pool-id and /${Env}/user-pool-arn are the same user pool',
    ],
    ['!Ref PoolId', '!Ref PoolArn', 'PoolId and PoolArn are the same user pool'],
  ] as const) {
    t.strictSame(await found(api(id, arn, more)), assumed(names), id)
  }
})

t.test('one name is one pool, in an ARN too', async (t) => {
  const more = client('!Ref OtherId')
  for (const [id, arn] of [
    [
      '!Ref PoolId',
      "!Sub 'arn:aws:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/${PoolId}'",
    ],
    ['!Ref IdPath', "!Sub 'arn:aws:cognito-idp:x:1:userpool/${IdPath}'"],
    [
      "!Sub '{{resolve:ssm:/${Env}/id}}'",
      "!Sub 'arn:aws:cognito-idp:x:1:userpool/{{resolve:ssm:/${Env}/id:1}}'",
    ],
    ['eu-west-1_Ab1', 'arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_Ab1'],
    ["!Sub '${AWS::Region}_Ab1'", "!Sub 'arn:aws:cognito-idp:x:1:userpool/${AWS::Region}_Ab1'"],
  ] as const) {
    t.strictSame(await found(api(id, arn, more)), CERTAIN, id)
  }
})

t.test('the only external pool is assumed, several are not', async (t) => {
  const ONLY = assumed('PoolId and /auth/arn are the same user pool')
  const arn = "'{{resolve:ssm:/auth/arn}}'"
  t.strictSame(await found(api('!Ref PoolId', arn)), ONLY)
  t.strictSame(await found(api('!Ref PoolId', arn, client('!Ref PoolId'))), ONLY)
  t.strictSame(await found(api('!Ref PoolId', arn, client('!Ref OtherId'))), [])
  t.strictSame(await found(api('!Ref PoolId', `${arn}, !ImportValue other`)), [])
  t.strictSame(
    await found(api('!Ref PoolId', '!If [A, a, b]')),
    assumed('PoolId and a user pool without a name are the same user pool'),
  )
  t.strictSame(
    await found(api('!If [A, a, b]', '!If [A, a, b]')),
    assumed('a user pool without a name is the same user pool in all templates'),
  )
  t.strictSame(
    await found(api('eu-west-1_Ab1', 'arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_Cd2')),
    [],
    'two ids',
  )
  t.strictSame(
    await found(api('eu-west-1_Ab1', arn)),
    assumed('eu-west-1_Ab1 and /auth/arn are the same user pool'),
  )
})

t.test('names of several templates', async (t) => {
  const models = async (...texts: string[]) =>
    Promise.all(texts.map((text, index) => read(`${index}.yaml`, text)))
  const one = api('!Ref PoolId', "'{{resolve:ssm:/a}}'").replace('s/echo', 's/api')
  const two = (arn: string) => api('!Ref OtherId', arn).replace('Identifier: s', 'Identifier: t')
  t.strictSame(
    describeFindings(await models(one, two("'{{resolve:ssm:/b}}'"))),
    [],
    'two names of resources: they may be two pools',
  )
  t.strictSame(
    describeFindings(await models(one, two('!Ref PoolId'))),
    assumed('PoolId is the same user pool in all templates'),
  )
  const auth = (name: string) => `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Server: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: !Ref Pool, Identifier: s, Name: s, Scopes: [{ ScopeName: api, ScopeDescription: x }] } }
Outputs:
  Arn: { Value: !GetAtt Pool.Arn, Export: { Name: ${name} } }
`
  const consumer = api('!Ref PoolId', "!ImportValue { 'Fn::Sub': '${Env}-arn' }").replace(
    /\n {2}Server:.*/,
    '',
  )
  const stack = "!Sub '${AWS::StackName}-arn'"
  t.strictSame(
    describeFindings(await models(auth(stack), consumer)),
    assumed('Pool and ${Env}-arn are the same user pool'),
    'the only pool',
  )
  t.strictSame(
    describeFindings(await models(auth(stack), auth("!Sub '${AWS::StackName}-other'"), consumer)),
    assumed('Pool and ${Env}-arn are the same user pool'),
    'one of two exports can have the name',
  )
  t.strictSame(describeFindings(await models(auth(stack), auth(stack), consumer)), [], 'both can')
})

t.test('an issuer that may be another identity provider', async (t) => {
  const http = (
    id: string,
    issuer: string,
  ) => `Parameters: { PoolId: { Type: String }, Issuer: { Type: String }, PoolIssuer: { Type: String } }
Resources:
  Server: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: ${id}, Identifier: s, Name: s, Scopes: [{ ScopeName: api, ScopeDescription: x }] } }
  Api: { Type: AWS::ApiGatewayV2::Api }
  Guard: { Type: AWS::ApiGatewayV2::Authorizer, Properties: { ApiId: !Ref Api, AuthorizerType: JWT, JwtConfiguration: { Issuer: ${issuer}, Audience: [!Ref Issuer] } } }
  Get: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: GET /orders, AuthorizationType: JWT, AuthorizerId: !Ref Guard, AuthorizationScopes: [s/echo] } }
`
  t.strictSame(await found(http('!Ref PoolId', '!Ref Issuer')), [])
  t.strictSame(
    await found(http('!Ref PoolId', '!Ref PoolIssuer')),
    assumed('PoolId and PoolIssuer are the same user pool'),
  )
  t.strictSame(await found(http('!Ref PoolId', '!Ref Issuer'), [['PoolId', 'Issuer']]), CERTAIN)
  t.strictSame(
    await found(http('!Ref PoolId', "!Sub 'https://cognito-idp.x.amazonaws.com/${Issuer}'")),
    assumed('PoolId and Issuer are the same user pool'),
  )
  t.strictSame(await found(http('!Ref PoolId', 'https://login.example.com/')), [])
})

t.test('the option pools makes an assumption certain', async (t) => {
  const text = api('!Ref PoolId', "'{{resolve:ssm:/auth/arn}}'", client('!Ref OtherId'))
  t.strictSame(await found(text), [])
  t.strictSame(await found(text, [['PoolId', '/auth/arn']]), CERTAIN)
  t.strictSame(await found(text, [['/auth/arn', 'x', 'PoolId']]), CERTAIN)
  t.strictSame(await found(text, [['OtherId', '/auth/arn']]), [])
  const id = 'arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_Ab1'
  t.strictSame(await found(api('!Ref PoolId', `'${id}'`, client('!Ref OtherId'))), [])
  for (const name of [
    id,
    'eu-west-1_Ab1',
    'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab1',
  ]) {
    t.strictSame(
      await found(api('!Ref PoolId', `'${id}'`, client('!Ref OtherId')), [['PoolId', name]]),
      CERTAIN,
      name,
    )
  }
  const both = `${api('!Ref Pool', '!ImportValue other')}  Pool: { Type: AWS::Cognito::UserPool }\n`
  t.strictSame(await found(both), [])
  t.strictSame(await found(both, [['Pool', 'other']]), CERTAIN)
})

t.test('the option pools is validated', (t) => {
  const assertInvalid = (pools: unknown, message: string) =>
    t.throws(() => checkScopes([], { pools } as never), { code: 'ERR_OPTION_INVALID', message })
  assertInvalid(
    'a',
    'pools: expected an array of groups of names, got "a". Pass an array of arrays.',
  )
  assertInvalid(
    ['a'],
    'pools[0]: expected at least two names of one user pool, got "a". List every name of the pool.',
  )
  assertInvalid(
    [['a', 'b'], ['c']],
    'pools[1]: expected at least two names of one user pool, got 1 names. List every name of the pool.',
  )
  assertInvalid(
    [['a', 5]],
    'pools[0][1]: expected a name, id or address of a user pool, got 5. Pass a string.',
  )
  assertInvalid(
    [['a', '']],
    'pools[0][1]: expected a name, id or address of a user pool, got "". Pass a string.',
  )
  assertInvalid(
    [
      ['a', 'b'],
      ['c', 'a'],
    ],
    'pools[1][1]: expected a name that is in one group once, got a, which is pools[0][0] too. Remove one of the two.',
  )
  t.strictSame(checkScopes([], { pools: [] }), [])
  t.end()
})

t.test('two pools that templates create are not one', async (t) => {
  const text =
    'Resources: { A: { Type: AWS::Cognito::UserPool }, B: { Type: AWS::Cognito::UserPool } }'
  const model = await read('a.yaml', text)
  t.throws(() => checkScopes(model, { pools: [['A', 'B']] }), {
    message:
      'pools[0]: expected names of one user pool, got 2 pools that the templates create. Remove names.',
  })
})

t.test('Terraform data sources and remote state', async (t) => {
  const module = (id: string, issuer: string) => `variable "user_pool_id" {}
variable "user_pool_arn" {}
data "aws_cognito_user_pool" "main" { user_pool_id = "x" }
data "aws_cognito_user_pools" "all" { name = "main" }
data "aws_ssm_parameter" "pool_id" { name = "/auth/pool-id" }
data "aws_ssm_parameter" "pool_arn" { name = "/auth/pool-arn" }
variable "stage" {}
data "aws_ssm_parameter" "stage_id" { name = "/\${var.stage}/pool-id" }
data "aws_ssm_parameter" "stage_arn" { name = "/\${var.stage}/pool-arn" }
data "terraform_remote_state" "auth" { backend = "s3" }
resource "aws_cognito_resource_server" "s" {
  user_pool_id = ${id}
  identifier   = "s"
  name         = "s"
  scope {
    scope_name        = "api"
    scope_description = "x"
  }
}
resource "aws_cognito_user_pool_client" "other" {
  user_pool_id = data.terraform_remote_state.other.outputs.pool
}
data "terraform_remote_state" "other" { backend = "s3" }
resource "aws_api_gateway_authorizer" "guard" {
  rest_api_id   = aws_api_gateway_rest_api.api.id
  type          = "COGNITO_USER_POOLS"
  provider_arns = [${issuer}]
}
resource "aws_api_gateway_rest_api" "api" {}
resource "aws_api_gateway_method" "get" {
  rest_api_id          = aws_api_gateway_rest_api.api.id
  resource_id          = aws_api_gateway_rest_api.api.root_resource_id
  http_method          = "GET"
  authorization        = "COGNITO_USER_POOLS"
  authorizer_id        = aws_api_gateway_authorizer.guard.id
  authorization_scopes = ["s/echo"]
}
`
  const cases: [id: string, arn: string, expected: string[]][] = [
    [
      'var.user_pool_id',
      'var.user_pool_arn',
      assumed('var.user_pool_id and var.user_pool_arn are the same user pool'),
    ],
    ['data.aws_cognito_user_pool.main.id', 'data.aws_cognito_user_pool.main.arn', CERTAIN],
    [
      'tolist(data.aws_cognito_user_pools.all.ids)[0]',
      'tolist(data.aws_cognito_user_pools.all.arns)[0]',
      CERTAIN,
    ],
    [
      'one(data.aws_cognito_user_pools.all.ids)',
      'one(data.aws_cognito_user_pools.all.arns)',
      CERTAIN,
    ],
    ['data.aws_cognito_user_pools.all.ids[0]', 'data.aws_cognito_user_pools.all.arns[1]', []],
    [
      'data.aws_cognito_user_pool.main["a"].id',
      'data.aws_cognito_user_pool.main["a"].arn',
      CERTAIN,
    ],
    ['data.aws_cognito_user_pool.main["a"].id', 'data.aws_cognito_user_pool.main["b"].arn', []],
    [
      'data.aws_ssm_parameter.stage_id.value',
      'data.aws_ssm_parameter.stage_arn.value',
      assumed('/${var.stage}/pool-id and /${var.stage}/pool-arn are the same user pool'),
    ],
    ['"${terraform.workspace}_Ab1"', '"${terraform.workspace}_Ab1"', CERTAIN],
    [
      'data.aws_ssm_parameter.pool_id.value',
      'data.aws_ssm_parameter.pool_arn.value',
      assumed('/auth/pool-id and /auth/pool-arn are the same user pool'),
    ],
    [
      'data.terraform_remote_state.auth.outputs.user_pool_id',
      'data.terraform_remote_state.auth.outputs.user_pool_arn',
      assumed(
        'data.terraform_remote_state.auth.outputs.user_pool_id and data.terraform_remote_state.auth.outputs.user_pool_arn are the same user pool',
      ),
    ],
  ]
  for (const [id, arn, expected] of cases) {
    t.strictSame(describeFindings([await read('main.tf', module(id, arn))]), expected, id)
  }
  const own = module('aws_cognito_user_pool.own.id', 'data.aws_cognito_user_pool.main.arn')
  const created = 'resource "aws_cognito_user_pool" "own" {}\n'
  t.strictSame(
    describeFindings([await read('main.tf', `${own}${created}`)]),
    ['warning scope-unused'],
    'a module looks up no pool that it creates',
  )
})

t.test('the stem of a name', (t) => {
  for (const [stem, ...names] of [
    [
      'authcognitouserpool',
      '/auth/CognitoUserPoolId',
      '/auth/CognitoUserPoolArn',
      'auth/cognito-user-pool',
    ],
    ['userpool', 'UserPoolID', 'USER_POOL_ARN', 'userpoolid', 'UserPoolIssuerUrl', 'UserPool'],
    ['datapool', 'data.pool_id.value', 'data.pool_arn.insecure_value'],
    ['userpool0', 'user_pool_ids.0', 'user_pool_arns.0'],
    ['grid', 'Grid'],
    ['arn', 'arn'],
    ['id', '/id'],
  ] as const) {
    for (const name of names) t.equal(getPoolStem(name), stem, name)
  }
  t.end()
})

t.test('a template that creates a pool names another one by a parameter', async (t) => {
  const pool = '  Pool: { Type: AWS::Cognito::UserPool }\n'
  const partner = (id: string) =>
    `  Partner: { Type: AWS::Cognito::UserPoolClient, Properties: { UserPoolId: ${id}, GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [client_credentials], AllowedOAuthScopes: [partner/read] } }\n`
  const errors = async (more: string, arn = '!GetAtt Pool.Arn') =>
    (await found(api('!Ref Pool', arn, pool + more))).filter((one) => one.startsWith('error'))
  t.strictSame(await errors(partner('!Ref Pool')), [
    'error scope-undefined',
    'error grant-undefined',
  ])
  const imported = "!ImportValue { 'Fn::Sub': '${Env}-pool' }"
  for (const id of ['!Ref OtherId', imported, '!If [A, a, b]', 'eu-west-1_Other']) {
    t.strictSame(await errors(partner(id)), ['error scope-undefined'], id)
  }
  t.strictSame(await errors('', '!Ref PoolArn'), [], 'an authorizer of another pool')
})
