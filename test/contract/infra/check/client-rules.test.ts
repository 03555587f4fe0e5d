/** Findings about flows, grants, domains and triggers: each mistake, and templates that come close to it. */
import t from 'tap'
import { checkScopes } from '../../../../src/contract/infra/index.ts'
import { listFindings, read } from '../../../support/templates.ts'

type Test = Pick<typeof t, 'strictSame'>

const POOL = `  Pool: { Type: AWS::Cognito::UserPool }
  Domain: { Type: AWS::Cognito::UserPoolDomain, Properties: { UserPoolId: !Ref Pool, Domain: orders } }`
const SERVER =
  '  Server: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: !Ref Pool, Identifier: orders, Name: x, Scopes: [{ ScopeName: read, ScopeDescription: Read }] } }'
const OAUTH = 'GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true'
const READS = "AllowedOAuthScopes: [!Sub '${Server}/read']"
const MACHINE = `${OAUTH}, AllowedOAuthFlows: [client_credentials]`
const client = (properties: string, id = 'Client', more = '') =>
  `  ${id}: { Type: AWS::Cognito::UserPoolClient, ${more}Properties: { UserPoolId: !Ref Pool, ${properties} } }`
const READER = client(`${MACHINE}, ${READS}`, 'Reader')

const yaml = (...resources: string[]) => `Resources:\n${resources.join('\n')}\n`
const check = (...resources: string[]) => listFindings({ 'a.yaml': yaml(...resources) })
const terraform = (text: string) => listFindings({ 'a.tf': text })

/** Templates with the pool, the resource server and a correct client, and their findings. */
async function checkClients(
  t: Test,
  cases: readonly (readonly [client: string, ...findings: string[]])[],
) {
  for (const [properties, ...expected] of cases) {
    const found = await check(POOL, SERVER, READER, client(properties))
    t.strictSame(found, expected, properties)
  }
}

t.test('flows that do not exist, or have another type', async (t) => {
  const flows = (value: string) => `${OAUTH}, ${READS}, AllowedOAuthFlows: ${value}`
  await checkClients(t, [
    [flows('[client-credentials]'), 'error flow-invalid a.yaml: client-credentials'],
    [flows('[code, token]'), 'error flow-invalid a.yaml: token'],
    [flows('[client_credentials, password]'), 'error flow-invalid a.yaml: password'],
    [flows('client_credentials'), 'error flow-invalid a.yaml: client_credentials'],
    [
      flows('{ client_credentials: true }'),
      'error flow-invalid a.yaml: { client_credentials: true',
    ],
    [
      flows('[{ client_credentials: true }]'),
      'error flow-invalid a.yaml: { client_credentials: true',
    ],
    [flows('[[client_credentials]]'), 'error flow-invalid a.yaml: [client_credentials'],
    [flows('[code, implicit]')],
    [flows('[!Ref AWS::Region]')],
    [flows('!Ref AWS::Region')],
    [flows('!Split [",", "client_credentials"]')],
  ])
  t.strictSame(
    await terraform(`resource "aws_cognito_user_pool_client" "c" {
  allowed_oauth_flows = "client_credentials"
  generate_secret = true
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes = ["orders/read"]
}
`),
    ['error flow-invalid a.tf: "client_credentials"'],
  )
})

t.test('flows that exclude each other', async (t) => {
  const explicit = (flows: string) => `${MACHINE}, ${READS}, ExplicitAuthFlows: ${flows}`
  await checkClients(t, [
    [
      `${OAUTH}, ${READS}, AllowedOAuthFlows: [code, client_credentials]`,
      'error flow-mixed a.yaml: code',
    ],
    [
      explicit('[ALLOW_CLIENT_TOKEN_AUTH, ALLOW_USER_SRP_AUTH]'),
      'error flow-mixed a.yaml: ALLOW_USER_SRP_AUTH',
    ],
    [explicit('[ALLOW_CLIENT_TOKEN_AUTH]')],
    [explicit('[ALLOW_CLIENT_TOKEN_AUTH, !Ref AWS::Region]')],
    [explicit('[ALLOW_USER_SRP_AUTH, ALLOW_REFRESH_TOKEN_AUTH]')],
  ])
})

