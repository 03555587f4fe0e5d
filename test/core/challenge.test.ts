import t from 'tap'
import { createAuthErrorFactory, QUOTABLE } from '../../src/core/challenge.ts'
import { compileRequirement } from '../../src/core/requirement.ts'
import type { AuthError, AuthErrorCode } from '../../src/index.ts'
import { parseChallenge } from '../support/forge.ts'

/** The `error` of each challenge: `bare` has none, `none` has no challenge at all. */
const TABLE: Record<AuthErrorCode, string> = {
  ERR_TOKEN_MISSING: 'bare',
  ERR_REQUEST_INVALID: 'invalid_request',
  ERR_TOKEN_INVALID: 'invalid_token',
  ERR_TOKEN_ISSUER: 'invalid_token',
  ERR_TOKEN_USE: 'invalid_token',
  ERR_TOKEN_AUDIENCE: 'invalid_token',
  ERR_TOKEN_EXPIRED: 'invalid_token',
  ERR_TOKEN_NOT_ACTIVE: 'invalid_token',
  ERR_KEY_UNKNOWN: 'invalid_token',
  ERR_TOKEN_SIGNATURE: 'invalid_token',
  ERR_CLIENT_NOT_ALLOWED: 'bare',
  ERR_SCOPE_INSUFFICIENT: 'insufficient_scope',
  ERR_ACCESS_DENIED: 'bare',
  ERR_KEYS_UNAVAILABLE: 'none',
  ERR_CHECK_UNAVAILABLE: 'none',
}
const codes = Object.keys(TABLE) as AuthErrorCode[]

t.test('every rejection sets Cache-Control: no-store and only the headers it needs', async (t) => {
  const { createError } = createAuthErrorFactory('orders api')
  for (const code of codes) {
    const { headers } = createError(code)
    const names = TABLE[code] === 'none' ? [] : ['www-authenticate']
    t.strictSame(Object.keys(headers), ['cache-control', ...names], code)
    t.equal(headers['cache-control'], 'no-store')
    t.ok(Object.isFrozen(headers))
  }
})

t.test('a challenge names the realm, and the error where a new token could help', async (t) => {
  const { createError } = createAuthErrorFactory('orders api')
  for (const code of codes.filter((it) => TABLE[it] !== 'none')) {
    const { headers, message } = createError(code)
    const error = TABLE[code] === 'bare' ? {} : { error: TABLE[code], error_description: message }
    const challenge = parseChallenge(headers['www-authenticate'])
    t.strictSame(challenge, { realm: 'orders api', ...error }, code)
  }
})

t.test('error_description names an expired token', async (t) => {
  const { headers } = createAuthErrorFactory('api').createError('ERR_TOKEN_EXPIRED')
  t.match(parseChallenge(headers['www-authenticate'])['error_description'], /expired/)
})

t.test('a 403 for scopes names the scopes of the route', async (t) => {
  const { createError, createScopeHeaders } = createAuthErrorFactory('api')
  const scopes = ['orders/read', 'https://api.example/x/write']
  const named = createScopeHeaders(compileRequirement({ scopes }, 'r'))
  t.strictSame([...named.keys()], ['ERR_SCOPE_INSUFFICIENT'])
  t.equal(createScopeHeaders(compileRequirement({}, 'r')).size, 0)
  const headers = named.get('ERR_SCOPE_INSUFFICIENT') as AuthError['headers']
  t.ok(Object.isFrozen(headers))
  const refusal = createError('ERR_SCOPE_INSUFFICIENT', headers)
  t.equal(refusal.headers, headers)
  t.equal(headers['cache-control'], 'no-store')
  t.strictSame(parseChallenge(headers['www-authenticate']), {
    realm: 'api',
    error: 'insufficient_scope',
    error_description: refusal.message,
    scope: 'orders/read https://api.example/x/write',
  })
})

t.test('a 503 has Retry-After in whole seconds from 1 to 60', async (t) => {
  const { createUnavailableError } = createAuthErrorFactory('api')
  const times = [
    [-5000, '1'],
    [0, '1'],
    [1, '1'],
    [1000, '1'],
    [1001, '2'],
    [59_001, '60'],
    [60_001, '60'],
    [1e12, '60'],
    [Number.POSITIVE_INFINITY, '60'],
    [Number.NaN, '1'],
  ] as const
  for (const [milliseconds, seconds] of times) {
    const { headers } = createUnavailableError('ERR_KEYS_UNAVAILABLE', milliseconds)
    t.strictSame(headers, { 'cache-control': 'no-store', 'retry-after': seconds })
  }
  const cause = new Error('why')
  const refusal = createUnavailableError('ERR_CHECK_UNAVAILABLE', 1, cause)
  t.equal(refusal.code, 'ERR_CHECK_UNAVAILABLE')
  t.equal(refusal.cause, cause)
})

t.test('quoted strings contain only characters that need no escaping', async (t) => {
  for (let code = 0; code < 0x180; code += 1) {
    const character = String.fromCharCode(code)
    const allowed = code >= 0x20 && code <= 0x7e && character !== '"' && character !== '\\'
    t.equal(QUOTABLE.test(`a${character}b`), allowed, `U+${code.toString(16)}`)
  }
  t.notOk(QUOTABLE.test(''))
  t.notOk(QUOTABLE.test('a\n'))
})
