/** Findings of one template, each at its position. */
import t from 'tap'
import {
  type AppRoute,
  checkScopes,
  readOpenApi,
  readTemplate,
} from '../../../../src/contract/infra/index.ts'
import { listFindings } from '../../../support/templates.ts'

const POOL = `  Pool: { Type: AWS::Cognito::UserPool }
  PoolDomain: { Type: AWS::Cognito::UserPoolDomain, Properties: { UserPoolId: !Ref Pool, Domain: orders } }`
const MACHINE =
  'UserPoolId: !Ref Pool, GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [client_credentials]'
const client = (scopes: string, more = '') =>
  `  Client: { Type: AWS::Cognito::UserPoolClient, Properties: { ${MACHINE}, AllowedOAuthScopes: [${scopes}]${more} } }`
const server = (
  scopes = '{ ScopeName: read, ScopeDescription: Read }',
  identifier = 'orders',
  id = 'Server',
) =>
  `  ${id}: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: !Ref Pool, Identifier: ${identifier}, Name: x, Scopes: [${scopes}] } }`
const READ = "!Sub '${Server}/read'"
const API = `  Api: { Type: AWS::ApiGateway::RestApi }
  Orders: { Type: AWS::ApiGateway::Resource, Properties: { RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: orders } }`
const authorizer = (more = '') =>
  `  Guard: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: !Ref Api, Type: COGNITO_USER_POOLS, ProviderARNs: [!GetAtt Pool.Arn]${more} } }`
const method = (scopes: string, name = 'GET') =>
  `  ${name}: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref Api, ResourceId: !Ref Orders, HttpMethod: ${name}, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Guard, AuthorizationScopes: [${scopes}] } }`

const yaml = (...resources: string[]) => `Resources:\n${resources.join('\n')}\n`
const one = (...resources: string[]) => listFindings({ 'a.yaml': yaml(...resources) })
const route = (scopes: readonly string[], more: Partial<AppRoute> = {}): AppRoute => ({
  method: 'GET',
  path: '/orders',
  auth: { scopes },
  ...more,
})

t.test('each mistake of a template is reported at its position', async (t) => {
  const text = `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Domain: { Type: AWS::Cognito::UserPoolDomain, Properties: { UserPoolId: !Ref Pol, Domain: Orders_1 } }
  Server:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties:
      UserPoolId: !Ref Pool
      Identifier: orders
      Scopes:
        - { ScopeName: read, ScopeDescription: Read orders }
        - { ScopeName: unused, ScopeDescription: Nobody has it }
        - { ScopeName: bare }
  Mixed:
    Type: AWS::Cognito::UserPoolClient
    Properties:
      UserPoolId: !Ref Pool
      GenerateSecret: false
      AllowedOAuthFlowsUserPoolClient: false
      AllowedOAuthFlows:
        - client_credentials
        - implicit
      AllowedOAuthScopes:
        - !Sub '\${Server}/read'
        - !Sub '\${Server}/readwrite'
        - ordres/read
      AccessTokenValidity: 4
      TokenValidityUnits: { AccessToken: minutes }
  Bare: { Type: AWS::Cognito::UserPoolClient, Properties: { UserPoolId: !Ref Pool, AllowedOAuthFlows: [client_credentials] } }
  Early: { Type: AWS::Cognito::UserPoolClient, Properties: { ${MACHINE}, AllowedOAuthScopes: [orders/bare] } }
${API}
  Guard:
    Type: AWS::ApiGateway::Authorizer
    Properties:
      RestApiId: !Ref Api
      Type: COGNITO_USER_POOLS
      ProviderARNs: [!GetAtt Pool.Arn]
      AuthorizerResultTtlInSeconds: 3601
${method("!Sub '${Server}/read', orders/echo")}
${method('', 'POST')}
`
  t.strictSame(await listFindings({ 'a.yaml': text }), [
    'error reference-missing a.yaml: Pol',
    'error cognito-limit a.yaml: Orders_1',
    'warning scope-unused a.yaml: unused',
    'error cognito-limit a.yaml: { ScopeName: bare',
    'error client-no-secret a.yaml: false',
    'error oauth-off a.yaml: false',
    'error flow-mixed a.yaml: implicit',
    "error grant-undefined a.yaml: '${Server}/readwrite'",
    'error grant-undefined a.yaml: ordres/read',
    'error cognito-limit a.yaml: 4',
    'error client-no-secret a.yaml: Bare: { Type: AWS::Cognito::UserPoolClient',
    'error oauth-off a.yaml: Bare: { Type: AWS::Cognito::UserPoolClient',
    'error scope-order a.yaml: orders/bare',
    'error cognito-limit a.yaml: 3601',
    'warning lifetime-ttl a.yaml: 3601',
    'error scope-undefined a.yaml: orders/echo',
    'warning authorizer-no-scopes a.yaml: [',
  ])
})

