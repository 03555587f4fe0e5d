import t from 'tap'
import { readTemplate } from '../../../../src/contract/infra/index.ts'
import { describeFact, describeList, fixture, read } from '../../../support/templates.ts'

const yaml = (resources: string, more = '') => read('t.yaml', `${more}\nResources:\n${resources}`)

/** Reads the scopes of a client from a YAML flow list. */
async function scopes(list: string, more = '') {
  const model = await yaml(
    `  Server:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties: { Identifier: orders, UserPoolId: !Ref Pool, Scopes: [{ ScopeName: a }] }
  Pool: { Type: AWS::Cognito::UserPool }
  Client:
    Type: AWS::Cognito::UserPoolClient
    Properties:
      AllowedOAuthScopes: ${list}
`,
    more,
  )
  const found = model.clients[0]?.scopes
  return [...(found?.items.map(({ value }) => value) ?? []), ...(found?.complete ? [] : ['…'])]
}

t.test('each fact of a template has its value and position', async (t) => {
  const model = await readTemplate(fixture('orders.yaml'))
  t.equal(model.dialect, 'cloudformation')
  t.strictSame(model.files, ['orders.yaml'])
  t.equal(describeFact(model.userPools[0]?.name), '12:26 orders-pool')
  t.equal(describeFact(model.domains[0]?.domain), '15:55 ? orders-<Stage>')
  t.equal(describeFact(model.domains[0]?.userPool), '15:36 ? Pool.Ref')
  const [server] = model.resourceServers
  t.equal(describeFact(server?.identifier), '20:24 orders')
  t.strictSame(
    server?.scopes.map(({ name, description }) => [describeFact(name), describeFact(description)]),
    [
      ['23:24 read', '23:48 Read orders'],
      ['24:22 write', '25:29 Change orders'],
    ],
  )
  t.equal(server?.scopesComplete, true)
  const [client] = model.clients
  t.strictSame(client?.at, { file: 'orders.yaml', line: 26, column: 3 })
  t.strictSame(client?.dependsOn, ['Server', 'Pool'])
  t.strictSame(describeList(client?.scopes), [
    ...[
      '36:16 orders/read',
      '37:17 orders/write',
      '38:11 orders/read',
      '39:24 ? shared-scope',
      '…',
    ],
  ])
  t.strictSame(
    client?.scopes?.items.map(({ refs }) => refs),
    [['Server'], ['Server'], [], []],
  )
  t.equal(describeFact(client?.accessTokenValidity), '40:39 900')
  t.equal(describeFact(client?.generateSecret), '32:23 true')
  t.equal(describeFact(client?.oauth), '33:40 true')
  t.strictSame(describeList(client?.flows), ['34:27 client_credentials'])
  t.equal(describeFact(model.parameters[0]?.value), '44:72 ? Pool.Arn')
  t.strictSame(describeList(model.authorizers[0]?.userPools), ['55:30 ? Pool.Arn', '…'])
  const [route] = model.routes
  t.equal(describeFact(route?.path), '66:24 /orders/{id}')
  t.equal(describeFact(route?.method), '67:19 GET')
  t.equal(route?.authorizer, 'Authorizer')
  t.equal(route?.authorization, 'cognito')
  t.strictSame(describeList(route?.scopes), ['70:34 orders/read'])
  t.strictSame(model.dangling, [])
  t.equal(model.complete, true)
})

t.test('parameter values override defaults', async (t) => {
  const model = await readTemplate(fixture('orders.yaml'), {
    parameters: { Stage: 'test', Identifier: 'sales' },
  })
  t.equal(describeFact(model.domains[0]?.domain), '15:55 orders-test')
  t.equal(model.clients[0]?.scopes?.items[0]?.value, 'sales/read')
})

t.test('SAM: authorizers, defaults and events become routes', async (t) => {
  const model = await readTemplate(fixture('auth.yaml'))
  t.equal(model.dialect, 'sam')
  const [authorizer] = model.authorizers
  t.equal(authorizer?.id, 'OrdersApi.Cognito')
  t.strictSame(describeList(authorizer?.userPools), ['15:31 ? /orders/pool-arn', '…'])
  t.strictSame(
    model.routes.map(({ id, method, path, authorization, scopes }) => [
      ...[id, method?.value, path?.value, authorization, scopes?.items.map(({ value }) => value)],
    ]),
    [
      ['Orders.List', 'GET', '/orders', 'cognito', ['orders/read', 'orders/write']],
      ['Orders.Create', 'POST', '/orders', 'cognito', ['orders/write']],
      ['Orders.Health', 'GET', '/health', 'none', undefined],
    ],
  )
  t.strictSame(model.dangling, [], 'OrdersRole is made by SAM')
})

