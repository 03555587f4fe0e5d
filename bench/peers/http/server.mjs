/** One server under load, in a process of its own. */
import { secondsWaited } from '../../waited.mjs'
import { answering } from '../machine.mjs'

async function openFastify(name, told) {
  const { default: Fastify } = await import('fastify')
  const { fastifyPeers } = await import('./fastify-peers.mjs')
  const app = Fastify()
  await fastifyPeers[name].open(app, told)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server.address().port
}

async function openExpress(name, told) {
  const { default: express } = await import('express')
  const { expressPeers } = await import('./express-peers.mjs')
  const app = express()
  await expressPeers[name].open(app, told)
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return server.address().port
}

async function openHono(name, told) {
  const { Hono } = await import('hono')
  const { serve } = await import('@hono/node-server')
  const { honoPeers } = await import('./hono-peers.mjs')
  const app = new Hono()
  await honoPeers[name].open(app, told)
  const listening = { fetch: app.fetch, port: 0, hostname: '127.0.0.1' }
  return new Promise((resolve) => serve(listening, ({ port }) => resolve(port)))
}

const FRAMEWORKS = { express: openExpress, fastify: openFastify, hono: openHono }

/** CPU microseconds of all threads so far: the parent takes differences. */
function spent() {
  const { user, system } = process.cpuUsage()
  return { cpu: user + system, waited: secondsWaited() }
}

answering(async ({ framework, open, told }) => {
  if (open === undefined) return spent()
  return { port: await FRAMEWORKS[framework](open, told) }
})
