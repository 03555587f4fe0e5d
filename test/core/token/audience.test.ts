/** `aud`: DESIGN's rules for machines and users, and the option `audience`. */
import t from 'tap'
import { createTestUserPool } from '../../../src/testing/index.ts'
import {
  CLIENT,
  jwk,
  KID,
  label,
  machineToken,
  outcome,
  POOL,
  refusal,
  serve,
  signed,
  userClaims,
} from '../../support/forge.ts'

const API = 'https://api.example.com/orders'
const MACHINE = (aud: unknown) => `Bearer ${machineToken({ aud })}`
const USER = (aud: unknown) =>
  `Bearer ${signed({ kid: KID, alg: 'RS256' }, userClaims(aud === undefined ? {} : { aud }))}`

const AUDIENCE = 'ERR_TOKEN_AUDIENCE'
const INVALID = 'ERR_TOKEN_INVALID'

/** Values of `aud`: absent, the client, another API, this API, and invalid values. */
const table: [aud: unknown, machine: string, user: string, bound: string][] = [
  [undefined, 'accepted', 'accepted', AUDIENCE],
  [CLIENT, 'accepted', 'accepted', AUDIENCE],
  [[CLIENT], 'accepted', 'accepted', AUDIENCE],
  [API, AUDIENCE, AUDIENCE, 'accepted'],
  [[API], AUDIENCE, AUDIENCE, 'accepted'],
  [[CLIENT, API], AUDIENCE, AUDIENCE, 'accepted'],
  [['https://other.example', API], AUDIENCE, AUDIENCE, 'accepted'],
  [[CLIENT, 'https://other.example'], AUDIENCE, AUDIENCE, AUDIENCE],
  ['https://other.example', AUDIENCE, AUDIENCE, AUDIENCE],
  // Exact strings: no URL is normalized, no case folded, no prefix taken.
  [`${API}/`, AUDIENCE, AUDIENCE, AUDIENCE],
  [API.toUpperCase(), AUDIENCE, AUDIENCE, AUDIENCE],
  [API.slice(0, -1), AUDIENCE, AUDIENCE, AUDIENCE],
  [API.replace('.com', '.com:443'), AUDIENCE, AUDIENCE, AUDIENCE],
  [`${API} ${API}`, AUDIENCE, AUDIENCE, AUDIENCE],
  ['*', AUDIENCE, AUDIENCE, AUDIENCE],
  ['', AUDIENCE, AUDIENCE, AUDIENCE],
  [[], AUDIENCE, AUDIENCE, AUDIENCE],
  [[''], AUDIENCE, AUDIENCE, AUDIENCE],
  // RFC 7519 section 4.1.3: a string, or an array of strings.
  ...[null, 0, 5, true, false, {}, { 0: API }, [null], [API, 5], [[API]], [API, null]].map(
    (aud): [unknown, string, string, string] => [aud, INVALID, INVALID, INVALID],
  ),
]

for (const tokenCache of [undefined, false] as const) {
  t.test(`aud of machines and users, token cache ${tokenCache ?? 'on'}`, async (t) => {
    const plain = serve({ subjects: 'any', tokenCache }).guard()
    const bound = serve({ subjects: 'any', tokenCache, audience: API }).guard()
    const machines = serve({ tokenCache, audience: [API] }).guard()
    for (const [aud, machine, user, userWithAudience] of table) {
      for (let turn = 0; turn < 2; turn += 1) {
        t.equal(await outcome(plain, MACHINE(aud)), machine, `machine ${label(aud)}`)
        t.equal(await outcome(plain, USER(aud)), user, `user ${label(aud)}`)
        t.equal(await outcome(bound, USER(aud)), userWithAudience, `user, audience ${label(aud)}`)
        // Resource binding does not apply to client credentials: the option is about users.
        for (const guard of [bound, machines]) {
          t.equal(await outcome(guard, MACHINE(aud)), machine, `machine, audience ${label(aud)}`)
        }
      }
    }
  })
}

t.test('resourceMetadata.resource is the default audience, null turns it off', async (t) => {
  const resourceMetadata = { resource: API }
  const invited = serve({ subjects: 'any', resourceMetadata }).guard()
  t.equal(
    await outcome(invited, USER(API)),
    'accepted',
    'the token an MCP client was invited to get',
  )
  t.equal(await outcome(invited, USER(undefined)), AUDIENCE)
  t.equal(await outcome(invited, MACHINE(undefined)), 'accepted')
  const off = serve({ subjects: 'any', resourceMetadata, audience: null }).guard()
  t.equal(await outcome(off, USER(undefined)), 'accepted')
  t.equal(await outcome(off, USER(API)), AUDIENCE)
  const other = serve({ subjects: 'any', resourceMetadata, audience: ['urn:a', 'urn:b'] }).guard()
  t.equal(await outcome(other, USER('urn:b')), 'accepted')
  t.equal(await outcome(other, USER(API)), AUDIENCE)
})

