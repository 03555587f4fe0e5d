import { deepStrictEqual } from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import {
  type ApiDefinition,
  type AppRoute,
  checkScopes,
  type InfraDefinition,
  type InfraModel,
  readTemplate,
  renderTemplate,
  toDefinition,
} from '../../../../src/contract/infra/index.ts'
import { sampleSize } from '../../../support/sample.ts'
import { BARE, FULL, HTTP, HTTP_API, REST, REST_API, ROUTES } from './definitions.ts'

// Without its types, which would add browser types to every file of the program.
const { parse } = createRequire(import.meta.url)('@cdktf/hcl2json') as {
  parse(file: string, text: string): Promise<Record<string, Record<string, Parsed>>>
}
type Parsed = Record<string, readonly Record<string, readonly Record<string, string>[]>[]>

const DIALECTS = ['cloudformation', 'sam', 'terraform'] as const
type Dialect = (typeof DIALECTS)[number]

/** Example templates, each in a drifted and a clean version. */
const EXAMPLES = 'examples/drift'

const renderTexts = (definition: InfraDefinition, dialect: Dialect): string[] =>
  renderTemplate(definition, dialect).map(({ text }) => text)
const readBack = (definition: InfraDefinition, dialect: Dialect): Promise<InfraModel[]> =>
  Promise.all(renderTemplate(definition, dialect).map((file) => readTemplate(file)))

/** Removes prototypes: dictionaries may have none. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const characters = (list: string) => fc.constantFrom(...list)
const name = fc
  .string({ unit: characters('abzAZ019_-.:${}%#~!&*'), minLength: 1, maxLength: 12 })
  .filter((text) => text !== '__proto__')
const description = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
  fc.string({
    unit: characters('\\bfn"\'\u0000\b\f\r\n\t\u007f\u0085\u2028\u202e\ufeff\u{e0001}${%}: #-'),
    minLength: 1,
  }),
)
const servers = fc.uniqueArray(
  fc.record({
    identifier: fc.string({ unit: characters('abz/:.-${}%'), minLength: 1, maxLength: 12 }),
    scopes: fc.dictionary(name, description, { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
  }),
  { minLength: 1, maxLength: 3, selector: ({ identifier }) => identifier },
)
const WORDS = [
  'orders',
  'lines',
  'by',
  'proxy',
  'root',
  'Orders',
  'a-b',
  'a.b',
  '_',
  '5',
  'x'.repeat(50),
]

/** A REST API allows one kind of parameter in one place. */
const path = (parameters: boolean): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(fc.constantFrom(...WORDS, ...(parameters ? ['{id}'] : [])), { maxLength: 3 }),
      fc.constantFrom(...(parameters ? [''] : ['', '{proxy+}'])),
    )
    .map(([parts, last]) => `/${[...parts, last].filter((one) => one !== '').join('/')}`)

/** Routes that API Gateway can express. */
const routes = (
  scopes: readonly string[],
  kind: ApiDefinition['kind'],
): fc.Arbitrary<AppRoute[]> => {
  const open = fc.constant<AppRoute['auth']>(false)
  const one = fc.constantFrom(...scopes).map((scope) => ({ scopes: [scope] }))
  const some = fc
    .subarray([...scopes], {
      minLength: Math.min(2, scopes.length),
      maxLength: Math.min(10, scopes.length),
    })
    .map((list): AppRoute['auth'] => (list.length < 2 ? { scopes: list } : { anyOf: list }))
  const auth = fc.oneof(open, one, some, kind === 'http' ? fc.constant({}) : one)
  const method = fc.constantFrom('GET', 'POST', 'ANY', 'HEAD')
  return fc.boolean().chain((parameters) =>
    fc
      .uniqueArray(fc.record({ method, path: path(parameters), auth }), {
        minLength: 1,
        maxLength: 6,
        selector: (route) => `${route.method} ${route.path}`,
      })
      .map((list) => {
        const paths = new Set(list.map((route) => route.path))
        return [...paths].flatMap((one) => list.filter((route) => route.path === one))
      }),
  )
}

