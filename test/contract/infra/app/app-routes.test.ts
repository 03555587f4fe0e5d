/** Routes of an app from documents and files: `readOpenApi`, `readRoutes`, `routesFile`. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  type AppRoute,
  readOpenApi,
  readRoutes,
  routesFile,
  TemplateError,
} from '../../../../src/contract/infra/index.ts'
import { openApiParts } from '../../../../src/contract/openapi/index.ts'
import { anyOf, defineScopes } from '../../../../src/index.ts'

type Read = (source: { file: string; text: string }) => Promise<readonly AppRoute[]>

/** Returns `METHOD path requirement @line:column scope@line:column…` of each route. */
async function describeRoutes(read: Read, file: string, text: string): Promise<string[]> {
  return (await read({ file, text })).map(({ method, path, auth, at, scopesAt }) => {
    const scopes = [...(scopesAt ?? [])].map(
      ([scope, { line, column }]) => ` ${scope}@${line}:${column}`,
    )
    return `${method} ${path} ${JSON.stringify(auth)} @${at?.line}:${at?.column}${scopes.join('')}`
  })
}

const document = (paths: string, more = '') => `openapi: 3.1.0
info: { title: Orders, version: '1' }
components:
  securitySchemes:
    cognito: { type: oauth2, flows: { clientCredentials: { tokenUrl: https://a.test/t, scopes: {} } } }
    users: { type: oauth2, flows: { authorizationCode: { tokenUrl: https://a.test/t, scopes: {} } } }
    bearer: { type: http, scheme: Bearer }
    basic: { type: http, scheme: basic }
    oidc: { type: openIdConnect, openIdConnectUrl: https://a.test/.well-known/openid-configuration }
    key: { type: apiKey, in: header, name: x-key }
    same: { $ref: '#/components/securitySchemes/cognito' }
${more}
paths:
${paths}`

/** Reads the requirement of one operation from its `security`. */
async function requirement(security: string) {
  const text = document(`  /orders: { get: { security: ${security} } }`)
  const [route] = await readOpenApi({ file: 'a.yaml', text })
  return route?.auth
}

t.test('an operation has its security, or else the security of the document', async (t) => {
  const text = document(
    `  /orders/{id}:
    summary: One order
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get:
      security:
        - cognito: [orders/read]
    put:
      security:
        - cognito:
            - orders/read
            - orders/write
    delete: { security: [] }
    patch: {}
  x-notes: {}`,
    'security: [{ cognito: [orders/admin] }]',
  )
  t.strictSame(await describeRoutes(readOpenApi, 'a.yaml', text), [
    'GET /orders/{id} {"scopes":["orders/read"]} @17:5 orders/read@19:21',
    'PUT /orders/{id} {"scopes":["orders/read","orders/write"]} @20:5 orders/read@23:15 orders/write@24:15',
    'DELETE /orders/{id} false @25:5',
    'PATCH /orders/{id} {"scopes":["orders/admin"]} @26:5 orders/admin@12:24',
  ])
})

t.test('alternatives, optional tokens and public operations', async (t) => {
  const cases: [string, AppRoute['auth']][] = [
    ['[]', false],
    ['[{}]', { optional: true }],
    ['[{ cognito: [] }]', {}],
    ['[{ cognito: [a/x] }, {}]', { scopes: ['a/x'], optional: true }],
    ['[{ cognito: [a/x] }, { cognito: [a/y] }]', { anyOf: ['a/x', 'a/y'] }],
    ['[{ cognito: [a/x, a/y] }, { cognito: [a/z] }]', { anyOf: [['a/x', 'a/y'], 'a/z'] }],
    ['[{ cognito: [a/x] }, { cognito: [] }, {}]', { anyOf: ['a/x', []], optional: true }],
    ['[{ cognito: [a/x], bearer: [a/y], key: [] }]', { scopes: ['a/x', 'a/y'] }],
    ['[{ bearer: [] }]', {}],
    ['[{ oidc: [a/x] }]', { scopes: ['a/x'] }],
    ['[{ same: [a/x] }]', { scopes: ['a/x'] }],
    ['[{ key: [] }]', { other: true }],
    ['[{ basic: [] }, {}]', { optional: true, other: true }],
    ['[{ users: [a/x] }]', { other: true }],
    ['[{ cognito: [a/x] }, { key: [] }]', { scopes: ['a/x'], other: true }],
  ]
  for (const [security, expected] of cases)
    t.strictSame(await requirement(security), expected, security)
})

