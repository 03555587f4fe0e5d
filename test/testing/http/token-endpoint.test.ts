import { createRemoteJWKSet, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { defineScopes } from '../../../src/core/scopes.ts'
import { type LocalUserPool, startUserPool } from '../../../src/testing/index.ts'
import { type Answer, ask, decode, FORM } from '../../support/http.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const AWKWARD = 'a+b %2B:c&d=é?/\'"~'
const NOW = 1_700_000_000_000

interface Credentials {
  readonly id: string
  readonly secret: string
}

type Form = readonly (readonly [string, string])[]
type Method = (credentials: Credentials, form: Form) => { body: string; authorization?: string }

const encode = (form: Form) =>
  new URLSearchParams(form.map(([name, value]): [string, string] => [name, value])).toString()
const base64 = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

/** Every way a client may say who it is. */
const methods: readonly [string, Method][] = [
  [
    'Basic, raw',
    ({ id, secret }, form) => ({ body: encode(form), authorization: base64(`${id}:${secret}`) }),
  ],
  [
    'Basic, form-encoded',
    ({ id, secret }, form) => {
      const [left, right] = [id, secret].map((text) => encode([['', text]]).slice(1))
      return { body: encode(form), authorization: base64(`${left}:${right}`) }
    },
  ],
  [
    'body',
    ({ id, secret }, form) => ({
      body: encode([...form, ['client_id', id], ['client_secret', secret]]),
    }),
  ],
]

const GRANT = ['grant_type', 'client_credentials'] as const
const billing = { id: 'billing', secret: 'first' }

async function start(test: Test): Promise<LocalUserPool> {
  const pool = await startUserPool({
    resourceServers: [defineScopes('orders', { read: 'Read', write: 'Write', purge: 'Purge' })],
    clients: [
      {
        clientId: 'billing',
        clientSecrets: ['first', 'second'],
        scopes: ['orders/read', 'orders/write'],
        accessTokenValidity: 900,
      },
      { clientId: 'a+b', clientSecrets: [AWKWARD] },
      { clientId: 'web', clientSecrets: ['web'], flows: ['code'] },
      { clientId: 'plain', clientSecrets: ['plain'], oauth: false },
      { clientId: 'bare', clientSecrets: ['bare'], scopes: [] },
    ],
    now: () => NOW,
  })
  test.teardown(() => pool.close())
  return pool
}

function post(pool: LocalUserPool, body: string | Buffer, headers = {}, method = 'POST') {
  return ask(pool.port, {
    method,
    path: '/oauth2/token',
    headers: { 'content-type': FORM, ...headers },
    body,
  })
}

function request(pool: LocalUserPool, method: Method, credentials: Credentials, form: Form) {
  const { body, authorization } = method(credentials, form)
  return post(pool, body, authorization === undefined ? {} : { authorization })
}

/** What every answer of this endpoint has. */
function checkHeaders(t: { match(value: unknown, pattern: unknown): boolean }, answer: Answer) {
  t.match(answer.headers, {
    'content-type': /^application\/json/,
    'cache-control': 'no-store',
    pragma: 'no-cache',
    'x-amz-cognito-request-id': UUID,
  })
}

/** Error, credentials, form: whichever way the client authenticates. */
const errors: readonly [string, Credentials, Form, string][] = [
  ['no grant type', billing, [], 'invalid_request'],
  ['a repeated grant type', billing, [GRANT, GRANT], 'invalid_request'],
  [
    'a repeated scope',
    billing,
    [GRANT, ['scope', 'orders/read'], ['scope', 'orders/write']],
    'invalid_request',
  ],
  ['an unknown client', { id: 'nobody', secret: 'first' }, [GRANT], 'invalid_client'],
  ['a wrong secret', { id: 'billing', secret: 'third' }, [GRANT], 'invalid_client'],
  ["another client's secret", { id: 'billing', secret: 'web' }, [GRANT], 'invalid_client'],
  ['no secret', { id: 'billing', secret: '' }, [GRANT], 'invalid_client'],
  ['a client without this flow', { id: 'web', secret: 'web' }, [GRANT], 'unauthorized_client'],
  ['a client without OAuth', { id: 'plain', secret: 'plain' }, [GRANT], 'invalid_grant'],
  ['the code grant', billing, [['grant_type', 'authorization_code']], 'unsupported_grant_type'],
  ['a refresh', billing, [['grant_type', 'refresh_token']], 'unsupported_grant_type'],
  [
    "a scope that is not the client's",
    billing,
    [GRANT, ['scope', 'orders/purge']],
    'invalid_scope',
  ],
  [
    'one such among good ones',
    billing,
    [GRANT, ['scope', 'orders/read orders/purge']],
    'invalid_scope',
  ],
  ['a scope that is none', billing, [GRANT, ['scope', 'orders']], 'invalid_scope'],
  ['a doubled space', billing, [GRANT, ['scope', 'orders/read  orders/write']], 'invalid_scope'],
  ['a space behind', billing, [GRANT, ['scope', 'orders/read ']], 'invalid_scope'],
  ['a tab between', billing, [GRANT, ['scope', 'orders/read\torders/write']], 'invalid_scope'],
  ['metadata that is no JSON', billing, [GRANT, ['aws_client_metadata', '{']], 'invalid_request'],
  ['metadata that is an array', billing, [GRANT, ['aws_client_metadata', '[]']], 'invalid_request'],
  ['metadata that is null', billing, [GRANT, ['aws_client_metadata', 'null']], 'invalid_request'],
]

for (const [how, method] of methods) {
  t.test(how, async (t) => {
    const pool = await start(t)

    t.test('a token for all the client may have', async (t) => {
      const answer = await request(pool, method, billing, [GRANT])
      t.equal(answer.status, 200)
      checkHeaders(t, answer)
      const { access_token, ...rest } = answer.json
      t.strictSame(rest, { expires_in: 900, token_type: 'Bearer' })
      const { payload } = await jwtVerify(
        access_token as string,
        createRemoteJWKSet(new URL(pool.jwksUri)),
        { issuer: pool.issuer, currentDate: new Date(NOW) },
      )
      t.match(payload, {
        sub: 'billing',
        client_id: 'billing',
        token_use: 'access',
        scope: 'orders/read orders/write',
        iat: NOW / 1000,
        exp: NOW / 1000 + 900,
      })
    })

    t.test('either secret, and one with every awkward character', async (t) => {
      for (const credentials of [
        { id: 'billing', secret: 'second' },
        { id: 'a+b', secret: AWKWARD },
      ]) {
        const answer = await request(pool, method, credentials, [GRANT])
        t.equal(answer.status, 200)
        t.equal(decode(answer.json['access_token'] as string, 1)['client_id'], credentials.id)
      }
    })

    const granted: readonly [string, Form, string][] = [
      ['as asked', [['scope', 'orders/write orders/read']], 'orders/write orders/read'],
      ['each once', [['scope', 'orders/read orders/read']], 'orders/read'],
      ['empty: all', [['scope', '']], 'orders/read orders/write'],
      ['with metadata', [['aws_client_metadata', '{"tenant":"a&b"}']], 'orders/read orders/write'],
      ['with parameters nobody knows', [['audience', 'x']], 'orders/read orders/write'],
    ]
    for (const [name, form, scope] of granted) {
      t.test(`scopes ${name}`, async (t) => {
        const answer = await request(pool, method, billing, [GRANT, ...form])
        t.equal(answer.status, 200)
        t.equal(decode(answer.json['access_token'] as string, 1)['scope'], scope)
      })
    }

    t.test('a client without scopes gets a token without a scope claim', async (t) => {
      const answer = await request(pool, method, { id: 'bare', secret: 'bare' }, [GRANT])
      t.notOk('scope' in decode(answer.json['access_token'] as string, 1))
    })

    for (const [name, credentials, form, error] of errors) {
      t.test(`${name}: ${error}`, async (t) => {
        const answer = await request(pool, method, credentials, form)
        t.equal(answer.status, 400)
        t.strictSame(answer.json, { error })
        checkHeaders(t, answer)
      })
    }
  })
}

t.test('credentials that are missing, broken or twice', async (t) => {
  const pool = await start(t)
  const form = encode([GRANT])
  const good = base64('billing:first')
  const inBody = encode([GRANT, ['client_id', 'billing'], ['client_secret', 'first']])
  const cases: readonly [string, string, string | undefined, string][] = [
    ['none', form, undefined, 'invalid_client'],
    ['an id without a secret', `${form}&client_id=billing`, undefined, 'invalid_client'],
    ['a secret without an id', `${form}&client_secret=first`, undefined, 'invalid_client'],
    ['another scheme', form, 'Bearer abc', 'invalid_client'],
    ['Basic without a value', form, 'Basic', 'invalid_client'],
    ['Basic that is not base64', form, 'Basic !!!', 'invalid_client'],
    ['Basic without a colon', form, base64('billing'), 'invalid_client'],
    ['Basic with a broken escape', form, base64('billing:%'), 'invalid_client'],
    ['both, though both are right', inBody, good, 'invalid_request'],
    ['two ids that differ', `${form}&client_id=web`, good, 'invalid_request'],
    [
      'a wrong secret and another id',
      `${form}&client_id=web`,
      base64('billing:x'),
      'invalid_client',
    ],
  ]
  for (const [name, body, authorization, error] of cases) {
    const answer = await post(pool, body, authorization === undefined ? {} : { authorization })
    t.match([answer.status, answer.json], [400, { error }], name)
  }
  for (const [body, authorization] of [
    [`${form}&client_id=billing`, good],
    [form, good.replace('Basic', 'bAsIc')],
  ] as const) {
    t.equal((await post(pool, body, { authorization })).status, 200)
  }
})

t.test('only a form is read, and only a POST', async (t) => {
  const pool = await start(t)
  const body = encode([GRANT, ['client_id', 'billing'], ['client_secret', 'first']])
  for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
    const answer = await post(pool, '', {}, method)
    t.match([answer.status, answer.json], [405, { error: 'invalid_request' }], method)
    t.equal(answer.headers.allow, 'POST')
    checkHeaders(t, answer)
  }
  for (const type of [
    'application/json',
    'text/plain',
    `${FORM}; charset=latin1`,
    `${FORM}-x`,
    '',
  ]) {
    const answer = await post(pool, body, { 'content-type': type })
    t.match([answer.status, answer.json], [400, { error: 'invalid_request' }], type)
  }
  for (const type of [FORM.toUpperCase(), `${FORM};charset=UTF-8`, `${FORM} ; charset="utf-8"`]) {
    t.equal((await post(pool, body, { 'content-type': type })).status, 200, type)
  }
  const untyped = await ask(pool.port, { method: 'POST', path: '/oauth2/token', body })
  t.equal(untyped.status, 400)
})

t.test('a form that is broken is refused, empty pieces are skipped', async (t) => {
  const pool = await start(t)
  const good = encode([GRANT, ['client_id', 'billing'], ['client_secret', 'first']])
  for (const body of [`${good}&x=%`, `${good}&%zz=1`, `${good}&x=%FF`, `${good}&x&x`, '']) {
    const answer = await post(pool, body)
    t.match([answer.status, answer.json], [400, { error: 'invalid_request' }], body)
  }
  t.equal((await post(pool, `&&${good}&&flag&`)).status, 200)
})

t.test('a body of 16 KiB is read, a longer one is not', async (t) => {
  const pool = await start(t)
  const good = encode([GRANT, ['client_id', 'billing'], ['client_secret', 'first']])
  const sized = (bytes: number) => `${good}&x=`.padEnd(bytes, 'x')
  t.equal((await post(pool, sized(16 * 1024))).status, 200)
  for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
    const answer = await post(pool, sized(16 * 1024 + 1), headers)
    t.match([answer.status, answer.json], [413, { error: 'invalid_request' }])
    checkHeaders(t, answer)
  }
})
