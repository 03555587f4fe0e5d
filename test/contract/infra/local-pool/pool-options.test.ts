import t from 'tap'
import {
  readTemplate,
  type SkippedFact,
  toPoolOptions,
} from '../../../../src/contract/infra/index.ts'
import { createTestUserPool } from '../../../../src/testing/index.ts'
import { fixture, read } from '../../../support/templates.ts'

const POOL = '  Pool: { Type: AWS::Cognito::UserPool }\n'

const server = (id: string, properties: string, more = ''): string =>
  `  ${id}: { Type: AWS::Cognito::UserPoolResourceServer, ${more}Properties: { ${properties} } }\n`

const client = (id: string, properties: string, more = ''): string =>
  `  ${id}: { Type: AWS::Cognito::UserPoolClient, ${more}Properties: { ${properties} } }\n`

const ORDERS = server(
  'Orders',
  'UserPoolId: !Ref Pool, Identifier: orders, Scopes: [{ ScopeName: read, ScopeDescription: Read }]',
)
const OAUTH = 'AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [client_credentials]'
const MACHINE = `UserPoolId: !Ref Pool, GenerateSecret: true, ${OAUTH}`
const READS = `${MACHINE}, AllowedOAuthScopes: [orders/read]`
const READER = client('Reader', READS)

const model = (...resources: readonly string[]) =>
  read('a.yaml', `Resources:\n${POOL}${resources.join('')}`)

/** Returns skipped parts as `line:column message`, and the options. */
async function readSkipped(...resources: readonly string[]) {
  const skipped: SkippedFact[] = []
  const options = toPoolOptions(await model(...resources), {
    onSkipped: (it) => skipped.push(it),
  })
  return {
    skipped: skipped.map(({ line, column, message }) => `${line}:${column} ${message}`),
    options,
  }
}

t.test('the clients of a template become clients of a test pool', async (t) => {
  const sources = fixture('orders.tf')
  const { text } = sources
  const whole = text.slice(0, text.indexOf('resource "aws_cognito_user_pool_client" "one"'))
  const options = toPoolOptions(await readTemplate({ ...sources, text: whole }))
  t.strictSame(options, {
    userPoolId: 'xx-local-1_orders',
    resourceServers: [
      { identifier: 'orders', scopes: { read: 'Read orders', write: 'Change orders' } },
    ],
    clients: [
      {
        clientId: 'billing',
        scopes: ['orders/read', 'orders/write'],
        flows: ['client_credentials'],
        oauth: true,
        clientToken: false,
        accessTokenValidity: 900,
      },
    ],
  })
  const pool = createTestUserPool(options)
  t.match(pool.clients[0]?.clientSecrets, [/^[a-z0-9]{51}$/])
})

t.test(
  'a client with ALLOW_CLIENT_TOKEN_AUTH gets tokens from GetClientToken, without OAuth',
  async (t) => {
    const flow = 'ExplicitAuthFlows: [ALLOW_CLIENT_TOKEN_AUTH]'
    const scopes = 'AllowedOAuthScopes: [orders/read]'
    const options = toPoolOptions(
      await model(
        ORDERS,
        client('Token', `UserPoolId: !Ref Pool, GenerateSecret: true, ${flow}, ${scopes}`),
        client('Both', `${READS}, ${flow}`),
        client('Users', `${READS}, ExplicitAuthFlows: [ALLOW_USER_SRP_AUTH]`),
        client('Plain', READS),
        client('Public', 'UserPoolId: !Ref Pool'),
      ),
    )
    t.strictSame(
      options.clients.map(({ clientId, clientToken }) => [clientId, clientToken]),
      [
        ['Token', true],
        ['Both', true],
        ['Users', false],
        ['Plain', false],
        ['Public', undefined],
      ],
    )
    const { clients } = createTestUserPool(options)
    t.match(clients[0], { clientToken: true, oauth: false, flows: [], scopes: ['orders/read'] })
    t.strictSame(
      clients.map(({ clientToken }) => clientToken),
      [true, true, false, false, false],
    )
  },
)

t.test('unknown parts are rejected without onSkipped', async (t) => {
  const open = await model(
    ORDERS,
    READER,
    client('Gone', `${MACHINE}, AllowedOAuthScopes: [orders/read]`, 'Condition: Never, '),
  )
  t.throws(() => toPoolOptions(open), {
    code: 'ERR_OPTION_INVALID',
    message:
      'cognito-m2m: the template: expected values that are known before the deployment, got a.yaml:5:3: a condition, count or loop decides whether Gone is deployed; make it unconditional to include it. Pass parameters to readTemplate, or set onSkipped.',
  })
  const skipped: SkippedFact[] = []
  t.strictSame(
    toPoolOptions([open], { onSkipped: (it) => skipped.push(it) }).clients.map((it) => it.clientId),
    ['Reader'],
  )
  t.match(skipped, [{ file: 'a.yaml', line: 5, column: 3, fix: /./ }])
})

