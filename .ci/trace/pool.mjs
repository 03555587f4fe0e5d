/** The local user pool, in a thread of its own: coverage counts none of its files. */
import { parentPort } from 'node:worker_threads'
import { startUserPool } from '../../src/testing/index.ts'

const COUNT = 16

const scopes = ['orders/read']
const clients = Array.from({ length: COUNT }, (_, index) => ({
  clientId: `client${index}`,
  scopes,
}))
const pool = await startUserPool({ clients })
const { tokenEndpoint } = pool
const { userPoolId, clientId, issuer } = pool.options()
parentPort.postMessage({
  options: { userPoolId, clientId, issuer },
  tokenEndpoint,
  forms: pool.clients.map((client) =>
    new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client.clientId,
      client_secret: client.clientSecrets[0],
    }).toString(),
  ),
})
parentPort.once('message', () => pool.close())
