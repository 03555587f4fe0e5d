/** An MCP server with one tool behind a guard, on Express and on web-standard requests, over real sockets. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import express from 'express'
import type { Test } from 'tap'
import { cognitoAuth, createFetchAuth } from '../../src/adapters/mcp/index.ts'
import type { AccessRequirement, CognitoAuthOptions } from '../../src/index.ts'
import { createTestUserPool } from '../../src/testing/index.ts'
import { now } from './fastify.ts'

export const RESOURCE = 'https://mcp.example.com/mcp'
export const OTHER = 'https://other.example.com/mcp'
export const READ = `${RESOURCE}/tools.read`
export const WRITE = `${RESOURCE}/tools.write`
export const METADATA = '/.well-known/oauth-protected-resource/mcp'
export const METADATA_URL = `https://mcp.example.com${METADATA}`

export const mcpPool = createTestUserPool({
  now,
  userPoolId: 'eu-west-1_AbCdEfGhI',
  clients: [{ clientId: 'agent' }],
})

export const mcpOptions = (options: Partial<CognitoAuthOptions> = {}): CognitoAuthOptions =>
  ({
    ...mcpPool.options(),
    resourceMetadata: { resource: RESOURCE },
    ...options,
  }) as CognitoAuthOptions

/** What the tool got of its request. */
export interface Seen {
  authInfo: AuthInfo | undefined
}

/** A server of one request, with the tool `whoami`. */
function createMcpServer(seen: Seen): McpServer {
  const server = new McpServer({ name: 'test', version: '1.0.0' })
  server.registerTool('whoami', {}, async ({ authInfo }) => {
    seen.authInfo = authInfo
    return { content: [{ type: 'text', text: String(authInfo?.clientId) }] }
  })
  return server
}

export type CreateListener = (
  options: CognitoAuthOptions,
  requirement: AccessRequirement,
  seen: Seen,
) => RequestListener

const onExpress =
  (make: typeof express): CreateListener =>
  (options, requirement, seen) => {
    const app = make()
    const auth = cognitoAuth(options)
    if (options.resourceMetadata !== undefined) app.use(auth.metadata())
    app.all('/mcp', auth(requirement as never), async (req, res) => {
      const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
      await createMcpServer(seen).connect(transport as Transport)
      // Another file of this compilation types `req.auth` as `cognito-m2m/express/global` does.
      await transport.handleRequest(req as IncomingMessage, res)
    })
    return app
  }

const onFetch: CreateListener = (options, requirement, seen) => {
  const auth = createFetchAuth(options)
  const metadata = options.resourceMetadata === undefined ? () => null : auth.metadata()
  const handle = auth.protect(requirement as { scopes: string }, async (request) => {
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
    await createMcpServer(seen).connect(transport as Transport)
    return transport.handleRequest(request, { authInfo: request.auth })
  })
  return getRequestListener((request) => metadata(request) ?? handle(request))
}

export const platforms: readonly (readonly [name: string, create: CreateListener])[] = [
  ['Express 5', onExpress(express)],
  ['Express 4', onExpress(createRequire(import.meta.url)('express4'))],
  ['fetch', onFetch],
]

export async function listen(t: Test, listener: RequestListener): Promise<number> {
  const server: Server = createServer(listener).listen(0, '127.0.0.1')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** The tool's answer to a client of the SDK that sends this header. */
export async function callTool(port: number, authorization: string, name = 'whoami') {
  const transport = new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`), {
    requestInit: { headers: { authorization } },
  })
  const client = new Client({ name: 'test', version: '1.0.0' })
  try {
    await client.connect(transport as Transport)
    return await client.callTool({ name, arguments: {} })
  } finally {
    await client.close()
  }
}

const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1.0.0' },
  },
})

/** The lines of a POST that initializes a session, for `exchange`. */
export function initialize(...authorization: readonly string[]): readonly string[] {
  return [
    'POST /mcp HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: close',
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    `Content-Length: ${Buffer.byteLength(INITIALIZE)}`,
    ...authorization.map((line) => `Authorization: ${line}`),
    '',
    INITIALIZE,
  ]
}