t.test('generated security is read as the original requirement', async (t) => {
  const orders = defineScopes('orders', { read: 'Read orders', write: 'Change orders' })
  const parts = openApiParts({ tokenUrl: 'https://a.test/oauth2/token', scopes: [orders] })
  const needs = [
    false,
    {},
    { scopes: [orders.read, orders.write] },
    { scopes: anyOf(orders.read, orders.write), optional: true },
  ] as const
  const text = JSON.stringify(
    {
      openapi: '3.0.3',
      components: { securitySchemes: parts.securitySchemes() },
      paths: Object.fromEntries(
        needs.map((need, index) => [`/${index}`, { get: { ...parts.access(need) } }]),
      ),
    },
    null,
    '\t',
  )
  const routes = await readOpenApi({ file: 'a.json', text })
  t.strictSame(
    routes.map(({ auth }) => auth),
    [
      false,
      {},
      { scopes: ['orders/read', 'orders/write'] },
      { anyOf: ['orders/read', 'orders/write'], optional: true },
    ],
  )
})

t.test('the path of the first server is the base path', async (t) => {
  const path = async (servers: string, operation = '{}') => {
    const text = document(`  /orders: { get: ${operation} }`, servers)
    const [route] = await readOpenApi({ file: 'a.yaml', text })
    return [route?.path, route?.basePath]
  }
  const cases: [string, string][] = [
    ['', ''],
    ['servers: []', ''],
    ['servers: [{ url: / }]', ''],
    ['servers: [{ url: /v1/ }, { url: /v2 }]', '/v1'],
    ['servers: [{ url: https://api.test }]', ''],
    ['servers: [{ url: https://api.test/v1/a/?b=/c#/d }]', '/v1/a'],
    ['servers: [{ url: //api.test/v1 }]', '/v1'],
    ['servers: [{ url: v1 }]', ''],
    ['servers: [{ description: none }]', ''],
    [
      "servers: [{ url: 'https://{id}.test/{stage}', variables: { id: { default: a }, stage: { default: /v1 } } }]",
      '/v1',
    ],
  ]
  for (const [servers, base] of cases) {
    t.strictSame(await path(servers), [`${base}/orders`, base], servers)
  }
  t.strictSame(await path('servers: [{ url: /v1 }]', '{ servers: [{ url: /own }] }'), [
    ...['/own/orders', '/own'],
  ])
  const text = document(
    '  /orders: { servers: [{ url: /item }], get: {} }',
    'servers: [{ url: /v1 }]',
  )
  t.equal((await readOpenApi({ file: 'a.yaml', text }))[0]?.path, '/item/orders')
})

t.test('references within the document are resolved', async (t) => {
  const text = document(`  /a: { $ref: '#/paths/~1b~1%7Bid%7D' }
  /b/{id}: { get: { security: [] } }
  /c: { $ref: '#/components/pathItems/list/0' }`)
  const items = text.replace('components:', 'components:\n  pathItems: { list: [{ post: {} }] }')
  t.strictSame(await describeRoutes(readOpenApi, 'a.yaml', items), [
    'GET /a false @16:14',
    'GET /b/{id} false @16:14',
    'POST /c false @4:25',
  ])
})

