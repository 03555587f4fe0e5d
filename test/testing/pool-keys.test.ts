import { inspect } from 'node:util'
import { createLocalJWKSet, type errors, jwtVerify } from 'jose'
import t from 'tap'
import { createTestUserPool, type TestUserPool } from '../../src/testing/index.ts'

const moduli = (pool: TestUserPool) => pool.jwks().keys.map(({ n }) => n)
const kids = (pool: TestUserPool) => pool.jwks().keys.map(({ kid }) => kid)

/** What an API with the keys of this moment says: a token's verdict, or the error's code. */
async function verdict(pool: TestUserPool, token: string): Promise<string> {
  const keys = createLocalJWKSet({ keys: pool.jwks().keys.map((key) => ({ ...key })) })
  return jwtVerify(token, keys, { issuer: pool.issuer }).then(
    () => 'good',
    (error: errors.JOSEError) => error.code,
  )
}

t.test("the key set has Cognito's members only: an ID key, then an access key", async (t) => {
  const { keys } = createTestUserPool().jwks()
  t.equal(keys.length, 2)
  for (const key of keys) {
    t.strictSame(Object.keys(key), ['kid', 'alg', 'kty', 'e', 'n', 'use'])
    t.match(key, { alg: 'RS256', kty: 'RSA', e: 'AQAB', use: 'sig' })
    t.match(key.kid, /^[A-Za-z0-9+/]{43}=$/, 'standard base64, as Cognito')
    t.equal(Buffer.from(key.n, 'base64url').length, 256, '2048 bits')
  }
  t.not(keys[0]?.n, keys[1]?.n)
})

t.test('a caller who changes a key set or options changes nobody else', async (t) => {
  const pool = createTestUserPool()
  const before = JSON.stringify(pool.jwks())
  const given = pool.options()
  ;(given.jwks.keys as unknown[]).length = 0
  ;(given.clientId as string[]).push('stranger')
  t.equal(JSON.stringify(pool.jwks()), before)
  t.strictSame(pool.options(), {
    userPoolId: pool.userPoolId,
    clientId: ['test-client'],
    jwks: pool.jwks(),
  })
})

t.test('pools of a process share material, so only the first pays; never key ids', async (t) => {
  const pools = Array.from({ length: 20 }, () => createTestUserPool())
  t.equal(new Set(pools.flatMap(moduli)).size, 2, 'no further key was generated')
  t.equal(new Set(pools.flatMap(kids)).size, 40)
  t.equal(new Set(pools.map(({ issuer }) => issuer)).size, 20)
})

t.test("pools that share material refuse each other's tokens", async (t) => {
  const ours = createTestUserPool()
  const theirs = createTestUserPool()
  t.equal(await verdict(ours, theirs.accessToken()), 'ERR_JWKS_NO_MATCHING_KEY')
  const forged = theirs.accessToken({ header: { kid: kids(ours)[1] } })
  t.equal(await verdict(ours, forged), 'ERR_JWT_CLAIM_VALIDATION_FAILED', 'the issuer differs')
})

t.test('a rotation replaces ids and material and drops the old keys', async (t) => {
  const pool = createTestUserPool()
  for (let round = 0; round < 3; round += 1) {
    const token = pool.accessToken()
    const before = [...kids(pool), ...moduli(pool)]
    pool.rotateKeys()
    t.equal(pool.jwks().keys.length, 2)
    const after = [...kids(pool), ...moduli(pool)]
    t.notOk(after.some((member) => before.includes(member)))
    t.equal(await verdict(pool, token), 'ERR_JWKS_NO_MATCHING_KEY')
    t.equal(await verdict(pool, pool.accessToken()), 'good')
  }
})

t.test('a rotation that keeps the old keys accepts both kinds of token', async (t) => {
  const pool = createTestUserPool()
  const oldest = pool.accessToken()
  pool.rotateKeys({ keepOld: true })
  const older = pool.accessToken()
  pool.rotateKeys({ keepOld: true })
  t.equal(pool.jwks().keys.length, 6)
  t.equal(new Set(kids(pool)).size, 6)
  for (const token of [oldest, older, pool.accessToken(), pool.idToken()]) {
    t.equal(await verdict(pool, token), 'good')
  }
  pool.rotateKeys({ keepOld: false })
  t.equal(pool.jwks().keys.length, 2)
  t.equal(await verdict(pool, older), 'ERR_JWKS_NO_MATCHING_KEY')
})

t.test(
  'options are a snapshot: called again after a rotation they have the new keys',
  async (t) => {
    const pool = createTestUserPool()
    const before = pool.options()
    pool.rotateKeys()
    t.notSame(before.jwks, pool.jwks())
    t.strictSame(pool.options().jwks, pool.jwks())
  },
)

t.test('nothing on a pool shows or leads to a private key', async (t) => {
  const pool = createTestUserPool()
  pool.rotateKeys({ keepOld: true })
  const shown = inspect(pool, { depth: 20, showHidden: true, getters: true })
  t.notMatch(shown, /PrivateKeyObject|KeyObject|PRIVATE/)
  t.notMatch(JSON.stringify([pool, pool.options(), pool.jwks()]), /"(?:d|p|q|dp|dq|qi)":/)
  t.ok(Object.isFrozen(pool) && Object.isFrozen(pool.tampered))
})
