/** Checks of templates that are deployed together. Unknown values cause no findings. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { type AppRoute, checkScopes, type InfraModel } from '../../../src/contract/infra/index.ts'
import { listFindings, read } from '../../support/templates.ts'

const SCOPES = '[{ ScopeName: read, ScopeDescription: Read }]'
const server = (pool: string, scopes = SCOPES) =>
  `{ Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: ${pool}, Identifier: orders, Name: x, Scopes: ${scopes} } }`
const client = (pool: string, scope: string, flows = 'client_credentials') =>
  `{ Type: AWS::Cognito::UserPoolClient, Properties: { UserPoolId: ${pool}, GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [${flows}], AllowedOAuthScopes: [${scope}] } }`
const domain = (name: string) =>
  `{ Type: AWS::Cognito::UserPoolDomain, Properties: { UserPoolId: !Ref Pool, Domain: ${name} } }`

/** A stack that publishes its pool by exports and SSM parameters. */
const AUTH = `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Server: ${server('!Ref Pool')}
  Domain: ${domain('auth')}
  Client: ${client('!Ref Pool', "!Sub '${Server}/read'")}
  Id: { Type: AWS::SSM::Parameter, Properties: { Name: /auth/pool-id, Type: String, Value: !Ref Pool } }
  Arn: { Type: AWS::SSM::Parameter, Properties: { Name: /auth/pool-arn, Type: String, Value: !GetAtt Pool.Arn } }
Outputs:
  Arn: { Value: !GetAtt Pool.Arn, Export: { Name: auth-pool-arn } }
  Id: { Value: !Ref Pool, Export: { Name: auth-pool-id } }
`
/** A second pool of the same deployment. Its resource server with the same identifier has more scopes. */
const OTHER = `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Server: ${server('!Ref Pool', '[{ ScopeName: echo, ScopeDescription: Echo }]')}
  Client: ${client('!Ref Pool', "!Sub '${Server}/echo'")}
  Domain: ${domain('other')}
`
const api = (
  arn: string,
  scope = 'orders/echo',
  more = '',
) => `Transform: AWS::Serverless-2016-10-31
Parameters:
  PoolArn: { Type: 'AWS::SSM::Parameter::Value<String>', Default: /auth/pool-arn }
  PoolId: { Type: 'AWS::SSM::Parameter::Value<String>', Default: /auth/pool-id }
  Given: { Type: String }
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Auth: { DefaultAuthorizer: Cognito, Authorizers: { Cognito: { UserPoolArn: ${arn}, AuthorizationScopes: [${scope}] } } }
  List:
    Type: AWS::Serverless::Function
    Properties: { Events: { Get: { Type: Api, Properties: { RestApiId: !Ref Api, Method: get, Path: /orders } } } }
${more}`
const http = (issuer: string) => `Parameters:
  PoolId: { Type: 'AWS::SSM::Parameter::Value<String>', Default: /auth/pool-id }
  Given: { Type: String }
Resources:
  Api: { Type: AWS::ApiGatewayV2::Api }
  Guard: { Type: AWS::ApiGatewayV2::Authorizer, Properties: { ApiId: !Ref Api, AuthorizerType: JWT, JwtConfiguration: { Issuer: ${issuer}, Audience: [!Ref Given] } } }
  Get: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: GET /orders, AuthorizationType: JWT, AuthorizerId: !Ref Guard, AuthorizationScopes: [orders/echo] } }
`
const ISSUER = 'https://cognito-idp.${AWS::Region}.amazonaws.com'
const ECHO = ['error scope-undefined api.yaml: orders/echo']
/** The pool is assumed to be the only one. */
const ASSUMED = ['warning scope-undefined api.yaml: orders/echo']

t.test('an API stack is compared with the pool that another stack publishes', async (t) => {
  const checkTogether = (text: string) =>
    listFindings({ 'auth.yaml': AUTH, 'api.yaml': text, 'other.yaml': OTHER })
  const joined = [
    ...['!Ref PoolArn', "'{{resolve:ssm:/auth/pool-arn}}'", '!ImportValue auth-pool-arn'],
    ...["!Sub 'arn:x:userpool/${PoolId}'", "!Sub 'arn:x:userpool/{{resolve:ssm:/auth/pool-id:1}}'"],
  ]
  for (const arn of joined) {
    t.strictSame(await checkTogether(api(arn)), ECHO, arn)
    t.strictSame(await checkTogether(api(arn, 'orders/read')), [], arn)
  }
  for (const issuer of [
    `!Sub '${ISSUER}/\${PoolId}'`,
    `!Sub ['${ISSUER}/\${p}', { p: !ImportValue auth-pool-id }]`,
  ]) {
    t.strictSame(await checkTogether(http(issuer)), ECHO, issuer)
  }
  const unjoined = [
    ...['!Ref Given', '!ImportValue elsewhere', "'{{resolve:ssm:/elsewhere}}'"],
    "'arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_Elsewhere'",
  ]
  for (const arn of unjoined) t.strictSame(await checkTogether(api(arn)), [], arn)
})