const definitions: fc.Arbitrary<InfraDefinition> = servers.chain((resourceServers) => {
  const scopes = resourceServers.flatMap(({ identifier, scopes }) =>
    Object.keys(scopes).map((scope) => `${identifier}/${scope}`),
  )
  const clients = fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('billing', 'a b', '5', '@x', 'x'.repeat(60)),
      scopes: fc.subarray(scopes, { minLength: 1 }),
      accessTokenValidity: fc.integer({ min: 301, max: 86_400 }),
    }),
    { minLength: 1, maxLength: 3, selector: (client) => client.name },
  )
  const common = { name: fc.constantFrom('orders', '-b_c', '5') }
  const api = fc.oneof(
    fc.record({
      ...common,
      kind: fc.constant('rest' as const),
      authorizerTtl: fc.integer({ min: 0, max: 300 }),
      routes: routes(scopes, 'rest'),
    }),
    fc.record({ ...common, kind: fc.constant('http' as const), routes: routes(scopes, 'http') }),
  )
  return fc.record(
    {
      name: fc.constantFrom('orders', 'a-b_c', 'true'),
      domain: fc.constantFrom('a', '0-9', 'null'),
      resourceServers: fc.constant(resourceServers),
      clients,
      apis: fc.uniqueArray(api, { maxLength: 2, selector: (one) => one.name }),
    },
    { requiredKeys: ['name', 'resourceServers', 'clients', 'apis'] },
  )
})

for (const dialect of DIALECTS) {
  t.test(`${dialect}: toDefinition is the inverse of renderTemplate`, async () => {
    await fc.assert(
      fc.asyncProperty(definitions, async (definition) => {
        const models = await readBack(definition, dialect)
        const isExpected = (code: string) =>
          code === 'scope-unused' || (code === 'pool-no-domain' && definition.domain === undefined)
        const errors = checkScopes(models).filter(({ code }) => !isExpected(code))
        deepStrictEqual(errors, [])
        deepStrictEqual(plain(toDefinition(models)), plain(definition))
        deepStrictEqual(
          renderTexts(definition, dialect),
          renderTexts(toDefinition(models), dialect),
        )
      }),
      { numRuns: sampleSize(`rendered definitions: ${dialect}`, { complete: 40, sampled: 12 }) },
    )
  })
}

t.test('the HCL parser of HashiCorp reads rendered and example Terraform', async (t) => {
  for (const definition of [REST, HTTP, FULL]) {
    const [main = ''] = renderTexts(definition, 'terraform')
    const parsed = await parse('main.tf', main)
    const types = Object.keys(parsed['resource'] ?? {})
    t.equal(
      types.length,
      new Map([
        [REST, 12],
        [HTTP, 10],
        [FULL, 19],
      ]).get(definition),
    )
  }
  for (const file of readdirSync(join(EXAMPLES, 'terraform/clean'))) {
    if (!file.endsWith('.tf')) continue
    const text = readFileSync(join(EXAMPLES, 'terraform/clean', file), 'utf8')
    t.ok(Object.keys(await parse(file, text)).length > 0, file)
  }
})