t.test('machine clients without scopes, and with reserved ones', async (t) => {
  await checkClients(t, [
    [MACHINE, 'error client-no-scopes a.yaml: Client: { Type: AWS::Cognito::UserPoolClient'],
    [`${MACHINE}, AllowedOAuthScopes: []`, 'error client-no-scopes a.yaml: ['],
    [`${MACHINE}, AllowedOAuthScopes: !Ref AWS::Region`],
    [`${MACHINE}, 'Fn::Transform': { Name: AWS::Include }`],
    [`${OAUTH}, AllowedOAuthFlows: [code]`],
    [
      'GenerateSecret: true, AllowedOAuthFlows: [client_credentials]',
      'error oauth-off a.yaml: Client: { Type: AWS::Cognito::UserPoolClient',
    ],
    [
      `${MACHINE}, AllowedOAuthScopes: [openid, aws.cognito.signin.user.admin, !Sub '\${Server}/read']`,
      'error scope-reserved a.yaml: openid',
      'error scope-reserved a.yaml: aws.cognito.signin.user.admin',
    ],
    [`${MACHINE}, AllowedOAuthScopes: [!Sub '\${Server}/read']`],
    [`${OAUTH}, AllowedOAuthFlows: [code], AllowedOAuthScopes: [openid]`],
    [
      `${OAUTH}, AllowedOAuthFlows: [client_credentials, code], AllowedOAuthScopes: [openid]`,
      'error flow-mixed a.yaml: code',
    ],
  ])
})

t.test('scopes of a pool without any resource server', async (t) => {
  const granted = client(`${MACHINE}, AllowedOAuthScopes: [orders/read]`)
  const GRANT = 'grant-undefined a.yaml: orders/read'
  t.strictSame(await check(POOL, granted), [`error ${GRANT}`])
  t.strictSame(
    await check(POOL, granted, granted.replace('Client:', 'Second:')),
    [`error ${GRANT}`, `error ${GRANT}`],
    'each client',
  )
  t.strictSame(
    await check(POOL, client(`${OAUTH}, AllowedOAuthFlows: [code], AllowedOAuthScopes: [openid]`)),
    [],
  )
  const elsewhere = (pool: string) => granted.replace('!Ref Pool', pool)
  for (const pool of ['eu-west-1_AbCdEfGhI', '!ImportValue pool-id', '!Ref AWS::Region']) {
    t.strictSame(await check(POOL, elsewhere(pool)), [], pool)
  }
  t.strictSame(await check(elsewhere('eu-west-1_AbCdEfGhI')), [], 'an existing pool')
  const auth = `${yaml(POOL)}Outputs: { Id: { Value: !Ref Pool, Export: { Name: pool-id } } }\n`
  t.strictSame(
    await listFindings({ 'auth.yaml': auth, 'a.yaml': yaml(elsewhere('!ImportValue pool-id')) }),
    [`warning ${GRANT}`],
  )
  const nested = '  Stack: { Type: AWS::CloudFormation::Stack }'
  t.strictSame(await check(POOL, granted, nested), [], 'a nested stack may add the resource server')
  const unknown = SERVER.replace('!Ref Pool', '!ImportValue other').replace(
    'orders',
    '!Ref AWS::Region',
  )
  t.strictSame(await check(POOL, granted, unknown), [], 'it may be in the pool')
})

t.test('machine clients in a pool without a domain', async (t) => {
  const [pool = '', domain = ''] = POOL.split('\n')
  const FOUND = ['warning pool-no-domain a.yaml: Pool: { Type: AWS::Cognito::UserPool']
  t.strictSame(await check(pool, SERVER, READER), FOUND)
  t.strictSame(await check(pool, domain, SERVER, READER), [])
  const second = client(`${MACHINE}, ${READS}`, 'Second')
  t.strictSame(await check(pool, SERVER, READER, second), FOUND, 'once')
  t.strictSame(
    await check(pool, domain.replace('!Ref Pool', '!Ref AWS::Region'), SERVER, READER),
    [],
    'it may be the domain of this pool',
  )
  const other = '  Other: { Type: AWS::Cognito::UserPool }'
  t.strictSame(
    await check(pool, other, domain.replace('!Ref Pool', '!Ref Other'), SERVER, READER),
    FOUND,
  )
  t.strictSame(
    await check(pool, domain.replace('Type:', 'Condition: A, Type:'), SERVER, READER),
    [],
  )
  const user = client(`${OAUTH}, AllowedOAuthFlows: [code], ${READS}`)
  t.strictSame(await check(pool, SERVER, user), [], 'users may sign in through the API')
  const explicit = (flows: string) =>
    client(`${MACHINE}, ${READS}, ExplicitAuthFlows: ${flows}`, 'Reader')
  t.strictSame(await check(pool, SERVER, explicit('[ALLOW_CLIENT_TOKEN_AUTH]')), [])
  t.strictSame(await check(pool, SERVER, explicit('!Ref AWS::Region')), [])
  t.strictSame(await check(pool, SERVER, explicit('[ALLOW_REFRESH_TOKEN_AUTH]')), FOUND)
  const open = client(`${MACHINE}, ${READS}, 'Fn::Transform': { Name: AWS::Include }`, 'Reader')
  t.strictSame(await check(pool, SERVER, open), [], 'it may have another flow')
  const conditional = client(`${MACHINE}, ${READS}`, 'Reader', 'Condition: A, ')
  t.strictSame(await check(pool, SERVER, conditional), [])
  const nested = '  Stack: { Type: AWS::CloudFormation::Stack }'
  t.strictSame(await check(pool, SERVER, READER, nested), [], 'a nested stack may add the domain')
  const imported = READER.replace('!Ref Pool', '!ImportValue pool-id')
  t.strictSame(await check(pool, SERVER, imported), [], 'a client of another pool')
})

