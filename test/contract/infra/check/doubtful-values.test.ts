/** Values that the deployment may replace, and references outside of the properties: no error without proof. */
import t from 'tap'
import { checkScopes } from '../../../../src/contract/infra/index.ts'
import { read } from '../../../support/templates.ts'

async function check(file: string, text: string): Promise<string[]> {
  const findings = checkScopes(await read(file, text))
  return findings
    .filter(({ severity }) => severity === 'error')
    .map(({ code, resource }) => `${code} ${resource}`)
}

t.test('an empty default of a parameter stands for a value of the deployment', async (t) => {
  const template = (value: string) => `Parameters:
  Text: { Type: String, Default: '${value}' }
  Texts: { Type: CommaDelimitedList, Default: '${value}' }
Conditions: { IsGiven: !Not [!Equals [!Ref Text, '']] }
Resources:
  Rest: { Type: AWS::ApiGateway::Authorizer, Condition: IsGiven, Properties: { RestApiId: x, Type: COGNITO_USER_POOLS, ProviderARNs: [!Ref Text] } }
  RestList: { Type: AWS::ApiGateway::Authorizer, Condition: IsGiven, Properties: { RestApiId: x, Type: COGNITO_USER_POOLS, ProviderARNs: !Ref Texts } }
  Http: { Type: AWS::ApiGatewayV2::Authorizer, Condition: IsGiven, Properties: { ApiId: x, AuthorizerType: JWT, JwtConfiguration: { Issuer: !Ref Text, Audience: [a] } } }
  Domain: { Type: AWS::Cognito::UserPoolDomain, Condition: IsGiven, Properties: { UserPoolId: eu-west-1_AbCdEfGhI, Domain: !Ref Text } }
  Server: { Type: AWS::Cognito::UserPoolResourceServer, Condition: IsGiven, Properties: { UserPoolId: eu-west-1_AbCdEfGhI, Identifier: !Ref Text, Name: x } }
  Client: { Type: AWS::Cognito::UserPoolClient, Condition: IsGiven, Properties: { UserPoolId: eu-west-1_AbCdEfGhI, AllowedOAuthFlows: !Ref Texts } }
`
  t.strictSame(await check('a.yaml', template('')), [])
  t.strictSame(await check('a.yaml', template('A b')), [
    'authorizer-provider Rest',
    'authorizer-provider RestList',
    'authorizer-issuer Http',
    'cognito-limit Domain',
    'cognito-limit Server',
    'flow-invalid Client',
  ])
})

t.test('empty identifiers, names and scopes stand for values of the deployment', async (t) => {
  const template = (value: string) => `Parameters:
  First: { Type: String, Default: '${value}' }
  Second: { Type: String, Default: '${value}' }
  Scopes: { Type: CommaDelimitedList, Default: '${value}' }
Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  One: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: !Ref Pool, Identifier: !Ref First, Name: x } }
  Two: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: !Ref Pool, Identifier: !Ref Second, Name: x, Scopes: [{ ScopeName: !Ref First, ScopeDescription: x }] } }
  Client: { Type: AWS::Cognito::UserPoolClient, Properties: { UserPoolId: !Ref Pool, GenerateSecret: true, AllowedOAuthFlows: [client_credentials], AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthScopes: !Ref Scopes } }
  Route: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: x, ResourceId: x, HttpMethod: GET, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Guard, AuthorizationScopes: !Ref Scopes } }
  Guard: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: x, Type: COGNITO_USER_POOLS, ProviderARNs: [!GetAtt Pool.Arn] } }
`
  t.strictSame(await check('a.yaml', template('')), [])
  t.strictSame((await check('a.yaml', template('a/'))).sort(), [
    'cognito-limit Two',
    'grant-undefined Client',
    'identifier-repeated Two',
    'scope-undefined Route',
  ])
})

