/** Clients that share a real Redis: one token request for all of them, also when Redis or a client dies. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import {
  createTokenClient,
  redisStore,
  type TokenClient,
  type TokenClientOptions,
} from '../../../src/tokens/client/index.ts'
import { LOCK_TTL_MS } from '../../../src/tokens/store/resilient-store.ts'
import { serve } from '../../support/client.ts'
import type { ClientSettings } from '../../support/client-process.ts'
import { startRedis, withoutRedis } from '../../support/redis.ts'

const SCRIPT = fileURLToPath(new URL('../../support/client-process.ts', import.meta.url))

/** A token endpoint whose tokens are `token-1`, `token-2` …, and when each was issued. */
async function endpointOf(t: Test, expiresIn: number, answer = send) {
  const issuedAt = new Map<string, number>()
  const origin = await serve(t, (_request, response) => {
    const token = `token-${issuedAt.size + 1}`
    issuedAt.set(token, performance.now())
    answer(response, { access_token: token, expires_in: expiresIn, token_type: 'Bearer' })
  })
  return { tokenEndpoint: `${origin}/oauth2/token`, issuedAt }
}

function send(response: ServerResponse, body: object): void {
  response.end(JSON.stringify(body))
}

/** A Redis, and clients with separate connections to it. */
async function fleetOf(t: Test, tokenEndpoint: string) {
  const server = await startRedis()
  const redis = new Redis(server.url, { lazyConnect: true })
  t.teardown(async () => {
    redis.disconnect()
    await server.kill()
  })
  const join = async (options: Partial<TokenClientOptions> = {}): Promise<TokenClient> => {
    const store = redisStore({ redis })
    t.teardown(() => store.close())
    // Code is loaded and compiled, and it is connected: several at once in one process wait for each other.
    await store.get('none', 'none')
    const app = { tokenEndpoint, clientId: 'billing', clientSecret: 'secret', store }
    return createTokenClient({ ...app, ...options })
  }
  return { server, redis, join }
}

t.test(
  'twenty processes share one token, and all get tokens after Redis is killed',
  { skip: withoutRedis },
  async (t) => {
    const { tokenEndpoint, issuedAt } = await endpointOf(t, 3600, (response, body) => {
      setTimeout(() => send(response, body), 150)
    })
    const { server, join } = await fleetOf(t, tokenEndpoint)
    const clients = await Promise.all(Array.from({ length: 20 }, () => join()))
    await clients[0]?.getToken({ scopes: 'warm/up' })
    const tokens = await Promise.all(clients.map((client) => client.getToken()))
    t.equal(issuedAt.size, 2)
    t.ok(tokens.every(({ accessToken }) => accessToken === 'token-2'))
    const ends = tokens.map(({ expiresAt }) => expiresAt)
    t.ok(Math.max(...ends) - Math.min(...ends) <= 1, 'but for rounding')

    await server.kill()
    const [first, second] = clients as [TokenClient, TokenClient]
    t.equal((await first.getToken()).accessToken, 'token-2')
    t.equal((await first.getToken({ scopes: 'a/b' })).accessToken, 'token-3')
    t.equal((await second.getToken({ scopes: 'a/b' })).accessToken, 'token-4', 'each for itself')
  },
)

t.test('the lock of a process that died ends within 2 s', { skip: withoutRedis }, async (t) => {
  let died = (): void => {}
  const requested = new Promise<void>((resolve) => {
    died = resolve
  })
  // Its owner gets no answer.
  const { tokenEndpoint, issuedAt } = await endpointOf(t, 3600, (response, body) => {
    if (issuedAt.size > 1) send(response, body)
    else died()
  })
  const { server, redis, join } = await fleetOf(t, tokenEndpoint)
  const client = await join()
  const settings: ClientSettings = { tokenEndpoint, redisUrl: server.url }
  const args = [...process.execArgv, SCRIPT, JSON.stringify(settings)]
  const owner = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  t.teardown(() => owner.kill('SIGKILL'))
  await requested
  const [lock = ''] = await redis.keys('*lock:*')
  const first = await redis.get(lock)
  const waiting = client.getToken()
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  const left = await redis.pttl(lock)
  t.ok(left <= LOCK_TTL_MS, `${left} ms`)
  t.equal((await waiting).accessToken, 'token-2')
  t.not(first, null)
  t.equal(issuedAt.size, 2)
})

/** Each of two minutes, in opposite directions. */
const skewed = [-120_000, 120_000].map((skew) => ({ now: () => Date.now() + skew }))

t.test('clocks that are 240 s apart share one token', { skip: withoutRedis }, async (t) => {
  const { tokenEndpoint, issuedAt } = await endpointOf(t, 3600)
  const { join } = await fleetOf(t, tokenEndpoint)
  const clients = await Promise.all([...skewed, ...skewed].map(join))
  const tokens = []
  for (const client of clients) tokens.push(await client.getToken())
  t.equal(issuedAt.size, 1)
  t.equal(new Set(tokens.map(({ accessToken }) => accessToken)).size, 1)
  const [behind, ahead] = tokens.map(({ expiresAt }) => expiresAt) as [number, number]
  t.ok([239, 240, 241].includes(ahead - behind), 'by the clock of who asks')
})

t.test(
  'with clocks that are 240 s apart, no token is served after its end',
  { skip: withoutRedis },
  async (t) => {
    const LIFE_MS = 1000
    const { tokenEndpoint, issuedAt } = await endpointOf(t, LIFE_MS / 1000)
    const { join } = await fleetOf(t, tokenEndpoint)
    const clients = await Promise.all(skewed.map(join))
    const late: number[] = []
    while (issuedAt.size < 4) {
      for (const client of clients) {
        // Before the call: however long the machine pauses, a good token is no older by then.
        const called = performance.now()
        const { accessToken } = await client.getToken()
        const age = called - (issuedAt.get(accessToken) as number)
        if (age >= LIFE_MS) late.push(age)
      }
      await delay(10)
    }
    t.strictSame(late, [])
  },
)
