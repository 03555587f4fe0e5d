import { types } from 'node:util'
import t from 'tap'
import { StacklessError } from '../../src/core/errors.ts'
import { HookError } from '../../src/core/hooks.ts'
import { JwksError } from '../../src/core/keys/fetch-jwks.ts'
import { AuthError, type AuthErrorCode } from '../../src/index.ts'

/** Duplicated here deliberately: status, reason and text are the public contract. */
const TABLE: Record<AuthErrorCode, [number, string, string]> = {
  ERR_TOKEN_MISSING: [401, 'Unauthorized', 'An access token is required'],
  ERR_REQUEST_INVALID: [
    400,
    'Bad Request',
    'The request must carry exactly one Authorization header with one bearer token',
  ],
  ERR_TOKEN_INVALID: [401, 'Unauthorized', 'The access token is malformed'],
  ERR_TOKEN_ISSUER: [401, 'Unauthorized', 'The access token was issued by another user pool'],
  ERR_TOKEN_USE: [
    401,
    'Unauthorized',
    'The token is not an access token of the kind required here',
  ],
  ERR_TOKEN_AUDIENCE: [401, 'Unauthorized', 'The access token was issued for another audience'],
  ERR_TOKEN_EXPIRED: [401, 'Unauthorized', 'The access token expired'],
  ERR_TOKEN_NOT_ACTIVE: [401, 'Unauthorized', 'The access token is not active yet'],
  ERR_KEY_UNKNOWN: [401, 'Unauthorized', 'The access token is signed with an unknown key'],
  ERR_TOKEN_SIGNATURE: [401, 'Unauthorized', 'The access token has an invalid signature'],
  ERR_CLIENT_NOT_ALLOWED: [403, 'Forbidden', 'The app client is not allowed to call this API'],
  ERR_SCOPE_INSUFFICIENT: [403, 'Forbidden', 'The access token lacks a scope required here'],
  ERR_ACCESS_DENIED: [403, 'Forbidden', 'Access is denied'],
  ERR_KEYS_UNAVAILABLE: [
    503,
    'Service Unavailable',
    'The access token cannot be verified at the moment',
  ],
  ERR_CHECK_UNAVAILABLE: [503, 'Service Unavailable', 'Access cannot be decided at the moment'],
}
const codes = Object.keys(TABLE) as AuthErrorCode[]
const headers = Object.freeze({ 'cache-control': 'no-store' })

t.test('every code has its status, reason and fixed text', async (t) => {
  for (const code of codes) {
    const [statusCode, error, message] = TABLE[code]
    const refusal = new AuthError(code, { headers })
    t.equal(refusal.name, 'AuthError')
    t.ok(refusal instanceof Error)
    t.match(refusal, { code, statusCode, status: statusCode, message })
    t.ok(Object.hasOwn(refusal, 'status'), 'as error handlers of Express read it')
    t.equal(refusal.headers, headers)
    t.strictSame(JSON.parse(JSON.stringify(refusal)), { statusCode, code, error, message }, code)
  }
})

t.test('a refusal carries no stack, and a 4xx no cause', async (t) => {
  for (const code of codes) {
    const refusal = new AuthError(code, { headers })
    t.equal(refusal.stack, undefined, code)
    t.notOk(Object.hasOwn(refusal, 'stack'))
    t.notOk('cause' in refusal)
  }
})

t.test('a 5xx carries its cause if there is one, without a stack either', async (t) => {
  const causes = [new JwksError('ERR_JWKS_TIMEOUT'), new HookError('ERR_DECISION_FAILED')]
  for (const code of ['ERR_KEYS_UNAVAILABLE', 'ERR_CHECK_UNAVAILABLE'] as const) {
    for (const cause of causes) {
      const refusal = new AuthError(code, { headers, cause })
      t.equal(refusal.cause, cause)
      t.equal(cause.stack, undefined)
      t.notMatch(JSON.stringify(refusal), /cause|stack|JWKS|DECISION/)
    }
    t.notOk('cause' in new AuthError(code, { headers, cause: undefined }))
  }
})

t.test('refusing leaves the length of other stacks alone', async (t) => {
  const before = Error.stackTraceLimit
  t.teardown(() => {
    Error.stackTraceLimit = before
  })
  Error.stackTraceLimit = 7
  new AuthError('ERR_TOKEN_INVALID', { headers })
  t.equal(Error.stackTraceLimit, 7)
  new AuthError('ERR_KEYS_UNAVAILABLE', { headers })
  t.equal(Error.stackTraceLimit, 7)
  t.equal(new Error('other').stack?.split('\n').length, 8)
})

t.test('a refusal is an error of this realm, whatever tells errors apart', (t) => {
  const refusal = new AuthError('ERR_TOKEN_INVALID', { headers })
  t.ok(refusal instanceof Error)
  t.ok(types.isNativeError(refusal))
  t.equal(Object.prototype.toString.call(refusal), '[object Error]')
  t.equal(Object.getPrototypeOf(StacklessError.prototype), Error.prototype)
  t.equal(structuredClone(refusal).message, refusal.message)
  t.equal(new StacklessError('answer').stack, 'Error: answer')
  t.end()
})
