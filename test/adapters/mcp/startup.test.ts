/** Mistakes of an app are one clear line when the server starts: no scope, a scope of another resource. */
import t from 'tap'
import { cognitoAuth, createFetchAuth } from '../../../src/adapters/mcp/index.ts'
import { getRequirement } from '../../../src/core/introspection.ts'
import { anyOf, type CognitoAuthOptions } from '../../../src/index.ts'
import { mcpOptions, mcpPool, OTHER, READ, RESOURCE, WRITE } from '../../support/mcp.ts'

/** Each way to start a guard, and the option that its errors name. */
const starts: readonly (readonly [
  name: string,
  option: string,
  start: (options: CognitoAuthOptions, ...requirement: readonly unknown[]) => unknown,
])[] = [
  ['Express', 'auth', (options, ...args) => cognitoAuth(options)(...(args as []))],
  ['fetch', 'requirement', (options, ...args) => createFetchAuth(options).guard(...(args as []))],
  [
    'fetch, protect',
    'requirement',
    (options, requirement = {}) =>
      createFetchAuth(options).protect(requirement as never, () => new Response()),
  ],
  [
    'verifier',
    'requirement',
    (options, requirement = {}) => cognitoAuth(options).verifier(requirement as never),
  ],
]

const none = (option: string, resource: string) =>
  `cognito-m2m: ${option}.scopes: expected a scope, got none. Machine tokens have no aud, so only a scope binds them to this MCP server: pass { scopes: '${resource}/…' }.`
const other = (option: string, scope: string) =>
  `cognito-m2m: ${option}.scopes: expected scopes of the resource "${RESOURCE}", got "${scope}". Machine tokens have no aud, so the identifier of the scope must be the resource: define '${RESOURCE}/…' in the user pool.`

for (const [name, option, start] of starts) {
  t.test(`${name}: a server without a required scope is rejected`, async (t) => {
    const error = { name: 'OptionError', code: 'ERR_OPTION_INVALID', option: `${option}.scopes` }
    const resource = RESOURCE
    t.throws(() => start(mcpOptions()), { ...error, message: none(option, resource) })
    for (const requirement of [
      {},
      { clientId: 'agent' },
      { optional: true },
      { check: () => true },
    ]) {
      t.throws(() => start(mcpOptions(), requirement), {
        ...error,
        message: none(option, resource),
      })
    }
    t.throws(() => start(mcpPool.options()), {
      ...error,
      message: none(option, 'https://mcp.example.com/mcp'),
    })
  })

  t.test(`${name}: a scope of another resource is rejected`, async (t) => {
    for (const [scopes, wrong] of [
      ['orders/read', 'orders/read'],
      ['openid', 'openid'],
      [[READ, `${OTHER}/tools.read`], `${OTHER}/tools.read`],
      [anyOf(READ, `${RESOURCE}/tools/read`), `${RESOURCE}/tools/read`],
      [`${RESOURCE}//read`, `${RESOURCE}//read`],
      [`${RESOURCE.toUpperCase()}/read`, `${RESOURCE.toUpperCase()}/read`],
    ] as const) {
      t.throws(() => start(mcpOptions(), { scopes }), { message: other(option, wrong) }, wrong)
    }
    start(mcpOptions(), { scopes: READ })
    start(mcpOptions(), { scopes: [READ, WRITE] })
    start(mcpOptions(), { scopes: anyOf(READ, WRITE) })
    start(mcpPool.options(), { scopes: 'orders/read' })
  })

  t.test(`${name}: the other mistakes of a requirement`, async (t) => {
    for (const wrong of [null, 'orders/read', { scope: READ }, { scopes: [] }]) {
      t.throws(() => start(mcpOptions(), wrong), { code: 'ERR_OPTION_INVALID' }, String(wrong))
    }
  })
}

t.test('the default applies where a guard has no requirement', async (t) => {
  const options = mcpOptions({ default: { scopes: READ } })
  t.match(getRequirement(cognitoAuth(options)()), { allOf: [READ] })
  t.match(
    getRequirement(
      createFetchAuth(options)
        .guard()
        .protect(() => new Response()),
    ),
    {
      allOf: [READ],
    },
  )
  t.throws(() => cognitoAuth(mcpOptions({ default: { scopes: 'orders/read' } }))(), {
    name: 'OptionError',
    option: 'auth.scopes',
  })
})

t.test('other mistakes name their fix', async (t) => {
  const auth = cognitoAuth(mcpOptions())
  t.throws(() => (auth as (...args: unknown[]) => unknown)({}, {}, () => {}), {
    message: /got a request of Express\. Call it: auth\(\) or auth\(\{ … \}\)/,
  })
  t.throws(() => cognitoAuth(mcpPool.options()).metadata(), {
    name: 'OptionError',
    option: 'resourceMetadata',
  })
  t.throws(() => createFetchAuth(mcpPool.options()).metadata(), {
    name: 'OptionError',
    option: 'resourceMetadata',
  })
  t.throws(() => cognitoAuth({ ...mcpOptions(), errors: 'throw' } as never), {
    name: 'OptionError',
    option: 'errors',
  })
  t.throws(() => createFetchAuth(mcpOptions()).protect({ scopes: READ }, 'handler' as never), {
    name: 'OptionError',
    option: 'handler',
  })
  t.equal(auth.server.status().ready, true)
})
