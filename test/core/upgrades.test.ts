/** Upgrades of a plain Node.js server, guarded by the core. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { type Changes, CLIENT, machineToken, NOW, serve } from '../support/forge.ts'
import { upgrade } from '../support/sockets.ts'
import { Clock, closeCode, Peer, upgradeLines, WebSocket } from '../support/streams.ts'
import { guardUpgrades } from '../support/upgrade-servers.ts'

const bearer = (claims: Changes = {}) => `Bearer ${machineToken(claims)}`
const minute = bearer({ exp: NOW + 60 })

async function build(t: Test, changes: Changes = {}) {
  const clock = new Clock()
  const core = serve({ now: clock.now, ...changes })
  const server = createServer((_request, response) => response.end('plain'))
  const admitted = guardUpgrades(server, core.guard({ scopes: 'orders/read' }), core)
  server.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return { server, clock, core, admitted, port: (server.address() as AddressInfo).port }
}

const refusals: [string, string[], number, string][] = [
  ['no token', [], 401, 'ERR_TOKEN_MISSING'],
  ['another scheme', ['Basic x'], 401, 'ERR_TOKEN_MISSING'],
  ['an expired token', [bearer({ exp: NOW - 60 })], 401, 'ERR_TOKEN_EXPIRED'],
  ['a token of an attacker', [bearer({ iss: 'https://evil' })], 401, 'ERR_TOKEN_ISSUER'],
  ['too few scopes', [bearer({ scope: 'orders/write' })], 403, 'ERR_SCOPE_INSUFFICIENT'],
  ['two tokens', [minute, minute], 400, 'ERR_REQUEST_INVALID'],
  ['two tokens, the second one good', ['Basic x', minute], 400, 'ERR_REQUEST_INVALID'],
]
for (const [name, credentials, status, code] of refusals) {
  t.test(`${name}: answered with ${status}, then the socket is closed`, async (t) => {
    const { server, port, admitted } = await build(t)
    const headers = credentials.map((credential, index) =>
      index === 0 ? `Authorization: ${credential}` : `AUTHORIZATION: ${credential}`,
    )
    const answer = await upgrade({ server }, port, '/', headers)
    t.equal(answer.status, status)
    t.match(JSON.parse(answer.body), { statusCode: status, code })
    t.match(answer.head, /\r\nwww-authenticate: bearer realm="api"/)
    t.match(answer.head, /\r\ncache-control: no-store\r\n/)
    t.strictSame(admitted, [])
  })
}

t.test('a token in the query or a subprotocol is ignored', async (t) => {
  const { server, port, admitted } = await build(t)
  const token = machineToken()
  const elsewhere = [`Sec-WebSocket-Protocol: bearer, ${token}`, `Cookie: token=${token}`]
  const url = `/?access_token=${token}`
  t.equal((await upgrade({ server }, port, url, elsewhere)).status, 401)
  t.strictSame(admitted, [])
})

t.test('an error thrown by application code grants no access', async (t) => {
  let broken = false
  const now = () => {
    if (broken) throw new Error('secret')
    return NOW * 1000
  }
  const { server, port, admitted } = await build(t, { now })
  broken = true
  const answer = await upgrade({ server }, port, '/', [`Authorization: ${minute}`])
  t.equal(answer.status, 500)
  t.notMatch(answer.body, /secret/)
  t.strictSame(admitted, [])
})

t.test('a closed server accepts no upgrade', async (t) => {
  const { server, port, core, admitted } = await build(t)
  core.close()
  const answer = await upgrade({ server }, port, '/', [`Authorization: ${minute}`])
  t.equal(answer.status, 503)
  t.match(answer.head, /\r\nretry-after: 1\r\n/)
  t.strictSame(admitted, [])
})

t.test('a valid token opens the socket until it expires', async (t) => {
  const { port, clock, admitted } = await build(t)
  clock.stop(t)
  const headers = { authorization: minute }
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, { headers })
  await once(client, 'open')
  t.match(admitted, [{ token: { clientId: CLIENT, expiresAt: NOW + 60 } }])
  clock.pass(64_999)
  client.send('hello')
  t.equal(String((await once(client, 'message'))[0]), 'echo hello')
  const closed = once(client, 'close')
  clock.pass(1)
  const [code, reason] = await closed
  t.strictSame([code, String(reason)], [1008, 'The access token expired'])
  const late = new WebSocket(`ws://127.0.0.1:${port}/`, { headers })
  t.match(await once(late, 'error'), [{ message: 'Unexpected server response: 401' }])
  t.equal(admitted.length, 1)
})

t.test('a peer that does not answer the close frame is terminated', async (t) => {
  const { port, clock, admitted } = await build(t)
  clock.stop(t)
  const peer = new Peer(port, upgradeLines('/', minute))
  await peer.until('\r\n\r\n')
  t.match(peer.text, /^HTTP\/1\.1 101 /)
  clock.pass(66_000)
  t.equal(closeCode(await peer.ended()), 1008)
  t.equal(admitted[0]?.socket.readyState, 3, 'closed')
})

t.test('a raw socket can be closed too', async (t) => {
  const { server, port, clock, core } = await build(t)
  server.removeAllListeners('upgrade')
  const guard = core.guard()
  server.on('upgrade', async (request, socket) => {
    const token = await guard(request.headersDistinct['authorization'], request)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: own\r\nConnection: Upgrade\r\n\r\n')
    core.closeOnExpiry(token, socket)
  })
  clock.stop(t)
  const peer = new Peer(port, upgradeLines('/', minute))
  await peer.until('\r\n\r\n')
  clock.pass(65_000)
  t.match(await peer.ended(), /^HTTP\/1\.1 101 .*\r\n\r\n$/s)
})