t.test('intrinsic functions are resolved or unknown', async (t) => {
  const cases: [string, (string | undefined)[]][] = [
    ["['a/b']", ['a/b']],
    ["'a/b'", ['a/b']],
    ["[!Sub '${Server}/a']", ['orders/a']],
    ["[!Sub ['${x}/${y}', { x: !Ref Server, y: b }]]", ['orders/b']],
    ["[!Sub '${!x}${Server}$']", ['${x}orders$']],
    ["[!Sub '${AWS::Region}/a']", [undefined, '…']],
    ["[!Sub '${Pool.Arn}/a']", [undefined, '…']],
    ["[{ 'Fn::Join': ['/', [{ Ref: Server }, a]] }]", ['orders/a']],
    ["[!Join ['', [a, /, b]]]", ['a/b']],
    ['[!Join [!Ref AWS::Region, [a, b]]]', [undefined, '…']],
    ["[!Select [1, ['x/a', 'x/b']]]", ['x/b']],
    ["[!Select [7, ['x/a']]]", [undefined, '…']],
    ["!Split [',', 'x/a,x/b']", ['x/a', 'x/b']],
    ["!Split [',', !Ref AWS::Region]", ['…']],
    ["[!If [Prod, 'x/a', !Ref AWS::NoValue]]", [undefined, '…']],
    ["[!Ref AWS::NoValue, 'x/b']", ['x/b']],
    ['[!FindInMap [M, a, b]]', ['m/a']],
    ['[!FindInMap [M, a, !Ref AWS::Region]]', [undefined, '…']],
    ['!Ref Scopes', ['p/a', 'p/b']],
    ['[!Ref Needed]', [undefined, '…']],
    ["['{{resolve:ssm:/scope}}', '{{resolve:secretsmanager:x}}']", [undefined, undefined, '…']],
    ['[!GetAtt Value]', [undefined, '…']],
    ['[!GetAtt [Pool, Arn]]', [undefined, '…']],
    ['[!Sub [!Ref Server]]', [undefined, '…']],
    ['[!Sub ""]', ['']],
    ['[!Condition Prod]', [undefined, '…']],
    ['[!Ref [a]]', [undefined, '…']],
    ['[!Join [/, []], !Join [x]]', ['', undefined, '…']],
    ['[!Join [/, !Ref Long], !Join x]', [undefined, undefined, '…']],
  ]
  const more = `Parameters:
  Scopes: { Type: CommaDelimitedList, Default: 'p/a, p/b' }
  Needed: { Type: String }
  Long: { Type: CommaDelimitedList, Default: '${','.repeat(2000)}' }
Mappings: { M: { a: { b: m/a } } }`
  for (const [list, expected] of cases) t.strictSame(await scopes(list, more), expected, list)
})

t.test('undefined names are reported, unless a macro may define them', async (t) => {
  const resources = `  A: { Type: 'AWS::X::Y', DependsOn: [Gone, B], Properties: { v: !Ref Missing, w: !GetAtt No.Arn } }
  B: { Type: 'AWS::X::Y' }
Outputs: { O: { Value: !Sub '\${Typo}' } }`
  const model = await yaml(resources)
  t.strictSame(
    model.dangling.map(({ name, at }) => `${at.line}:${at.column} ${name}`),
    ['3:71 Missing', '3:91 No', '5:29 Typo', '3:39 Gone'],
  )
  const open = await yaml(resources, 'Transform: [MyMacro]')
  t.strictSame([open.dangling, open.complete], [[], false])
  const loop = await yaml(`  Fn::ForEach::X: [a, [b], {}]\n${resources}`)
  t.strictSame([loop.dangling, loop.complete], [[], false])
})

t.test('JSON, also with tabs, is read with positions', async (t) => {
  const model = await read(
    't.json',
    '{\n\t"Resources": {\n\t\t"P": {"Type": "AWS::Cognito::UserPool",\n\t\t\t"Properties": {"UserPoolName": {"Fn::Sub": "a"}}}\n\t}\n}',
  )
  t.equal(describeFact(model.userPools[0]?.name), '4:35 a')
})

t.test('token lifetimes are converted to seconds', async (t) => {
  const client = async (members: string) => {
    const text = `  C: { Type: AWS::Cognito::UserPoolClient, Properties: { ${members} } }`
    return (await yaml(text, 'Parameters: { U: { Type: String } }')).clients[0]
  }
  const lifetime = async (members: string) => (await client(members))?.accessTokenValidity?.value
  t.equal(await lifetime('AccessTokenValidity: 2'), 7200)
  t.equal(
    await lifetime("AccessTokenValidity: '5', TokenValidityUnits: { AccessToken: minutes }"),
    300,
  )
  t.equal(
    await lifetime('AccessTokenValidity: 5, TokenValidityUnits: { AccessToken: !Ref U }'),
    undefined,
  )
  t.equal(await lifetime('AccessTokenValidity: 5, TokenValidityUnits: !Ref U'), undefined)
  t.equal(await lifetime('AccessTokenValidity: !Ref U'), undefined)
  t.equal(await lifetime('AccessTokenValidity: soon'), undefined)
  t.equal(await lifetime('GenerateSecret: true'), undefined)
  t.equal((await client("GenerateSecret: 'false'"))?.generateSecret?.value, false)
  t.equal((await client('GenerateSecret: yes'))?.generateSecret?.value, true)
  t.equal((await client('GenerateSecret: perhaps'))?.generateSecret?.value, undefined)
})