t.test('triggers that machine tokens never reach', async (t) => {
  const triggers = (members: string, tier = '') =>
    POOL.replace('UserPool }', `UserPool, Properties: { ${tier}LambdaConfig: { ${members} } } }`)
  const versioned = (version: string) =>
    `PreTokenGenerationConfig: { LambdaArn: x, LambdaVersion: ${version} }`
  const found = (text: string, tier = '', ...clients: string[]) =>
    check(triggers(text, tier), SERVER, READER, ...clients)
  t.strictSame(await found(versioned('V1_0')), ['warning trigger-version a.yaml: V1_0'])
  t.strictSame(await found(versioned('V2_0')), ['warning trigger-version a.yaml: V2_0'])
  t.strictSame(await found(versioned('V3_0')), [])
  const method =
    '  Api: { Type: AWS::ApiGateway::RestApi }\n  Guard: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: !Ref Api, Type: COGNITO_USER_POOLS, ProviderARNs: [!GetAtt Pool.Arn] } }\n  Get: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Guard, AuthorizationScopes: [from-trigger] } }'
  const required = async (version: string) =>
    (await found(versioned(version), '', method)).filter((one) => one.includes('undefined'))
  t.equal((await required('V1_0')).length, 1)
  t.strictSame(await required('V3_0'), [], 'the trigger may add the scope')
  t.strictSame(await found(versioned('V3')), ['error trigger-version a.yaml: V3'])
  t.strictSame(await found(versioned('!Ref AWS::Region')), [])
  t.strictSame(await found('PreTokenGeneration: x'), ['warning trigger-version a.yaml: x'])
  t.strictSame(await found(`PreTokenGeneration: x, ${versioned('V3_0')}`), [])
  t.strictSame(await found("PreTokenGeneration: x, 'Fn::Transform': { Name: AWS::Include }"), [])
  t.strictSame(await found('PreTokenGeneration: x, PreTokenGenerationConfig: !Ref AWS::Region'), [])
  t.strictSame(await found('PreSignUp: x'), [])
  t.strictSame(await found(versioned('V3_0'), 'UserPoolTier: LITE, '), [
    'error trigger-version a.yaml: V3_0',
  ])
  t.strictSame(await found(versioned('V3_0'), 'UserPoolTier: PLUS, '), [])
  const user = client(`${OAUTH}, AllowedOAuthFlows: [code], ${READS}`)
  t.strictSame(await found(versioned('V2_0'), '', user), [], 'it may be for the users')
  t.strictSame(await found(versioned('V1_0'), 'UserPoolTier: LITE, ', user), [])
  t.strictSame(await check(triggers(versioned('V2_0'))), [], 'clients may be elsewhere')
  const signIn = client(`${MACHINE}, ${READS}, ExplicitAuthFlows: [ALLOW_USER_SRP_AUTH]`)
  t.strictSame(await found(versioned('V2_0'), '', signIn), [])
  const token = client(`${MACHINE}, ${READS}, ExplicitAuthFlows: [ALLOW_CLIENT_TOKEN_AUTH]`)
  t.strictSame(await found(versioned('V2_0'), '', token), ['warning trigger-version a.yaml: V2_0'])
  const unknown = client(`${OAUTH}, ${READS}, AllowedOAuthFlows: !Ref AWS::Region`)
  t.strictSame(await found(versioned('V2_0'), '', unknown), [])
  const module = (pool: string) => `resource "aws_cognito_user_pool" "p" {
  user_pool_tier = "LITE"
  lambda_config {
    ${pool}
  }
}
`
  t.strictSame(await terraform(module('pre_token_generation = "x"')), [])
  t.strictSame(
    await terraform(
      module(`pre_token_generation_config {
      lambda_arn = "x"
      lambda_version = "V2_0"
    }`),
    ),
    ['error trigger-version a.tf: "V2_0"'],
  )
})

