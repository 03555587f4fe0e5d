/** The server under load, in a process of its own: one route, one scope, keys that were given. */

import { cognitoAuth as expressAuth, getAuth } from '../dist/adapters/express/index.js'
import { cognitoAuth as fastifyAuth } from '../dist/adapters/fastify/index.js'
import { secondsWaited } from './waited.mjs'

const scopes = 'orders/read'
/** What the framework answers by itself, without a token being looked at. */
const PLAIN = { error: 'Unauthorized' }

async function openFastify(options) {
  const { default: Fastify } = await import('fastify')
  const app = Fastify()
  await app.register(fastifyAuth, options)
  app.get('/orders', { config: { auth: { scopes } } }, async (request) => ({
    caller: request.auth.clientId,
  }))
  app.get('/plain', { config: { auth: false } }, async (_request, reply) => {
    return reply.code(401).send(PLAIN)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server.address().port
}

async function openExpress(options) {
  const { default: express } = await import('express')
  const app = express()
  const auth = expressAuth(options)
  app.get('/orders', auth({ scopes }), (request, response) => {
    response.json({ caller: getAuth(request).clientId })
  })
  app.get('/plain', (_request, response) => {
    response.status(401).json(PLAIN)
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return server.address().port
}

/** CPU seconds so far: the orchestrator takes the difference over a run. */
function cpuSeconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

process.on('message', async (message) => {
  if (message.open !== undefined) {
    const open = message.open === 'express' ? openExpress : openFastify
    process.send({ port: await open(message.options) })
  } else {
    process.send({ cpu: cpuSeconds(), waited: secondsWaited() })
  }
})
process.on('disconnect', () => process.exit())
