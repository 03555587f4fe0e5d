/** A proxy over Redis, and beside it a route that makes one bare round trip to the same Redis. */
import { randomBytes } from 'node:crypto'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { redisStore, tokenProxy } from '../dist/tokens/proxy/index.js'

/** About as long as one of Cognito's. */
const TOKEN = `eyJ.${randomBytes(600).toString('base64url')}.sig`

const redis = new Redis(process.env.REDIS_URL)
// Redis may be gone before this process is.
redis.on('error', () => {})
await redis.set('bench', randomBytes(1100))

const app = Fastify()
await app.register(tokenProxy, {
  tokenEndpoint: 'https://cognito.example/oauth2/token',
  fetch: async () => Response.json({ access_token: TOKEN, expires_in: 3600, token_type: 'Bearer' }),
  store: redisStore({ redis }),
  encryptionKeys: [{ id: 'bench', key: randomBytes(32) }],
})
app.get('/bare', async () => ({ length: (await redis.getBuffer('bench')).length }))
await app.listen({ port: 0, host: '127.0.0.1' })
process.send({ port: app.server.address().port })
process.on('disconnect', () => process.exit())