t.test('references to a pool that are not its id', async (t) => {
  const member = (reference: string, id = 'Client') =>
    client(`${MACHINE}, ${READS}`, id).replace('!Ref Pool', reference)
  const REFERENCE = 'error pool-reference a.yaml:'
  for (const [reference, text] of [
    ['!GetAtt Pool.Arn', 'Pool.Arn'],
    ['!GetAtt Pool.ProviderName', 'Pool.ProviderName'],
    ['!GetAtt Pool.ProviderURL', 'Pool.ProviderURL'],
  ] as const) {
    t.strictSame(
      await check(POOL, SERVER, READER, member(reference)),
      [`${REFERENCE} ${text}`],
      reference,
    )
  }
  const arns = [
    'arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEfGhI',
    "!Sub 'arn:${AWS::Partition}:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/${Pool}'",
  ]
  for (const arn of arns) {
    const found = await check(POOL, SERVER, READER, member(arn))
    t.match(found, [/^error pool-reference/], arn)
    t.equal(found.length, 1)
  }
  const domain = POOL.replace('!Ref Pool', '!GetAtt Pool.Arn')
  t.strictSame(await check(domain, SERVER, READER), [`${REFERENCE} Pool.Arn`])
  const server = SERVER.replace('!Ref Pool', '!GetAtt Pool.Arn')
  t.strictSame(await check(POOL, server, READER), [`${REFERENCE} Pool.Arn`])
  for (const reference of [
    '!Ref Pool',
    '!GetAtt Pool.UserPoolId',
    '!ImportValue pool-arn',
    "'{{resolve:ssm:/pool-arn}}'",
    '!Ref AWS::Region',
    "!Sub '${Pool}'",
    'eu-west-1_AbCdEfGhI',
  ]) {
    const found = await check(POOL, SERVER, READER, member(reference))
    t.notMatch(found.join(), 'pool-reference', reference)
  }
  const fixes = async (file: string, text: string) =>
    checkScopes(await read(file, text))
      .filter(({ code }) => code === 'pool-reference')
      .map(({ fix }) => fix)
  const [arn = ''] = arns
  t.strictSame(await fixes('a.yaml', yaml(POOL, SERVER, member('!GetAtt Pool.Arn'))), [
    'use !Ref Pool',
  ])
  t.strictSame(await fixes('a.yaml', yaml(POOL, SERVER, member(arn))), ['use !Ref Pool'])
  t.strictSame(await fixes('a.yaml', yaml(member(arn).replace(READS, 'X: y'))), ['use !Ref Pool'])
  const module = (attribute: string) => `resource "aws_cognito_user_pool" "p" {}
resource "aws_cognito_user_pool_client" "c" {
  user_pool_id = aws_cognito_user_pool.p.${attribute}
}
`
  for (const attribute of ['arn', 'endpoint'])
    t.strictSame(await fixes('a.tf', module(attribute)), ['use aws_cognito_user_pool.p.id'])
  for (const attribute of ['id', 'name', 'custom_domain'])
    t.strictSame(await fixes('a.tf', module(attribute)), [], attribute)
})

