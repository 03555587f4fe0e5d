/** A claim that is missing or of the wrong type is named to operators, and never to callers. */
import t from 'tap'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { checkClaims, listClaimFailures } from '../../../src/core/token/claims.ts'
import type { JsonObject } from '../../../src/core/token/strict-json.ts'
import { document } from '../../support/explained.ts'
import { captureLog, newApp, pool, withAuth } from '../../support/fastify.ts'
import {
  CLIENT,
  machineClaims,
  machineToken,
  NOW,
  POOL,
  refusal,
  serve,
} from '../../support/forge.ts'
import { listen } from '../../support/listen.ts'

const MARK = 'EVIL'
/** Changes of a machine's claims, and what is said of the first that is wrong. */
const cases: readonly [object, reason: string][] = [
  [{ iss: undefined }, 'iss is missing'],
  [{ iss: [MARK] }, 'iss is not a string'],
  [{ token_use: undefined }, 'token_use is missing'],
  [{ token_use: { [MARK]: 1 } }, 'token_use is not a string'],
  [{ client_id: undefined }, 'client_id is missing'],
  [{ client_id: '' }, 'client_id is not a non-empty string'],
  [{ sub: undefined }, 'sub is missing'],
  [{ sub: null }, 'sub is not a non-empty string'],
  [{ jti: undefined }, 'jti is missing'],
  [{ jti: 7 }, 'jti is not a non-empty string'],
  [{ exp: undefined }, 'exp is missing'],
  [{ exp: MARK }, 'exp is not a number'],
  [{ iat: undefined }, 'iat is missing'],
  [{ iat: [MARK] }, 'iat is not a number'],
  [{ nbf: MARK }, 'nbf is not a number'],
  [{ scope: [MARK] }, 'scope is not a list of scopes with one space between two'],
  [{ scope: `${MARK}  ${MARK}` }, 'scope is not a list of scopes with one space between two'],
  [{ aud: { [MARK]: MARK } }, 'aud is not a string or a list of strings'],
  [{ aud: [CLIENT, 5] }, 'aud is not a string or a list of strings'],
  [{ jti: undefined, exp: MARK, aud: 5 }, 'jti is missing'],
]

t.test('the decision event, the debug log and explain name the claim', async (t) => {
  const { of } = listen(t, ['cognito-m2m:decision'])
  const lines: unknown[] = []
  const nothing = () => t.fail('only debug')
  const debug = (...line: unknown[]) => lines.push(line)
  const guard = serve({ logger: { debug, info: nothing, warn: nothing, error: nothing } }).guard()
  for (const [changes, reason] of cases) {
    const token = machineToken({ ...changes })
    const error = await refusal(guard, `Bearer ${token}`)
    const event = of('cognito-m2m:decision').at(-1)
    t.match(event, { code: 'ERR_TOKEN_INVALID', reason })
    const userPoolId = 'iss' in changes ? null : POOL
    t.strictSame(lines.pop(), [
      { userPoolId, code: 'ERR_TOKEN_INVALID', reason },
      'cognito-m2m: token rejected',
    ])
    t.notMatch(JSON.stringify(event), MARK)
    const { checks } = await document(token, ['--pool', POOL])
    const [first] = checks.filter(({ state }) => state === 'failed')
    t.equal(first?.message.split('; ')[0], reason)
    // The caller gets the fixed text of the code.
    t.strictSame(
      [error.statusCode, error.message, error.headers],
      [
        401,
        'The access token is malformed',
        {
          'cache-control': 'no-store',
          'www-authenticate':
            'Bearer realm="api", error="invalid_token", error_description="The access token is malformed"',
        },
      ],
    )
    t.strictSame([error.stack, error.cause], [undefined, undefined])
    t.notMatch(JSON.stringify({ ...error }), /EVIL|missing|is not/, 'nor does the error hold it')
  }
  t.strictSame(lines, [])
})