t.test(
  'a template that cannot be deployed is rejected with the finding of the check',
  async (t) => {
    const invalid = await model(
      ORDERS,
      client('Reader', `${MACHINE}, AllowedOAuthScopes: [orders/raed]`),
    )
    t.throws(() => toPoolOptions(invalid), {
      message:
        /^cognito-m2m: the template: expected a template that can be deployed, got a\.yaml:4:\d+: Reader is granted orders\/raed, which no resource server of its pool defines; define it, or use orders\/read\.$/,
    })
  },
)

t.test('invalid options are rejected', async (t) => {
  const good = await model(ORDERS, READER)
  for (const [options, option, message] of [
    [
      { pool: 'Pool' },
      'pool',
      /^cognito-m2m: pool: expected one of userPool, onSkipped, got an unknown name/,
    ],
    [
      { userPool: 7 },
      'userPool',
      /userPool: expected the id of a user pool in the template, got 7\. Pass a string\.$/,
    ],
    [
      { userPool: 'Other' },
      'userPool',
      /: expected one of Pool \(a\.yaml:2:3\), got "Other"\. Choose one of the user pools\.$/,
    ],
    [{ onSkipped: true }, 'onSkipped', /expected a function, got /],
  ] as const) {
    t.throws(() => toPoolOptions(good, options as object), { option, message })
  }
  t.throws(() => toPoolOptions({} as typeof good), {
    message: /models: expected results of readTemplate, got an object\./,
  })
  const none = await read('a.yaml', `Resources:\n${READER}`.replace('UserPoolId: !Ref Pool, ', ''))
  t.throws(() => toPoolOptions(none, { userPool: 'Pool' }), {
    message:
      /expected no value for a template without a user pool, got "Pool"\. Remove the option\.$/,
  })
})

t.test('each unknown value is reported with its position', async (t) => {
  const unknown = '!ImportValue x'
  const machine = `UserPoolId: !Ref Pool, ${OAUTH}`
  const { skipped, options } = await readSkipped(
    server('Nameless', `UserPoolId: !Ref Pool, Identifier: ${unknown}`),
    server(
      'Partial',
      `UserPoolId: !Ref Pool, Identifier: a, Scopes: [{ ScopeName: ${unknown}, ScopeDescription: a }, { ScopeName: b, ScopeDescription: ${unknown} }]`,
    ),
    server('Listed', `UserPoolId: !Ref Pool, Identifier: c, Scopes: ${unknown}`),
    client(
      'Flows',
      `${MACHINE}, AllowedOAuthFlows: ${unknown}`.replace(
        'AllowedOAuthFlows: [client_credentials], ',
        '',
      ),
    ),
    client('OAuth', `UserPoolId: !Ref Pool, AllowedOAuthFlowsUserPoolClient: ${unknown}`),
    client('Secret', `UserPoolId: !Ref Pool, GenerateSecret: ${unknown}`),
    client(
      'Machine',
      `${machine}, GenerateSecret: ${unknown}, AllowedOAuthScopes: [a/b, ${unknown}, c/d, a/b]`,
    ),
    client('Scopes', `${MACHINE}, AllowedOAuthScopes: ${unknown}`),
    client('Lifetime', `${MACHINE}, AllowedOAuthScopes: [a/b], AccessTokenValidity: ${unknown}`),
    client('Other', `${READS}`.replace('!Ref Pool', 'eu-west-1_AbCdEfGhI')),
  )
  t.strictSame(
    skipped.map((line) => line.replace(/^\d+:\d+ /, '')),
    [
      'Other belongs to user pool eu-west-1_AbCdEfGhI',
      'the identifier of Nameless is unknown',
      'the name of a scope of Partial is unknown',
      'Listed may define scopes that the template does not list',
      'the OAuth flows of Flows are unknown',
      'it is unknown whether OAuth enables OAuth',
      'it is unknown whether Secret has a secret',
      'a scope of Machine is unknown',
      'Machine is granted c/d, which may be undefined in this user pool',
      'Scopes may be granted scopes that the template does not list',
      'no scope of Scopes is certain, and a token without scope is of no use',
      'the token lifetime of Lifetime is unknown: the default of 3600 s applies',
    ],
  )
  for (const line of skipped) t.match(line, /^[1-9]\d*:[1-9]\d* /)
  t.strictSame(options.resourceServers, [{ identifier: 'a', scopes: { b: 'b' } }])
  t.strictSame(
    options.clients.map(({ clientId, scopes }) => [clientId, ...scopes]),
    [
      ['Machine', 'a/b'],
      ['Lifetime', 'a/b'],
    ],
  )
  t.equal(createTestUserPool(options).clients.length, 2)
})

