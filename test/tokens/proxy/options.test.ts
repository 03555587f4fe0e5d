/** Options are validated at registration. Errors name the option and the fix. */
import fastify from 'fastify'
import t from 'tap'
import proxyByDefault, { memoryStore, tokenProxy } from '../../../src/tokens/proxy/index.ts'
import { Clocks } from '../../support/key-endpoint.ts'
import { CLIENT, SECRET, sharedStore, startPool, startProxy } from '../../support/proxy.ts'

const tokenEndpoint = 'https://example.auth.eu-west-1.amazoncognito.com/oauth2/token'

async function problem(options: unknown): Promise<string> {
  const app = fastify()
  try {
    await app.register(tokenProxy, options as never)
    return 'none'
  } catch (error) {
    const { code, message } = error as Error & { code: string }
    return code === 'ERR_OPTION_INVALID' ? message : `${code}: ${message}`
  } finally {
    await app.close()
  }
}

const wrong: readonly (readonly [unknown, RegExp])[] = [
  [{}, /: tokenEndpoint: expected tokenEndpoint or userPoolsApi, got undefined\. Pass https:/],
  [{ tokenEndpoint: 5 }, /: tokenEndpoint: expected a URL as a string, got 5\. Pass https:/],
  [
    { tokenEndpoint: 'http://example.com/oauth2/token' },
    /: tokenEndpoint: expected an https URL.*, got /,
  ],
  [
    { tokenEndpoint: 'https://a:b@example.com/' },
    /: tokenEndpoint: expected a URL without credentials or a fragment, got one with credentials\./,
  ],
  [{ tokenEndpoint, ttl: 5 }, /: ttl: expected one of tokenEndpoint/],
  [{ tokenEndpoint, maxAge: undefined }, /: maxAge: expected a value, got undefined/],
  [{ tokenEndpoint, clients: [] }, /: clients: expected at least one [a-z ]+, got an empty array/],
  [{ tokenEndpoint, clients: ['a', 5] }, /: clients\[1\]: expected .*, got 5\./],
  [
    { tokenEndpoint, clients: 'a,b' },
    /: clients: expected one app client id, got "a,b"\. Pass several as an array\./,
  ],
  [
    { tokenEndpoint, store: {} },
    /: store: expected a token store, got an object without a method `get`\./,
  ],
  [
    { tokenEndpoint, store: sharedStore(new Clocks()) },
    /: encryptionKeys: expected \[\{ id, key \}\] for a shared store, got undefined\./,
  ],
  [
    { tokenEndpoint, encryptionKeys: [{ id: 'a', key: 'short' }] },
    /: encryptionKeys\[0\]\.key: expected 32 bytes, got /,
  ],
  [{ tokenEndpoint, authorize: true }, /: authorize: expected a function, got true/],
  [
    { tokenEndpoint, minRemaining: -1 },
    /: minRemaining: expected .* seconds from 0 to 86400, got -1/,
  ],
  [{ tokenEndpoint, maxAge: 0 }, /: maxAge: expected .* seconds from 1 to 86400, got 0/],
  [{ tokenEndpoint, timeout: 31 }, /: timeout: expected .* seconds from 0\.001 to 30, got 31/],
  [{ tokenEndpoint, now: 5 }, /: now: expected a function, got 5/],
  [{ tokenEndpoint, monotonicNow: 5 }, /: monotonicNow: expected a function, got 5/],
  [{ tokenEndpoint, fetch: 5 }, /: fetch: expected a function, got 5/],
  [
    { tokenEndpoint, upstream: 5 },
    /: upstream: expected a plain object, got 5\. Pass an object literal\./,
  ],
  [
    { tokenEndpoint, upstream: { rps: 5 } },
    /: upstream\.rps: expected one of perSecond, .*, got an unknown name/,
  ],
  [
    { tokenEndpoint, upstream: { perSecond: 1 } },
    /: upstream\.perSecond: expected a whole number of requests from 2 to 10000, got 1/,
  ],
  [
    { tokenEndpoint, upstream: { perSecond: 10, unprovenPerSecond: 10 } },
    /: upstream\.unprovenPerSecond: expected .* from 1 to 9, got 10/,
  ],
  [
    { tokenEndpoint, upstream: { concurrency: 1 } },
    /: upstream\.concurrency: expected .* from 2 to 10000, got 1\./,
  ],
  [{ tokenEndpoint, headers: 'x' }, /: headers: expected a plain object, got /],
  [
    { tokenEndpoint, headers: { 'a b': SECRET } },
    /: headers: expected names of HTTP headers, got "a b"\./,
  ],
  [
    { tokenEndpoint, headers: { Authorization: SECRET } },
    /: headers\.Authorization: expected .*, got a reserved or repeated name/,
  ],
  [
    { tokenEndpoint, headers: { 'x-a': SECRET, 'X-A': SECRET } },
    /: headers\.X-A: expected .*, got a reserved or repeated name/,
  ],
  [
    { tokenEndpoint, headers: { 'x-a': `${SECRET}\nx: y` } },
    /: headers\.x-a: expected visible ASCII or a function .*, got another value/,
  ],
  [
    { tokenEndpoint, headers: { 'x-a': '' } },
    /: headers\.x-a: expected visible ASCII or a function .*, got another value/,
  ],
  [
    { tokenEndpoint, headers: { 'x-a': 5 } },
    /: headers\.x-a: expected visible ASCII or a function .*, got another value/,
  ],
]

