/** Clients over a real Redis: one asks for all of them, and none is lost with it. */
import { Redis } from 'ioredis'
import t from 'tap'
import { createTokenClient, redisStore, type TokenClient } from '../../src/client/index.ts'
import { startRedis, withoutRedis } from '../store/redis.ts'
import { serve } from './support.ts'

t.test(
  'twenty processes, one token; Redis killed, none is refused',
  { skip: withoutRedis },
  async (t) => {
    const server = await startRedis()
    const redis = new Redis(server.url, { lazyConnect: true })
    let requests = 0
    const origin = await serve(t, (_request, response) => {
      requests += 1
      const body = { access_token: `token-${requests}`, expires_in: 3600, token_type: 'Bearer' }
      setTimeout(() => response.end(JSON.stringify(body)), 150)
    })
    const tokenEndpoint = `${origin}/oauth2/token`
    const stores = Array.from({ length: 20 }, () => redisStore({ redis }))
    const clients = stores.map((store) =>
      createTokenClient({ tokenEndpoint, clientId: 'billing', clientSecret: 'secret', store }),
    )
    t.teardown(async () => {
      await Promise.all(stores.map((store) => store.close()))
      redis.disconnect()
      await server.kill()
    })
    // Code is loaded and compiled, and all are connected: twenty at once in one process wait for each other.
    await Promise.all(stores.map((store) => store.get('none', 'none')))
    await clients[0]?.getToken({ scopes: 'warm/up' })
    requests = 0
    const tokens = await Promise.all(clients.map((client) => client.getToken()))
    t.equal(requests, 1)
    t.ok(tokens.every(({ accessToken }) => accessToken === 'token-1'))
    t.equal(new Set(tokens.map(({ expiresAt }) => expiresAt)).size, 1)

    await server.kill()
    const [first, second] = clients as [TokenClient, TokenClient]
    t.equal((await first.getToken()).accessToken, 'token-1')
    t.equal((await first.getToken({ scopes: 'a/b' })).accessToken, 'token-2')
    t.equal((await second.getToken({ scopes: 'a/b' })).accessToken, 'token-3', 'each for itself')
  },
)