t.test('the HCL parser of HashiCorp reads any rendered text', async () => {
  await fc.assert(
    fc.asyncProperty(description, async (text) => {
      const resourceServers = [{ identifier: 'orders', scopes: { read: text } }]
      const [main = ''] = renderTexts({ ...BARE, resourceServers, clients: [] }, 'terraform')
      const { resource } = await parse('main.tf', main)
      const scope = resource?.['aws_cognito_resource_server']?.['orders']?.[0]?.['scope']?.[0]
      // The parser keeps escapes of templates, and normalizes texts to NFC.
      const parsedText = scope?.['scope_description']?.replaceAll(/([$%])\1(?=\{)/g, '$1')
      deepStrictEqual(parsedText, text.normalize('NFC'))
    }),
    { numRuns: sampleSize('texts read by HashiCorp', { complete: 100, sampled: 20 }) },
  )
})

t.test('adding a resource renames no other', async (t) => {
  const more: InfraDefinition = {
    ...BARE,
    resourceServers: [
      { identifier: 'https://api.example.com/lines', scopes: { read: 'Read lines' } },
      ...BARE.resourceServers,
    ],
    clients: [{ name: 'Shop front', scopes: ['orders/read'] }, ...BARE.clients],
  }
  const ids = async (definition: InfraDefinition, dialect: Dialect) =>
    (await readBack(definition, dialect)).flatMap(({ resourceServers, clients }) =>
      [...resourceServers, ...clients].map(({ id }) => id),
    )
  t.strictSame(await ids(BARE, 'cloudformation'), ['ServerOrders', 'ClientBilling'])
  t.strictSame(await ids(more, 'cloudformation'), [
    'ServerApiExampleComLinesHdca3f8ea',
    'ServerOrders',
    'ClientShopFrontH36f06fae',
    'ClientBilling',
  ])
  t.strictSame(await ids(more, 'terraform'), [
    'aws_cognito_resource_server.api_example_com_lines_hdca3f8ea',
    'aws_cognito_resource_server.orders',
    'aws_cognito_user_pool_client.shop_front_h36f06fae',
    'aws_cognito_user_pool_client.billing',
  ])
})

t.test('a change of routes redeploys a REST API, another backend does not', (t) => {
  const deployment = (routes: readonly AppRoute[]) =>
    /ApiOrdersDeployment\w+/.exec(
      renderTexts({ ...REST, apis: [{ ...REST_API, routes }] }, 'cloudformation')[0] ?? '',
    )?.[0]
  t.equal(deployment(ROUTES), deployment([...ROUTES]))
  t.not(deployment(ROUTES), deployment(ROUTES.slice(1)))
  const [text = ''] = renderTexts(REST, 'cloudformation')
  t.match(text, 'backend: !Select [1, !Split [https://, !Ref ApiOrdersBackendUrl]]')
  t.match(text, 'Uri: "https://${stageVariables.backend}/orders/{orderId}/lines/{line}"')
  t.match(
    renderTexts(REST, 'terraform')[0],
    'uri                     = "${var.orders_backend_url}/files/{proxy}"',
  )
  t.end()
})

t.test('the pool is retained, and outputs contain no secret', (t) => {
  const [cloudformation = ''] = renderTexts(BARE, 'cloudformation')
  for (const line of ['DeletionPolicy: Retain', 'UpdateReplacePolicy: Retain']) {
    t.match(cloudformation, line)
  }
  t.match(cloudformation, 'DeletionProtection: ACTIVE')
  t.match(cloudformation, 'AllowAdminCreateUserOnly: true')
  const outputs = cloudformation.slice(cloudformation.indexOf('Outputs:'))
  t.match(
    outputs,
    'Value: !Sub "https://${Domain}.auth.${AWS::Region}.amazoncognito.com/oauth2/token"',
  )
  t.strictSame(outputs.match(/^ {2}\w+(?=:)/gm), [
    '  UserPoolId',
    '  UserPoolArn',
    '  TokenEndpoint',
    '  ClientBillingId',
  ])
  const [terraform = ''] = renderTexts(BARE, 'terraform')
  t.match(terraform, 'prevent_destroy = true')
  t.match(terraform, 'deletion_protection = "ACTIVE"')
  t.match(terraform, 'allow_admin_create_user_only = true')
  for (const text of [cloudformation, terraform]) t.notMatch(text, /ClientSecret|client_secret/)
  t.end()
})

t.test('the SAM API stack reads the SSM parameters of the auth stack', async (t) => {
  const published = async (definition: InfraDefinition) => {
    const [auth, api] = await readBack(definition, 'sam')
    const taken = api?.authorizers[0]?.userPools?.items.map(({ source }) => source.ssm)
    return { names: auth?.parameters.map(({ name }) => name?.value), taken }
  }
  t.strictSame(await published(REST), {
    names: ['/orders/user-pool-id', '/orders/user-pool-arn'],
    taken: ['/orders/user-pool-arn'],
  })
  const { names } = await published(HTTP)
  t.strictSame(names, [
    '/orders/user-pool-id',
    '/orders/user-pool-arn',
    '/orders/client-id/billing',
  ])
  const [, api = ''] = renderTexts(HTTP, 'sam')
  const issuer = 'https://cognito-idp.${AWS::Region}.${AWS::URLSuffix}'
  t.match(api, `issuer: !Sub "${issuer}/{{resolve:ssm:/orders/user-pool-id}}"`)
  t.match(api, '- "{{resolve:ssm:/orders/client-id/billing}}"')
  t.equal(renderTemplate(BARE, 'sam').length, 1, 'no API, no stack of it')
})

t.test(
  'requirements that API Gateway cannot express become the scopes that it accepts',
  async (t) => {
    const routesOf = async (definition: InfraDefinition, dialect: Dialect) =>
      toDefinition(await readBack(definition, dialect)).apis?.[0]?.routes
    const common = [
      { method: 'GET', path: '/health', auth: false },
      { method: 'GET', path: '/orders', auth: { scopes: ['orders/read'] } },
      { method: 'POST', path: '/orders', auth: { anyOf: ['orders/read', 'orders/write'] } },
      {
        method: 'GET',
        path: '/orders/{orderId}',
        auth: { anyOf: ['orders/read', 'orders/write'] },
      },
      {
        method: 'DELETE',
        path: '/orders/{orderId}/lines/{line}',
        auth: { scopes: ['orders/write'] },
      },
      { method: 'ANY', path: '/files/{proxy+}', auth: { scopes: ['orders/read'] } },
    ]
    const root = { method: 'GET', path: '/' }
    for (const dialect of DIALECTS) {
      const any = { ...root, auth: { anyOf: ['orders/read', 'orders/write'] } }
      t.same(await routesOf(REST, dialect), [common[0], any, ...common.slice(1)])
      t.same(await routesOf(HTTP, dialect), [common[0], { ...root, auth: {} }, ...common.slice(1)])
      for (const definition of [REST, HTTP]) {
        const text = renderTexts(definition, dialect).join('')
        const more = '# A token needs one of these scopes. The app requires more, and checks it.'
        t.equal(text.split(more).length - 1, 2)
        const every =
          '# Any scope is accepted. Without scopes, the authorizer would expect an ID token.'
        t.equal(text.split(every).length - 1, definition === REST ? 1 : 0)
        t.strictSame(checkScopes(await readBack(definition, dialect), { routes: ROUTES }), [])
      }
    }
  },
)

t.test('values that AWS would reject are rejected with their path', (t) => {
  const assertInvalid = (change: object, option: string, problem: RegExp) => {
    const definition = { ...BARE, ...change } as InfraDefinition
    t.throws(() => renderTemplate(definition, 'cloudformation'), {
      code: 'ERR_OPTION_INVALID',
      option,
      problem,
    })
  }
  const api = (change: object, option: string, problem: RegExp) =>
    assertInvalid({ apis: [{ ...REST_API, ...change }] }, `apis[0].${option}`, problem)
  const assertInvalidRoute = (
    change: object,
    option: string,
    problem: RegExp,
    more: readonly object[] = [],
  ) =>
    api(
      { routes: [...more, { method: 'GET', path: '/orders', auth: false, ...change }] },
      `routes[${more.length}]${option}`,
      problem,
    )
  const client = { name: 'a', scopes: ['orders/read'] }
  const scope = (description: string) => [{ identifier: 'orders', scopes: { read: description } }]

  assertInvalid(
    { name: 'a b' },
    'name',
    /^expected 1 to 107 letters, digits, _ and -.*, got "a b"\. Choose/,
  )
  assertInvalid({ name: 'AWSome' }, 'name', /not beginning with aws or ssm, got "AWSome"\./)
  assertInvalid(
    { domain: 'A' },
    'domain',
    /^expected 1 to 63 lowercase letters, .*, got "A"\. Choose/,
  )
  assertInvalid(
    { domain: 'my-cognito' },
    'domain',
    /without aws, amazon and cognito, got "my-cognito"\./,
  )
  assertInvalid(
    { resourceServers: 5 },
    'resourceServers',
    /^expected an array of at most 25 resource servers, got 5/,
  )
  const twice = [...BARE.resourceServers, ...BARE.resourceServers]
  assertInvalid(
    { resourceServers: twice },
    'resourceServers[1]',
    /^expected an identifier that no other resource server has, got "orders" again/,
  )
  assertInvalid(
    { resourceServers: scope('') },
    'resourceServers[0].scopes.read',
    /^expected a description of 1 to 256 characters, got ""/,
  )
  assertInvalid(
    { resourceServers: scope('\ud800') },
    'resourceServers[0].scopes.read',
    /^expected whole Unicode char/,
  )
  assertInvalid(
    { clients: 5 },
    'clients',
    /^expected an array of 0 to 1000 items, got 5\. Pass an array\.$/,
  )
  assertInvalid(
    { clients: [{ ...client, name: '' }] },
    'clients[0].name',
    /^expected 1 to 128 .*, got ""\. Choose/,
  )
  assertInvalid(
    { clients: [client, client] },
    'clients[1].name',
    /^expected a name that no other client has, got "a" again/,
  )
  assertInvalid(
    { clients: [{ ...client, scopes: [] }] },
    'clients[0].scopes',
    /^expected an array of 1 to 50 items, got 0 items\./,
  )
  const gone = { ...client, scopes: ['orders/gone'] }
  assertInvalid(
    { clients: [gone] },
    'clients[0].scopes[0]',
    /^expected a scope that a resource server defines, got "orders\/gone"\. Define/,
  )
  const users = { ...client, scopes: ['openid'] }
  assertInvalid(
    { clients: [users] },
    'clients[0].scopes[0]',
    /^expected a scope that a resource server defines, got "openid"\. Define/,
  )
  const short = { ...client, accessTokenValidity: 299 }
  assertInvalid({ clients: [short] }, 'clients[0].accessTokenValidity', /from 300 to 86400/)

  api({ name: 'a b' }, 'name', /^expected 1 to 107 letters, digits, _ and -.*, got "a b"\. Choose/)
  api({ kind: 'grpc' }, 'kind', /^expected rest or http, got "grpc"\./)
  api({ routes: [] }, 'routes', /^expected at least one route, got an empty array\./)
  api({ authorizerTtl: 900 }, 'authorizerTtl', /whole number of seconds from 0 to 899/)
  api(
    { kind: 'http', authorizerTtl: 5 },
    'authorizerTtl',
    /^expected no value for an HTTP API, got 5\. Remove the option\.$/,
  )
  assertInvalid(
    { ...HTTP, clients: [] },
    'clients',
    /^expected 1 to 50 clients for an HTTP API, got 0\./,
  )
  assertInvalidRoute(
    { method: 'PURGE' },
    '.method',
    /^expected one of ANY, DELETE.*, got "PURGE"\./,
  )
  assertInvalidRoute(
    { path: '/a b' },
    '.path',
    /^expected parts of letters, .*, got "a b"\. Rewrite this part of the path\.$/,
  )
  assertInvalidRoute(
    { path: '/orders/:id?' },
    '.path',
    /^expected parts of letters, .*, got ":id\?"\./,
  )
  assertInvalidRoute({ path: '/*/lines' }, '.path', /^expected parts of letters, .*, got "\*"\./)
  assertInvalidRoute(
    { auth: { scopes: ['orders/gone'] } },
    '.auth',
    /^expected a scope that a resource server defines, got "orders\/gone"\. Define/,
  )
  assertInvalidRoute(
    { auth: { anyOf: [['orders/gone']] } },
    '.auth',
    /^expected a scope that a resource server defines, got "orders\/gone"\. Define/,
  )
  const other = { method: 'GET', path: '/orders/', auth: { scopes: ['orders/read'] } }
  assertInvalidRoute({}, '', /^expected one requirement for GET \/orders, got a second one\./, [
    other,
  ])
  const files = { ...other, path: '/files/:name' }
  assertInvalidRoute(
    { path: '/files/*' },
    '.path',
    /^expected \{name\} as in another path .*, got \{proxy\+\}\./,
    [files],
  )
  const nothing = {
    resourceServers: [],
    clients: [],
    apis: [{ ...REST_API, routes: [{ ...other, auth: {} }] }],
  }
  assertInvalid(
    nothing,
    'apis[0].routes[0].auth',
    /^expected a scope for a route of a REST API, got none\./,
  )
  const many = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`s${index}`, 'x']))
  const eleven = {
    resourceServers: [{ identifier: 'orders', scopes: { read: 'x', write: 'x', ...many } }],
    apis: [
      {
        ...HTTP_API,
        routes: [{ ...other, auth: { anyOf: Object.keys(many).map((name) => `orders/${name}`) } }],
      },
    ],
  }
  assertInvalid(
    eleven,
    'apis[0].routes[0].auth',
    /^expected at most 10 scopes for a route of an HTTP API, got 11\./,
  )
  const manyClients = Array.from({ length: 198 }, (_, index) => ({ ...client, name: `c${index}` }))
  assertInvalid(
    { clients: manyClients },
    'definition',
    /^expected at most 200 outputs in a template, got 201\. Split/,
  )
  const paths = Array.from({ length: 250 }, (_, index) => ({ ...other, path: `/p${index}` }))
  assertInvalid(
    { apis: [{ ...REST_API, routes: paths }] },
    'definition',
    /^expected at most 500 resources in a template, got 510\./,
  )
  t.throws(
    () => renderTemplate(BARE, 'pulumi' as never),
    /dialect: expected cloudformation, sam or terraform, got "pulumi"\./,
  )
  t.end()
})

