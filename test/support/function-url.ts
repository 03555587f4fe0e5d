/** An HTTP API in front of a function: events with payload format 2.0, as API Gateway and function URLs send them. */
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Test } from 'tap'
import type { TokenProxyEvent, TokenProxyResult } from '../../src/tokens/proxy/lambda.ts'
import { FORM } from './http.ts'

/** Header lines of one name become one value. */
function joinHeaders({ rawHeaders }: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase()
    const value = rawHeaders[index + 1] as string
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`
  }
  return headers
}

/** @param isBase64 Whether bodies are encoded: an HTTP API encodes forms, a function URL does not. */
export async function createEvent(
  request: IncomingMessage,
  isBase64: boolean,
): Promise<TokenProxyEvent> {
  const { pathname } = new URL(request.url as string, 'http://localhost')
  const bytes = await buffer(request)
  const body = bytes.toString(isBase64 ? 'base64' : 'utf8')
  return {
    version: '2.0',
    rawPath: pathname,
    headers: joinHeaders(request),
    body: bytes.length === 0 ? undefined : body,
    isBase64Encoded: isBase64,
    requestContext: { http: { method: request.method as string, sourceIp: '127.0.0.1' } },
  }
}

/** The event of a token request. @param body The form. */
export function createFormEvent(body: string): TokenProxyEvent {
  return {
    version: '2.0',
    rawPath: '/oauth2/token',
    headers: { 'content-type': FORM },
    body,
    isBase64Encoded: false,
    requestContext: { http: { method: 'POST', sourceIp: '203.0.113.1' } },
  }
}

/** Serves a handler on loopback. @returns The port. */
export async function serveFunction(
  t: Test,
  handler: (event: TokenProxyEvent) => Promise<TokenProxyResult>,
  isBase64 = true,
): Promise<number> {
  const server = createServer(async (request, response) => {
    const { statusCode, headers, body } = await handler(await createEvent(request, isBase64))
    response.writeHead(statusCode, headers)
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
