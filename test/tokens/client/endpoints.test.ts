/** Clients against the local pool and against endpoints that fail, over real sockets. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import t from 'tap'
import { type LocalUserPool, startUserPool } from '../../../src/testing/index.ts'
import { createTokenClient, type TokenClientOptions } from '../../../src/tokens/client/index.ts'
import { failureOf, serve } from '../../support/client.ts'

const HOSTILE_SECRETS = [
  'plus+percent%colon:and blank',
  '%2B%20%3A',
  ':leading',
  'a=b&c=d',
  'ünï cödé ✓',
  ' surrounded ',
]

function clientOf(tokenEndpoint: string, options: Partial<TokenClientOptions> = {}) {
  return createTokenClient({
    tokenEndpoint,
    clientId: 'billing',
    clientSecret: 'secret',
    ...options,
  })
}

const resourceServers = [{ identifier: 'orders', scopes: { read: 'Read', write: 'Write' } }]

async function poolWith(secret: string): Promise<LocalUserPool> {
  const billing = { clientId: 'billing', clientSecrets: [secret], scopes: ['orders/read'] }
  return startUserPool({ resourceServers, clients: [billing] })
}

t.test('secrets of any characters, by both methods', async (t) => {
  for (const secret of HOSTILE_SECRETS) {
    const pool = await poolWith(secret)
    t.teardown(() => pool.close())
    for (const authMethod of ['client_secret_basic', 'client_secret_post'] as const) {
      const client = clientOf(pool.tokenEndpoint, { clientSecret: secret, authMethod })
      const before = Math.floor(Date.now() / 1000)
      const token = await client.getToken()
      t.strictSame(token.scopes, ['orders/read'], `${authMethod} ${secret}`)
      t.ok(token.expiresAt >= before + 3600 && token.expiresAt <= before + 3660)
      t.equal(token.accessToken.split('.').length, 3)
    }
  }
})

t.test('rejections of the pool have their error and request id', async (t) => {
  const pool = await poolWith('secret')
  t.teardown(() => pool.close())
  const refused = await failureOf(clientOf(pool.tokenEndpoint).getToken({ scopes: 'orders/write' }))
  t.match(refused, {
    code: 'ERR_TOKEN_REQUEST_REFUSED',
    error: 'invalid_scope',
    status: 400,
    requestId: /^[\da-f-]{36}$/,
  })
  const wrong = clientOf(pool.tokenEndpoint, { clientSecret: 'wrong' })
  t.match(await failureOf(wrong.getToken()), { error: 'invalid_client', status: 400 })
})

t.test('10,000 concurrent callers share one request', async (t) => {
  let requests = 0
  const origin = await serve(t, (_request, response) => {
    requests += 1
    token(response)
  })
  const client = clientOf(`${origin}/oauth2/token`)
  await Promise.all(Array.from({ length: 10_000 }, () => client.getToken()))
  t.equal(requests, 1)
})

t.test('temporary failures are retried after Retry-After', async (t) => {
  const failures: Record<string, (response: ServerResponse) => void> = {
    reset: (response) => response.destroy(),
    '500': (response) => response.writeHead(500).end('<html>'),
    '503': (response) => response.writeHead(503, { 'retry-after': '0' }).end(),
    '429': (response) => response.writeHead(429, { 'retry-after': 'Thu, 01 Jan 1970' }).end(),
  }
  for (const [name, fail] of Object.entries(failures)) {
    const times: number[] = []
    const origin = await serve(t, (_request, response) => {
      times.push(performance.now())
      if (times.length === 1) fail(response)
      else token(response)
    })
    t.equal((await clientOf(`${origin}/oauth2/token`).getToken()).accessToken, 'good', name)
    t.equal(times.length, 2, name)
    const [first = 0, second = 0] = times
    t.ok(second - first > 90, `${name}: ${second - first} ms later`)
  }
})

t.test('permanent failures reject at once', async (t) => {
  const elsewhere = await serve(t, () => t.fail('nothing may arrive here'))
  const answers: Record<string, readonly [(response: ServerResponse) => unknown, string]> = {
    redirect: [
      (response) => response.writeHead(307, { location: elsewhere }).end(),
      'ERR_TOKEN_RESPONSE_REDIRECT',
    ],
    huge: [
      async (response) => {
        response.on('error', () => {})
        for (let chunk = 0; chunk < 1000 && !response.destroyed; chunk += 1) {
          if (!response.write(' '.repeat(1000))) await once(response, 'drain').catch(() => {})
        }
      },
      'ERR_TOKEN_RESPONSE_TOO_LARGE',
    ],
    'a page': [(response) => response.end('<html>'), 'ERR_TOKEN_RESPONSE_INVALID'],
    'a page of a firewall': [
      (response) => response.writeHead(403).end('<html>'),
      'ERR_TOKEN_REQUEST_REFUSED',
    ],
  }
  for (const [name, [answer, code]] of Object.entries(answers)) {
    let requests = 0
    const origin = await serve(t, (_request, response) => {
      requests += 1
      return answer(response)
    })
    t.match(await failureOf(clientOf(`${origin}/oauth2/token`).getToken()), { code }, name)
    t.equal(requests, 1, name)
  }
})

t.test('an unreachable endpoint rejects with its errno after four attempts', async (t) => {
  const pool = await startUserPool()
  await pool.close()
  const error = await failureOf(clientOf(pool.tokenEndpoint).getToken())
  t.match(error, { code: 'ERR_TOKEN_REQUEST_NETWORK', errno: 'ECONNREFUSED' })
})

function token(response: ServerResponse): void {
  const body = { access_token: 'good', expires_in: 3600, token_type: 'Bearer' }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
