import { CognitoJwtVerifier } from 'aws-jwt-verify/cognito-verifier'
import t from 'tap'
import { defineScopes } from '../../src/core/scopes.ts'
import {
  createTestUserPool,
  startUserPool,
  type TestUserPoolOptions,
} from '../../src/testing/index.ts'

const orders = defineScopes('orders', { read: 'Read orders', write: 'Change orders' })
const many = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`)
const server = (identifier: string, names: readonly string[]) => ({
  identifier,
  scopes: Object.fromEntries(names.map((name) => [name, 'A scope'])),
})

t.test('without options: a generated id, one client, no scopes', async (t) => {
  const pool = createTestUserPool()
  t.match(pool.userPoolId, /^xx-local-1_[A-Za-z0-9]{9}$/)
  t.equal(pool.issuer, CognitoJwtVerifier.parseUserPoolId(pool.userPoolId).issuer)
  t.match(pool.clients, [
    {
      clientId: 'test-client',
      clientSecrets: [/^[a-z0-9]{51}$/],
      scopes: [],
      flows: ['client_credentials'],
      oauth: true,
      accessTokenValidity: 3600,
    },
  ])
  t.equal(pool.clients.length, 1)
  const again = createTestUserPool()
  t.not(again.userPoolId, pool.userPoolId)
  t.not(again.clients[0]?.clientSecrets[0], pool.clients[0]?.clientSecrets[0])
})

t.test("scopes default to the resource servers', from either form, each its own", async (t) => {
  const pool = createTestUserPool({
    resourceServers: [orders, server('https://api.example.com/stock', ['read'])],
    clients: [
      { clientId: 'all' },
      { clientId: 'one', scopes: ['orders/read', 'orders/read'] },
      { clientId: 'none', scopes: [] },
      { clientId: 'person', scopes: ['openid', 'orders/read'], flows: ['code', 'implicit'] },
    ],
  })
  t.strictSame(
    pool.clients.map(({ clientId, scopes }) => [clientId, ...scopes]),
    [
      ['all', 'orders/read', 'orders/write', 'https://api.example.com/stock/read'],
      ['one', 'orders/read'],
      ['none'],
      ['person', 'openid', 'orders/read'],
    ],
  )
  t.strictSame(pool.options().clientId, ['all', 'one', 'none', 'person'])
})

t.test('without resource servers any well-formed scope passes', async (t) => {
  const [client] = createTestUserPool({ clients: [{ clientId: 'a', scopes: ['b/c/d'] }] }).clients
  t.strictSame(client?.scopes, ['b/c/d'])
})

t.test('options go in and stay: the clock too, and nothing is kept of the caller', async (t) => {
  const now = () => 0
  const scopes = ['orders/read']
  const clientSecrets = ['first', 'second']
  const options = {
    userPoolId: 'eu-west-1_AbCdEfGhI',
    clients: [{ clientId: 'a', scopes, clientSecrets }],
    now,
  }
  const pool = createTestUserPool(options)
  scopes.push('orders/write')
  clientSecrets.length = 0
  options.clients.length = 0
  t.equal(pool.issuer, 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI')
  t.match(pool.clients, [{ scopes: ['orders/read'], clientSecrets: ['first', 'second'] }])
  t.equal(pool.clients[0]?.scopes.length, 1)
  t.equal(pool.options().now, now)
  t.notOk('now' in createTestUserPool().options())
  for (const part of [pool.clients, ...pool.clients, ...Object.values(pool.clients[0] ?? {})]) {
    t.ok(Object.isFrozen(part))
  }
})

const client = (members: object) => ({ clients: [{ clientId: 'a', ...members }] })

/** What is wrong, the option that is named, and what the message says. */
const refused: readonly [string, unknown, string, RegExp][] = [
  ['no object', null, 'options', /^cognito-m2m: options: expected a plain object, got null\. /],
  [
    'an unknown member',
    { client: [] },
    'client',
    /expected one of userPoolId, clients.* got an unknown name/,
  ],
  ['an undefined member', { clients: undefined }, 'clients', /expected a value, got undefined/],
  [
    'a pool id of no region',
    { userPoolId: 'orders' },
    'userPoolId',
    /expected <region>_<letters and digits>, got "orders"/,
  ],
  ['a pool id that is no string', { userPoolId: 7 }, 'userPoolId', /got 7\./],
  ['a clock that is none', { now: 5 }, 'now', /expected a function, got 5/],
  ['clients that are no array', { clients: {} }, 'clients', /array of app clients, got an object/],
  [
    'no clients',
    { clients: [] },
    'clients',
    /expected a non-empty array of app clients, got an empty array/,
  ],
  ['a client that is no object', { clients: ['a'] }, 'clients[0]', /got "a"\./],
  [
    'a client without id',
    { clients: [{}] },
    'clients[0].clientId',
    /expected 1 to 128 .* got undefined/,
  ],
  [
    'a client id with a colon',
    client({ clientId: 'a:b' }),
    'clients[0].clientId',
    /expected 1 to 128 .* got "a:b"/,
  ],
  ['an unknown member of a client', client({ scope: 'x' }), 'clients[0].scope', /unknown/],
  [
    'a client twice',
    { clients: [{ clientId: 'a' }, { clientId: 'a' }] },
    'clients[1].clientId',
    /got "a" twice\. Merge the two\.$/,
  ],
  [
    'oauth that is no boolean',
    client({ oauth: 'no' }),
    'clients[0].oauth',
    /expected a boolean, got "no"/,
  ],
  ['a flow that is none', client({ flows: ['password'] }), 'clients[0].flows', /got "password"\./],
  [
    'flows that are no array',
    client({ flows: 'code' }),
    'clients[0].flows',
    /expected an array of flows, got "code"/,
  ],
  [
    'a life of 4 minutes',
    client({ accessTokenValidity: 240 }),
    'clients[0].accessTokenValidity',
    /expected a whole number of seconds from 300 to 86400, got 240/,
  ],
  [
    'a fractional life',
    client({ accessTokenValidity: 300.5 }),
    'clients[0].accessTokenValidity',
    /whole/,
  ],
  [
    'scopes that are no array',
    client({ scopes: 'a/b' }),
    'clients[0].scopes',
    /expected an array .* got "a\/b"/,
  ],
  ['a malformed scope', client({ scopes: ['a/b', 'c'] }), 'clients[0].scopes[1]', /got "c"/],
  [
    '51 scopes',
    client({ scopes: many(51).map((name) => `a/${name}`) }),
    'clients[0].scopes',
    /at most 50/,
  ],
  [
    'a misspelt scope',
    {
      resourceServers: [orders],
      clients: [{ clientId: 'a' }, { clientId: 'b', scopes: ['orders/raed'] }],
    },
    'clients[1].scopes[0]',
    /got "orders\/raed"\. Define it or correct the spelling\.$/,
  ],
  ['resource servers that are no array', { resourceServers: orders }, 'resourceServers', /array/],
  [
    '26 resource servers',
    { resourceServers: many(26).map((name) => server(name, ['read'])) },
    'resourceServers',
    /at most 25/,
  ],
  [
    'a resource server without identifier',
    { resourceServers: [{ scopes: {} }] },
    'resourceServers[0].identifier',
    /undefined/,
  ],
  [
    'an identifier twice',
    { resourceServers: [orders, server('orders', ['x'])] },
    'resourceServers[1]',
    /"orders"/,
  ],
]

for (const [name, options, option, message] of refused) {
  t.test(`${name} is refused at ${option}`, async (t) => {
    const expected = { name: 'OptionError', code: 'ERR_OPTION_INVALID', option, message }
    t.throws(() => createTestUserPool(options as TestUserPoolOptions), expected)
    await t.rejects(startUserPool(options as TestUserPoolOptions), expected)
  })
}

for (const clientSecrets of [
  'hunter2',
  [],
  ['hunter2', ''],
  ['hunter2', 7],
  ['hunter2', 'b', 'c'],
]) {
  t.test(`secrets ${JSON.stringify(clientSecrets)} are refused and never repeated`, async (t) => {
    try {
      createTestUserPool(client({ clientSecrets }) as TestUserPoolOptions)
      t.fail('accepted')
    } catch (error) {
      t.match(error, { code: 'ERR_OPTION_INVALID', option: /^clients\[0\]\.clientSecrets/ })
      t.notMatch((error as Error).message, /hunter2/)
    }
  })
}

t.test('never under NODE_ENV=production', async (t) => {
  const { NODE_ENV } = process.env
  t.teardown(() => {
    if (NODE_ENV === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = NODE_ENV
  })
  process.env['NODE_ENV'] = 'production'
  const expected = { code: 'ERR_OPTION_INVALID', option: 'NODE_ENV', message: /got production/ }
  t.throws(() => createTestUserPool(), expected)
  await t.rejects(startUserPool(), expected)
})