t.test('defaults and equivalent routes of a definition', async (t) => {
  const short = [{ name: 'a', scopes: ['orders/read'], accessTokenValidity: 300 }]
  const ttl = async (definition: InfraDefinition) =>
    toDefinition(await readBack(definition, 'terraform')).apis?.[0]?.authorizerTtl
  t.equal(await ttl({ ...REST, clients: short }), 299, 'no decision outlives its token')
  t.equal(await ttl({ ...REST, clients: [] }), 300)
  const same = [
    { method: 'GET', path: '/orders', auth: { scopes: ['orders/read', 'openid'] } },
    { method: 'GET', path: '/orders/', auth: { scopes: ['orders/read', 'openid', 'openid'] } },
    { method: 'PUT', path: '/orders', auth: { scopes: ['orders/write'], optional: true } },
    { method: 'PATCH', path: '/orders', auth: { scopes: ['orders/write'], other: true } },
    { method: 'HEAD', path: '/orders', auth: { anyOf: ['orders/read', []] } },
  ]
  for (const dialect of DIALECTS) {
    const definition = { ...HTTP, apis: [{ ...HTTP_API, routes: same }] }
    t.strictSame(toDefinition(await readBack(definition, dialect)).apis?.[0]?.routes, [
      { method: 'GET', path: '/orders', auth: { anyOf: ['orders/read', 'openid'] } },
      { method: 'PUT', path: '/orders', auth: false },
      { method: 'PATCH', path: '/orders', auth: false },
      { method: 'HEAD', path: '/orders', auth: {} },
    ])
    const open =
      '# Public here: the app accepts requests without a token, and checks tokens itself.'
    t.equal(renderTexts(definition, dialect).join('').split(open).length - 1, 2)
  }
})