t.test('each of several pools has an audience of its own', async (t) => {
  const pool = { clientId: CLIENT, subjects: 'any', jwks: { keys: [jwk()] } }
  const userPools = [
    { ...pool, userPoolId: POOL, audience: 'urn:ours' },
    { ...pool, userPoolId: 'eu-west-1_Another', audience: null },
    { ...pool, userPoolId: 'eu-west-1_Default' },
  ]
  const guard = serve({ userPools, resourceMetadata: { resource: API } }).guard()
  const of = (userPoolId: string, aud?: string) => {
    const iss = `https://cognito-idp.eu-west-1.amazonaws.com/${userPoolId}`
    const claims = userClaims({ iss, ...(aud === undefined ? {} : { aud }) })
    return outcome(guard, `Bearer ${signed({ kid: KID, alg: 'RS256' }, claims)}`)
  }
  t.equal(await of(POOL, 'urn:ours'), 'accepted')
  t.equal(await of(POOL, API), AUDIENCE)
  t.equal(await of('eu-west-1_Another'), 'accepted')
  t.equal(await of('eu-west-1_Another', 'urn:ours'), AUDIENCE)
  t.equal(await of('eu-west-1_Default', API), 'accepted')
  t.equal(await of('eu-west-1_Default'), AUDIENCE)
})

t.test('the client id never counts as an audience, even where it is listed', async (t) => {
  const guard = serve({ subjects: 'any', audience: [CLIENT, API] }).guard()
  t.equal(await outcome(guard, USER(CLIENT)), AUDIENCE)
  t.equal(await outcome(guard, USER([CLIENT, API])), 'accepted')
})

t.test('the answer is 401 with fixed text', async (t) => {
  const guard = serve({ subjects: 'any', audience: API }).guard()
  const error = await refusal(guard, USER('https://evil.example/"secret'))
  const { statusCode, headers, stack, cause } = error
  t.strictSame(
    { statusCode, headers, stack, cause, body: error.toJSON() },
    {
      statusCode: 401,
      headers: {
        'cache-control': 'no-store',
        'www-authenticate':
          'Bearer realm="api", error="invalid_token", error_description="The access token was issued for another audience"',
      },
      stack: undefined,
      cause: undefined,
      body: {
        statusCode: 401,
        code: AUDIENCE,
        error: 'Unauthorized',
        message: 'The access token was issued for another audience',
      },
    },
  )
})

t.test('rejects an invalid audience when the server is created', async (t) => {
  const code = 'ERR_OPTION_INVALID'
  const wrong: [unknown, RegExp][] = [
    [[], /^cognito-m2m: audience: expected at least one audience, got an empty array\. Add one\.$/],
    ['', /audience: expected the audience as a non-empty string without spaces, got ""/],
    ['a b', /audience: expected the audience as .+, got "a b"\. Pass the exact audience\.$/],
    [[API, 5], /audience\[1\]: expected the audience as .+, got 5\. Pass the exact audience\.$/],
    [5, /audience: expected the audience as .+, got 5\. Pass the exact audience\.$/],
    [true, /audience: expected the audience as .+, got true\. Pass the exact audience\.$/],
    [{}, /audience: expected the audience as .+, got an object\. Pass the exact audience\.$/],
    [
      () => API,
      /audience: expected the audience as .+, got a function\. Pass the exact audience\.$/,
    ],
    [[null], /audience\[0\]: expected the audience as .+, got null\. Pass the exact audience\.$/],
  ]
  for (const [audience, message] of wrong) {
    t.throws(() => serve({ audience }), { code, message })
  }
  const pool = { userPoolId: POOL, clientId: CLIENT, jwks: { keys: [jwk()] } }
  t.throws(() => serve({ userPools: [{ ...pool, audience: [] }] }), {
    code,
    option: 'userPools[0].audience',
  })
  t.throws(() => serve({ userPools: [pool], audience: API }), { code, option: 'userPools' })
})

t.test("a test pool makes a user's token that is bound to a resource", async (t) => {
  const pool = createTestUserPool()
  const guard = serve({ ...pool.options(), now: Date.now, subjects: 'any', audience: API }).guard()
  const bound = (resource: string) => `Bearer ${pool.userAccessToken({ resource })}`
  t.equal(await outcome(guard, bound(API)), 'accepted')
  t.equal(await outcome(guard, bound('https://other.example')), AUDIENCE)
  t.equal(await outcome(guard, `Bearer ${pool.userAccessToken()}`), AUDIENCE)
  for (const resource of ['', 5, [API], null]) {
    t.throws(() => pool.userAccessToken({ resource: resource as string }), {
      code: 'ERR_OPTION_INVALID',
      option: 'resource',
    })
  }
})