t.test('a route for preflight requests is public deliberately', async (t) => {
  const template = (method: string) => `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Guard: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: x, Type: COGNITO_USER_POOLS, ProviderARNs: [!GetAtt Pool.Arn] } }
  Route: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: x, ResourceId: x, HttpMethod: ${method}, AuthorizationType: NONE, AuthorizerId: !Ref Guard } }
`
  t.strictSame(await check('a.yaml', template('OPTIONS')), [])
  t.strictSame(await check('a.yaml', template('GET')), ['authorizer-missing Route'])
})

t.test('a reference in the metadata is a dependency', async (t) => {
  const template = (metadata: string) => `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Server: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: !Ref Pool, Identifier: a, Name: a, Scopes: [{ ScopeName: b, ScopeDescription: c }] } }
  Client: { Type: AWS::Cognito::UserPoolClient, Metadata: { ${metadata} }, Properties: { UserPoolId: !Ref Pool, AllowedOAuthFlows: [client_credentials], AllowedOAuthFlowsUserPoolClient: true, GenerateSecret: true, AllowedOAuthScopes: [a/b] } }
`
  t.strictSame(await check('a.yaml', template('')), ['scope-order Client'])
  t.strictSame(await check('a.yaml', template('Waits: !Ref Server')), [])
  t.strictSame(await check('a.yaml', template('Waits: !Ref Unknown')), ['scope-order Client'])
})

t.test('an argument of ignore_changes may have another value', async (t) => {
  const client = (ignored: string) => `resource "aws_cognito_user_pool_client" "c" {
  user_pool_id                         = "eu-west-1_AbCdEfGhI"
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_flows_user_pool_client = true
  generate_secret                      = false
  allowed_oauth_scopes                 = ["a/b"]
  lifecycle {
    ${ignored}
  }
}
`
  const ERROR = ['client-no-secret aws_cognito_user_pool_client.c']
  t.strictSame(await check('a.tf', client('')), ERROR)
  for (const ignored of ['generate_secret', 'name, generate_secret', 'generate_secret[0].x'])
    t.strictSame(await check('a.tf', client(`ignore_changes = [${ignored}]`)), [], ignored)
  t.strictSame(await check('a.tf', client('ignore_changes = all')), [])
  for (const ignored of ['name', '"x"'])
    t.strictSame(await check('a.tf', client(`ignore_changes = [${ignored}]`)), ERROR, ignored)
})

t.test('an imported client may have what its block does not state', async (t) => {
  const blocks = (more: string, imports: string) => `variable "clients" { default = { a = "x" } }
resource "aws_cognito_user_pool_client" "c" {
  ${more}
  user_pool_id        = "eu-west-1_AbCdEfGhI"
  allowed_oauth_flows = ["client_credentials"]
}
${imports}`
  const to = (address: string, more = '') =>
    `import {\n  to = ${address}\n  id = "x"\n  ${more}\n}\n`
  const own = to('aws_cognito_user_pool_client.c')
  const address = 'aws_cognito_user_pool_client.c'
  const none = [`client-no-secret ${address}`, `oauth-off ${address}`]
  t.strictSame(await check('main.tf', blocks('', '')), none)
  t.strictSame(await check('main.tf', blocks('', to('aws_cognito_user_pool_client.other'))), none)
  t.strictSame(await check('main.tf', blocks('', to('"x"'))), none)
  t.strictSame(await check('main.tf', blocks('', own)), [])
  const stated = 'generate_secret = false\n  allowed_oauth_flows_user_pool_client = false'
  t.strictSame(await check('main.tf', blocks(stated, own)), none)
  const each = to(`${address}[each.key]`, 'for_each = var.clients')
  t.strictSame(await check('main.tf', blocks('for_each = var.clients', each)), [])
  const json = (more: object) =>
    JSON.stringify({
      resource: {
        aws_cognito_user_pool_client: {
          c: { user_pool_id: 'eu-west-1_AbCdEfGhI', allowed_oauth_flows: ['client_credentials'] },
        },
      },
      ...more,
    })
  t.strictSame(await check('main.tf.json', json({})), none)
  t.strictSame(await check('main.tf.json', json({ import: [{ to: `${address}["a"]` }] })), [])
  t.strictSame(await check('main.tf.json', json({ import: [{ to: [address] }] })), none)
})