t.test('models with unknown values or other authorizers are rejected', async (t) => {
  const of = (text: string) => readTemplate({ file: 'a.yaml', text })
  const pool = (name: string) =>
    `P: { Type: AWS::Cognito::UserPool, Properties: { UserPoolName: ${name} } }`
  const open = await of(`Resources: { ${pool('!Ref AWS::StackName')} }`)
  t.throws(() => toDefinition(open), /models: expected known values for "P", got one that only/)
  t.throws(
    () => toDefinition({ ...open, userPools: [] }),
    /models: expected exactly one user pool, got 0\./,
  )
  t.throws(() => toDefinition([open, open]), /models: expected exactly one user pool, got 2\./)
  const [rest] = (await readBack(REST, 'terraform')) as [InfraModel]
  const two = [...rest.authorizers, ...rest.authorizers]
  t.throws(
    () => toDefinition({ ...rest, authorizers: two }),
    /models: expected at most one authorizer in an API, got 2\./,
  )
  const changed = (change: object) => ({
    ...rest,
    routes: rest.routes.map((route) => ({ ...route, ...change })),
  })
  const authorizerError =
    /authorizer "aws_api_gateway_authorizer.orders" for "aws_api_gateway_method.orders_get_health", got another/
  t.throws(() => toDefinition(changed({ authorization: 'other' })), authorizerError)
  const scopes = { at: rest.userPools[0]?.at, items: [], complete: false }
  const unknown = changed({ authorization: 'cognito', scopes })
  t.throws(
    () => toDefinition(unknown),
    /expected known values for "aws_api_gateway_method.orders_get_health", got one/,
  )
  const withoutLifetime = rest.clients.map(({ accessTokenValidity: _, ...client }) => client)
  const [client] = toDefinition({ ...rest, clients: withoutLifetime }).clients
  t.equal(client?.accessTokenValidity, 3600)
  const withoutScopes = rest.clients.map(({ scopes: _, ...client }) => client)
  t.throws(
    () => toDefinition({ ...rest, clients: withoutScopes }),
    /clients\[0\]\.scopes: expected an array of 1 to 50 items, got 0 items\./,
  )
  // Routes of another API are ignored.
  t.throws(
    () => toDefinition(changed({ api: 'another' })),
    /apis\[0\]\.routes: expected at least one route, got an empty array\./,
  )
})

