/** A local user pool, an MCP server behind it, and two MCP clients: one may read, one may write. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { startUserPool } from 'cognito-m2m/testing'
import { call, connect } from './client.js'
import { createOrdersServer, defineToolScopes } from './server.js'

const server = createServer().listen(0, '127.0.0.1')
await once(server, 'listening')
const resource = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
const tools = defineToolScopes(resource)
const pool = await startUserPool({
  resourceServers: [tools],
  clients: [
    { clientId: 'reader', scopes: [tools['tools.read']] },
    { clientId: 'writer', scopes: [tools['tools.read'], tools['tools.write']] },
    { clientId: 'stranger', scopes: [] },
  ],
})
server.on('request', createOrdersServer(resource, pool.options()))

const lines: string[] = []
try {
  const { status } = await fetch(resource, { method: 'POST' })
  lines.push(`without a token: ${status}`)
  for (const { clientId, clientSecrets } of pool.clients) {
    const clientSecret = clientSecrets[0] as string
    const credentials = { clientId, clientSecret, expectedIssuer: pool.issuer }
    const client = await connect(resource, credentials).catch((error: { code?: number }) => error)
    if (!(client instanceof Client)) {
      lines.push(`${clientId}: ${client.code}`)
      continue
    }
    for (const name of ['list-orders', 'create-order']) lines.push(await call(client, name))
    await client.close()
  }
} finally {
  server.closeAllConnections()
  server.close()
  await pool.close()
}
process.stdout.write(`${lines.join('\n')}\n`)