for (const [options, message] of wrong) {
  t.test(String(message), async (t) => {
    const message = await problem(options)
    t.match(message, message)
    t.match(message, /^cognito-m2m: [^\n]+$/)
    t.notMatch(message, SECRET.slice(0, 6))
  })
}

t.test('all options at once, and the default export', async (t) => {
  t.equal(proxyByDefault, tokenProxy)
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(tokenProxy, {
    tokenEndpoint,
    clients: [CLIENT],
    store: memoryStore(),
    encryptionKeys: [{ id: 'a', key: Buffer.alloc(32, 1).toString('base64') }],
    headers: { 'x-waf': 'a', 'x-other': () => 'b' },
    authorize: () => true,
    upstream: { perSecond: 10, unprovenPerSecond: 5, concurrency: 5 },
    minRemaining: 60,
    maxAge: 600,
    timeout: 3,
    now: Date.now,
    monotonicNow: () => performance.now(),
    fetch,
  })
  await app.ready()
  const { instance, ...status } = app.tokenProxy.status()
  t.ok(Number.isInteger(instance))
  t.same(status, {
    region: 'primary',
    inFlight: 0,
    budget: { perSecond: 10, used: 0 },
    queued: { proven: 0, unproven: 0 },
    unavailable: { ERR_OVER_BUDGET: 0, ERR_UPSTREAM_UNAVAILABLE: 0 },
    endpoint: { available: true, lastError: null, nextAttempt: null },
    store: { shared: false, degraded: false, unreadable: 0 },
  })
})

t.test('one proxy per context; another context may have another one', async (t) => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(tokenProxy, { tokenEndpoint })
  await t.rejects(async () => app.register(tokenProxy, { tokenEndpoint }), {
    code: 'ERR_OPTION_INVALID',
    message: /got a second one/,
  })
  const two = fastify()
  t.teardown(() => two.close())
  const pool = await startPool(t)
  for (const prefix of ['/a', '/b']) {
    await two.register(
      async (context) => {
        await context.register(tokenProxy, { tokenEndpoint: pool.tokenEndpoint })
      },
      { prefix },
    )
  }
  for (const prefix of ['/a', '/b']) {
    const { statusCode } = await two.inject({
      method: 'POST',
      url: `${prefix}/oauth2/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: CLIENT,
        client_secret: SECRET,
      }).toString(),
    })
    t.equal(statusCode, 200)
  }
})

t.test('a store is closed with the app', async (t) => {
  const store = sharedStore(new Clocks())
  let closed = 0
  store.close = async () => {
    closed += 1
  }
  const { app } = await startProxy(t, {
    tokenEndpoint,
    store,
    encryptionKeys: [{ id: 'a', key: Buffer.alloc(32) }],
  })
  await app.close()
  t.equal(closed, 1)
})
