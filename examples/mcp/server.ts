/** An MCP server with two tools. The guard requires the scope for reading; the tool that writes requires another one. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { type CognitoAuthOptions, defineScopes } from 'cognito-m2m'
import { cognitoAuth, getAuth } from 'cognito-m2m/mcp'
import express, { type Express } from 'express'

/** The identifier of the resource server definition is the URL of the MCP server. */
export const defineToolScopes = (resource: string) =>
  defineScopes(resource, { 'tools.read': 'Call tools that read', 'tools.write': 'Call all tools' })

export function createOrdersServer(resource: string, options: CognitoAuthOptions): Express {
  const tools = defineToolScopes(resource)
  const auth = cognitoAuth({ ...options, resourceMetadata: { resource, scopes: [tools] } })
  const app = express()
  app.use(auth.metadata())
  // The guard is in front of the parser: bodies of rejected requests are not read.
  app.all(
    new URL(resource).pathname,
    auth({ scopes: tools['tools.read'] }),
    express.json(),
    async (req, res) => {
      const server = createTools(tools['tools.write'])
      res.on('close', () => void server.close())
      const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
      await server.connect(transport as Transport)
      await transport.handleRequest(req, res, req.body)
    },
  )
  return app
}

/** One server per request: without sessions, no request depends on an earlier one. */
function createTools(writeScope: string): McpServer {
  const server = new McpServer({ name: 'orders', version: '1.0.0' })
  const text = (text: string) => ({ content: [{ type: 'text' as const, text }] })
  server.registerTool('list-orders', { description: 'Lists all orders' }, ({ authInfo }) =>
    text(`orders for ${getAuth(authInfo).clientId}: tea`),
  )
  server.registerTool('create-order', { description: 'Creates an order' }, ({ authInfo }) => {
    const { clientId, scopes } = getAuth(authInfo)
    if (scopes.has(writeScope)) return text(`order created for ${clientId}`)
    return { ...text(`${clientId} needs the scope tools.write`), isError: true }
  })
  return server
}
