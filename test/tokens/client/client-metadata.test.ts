/** Client metadata: part of the cache key, and sent in the form of each token API. */
import t from 'tap'
import {
  createTokenClient,
  type GetTokenOptions,
  memoryStore,
  OptionError,
} from '../../../src/tokens/client/index.ts'
import { ENDPOINT, SECRET, START, setUpClient } from '../../support/client.ts'

const sent = (world: ReturnType<typeof setUpClient>['world']) =>
  world.requests.map(({ form }) => form.get('aws_client_metadata'))

t.test('each value has a token, in any order of its names', async (t) => {
  const { client, world } = setUpClient()
  const plain = await client.getToken()
  const a = await client.getToken({ clientMetadata: { tenant: 'a', b: 'x' } })
  t.equal(await client.getToken({ clientMetadata: { b: 'x', tenant: 'a' } }), a)
  const b = await client.getToken({ clientMetadata: { tenant: 'b' } })
  const scoped = await client.getToken({ scopes: 'a/b', clientMetadata: { tenant: 'b' } })
  t.equal(await client.getToken({ scopes: ['a/b'], clientMetadata: { tenant: 'b' } }), scoped)
  t.equal(await client.getToken({ clientMetadata: {} }), plain, 'empty: none')
  t.equal(await client.getToken({ timeout: 5 }), plain)
  t.equal(new Set([plain, a, b, scoped]).size, 4)
  t.strictSame(sent(world), [null, '{"b":"x","tenant":"a"}', '{"tenant":"b"}', '{"tenant":"b"}'])
})

t.test('a call without clientMetadata uses that of the client', async (t) => {
  const { client, world } = setUpClient({
    scopes: 'a/b',
    clientMetadata: { stage: 'test', app: 'shop' },
  })
  const own = await client.getToken()
  t.equal(await client.getToken({ scopes: 'a/b' }), own)
  t.equal(await client.getToken({ clientMetadata: { app: 'shop', stage: 'test' } }), own)
  await client.getToken({ scopes: 'a/c' })
  await client.getToken({ clientMetadata: {} })
  t.strictSame(sent(world), [
    '{"app":"shop","stage":"test"}',
    '{"app":"shop","stage":"test"}',
    null,
  ])
  t.strictSame(
    client.status().scopeSets.map(({ scopes, metadataNames }) => [scopes, metadataNames]),
    [
      [['a/b'], ['app', 'stage']],
      [['a/c'], ['app', 'stage']],
      [['a/b'], []],
    ],
  )
})

t.test('a value cannot be taken for a scope, and the other way round', async (t) => {
  const { client, world } = setUpClient()
  await client.getToken({ scopes: 'a/b' })
  await client.getToken({ scopes: 'a/b', clientMetadata: { 'a/b': 'a/b' } })
  await client.getToken({ scopes: 'a/b', clientMetadata: { constructor: '\n' } })
  t.equal(world.requests.length, 3)
  t.equal(sent(world)[2], '{"constructor":"\\n"}')
})

t.test('GetClientToken gets a map of strings', async (t) => {
  const bodies: unknown[] = []
  const client = createTokenClient({
    userPoolsApi: { region: 'eu-west-1' },
    clientId: 'billing',
    clientSecret: SECRET,
    clientMetadata: { tenant: 'a' },
    fetch: async (_url, init) => {
      bodies.push(JSON.parse(String(init?.body)))
      const result = { AccessToken: 'a', ExpiresIn: 3600, TokenType: 'Bearer' }
      return Response.json({ ClientAuthenticationResult: result })
    },
  })
  await client.getToken()
  await client.getToken({ clientMetadata: { constructor: 'b' } })
  t.match(bodies, [
    { ClientMetadata: { tenant: 'a' } },
    { ClientMetadata: { constructor: 'b', tenant: undefined } },
  ])
})

t.test('client.fetch and renew take it too', async (t) => {
  const authorizations: (string | null)[] = []
  const { client, world } = setUpClient({ origins: ['https://api.example.com'] })
  const clientMetadata = { tenant: 'a' }
  const token = await client.getToken({ clientMetadata })
  t.not((await client.renew(token, { clientMetadata })).accessToken, token.accessToken)
  t.strictSame(sent(world), ['{"tenant":"a"}', '{"tenant":"a"}'])
  const other = createTokenClient({
    tokenEndpoint: ENDPOINT,
    clientId: 'billing',
    clientSecret: SECRET,
    origins: ['https://api.example.com'],
    fetch: async (url, init) => {
      if (String(url) !== ENDPOINT) {
        authorizations.push(new Headers(init?.headers).get('authorization'))
        return new Response('{}')
      }
      const name = new URLSearchParams(String(init?.body)).get('aws_client_metadata')
      return Response.json({
        access_token: name === null ? 'plain' : 'tenant',
        expires_in: 3600,
        token_type: 'Bearer',
      })
    },
  })
  await other.fetch('https://api.example.com/', {}, { clientMetadata })
  await other.fetch('https://api.example.com/')
  t.strictSame(authorizations, ['Bearer tenant', 'Bearer plain'])
})

t.test('tokens in a store are of one value', async (t) => {
  const store = memoryStore({ now: () => START, monotonicNow: () => 0 })
  const first = setUpClient({ store })
  const second = setUpClient({ store })
  await first.client.getToken({ clientMetadata: { tenant: 'a' } })
  await second.client.getToken({ clientMetadata: { tenant: 'a' } })
  t.equal(second.world.requests.length, 0)
  await second.client.getToken({ clientMetadata: { tenant: 'b' } })
  await second.client.getToken()
  t.equal(second.world.requests.length, 2)
})

t.test('64 values are kept, and the calls without any', async (t) => {
  const { client, world } = setUpClient()
  const plain = await client.getToken()
  for (let tenant = 0; tenant < 70; tenant += 1) {
    world.pass(1)
    await client.getToken({ clientMetadata: { tenant: String(tenant) } })
  }
  t.equal(client.status().scopeSets.length, 64)
  t.equal(await client.getToken(), plain)
})

t.test('invalid metadata has a one-line error with the fix', async (t) => {
  const cases: readonly (readonly [unknown, string, RegExp])[] = [
    ['a', 'clientMetadata', /^expected a plain object, got "a"\./],
    [null, 'clientMetadata', /^expected a plain object, got null\./],
    [['a'], 'clientMetadata', /^expected a plain object, got an array\./],
    [{ a: 1 }, 'clientMetadata.a', /^expected a string, got 1\. Convert it to a string\.$/],
    [{ a: null }, 'clientMetadata.a', /^expected a string, got null\./],
    [{ 'a b': {} }, 'clientMetadata."a b"', /^expected a string, got an object\./],
    [{ a: undefined }, 'clientMetadata.a', /^expected a value, got undefined\./],
    [
      { a: 'x'.repeat(4096) },
      'clientMetadata',
      /^expected at most 4096 characters as JSON, got 4104\. Shorten it, or pass a key/,
    ],
  ]
  const { client, world } = setUpClient()
  for (const [clientMetadata, option, problem] of cases) {
    const errors = [
      t.throws(() => setUpClient({ clientMetadata } as never)),
      await client.getToken({ clientMetadata } as GetTokenOptions).catch((error) => error),
    ]
    for (const error of errors) {
      t.ok(error instanceof OptionError, option)
      t.match(error, { option, problem })
      t.notMatch((error as OptionError).message, /\n/)
    }
  }
  t.equal(world.requests.length, 0)
  await client.getToken({ clientMetadata: { a: 'x'.repeat(4088) } })
  t.equal(world.requests.length, 1)
})
