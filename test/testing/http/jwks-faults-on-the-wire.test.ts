/** What each named fault of the key set endpoint, and a function as one, sends over the wire. */
import { EventEmitter, once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { type JwksFault, type JwksHandler, startUserPool } from '../../../src/testing/index.ts'
import { ask, failure } from '../../support/http.ts'

/** What `huge` and `bomb` hold before the key set: blanks, which JSON allows. */
const PADDING = 800 * 64 * 1024

async function start(t: Test, fault: JwksFault | JwksHandler) {
  const pool = await startUserPool()
  t.teardown(() => pool.close())
  await pool.setJwksFault(fault)
  const { pathname: path } = new URL(pool.jwksUri)
  return { pool, path, keySet: () => ask(pool.port, { path }) }
}

/** Sends a request and hands over the socket, to watch the answer byte for byte. */
async function open(t: Test, port: number, path: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
  return socket
}

t.test('reset ends the connection with a reset, without a byte', async (t) => {
  const { pool, path, keySet } = await start(t, 'reset')
  t.equal(await failure(keySet()), 'ECONNRESET')
  const socket = await open(t, pool.port, path)
  const [error] = await once(socket, 'error')
  t.match([error, socket.bytesRead], [{ code: 'ECONNRESET' }, 0])
  await pool.setJwksFault(null)
  t.equal((await keySet()).status, 200, 'and the pool goes on')
})

t.test('drip sends headers at once, then a blank at a time, until the client leaves', async (t) => {
  const { pool, path } = await start(t, 'drip')
  const socket = await open(t, pool.port, path)
  let text = ''
  for (let drops = 0; drops < 3; drops = text.split('1\r\n \r\n').length - 1) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    text += chunk.toString()
  }
  t.match(text, /^HTTP\/1\.1 200 OK\r\ncontent-type: application\/json\r\n/)
  t.match(text, /\r\n\r\n(1\r\n \r\n){3}$/, 'blanks alone, one per chunk')
  await pool.setJwksFault(null)
  await once(socket, 'close')
  t.notMatch(text, /keys/, 'healing ends it: it never was a key set')
})

for (const [fault, status, retryAfter] of [
  ['500', 500, undefined],
  ['503', 503, '5'],
  ['429', 429, undefined],
] as const) {
  t.test(`${fault} answers that status${retryAfter ? ' and when to retry' : ''}`, async (t) => {
    const { keySet } = await start(t, fault)
    const answer = await keySet()
    t.match(answer, { status, text: 'The key set endpoint is failing' })
    t.equal(answer.headers['retry-after'], retryAfter)
  })
}

t.test('redirect answers 302 to the root of the pool', async (t) => {
  const { keySet } = await start(t, 'redirect')
  t.match(await keySet(), { status: 302, headers: { location: '/' } })
})

t.test('truncated promises the whole key set and breaks off half-way', async (t) => {
  const { pool, path, keySet } = await start(t, 'truncated')
  t.equal(await failure(keySet()), 'ECONNRESET')
  const socket = await open(t, pool.port, path)
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  await once(socket, 'close')
  const whole = JSON.stringify(pool.jwks())
  const [head, body] = text.split('\r\n\r\n') as [string, string]
  t.match(head, new RegExp(`^HTTP/1.1 200 OK\\r\\n[^]*content-length: ${whole.length}\\b`))
  t.equal(body, whole.slice(0, whole.length / 2))
})

t.test('empty answers a set without keys', async (t) => {
  const { keySet } = await start(t, 'empty')
  const { status, json } = await keySet()
  t.strictSame({ status, json }, { status: 200, json: { keys: [] } })
})

t.test("weak answers the pool's keys with exponent 1", async (t) => {
  const { pool, keySet } = await start(t, 'weak')
  const keys = pool.jwks().keys.map((key) => ({ ...key, e: 'AQ' }))
  const { status, json } = await keySet()
  t.strictSame({ status, json }, { status: 200, json: { keys } })
})

t.test('huge answers the key set itself behind 50 MB of blanks', async (t) => {
  const { pool, keySet } = await start(t, 'huge')
  const { status, text, headers } = await keySet()
  t.match([status, headers['content-encoding']], [200, undefined])
  t.equal(text.slice(0, PADDING).trim(), '')
  t.equal(text.slice(PADDING), JSON.stringify(pool.jwks()))
})

t.test('bomb is the same in 50 KB of gzip', async (t) => {
  const { pool, path } = await start(t, 'bomb')
  const asked = get({ host: '127.0.0.1', port: pool.port, path, agent: false })
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  t.match([response.statusCode, response.headers['content-encoding']], [200, 'gzip'])
  const sent = await buffer(response)
  t.ok(sent.length < 100_000, `${sent.length} bytes`)
  const text = gunzipSync(sent).toString()
  t.equal(text.slice(0, PADDING).trim(), '')
  t.equal(text.slice(PADDING), JSON.stringify(pool.jwks()))
})

for (const fault of ['huge', 'bomb'] as const) {
  t.test(`${fault}: a client that leaves in the middle is no matter`, async (t) => {
    const { pool, path, keySet } = await start(t, fault)
    const socket = await open(t, pool.port, path)
    await once(socket, 'data')
    socket.destroy()
    await once(socket, 'close')
    await pool.setJwksFault(null)
    t.strictSame((await keySet()).json, pool.jwks())
  })
}

t.test('a function answers in place of the key set, and of nothing else', async (t) => {
  const asked: (string | undefined)[] = []
  const teapot: JwksHandler = (request, response) => {
    asked.push(request.url)
    response.writeHead(418, { 'x-fault': 'mine' }).end('short and stout')
  }
  const { pool, path, keySet } = await start(t, teapot)
  t.match(await keySet(), { status: 418, headers: { 'x-fault': 'mine' }, text: 'short and stout' })
  const discovery = path.replace('jwks.json', 'openid-configuration')
  t.equal((await ask(pool.port, { path: discovery })).status, 200)
  t.strictSame([asked, pool.jwksRequests], [[path], 1])
  await pool.setJwksFault(null)
  t.strictSame((await keySet()).json, pool.jwks())
})

t.test('what a function left without an answer, healing ends', async (t) => {
  const asked = new EventEmitter()
  const { pool, keySet } = await start(t, () => asked.emit('asked'))
  const hanging = failure(keySet())
  await once(asked, 'asked')
  await pool.setJwksFault(null)
  t.equal(await hanging, 'ECONNRESET')
  t.equal((await keySet()).status, 200)
})