t.test(
  'an unknown reference means the only pool, a reference to another pool does not',
  async (t) => {
    const checkTogether = (text: string, auth = AUTH) =>
      listFindings({ 'auth.yaml': auth, 'api.yaml': text })
    t.strictSame(await checkTogether(api('!Ref Given')), ECHO)
    t.strictSame(await checkTogether(http(`!Sub '${ISSUER}/\${Given}'`)), ECHO)
    t.strictSame(await checkTogether(http('https://other.example.com/')), [], 'another issuer')
    t.strictSame(await checkTogether(http('!Ref Given')), [], 'any issuer')
    t.strictSame(
      await checkTogether(http("'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x'")),
      [],
    )
    t.strictSame(await checkTogether(api('!ImportValue elsewhere')), [])
    const unnamed = AUTH.replace('Name: /auth/pool-arn', "Name: !Sub '/${AWS::StackName}/pool-arn'")
    t.strictSame(await checkTogether(api('!Ref PoolArn'), unnamed), ASSUMED, 'it may be the one')
    const open = `Transform: [Macro]\n${AUTH}`
    t.strictSame(await checkTogether(api('!ImportValue elsewhere'), open), ASSUMED, 'or a macro’s')
    const sometimes = AUTH.replace(
      'Arn: { Type: AWS::SSM',
      'Arn: { Condition: Prod, Type: AWS::SSM',
    )
    t.strictSame(await checkTogether(api('!Ref PoolArn'), sometimes), ASSUMED)
    const cycle = `Resources:
  A: { Type: AWS::SSM::Parameter, Properties: { Name: /a, Value: '{{resolve:ssm:/b}}' } }
  B: { Type: AWS::SSM::Parameter, Properties: { Name: /b, Value: '{{resolve:ssm:/a}}' } }
  Server: ${server("'{{resolve:ssm:/a}}'")}
`
    t.strictSame(await listFindings({ 'a.yaml': cycle }), [])
  },
)

t.test('clients, resource servers and routes of several stacks and pools', async (t) => {
  const callers = (pool: string, scope: string) => `Parameters:
  PoolId: { Type: 'AWS::SSM::Parameter::Value<String>', Default: /auth/pool-id }
Resources:
  Client: ${client(pool, scope)}
`
  const checkTogether = (text: string) =>
    listFindings({ 'auth.yaml': AUTH, 'callers.yaml': text, 'other.yaml': OTHER })
  const findings = await Promise.all(
    [AUTH, OTHER, callers('!Ref PoolId', 'orders/echo')].map((text, index) =>
      read(`${index}.yaml`, text),
    ),
  )
  t.match(checkScopes(findings), [
    {
      file: '2.yaml',
      code: 'grant-undefined',
      message: 'Client is granted orders/echo, which no resource server of its pool defines',
      fix: 'define it there too: Server (1.yaml:3) belongs to another user pool',
    },
  ])
  t.strictSame(await checkTogether(callers('!Ref PoolId', 'orders/read')), [])
  t.strictSame(await checkTogether(callers('!ImportValue auth-pool-id', 'ordres/read')), [
    'error grant-undefined callers.yaml: ordres/read',
  ])
  t.strictSame(await checkTogether(callers('!Ref Missing', 'orders/echo')), [
    'error reference-missing callers.yaml: Missing',
  ])
  // A client of one pool does not use the scope of another pool.
  const idle = OTHER.replace(
    /\n {2}Client.*/,
    `\n  Client: ${client('!Ref Pool', 'openid', 'code')}`,
  )
  t.strictSame(
    await listFindings({
      'auth.yaml': AUTH.replace("'${Server}/read'", "'${Server}/echo'"),
      'other.yaml': idle,
    }),
    [
      'warning scope-unused auth.yaml: read',
      "error grant-undefined auth.yaml: '${Server}/echo'",
      'warning scope-unused other.yaml: echo',
    ],
  )
  // A pool that no template creates may define other identifiers.
  const service = `Parameters: { PoolId: { Type: String } }
Resources:
  Server: ${server('!Ref PoolId')}
  A: ${client('!Ref PoolId', "!Sub '${Server}/echo'")}
  B: ${client('!Ref PoolId', 'reports/run')}
`
  t.strictSame(await listFindings({ 'a.yaml': service }), [
    "error grant-undefined a.yaml: '${Server}/echo'",
  ])
  const literal = service
    .replaceAll('!Ref PoolId', 'eu-west-1_a')
    .replace('UserPoolId: eu-west-1_a', 'UserPoolId: eu-west-1_b')
  t.strictSame(await listFindings({ 'a.yaml': literal }), [], 'two pools')
  t.strictSame(await listFindings({ 'a.yaml': service.replaceAll('!Ref PoolId', 'eu-west-1_a') }), [
    "error grant-undefined a.yaml: '${Server}/echo'",
  ])
  const both = `${AUTH.replace('Identifier: orders', 'Identifier: !Ref AWS::StackName')}`
  t.strictSame(
    await listFindings({
      'auth.yaml': both,
      'callers.yaml': callers('!Ref PoolId', 'ordres/read'),
    }),
    [],
  )
})

