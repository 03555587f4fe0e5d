import swagger from '@fastify/swagger'
import t from 'tap'
import { authDefault, cognitoAuth } from '../../../../src/adapters/fastify/index.ts'
import defaultExport, { cognitoOpenApi } from '../../../../src/contract/openapi/fastify/index.ts'
import { anyOf } from '../../../../src/index.ts'
import { newApp, pool } from '../../../support/fastify.ts'
import { describedApp, info, orders } from '../../../support/openapi.ts'
import { isValid, operation, TOKEN_URL, VERSIONS } from '../../../support/openapi-documents.ts'

const READ = [{ cognito: ['orders/read'] }]
const ANY_TOKEN = [{ cognito: [] }]
const REFUSALS = ['400', '401', '403', '503']

t.test('each operation has the requirement of its route', async (t) => {
  const app = await describedApp(t)
  await app.register(cognitoAuth, pool.options())
  const route = (url: string, auth: object | false) =>
    app.get(url, { config: { auth } as never }, async () => ({}))
  route('/open', false)
  route('/any-token', {})
  route('/one', { scopes: orders.read })
  route('/all', { scopes: [orders.read, orders.write] })
  route('/any', { scopes: anyOf(orders.read, orders.write) })
  route('/optional', { scopes: orders.read, optional: true })
  app.get('/silent', async () => ({}))
  await app.ready()

  const document = app.swagger()
  const securityOf = (path: string) => operation(document, 'get', path).security
  t.strictSame(securityOf('/open'), [])
  t.strictSame(securityOf('/any-token'), ANY_TOKEN)
  t.strictSame(securityOf('/one'), READ)
  t.strictSame(securityOf('/all'), [{ cognito: ['orders/read', 'orders/write'] }])
  t.strictSame(securityOf('/any'), [{ cognito: ['orders/read'] }, { cognito: ['orders/write'] }])
  t.strictSame(securityOf('/optional'), [...READ, {}])
  t.strictSame(securityOf('/silent'), ANY_TOKEN)
  t.strictSame(Object.keys(operation(document, 'get', '/open').responses), ['200'])
  t.strictSame(Object.keys(operation(document, 'get', '/one').responses), ['200', ...REFUSALS])
  t.match(document, {
    components: {
      securitySchemes: {
        cognito: {
          type: 'oauth2',
          flows: {
            clientCredentials: {
              tokenUrl: TOKEN_URL,
              scopes: { 'orders/read': 'Read orders', 'orders/write': 'Change orders' },
            },
          },
        },
      },
    },
  })
})

t.test('documents of OpenAPI 3.0 and 3.1 are valid, as JSON and as YAML', async (t) => {
  for (const openapi of VERSIONS) {
    const app = await describedApp(t, { swagger: { openapi: { openapi, info } } })
    await app.register(cognitoAuth, {
      ...pool.options(),
      resourceMetadata: { resource: 'https://api.example.com' },
    })
    const response = { 200: { description: 'Orders', type: 'array', items: { type: 'string' } } }
    const config = { auth: { scopes: anyOf(orders.read, orders.write), optional: true } }
    app.get('/orders/:id', { config, schema: { response } }, async () => [])
    app.get('/open', { config: { auth: false } }, async () => ({}))
    await app.ready()
    await isValid(t, app.swagger(), openapi)
    t.match(app.swagger({ yaml: true }), /^ {8}- cognito:\n {12}- orders\/read$/m)
    t.notMatch(JSON.stringify(app.swagger()), 'x-cognito-m2m')
    t.match(operation(app.swagger(), 'get', '/orders/{id}').responses['401'], {
      headers: {
        'WWW-Authenticate': {
          examples: {
            ERR_TOKEN_EXPIRED: {
              value:
                'Bearer realm="api", error="invalid_token", error_description="The access token expired", scope="orders/read orders/write", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"',
            },
          },
        },
      },
    })
  }
})

