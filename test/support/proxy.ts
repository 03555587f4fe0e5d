/** Set-up of the proxy tests: a local pool or a scripted server as Cognito, and a proxy in front of it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import { startUserPool } from '../../src/testing/index.ts'
import { memoryStore, type TokenProxyOptions, tokenProxy } from '../../src/tokens/proxy/index.ts'
import { type Answer, ask, FORM } from './http.ts'
import { Clocks } from './key-endpoint.ts'
import { wrapStore } from './shared-store.ts'

export const CLIENT = 'billing'
export const SECRET = 's3cret+with%odd:signs and blanks'
export const OTHER_SECRET = 'the-other-secret'
export const WRONG = 'wrong-secret'
export const READ = 'orders/read'
export const WRITE = 'orders/write'

/** Starts a server that is closed with the test. */
export async function listening(
  t: Test,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A request that an upstream received. */
export interface ReceivedRequest {
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Starts a token endpoint with scripted responses, which records its requests. */
export async function startUpstream(
  t: Test,
  answer: (response: ServerResponse, request: ReceivedRequest, count: number) => void,
) {
  const requests: ReceivedRequest[] = []
  const origin = await listening(t, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => {})
    request.on('end', () => {
      const it = { headers: request.headers, body: Buffer.concat(chunks).toString() }
      requests.push(it)
      answer(response, it, requests.length)
    })
  })
  return { requests, origin, tokenEndpoint: `${origin}/oauth2/token` }
}

/** Sends JSON. */
export function reply(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

/** A token response that identifies its request. */
export const issue = (count: number, expiresIn = 3600) => ({
  access_token: `token-${count}`,
  expires_in: expiresIn,
  token_type: 'Bearer',
})

/** The transport of a test: it counts requests, and can fail or wait. */
export class Wire {
  count = 0
  /** Every request fails as for an unreachable host. */
  isDown = false
  /** Requests wait for it. */
  gate: Promise<unknown> = Promise.resolve()

  readonly fetch: typeof globalThis.fetch = async (...args) => {
    this.count += 1
    await this.gate
    if (this.isDown) {
      throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } })
    }
    return fetch(...args)
  }
}

/** Starts a local pool with two clients. The first has two secrets. */
export async function startPool(t: Test, clocks?: Clocks) {
  const pool = await startUserPool({
    ...(clocks === undefined ? {} : { now: clocks.now }),
    clients: [
      {
        clientId: CLIENT,
        clientSecrets: [SECRET, OTHER_SECRET],
        scopes: [READ, WRITE],
      },
      { clientId: 'shipping', clientSecrets: ['shipping-secret'], scopes: [READ] },
    ],
  })
  t.teardown(() => pool.close())
  return pool
}

export interface TokenRequestOptions {
  readonly clientId?: string
  readonly secret?: string
  readonly scope?: string
  readonly metadata?: string
  readonly method?: 'basic' | 'post'
  /** Replaces the form of the members above. */
  readonly body?: string
  readonly headers?: Record<string, string | string[]>
}

export function createRequest({
  clientId = CLIENT,
  secret = SECRET,
  scope,
  metadata,
  method = 'post',
  body,
  headers = {},
}: TokenRequestOptions) {
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  if (scope !== undefined) form.set('scope', scope)
  if (metadata !== undefined) form.set('aws_client_metadata', metadata)
  const isBasic = method === 'basic'
  if (!isBasic) {
    form.set('client_id', clientId)
    form.set('client_secret', secret)
  }
  const authorization = `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`
  return {
    method: 'POST' as const,
    path: '/oauth2/token',
    headers: { 'content-type': FORM, ...(isBasic ? { authorization } : {}), ...headers },
    body: body ?? form.toString(),
  }
}

export interface Proxy {
  readonly app: FastifyInstance
  readonly port: number
  /** One request over a socket. */
  readonly send: (options?: TokenRequestOptions) => Promise<Answer>
  /** One request within the process. */
  readonly inject: (options?: TokenRequestOptions) => Promise<Answer>
}

/** Starts a proxy that is closed with the test. */
export async function startProxy(
  t: Test,
  options: TokenProxyOptions,
  server: FastifyServerOptions = {},
): Promise<Proxy> {
  const app = fastify(server)
  t.teardown(() => app.close())
  await app.register(tokenProxy, options)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return {
    app,
    port,
    send: (options = {}) => ask(port, createRequest(options)),
    inject: async (options = {}) => {
      const { path: url, body: payload, headers, method } = createRequest(options)
      const answer = await app.inject({ url, payload, headers: headers as never, method })
      const { statusCode: status, body: text } = answer
      return {
        status,
        headers: answer.headers as Answer['headers'],
        text,
        get json() {
          return JSON.parse(text) as Record<string, unknown>
        },
      }
    },
  }
}

/** Starts a pool and a proxy with one clock, and a transport between them. */
export async function setUpProxy(
  t: Test,
  options: Partial<TokenProxyOptions> = {},
  clocks: Clocks = new Clocks(),
  server: FastifyServerOptions = {},
) {
  const pool = await startPool(t, clocks)
  const wire = new Wire()
  const { now, monotonicNow } = clocks
  const { tokenEndpoint } = pool
  const proxy = await startProxy(
    t,
    {
      tokenEndpoint,
      now,
      monotonicNow,
      fetch: wire.fetch,
      ...options,
    },
    server,
  )
  return { clocks, pool, wire, ...proxy }
}

export const encryptionKeys = [{ id: 'a', key: Buffer.alloc(32, 1) }]

/** A shared store in memory: the proxy seals its entries and limits its calls. */
export function sharedStore({ now, monotonicNow }: Clocks) {
  return wrapStore(memoryStore({ now, monotonicNow }), { shared: true })
}

/** Waits for several checks of the quota queue. */
export async function ticks(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 80))
}

/** Waits until a condition is true, for 120 s at most. */
export async function until(done: () => boolean): Promise<void> {
  const end = performance.now() + 120_000
  while (performance.now() < end) {
    if (done()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('The condition did not become true')
}
