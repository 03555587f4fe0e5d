/** Sends the same requests to the guard by hand and to that of this package, and prints their answers as a table. */
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SimpleJwksCache } from 'aws-jwt-verify/jwk'
import { createTestUserPool } from 'cognito-m2m/testing'
import express, { type Express } from 'express'
import { protect as protectAfter } from './after.js'
import { protect as protectBefore } from './before.js'

const pool = createTestUserPool({
  userPoolId: 'eu-west-1_AbCdEfGhI',
  clients: [{ clientId: '5kek0i61pgkokoob4fsm9fo9it' }, { clientId: 'other' }],
})
const READ = 'https://mcp.example.com/mcp/tools.read'
const bearer = (token: string) => `Bearer ${token}`
const good = bearer(pool.accessToken({ scopes: READ }))

const requests: Record<string, string[]> = {
  'a good token': [good],
  'no token': [],
  'more than a token: `Bearer a b`': [`${good} b`],
  'two `Authorization` lines': [good, 'Basic YTpi'],
  'a forged signature': [bearer(pool.tampered.wrongKey({ scopes: READ }))],
  "a user's token": [bearer(pool.userAccessToken({ scopes: READ }))],
  'the scope of another MCP server': [
    bearer(pool.accessToken({ scopes: 'https://other.example.com/mcp/tools.read' })),
  ],
  'an app client that is not allowed': [
    bearer(pool.accessToken({ clientId: 'other', scopes: READ })),
  ],
}

/** Status, and the error of the challenge. */
async function answer(port: number, authorization: string[]): Promise<string> {
  const headers = [
    'host',
    'mcp.example.com',
    ...authorization.flatMap((it) => ['authorization', it]),
  ]
  const sent = request({ port, path: '/mcp', headers, agent: false })
  const [response] = await once(sent.end(), 'response')
  response.resume()
  const [, error] = /error="(\w+)"/.exec(response.headers['www-authenticate'] ?? '') ?? []
  return error === undefined ? `${response.statusCode}` : `${response.statusCode} \`${error}\``
}

async function listen(protect: (app: Express) => void) {
  const app = express()
  protect(app)
  app.use('/mcp', (_req, res) => void res.end('reached'))
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

/** Both guards, over the same keys. */
async function listenBoth(fetchKeys: () => Promise<string>) {
  const fetcher = { fetch: async () => new TextEncoder().encode(await fetchKeys()).buffer }
  return [
    await listen((app) => protectBefore(app, { jwksCache: new SimpleJwksCache({ fetcher }) })),
    await listen((app) =>
      protectAfter(app, { fetch: async () => new Response(await fetchKeys()) }),
    ),
  ]
}

const healthy = await listenBoth(async () => JSON.stringify(pool.jwks()))
const outage = await listenBoth(() => Promise.reject(new Error('unreachable')))
const compare = async (name: string, servers: typeof healthy, lines: string[]) => {
  const answers = await Promise.all(servers.map(({ port }) => answer(port, lines)))
  return `| ${[name, ...answers].join(' | ')} |\n`
}
for (const [name, lines] of Object.entries(requests)) {
  process.stdout.write(await compare(name, healthy, lines))
}
process.stdout.write(await compare('a good token while no keys are available', outage, [good]))
for (const { close } of [...healthy, ...outage]) close()
