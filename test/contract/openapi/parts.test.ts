import t from 'tap'
import { type OpenApiOptions, openApiParts } from '../../../src/contract/openapi/index.ts'
import { type AccessRequirement, anyOf, defineScopes, OptionError } from '../../../src/index.ts'
import { isValid, TOKEN_URL, VERSIONS } from '../../support/openapi-documents.ts'

const orders = defineScopes('orders', { read: 'Read orders', write: 'Change orders' })
const reports = defineScopes('https://api.example.com/reports', { run: 'Run reports' })
const options = { tokenUrl: TOKEN_URL, scopes: [orders, reports] }

function catchOptionError(given: () => unknown): OptionError {
  try {
    given()
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('accepted')
}

t.test(
  'the scheme has the client credentials flow, and each scope with its description',
  async (t) => {
    const { securitySchemes } = openApiParts({ ...options, schemeName: 'machines' })
    t.strictSame(securitySchemes(), {
      machines: {
        type: 'oauth2',
        description: 'An Amazon Cognito access token from the client credentials grant.',
        flows: {
          clientCredentials: {
            tokenUrl: TOKEN_URL,
            scopes: {
              'orders/read': 'Read orders',
              'orders/write': 'Change orders',
              'https://api.example.com/reports/run': 'Run reports',
            },
          },
        },
      },
    })
    t.not(
      securitySchemes()['machines'],
      securitySchemes()['machines'],
      'each call creates a new object',
    )
  },
)

t.test('security lists the alternatives of a requirement', async (t) => {
  const { access } = openApiParts(options)
  const table: [string, AccessRequirement | false, unknown][] = [
    ['open', false, []],
    ['any token', {}, [{ cognito: [] }]],
    ['a client', { clientId: 'billing' }, [{ cognito: [] }]],
    ['one scope', { scopes: orders.read }, [{ cognito: ['orders/read'] }]],
    [
      'all scopes',
      { scopes: [orders.read, orders.write] },
      [{ cognito: ['orders/read', 'orders/write'] }],
    ],
    [
      'any scope',
      { scopes: anyOf(orders.read, reports.run) },
      [{ cognito: ['orders/read'] }, { cognito: ['https://api.example.com/reports/run'] }],
    ],
    ['optional', { optional: true }, [{ cognito: [] }, {}]],
    [
      'optional with any scope',
      { optional: true, scopes: anyOf(orders.read, orders.write) },
      [{ cognito: ['orders/read'] }, { cognito: ['orders/write'] }, {}],
    ],
    [
      "Cognito's own scope",
      { scopes: 'aws.cognito.signin.user.admin' },
      [{ cognito: ['aws.cognito.signin.user.admin'] }],
    ],
  ]
  for (const [name, requirement, security] of table) {
    t.strictSame(access(requirement).security, security, name)
  }
})

t.test('responses have the bodies and headers that are sent', async (t) => {
  const { responses } = openApiParts({
    ...options,
    realm: 'orders',
    resourceMetadata: { resource: 'https://api.example.com' },
  }).access({ scopes: [orders.read, orders.write] })
  t.strictSame(Object.keys(responses), ['400', '401', '403', '503'])
  const metadata =
    'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"'
  const noStore = {
    description: 'Error responses are not cached.',
    required: true,
    schema: { type: 'string', enum: ['no-store'] },
  }
  const body = (code: string, error: string, statusCode: number, message: string) => ({
    [code]: { value: { statusCode, code, error, message } },
  })
  const denied = ['ERR_CLIENT_NOT_ALLOWED', 'ERR_SCOPE_INSUFFICIENT', 'ERR_ACCESS_DENIED']
  t.strictSame(responses['403'], {
    description: 'The access token is valid but does not meet the requirement of the route.',
    headers: {
      'Cache-Control': noStore,
      'WWW-Authenticate': {
        description: 'The challenge: RFC 6750 section 3.',
        required: true,
        schema: { type: 'string' },
        examples: {
          ERR_CLIENT_NOT_ALLOWED: { value: `Bearer realm="orders", ${metadata}` },
          ERR_SCOPE_INSUFFICIENT: {
            value: `Bearer realm="orders", error="insufficient_scope", error_description="The access token lacks a scope required here", scope="orders/read orders/write", ${metadata}`,
          },
          ERR_ACCESS_DENIED: { value: `Bearer realm="orders", ${metadata}` },
        },
      },
    },
    content: {
      'application/json': {
        schema: {
          type: 'object',
          required: ['statusCode', 'code', 'error', 'message'],
          properties: {
            statusCode: { type: 'integer', enum: [403] },
            code: { type: 'string', enum: denied },
            error: { type: 'string', enum: ['Forbidden'] },
            message: { type: 'string' },
          },
        },
        examples: {
          ...body(
            ...(['ERR_CLIENT_NOT_ALLOWED', 'Forbidden', 403] as const),
            'The app client is not allowed to call this API',
          ),
          ...body(
            ...(['ERR_SCOPE_INSUFFICIENT', 'Forbidden', 403] as const),
            'The access token lacks a scope required here',
          ),
          ...body('ERR_ACCESS_DENIED', 'Forbidden', 403, 'Access is denied'),
        },
      },
    },
  })
  t.strictSame(responses['503']?.headers, {
    'Cache-Control': noStore,
    'Retry-After': {
      description: 'Seconds to wait before the next attempt.',
      required: true,
      schema: { type: 'integer', minimum: 1, maximum: 60 },
    },
  })
})

t.test('responses list only the codes that an operation can return', async (t) => {
  const { access } = openApiParts(options)
  const codes = (requirement: AccessRequirement | false, status: string) =>
    access(requirement).responses[status]?.content['application/json'].schema.properties?.['code']
      ?.enum
  t.strictSame(access(false).responses, {})
  t.strictSame(codes({}, '400'), ['ERR_REQUEST_INVALID'])
  t.strictSame(codes({}, '403'), ['ERR_CLIENT_NOT_ALLOWED', 'ERR_ACCESS_DENIED'])
  t.strictSame(codes({}, '503'), ['ERR_KEYS_UNAVAILABLE', 'ERR_CHECK_UNAVAILABLE'])
  t.ok(codes({}, '401')?.includes('ERR_TOKEN_MISSING'))
  t.notOk(codes({ optional: true }, '401')?.includes('ERR_TOKEN_MISSING'))
  t.ok(codes({ optional: true }, '401')?.includes('ERR_TOKEN_EXPIRED'))
})

t.test('a document with the parts is valid', async (t) => {
  const { access, securitySchemes } = openApiParts(options)
  const operations = [
    access({ scopes: [orders.read, orders.write] }),
    access({ scopes: anyOf(orders.read, reports.run), optional: true }),
    access(false),
  ]
  for (const openapi of VERSIONS) {
    const paths = operations.map(({ security, responses }, index) => [
      `/${index}`,
      { get: { security, responses: { 200: { description: 'Orders' }, ...responses } } },
    ])
    const document = {
      openapi,
      info: { title: 'Orders', version: '1.0.0' },
      components: { securitySchemes: securitySchemes() },
      paths: Object.fromEntries(paths),
    }
    await isValid(t, document, openapi)
  }
})

t.test('rejects options that would create an invalid document', async (t) => {
  const scopes = [orders]
  const table: [string, unknown, string, RegExp][] = [
    ['no options', undefined, 'options', /expected a plain object, got /],
    [
      'an unknown member',
      { ...options, scope: 'a/b' },
      'scope',
      /expected one of tokenUrl, scopes, .* got an unknown name/,
    ],
    [
      'no token URL',
      { scopes },
      'tokenUrl',
      /^expected the URL of the token endpoint, got undefined\./,
    ],
    ['a token URL in the clear', { tokenUrl: 'http://a.example', scopes }, 'tokenUrl', /https/],
    [
      'no scopes',
      { tokenUrl: TOKEN_URL },
      'scopes',
      /expected an array of at most 25 .*, got undefined/,
    ],
    [
      'one without an array',
      { ...options, scopes: orders },
      'scopes',
      /expected an array of at most 25 .*, got an object/,
    ],
    [
      'one twice',
      { ...options, scopes: [orders, orders] },
      'scopes[1]',
      /got "orders" again\. Merge the two/,
    ],
    ['a literal', { ...options, scopes: [{ identifier: '' }] }, 'scopes[0].identifier', /1 to 256/],
    ['a scheme name', { ...options, schemeName: 'a b' }, 'schemeName', /letters, digits/],
    ['no scheme name', { ...options, schemeName: 5 }, 'schemeName', /, got 5\./],
    ['a realm', { ...options, realm: '"' }, 'realm', /printable ASCII/],
    ['metadata', { ...options, resourceMetadata: {} }, 'resourceMetadata.resource', /URL/],
  ]
  for (const [name, given, option, problem] of table) {
    const error = catchOptionError(() => openApiParts(given as OpenApiOptions))
    t.equal(error.option, option, name)
    t.match(error.problem, problem, name)
  }
  const { access } = openApiParts(options)
  for (const requirement of [
    { scopes: 'orders/raed' },
    { scopes: [orders.read, 'orders/raed'] },
    { scopes: anyOf(orders.read, 'orders/raed') },
  ]) {
    t.match(
      catchOptionError(() => access(requirement)),
      {
        option: 'access',
        problem:
          'expected a scope that the option scopes defines, got "orders/raed". Define the scope or correct the spelling.',
      },
    )
  }
  t.match(
    catchOptionError(() => access({ scope: orders.read } as never)),
    { option: 'access.scope' },
  )
})