t.test('a stage is a parameter that ends every name of an account', async (t) => {
  for (const dialect of DIALECTS) {
    const models = await readBack(FULL, dialect)
    t.strictSame(checkScopes(models), [], dialect)
    const { name, domain, apis } = toDefinition(models)
    t.equal(name, 'orders-dev')
    t.equal(domain, 'orders-test-dev')
    t.strictSame(
      apis?.map((api) => api.name),
      ['orders-api', 'reports'],
    )
    const [auth] = models
    t.strictSame(
      auth?.parameters.map((one) => one.name?.value),
      ['/orders/dev/user-pool-id', '/orders/dev/user-pool-arn', '/orders/dev/client-id/billing'],
    )
    const parameter = dialect === 'terraform' ? 'stage' : 'Stage'
    const prod = await Promise.all(
      renderTemplate(FULL, dialect).map((file) =>
        readTemplate(file, { parameters: { [parameter]: 'prod' } }),
      ),
    )
    t.strictSame(checkScopes(prod), [], dialect)
    t.equal(toDefinition(prod).name, 'orders-prod')
  }
  const [, rest = ''] = renderTexts(FULL, 'sam')
  t.match(rest, 'Name: !Sub "orders-api-${Stage}"')
  t.match(rest, '- !Sub "{{resolve:ssm:/orders/${Stage}/user-pool-arn}}"')
  const [template = ''] = renderTexts(FULL, 'cloudformation')
  t.match(template, 'Name: !Sub "orders-api-${Stage}"')
  t.match(template, 'AllowedPattern: "^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$"')
})