t.test('a scope depends on the parameters of the identifier that it refers to', async (t) => {
  const text = `Parameters: { Id: { Type: String }, Name: { Type: String } }
Resources:
${POOL}${ORDERS}${server('Named', 'UserPoolId: !Ref Pool, Identifier: !Ref Id, Scopes: [{ ScopeName: a, ScopeDescription: a }]')}${client('Known', `${MACHINE}, AllowedOAuthScopes: [!Sub '\${Orders}/\${Name}']`)}${client('Unknown', `${MACHINE}, AllowedOAuthScopes: [!Sub '\${Named}/a']`)}${client('Web', 'UserPoolId: !Ref Pool')}`
  const skipped: SkippedFact[] = []
  toPoolOptions(await read('a.yaml', text), { onSkipped: (it) => skipped.push(it) })
  t.strictSame(
    skipped.map(({ message, parameters }) => [
      /Known|Unknown|Named/.exec(message)?.[0],
      ...parameters,
    ]),
    [
      ['Named', 'Id'],
      ['Known', 'Name'],
      ['Known', 'Name'],
      ['Unknown', 'Id'],
      ['Unknown', 'Id'],
    ],
  )
})

t.test('machine clients without OAuth need no scope', async (t) => {
  const off = (scopes: string) =>
    `UserPoolId: !Ref Pool, GenerateSecret: true, AllowedOAuthFlows: [client_credentials]${scopes}`
  const { skipped, options } = await readSkipped(
    client('Without', off('')),
    client('Empty', off(', AllowedOAuthScopes: []')),
  )
  t.strictSame([skipped, options.clients.map(({ scopes }) => scopes)], [[], [[], []]])
})

t.test('skipped values name the parameters that they depend on', async (t) => {
  const text = `Parameters:
  Stage: { Type: String }
  Scopes: { Type: CommaDelimitedList }
  Name: { Type: String }
Resources:
${POOL}${server('Orders', "UserPoolId: !Ref Pool, Identifier: !Sub 'https://${Stage}.example.com', Scopes: [{ ScopeName: read, ScopeDescription: Read }, { ScopeName: !Ref Name, ScopeDescription: x }]")}${client('Composed', `${MACHINE}, AllowedOAuthScopes: [!Sub '\${Orders}/read']`)}${client('Listed', `${MACHINE}, AllowedOAuthScopes: !Ref Scopes`)}${client('Imported', `${MACHINE}, AllowedOAuthScopes: [!ImportValue x]`)}${client('Both', `${MACHINE}, AllowedOAuthScopes: [!Sub 'https://\${Stage}.example.com/\${Name}']`)}${client('Web', 'UserPoolId: !Ref Pool')}`
  const skipped: SkippedFact[] = []
  const options = { onSkipped: (it: SkippedFact) => skipped.push(it) }
  const { clients } = toPoolOptions(await read('a.yaml', text), options)
  t.strictSame(
    clients.map(({ clientId }) => clientId),
    ['Web'],
  )
  t.strictSame(
    skipped.map(({ message, fix, parameters }) => [message, fix, ...parameters]),
    [
      ['the identifier of Orders is unknown', 'pass the parameter Stage', 'Stage'],
      ['a scope of Composed is unknown', 'pass the parameter Stage', 'Stage'],
      [
        'no scope of Composed is certain, and a token without scope is of no use',
        'pass the parameter Stage',
        'Stage',
      ],
      [
        'Listed may be granted scopes that the template does not list',
        'pass the parameter Scopes',
        'Scopes',
      ],
      [
        'no scope of Listed is certain, and a token without scope is of no use',
        'pass the parameter Scopes',
        'Scopes',
      ],
      ['a scope of Imported is unknown', 'write the value in the template'],
      [
        'no scope of Imported is certain, and a token without scope is of no use',
        'write the value in the template',
      ],
      ['a scope of Both is unknown', 'pass the parameters Stage, Name', 'Stage', 'Name'],
      [
        'no scope of Both is certain, and a token without scope is of no use',
        'pass the parameters Stage, Name',
        'Stage',
        'Name',
      ],
    ],
  )
  const known = {
    parameters: { Stage: 'test', Scopes: 'https://test.example.com/read', Name: 'write' },
  }
  const complete = await readTemplate({ file: 'a.yaml', text }, known)
  t.strictSame(
    toPoolOptions(complete, { onSkipped: () => undefined }).clients.map(({ scopes }) => scopes),
    [
      ['https://test.example.com/read'],
      ['https://test.example.com/read'],
      ['https://test.example.com/write'],
      [],
    ],
  )
})

