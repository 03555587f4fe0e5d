/** Event streams and websockets over Fastify: refused before they open, ended with their token. */
import { once } from 'node:events'
import { get, type IncomingMessage, type ServerResponse } from 'node:http'
import websocket from '@fastify/websocket'
import t, { type Test } from 'tap'
import type { VerifiedToken } from '../../../src/index.ts'
import { pool, protectedApp, SCOPE, withAuth, wrongScope } from '../../support/fastify.ts'
import { exchange, listen } from '../../support/sockets.ts'
import {
  type Client,
  Clock,
  closeCode,
  lines,
  Peer,
  upgradeLines,
  WebSocket,
} from '../../support/streams.ts'

const bearer = (expiresIn: number) => `Bearer ${pool.accessToken({ scopes: SCOPE, expiresIn })}`
const minute = bearer(60)

/** A stream of events, and a websocket that echoes; what was opened is kept. */
async function build(t: Test) {
  const clock = new Clock()
  const app = await protectedApp(t, { now: clock.now })
  await app.register(websocket)
  const responses: ServerResponse[] = []
  const sockets: Client[] = []
  const said: string[] = []
  const config = { auth: { scopes: SCOPE } }
  app.get('/events', { config }, (request, reply) => {
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, { 'content-type': 'text/event-stream' })
    raw.write('data: first\n\n')
    responses.push(raw)
    app.cognito.closeOnExpiry(request.auth, raw)
  })
  app.get('/late', { config }, (request, reply) => {
    reply.hijack()
    clock.wall += 3_600_000
    responses.push(reply.raw)
    app.cognito.closeOnExpiry(request.auth, reply.raw)
  })
  app.get('/plain', { config }, async (request, reply) => {
    app.cognito.closeOnExpiry(request.auth, reply.raw)
    return 'plain'
  })
  const echo = (socket: Client, { auth }: { auth: VerifiedToken }) => {
    sockets.push(socket)
    app.cognito.closeOnExpiry(auth, socket)
    socket.on('message', (data: Buffer) => {
      said.push(String(data))
      socket.send(`echo ${data}`)
    })
  }
  app.get('/ws', { websocket: true, config }, echo as never)
  const port = await listen(app)
  return { app, clock, port, responses, sockets, said }
}

t.test('a stream is rejected before a byte of it is sent', async (t) => {
  const { port, responses } = await build(t)
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

t.test('a stream ends at token expiry, and later writes are ignored', async (t) => {
  const { clock, port, responses } = await build(t)
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
  const text = await peer.ended()
  t.match(text, /^HTTP\/1\.1 200 OK\r\n/)
  t.notMatch(text, /late|end\n|\r\n0\r\n/, 'cut, not completed')
  const again = await exchange(port, lines('/plain', minute, 'Connection: close'))
  t.match(again, /^HTTP\/1\.1 401 .*"ERR_TOKEN_EXPIRED"/s, 'the server is alive, the token is not')
})

t.test('a client of Node sees it break off', async (t) => {
  const { clock, port } = await build(t)
  clock.stop(t)
  const url = `http://127.0.0.1:${port}/events`
  const [response] = (await once(get(url, { headers: withAuth(minute) }), 'response')) as [
    IncomingMessage,
  ]
  t.equal(String((await once(response, 'data'))[0]), 'data: first\n\n')
  const broken = once(response, 'error')
  clock.pass(65_000)
  t.match(await broken, [{ code: 'ECONNRESET', message: 'aborted' }])
  t.equal(response.complete, false)
})

t.test('a token that expires between guard and handler opens nothing', async (t) => {
  const { port, responses } = await build(t)
  const peer = new Peer(port, lines('/late', minute))
  t.equal(await peer.ended(), '')
  t.equal(responses[0]?.destroyed, true)
})

t.test('a closed or finished response releases its timer', async (t) => {
  const { clock, port, responses } = await build(t)
  clock.stop(t)
  const peer = new Peer(port, lines('/events', minute))
  await peer.until('data: first')
  const [response] = responses as [ServerResponse]
  peer.socket.destroy()
  await once(response, 'close')
  let destroyed = 0
  response.destroy = () => {
    destroyed += 1
    return response
  }
  const kept = new Peer(port, lines('/plain', minute))
  await kept.until('plain')
  clock.pass(3_600_000)
  kept.send(...lines('/plain', bearer(7200), 'Connection: close'))
  t.equal((await kept.ended()).match(/HTTP\/1\.1 200 OK/g)?.length, 2, 'its connection goes on')
  t.equal(destroyed, 0)
})

t.test('a WebSocket is closed with 1008 when its token expires', async (t) => {
  const { clock, port, sockets, said } = await build(t)
  const url = `ws://127.0.0.1:${port}/ws`
  const client = new WebSocket(url, { headers: withAuth(minute) })
  await once(client, 'open')
  client.send('hello')
  t.equal(String((await once(client, 'message'))[0]), 'echo hello')
  t.strictSame([sockets.length, said], [1, ['hello']])
  client.terminate()
  await once(client, 'close')
  clock.stop(t)
  const other = new WebSocket(url, { headers: withAuth(minute) })
  await once(other, 'open')
  clock.pass(64_999)
  other.send('still here')
  t.equal(String((await once(other, 'message'))[0]), 'echo still here')
  const closed = once(other, 'close')
  clock.pass(1)
  const [code, reason] = await closed
  t.strictSame([code, String(reason)], [1008, 'The access token expired'])
  sockets[1]?.send('late')
  const late = new WebSocket(url, { headers: withAuth(minute) })
  t.match(await once(late, 'error'), [{ message: 'Unexpected server response: 401' }])
})

t.test('a peer that never answers the close frame is cut a second later', async (t) => {
  const { clock, port, sockets } = await build(t)
  clock.stop(t)
  const peer = new Peer(port, upgradeLines('/ws', minute))
  await peer.until('\r\n\r\n')
  t.match(peer.text, /^HTTP\/1\.1 101 /)
  const closed = once(sockets[0] as Client, 'close')
  clock.pass(65_000)
  await peer.until('expired')
  t.equal(closeCode(peer.text), 1008)
  clock.pass(999)
  t.equal(sockets[0]?.readyState, 2, 'closing')
  clock.pass(1)
  t.match(await closed, [1006])
  t.equal(closeCode(await peer.ended()), 1008)
})
