/** Event streams and upgrades with Express: rejected before they open, closed at token expiry. */
import { once } from 'node:events'
import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { getAuth } from '../../../src/adapters/express/index.ts'
import { authFor, versions } from '../../support/express.ts'
import { pool, SCOPE, withAuth, wrongScope } from '../../support/fastify.ts'
import { exchange, upgrade } from '../../support/sockets.ts'
import { Clock, closeCode, lines, Peer, upgradeLines, WebSocket } from '../../support/streams.ts'
import { guardUpgrades } from '../../support/upgrade-servers.ts'

const bearer = (expiresIn: number) => `Bearer ${pool.accessToken({ scopes: SCOPE, expiresIn })}`
const minute = bearer(60)

/** A server with an event stream and WebSockets. Open responses are collected. */
async function build(t: Test, express: (typeof versions)[string]) {
  const clock = new Clock()
  const auth = authFor({ now: clock.now })
  const app = express()
  const responses: ServerResponse[] = []
  app.get('/events', auth({ scopes: SCOPE }), (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write('data: first\n\n')
    responses.push(res)
    auth.server.closeOnExpiry(getAuth(req), res)
  })
  app.get('/late', auth({ scopes: SCOPE }), (req, res) => {
    clock.wall += 3_600_000
    responses.push(res)
    auth.server.closeOnExpiry(getAuth(req), res)
  })
  app.get('/plain', auth(), (req, res) => {
    auth.server.closeOnExpiry(getAuth(req), res)
    res.send('plain')
  })
  const server: Server = app.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  const admitted = guardUpgrades(server, auth.server.guard({ scopes: SCOPE }), auth.server)
  await once(server, 'listening')
  return { server, clock, responses, admitted, port: (server.address() as AddressInfo).port }
}

for (const [version, express] of Object.entries(versions)) {
  t.test(`${version}: a stream is rejected before a byte of it is sent`, async (t) => {
    const { port, responses } = await build(t, express)
    const accept = ['Accept: text/event-stream', 'Connection: close']
    const given: [string | undefined, string, string][] = [
      [undefined, '401 Unauthorized', 'ERR_TOKEN_MISSING'],
      [bearer(-60), '401 Unauthorized', 'ERR_TOKEN_EXPIRED'],
      [wrongScope, '403 Forbidden', 'ERR_SCOPE_INSUFFICIENT'],
    ]
    for (const [authorization, status, code] of given) {
      const answer = await exchange(port, lines('/events', authorization, ...accept))
      const [head = '', body = ''] = answer.split('\r\n\r\n')
      t.ok(head.startsWith(`HTTP/1.1 ${status}\r\n`), head)
      t.match(head, /\r\ncontent-type: application\/json; charset=utf-8\r\n/)
      t.match(JSON.parse(body), { code })
      t.notMatch(answer, /event-stream|data:/)
    }
    t.strictSame(responses, [])
  })

  t.test(
    `${version}: it ends with its token, and writing on has no effect on others`,
    async (t) => {
      const { clock, port, responses } = await build(t, express)
      clock.stop(t)
      const peer = new Peer(port, lines('/events', minute))
      await peer.until('data: first')
      clock.pass(64_999)
      responses[0]?.write('data: last\n\n')
      await peer.until('data: last')
      clock.pass(1)
      t.equal(responses[0]?.destroyed, true)
      t.equal(responses[0]?.write('data: late\n\n'), false)
      responses[0]?.end('data: end\n\n')
      t.notMatch(await peer.ended(), /late|end\n|\r\n0\r\n/, 'cut, not completed')
      const again = await exchange(port, lines('/plain', minute, 'Connection: close'))
      t.match(again, /^HTTP\/1\.1 401 .*"ERR_TOKEN_EXPIRED"/s, 'the server is alive')
    },
  )

  t.test(`${version}: a token that expires before the handler opens nothing`, async (t) => {
    const { port, responses } = await build(t, express)
    t.equal(await new Peer(port, lines('/late', minute)).ended(), '')
    t.equal(responses[0]?.destroyed, true)
  })

  t.test(`${version}: an answer that ended leaves its connection alone`, async (t) => {
    const { clock, port } = await build(t, express)
    clock.stop(t)
    const kept = new Peer(port, lines('/plain', minute))
    await kept.until('plain')
    clock.pass(3_600_000)
    kept.send(...lines('/plain', bearer(7200), 'Connection: close'))
    t.equal((await kept.ended()).match(/HTTP\/1\.1 200 OK/g)?.length, 2)
  })

  t.test(`${version}: upgrades beside it are rejected and closed`, async (t) => {
    const { server, port, admitted } = await build(t, express)
    const missing = await upgrade({ server }, port, '/plain')
    t.equal(missing.status, 401)
    t.match(JSON.parse(missing.body), { code: 'ERR_TOKEN_MISSING' })
    const scope = await upgrade({ server }, port, '/', [`Authorization: ${wrongScope}`])
    t.match(scope.head, /error="insufficient_scope", .*scope="orders\/read"/)
    const twice = [`Authorization: ${minute}`, `Authorization: ${minute}`]
    t.equal((await upgrade({ server }, port, '/', twice)).status, 400)
    t.strictSame(admitted, [])
  })

  t.test(`${version}: a valid token opens the socket until it expires`, async (t) => {
    const { clock, port } = await build(t, express)
    clock.stop(t)
    const client = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: withAuth(minute) })
    await once(client, 'open')
    client.send('hello')
    t.equal(String((await once(client, 'message'))[0]), 'echo hello')
    const mute = new Peer(port, upgradeLines('/', minute))
    await mute.until('\r\n\r\n')
    const closed = once(client, 'close')
    clock.pass(65_000)
    t.match(await closed, [1008])
    clock.pass(1000)
    t.equal(closeCode(await mute.ended()), 1008)
  })
}
