/** A tool behind the guard, with all types of the MCP SDK that a server uses. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import { createFetchAuth, getAuth } from 'cognito-m2m/mcp'

const auth = createFetchAuth({ userPoolId: 'a', clientId: null })
export const handle = auth.protect({ scopes: 'a/b' }, async (request) => {
  const server = new McpServer({ name: 'a', version: '1.0.0' })
  server.registerTool('whoami', {}, ({ authInfo }) => ({
    content: [{ type: 'text', text: getAuth(authInfo).clientId }],
  }))
  const transport = new WebStandardStreamableHTTPServerTransport()
  await server.connect(transport)
  return transport.handleRequest(request, { authInfo: request.auth })
})
