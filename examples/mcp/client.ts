/** An MCP client of a machine. The SDK finds the token endpoint, and gets tokens with client credentials. */
import { ClientCredentialsProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'

export interface Credentials {
  readonly clientId: string
  readonly clientSecret: string
  /** The issuer of the user pool: the secret is sent to no other authorization server. */
  readonly expectedIssuer: string
}

export async function connect(url: string, credentials: Credentials): Promise<Client> {
  const authProvider = new ClientCredentialsProvider(credentials)
  const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider })
  const client = new Client({ name: 'orders-agent', version: '1.0.0' })
  await client.connect(transport as Transport)
  return client
}

/** The text of a tool's result. */
export async function call(client: Client, name: string): Promise<string> {
  const { content } = await client.callTool({ name, arguments: {} })
  const [{ text }] = content as [{ text: string }]
  return text
}
