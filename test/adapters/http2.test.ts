/** Frameworks over HTTP/2, where Node.js has other request objects. */
import { once } from 'node:events'
import { connect, createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import Koa from 'koa'
import t from 'tap'
import { cognitoAuth as honoAuth } from '../../src/adapters/hono/index.ts'
import { cognitoAuth as koaAuth } from '../../src/adapters/koa/index.ts'
import { forged, pool, right, withAuth } from '../support/fastify.ts'

const LISTENERS = {
  Hono: () => {
    const app = new Hono().use(honoAuth(pool.options())()).get('/', (c) => c.text('in'))
    return getRequestListener(app.fetch)
  },
  Koa: () => {
    const app = new Koa().use(koaAuth(pool.options())()).use((ctx) => {
      ctx.body = 'in'
    })
    return app.callback()
  },
}

for (const [name, createListener] of Object.entries(LISTENERS)) {
  t.test(`${name}: a token is read, and a rejection keeps its headers`, async (t) => {
    const server = createServer(createListener() as never).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    t.teardown(() => {
      client.close()
      server.close()
    })
    const ask = async (authorization?: string) => {
      const stream = client.request({ ':path': '/', ...withAuth(authorization) })
      const [headers] = await once(stream, 'response')
      stream.resume()
      await once(stream, 'close')
      return [headers[':status'], headers['www-authenticate'], headers['cache-control']]
    }
    t.strictSame(await ask(right), [200, undefined, undefined])
    t.strictSame(await ask(), [401, 'Bearer realm="api"', 'no-store'])
    t.match(await ask(forged), [401, /invalid_token/, 'no-store'])
  })
}