t.test('invalid OpenAPI documents are rejected with a position', async (t) => {
  const assertRejected = async (text: string, message: string | RegExp) => {
    await t.rejects(readOpenApi({ file: 'a.yaml', text }), TemplateError)
    await t.rejects(readOpenApi({ file: 'a.yaml', text }), { message })
  }
  const none =
    'expected an OpenAPI document of version 3.0 or 3.1, got another document. Pass an OpenAPI document.'
  await assertRejected('', 'a.yaml:1:1: expected an object, got an empty value. Write an object.')
  await assertRejected('info: {}', `a.yaml:1:1: ${none}`)
  await assertRejected("swagger: '2.0'\npaths: {}", `a.yaml:1:1: ${none}`)
  await assertRejected('info: {}\nopenapi: 4.0.0', `a.yaml:2:1: ${none}`)
  await assertRejected(
    'openapi: 3.1.0\npaths: [',
    /^a\.yaml:2:\d+: expected valid YAML, got an error: /,
  )
  await assertRejected(
    'openapi: 3.1\npaths: 5',
    'a.yaml:2:8: expected an object, got a scalar. Write an object.',
  )
  await assertRejected(
    document('  orders: {}'),
    'a.yaml:14:3: expected a path that begins with a slash, got orders. Add the slash.',
  )
  await assertRejected(
    document('  /a: 5'),
    'a.yaml:14:7: expected an object, got a scalar. Write an object.',
  )
  await assertRejected(
    document('  /a: { get: 5 }'),
    'a.yaml:14:14: expected an object, got a scalar. Write an object.',
  )
  const at = (security: string) => document(`  /a: { get: { security: ${security} } }`)
  await assertRejected(at('{}'), 'a.yaml:14:26: expected a list, got an object. Write a list.')
  await assertRejected(
    at('[a/x]'),
    'a.yaml:14:27: expected an object, got a scalar. Write an object.',
  )
  await assertRejected(
    at('[{ cognito: a/x }]'),
    'a.yaml:14:38: expected a list, got a scalar. Write a list.',
  )
  await assertRejected(
    at('[{ cognito: [{}] }]'),
    'a.yaml:14:39: expected a string, got an object. Write a string.',
  )
  await assertRejected(
    at('[{ cognito: [null] }]'),
    'a.yaml:14:39: expected a string, got an empty value. Write a string.',
  )
  const unknown = 'expected a scheme of components.securitySchemes, got'
  await assertRejected(
    at('[{ congito: [] }]'),
    `a.yaml:14:29: ${unknown} congito. Define the scheme or correct the spelling.`,
  )
  await assertRejected(
    at('[{ "\\e[2J": [] }]'),
    `a.yaml:14:29: ${unknown} \\u{1b}[2J. Define the scheme or correct the spelling.`,
  )
  const gone = (ref: string) => document(`  /a: { $ref: '${ref}' }`)
  for (const ref of ['#/paths/gone', '#/info/title/x', '#/paths/~1a/$ref/0', 'a.yaml#/paths']) {
    await assertRejected(
      gone(ref),
      `a.yaml:14:15: expected a reference within the document, got ${ref}. Correct the reference or bundle the files into one.`,
    )
  }
  await assertRejected(
    gone('#/paths/~1a'),
    'a.yaml:14:7: expected at most 20 references in a chain, got more. Shorten the chain.',
  )
  await assertRejected(
    document('  /a: { get: {} }', "servers: [{ url: '/{stage}' }]"),
    'a.yaml:12:18: expected a default for the server variable stage, got none. Add a default.',
  )
  const start = process.cpuUsage()
  await assertRejected(
    `openapi: 3.1.0\nx: ${'a'.repeat(10_000_000)}`,
    /expected at most 1048576 characters, got 10000018\./,
  )
  await assertRejected(
    `openapi: 3.1.0\nx: ${'['.repeat(500_000)}`,
    /expected at most 200 nested brackets, got more/,
  )
  const { user, system } = process.cpuUsage(start)
  t.ok(user + system < 5_000_000, 'microseconds of processor time')
  await t.rejects(readOpenApi({ file: '', text: '' }), {
    message: /source\.file: expected a file name, got ""\. Name the file\.$/,
  })
  await t.rejects(readRoutes({ file: 'a', text: 5 as never }), {
    message: /source\.text: expected the text of the file, got 5\. Pass a string\.$/,
  })
})

