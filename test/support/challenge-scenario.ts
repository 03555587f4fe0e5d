/**
 * Run as a separate process: a request of every kind through the adapters, the token client and the token
 * proxy. Prints the result of each as one line of JSON.
 *
 * `node challenge-scenario.ts [express]`
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { cognitoAuth } from '../../src/adapters/fastify/index.ts'
import { createLambdaAuthorizer } from '../../src/adapters/lambda/index.ts'
import { AuthError } from '../../src/index.ts'
import { startUserPool } from '../../src/testing/index.ts'
import { createTokenClient, type TokenClientOptions } from '../../src/tokens/client/index.ts'
import { tokenProxy } from '../../src/tokens/proxy/index.ts'
import { createUsage } from '../../src/tokens/usage/index.ts'
import { requestEvent } from './lambda-events.ts'

const clients = [
  { clientId: 'billing', clientSecrets: ['billing-secret'], scopes: ['orders/read'] },
] as const
const pool = await startUserPool({ clients })
/** Nothing listens there once it was closed. */
const gone = await startUserPool({ clients })
await gone.close()
const right = `Bearer ${pool.accessToken()}`
const results: Record<string, unknown> = {}

/** What a thrown value is, without what differs from run to run. */
function facts(error: unknown): object {
  const { name, message, code, statusCode, stack } = error as AuthError
  return { isError: error instanceof Error, name, message, code, statusCode, stack }
}

async function outcome(called: Promise<unknown>): Promise<unknown> {
  return called.catch(facts)
}

/** What a server on loopback answers. */
async function answer(port: number, path: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
  const body = (await response.json()) as Record<string, unknown>
  if ('access_token' in body) Object.assign(body, { access_token: '…', expires_in: 0 })
  const { status, headers } = response
  return { status, challenge: headers.get('www-authenticate'), body }
}

const bearing = (authorization: string): RequestInit => ({ headers: { authorization } })

async function askAdapter(name: string, portOf: (options: object) => Promise<number>) {
  const port = await portOf(pool.options())
  const refusing = await portOf(gone.options())
  results[name] = {
    ok: await answer(port, '/orders', bearing(right)),
    missing: await answer(port, '/orders'),
    malformed: await answer(port, '/orders', bearing('Bearer a b')),
    forged: await answer(port, '/orders', bearing(`${right.slice(0, -8)}AAAAAAAA`)),
    scope: await answer(port, '/admin', bearing(right)),
    fault: await answer(port, '/fault', bearing(right)),
    keys: await answer(refusing, '/orders', bearing(`Bearer ${gone.accessToken()}`)),
  }
}

async function fastifyPort(options: object): Promise<number> {
  const app = Fastify({ forceCloseConnections: true })
  closing.push(() => app.close())
  await app.register(cognitoAuth, options as ReturnType<typeof pool.options>)
  const handler = async () => ({ ok: true })
  app.get('/orders', { config: { auth: { scopes: 'orders/read' } } }, handler)
  app.get('/admin', { config: { auth: { scopes: 'orders/admin' } } }, handler)
  app.get('/fault', { config: { auth: { check: failing } } }, handler)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

async function expressPort(options: object): Promise<number> {
  const { default: express } = await import('express')
  const { cognitoAuth: middleware } = await import('../../src/adapters/express/index.ts')
  const auth = middleware(options as ReturnType<typeof pool.options>)
  const app = express()
  const handler = (_request: unknown, response: { json(body: object): unknown }) =>
    void response.json({ ok: true })
  app.get('/orders', auth({ scopes: 'orders/read' }), handler)
  app.get('/admin', auth({ scopes: 'orders/admin' }), handler)
  app.get('/fault', auth({ check: failing }), handler)
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    server.close()
    server.closeAllConnections()
    auth.server.close()
  })
  return (server.address() as AddressInfo).port
}

function failing(): never {
  throw new Error('the owner’s fault')
}

async function askAuthorizer(): Promise<void> {
  const routes = { 'GET /r': { scopes: 'orders/read' }, 'GET /admin': { scopes: 'orders/admin' } }
  const authorize = createLambdaAuthorizer({ ...pool.options(), routes, resultTtl: 0 })
  const without = createLambdaAuthorizer({ ...gone.options(), routes, resultTtl: 0 })
  closing.push(() => [authorize, without].map(({ server }) => server.close()))
  const effect = async (called: ReturnType<typeof authorize>) => {
    const { policyDocument } = await called
    return policyDocument.Statement.map(({ Effect }) => Effect)
  }
  const authorization = `Bearer ${gone.accessToken()}`
  results['lambda'] = {
    ok: await outcome(effect(authorize(requestEvent({ authorization: right })))),
    missing: await outcome(effect(authorize(requestEvent({})))),
    scope: await outcome(effect(authorize(requestEvent({ path: '/admin', authorization: right })))),
    keys: await outcome(effect(without(requestEvent({ authorization })))),
  }
}

async function askClient(): Promise<void> {
  const tokenOf = (options: Partial<TokenClientOptions>) => {
    const { tokenEndpoint } = pool
    const common = { tokenEndpoint, clientId: 'billing', clientSecret: 'billing-secret' }
    const client = createTokenClient({ ...common, ...options })
    closing.push(() => client.close())
    return outcome(client.getToken().then(({ accessToken }) => typeof accessToken))
  }
  results['client'] = {
    ok: await tokenOf({}),
    refused: await tokenOf({ clientSecret: 'wrong' }),
    network: await tokenOf({ tokenEndpoint: gone.tokenEndpoint }),
    secret: await tokenOf({ clientSecret: () => '' }),
  }
}

async function askProxy(): Promise<void> {
  const usage = createUsage({ price: { currency: 'USD', tiers: [{ price: 2 }] } })
  const portOf = async (tokenEndpoint: string): Promise<number> => {
    const app = Fastify({ forceCloseConnections: true })
    closing.push(() => app.close())
    await app.register(tokenProxy, { tokenEndpoint })
    usage.attach(app.tokenProxy)
    await app.listen({ port: 0, host: '127.0.0.1' })
    return (app.server.address() as AddressInfo).port
  }
  const port = await portOf(pool.tokenEndpoint)
  const post = (form: Record<string, string>): RequestInit => ({
    method: 'POST',
    body: new URLSearchParams(form),
  })
  const wanted = {
    grant_type: 'client_credentials',
    client_id: 'billing',
    client_secret: 'billing-secret',
  }
  const path = '/oauth2/token'
  results['proxy'] = {
    ok: await answer(port, path, post(wanted)),
    again: await answer(port, path, post(wanted)),
    malformed: await answer(port, path, post({ grant_type: 'client_credentials' })),
    grant: await answer(port, path, post({ ...wanted, grant_type: 'password' })),
    secret: await answer(port, path, post({ ...wanted, client_secret: 'wrong' })),
    upstream: await answer(await portOf(gone.tokenEndpoint), path, post(wanted)),
  }
  const { rows } = await usage.report()
  results['usage'] = rows.map(({ clientId, tokens }) => ({ clientId, tokens }))
  await usage.close()
}

const closing: (() => unknown)[] = []
const refusal = new AuthError('ERR_TOKEN_MISSING', { headers: {} })
results['error'] = { ...facts(refusal), text: String(refusal), json: JSON.stringify(refusal) }
await askAdapter('fastify', fastifyPort)
if (process.argv[2] === 'express') await askAdapter('express', expressPort)
await askAuthorizer()
await askClient()
await askProxy()
for (const close of closing) await close()
await pool.close()
process.stdout.write(`${JSON.stringify(results)}\n`)