t.test('documented bodies and headers equal those that are sent', async (t) => {
  const app = await describedApp(t)
  await app.register(cognitoAuth, { ...pool.options(), realm: 'orders' })
  app.get('/', { config: { auth: { scopes: orders.read } } }, async () => 'in')
  await app.ready()
  const { responses } = operation(app.swagger(), 'get', '/')
  const requests: Record<string, Record<string, string>> = {
    ERR_TOKEN_MISSING: {},
    ERR_REQUEST_INVALID: { authorization: 'Bearer a b' },
    ERR_TOKEN_EXPIRED: { authorization: `Bearer ${pool.tampered.expired()}` },
    ERR_SCOPE_INSUFFICIENT: {
      authorization: `Bearer ${pool.accessToken({ scopes: orders.write })}`,
    },
  }
  for (const [code, headers] of Object.entries(requests)) {
    const sent = await app.inject({ url: '/', headers })
    const documented = responses[sent.statusCode]
    const { schema, examples } = documented?.content['application/json'] ?? {}
    t.strictSame(examples?.[code]?.value, sent.json(), code)
    t.strictSame(schema?.required, Object.keys(sent.json()))
    const challenge = documented?.headers['WWW-Authenticate']?.examples?.[code]?.value
    t.equal(challenge, sent.headers['www-authenticate'])
    t.strictSame(documented?.headers['Cache-Control']?.schema.enum, [sent.headers['cache-control']])
  }
})

t.test('defaults, prefixes, children and nested registrations apply as for requests', async (t) => {
  const app = await describedApp(t)
  app.get('/earlier', async () => ({}))
  app.register(async (child) => {
    child.get('/orders', async () => ({}))
    child.register(authDefault, { auth: { scopes: orders.read } })
    child.register(async (open) => {
      open.register(authDefault, { auth: false })
      open.get('/open', async () => ({}))
      open.get('/not', { config: { auth: {} } }, async () => ({}))
    })
  })
  app.register(
    async (nested) => {
      nested.get('/', { config: { auth: { scopes: orders.write } } }, async () => ({}))
      nested.get('/default', async () => ({}))
      await nested.register(cognitoAuth, { ...pool.options(), default: false, realm: 'nested' })
    },
    { prefix: '/nested' },
  )
  app.register(cognitoAuth, { ...pool.options(), default: { scopes: orders.write } })
  await app.ready()
  const securityOf = (path: string) => operation(app.swagger(), 'get', path).security
  t.strictSame(securityOf('/earlier'), [{ cognito: ['orders/write'] }])
  t.strictSame(securityOf('/orders'), READ)
  t.strictSame(securityOf('/open'), [])
  t.strictSame(securityOf('/not'), ANY_TOKEN)
  t.strictSame(securityOf('/nested/'), [{ cognito: ['orders/write'] }])
  t.strictSame(securityOf('/nested/default'), [])
  t.match(operation(app.swagger(), 'get', '/nested/').responses['401'], {
    headers: {
      'WWW-Authenticate': { examples: { ERR_TOKEN_MISSING: { value: 'Bearer realm="nested"' } } },
    },
  })
  t.equal((await app.inject('/nested/default')).statusCode, 200)
  t.equal((await app.inject('/earlier')).statusCode, 401)
})

t.test('HEAD routes and several methods in one declaration', async (t) => {
  const app = await describedApp(t, { swagger: { openapi: { info }, exposeHeadRoutes: true } })
  await app.register(cognitoAuth, pool.options())
  const config = { auth: { scopes: orders.read } }
  app.get('/head', { config, schema: { operationId: 'head' } as object }, async () => ({}))
  app.route({ method: ['PUT', 'POST'], url: '/several', config, handler: async () => ({}) })
  await app.ready()
  const document = app.swagger()
  for (const [method, path] of [
    ['get', '/head'],
    ['head', '/head'],
    ['put', '/several'],
    ['post', '/several'],
  ] as const) {
    const { security, responses } = operation(document, method, path)
    t.strictSame(security, READ, `${method} ${path}`)
    t.strictSame(Object.keys(responses), ['200', ...REFUSALS])
  }
  await isValid(t, document, '3.0.3')
})

t.test('routes without a guard are not changed', async (t) => {
  const app = await describedApp(t)
  app.get('/', { config: { auth: { scopes: orders.read } } }, async () => ({}))
  await app.ready()
  const found = operation(app.swagger(), 'get', '/')
  t.notOk('security' in found)
  t.strictSame(Object.keys(found.responses), ['200'])
})

t.test('the document does not change responses', async (t) => {
  const app = newApp(t)
  await app.register(swagger, {})
  t.equal(defaultExport, cognitoOpenApi)
  const described = await describedApp(t)
  for (const it of [app, described]) {
    await it.register(cognitoAuth, pool.options())
    it.get('/', { config: { auth: { scopes: orders.read } } }, async () => ({}))
  }
  const [plain, other] = [await app.inject('/'), await described.inject('/')]
  t.strictSame(
    [other.statusCode, other.body, other.headers['www-authenticate']],
    [plain.statusCode, plain.body, plain.headers['www-authenticate']],
  )
})