const at = { file: 'src/app.ts', line: 7, column: 3 }
const ROUTES: readonly AppRoute[] = [
  { method: 'GET', path: '/orders', auth: { scopes: ['orders/read'] }, at },
  { method: 'post', path: '/v1/orders', basePath: '/v1', auth: { anyOf: [['a/x', 'a/y'], 'a/z'] } },
  { method: 'GET', path: '/health', auth: false },
  { method: 'ALL', path: '/me', auth: { optional: true, other: true } },
]

t.test('a routes file is read with positions', async (t) => {
  const servers = [{ identifier: 'orders', scopes: { read: 'Read', Ref: 'Refer' } }]
  const text = routesFile(ROUTES, [defineScopes('orders', servers[0]?.scopes ?? {})])
  const { $schema, routes, scopes, ...more } = JSON.parse(text)
  t.equal($schema, './node_modules/cognito-m2m/schemas/routes.json')
  t.same(routes, ROUTES)
  t.same([scopes, more], [servers, {}])
  t.ok(text.endsWith('}\n'))
  const read = await readRoutes({ file: 'routes.json', text })
  t.same(
    read.map(({ at: _, scopesAt: __, ...route }) => route),
    ROUTES.map(({ at: _, ...route }) => route),
  )
  t.strictSame(await describeRoutes(readRoutes, 'routes.json', text), [
    'GET /orders {"scopes":["orders/read"]} @7:3',
    'post /v1/orders {"anyOf":[["a/x","a/y"],"a/z"]} @18:5 a/x@25:13 a/y@26:13 a/z@28:11',
    'GET /health false @32:5',
    'ALL /me {"optional":true,"other":true} @37:5',
  ])
  t.equal(read[0]?.at?.file, 'src/app.ts')
  t.equal(read[1]?.at?.file, 'routes.json')
  t.equal(routesFile(read), routesFile(read), 'the same text for the same routes')
  t.notOk('scopes' in JSON.parse(routesFile(ROUTES)))
  // One scope has the name of an intrinsic function of CloudFormation.
  await readRoutes({
    file: 'routes.json',
    text: '{"routes":[],"scopes":[{"identifier":"a","scopes":{"Ref":"Refer"}}]}',
  })
})

