/** A guarded MCP server with sessions that does what the scenarios of @modelcontextprotocol/conformance expect. */
import { randomUUID } from 'node:crypto'
import { InMemoryEventStore } from '@modelcontextprotocol/sdk/examples/shared/inMemoryEventStore.js'
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  CallToolRequestSchema,
  type CallToolResult,
  CompleteRequestSchema,
  CreateMessageResultSchema,
  ElicitResultSchema,
  GetPromptRequestSchema,
  isInitializeRequest,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  type ServerNotification,
  type ServerRequest,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import type { Express } from 'express'
import { type Auth, getAuth } from '../../../../src/adapters/mcp/index.ts'
import {
  FORMS,
  PROMPTS,
  RESOURCES,
  readResource,
  TEMPLATE,
  TOOL_RESULTS,
  TOOLS,
  text,
} from './content.ts'

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>

const capabilities = {
  completions: {},
  logging: {},
  prompts: {},
  tools: {},
  resources: { subscribe: true },
}

/** Asks the user of the client to fill in a form. */
async function elicit(message: string, form: string, extra: Extra): Promise<string> {
  const properties = FORMS[form] as Record<string, never>
  const requestedSchema = { type: 'object' as const, properties }
  const request = { method: 'elicitation/create' as const, params: { message, requestedSchema } }
  const { action, content } = await extra.sendRequest(request, ElicitResultSchema)
  return `action=${action}, content=${JSON.stringify(content)}`
}

const TOOL_HANDLERS: Readonly<
  Record<string, (args: Record<string, string>, extra: Extra) => Promise<string>>
> = {
  test_tool_with_logging: async (_args, { sendNotification }) => {
    for (const data of ['execution started', 'processing data', 'execution completed']) {
      const params = { level: 'info' as const, data: `Tool ${data}` }
      await sendNotification({ method: 'notifications/message', params })
    }
    return 'logged'
  },
  test_tool_with_progress: async (_args, { _meta, sendNotification }) => {
    for (const progress of [0, 50, 100]) {
      const params = { progressToken: _meta?.progressToken as string, progress, total: 100 }
      await sendNotification({ method: 'notifications/progress', params })
    }
    return 'progressed'
  },
  test_sampling: async ({ prompt = '' }, { sendRequest }) => {
    const messages = [{ role: 'user' as const, content: text(prompt) }]
    const params = { messages, maxTokens: 100 }
    const request = { method: 'sampling/createMessage' as const, params }
    const { content } = await sendRequest(request, CreateMessageResultSchema)
    return `LLM response: ${(content as { text: string }).text}`
  },
  test_elicitation: async ({ message = '' }, extra) =>
    `User response: ${await elicit(message, 'test_elicitation', extra)}`,
  test_reconnection: async (_args, { closeSSEStream }) => {
    closeSSEStream?.()
    return 'reconnected'
  },
}
for (const form of ['test_elicitation_sep1034_defaults', 'test_elicitation_sep1330_enums']) {
  Object.assign(TOOL_HANDLERS, {
    [form]: async (_args: unknown, extra: Extra) =>
      `Elicitation completed: ${await elicit('Fill in the form', form, extra)}`,
  })
}

/** Throws without a guard in front: every call must have a caller. */
async function callTool(
  name: string,
  args: Record<string, string>,
  extra: Extra,
): Promise<CallToolResult> {
  getAuth(extra.authInfo)
  const content = TOOL_RESULTS.get(name)
  if (content !== undefined) return { content: content as CallToolResult['content'] }
  const handler = TOOL_HANDLERS[name]
  if (handler !== undefined) return { content: [text(await handler(args, extra))] }
  const message = 'This tool intentionally returns an error for testing'
  return { isError: true, content: [text(message)] }
}

function createProtocol(): Server {
  const server = new Server({ name: 'conformance', version: '1.0.0' }, { capabilities })
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [...TOOLS] }))
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) =>
    callTool(params.name, (params.arguments ?? {}) as Record<string, string>, extra),
  )
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: Object.entries(PROMPTS).map(([name, [names]]) => {
      const args = names.map((it) => ({ name: it, description: it, required: true }))
      return { name, description: 'A prompt of a scenario', arguments: args }
    }),
  }))
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    const [, createContent] = PROMPTS[params.name] as (typeof PROMPTS)[string]
    const contents = createContent(params.arguments ?? {})
    return { messages: contents.map((content) => ({ role: 'user' as const, content })) }
  })
  server.setRequestHandler(ListResourcesRequestSchema, () => ({
    resources: RESOURCES.map(({ uri, mimeType }) => ({ name: uri, uri, mimeType })),
  }))
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [TEMPLATE],
  }))
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => ({
    contents: [readResource(params.uri) as { uri: string; text: string }],
  }))
  server.setRequestHandler(CompleteRequestSchema, () => ({ completion: { values: ['paris'] } }))
  for (const schema of [SubscribeRequestSchema, UnsubscribeRequestSchema, SetLevelRequestSchema]) {
    server.setRequestHandler(schema as typeof SubscribeRequestSchema, () => ({}))
  }
  return server
}

/** @param guard The guard of every route of the transport. */
export function createConformanceApp(guard: ReturnType<Auth>): Express {
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  const open = async (): Promise<StreamableHTTPServerTransport> => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new InMemoryEventStore(),
      retryInterval: 10,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    })
    await createProtocol().connect(transport as Transport)
    return transport
  }
  // It rejects other hosts than this machine, against DNS rebinding.
  const app = createMcpExpressApp({ host: '127.0.0.1' })
  app.all('/mcp', guard, async (req, res) => {
    const known = sessions.get(String(req.headers['mcp-session-id']))
    const transport = known ?? (isInitializeRequest(req.body) ? await open() : undefined)
    if (transport === undefined) res.status(404).end()
    else await transport.handleRequest(req as never, res, req.body)
  })
  return app
}
