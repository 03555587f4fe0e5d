/** The SDK's own middleware with our verifier: what it gets right, and the limitations that docs/mcp.md lists. */
import { createRequire } from 'node:module'
import {
  InsufficientScopeError,
  InvalidRequestError,
  InvalidTokenError,
} from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import express from 'express'
import t, { type Test } from 'tap'
import { cognitoAuth, getAuth } from '../../../src/adapters/mcp/index.ts'
import { AuthError, type CognitoAuthOptions } from '../../../src/index.ts'
import { createTestUserPool } from '../../../src/testing/index.ts'
import { exchange } from '../../conformance/behavior/endpoint.ts'
import { listen, METADATA_URL, READ, RESOURCE, WRITE } from '../../support/mcp.ts'

/** On the wall clock, which the SDK's middleware reads itself. */
const pool = createTestUserPool({
  userPoolId: 'eu-west-1_AbCdEfGhI',
  clients: [{ clientId: 'agent' }, { clientId: 'other' }],
})
const options = {
  ...pool.options(),
  clientId: 'agent',
  resourceMetadata: { resource: RESOURCE },
} as unknown as CognitoAuthOptions
const token = pool.accessToken({ scopes: READ })
const never = () => Promise.reject(new Error('secret'))

const sdkOptions = { requiredScopes: [READ], resourceMetadataUrl: METADATA_URL }

