/** A local pool on the IPv6 loopback address, over real sockets. */
import { request } from 'node:http'
import { networkInterfaces } from 'node:os'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { cognitoAuth } from '../../src/adapters/fastify/index.ts'
import { LocalServer } from '../../src/testing/http/local-server.ts'
import { type LocalHost, startUserPool } from '../../src/testing/index.ts'
import { createTokenClient } from '../../src/tokens/client/index.ts'
import { tokenProxy } from '../../src/tokens/proxy/index.ts'

const addresses = Object.values(networkInterfaces()).flatMap((it) => it ?? [])
if (!addresses.some(({ address }) => address === '::1')) {
  throw new Error(
    'expected ::1 on a network interface, got none: turn IPv6 on (sysctl disable_ipv6)',
  )
}

const clients = [
  { clientId: 'billing', clientSecrets: ['billing-secret'], scopes: ['orders/read'] },
] as const

async function start(t: Test, options: object = {}) {
  const pool = await startUserPool({ host: '::1', clients, ...options })
  t.teardown(() => pool.close())
  return pool
}

/** The status of the key set, under a Host header. */
function statusFor(host: string, { port, jwksUri }: { port: number; jwksUri: string }) {
  return new Promise<number | undefined>((resolve, reject) => {
    const path = new URL(jwksUri).pathname
    const asked = request({ host: '::1', port, path, headers: { host }, agent: false })
    asked.on('response', (response) => resolve(response.resume().statusCode))
    asked.on('error', reject).end()
  })
}

t.test('its URLs have the address in brackets, and discovery says the same', async (t) => {
  const pool = await start(t)
  const origin = `http://[::1]:${pool.port}`
  t.equal(pool.issuer, `${origin}/${pool.userPoolId}`)
  t.equal(pool.jwksUri, `${origin}/${pool.userPoolId}/.well-known/jwks.json`)
  t.equal(pool.tokenEndpoint, `${origin}/oauth2/token`)
  t.equal(pool.options().issuer, pool.issuer)
  const discovery = await fetch(`${pool.issuer}/.well-known/openid-configuration`)
  t.match(await discovery.json(), { issuer: pool.issuer, jwks_uri: pool.jwksUri })
  const refused = fetch(`http://127.0.0.1:${pool.port}/`)
  await t.rejects(refused, { cause: { code: 'ECONNREFUSED' } }, 'IPv4 is another address')
})

t.test('the Host header has to name it', async (t) => {
  const pool = await start(t)
  t.equal(await statusFor(`[::1]:${pool.port}`, pool), 200)
  t.equal(await statusFor(`localhost:${pool.port}`, pool), 200)
  for (const host of [`[::2]:${pool.port}`, `rebound.example:${pool.port}`, '[::1]', '::1']) {
    t.equal(await statusFor(host, pool), 403, host)
  }
})

t.test('its tokens pass the plugin, through the client and the proxy', async (t) => {
  const pool = await start(t)
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  await app.register(cognitoAuth, pool.options())
  app.get('/orders', { config: { auth: { scopes: 'orders/read' } } }, async ({ auth }) => auth)
  const proxy = Fastify({ forceCloseConnections: true })
  t.teardown(() => proxy.close())
  await proxy.register(tokenProxy, { tokenEndpoint: pool.tokenEndpoint })
  const proxied = `${await proxy.listen({ port: 0, host: '::1' })}/oauth2/token`
  for (const tokenEndpoint of [pool.tokenEndpoint, proxied]) {
    const common = { clientId: 'billing', clientSecret: 'billing-secret' }
    const client = createTokenClient({ tokenEndpoint, ...common })
    t.teardown(() => client.close())
    const { accessToken } = await client.getToken()
    const headers = { authorization: `Bearer ${accessToken}` }
    const answer = await app.inject({ url: '/orders', headers })
    t.equal(answer.statusCode, 200, tokenEndpoint)
    t.match(answer.json(), { issuer: pool.issuer, clientId: 'billing' })
  }
  t.match(pool.events()[0], {
    sourceIPAddress: '::1',
    additionalEventData: { userPoolDomain: `[::1]:${pool.port}` },
  })
})

t.test('an outage ends on the same address and port', async (t) => {
  const pool = await start(t)
  await pool.setJwksFault('refuse')
  await t.rejects(fetch(pool.jwksUri), { cause: { code: 'ECONNREFUSED' } })
  await pool.setJwksFault(null)
  t.equal((await fetch(pool.jwksUri)).status, 200)
})

t.test('a token of one address is refused by options of the other', async (t) => {
  const six = await start(t)
  const four = await startUserPool({ userPoolId: six.userPoolId, port: six.port, clients })
  t.teardown(() => four.close())
  t.match(four.issuer, `http://127.0.0.1:${six.port}/`, 'IPv4 is the default')
  const app = Fastify()
  await app.register(cognitoAuth, four.options())
  const headers = { authorization: `Bearer ${six.accessToken()}` }
  const answer = await app.inject({ url: '/', headers })
  t.match(answer.json(), { statusCode: 401, code: 'ERR_TOKEN_ISSUER' })
})

for (const host of ['localhost', '[::1]', '0.0.0.0', '::', '', null, 4]) {
  t.test(`host ${JSON.stringify(host)} is refused`, async (t) => {
    await t.rejects(startUserPool({ host: host as LocalHost }), {
      code: 'ERR_OPTION_INVALID',
      option: 'host',
      message: /expected 127\.0\.0\.1 or ::1/,
    })
  })
}

t.test('an address that the machine lacks is named with the reason', async (t) => {
  // TEST-NET-1 (RFC 5737), as ::1 is on a machine without IPv6.
  const server = new LocalServer(0, '192.0.2.1' as LocalHost)
  await t.rejects(server.listen(), {
    code: 'ERR_OPTION_INVALID',
    option: 'host',
    message:
      /^cognito-m2m: host: expected an address of this machine, got 192\.0\.2\.1 \(EADDRNOTAVAIL\)\. /,
  })
})
