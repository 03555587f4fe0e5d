/** The client of examples/mcp, as @modelcontextprotocol/conformance starts it: `client.ts URL`. */
import { connect } from '../../../../examples/mcp/client.ts'

const [, , url = ''] = process.argv
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as Record<string, string>
const { client_id: clientId = '', client_secret: clientSecret = '' } = context

/** An operator configures the issuer. The scenario names it only in the metadata document. */
async function readIssuer(): Promise<string> {
  const { origin, pathname } = new URL(url)
  const response = await fetch(`${origin}/.well-known/oauth-protected-resource${pathname}`)
  const { authorization_servers: issuers } = (await response.json()) as Record<string, string[]>
  return issuers?.[0] ?? ''
}

const client = await connect(url, { clientId, clientSecret, expectedIssuer: await readIssuer() })
await client.listTools()
await client.close()