t.test('an authorizer without a pool belongs to the only pool', async (t) => {
  const template = authorizer().replace(', ProviderARNs: [!GetAtt Pool.Arn]', '')
  t.strictSame(await one(POOL, server(), client(READ), API, template, method('orders/echo')), [
    'error authorizer-provider a.yaml: Guard: { Type: AWS::ApiGateway::Authorizer',
    'error scope-undefined a.yaml: orders/echo',
  ])
})

t.test('each mistake of a Terraform module is reported at its position', async (t) => {
  const text = `resource "aws_cognito_user_pool" "pool" {}
resource "aws_cognito_user_pool_domain" "domain" {
  user_pool_id = aws_cognito_user_pool.pool.id
  domain       = "orders"
}
resource "aws_cognito_resource_server" "orders" {
  user_pool_id = aws_cognito_user_pool.pool.id
  identifier   = "orders"
  scope {
    scope_name        = "read"
    scope_description = "Read"
  }
}
resource "aws_cognito_user_pool_client" "billing" {
  user_pool_id        = aws_cognito_user_pool.pool.id
  generate_secret     = true
  allowed_oauth_flows = ["client_credentials", "code"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes = ["\${aws_cognito_resource_server.orders.identifier}/raed"]
}
resource "aws_cognito_user_pool_client" "sales" {
  user_pool_id        = aws_cognito_user_pool.pool.id
  generate_secret     = true
  allowed_oauth_flows = ["client_credentials"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes = aws_cognito_resource_server.orders.scope_identifiers
}
resource "aws_cognito_user_pool_client" "early" {
  user_pool_id        = aws_cognito_user_pool.pool.id
  generate_secret     = true
  allowed_oauth_flows = ["client_credentials"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes = ["orders/read"]
}
`
  t.strictSame(await listFindings({ 'a.tf': text }), [
    'error flow-mixed a.tf: "code"',
    'error grant-undefined a.tf: "${aws_cognito_resource_server.orders.identifier}/raed"',
    'error scope-order a.tf: "orders/read"',
  ])
})

t.test('each exceeded limit is reported at its position', async (t) => {
  const scope = (name: string, description = 'x') =>
    `{ ScopeName: '${name}', ScopeDescription: '${description}' }`
  const many = (count: number, of: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => of(index))
  const lifetime = (value: string) => client(READ, `, AccessTokenValidity: ${value}`)
  const domain = (value: string) =>
    `  Domain: { Type: AWS::Cognito::UserPoolDomain, Properties: { Domain: '${value}' } }`
  const hundred = many(100, (index) => scope(`s${index}`)).join(', ')
  const servers = (count: number) =>
    many(count, (index) => server(scope('s'), `i${index}`, `S${index}`))
  const fifty = many(50, (index) => `o/${index}`).join(', ')
  const long = 'a'.repeat(257)
  const cases: [resources: string[], expected: string[]][] = [
    [[domain('a-1')], []],
    [[domain('auth.example.com')], []],
    [[domain('-a')], ["'-a'"]],
    [[domain(long.slice(0, 64))], [`'${long.slice(0, 64)}'`]],
    [[server(scope('s'), `'${long.slice(2)}'`)], ["'s'"]],
    [[server(scope('s'), `'${long.slice(3)}'`)], []],
    [[server(scope('s'), "'a b'")], ["'a b'"]],
    [[server(scope('a/b'))], ["'a/b'"]],
    [[server(scope('s', ''))], ["''"]],
    [[server(scope('s', long))], [`'${long}'`]],
    [[server('{ ScopeDescription: x }')], []],
    [[server('{}')], ['{']],
    [[server(hundred)], []],
    [[server(`${hundred}, ${scope('more')}`)], ["{ ScopeName: 'more'"]],
    [
      [
        server(`${hundred}, !Ref AWS::NoValue, { ScopeName: !Ref X, ScopeDescription: x }`),
        '  X: {}',
      ],
      [],
    ],
    [servers(25), []],
    [servers(26), ['S25: { Type: AWS::Cognito::UserPoolResourceServer']],
    [servers(25).concat('  Other: { Type: AWS::Cognito::UserPool }'), []],
    [[client(fifty)], []],
    [[client(`${fifty}, o/1, o/2`)], []],
    [[client(`${fifty}, o/50`)], ['o/50']],
    [[lifetime('24')], []],
    [[lifetime('25')], ['25']],
    [[lifetime('0')], ['0']],
    [[API, authorizer(', AuthorizerResultTtlInSeconds: 0')], []],
    [[API, authorizer(', AuthorizerResultTtlInSeconds: 3600')], []],
    [[API, authorizer(', AuthorizerResultTtlInSeconds: -1')], ['-1']],
  ]
  for (const [resources, expected] of cases) {
    const limits = (await one(POOL, ...resources)).filter((line) => line.includes('cognito-limit'))
    t.strictSame(
      limits,
      // AWS increases the quota of resource servers on request.
      expected.map(
        (text) => `${text.startsWith('S25') ? 'warning' : 'error'} cognito-limit a.yaml: ${text}`,
      ),
      resources.join('\n').slice(-200),
    )
  }
})

