/** A token proxy and a bare route that parses the same form, in one process, on a port each. */
import { createRequire } from 'node:module'
import Fastify from 'fastify'
import { tokenProxy } from '../dist/tokens/proxy/index.js'
import { token } from './proxy-load.mjs'
import { secondsWaited } from './waited.mjs'

/** What @fastify/formbody parses with; Fastify itself brings it. */
const { parse } = createRequire(createRequire(import.meta.url).resolve('fastify'))(
  'fast-querystring',
)

const answer = { access_token: token, token_type: 'Bearer', expires_in: 3600 }

function bare() {
  const app = Fastify()
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, parse(body)),
  )
  app.post('/oauth2/token', async (request, reply) => {
    if (request.body.grant_type !== 'client_credentials') return reply.code(400).send()
    reply.header('cache-control', 'no-store').header('pragma', 'no-cache')
    return answer
  })
  return app
}

async function proxy() {
  const app = Fastify()
  await app.register(tokenProxy, {
    tokenEndpoint: 'https://example.auth.eu-west-1.amazoncognito.com/oauth2/token',
    // All clients ask at once, before the first slice.
    upstream: { perSecond: 10_000 },
    fetch: async () => Response.json(answer),
  })
  return app
}

const apps = [bare(), await proxy()]
for (const app of apps) await app.listen({ port: 0, host: '127.0.0.1' })
const ports = apps.map((app) => app.server.address().port)

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send({ ports, cpu: user + system, waited: secondsWaited() })
})
process.on('disconnect', () => process.exit())
