/** One API under soak, in a process of its own: one route, one scope, keys over HTTP. */
import { cognitoAuth as expressAuth, getAuth } from '../dist/adapters/express/index.js'
import { cognitoAuth as fastifyAuth } from '../dist/adapters/fastify/index.js'

const scopes = 'orders/read'
/** Longer than the soak is idle: a connection closed under a request would look like a fault. */
const KEEP_ALIVE = 600_000

async function openFastify(options) {
  const { default: Fastify } = await import('fastify')
  const app = Fastify({ keepAliveTimeout: KEEP_ALIVE })
  await app.register(fastifyAuth, options)
  app.get('/orders', { config: { auth: { scopes } } }, async (request) => ({
    caller: request.auth.clientId,
  }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server.address().port
}

async function openExpress(options) {
  const { default: express } = await import('express')
  const app = express()
  app.get('/orders', expressAuth(options)({ scopes }), (request, response) => {
    response.json({ caller: getAuth(request).clientId })
  })
  const server = app.listen(0, '127.0.0.1')
  server.keepAliveTimeout = KEEP_ALIVE
  await new Promise((resolve) => server.once('listening', resolve))
  return server.address().port
}

process.on('message', async ({ framework, options }) => {
  const open = framework === 'express' ? openExpress : openFastify
  process.send({ port: await open(options) })
})
process.on('disconnect', () => process.exit())