t.test('properties that a transform may add are unknown', async (t) => {
  const transform = "'Fn::Transform': { Name: AWS::Include }"
  const { skipped } = await readSkipped(
    ORDERS,
    READER,
    server('Stock', `UserPoolId: !Ref Pool, ${transform}`),
    client('One', transform),
    client('Two', `${transform}, AllowedOAuthFlows: []`),
    client(
      'Three',
      `${transform}, AllowedOAuthFlows: [code], AllowedOAuthFlowsUserPoolClient: true`,
    ),
    client(
      'Four',
      `${transform}, AllowedOAuthFlows: [client_credentials], AllowedOAuthFlowsUserPoolClient: true`,
    ),
    client(
      'Five',
      `${transform}, AllowedOAuthFlows: [client_credentials], AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthScopes: [orders/read]`,
    ),
  )
  t.strictSame(
    skipped.map((line) => line.replace(/^\d+:\d+ /, '')),
    [
      'the identifier of Stock is unknown',
      'the OAuth flows of One are unknown',
      'it is unknown whether Two enables OAuth',
      'it is unknown whether Three has a secret',
      'Four may be granted scopes that the template does not list',
      'no scope of Four is certain, and a token without scope is of no use',
      'the token lifetime of Five is unknown: the default of 3600 s applies',
    ],
  )
})

t.test('client ids derive from known names, are valid, and are unique', async (t) => {
  const named = (id: string, name: string) =>
    client(id, `${MACHINE}, AllowedOAuthScopes: [orders/read], ClientName: ${name}`)
  const { options } = await readSkipped(
    ORDERS,
    named('A', 'billing'),
    named('B', '"Log in!"'),
    named('C', 'billing'),
    named('D', '"…"'),
    named('E', '!ImportValue x'),
    named('F', 'billing-2'),
    named('G', `"${'long '.repeat(25)}"`),
  )
  t.strictSame(
    options.clients.map(({ clientId }) => clientId),
    [
      'billing',
      'Log-in',
      'billing-2',
      'client',
      'E',
      'billing-2-2',
      'long-'.repeat(24).slice(0, -1),
    ],
  )
  t.equal(createTestUserPool(options).clients.length, 7)
})

t.test('the id of the local pool derives from the logical id of the pool', async (t) => {
  for (const [id, userPoolId] of [
    ['Pool', 'xx-local-1_Pool'],
    ['"user-pool_2"', 'xx-local-1_userpool2'],
    ['"-"', 'xx-local-1_Pool'],
  ] as const) {
    const named = await read(
      'a.yaml',
      `Resources:\n  ${id}: { Type: AWS::Cognito::UserPool }\n${READER.replace('UserPoolId: !Ref Pool, ', '')}`,
    )
    t.equal(toPoolOptions(named).userPoolId, userPoolId)
  }
})

t.test('templates without resource servers can grant any scope', async (t) => {
  const granted = client('Reader', `${MACHINE}, AllowedOAuthScopes: [a/b]`)
  const createdPool = await model(granted)
  t.throws(() => toPoolOptions(createdPool), {
    message:
      /Reader is granted a\/b, and its pool has no resource server; define the resource server, /,
  })
  const existing = granted.replace('!Ref Pool', 'eu-west-1_AbCdEfGhI')
  const options = toPoolOptions(await read('a.yaml', `Resources:\n${existing}`))
  t.strictSame([options.resourceServers, options.clients[0]?.scopes], [[], ['a/b']])
  t.notOk('userPoolId' in options, 'a pool that exists already')
})

t.test('modules are reported, because they may deploy more resources', async (t) => {
  const { text } = fixture('orders.tf')
  const whole = text.slice(0, text.indexOf('resource "aws_cognito_user_pool_client" "one"'))
  const module = await read('main.tf', `${whole}\nmodule "more" {\n  source = "./more"\n}\n`)
  t.throws(() => toPoolOptions(module), {
    message:
      /main\.tf:1:1: modules or macros may deploy more resources; pass their templates too\. Pass parameters to readTemplate, or set onSkipped\.$/,
  })
})
