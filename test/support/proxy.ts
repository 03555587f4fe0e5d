/** What the tests of the proxy share: clocks, a pool as Cognito, hostile Cognitos, a proxy in front. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import { startUserPool } from '../../src/testing/index.ts'
import {
  memoryStore,
  type TokenProxyOptions,
  type TokenStore,
  tokenProxy,
} from '../../src/tokens/proxy/index.ts'
import { type Answer, ask, FORM } from './http.ts'
import { Clocks } from './key-endpoint.ts'

export const CLIENT = 'billing'
export const SECRET = 's3cret+with%odd:signs and blanks'
export const OTHER_SECRET = 'the-other-secret'
export const WRONG = 'wrong-secret'
export const READ = 'orders/read'
export const WRITE = 'orders/write'

/** A listening server of the test's own, closed with it. */
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

/** Requests that an upstream received. */
export interface Asked {
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** An upstream that counts and answers as the test says. */
export async function upstreamOf(
  t: Test,
  answer: (response: ServerResponse, asked: Asked, count: number) => void,
) {
  const asked: Asked[] = []
  const origin = await listening(t, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => {})
    request.on('end', () => {
      const it = { headers: request.headers, body: Buffer.concat(chunks).toString() }
      asked.push(it)
      answer(response, it, asked.length)
    })
  })
  return { asked, origin, tokenEndpoint: `${origin}/oauth2/token` }
}

/** Answers JSON. */
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

  readonly fetch: typeof globalThis.fetch = async (...asked) => {
    this.count += 1
    await this.gate
    if (this.isDown) {
      throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } })
    }
    return fetch(...asked)
  }
}

/** A local pool with one client of two secrets, and another one. */
export async function poolOf(t: Test, clocks?: Clocks) {
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

export interface AskOptions {
  readonly clientId?: string
  readonly secret?: string
  readonly scope?: string
  readonly metadata?: string
  readonly method?: 'basic' | 'post'
  /** In place of all of the above. */
  readonly body?: string
  readonly headers?: Record<string, string | string[]>
}

export function requestOf({
  clientId = CLIENT,
  secret = SECRET,
  scope,
  metadata,
  method = 'post',
  body,
  headers = {},
}: AskOptions) {
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
  readonly ask: (options?: AskOptions) => Promise<Answer>
  /** One request within the process. */
  readonly inject: (options?: AskOptions) => Promise<Answer>
}

/** A proxy that listens; ended with its test. */
export async function proxyOf(
  t: Test,
  options: Partial<TokenProxyOptions> & { readonly tokenEndpoint: string },
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
    ask: (asked = {}) => ask(port, requestOf(asked)),
    inject: async (asked = {}) => {
      const { path: url, body: payload, headers, method } = requestOf(asked)
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

/** A pool, a wire and a proxy under one clock. */
export async function stage(
  t: Test,
  options: Partial<TokenProxyOptions> = {},
  clocks: Clocks = new Clocks(),
  server: FastifyServerOptions = {},
) {
  const pool = await poolOf(t, clocks)
  const wire = new Wire()
  const { now, monotonicNow } = clocks
  const { tokenEndpoint } = pool
  const proxy = await proxyOf(
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

/** A store that says others can read it: sealed, and asked as one that is far away. */
export function sharedStore({ now, monotonicNow }: Clocks) {
  const memory = memoryStore({ now, monotonicNow })
  const store: { -readonly [Member in keyof TokenStore]: TokenStore[Member] } = {
    shared: true,
    get: (key, group) => memory.get(key, group),
    set: (key, group, kept) => memory.set(key, group, kept),
    delete: (key, group) => memory.delete(key, group),
    invalidate: (group) => memory.invalidate(group),
    lock: (key, owner, ttl) => memory.lock(key, owner, ttl),
    unlock: (key, owner) => memory.unlock(key, owner),
    close: () => memory.close(),
  }
  return store
}

/** Lets the budget queue look a few times, so that what has not happened by then does not happen. */
export async function ticks(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 80))
}

/** Lets pending work of this process continue until `done`; bounded. */
export async function until(done: () => boolean): Promise<void> {
  const end = performance.now() + 120_000
  while (performance.now() < end) {
    if (done()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('it never came to that')
}
