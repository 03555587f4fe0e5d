/** Events of a token client: outcomes of token requests, and calls served from the cache. */
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import type { ClientTokenEvent } from '../../../src/index.ts'
import { startUserPool } from '../../../src/testing/index.ts'
import {
  createTokenClient,
  memoryStore,
  type TokenClient,
} from '../../../src/tokens/client/index.ts'
import { tokenProxy } from '../../../src/tokens/proxy/index.ts'
import { createUsage, type UsageSource } from '../../../src/tokens/usage/index.ts'
import { codeOf, refusal, SECRET, settle, setUpClient, tokenAnswer } from '../../support/client.ts'
import { listen } from '../../support/listen.ts'

const NAME = 'cognito-m2m:client-token'
const HOUR = 3_600_000

/** Events of a client since the last look. */
function listenToClient(t: Test, client: TokenClient): () => ClientTokenEvent[] {
  const { of } = listen(t, [NAME])
  let count = 0
  return () => {
    const events = of(NAME, client.status().instance)
    const fresh = events.slice(count)
    count = events.length
    return fresh
  }
}

const outcomes = (events: readonly ClientTokenEvent[]): string[] =>
  events.map(({ outcome }) => outcome)

t.test('issued once per token request, cached for every other call', async (t) => {
  const { client, world } = setUpClient()
  const newEvents = listenToClient(t, client)
  const { instance } = client.status()
  world.answer = () => {
    world.pass(250)
    return tokenAnswer('a')
  }
  await client.getToken({ scopes: ['a/c', 'a/b'] })
  const [event] = newEvents()
  t.strictSame(event, {
    instance,
    clientId: 'billing',
    scope: 'a/b a/c',
    outcome: 'issued',
    code: null,
    error: null,
    duration: 0.25,
  })
  t.ok(Object.isFrozen(event))
  await client.getToken({ scopes: ['a/c', 'a/b'] })
  t.match(newEvents(), [{ outcome: 'cached', scope: 'a/b a/c', duration: 0 }])
  await Promise.all([client.getToken(), client.getToken(), client.getToken()])
  const all = newEvents()
  t.strictSame(outcomes(all), ['issued', 'cached', 'cached'])
  t.ok(all.every(({ scope, duration }) => scope === null && duration === 0.25))
})

t.test('a renewal in the background is issued, and its caller cached', async (t) => {
  const { client, world } = setUpClient()
  const newEvents = listenToClient(t, client)
  const first = await client.getToken()
  world.pass(0.75 * HOUR)
  await client.getToken()
  await settle()
  t.strictSame(outcomes(newEvents()), ['issued', 'cached', 'issued'])
  world.pass(HOUR - 10_000)
  t.not(await client.getToken(), first)
  t.strictSame(outcomes(newEvents()), ['issued'], 'who waited for it is not told twice')
  world.pass(HOUR - 10_000)
  await Promise.all([client.getToken(), client.getToken()])
  t.strictSame(outcomes(newEvents()), ['issued', 'cached'])
  world.answer = () => refusal('invalid_client')
  world.pass(HOUR - 10_000)
  await Promise.all([client.getToken(), client.getToken()])
  t.strictSame(outcomes(newEvents()), ['refused', 'cached', 'cached'])
})

t.test('refused and unavailable have code and error, once per token request', async (t) => {
  const { client, world } = setUpClient()
  const newEvents = listenToClient(t, client)
  world.answer = () => refusal('invalid_scope')
  await Promise.all([1, 2, 3].map(() => codeOf(client.getToken())))
  await codeOf(client.getToken())
  t.match(newEvents(), [
    { outcome: 'refused', code: 'ERR_TOKEN_REQUEST_REFUSED', error: 'invalid_scope', scope: null },
  ])
  world.answer = () => new Response('<html>')
  await codeOf(client.getToken({ scopes: 'a/b' }))
  const [event] = newEvents()
  t.match(event, { outcome: 'unavailable', code: 'ERR_TOKEN_RESPONSE_INVALID', error: null })
  t.notOk(JSON.stringify(event).includes(SECRET))
})

t.test(
  'a token that another client stored is reported as shared, without a token request',
  async (t) => {
    const store = memoryStore()
    const one = setUpClient({ store, now: Date.now })
    const other = setUpClient({ store, now: Date.now })
    const newEvents = listenToClient(t, other.client)
    await one.client.getToken()
    await other.client.getToken()
    await other.client.getToken()
    t.strictSame(outcomes(newEvents()), ['shared', 'cached'])
  },
)

t.test('an aborted call and a closed client publish no event', async (t) => {
  const { client, world } = setUpClient()
  const newEvents = listenToClient(t, client)
  world.answer = () => new Promise(() => {})
  const waiting = codeOf(client.getToken())
  t.equal(await codeOf(client.getToken({ timeout: 0.001 })), 'ERR_TOKEN_TIMEOUT')
  client.close()
  t.equal(await waiting, 'ERR_CLIENT_CLOSED')
  await settle()
  t.strictSame(newEvents(), [])
})

t.test('usage counts each token of client, proxy and pool once', async (t) => {
  const pool = await startUserPool({
    clients: [{ clientId: 'billing', clientSecrets: [SECRET], scopes: ['orders/read'] }],
  })
  const usage = createUsage({ price: { currency: 'USD', tiers: [{ price: 2 }] } })
  const app = Fastify()
  await app.register(tokenProxy, { tokenEndpoint: pool.tokenEndpoint })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => {
    await app.close()
    await usage.close()
    await pool.close()
  })
  usage.attach(app.tokenProxy)
  usage.attach(pool)
  const make = (clientId = 'billing') =>
    createTokenClient({
      clientId,
      clientSecret: SECRET,
      tokenEndpoint: `${origin}/oauth2/token`,
    })
  const clients = [make(), make()]
  for (const client of clients) {
    const source = client as unknown as UsageSource
    t.throws(() => usage.attach(source), /Pass app\.tokenProxy, app\.cognito or a local user pool/)
  }
  const { heard } = listen(t, [NAME])
  for (const client of clients) {
    for (let call = 0; call < 5; call += 1) await client.getToken()
  }
  t.equal(await codeOf(make('stranger').getToken()), 'ERR_TOKEN_REQUEST_REFUSED')
  t.strictSame(
    outcomes(heard.map(({ event }) => event as ClientTokenEvent)).sort(),
    [...Array(8).fill('cached'), 'issued', 'issued', 'refused'],
    'the second client was issued the token that the proxy had',
  )
  const { rows } = await usage.report()
  t.match(rows, [
    { kind: 'client', clientId: 'billing', tokens: { issued: 1, cached: 1, refused: 0 } },
    { kind: 'unverified', tokens: { issued: 0, cached: 0, refused: 2 } },
  ])
})

t.test(
  'usage does not count a client: the source that issued its tokens reports them',
  async (t) => {
    const pool = await startUserPool({
      clients: [{ clientId: 'billing', clientSecrets: [SECRET] }],
    })
    const usage = createUsage({ price: { currency: 'USD', tiers: [{ price: 2 }] } })
    t.teardown(async () => {
      await usage.close()
      await pool.close()
    })
    usage.attach(pool)
    const { tokenEndpoint } = pool
    const client = createTokenClient({ tokenEndpoint, clientId: 'billing', clientSecret: SECRET })
    for (let call = 0; call < 3; call += 1) await client.getToken()
    const [row] = (await usage.report()).rows
    t.match(row, { clientId: 'billing', tokens: { issued: 1, cached: 0 } })
  },
)