t.test('resource servers of one pool with one identifier', async (t) => {
  const second = SERVER.replace('Server:', 'Second:')
  const REPEATED = 'error identifier-repeated a.yaml:'
  t.strictSame(await check(POOL, SERVER, READER, second), [`${REPEATED} orders`])
  const other = '  Other: { Type: AWS::Cognito::UserPool }'
  const granted = (id: string, server: string) =>
    client(`${MACHINE}, AllowedOAuthScopes: [!Sub '\${${server}}/read']`, id)
  t.strictSame(
    await check(
      POOL,
      SERVER,
      READER,
      other,
      second.replace('!Ref Pool', '!Ref Other'),
      granted('Third', 'Second').replace('!Ref Pool', '!Ref Other'),
    ),
    ['warning pool-no-domain a.yaml: Other: { Type: AWS::Cognito::UserPool'],
    'another pool',
  )
  const found = async (first: string, ...more: string[]) =>
    (await check(POOL, first, ...more)).filter((line) => line.includes('identifier-repeated'))
  t.strictSame(await found(SERVER, second.replace('Type:', 'Condition: A, Type:')), [])
  const symbolic = (text: string, identifier: string) =>
    text.replace('Identifier: orders', `Identifier: ${identifier}`)
  const composed = "!Sub '${AWS::StackName}-orders'"
  t.strictSame(await found(symbolic(SERVER, composed), symbolic(second, composed)), [
    `${REPEATED} '\${AWS::StackName}-orders'`,
  ])
  t.strictSame(await found(symbolic(SERVER, composed), second), [], 'they may be equal')
  const unknown = '!If [A, a, b]'
  t.strictSame(await found(symbolic(SERVER, unknown), symbolic(second, unknown)), [])
  const both = (reference: string) =>
    [SERVER, second].map((text) => text.replace('!Ref Pool', reference)).join('\n')
  for (const reference of ['!ImportValue pool-id', 'eu-west-1_AbCdEfGhI'])
    t.strictSame(await check(both(reference)), [`${REPEATED} orders`], reference)
  t.strictSame(await found(both('!If [A, a, b]')), [], 'any pool')
  const auth = `${yaml(POOL, SERVER, READER)}Outputs: { Id: { Value: !Ref Pool, Export: { Name: pool-id } } }\n`
  const service = yaml(second.replace('!Ref Pool', '!ImportValue pool-id'))
  t.strictSame(await listFindings({ 'auth.yaml': auth, 'a.yaml': service }), [`${REPEATED} orders`])
  const parameter = yaml(second.replace('!Ref Pool', '!Ref AWS::Region'))
  t.strictSame(
    (await listFindings({ 'auth.yaml': auth, 'a.yaml': parameter })).filter((line) =>
      line.includes('repeated'),
    ),
    [],
    'an assumption',
  )
  const external = yaml(SERVER.replace('!Ref Pool', '!ImportValue elsewhere'))
  t.strictSame(
    await listFindings({ 'b.yaml': external, 'a.yaml': external }),
    [],
    'the two may be alternatives',
  )
})

t.test('reserved words in the prefix of a domain', async (t) => {
  const found = (domain: string, more = '') =>
    check(POOL.replace('Domain: orders', `Domain: ${domain}${more}`), SERVER, READER)
  for (const [domain, text = domain] of [
    ['my-cognito-orders'],
    ['newcognito'],
    ['aws-orders'],
    ['amazonas'],
    ["!Sub 'cognito-${AWS::AccountId}'", "'cognito-${AWS::AccountId}'"],
    ["!Join ['-', [orders, aws, !Ref AWS::Region]]", "['-'"],
  ] as const)
    t.strictSame(await found(domain), [`error cognito-limit a.yaml: ${text}`], domain)
  for (const domain of [
    'orders',
    'cogni-to',
    'login.cognito.example.com',
    "!Sub 'cognito.${AWS::Region}.example.com'",
    "!Sub '${AWS::StackName}'",
    '!Ref AWS::StackName',
  ])
    t.strictSame(await found(domain), [], domain)
  const certificate = ', CustomDomainConfig: { CertificateArn: !ImportValue certificate }'
  t.strictSame(await found("!Sub 'cognito${AWS::StackName}'", certificate), [])
  t.strictSame(
    await found("!Sub 'cognito${AWS::StackName}'", ", 'Fn::Transform': { Name: AWS::Include }"),
    [],
    'an include may add a certificate',
  )
  const missing = POOL.replace(', Domain: orders', '')
  t.strictSame(await check(missing, SERVER, READER), [])
  const module = (more: string) => `resource "aws_cognito_user_pool" "p" {}
resource "aws_cognito_user_pool_domain" "d" {
  user_pool_id = aws_cognito_user_pool.p.id
  domain       = "cognito-\${terraform.workspace}"
  ${more}
}
`
  t.strictSame(await terraform(module('')), [
    'error cognito-limit a.tf: "cognito-${terraform.workspace}"',
  ])
  t.strictSame(await terraform(module('certificate_arn = aws_acm_certificate.c.arn')), [
    'error reference-missing a.tf: aws_acm_certificate.c.arn',
  ])
})
