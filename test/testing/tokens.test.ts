import { CognitoJwtVerifier } from 'aws-jwt-verify/cognito-verifier'
import { createLocalJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { defineScopes } from '../../src/core/scopes.ts'
import { createTestUserPool } from '../../src/testing/index.ts'
import { decode } from '../support/http.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const NOW = 1_633_781_133_456
const SECONDS = 1_633_781_133

const frozen = () =>
  createTestUserPool({
    userPoolId: 'xx-local-1_Ab12Cd34E',
    resourceServers: [defineScopes('orders', { read: 'Read orders', write: 'Change orders' })],
    clients: [{ clientId: 'billing' }, { clientId: 'quick', accessTokenValidity: 300 }],
    now: () => NOW,
  })

t.test("a machine's access token is Cognito's, member for member and in its order", async (t) => {
  const pool = frozen()
  const token = pool.accessToken()
  const payload = decode(token, 1)
  t.equal(
    Buffer.from(token.split('.')[0] as string, 'base64url').toString(),
    JSON.stringify({ kid: pool.jwks().keys[1]?.kid, alg: 'RS256' }),
  )
  t.match(payload['jti'], UUID)
  t.equal(
    JSON.stringify(payload),
    JSON.stringify({
      sub: 'billing',
      token_use: 'access',
      scope: 'orders/read orders/write',
      auth_time: SECONDS,
      iss: 'https://cognito-idp.xx-local-1.amazonaws.com/xx-local-1_Ab12Cd34E',
      exp: SECONDS + 3600,
      iat: SECONDS,
      version: 2,
      jti: payload['jti'],
      client_id: 'billing',
    }),
  )
  t.not(decode(pool.accessToken(), 1)['jti'], payload['jti'], 'each token has an id of its own')
})

t.test("a user's access token has a user's members and the access key", async (t) => {
  const pool = frozen()
  const token = pool.userAccessToken({ clientId: 'quick', groups: ['admins'] })
  const payload = decode(token, 1)
  t.strictSame(decode(token, 0), { kid: pool.jwks().keys[1]?.kid, alg: 'RS256' })
  for (const member of ['sub', 'jti', 'origin_jti', 'event_id']) t.match(payload[member], UUID)
  const { sub, jti, origin_jti, event_id, ...rest } = payload
  t.equal(new Set([sub, jti, origin_jti, event_id]).size, 4)
  t.strictSame(rest, {
    token_use: 'access',
    scope: 'aws.cognito.signin.user.admin',
    auth_time: SECONDS,
    iss: pool.issuer,
    exp: SECONDS + 300,
    iat: SECONDS,
    version: 2,
    client_id: 'quick',
    username: 'test-user',
    'cognito:groups': ['admins'],
  })
  const other = decode(pool.userAccessToken({ username: 'ada', scopes: ['openid', 'email'] }), 1)
  t.match(other, { username: 'ada', scope: 'openid email', client_id: 'billing' })
  t.notOk('cognito:groups' in other)
})

t.test('an ID token has an audience, no client and no scope, and the other key', async (t) => {
  const pool = frozen()
  const token = pool.idToken({ username: 'ada' })
  const payload = decode(token, 1)
  t.strictSame(decode(token, 0), { kid: pool.jwks().keys[0]?.kid, alg: 'RS256' })
  t.match(payload, {
    aud: 'billing',
    token_use: 'id',
    'cognito:username': 'ada',
    iss: pool.issuer,
    auth_time: SECONDS,
    iat: SECONDS,
    exp: SECONDS + 3600,
  })
  t.notOk('client_id' in payload || 'scope' in payload)
  t.equal(decode(pool.idToken(), 1)['cognito:username'], 'test-user')
})

t.test('scopes are written as given, also ones the client does not have', async (t) => {
  const pool = frozen()
  t.equal(decode(pool.accessToken({ scopes: 'other/thing' }), 1)['scope'], 'other/thing')
  t.equal(decode(pool.accessToken({ scopes: ['b/y', 'a/x'] }), 1)['scope'], 'b/y a/x')
  t.notOk('scope' in decode(pool.accessToken({ scopes: [] }), 1))
  t.notOk('scope' in decode(pool.accessToken({ scopes: '' }), 1))
})

t.test('a stranger has no scopes and an hour', async (t) => {
  const payload = decode(frozen().accessToken({ clientId: 'stranger' }), 1)
  t.match(payload, { sub: 'stranger', client_id: 'stranger', exp: SECONDS + 3600 })
  t.notOk('scope' in payload)
})

t.test('expiresIn moves the end; an expired token was issued before it expired', async (t) => {
  const pool = frozen()
  t.match(decode(pool.accessToken({ expiresIn: 60 }), 1), { iat: SECONDS, exp: SECONDS + 60 })
  for (const expiresIn of [0, -1, -7200]) {
    const { iat, exp, auth_time } = decode(pool.accessToken({ expiresIn }), 1)
    t.equal(exp, SECONDS + expiresIn)
    t.ok((iat as number) < (exp as number))
    t.equal(auth_time, iat)
  }
  t.throws(() => pool.accessToken({ expiresIn: Number.NaN }), {
    code: 'ERR_OPTION_INVALID',
    message: /expiresIn: expected a whole number of seconds, got NaN\. /,
  })
  t.throws(() => pool.idToken({ expiresIn: Number.POSITIVE_INFINITY }), {
    code: 'ERR_OPTION_INVALID',
  })
})

t.test('claims and header parameters are added, replaced and removed', async (t) => {
  const pool = frozen()
  for (const make of ['accessToken', 'userAccessToken', 'idToken'] as const) {
    const token = pool[make]({
      claims: { token_use: 'odd', tenant: { id: [1, null] }, jti: undefined },
      header: { typ: 'JWT', kid: undefined, alg: 'HS256' },
    })
    t.strictSame(decode(token, 0), { alg: 'HS256', typ: 'JWT' })
    const payload = decode(token, 1)
    t.match(payload, { token_use: 'odd', tenant: { id: [1, null] } })
    t.notOk('jti' in payload)
  }
  const hostile = JSON.parse('{"__proto__": "polluted"}') as Record<string, unknown>
  const token = pool.accessToken({ claims: hostile })
  const text = Buffer.from(token.split('.')[1] as string, 'base64url').toString()
  t.match(text, '"__proto__":"polluted"', 'a member is a member, whatever its name')
})

t.test('jose and aws-jwt-verify accept every kind of token', async (t) => {
  const pool = createTestUserPool({ clients: [{ clientId: 'billing', scopes: ['orders/read'] }] })
  const keys = createLocalJWKSet({ keys: pool.jwks().keys.map((key) => ({ ...key })) })
  const kinds = [
    ['access', pool.accessToken()],
    ['access', pool.userAccessToken()],
    ['id', pool.idToken()],
  ] as const
  for (const [tokenUse, token] of kinds) {
    const { protectedHeader } = await jwtVerify(token, keys, {
      issuer: pool.issuer,
      algorithms: ['RS256'],
    })
    t.equal(protectedHeader.alg, 'RS256')
    const verifier = CognitoJwtVerifier.create({
      userPoolId: pool.userPoolId,
      tokenUse,
      clientId: 'billing',
    })
    verifier.cacheJwks({ keys: pool.jwks().keys.map((key) => ({ ...key })) })
    t.equal(verifier.verifySync(token).token_use, tokenUse)
  }
})

t.test('the clock is asked for each token', async (t) => {
  let now = NOW
  const pool = createTestUserPool({ now: () => now })
  t.equal(decode(pool.accessToken(), 1)['iat'], SECONDS)
  now += 10_000
  t.equal(decode(pool.accessToken(), 1)['iat'], SECONDS + 10)
})

t.test('an undefined option counts as left out, a misspelt one is refused', async (t) => {
  const pool = createTestUserPool({ clients: [{ clientId: 'billing', scopes: ['orders/read'] }] })
  const token = pool.accessToken({ scopes: undefined, expiresIn: undefined } as object)
  t.match(decode(token, 1), { scope: 'orders/read', client_id: 'billing' })
  t.throws(() => pool.accessToken({ scope: 'orders/read' } as object), {
    code: 'ERR_OPTION_INVALID',
    option: 'scope',
  })
})
