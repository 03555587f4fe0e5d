/** Responses, security and transforms that the app declares stay, and the requirement of the guard is added. */
import type { FastifySchema } from 'fastify'
import t from 'tap'
import { cognitoAuth } from '../../../../src/adapters/fastify/index.ts'
import { cognitoOpenApi } from '../../../../src/contract/openapi/fastify/index.ts'
import { newApp, pool } from '../../../support/fastify.ts'
import { describedApp, failure, info, orders } from '../../../support/openapi.ts'
import { operation, TOKEN_URL } from '../../../support/openapi-documents.ts'

const config = { auth: { scopes: orders.read } }
const READ = [{ cognito: ['orders/read'] }]
const apiKey = { type: 'apiKey', name: 'x-api-key', in: 'header' } as const

t.test('responses that a route declares take precedence', async (t) => {
  const app = await describedApp(t)
  await app.register(cognitoAuth, pool.options())
  const response = {
    200: { description: 'Orders', type: 'object' },
    403: { description: 'Only on weekdays', type: 'object' },
  }
  app.get('/', { config, schema: { response } }, async () => ({}))
  await app.ready()
  const { responses } = operation(app.swagger(), 'get', '/')
  t.strictSame(Object.keys(responses), ['200', '400', '401', '403', '503'])
  t.equal(responses['403']?.description, 'Only on weekdays')
})

t.test('other security of a route is required in addition', async (t) => {
  const components = { securitySchemes: { apiKey } }
  const app = await describedApp(t, { swagger: { openapi: { info, components } } })
  await app.register(cognitoAuth, pool.options())
  const security = [{ apiKey: [] }]
  const optional = { auth: { ...config.auth, optional: true } }
  app.get('/both', { config, schema: { security } }, async () => ({}))
  app.get('/optional', { config: optional, schema: { security } }, async () => ({}))
  app.get('/key', { config: { auth: false }, schema: { security } }, async () => ({}))
  await app.ready()
  const securityOf = (path: string) => operation(app.swagger(), 'get', path).security
  t.strictSame(securityOf('/both'), [{ apiKey: [], cognito: ['orders/read'] }])
  t.strictSame(securityOf('/optional'), [{ apiKey: [], cognito: ['orders/read'] }, { apiKey: [] }])
  t.strictSame(securityOf('/key'), [{ apiKey: [] }])
  t.match(app.swagger(), {
    components: { securitySchemes: { apiKey, cognito: { type: 'oauth2' } } },
  })
})

t.test('security of the document is required in addition', async (t) => {
  const openapi = { info, security: [{ apiKey: [] }], components: { securitySchemes: { apiKey } } }
  const app = await describedApp(t, { swagger: { openapi } })
  await app.register(cognitoAuth, pool.options())
  app.get('/', { config }, async () => ({}))
  app.get('/open', { config: { auth: false } }, async () => ({}))
  await app.ready()
  const securityOf = (path: string) => operation(app.swagger(), 'get', path).security
  t.strictSame(securityOf('/'), [{ apiKey: [], cognito: ['orders/read'] }])
  t.strictSame(securityOf('/open'), [{ apiKey: [] }])
  t.strictSame(openapi.components, { securitySchemes: { apiKey } }, 'the options are not changed')
})

