/** What the tests of the Express middleware share: both majors, servers on loopback, raw requests. */
import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import type { Test } from 'tap'
import { cognitoAuth, type ExpressAuthOptions } from '../../src/adapters/express/index.ts'
import { pool } from './fastify.ts'

/** The same face: Express 4's own types would only repeat it. */
export const versions: Readonly<Record<string, typeof express>> = {
  'Express 4': createRequire(import.meta.url)('express4'),
  'Express 5': express,
}

/** `auth` for {@link pool}. */
export const authFor = (options: Partial<ExpressAuthOptions> = {}) =>
  cognitoAuth({ ...pool.options(), ...options } as ExpressAuthOptions)

/** Listens on loopback until the test ends. */
export async function listen(test: Test, app: Express): Promise<string> {
  const server: Server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  test.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Status and code of a GET, and the answer itself. */
export async function get(url: string, authorization?: string, method = 'GET') {
  const headers = authorization === undefined ? {} : { authorization }
  const response = await fetch(url, { method, headers })
  const text = await response.text()
  const json = /json/.test(response.headers.get('content-type') ?? '') && text !== ''
  const body = json ? JSON.parse(text) : text
  const said = body.code === undefined ? `${response.status}` : `${response.status} ${body.code}`
  return { said, response, body, text }
}

/** `req.auth` without global types. */
export const authOf = (request: IncomingMessage): unknown => (request as { auth?: unknown }).auth