t.test('invalid routes files are rejected with a position', async (t) => {
  const assertRejected = (text: string, message: string | RegExp) =>
    t.rejects(readRoutes({ file: 'routes.json', text }), { name: 'TemplateError', message })
  const route = (members: string) =>
    `{\n"routes": [\n{"method": "GET", "path": "/a", ${members}}\n]}`
  await assertRejected('', /^routes\.json:1:1: expected valid JSON, got a syntax error/)
  await assertRejected('[]', 'routes.json:1:1: expected an object, got a list. Write an object.')
  await assertRejected(
    '{}',
    'routes.json:1:1: expected a routes file, got no routes. Pass a file with the member routes.',
  )
  await assertRejected(
    '{"routes": {}}',
    'routes.json:1:12: expected a list, got an object. Write a list.',
  )
  await assertRejected(
    '{"routes": [],\n "route": 1}',
    'routes.json:2:2: expected one of $schema, routes, scopes, got route. Rename or remove it.',
  )
  await assertRejected(
    '{"routes": [5]}',
    'routes.json:1:13: routes[0]: expected a plain object, got 5. Pass an object literal.',
  )
  await assertRejected(
    '{"routes": [{"path": "/a", "auth": false}]}',
    'routes.json:1:13: routes[0].method: expected an HTTP method, got undefined. Set a method such as GET, or ANY.',
  )
  await assertRejected(
    '{"routes": [{"method": 5}]}',
    'routes.json:1:24: routes[0].method: expected an HTTP method, got 5. Set a method such as GET, or ANY.',
  )
  await assertRejected(
    '{"routes": [{"method": "GET", "path": "a"}]}',
    'routes.json:1:39: routes[0].path: expected a path that begins with a slash, got "a". Set the path of the route.',
  )
  await assertRejected(
    route('"basePath": "/b", "auth": {}'),
    'routes.json:3:45: routes[0].basePath: expected the beginning of the path, got "/b". Set whole parts at the beginning of path.',
  )
  await assertRejected(
    route('"x": 1'),
    /^routes\.json:3:38: routes\[0\]\.x: expected one of method, /,
  )
  await assertRejected(
    route('"auth": true'),
    'routes.json:3:41: routes[0].auth: expected a plain object, got true. Pass an object literal.',
  )
  await assertRejected(
    route('"auth": {"scopes": "a/x"}'),
    'routes.json:3:52: routes[0].auth.scopes: expected an array of scopes, got "a/x". Pass an array of strings.',
  )
  await assertRejected(
    route('"auth": {"anyOf": "a/x"}'),
    'routes.json:3:51: routes[0].auth.anyOf: expected an array of scopes, got "a/x". Pass an array of strings.',
  )
  await assertRejected(
    route('"auth": {"anyOf": ["a/x", [5]]}'),
    'routes.json:3:59: routes[0].auth.anyOf[1]: expected an array of scopes, got an array. Pass an array of strings.',
  )
  await assertRejected(
    route('"auth": {"optional": 1}'),
    'routes.json:3:54: routes[0].auth.optional: expected a boolean, got 1. Pass true or false.',
  )
  await assertRejected(
    route('"auth": {}, "at": {"file": "a", "line": 0, "column": 1}'),
    'routes.json:3:51: routes[0].at: expected a file name, and a line and column of at least 1, got other values. Correct the position.',
  )
  await assertRejected(
    route('"auth": {}, "scopesAt": {}'),
    'routes.json:3:57: routes[0].scopesAt: expected a Map of scopes and positions, got an object. Pass a Map.',
  )
  await assertRejected(
    '{"routes": [],\n "scopes": [{"identifier": "a b"}]}',
    /^routes\.json:2:28: scopes\[0\]\.identifier: expected 1 to 256 printable characters .*, got "a b"/,
  )
  await assertRejected(
    '{"routes": [], "scopes": [{"identifier": "a", "scopes": {"\\u001b": ""}}]}',
    /^routes\.json:1:57: scopes\[0\]\.scopes: expected names of printable characters .*, got "\\u001b"/,
  )
  await assertRejected('{"routes": [}', /^routes\.json:1:/)
  t.throws(
    () => routesFile([{ method: 'GET', path: '/a' } as never]),
    /routes\[0\]\.auth: expected a plain object, got undefined/,
  )
  t.throws(() => routesFile([{ method: 'GET', path: '/a', auth: {}, unprotected: true }]), {
    code: 'ERR_OPTION_INVALID',
    option: 'routes[0].unprotected',
  })
  t.throws(() => routesFile([{ method: 'GET', path: '/a', auth: {}, unprotected: 1 as never }]), {
    code: 'ERR_OPTION_INVALID',
    option: 'routes[0].unprotected',
  })
  t.throws(
    () => routesFile([], [{} as never]),
    /resourceServers\[0\]\.identifier: expected .*, got undefined/,
  )
})

t.test('the published schema has the members that are read', async (t) => {
  const schema = JSON.parse(
    readFileSync(new URL('../../../../schemas/routes.json', import.meta.url), 'utf8'),
  )
  const { route, requirement } = schema.definitions
  t.strictSame(Object.keys(schema.properties), ['$schema', 'routes', 'scopes'])
  t.strictSame(Object.keys(route.properties), ['method', 'path', 'basePath', 'auth', 'at'])
  t.strictSame(Object.keys(requirement.properties), ['scopes', 'anyOf', 'optional', 'other'])
  t.strictSame(
    [schema, route, requirement].map(({ additionalProperties }) => additionalProperties),
    [false, false, false],
  )
})
