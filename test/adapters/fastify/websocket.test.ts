/** Upgrades: refused ones are answered and their socket is closed, in either order of plugins. */
import { once } from 'node:events'
import { createRequire } from 'node:module'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { counter, newApp, pool, right, SCOPE, withAuth, wrongScope } from '../../support/fastify.ts'
import { exchange, listen, upgrade } from '../../support/sockets.ts'

/** The part of `ws` that is used here; the package brings no types. */
interface Client extends NodeJS.EventEmitter {
  send(text: string): void
  close(): void
  terminate(): void
}
type ClientClass = new (url: string, options: { headers: Record<string, string> }) => Client
const WebSocket: ClientClass = createRequire(import.meta.url)('ws')

const protect = (app: FastifyInstance) => app.register(cognitoAuth, pool.options())
const orders: Record<string, (app: FastifyInstance) => Promise<unknown>> = {
  'websocket first': async (app) => {
    await app.register(websocket)
    await protect(app)
  },
  'cognitoAuth first': async (app) => {
    await protect(app)
    await app.register(websocket)
  },
  'websocket first, protection unawaited': async (app) => {
    await app.register(websocket)
    protect(app)
  },
}

/** An echo for the right scope, an open one, and an ordinary route. */
async function build(t: Tap, order: keyof typeof orders) {
  const { calls, handler } = counter()
  const app = newApp(t)
  await orders[order]?.(app)
  const echo = (socket: Client, { auth }: { auth: { clientId: string } | null }) => {
    calls.push(auth?.clientId ?? 'nobody')
    socket.on('message', (data: Buffer) => socket.send(`echo ${data}`))
  }
  app.get('/ws', { websocket: true, config: { auth: { scopes: SCOPE } } }, echo)
  app.get('/open', { websocket: true, config: { auth: false } }, echo)
  app.get('/plain', handler('plain'))
  return { app, calls, port: await listen(app) }
}
type Tap = Parameters<typeof newApp>[0]

/** What the echo says to `hello`. */
async function talk(url: string, authorization?: string): Promise<string> {
  const client = new WebSocket(url, { headers: withAuth(authorization) })
  await once(client, 'open')
  client.send('hello')
  const [data] = await once(client, 'message')
  client.close()
  await once(client, 'close')
  return String(data)
}

for (const order of Object.keys(orders)) {
  t.test(order, async (t) => {
    await t.test('a rejected upgrade is answered, then the server closes', async (t) => {
      const { app, calls, port } = await build(t, order)
      const missing = await upgrade(app, port, '/ws')
      t.equal(missing.status, 401)
      t.match(missing.head, /\r\nwww-authenticate: bearer realm="api"\r\n/)
      t.match(missing.head, /\r\ncache-control: no-store\r\n/)
      t.match(missing.head, /\r\nconnection: close(\r\n|$)/)
      t.match(JSON.parse(missing.body), { code: 'ERR_TOKEN_MISSING' })
      const scope = await upgrade(app, port, '/ws', [`Authorization: ${wrongScope}`])
      t.equal(scope.status, 403)
      t.match(scope.head, /error="insufficient_scope", .*scope="orders\/read"/)
      const twice = [`Authorization: ${right}`, `Authorization: ${right}`]
      t.equal((await upgrade(app, port, '/ws', twice)).status, 400)
      t.strictSame(calls, [])
    })

    await t.test('upgrades without a WebSocket route or any route are rejected too', async (t) => {
      const { app, calls, port } = await build(t, order)
      t.equal((await upgrade(app, port, '/plain')).status, 401)
      t.equal((await upgrade(app, port, '/nowhere')).status, 401)
      t.equal((await upgrade(app, port, '/plain', [], 'h2c')).status, 401)
      t.strictSame(calls, [])
    })

    await t.test('the right token gets its socket', async (t) => {
      const { calls, port } = await build(t, order)
      t.equal(await talk(`ws://127.0.0.1:${port}/ws`, right), 'echo hello')
      t.equal(await talk(`ws://127.0.0.1:${port}/open`), 'echo hello')
      t.strictSame(calls, ['billing', 'nobody'])
    })

    await t.test('a real client receives the status', async (t) => {
      const { calls, port } = await build(t, order)
      const client = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers: {} })
      const [error] = await once(client, 'error')
      t.match(error, { message: 'Unexpected server response: 401' })
      t.strictSame(calls, [])
    })

    await t.test('injectWS is guarded too', async (t) => {
      const { app, calls } = await build(t, order)
      await t.rejects(app.injectWS('/ws'), { message: 'Unexpected server response: 401' })
      const headers = withAuth(wrongScope)
      await t.rejects(app.injectWS('/ws', { headers }), {
        message: 'Unexpected server response: 403',
      })
      t.strictSame(calls, [])
      const client: Client = await app.injectWS('/ws', { headers: withAuth(right) })
      client.send('hello')
      const [data] = await once(client, 'message')
      t.equal(String(data), 'echo hello')
      client.terminate()
    })

    await t.test('without an upgrade it is a route like any other', async (t) => {
      const { app, calls } = await build(t, order)
      t.equal((await app.inject('/ws')).statusCode, 401)
      t.equal((await app.inject({ method: 'HEAD', url: '/ws' })).statusCode, 401)
      t.equal((await app.inject({ url: '/ws', headers: withAuth(right) })).statusCode, 404)
      t.strictSame(calls, [])
    })
  })
}

t.test('an Upgrade header without the WebSocket plugin is an ordinary request', async (t) => {
  const { calls, handler } = counter()
  const app = newApp(t)
  protect(app)
  app.get('/plain', handler('plain'))
  const port = await listen(app)
  const lines = ['GET /plain HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: h2c']
  t.match(await exchange(port, lines), /^HTTP\/1\.1 401 Unauthorized\r\n.*"ERR_TOKEN_MISSING"/s)
  t.strictSame(calls, [])
  const allowed = [...lines.slice(0, 2), 'Connection: close', `Authorization: ${right}`]
  t.match(await exchange(port, [...allowed, 'Upgrade: h2c']), /^HTTP\/1\.1 200 OK\r\n/)
  t.strictSame(calls, ['plain'])
})

t.test('a slow decision rejects and closes all the same', async (t) => {
  const { calls, handler } = counter()
  const app = newApp(t)
  let refuse: (answer: boolean) => void = () => {}
  const asked = new Promise<void>((resolve) => {
    const check = () => {
      resolve()
      return new Promise<boolean>((answer) => {
        refuse = answer
      })
    }
    app.register(cognitoAuth, { ...pool.options(), check })
  })
  await app.register(websocket)
  app.get('/ws', { websocket: true }, handler('ws'))
  const port = await listen(app)
  const answer = upgrade(app, port, '/ws', [`Authorization: ${right}`])
  await asked
  refuse(false)
  t.equal((await answer).status, 403)
  t.strictSame(calls, [])
})

t.test('one that ends in 500 is closed too', async (t) => {
  for (const order of ['websocket first', 'cognitoAuth first']) {
    const { calls, handler } = counter()
    const app = newApp(t)
    app.get('/ws', { config: { auth: true } } as object, handler('ws'))
    await orders[order]?.(app)
    const port = await listen(app)
    const { status, head } = await upgrade(app, port, '/ws', [`Authorization: ${right}`])
    t.equal(status, 500, order)
    t.match(head, /\r\nconnection: close(\r\n|$)/, order)
    t.strictSame(calls, [])
  }
})
