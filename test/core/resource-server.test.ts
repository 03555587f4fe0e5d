import t from 'tap'
import { type AuthErrorCode, JwksError, StartupError } from '../../src/index.ts'
import {
  type Changes,
  CLIENT,
  ISSUER,
  jwk,
  KID,
  keyPair,
  machineToken,
  NOW,
  outcome,
  POOL,
  parseChallenge,
  refusal,
  serve,
  UPDATED_ISSUER,
  userClaims,
} from '../support/forge.ts'

const bearer = (claims: Changes = {}, header: Changes = {}, pair = keyPair()) =>
  `Bearer ${machineToken(claims, header, pair)}`
const down = { jwks: undefined, fetch: () => Promise.reject(new Error('secret host')) }

/** A pool whose keys are fetched; its server is closed when the process of the test ends. */
function fetching(changes: Changes) {
  const server = serve({ jwks: undefined, ...changes })
  t.teardown(() => server.close())
  return server
}

interface Scenario {
  readonly code: AuthErrorCode
  readonly status: number
  /** What the challenge says besides the realm; null where there is none. */
  readonly challenge: Changes | null
  readonly authorization?: string | string[] | undefined
  readonly options?: Changes
  readonly requirement?: Changes
}

const invalid = { error: 'invalid_token' }
const scenarios: readonly Scenario[] = [
  { code: 'ERR_TOKEN_MISSING', status: 401, challenge: {}, authorization: undefined },
  {
    code: 'ERR_REQUEST_INVALID',
    status: 400,
    challenge: { error: 'invalid_request' },
    authorization: [bearer(), bearer()],
  },
  { code: 'ERR_TOKEN_INVALID', status: 401, challenge: invalid, authorization: 'Bearer x' },
  {
    code: 'ERR_TOKEN_ISSUER',
    status: 401,
    challenge: invalid,
    authorization: bearer({ iss: 'x' }),
  },
  {
    code: 'ERR_TOKEN_USE',
    status: 401,
    challenge: invalid,
    authorization: bearer({ token_use: 'id' }),
  },
  {
    code: 'ERR_TOKEN_EXPIRED',
    status: 401,
    challenge: { ...invalid, error_description: 'The access token expired' },
    authorization: bearer({ exp: NOW - 5 }),
  },
  {
    code: 'ERR_TOKEN_NOT_ACTIVE',
    status: 401,
    challenge: invalid,
    authorization: bearer({ nbf: NOW + 6 }),
  },
  {
    code: 'ERR_KEY_UNKNOWN',
    status: 401,
    challenge: invalid,
    authorization: bearer({}, { kid: 'x' }),
  },
  {
    code: 'ERR_TOKEN_SIGNATURE',
    status: 401,
    challenge: invalid,
    authorization: bearer({}, {}, keyPair('other')),
  },
  { code: 'ERR_CLIENT_NOT_ALLOWED', status: 403, challenge: {}, options: { clientId: 'x' } },
  {
    code: 'ERR_CLIENT_NOT_ALLOWED',
    status: 403,
    challenge: {},
    options: { clientId: () => false },
  },
  {
    code: 'ERR_SCOPE_INSUFFICIENT',
    status: 403,
    challenge: { error: 'insufficient_scope', scope: 'orders/read orders/admin' },
    requirement: { scopes: ['orders/read', 'orders/admin'] },
  },
  {
    code: 'ERR_SCOPE_INSUFFICIENT',
    status: 403,
    challenge: { error: 'insufficient_scope', scope: 'a/x a/y' },
    requirement: { scopes: { anyOf: ['a/x', 'a/y'] } },
  },
  { code: 'ERR_ACCESS_DENIED', status: 403, challenge: {}, requirement: { clientId: 'x' } },
  { code: 'ERR_ACCESS_DENIED', status: 403, challenge: {}, requirement: { check: () => false } },
  { code: 'ERR_ACCESS_DENIED', status: 403, challenge: {}, options: { check: () => false } },
  { code: 'ERR_KEYS_UNAVAILABLE', status: 503, challenge: null, options: down },
  {
    code: 'ERR_CHECK_UNAVAILABLE',
    status: 503,
    challenge: null,
    requirement: { check: () => Promise.reject(new Error('secret')) },
  },
]
for (const [index, scenario] of scenarios.entries()) {
  const { code, status, challenge, options = {}, requirement = {} } = scenario
  t.test(`${index}: ${code} is answered with ${status} as the table says`, async (t) => {
    const realm = 'orders, v2'
    const server = options === down ? fetching({ ...options, realm }) : serve({ ...options, realm })
    const authorization = 'authorization' in scenario ? scenario.authorization : bearer()
    const refused = await refusal(server.guard(requirement), authorization)
    const { headers, message } = refused
    t.match(refused, { code, statusCode: status })
    t.equal(headers['cache-control'], 'no-store')
    if (challenge === null) {
      t.strictSame(Object.keys(headers).sort(), ['cache-control', 'retry-after'])
      t.match(headers['retry-after'], /^([1-9]|[1-5]\d|60)$/)
      t.ok(refused.cause instanceof Error)
    } else {
      t.strictSame(Object.keys(headers).sort(), ['cache-control', 'www-authenticate'])
      const { error_description, ...params } = parseChallenge(headers['www-authenticate'])
      const { error_description: _said, ...expected } = challenge
      t.strictSame(params, { realm, ...expected })
      t.equal(error_description, 'error' in challenge ? message : undefined)
      t.equal(refused.stack, undefined)
      t.notOk('cause' in refused)
    }
    const body = JSON.parse(JSON.stringify(refused))
    t.strictSame(Object.keys(body), ['statusCode', 'code', 'error', 'message'])
    t.match(body, { statusCode: status, code, message })
    t.notMatch(`${JSON.stringify([headers, body])}${refused.cause}`, /secret/)
  })
}

