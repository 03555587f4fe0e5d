/**
 * A local user pool and a token proxy in front of it: asks a few times, prints what that cost, and
 * what is served while the pool is gone. With a URL in `REDIS_URL` tokens are kept in Redis.
 */
import { randomBytes } from 'node:crypto'
import { redisStore } from 'cognito-m2m/proxy'
import { Redis } from 'ioredis'
import { startOrdersPool } from '../orders/pool.js'
import { createTokenProxy } from './app.js'
import { apiKey } from './authorize.js'

const pool = await startOrdersPool()
const key = randomBytes(24).toString('base64url')
const wafSecret = randomBytes(24).toString('base64url')
let issued = 0

const { REDIS_URL } = process.env
const redis = REDIS_URL === undefined ? undefined : new Redis(REDIS_URL)
redis?.on('error', () => {})

const app = await createTokenProxy({
  tokenEndpoint: pool.tokenEndpoint,
  clients: pool.clients.map(({ clientId }) => clientId),
  authorize: apiKey([key]),
  // Read anew for each request to Cognito: rotate it where it is kept, and it is used at once.
  headers: { 'x-wafAuthAllowRule': () => wafSecret },
  fetch: async (...asked) => {
    issued += 1
    return fetch(...asked)
  },
  ...(redis === undefined
    ? {}
    : {
        store: redisStore({ redis }),
        // From a secret store, the same for all processes; made up here.
        encryptionKeys: [{ id: 'example', key: randomBytes(32) }],
      }),
})
const origin = await app.listen({ host: '127.0.0.1', port: 0 })

async function ask(headers: Record<string, string> = { 'x-api-key': key }): Promise<string> {
  const [{ clientId, clientSecrets }] = pool.clients as [(typeof pool.clients)[0]]
  const response = await fetch(`${origin}/oauth2/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecrets[0] as string,
    }),
  })
  const { error, token_type: type } = (await response.json()) as Record<string, string>
  return `${response.status} ${error ?? type}`
}

const lines: string[] = []
try {
  lines.push(`without the key: ${await ask({})}`)
  const answers = await Promise.all(Array.from({ length: 100 }, () => ask()))
  lines.push(`100 callers: ${[...new Set(answers)].join()}, issued by the pool: ${issued}`)
  await pool.close()
  lines.push(`the pool is gone: ${await ask()}`)
} finally {
  await app.close()
  await pool.close()
  redis?.disconnect()
}
process.stdout.write(`${lines.join('\n')}\n`)
