/** The token proxy as apps register it: compiled, never run. */
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import { Redis } from 'ioredis'
import type { DiagnosticsEvents } from '../../src/index.ts'
import byDefault, {
  type EncryptionKey,
  memoryStore,
  redisStore,
  type StoreEntry,
  type StoreLookup,
  type TokenProxy,
  type TokenProxyOptions,
  type TokenStore,
  tokenProxy,
} from '../../src/tokens/proxy/index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Same<A, B>): void {}

same<Awaited<ReturnType<TokenStore['get']>>, StoreLookup>(true)
same<Parameters<TokenStore['set']>[2], StoreEntry>(true)

export async function register(app: FastifyInstance, store: TokenStore): Promise<void> {
  const tokenEndpoint = 'https://example.auth.eu-west-1.amazoncognito.com/oauth2/token'
  const encryptionKeys: readonly EncryptionKey[] = [{ id: 'a', key: new Uint8Array(32) }]
  same<typeof tokenProxy, FastifyPluginAsync<TokenProxyOptions>>(true)
  same<typeof byDefault, typeof tokenProxy>(true)

  await app.register(tokenProxy, { tokenEndpoint })
  await app.register(tokenProxy, {
    tokenEndpoint,
    clients: ['a'],
    store,
    encryptionKeys,
    headers: { 'x-a': 'a', 'x-b': () => 'b', 'x-c': async () => 'c' },
    authorize: (request) => {
      same<typeof request, FastifyRequest>(true)
      return request.ip === '127.0.0.1'
    },
    upstream: { perSecond: 1, unprovenPerSecond: 1, concurrency: 1 },
    minRemaining: 1,
    maxAge: 1,
    timeout: 1,
    now: Date.now,
    monotonicNow: () => performance.now(),
    fetch,
  })
  await app.register(tokenProxy, { tokenEndpoint, store: memoryStore({ maxEntries: 5 }) })
  await app.register(tokenProxy, {
    tokenEndpoint,
    store: redisStore({ redis: new Redis() }),
    encryptionKeys,
    clients: async (clientId) => clientId === 'a',
    authorize: async () => true,
  })

  same<typeof app.tokenProxy, TokenProxy>(true)
  same<typeof told, boolean>(true)
  const told = await app.tokenProxy.invalidate({ clientId: 'a' })
  const { instance, inFlight, store: kept } = app.tokenProxy.status()
  same<typeof instance, DiagnosticsEvents['cognito-m2m:token-request']['instance']>(true)
  same<typeof inFlight, number>(true)
  same<typeof kept.degraded, boolean>(true)

  await app.register(tokenProxy, { userPoolsApi: { region: 'eu-west-1' } })
  await app.register(tokenProxy, { userPoolsApi: { endpoint: 'https://vpce.example.com' } })
  await app.register(tokenProxy, { tokenEndpoint: [tokenEndpoint, 'https://b.example/token'] })
  await app.register(tokenProxy, { userPoolsApi: [{ region: 'a' }, { region: 'b' }] })
  // @ts-expect-error three Regions
  await app.register(tokenProxy, { tokenEndpoint: ['a', 'b', 'c'] })
  // @ts-expect-error unknown member
  await app.register(tokenProxy, { userPoolsApi: { url: 'https://vpce.example.com' } })
  // @ts-expect-error unknown option
  await app.register(tokenProxy, { tokenEndpoint, ttl: 5 })
  // @ts-expect-error a header is a string or a function
  await app.register(tokenProxy, { tokenEndpoint, headers: { 'x-a': 5 } })
  // @ts-expect-error a verdict is a boolean
  await app.register(tokenProxy, { tokenEndpoint, authorize: () => 'yes' })
  // @ts-expect-error one client, by name
  await app.tokenProxy.invalidate('a')
}