t.test('caches that outlive tokens are reported', async (t) => {
  const withLifetime = (value: string) =>
    `, AccessTokenValidity: ${value}, TokenValidityUnits: { AccessToken: seconds }`
  const checkLifetimes = async (more: string, ttl: string, options = {}) => {
    const text = yaml(POOL, server(), client(READ, more), API, authorizer(ttl), method(READ))
    return listFindings({ 'a.yaml': text }, options)
  }
  const TTL = 'warning lifetime-ttl a.yaml:'
  t.strictSame(await checkLifetimes('', ''), [])
  t.strictSame(await checkLifetimes('', '', { proxyTtl: 3599 }), [])
  t.strictSame(await checkLifetimes('', '', { proxyTtl: 3600 }), [
    'error lifetime-ttl a.yaml: Client: { Type: AWS::Cognito::UserPoolClient',
  ])
  t.strictSame(await checkLifetimes(withLifetime('600'), '', { proxyTtl: 900 }), [
    'error lifetime-ttl a.yaml: 600',
  ])
  // The default of an authorizer is 300 s.
  t.strictSame(await checkLifetimes(withLifetime('300'), ''), [
    `${TTL} Guard: { Type: AWS::ApiGateway::Authorizer`,
  ])
  t.strictSame(await checkLifetimes(withLifetime('301'), ''), [])
  t.strictSame(await checkLifetimes(withLifetime('600'), ', AuthorizerResultTtlInSeconds: 600'), [
    `${TTL} 600`,
  ])
  t.strictSame(
    await checkLifetimes(withLifetime('!Ref Pool'), ', AuthorizerResultTtlInSeconds: 600'),
    [],
  )
  t.strictSame(await checkLifetimes('', ', AuthorizerResultTtlInSeconds: !Ref Pool'), [])
  t.throws(
    () => checkScopes([], { proxyTtl: 86_401 }),
    /proxyTtl: expected a number of seconds from 0 to 86400, got 86401/,
  )
})

const GUARDED = yaml(POOL, server(), client(READ), API, authorizer(), method(READ))

