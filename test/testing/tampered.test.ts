import { CognitoJwtVerifier } from 'aws-jwt-verify/cognito-verifier'
import * as aws from 'aws-jwt-verify/error'
import { createLocalJWKSet, type errors, jwtVerify } from 'jose'
import t from 'tap'
import {
  createTestUserPool,
  startUserPool,
  type TamperedTokens,
  type UserPoolAuthority,
} from '../../src/testing/index.ts'
import { decode } from '../support/http.ts'

const clients = [{ clientId: 'billing', scopes: ['orders/read'] }]

const keysOf = (pool: UserPoolAuthority) => ({ keys: pool.jwks().keys.map((key) => ({ ...key })) })

async function joseSays(pool: UserPoolAuthority, token: string): Promise<string> {
  return jwtVerify(token, createLocalJWKSet(keysOf(pool)), { issuer: pool.issuer }).then(
    () => 'accepted',
    (error: errors.JOSEError) => error.code,
  )
}

/** The exact class: only the class distinguishes several errors of that library. */
function thrownBy(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return (error as Error).constructor
  }
}

const refusals: readonly [keyof TamperedTokens, string, unknown][] = [
  ['expired', 'ERR_JWT_EXPIRED', aws.JwtExpiredError],
  ['wrongPool', 'ERR_JWKS_NO_MATCHING_KEY', aws.ParameterValidationError],
  ['wrongKey', 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED', aws.JwtInvalidSignatureError],
  ['altered', 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED', aws.JwtInvalidSignatureError],
  ['unknownKey', 'ERR_JWKS_NO_MATCHING_KEY', aws.KidNotFoundInJwksError],
  ['unsigned', 'ERR_JOSE_NOT_SUPPORTED', aws.JwtParseError],
]

for (const [name, code, refusal] of refusals) {
  t.test(`${name}: jose and aws-jwt-verify refuse it for that reason`, async (t) => {
    const pool = createTestUserPool({ clients })
    const verifier = CognitoJwtVerifier.create({
      userPoolId: pool.userPoolId,
      tokenUse: 'access',
      clientId: 'billing',
    })
    verifier.cacheJwks(keysOf(pool))
    t.equal(await joseSays(pool, pool.accessToken()), 'accepted')
    t.equal(verifier.verifySync(pool.accessToken()).client_id, 'billing')
    for (const options of [undefined, { scopes: ['orders/write'], claims: { tenant: 'a' } }]) {
      const token = pool.tampered[name](options)
      t.equal(await joseSays(pool, token), code)
      t.equal(
        thrownBy(() => verifier.verifySync(token)),
        refusal,
      )
      const claims = decode(token, 1)
      if (options !== undefined) {
        t.match(claims, { tenant: 'a' })
        t.match(claims['scope'], 'orders/write')
      }
    }
    pool.rotateKeys()
    t.equal(await joseSays(pool, pool.tampered[name]()), code, 'after a rotation too')
  })
}

t.test('an altered token is well-formed and claims more than was signed', async (t) => {
  const pool = createTestUserPool({ clients })
  const { scope, ...rest } = decode(pool.tampered.altered(), 1)
  t.match(scope, /^orders\/read \S+\/\S+$/)
  t.match(rest, { client_id: 'billing', iss: pool.issuer })
  t.match(decode(pool.tampered.altered({ scopes: [] }), 1)['scope'], /^\S+\/\S+$/)
})

t.test('an unsigned token has three parts, the last empty, and no other fault', async (t) => {
  const pool = createTestUserPool({ clients })
  const token = pool.tampered.unsigned()
  t.match(token, /^[\w-]+\.[\w-]+\.$/)
  t.strictSame(decode(token, 0), { kid: pool.jwks().keys[1]?.kid, alg: 'none' })
})

t.test('unknownKey and wrongKey differ from a good token in one thing only', async (t) => {
  const pool = createTestUserPool({ clients, now: () => 1_700_000_000_000 })
  const good = decode(pool.accessToken(), 1)
  for (const name of ['unknownKey', 'wrongKey', 'unsigned'] as const) {
    const claims = decode(pool.tampered[name](), 1)
    t.strictSame({ ...claims, jti: 0 }, { ...good, jti: 0 })
  }
  t.equal(decode(pool.tampered.wrongKey(), 0)['kid'], pool.jwks().keys[1]?.kid)
  t.notOk(pool.jwks().keys.some(({ kid }) => kid === decode(pool.tampered.unknownKey(), 0)['kid']))
})

t.test("a local pool's tampered tokens are refused by its own key set", async (t) => {
  const pool = await startUserPool({ clients })
  t.teardown(() => pool.close())
  t.equal(await joseSays(pool, pool.accessToken()), 'accepted')
  for (const [name, code] of refusals) {
    t.equal(await joseSays(pool, pool.tampered[name]()), code)
  }
})