t.test('a good token gives the verified token, in either issuer form', async (t) => {
  const guard = serve().guard({ scopes: ['orders/read', 'orders/write'], clientId: CLIENT })
  t.match(await guard(bearer()), { clientId: CLIENT, subject: CLIENT, issuer: ISSUER })
  t.match(await guard([bearer({ iss: UPDATED_ISSUER })]), { issuer: UPDATED_ISSUER })
})

t.test('optional lets a request without a token pass as null, and rejects a bad one', async (t) => {
  const check = () => t.fail('nothing is asked without a token')
  const guard = serve().guard({
    optional: true,
    scopes: 'a/x',
    clientId: 'x',
    check: check as never,
  })
  for (const none of [undefined, [], '', 'Basic x']) t.equal(await guard(none as string), null)
  t.equal(await outcome(guard, 'Bearer x'), 'ERR_TOKEN_INVALID')
  t.equal(await outcome(guard, 'Bearer'), 'ERR_REQUEST_INVALID')
  t.equal(await outcome(guard, ['Basic x', 'Basic y']), 'ERR_REQUEST_INVALID')
  t.equal(await outcome(guard, bearer()), 'ERR_SCOPE_INSUFFICIENT')
  t.equal(await outcome(serve().guard({ optional: false }), undefined), 'ERR_TOKEN_MISSING')
})

t.test("subjects 'any' lets users in, who are rejected otherwise", async (t) => {
  const user = bearer(userClaims())
  t.equal(await outcome(serve().guard(), user), 'ERR_TOKEN_USE')
  const guard = serve({ subjects: 'any' }).guard()
  t.match(await guard(user), { subject: 'a-user', clientId: CLIENT })
  t.equal(await outcome(guard, bearer({ ...userClaims(), token_use: 'id' })), 'ERR_TOKEN_USE')
  t.equal(await outcome(guard, bearer(userClaims({ client_id: 'x' }))), 'ERR_CLIENT_NOT_ALLOWED')
})

t.test('a requirement is compiled when it is declared', async (t) => {
  const server = serve()
  const declare = server.guard as (requirement: unknown) => unknown
  for (const slip of [{ scope: 'a/x' }, 'a/x', true, false, null, { scopes: [] }]) {
    t.throws(() => declare.call(server, slip), { code: 'ERR_OPTION_INVALID' })
  }
})

t.test('maxTokenLength and clockTolerance hold', async (t) => {
  const token = machineToken()
  const longest = serve({ maxTokenLength: token.length }).guard()
  t.equal(await outcome(longest, `Bearer ${token}`), 'accepted')
  const shorter = serve({ maxTokenLength: token.length - 1 }).guard()
  t.equal(await outcome(shorter, `Bearer ${token}`), 'ERR_TOKEN_INVALID')
  const strict = serve({ clockTolerance: 0 }).guard()
  t.equal(await outcome(strict, bearer({ exp: NOW })), 'ERR_TOKEN_EXPIRED')
  t.equal(await outcome(serve({ now: () => Number.NaN }).guard(), bearer()), 'ERR_TOKEN_EXPIRED')
})

t.test('missing keys are a 503 with a fixed cause, then 200 once they arrive', async (t) => {
  let answer = (): Promise<Response> => Promise.reject(new Error('secret host'))
  const server = fetching({ fetch: () => answer() })
  const refused = await refusal(server.guard(), bearer())
  t.ok(refused.cause instanceof JwksError)
  t.equal(server.status().ready, false)
  await server.ready()
  answer = async () => Response.json({ keys: [jwk()] })
  const healthy = fetching({ fetch: () => answer(), keyStore: { startup: 'require' } })
  await healthy.ready()
  t.match(healthy.status(), { ready: true, userPools: [{ userPoolId: POOL, local: false }] })
  t.equal(await outcome(healthy.guard(), bearer()), 'accepted')
  t.equal(await outcome(healthy.guard(), bearer({}, { kid: `${KID}x` })), 'ERR_KEY_UNKNOWN')
})

t.test("startup 'require' rejects to start without keys", async (t) => {
  await t.rejects(fetching({ ...down, keyStore: { startup: 'require' } }).ready(), StartupError)
})

t.test('a closed server answers 503 to every request', async (t) => {
  const server = serve()
  server.close()
  t.equal(await outcome(server.guard(), bearer()), 'ERR_KEYS_UNAVAILABLE')
  t.equal(await outcome(server.guard(), 'Bearer x'), 'ERR_KEYS_UNAVAILABLE')
  t.equal(await outcome(server.guard(), undefined), 'ERR_TOKEN_MISSING')
})
