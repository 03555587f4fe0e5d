/** What the tests of the Fastify plugin share: a generated pool, its tokens, what an answer says. */
import { Writable } from 'node:stream'
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import { cognitoAuth } from '../../src/adapters/fastify/index.ts'
import { createTestUserPool } from '../../src/testing/index.ts'

/** The frozen clock, in milliseconds. */
export const NOW = 1_700_000_000_000
export const SCOPE = 'orders/read'
export const now = () => NOW

/** The pool most tests protect their app with, and another one. */
export const pool = createTestUserPool({ clients: [{ clientId: 'billing' }], now })
export const otherPool = createTestUserPool({ clients: [{ clientId: 'shipping' }], now })

export const right = `Bearer ${pool.accessToken({ scopes: SCOPE })}`
export const wrongScope = `Bearer ${pool.accessToken({ scopes: 'orders/other' })}`
export const forged = `Bearer ${pool.tampered.altered({ scopes: SCOPE })}`
export const foreign = `Bearer ${otherPool.accessToken({ scopes: SCOPE })}`

/** The headers of a request with this credential; none where it is undefined. */
export const withAuth = (authorization?: string): Record<string, string> =>
  authorization === undefined ? {} : { authorization }

/** An app that is closed when its test ends. */
export function newApp(test: Test, options: FastifyServerOptions = {}): FastifyInstance {
  const app = fastify(options)
  test.teardown(() => app.close())
  return app
}

/** An app whose root is protected by {@link pool}. */
export async function protectedApp(
  test: Test,
  options: Partial<Parameters<typeof cognitoAuth>[1]> = {},
  server: FastifyServerOptions = {},
): Promise<FastifyInstance> {
  const app = newApp(test, server)
  await app.register(cognitoAuth, { ...pool.options(), ...options } as never)
  return app
}

/** Settles like ready(), as a plain promise. */
export async function start(app: FastifyInstance): Promise<void> {
  await app.ready()
}

/** What a response says about access. */
export interface Answer {
  readonly status: number
  readonly code: string | undefined
  readonly challenge: string | undefined
  readonly cacheControl: string | undefined
}

interface Response {
  readonly statusCode: number
  readonly headers: Record<string, unknown>
  readonly body: string
}

export function answerOf({ statusCode, headers, body }: Response): Answer {
  const json = /json/.test(String(headers['content-type'])) && body !== '' ? JSON.parse(body) : {}
  return {
    status: statusCode,
    code: json.code,
    challenge: headers['www-authenticate'] as string | undefined,
    cacheControl: headers['cache-control'] as string | undefined,
  }
}

/** Status and code of a GET. */
export async function get(
  app: FastifyInstance,
  url: string,
  authorization?: string,
): Promise<string> {
  const { status, code } = answerOf(await app.inject({ url, headers: withAuth(authorization) }))
  return code === undefined ? `${status}` : `${status} ${code}`
}

export const MISSING = '401 ERR_TOKEN_MISSING'
export const NO_SCOPE = '403 ERR_SCOPE_INSUFFICIENT'
export const WRONG_POOL = '401 ERR_TOKEN_ISSUER'

/** Fastify's logger option, and the lines it wrote so far. */
export function captureLog(level = 'trace') {
  const text: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text.push(String(chunk))
      done()
    },
  })
  return {
    logger: { level, stream },
    text: () => text.join(''),
    lines: () => text.map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}

/** Calls are counted by name: a handler that was reached although its request was refused shows. */
export function counter() {
  const calls: string[] = []
  return {
    calls,
    handler: (name: string) => async () => {
      calls.push(name)
      return name
    },
  }
}