t.test('tags, access logs and throttling', (t) => {
  const [template = ''] = renderTexts(FULL, 'cloudformation')
  t.match(template, 'UserPoolTags:\n        team: shop\n        cost-center: a/b:1')
  t.equal(template.split('- Key: team').length - 1, 4, 'an API, its stage, two logs')
  t.match(template, 'RetentionInDays: 30')
  t.match(template, 'DestinationArn: !GetAtt ApiOrdersLogs.Arn')
  t.match(template, 'ThrottlingRateLimit: 50')
  t.match(template, 'DefaultRouteSettings:\n        ThrottlingRateLimit: 5')
  t.notMatch(template, /\$context\.(?:authorizer\.token|request\.header)/)
  const [main = ''] = renderTexts(FULL, 'terraform')
  t.match(main, 'tags = var.tags')
  t.match(main, '"cost-center" = "a/b:1"')
  t.match(main, 'destination_arn = aws_cloudwatch_log_group.reports.arn')
  t.match(main, 'throttling_burst_limit = 100')
  t.match(main, 'version = ">= 5.0, < 7.0"')
  const sam = renderTemplate(FULL, 'sam')
  t.strictSame(
    sam.map(({ file }) => file),
    ['auth.yaml', 'api-orders-api.yaml', 'api-reports.yaml'],
  )
  t.match(sam[1]?.text, 'AccessLogSetting:')
  t.match(sam[2]?.text, 'AccessLogSettings:')
  for (const text of [template, main, ...sam.map((file) => file.text)]) {
    t.notMatch(text, /\/v1(?!\/reports)|stage_name += "v1"/)
  }
  t.end()
})