t.test('other rejections have no reason and write no log line', async (t) => {
  const { of } = listen(t, ['cognito-m2m:decision'])
  const debug = () => t.fail('no claim is to blame')
  const logger = { debug, info: debug, warn: debug, error: debug }
  const guard = serve({ logger }).guard()
  for (const authorization of [
    undefined,
    'Bearer garbage',
    `Bearer ${machineToken({ iss: 'https://other' })}`,
    `Bearer ${machineToken({ token_use: 'id' })}`,
    `Bearer ${machineToken({ exp: 5 })}`,
  ]) {
    await refusal(guard, authorization)
    t.equal(of('cognito-m2m:decision').at(-1)?.reason, null)
  }
  await guard(`Bearer ${machineToken()}`)
  t.match(of('cognito-m2m:decision').at(-1), { code: null, reason: null })
})

t.test('a logger without debug is skipped, and one that throws is ignored', async (t) => {
  const others = { info() {}, warn() {}, error() {} }
  const throws = () => {
    throw new Error('disk full')
  }
  for (const logger of [undefined, others, { ...others, debug: throws }]) {
    const { code } = await refusal(serve({ logger }).guard(), `Bearer ${machineToken({ jti: 5 })}`)
    t.equal(code, 'ERR_TOKEN_INVALID')
  }
})

t.test("Fastify's own log has the line at its level debug", async (t) => {
  const authorization = `Bearer ${pool.accessToken({ claims: { jti: undefined } })}`
  for (const level of ['debug', 'info']) {
    const { logger, lines } = captureLog(level)
    const app = newApp(t, { logger })
    await app.register(cognitoAuth, pool.options())
    app.get('/r', async () => 'reached')
    const { statusCode, body } = await app.inject({ url: '/r', headers: withAuth(authorization) })
    t.equal(statusCode, 401)
    t.strictSame(JSON.parse(body), {
      statusCode: 401,
      code: 'ERR_TOKEN_INVALID',
      error: 'Unauthorized',
      message: 'The access token is malformed',
    })
    const told = lines().filter(({ msg }) => msg === 'cognito-m2m: token rejected')
    t.equal(told.length, level === 'debug' ? 1 : 0)
  }
})

t.test('all wrong claims at once, in the order of the checks', async (t) => {
  const rules = { machinesOnly: true, audience: undefined, clientIds: undefined, clockTolerance: 5 }
  const claims = machineClaims({ exp: '', aud: 5, sub: undefined }) as JsonObject
  const failures = listClaimFailures(claims, rules, NOW * 1000)
  t.strictSame(
    failures.filter(({ code }) => code === 'ERR_TOKEN_INVALID'),
    [
      { claim: 'sub', code: 'ERR_TOKEN_INVALID', reason: 'sub is missing' },
      { claim: 'exp', code: 'ERR_TOKEN_INVALID', reason: 'exp is not a number' },
      {
        claim: 'aud',
        code: 'ERR_TOKEN_INVALID',
        reason: 'aud is not a string or a list of strings',
      },
    ],
  )
  t.strictSame(checkClaims(claims, rules, NOW * 1000), failures[0])
  t.equal(checkClaims(machineClaims() as JsonObject, rules, NOW * 1000), undefined)
  t.strictSame(listClaimFailures(machineClaims() as JsonObject, rules, NOW * 1000), [])
})

t.test('each failure names its claim, and a wrong value has no reason', async (t) => {
  const rules = {
    machinesOnly: true,
    audience: undefined,
    clientIds: new Set(['x']),
    clockTolerance: 5,
  }
  const claims = machineClaims({ token_use: 'id', username: 'a', aud: 'b', exp: 1, iat: NOW + 400 })
  t.strictSame(listClaimFailures(claims as JsonObject, rules, NOW * 1000), [
    { claim: 'token_use', code: 'ERR_TOKEN_USE', reason: null },
    { claim: 'sub', code: 'ERR_TOKEN_USE', reason: null },
    { claim: 'aud', code: 'ERR_TOKEN_AUDIENCE', reason: null },
    { claim: 'exp', code: 'ERR_TOKEN_EXPIRED', reason: null },
    { claim: 'nbf', code: 'ERR_TOKEN_NOT_ACTIVE', reason: null },
    { claim: 'client_id', code: 'ERR_CLIENT_NOT_ALLOWED', reason: null },
  ])
})