t.test('transforms of the app run first', async (t) => {
  const summary =
    (text: string) =>
    ({ schema, url }: { schema: FastifySchema; url: string }) => ({
      schema: { ...schema, summary: text } as FastifySchema,
      url: `/v1${url}`,
    })
  const app = await describedApp(t, {
    swagger: {
      openapi: { info },
      transform: summary('everywhere'),
      transformObject: (document) => {
        const { openapiObject } = document as Extract<typeof document, { openapiObject: unknown }>
        return Object.assign(openapiObject, { 'x-paths': Object.keys(openapiObject.paths ?? {}) })
      },
    },
  })
  await app.register(cognitoAuth, pool.options())
  app.get('/a', { config }, async () => ({}))
  const own = { ...config, swaggerTransform: summary('here') }
  app.get('/b', { config: own }, async () => ({}))
  app.get('/c', { config: { ...config, swaggerTransform: false } }, async () => ({}))
  app.get('/d', { config: { swaggerTransform: false } }, async () => ({}))
  await app.ready()
  const document = app.swagger()
  t.match(operation(document, 'get', '/v1/a'), { summary: 'everywhere', security: READ })
  t.match(operation(document, 'get', '/v1/b'), { summary: 'here', security: READ })
  t.match(operation(document, 'get', '/c'), { summary: undefined, security: READ })
  t.match(operation(document, 'get', '/d'), { summary: undefined, security: [{ cognito: [] }] })
  t.match(document, { 'x-paths': ['/v1/a', '/v1/b', '/c', '/d'] })
  t.equal((await app.inject('/c')).statusCode, 401)
})

t.test('a config with an inherited requirement is rejected', async (t) => {
  const app = await describedApp(t)
  await app.register(cognitoAuth, pool.options())
  const hidden = Object.assign(Object.create({ auth: config.auth }), { swaggerTransform: false })
  t.throws(() => app.get('/', { config: hidden }, async () => ({})), {
    message: /config.auth of GET \/:? expected an own enumerable property/,
  })
})

t.test('hidden routes are not in the document, and may require undefined scopes', async (t) => {
  const app = await describedApp(t)
  await app.register(cognitoAuth, pool.options())
  const secret = { auth: { scopes: 'internal/all' } }
  app.get('/', { config: secret, schema: { hide: true } }, async () => ({}))
  await app.ready()
  t.strictSame((app.swagger() as { paths: object }).paths, {})
})

t.test('the app does not start if a route requires an undefined scope', async (t) => {
  const app = await describedApp(t)
  await app.register(cognitoAuth, pool.options())
  app.get('/orders', { config: { auth: { scopes: 'orders/raed' } } }, async () => ({}))
  t.equal(
    await failure(app),
    'cognito-m2m: config.auth of GET /orders: expected a scope that the option scopes defines, got "orders/raed". Define the scope or correct the spelling.',
  )
  const other = await describedApp(t)
  await other.register(cognitoAuth, { ...pool.options(), default: { scopes: 'orders/raed' } })
  other.get('/silent', async () => ({}))
  t.match(
    await failure(other),
    /config.auth of GET \/silent: expected a scope .*, got "orders\/raed"\./,
  )
})

t.test('rejects invalid options at registration', async (t) => {
  const table: [object, RegExp][] = [
    [{ tokenUrl: 5 }, /tokenUrl: expected the URL of the token endpoint, got 5\./],
    [{ scope: [] }, / scope: expected one of tokenUrl, .* got an unknown name/],
    [{ swagger: null }, /swagger: expected options of @fastify\/swagger, got null\./],
    [{ swagger: 'openapi' }, /swagger: expected options of @fastify\/swagger, got "openapi"\./],
    [
      { swagger: { mode: 'static' } },
      /swagger\.mode: expected no such option, got one\. Describe the API in swagger\.openapi\./,
    ],
    [{ swagger: { swagger: {} } }, /swagger\.swagger: expected no such option, got one\./],
    [
      { swagger: { openapi: { components: { securitySchemes: { cognito: apiKey } } } } },
      /schemeName: expected a name that swagger\.openapi does not use, got "cognito"\./,
    ],
  ]
  for (const [options, message] of table) {
    await t.rejects(describedApp(t, options), { code: 'ERR_OPTION_INVALID', message })
  }
  const app = newApp(t)
  await app.register(cognitoOpenApi, { tokenUrl: TOKEN_URL, scopes: [], schemeName: 'machines' })
  await app.ready()
  t.match(app.swagger(), { components: { securitySchemes: { machines: { type: 'oauth2' } } } })
})