t.test('users among the callers, and other APIs', async (t) => {
  const without = api('!Ref PoolArn', '').replace(', AuthorizationScopes: []', '')
  const checkTogether = (auth: string) => listFindings({ 'auth.yaml': auth, 'api.yaml': without })
  const GET = 'api.yaml: Get: { Type: Api'
  t.strictSame(await checkTogether(AUTH), [`error authorizer-no-scopes ${GET}`])
  const users = AUTH.replace(
    'Outputs:',
    `  Users: ${client('!Ref Pool', 'openid', 'code')}\nOutputs:`,
  )
  t.strictSame(await checkTogether(users), [`warning authorizer-no-scopes ${GET}`])
  t.strictSame(
    await checkTogether(AUTH.replace('Client: { Type', 'Client: { Condition: C, Type')),
    [`warning authorizer-no-scopes ${GET}`],
  )
  const routes: AppRoute[] = [{ method: 'GET', path: '/orders', auth: false }]
  const open = async (text: string, given: readonly AppRoute[] = routes) => {
    const files = { 'auth.yaml': AUTH, 'api.yaml': text }
    return (await listFindings(files, { routes: given })).filter((line) =>
      line.includes('route-open'),
    )
  }
  const one = ['error route-open-in-code routes: 1:1']
  const read = (more: string) => api('!Ref PoolArn', 'orders/read', more)
  t.strictSame(await open(read('')), one)
  const own = (path: string, method = 'get', id = 'Other') => `  ${id}:
    Type: AWS::Serverless::Function
    Properties: { Events: { Get: { Type: Api, Properties: { RestApiId: !Ref Api, Method: ${method}, Path: ${path} } } } }
`
  const second = (path: string) =>
    `  Second: { Type: AWS::Serverless::Api, Properties: { StageName: v1 } }\n${own(path)}`.replace(
      '!Ref Api',
      '!Ref Second',
    )
  t.strictSame(await open(read(second('/reports'))), one, 'an API of others')
  t.strictSame(await open(read(second('/orders'))), [], 'either of two')
  t.strictSame(await open(read(second('!Ref Given'))), [], 'perhaps either')
  t.strictSame(await open(read(own('!Ref Given'))), one, 'no route can be closer')
  const at = (path: string, method = 'GET'): AppRoute[] => [{ method, path, auth: false }]
  for (const [path, method, expected] of [
    ['/orders/:id', 'GET', one],
    ['/orders/{id}', 'get', one],
    ['/orders/a', 'GET', one],
    ['/orders/a/b', 'GET', []],
    ['/orders/:id(\\d+)', 'GET', []],
    ['/orders/*', 'GET', []],
    ['/files/a/b', 'POST', one],
    ['/files/*', 'POST', one],
    ['/files', 'POST', []],
    ['/', 'GET', []],
    ['/orders', 'PUT', []],
    ['/orders', 'ALL', []],
  ] as const) {
    const more = `${own("'/orders/{id}'")}${own("'/files/{proxy+}'", 'any', 'Files')}`
    t.strictSame(await open(read(more), at(path, method)), expected, `${method} ${path}`)
  }
  const sam = 'Transform: AWS::Serverless-2016-10-31'
  const macro = read(own("'/orders/{id}'")).replace(sam, `${sam.replace(' ', ' [')}, Macro]`)
  t.strictSame(await open(macro), one, 'no route can be closer')
  t.strictSame(await open(macro, at('/orders/a')), [], 'a macro may add one that is')
  const twice = `${own("'/orders/{id}'")}${own("'/{any}/a'", 'get', 'Any')}`
  t.strictSame(await open(read(twice), at('/orders/a')), [], 'two are as close')
  t.strictSame(
    await open(read(`${own("'/orders/{id}'")}${own('!Ref Given', 'get', 'Any')}`), at('/orders/a')),
    [],
    'one may be closer',
  )
  const mapped = (path: string, basePath: string): AppRoute[] => [
    { method: 'GET', path, basePath, auth: false },
  ]
  t.strictSame(await open(read(''), mapped('/v1/orders', '/v1')), one)
  const proxied = read(own("'/{proxy+}'", 'any'))
  t.strictSame(
    await open(proxied, mapped('/v1/orders', '/v1')),
    [],
    'with the front of the path, or without',
  )
  t.strictSame(
    await open(
      read('').replace(
        'Type: AWS::Serverless::Function',
        'Condition: C\n    Type: AWS::Serverless::Function',
      ),
    ),
    [],
    'perhaps not there',
  )
})