t.test('scopes that code and document require', async (t) => {
  const routes = async (...routes: AppRoute[]) => listFindings({ 'a.yaml': GUARDED }, { routes })
  t.strictSame(await routes(route(['orders/read'])), [])
  t.strictSame(await routes(route(['orders/read', 'orders/echo', 'openid'])), [
    'error scope-undefined routes: 1:1',
  ])
  const at = { file: 'app.ts', line: 7, column: 3 }
  const scopesAt = new Map([['orders/echo', { ...at, line: 8 }]])
  t.strictSame(await routes(route(['orders/read', 'orders/echo'], { at, scopesAt })), [
    'error scope-undefined app.ts: 8:3',
  ])
  t.strictSame(await routes(route([], { auth: false, at })), [
    'error route-open-in-code app.ts: 7:3',
  ])
  t.strictSame(await routes(route([], { auth: { optional: true }, at })), [
    'error route-open-in-code app.ts: 7:3',
  ])
  t.strictSame(await routes(route([], { auth: { other: true } })), [])
  t.strictSame(await routes(route([], { auth: {} })), [], 'any token')
  t.strictSame(
    await routes(
      route([], { auth: { scopes: ['orders/read'], anyOf: ['a', ['b', 'c']], other: true } }),
    ),
    [
      'error scope-undefined routes: 1:1',
      'error scope-undefined routes: 1:1',
      'error scope-undefined routes: 1:1',
    ],
    'a scope without a slash is nobody’s',
  )
  const text = `openapi: 3.1.0
servers: [{ url: https://api.test/v1 }]
components: { securitySchemes: { token: { type: http, scheme: bearer } } }
paths:
  /orders:
    get: { security: [{ token: [orders/list] }, { token: [orders/read] }] }
    post: { security: [] }
`
  const openapi = await readOpenApi({ file: 'api.yaml', text })
  const said = (...code: AppRoute[]) =>
    checkScopes(model, { openapi, routes: code }).map(
      ({ file, line, column, code, message }) => `${file}:${line}:${column} ${code} ${message}`,
    )
  const model = await readTemplate({
    file: 'a.yaml',
    text: GUARDED + method(READ, 'POST'),
  })
  const own = [
    'api.yaml:6:33 scope-undefined orders/list is required and no resource server defines it: no caller can have it',
    'api.yaml:7:5 route-open-in-code POST /v1/orders is public in the document and protected at a.yaml:10',
  ]
  t.strictSame(said(), own)
  const either = route([], { auth: { anyOf: ['orders/list', 'orders/read'] } })
  t.strictSame(
    said(either).filter((line) => line.startsWith('api.yaml')),
    own,
    'both say the same',
  )
  t.strictSame(
    said(route(['orders/read']), route([], { method: 'POST', auth: {} })).filter((line) =>
      line.includes('document-differs'),
    ),
    [
      'api.yaml:6:5 document-differs GET /v1/orders requires orders/list, or orders/read in the document and orders/read at routes:1',
      'api.yaml:7:5 document-differs POST /v1/orders requires no token in the document and a token at routes:1',
    ],
  )
  const alike: [AppRoute['auth'], AppRoute['auth']][] = [
    [false, { optional: true, scopes: ['orders/read'] }],
    [{ anyOf: [['orders/read', 'orders/list'], 'orders/list'] }, { scopes: ['orders/list'] }],
    [{ scopes: ['orders/list', 'orders/read'] }, { scopes: ['orders/read', 'orders/list'] }],
    [{ anyOf: [[], 'orders/list'] }, {}],
    [{ other: true }, { scopes: ['orders/read'] }],
    [{ scopes: ['orders/read'] }, { other: true }],
  ]
  for (const [code, documented] of alike) {
    const findings = checkScopes([], {
      routes: [route([], { path: '/orders/:id', auth: code })],
      openapi: [route([], { path: '/orders/{id}', auth: documented })],
    })
    t.strictSame(findings, [], JSON.stringify([code, documented]))
  }
  const twice = { routes: [route([]), route([])], openapi: [route(['a/b'])] }
  t.strictSame(checkScopes([], twice), [], 'which of two it is cannot be told')
})

t.test('scopes that no route requires are reported for each client', async (t) => {
  const scopes = ['read', 'write', 'admin'].map(
    (name) => `{ ScopeName: ${name}, ScopeDescription: x }`,
  )
  const more = server('{ ScopeName: run, ScopeDescription: x }', 'reports', 'Reports')
  const text = yaml(
    ...[POOL, server(scopes.join(', ')), more],
    client(
      "!Sub '${Server}/read', !Sub '${Server}/write', !Sub '${Server}/admin', !Sub '${Reports}/run'",
    ),
  )
  const routes = [route(['orders/read'])]
  t.strictSame(await listFindings({ 'a.yaml': text }, { routes }), [
    "warning client-over-granted a.yaml: '${Server}/write'",
    "warning client-over-granted a.yaml: '${Server}/admin'",
  ])
  t.strictSame(await listFindings({ 'a.yaml': text }), [])
})

t.test('models, routes and options are validated', async (t) => {
  const assertInvalid = (...args: unknown[]) =>
    t.throws(() => checkScopes(...(args as [never, never])), {
      code: 'ERR_OPTION_INVALID',
    } as never)
  assertInvalid(undefined)
  assertInvalid([5])
  assertInvalid([{}])
  assertInvalid([], { proxyTTL: 5 })
  assertInvalid([], { proxyTtl: -1 })
  assertInvalid([], { routes: {} })
  assertInvalid([], { openapi: [{ method: 'G E T', path: '/', auth: {} }] })
  t.strictSame(checkScopes([]), [])
})