async function serve(t: Test, changes: object = {}, middleware = requireBearerAuth, more = {}) {
  const given = Object.entries({ ...options, ...changes }).filter(([, it]) => it !== undefined)
  const auth = cognitoAuth(Object.fromEntries(given) as unknown as CognitoAuthOptions)
  t.teardown(() => auth.server.close())
  const verifier = auth.verifier({ scopes: READ })
  const app = express()
  const seen: (AuthInfo | undefined)[] = []
  app.get('/mcp', middleware({ verifier, ...sdkOptions, ...more }), (req, res) => {
    seen.push((req as { auth?: unknown }).auth as AuthInfo)
    res.end('reached')
  })
  const port = await listen(t, app)
  const ask = async (...lines: string[]) => {
    const raw = await exchange(port, [
      'GET /mcp HTTP/1.1',
      'Host: 127.0.0.1',
      'Connection: close',
      ...lines.map((line) => `Authorization: ${line}`),
    ])
    const [head = '', body = ''] = raw.split(/\r\n\r\n(.*)/s)
    const challenge = /^www-authenticate: (.*)$/im.exec(head)?.[1]
    const error = /^\{/.test(body) ? JSON.parse(body).error : undefined
    return {
      status: Number(head.split(' ')[1]),
      error,
      challenge,
      retry: /retry-after/i.test(head),
    }
  }
  return { ask, seen }
}

t.test('a good token reaches the handler, with an AuthInfo', async (t) => {
  const { ask, seen } = await serve(t)
  t.match(await ask(`Bearer ${token}`), { status: 200 })
  const [authInfo] = seen
  t.match(authInfo, { token, clientId: 'agent', scopes: [READ] })
  t.notOk(Object.keys(authInfo as object).includes('token'))
  t.equal(getAuth(authInfo).clientId, 'agent')
})

t.test('401 and 403 have challenges', async (t) => {
  const { ask } = await serve(t)
  const challenge = (error: string, text: string) =>
    `Bearer error="${error}", error_description="${text}", scope="${READ}", resource_metadata="${METADATA_URL}"`
  t.match(await ask(`Bearer ${pool.tampered.altered({ scopes: READ })}`), {
    status: 401,
    challenge: challenge('invalid_token', 'The access token has an invalid signature'),
  })
  t.match(await ask(`Bearer ${pool.accessToken({ scopes: WRITE })}`), {
    status: 403,
    challenge: challenge('insufficient_scope', 'The access token lacks a scope required here'),
  })
})

t.test('limitation: without a token the error is invalid_token', async (t) => {
  const { ask } = await serve(t)
  t.match(await ask(), { status: 401, error: 'invalid_token', challenge: /error="invalid_token"/ })
})

t.test('limitation: 503 becomes 500 without Retry-After', async (t) => {
  const { ask, seen } = await serve(t, { jwks: undefined, fetch: never })
  const answer = await ask(`Bearer ${token}`)
  t.match(answer, { status: 500, error: 'server_error', challenge: undefined, retry: false })
  t.strictSame(seen, [])
})

t.test('limitation: of two tokens the first is read', async (t) => {
  const { ask, seen } = await serve(t)
  t.match(await ask(`Bearer ${token} b`), { status: 200 }, 'Bearer a b is a')
  t.match(await ask(`Bearer ${token}`, 'Basic YTpi'), { status: 200 }, 'two lines are the first')
  t.equal(seen.length, 2)
  t.match(await ask('Bearer  abc'), { status: 401 }, 'RFC 9110 allows two spaces')
})

t.test('limitation: a client that is not allowed gets insufficient_scope', async (t) => {
  const { ask } = await serve(t)
  const other = pool.accessToken({ clientId: 'other', scopes: READ })
  t.match(await ask(`Bearer ${other}`), { status: 403, error: 'insufficient_scope' })
})

t.test('limitation: the clock tolerance does not apply', async (t) => {
  const { ask } = await serve(t, { clockTolerance: 300 })
  const expired = pool.accessToken({ scopes: READ, expiresIn: -30 })
  t.match(await ask(`Bearer ${expired}`), { status: 401, error: 'invalid_token' })
})

t.test('limitation: expectedResource rejects every machine token', async (t) => {
  const { ask } = await serve(t, {}, requireBearerAuth, { expectedResource: new URL(RESOURCE) })
  t.match(await ask(`Bearer ${token}`), { status: 401, error: 'invalid_token' })
})

t.test('limitation: the CommonJS build of the SDK has other error classes', async (t) => {
  const require = createRequire(import.meta.url)
  const path = '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
  const { ask } = await serve(t, {}, require(path).requireBearerAuth)
  t.match(await ask(`Bearer ${token}`), { status: 200 })
  t.match(await ask('Bearer abc'), { status: 500 })
})

t.test('an error of the app itself is passed on', async (t) => {
  const now = () => {
    throw new RangeError('no clock')
  }
  const { verifyAccessToken } = cognitoAuth({ ...options, now }).verifier({ scopes: READ })
  await t.rejects(verifyAccessToken(token), RangeError)
  const { ask } = await serve(t, { now })
  t.match(await ask(`Bearer ${token}`), { status: 500, error: 'server_error' })
})

t.test('the verifier throws the errors of the SDK, with the AuthError as cause', async (t) => {
  const auth = cognitoAuth(options)
  const { verifyAccessToken } = auth.verifier({ scopes: READ, optional: true })
  for (const [rejected, SdkError, code] of [
    ['abc', InvalidTokenError, 'ERR_TOKEN_INVALID'],
    [pool.accessToken({ scopes: WRITE }), InsufficientScopeError, 'ERR_SCOPE_INSUFFICIENT'],
    [`${token} b`, InvalidRequestError, 'ERR_REQUEST_INVALID'],
    ['', InvalidRequestError, 'ERR_REQUEST_INVALID'],
    [undefined as never, InvalidTokenError, 'ERR_TOKEN_INVALID'],
  ] as const) {
    const error = await verifyAccessToken(rejected).catch((error: unknown) => error)
    t.type(error, SdkError)
    t.match(error, { cause: { code } })
    t.type((error as Error).cause, AuthError)
  }
  auth.server.close()
  await t.rejects(verifyAccessToken(`${token.slice(0, -4)}AAAA`), {
    code: 'ERR_KEYS_UNAVAILABLE',
    statusCode: 503,
  })
})