/** The page that contains the failing examples. */
const page = readFileSync(new URL('../../../docs/check-codes.md', import.meta.url), 'utf8')

/** Lists the path of every object in a model. */
function* listPaths(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  if (typeof value !== 'object' || value === null) return
  yield path
  for (const [key, inner] of Object.entries(value)) yield* listPaths(inner, [...path, key])
}

const getValue = (model: unknown, path: readonly string[]) =>
  path.reduce((value, key) => (value as Record<string, unknown>)[key], model) as object

/** Creates copies of a model, each with one value less. */
function removeFacts(model: InfraModel, path: readonly string[]): InfraModel[] {
  const value = getValue(model, path) as Record<string, unknown>
  const changes = [
    ...(value['source'] !== undefined && value['value'] !== undefined
      ? [{ value: undefined }]
      : []),
    ...(value['complete'] === true ? [{ complete: false }] : []),
    ...(value['scopesComplete'] === true ? [{ scopesComplete: false }] : []),
    ...(value['conditional'] === false ? [{ conditional: true }] : []),
  ]
  return changes.map((change) => {
    const copy = structuredClone(model)
    Object.assign(getValue(copy, path), change)
    return copy
  })
}

t.test('unknown values add no findings', async (t) => {
  const blocks = (text: string, language: string): string[] =>
    [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, name, code]) =>
      name === language ? [code as string] : [],
    )
  const resources = (text: string) =>
    text
      .split(/^(?= {2}\w)/m)
      .filter((part) => part.startsWith('  '))
      .map((part) => [/\w+/.exec(part)?.[0], part] as const)
  const [head, ...sections] = page.split(/^## /m) as [string, ...string[]]
  let count = 0
  for (const section of sections.filter((text) => text.startsWith('`'))) {
    const [failing] = section.split(/^Fixed:$/m) as [string]
    const yaml = blocks(failing, 'yaml')
    const changed = yaml.filter((text) => !text.startsWith('openapi:')).join('')
    const all = new Map([...resources(blocks(head, 'yaml')[0] as string), ...resources(changed)])
    // Other JSON is a configuration or a baseline.
    const documents = blocks(failing, 'json').map((code): unknown => JSON.parse(code))
    const routes = documents.filter((one) => Array.isArray(one)).flat() as AppRoute[]
    const model = await read('a.yaml', `Resources:\n${[...all.values()].join('')}`)
    const describeFindings = (models: InfraModel) =>
      checkScopes(models, { routes, proxyTtl: 3600 }).map(
        ({ code, line, column }) => `${code} ${line}:${column}`,
      )
    const before = new Set(describeFindings(model))
    for (const path of listPaths(model)) {
      for (const less of removeFacts(model, path)) {
        count += 1
        const more = describeFindings(less).filter((one) => !before.has(one))
        if (more.length > 0) t.fail(`${path.join('.')}: ${more.join(', ')}`)
      }
    }
  }
  t.ok(count > 400, `${count} models`)
})