t.test('clients sign no user in', (t) => {
  t.match(
    renderTexts(BARE, 'cloudformation')[0],
    'ExplicitAuthFlows:\n        - ALLOW_REFRESH_TOKEN_AUTH',
  )
  t.match(
    renderTexts(BARE, 'terraform')[0],
    /explicit_auth_flows += \["ALLOW_REFRESH_TOKEN_AUTH"\]/,
  )
  t.end()
})

t.test('an API of a pool has names of its own', async (t) => {
  const route = (path: string) => [{ method: 'GET', path, auth: { scopes: ['orders/read'] } }]
  const api = (name: string, path = '/') => ({ ...REST_API, name, routes: route(path) })
  const ids = async (apis: readonly ApiDefinition[], dialect: Dialect) =>
    (await readBack({ ...BARE, apis }, dialect)).flatMap(({ authorizers, routes }) =>
      [...authorizers, ...routes].map(({ id }) => id),
    )
  for (const [dialect, one] of [
    ['cloudformation', ['ApiOrdersAuthorizer', 'ApiOrdersGetLines']],
    ['terraform', ['aws_api_gateway_authorizer.orders', 'aws_api_gateway_method.orders_get_lines']],
  ] as const) {
    const orders = api('orders', '/lines')
    t.strictSame(await ids([orders], dialect), one)
    const both = await ids([api('stock'), orders], dialect)
    for (const id of one) t.ok(both.includes(id), id)
    const clashes = [
      [api('orders'), api('orders-api')],
      [api('orders', '/get/lines'), api('orders-get', '/lines')],
      [api('api'), api('backend-url')],
      [api('backend-url'), api('api')],
    ]
    for (const apis of clashes.slice(0, dialect === 'terraform' ? 2 : 4)) {
      t.throws(() => renderTemplate({ ...BARE, apis }, dialect), {
        code: 'ERR_OPTION_INVALID',
        option: 'apis[1].name',
      })
    }
  }
  t.match(
    renderTexts({ ...BARE, apis: [api('api')] }, 'terraform')[0],
    '"aws_api_gateway_stage" "main"',
  )
})

t.test('stages, tags, logs and limits that AWS would reject', (t) => {
  const wrong: readonly [object, string, RegExp][] = [
    [{ stage: 'Dev' }, 'stage', /^expected 1 to 20 lowercase letters, .*, got "Dev"\. Choose/],
    [{ stage: 5 }, 'stage', /got 5\./],
    [
      { stage: 'dev', domain: 'x'.repeat(43) },
      'domain',
      /^expected 1 to 42 lowercase .*, got 43 characters\. Choose a shorter prefix\.$/,
    ],
    [{ tags: [] }, 'tags', /^expected an object of names and values, got/],
    [{ tags: null }, 'tags', /^expected an object of names and values, got null/],
    [{ tags: 'a' }, 'tags', /^expected an object of names and values, got "a"/],
    [{ tags: { 'aws:x': 'a' } }, 'tags', /^expected keys of 1 to 128 .*, got "aws:x"/],
    [{ tags: { x: 5 } }, 'tags.x', /^expected at most 256 .*, got 5/],
    [
      { tags: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`t${index}`, ''])) },
      'tags',
      /^expected at most 50 tags, got 51\./,
    ],
    [{ apis: [REST_API, HTTP_API] }, 'apis[1].name', /^expected a name that no other API has/],
    [{ apis: REST_API }, 'apis', /^expected an array of 0 to 20 items, got/],
    [
      { apis: [{ ...REST_API, accessLogDays: 31 }] },
      'apis[0].accessLogDays',
      /^expected one of 1, 3, .* 3653, got 31\./,
    ],
    [{ apis: [{ ...REST_API, throttling: { rate: 0 } }] }, 'apis[0].throttling.rate', /got 0\./],
    [{ apis: [{ ...REST_API, throttling: { rate: 5 } }] }, 'apis[0].throttling.burst', /got 0\./],
    [{ apis: [{ ...REST_API, throttling: 5 }] }, 'apis[0].throttling', /got 5/],
  ]
  for (const [change, option, problem] of wrong) {
    t.throws(() => renderTemplate({ ...BARE, ...change } as InfraDefinition, 'terraform'), {
      code: 'ERR_OPTION_INVALID',
      option,
      problem,
    })
  }
  t.end()
})
