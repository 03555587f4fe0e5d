import t from 'tap'
import { type LocalUserPool, startUserPool } from '../../../src/testing/index.ts'
import { ask, FORM } from '../../support/http.ts'

const SECRET = 'billing-secret'
const HERE = [
  'http://localhost:3000',
  'http://127.0.0.1:3000',
  'http://[::1]:3000',
  'https://localhost',
]
const ELSEWHERE = [
  'https://example.com',
  'http://localhost.example.com',
  'http://127.0.0.1.example.com:3000',
  'http://192.168.0.1',
  'null',
  '*',
]

async function start(t: { teardown(end: () => unknown): void }, cors?: boolean) {
  const pool = await startUserPool({
    clients: [{ clientId: 'billing', clientSecrets: [SECRET] }],
    control: true,
    ...(cors === undefined ? {} : { cors }),
  })
  t.teardown(() => pool.close())
  return pool
}

const authorization = `Basic ${Buffer.from(`billing:${SECRET}`).toString('base64')}`

/** A token request as a page makes it. */
function token(pool: LocalUserPool, headers: Record<string, string>) {
  return ask(pool.port, {
    method: 'POST',
    path: '/oauth2/token',
    body: 'grant_type=client_credentials',
    headers: { 'content-type': FORM, authorization, ...headers },
  })
}

/** What a browser asks before. */
function preflight(pool: LocalUserPool, path: string, origin: string, method = 'POST') {
  const asked = { 'access-control-request-method': method, origin }
  return ask(pool.port, { method: 'OPTIONS', path, headers: asked })
}

t.test('pages of this machine get tokens and read errors', async (t) => {
  const pool = await start(t, true)
  for (const origin of HERE) {
    const before = await preflight(pool, '/oauth2/token', origin)
    t.match(before, { status: 204, text: '' }, origin)
    t.match(before.headers, {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization, content-type, x-requested-with',
      vary: 'origin',
    })
    t.notOk('access-control-allow-credentials' in before.headers)
    const got = await token(pool, { origin })
    t.equal(got.status, 200)
    t.match(got.headers, { 'access-control-allow-origin': origin, vary: 'origin' })
    const wrong = await token(pool, { origin, authorization: 'Basic eDp5' })
    t.strictSame(wrong.json, { error: 'invalid_client' })
    t.equal(wrong.headers['access-control-allow-origin'], origin)
  }
})

t.test('pages of elsewhere do not', async (t) => {
  const pool = await start(t, true)
  for (const origin of ELSEWHERE) {
    for (const answer of [
      await preflight(pool, '/oauth2/token', origin),
      await token(pool, { origin }),
    ]) {
      t.notOk('access-control-allow-origin' in answer.headers, origin)
      t.equal(answer.headers.vary, 'origin')
    }
  }
  t.notOk('access-control-allow-origin' in (await token(pool, {})).headers, 'no page at all')
})

t.test('nor does any page unless it was asked for', async (t) => {
  for (const cors of [undefined, false]) {
    const pool = await start(t, cors)
    const [origin] = HERE as [string]
    const before = await preflight(pool, '/oauth2/token', origin)
    t.equal(before.status, 405)
    const got = await token(pool, { origin })
    t.equal(got.status, 200)
    for (const { headers } of [before, got]) {
      t.notOk('access-control-allow-origin' in headers)
      t.notOk('vary' in headers)
    }
  }
})

t.test('the switches answer no page, and nothing else is opened', async (t) => {
  const pool = await start(t, true)
  const [origin] = HERE as [string]
  for (const [path, method] of [
    ['/_local/jwks-fault', 'PUT'],
    ['/_local/rotation', 'POST'],
    [new URL(pool.jwksUri).pathname, 'GET'],
    ['/elsewhere', 'POST'],
  ] as const) {
    const before = await preflight(pool, path, origin, method)
    t.ok(before.status >= 400, path)
    t.notOk('access-control-allow-origin' in before.headers)
  }
  const switched = await ask(pool.port, {
    method: 'PUT',
    path: '/_local/jwks-fault',
    body: '{"fault":"hang"}',
    headers: { 'content-type': 'application/json', origin },
  })
  t.equal(switched.status, 403)
  t.notOk('access-control-allow-origin' in switched.headers)
  const plain = await ask(pool.port, { method: 'OPTIONS', path: '/oauth2/token' })
  t.equal(plain.status, 405, 'an OPTIONS that is no preflight')
})

t.test('cors is a switch', async (t) => {
  await t.rejects(startUserPool({ cors: 'http://localhost:3000' as never }), {
    message:
      'cognito-m2m: cors: expected a boolean, got "http://localhost:3000". Pass true or false.',
  })
})
