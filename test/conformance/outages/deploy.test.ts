/** A rolling deploy during an outage, and what unauthenticated callers can do to either kind of instance. */
import t from 'tap'
import { type CognitoAuthOptions, createResourceServer } from '../../../src/index.ts'
import { startUserPool } from '../../../src/testing/index.ts'
import { MINUTE, SECOND } from '../../support/key-endpoint.ts'
import { fetchLimit } from '../../support/real-limit.ts'
import { openStage } from './surface-fixture.ts'
import { isReached, isRefused, onEverySurface } from './surface-proof.ts'

onEverySurface(
  t,
  'an instance started in an outage is not ready, one started before serves on',
  async (t, surface) => {
    const { pool, clocks, door, ask } = await openStage(t, surface)
    const token = pool.accessToken()
    isReached(t, await ask(token), 'before')
    await pool.setJwksFault('refuse')
    clocks.advance(MINUTE)
    const { monotonicNow } = clocks
    const started = await surface.open({ ...pool.options(), monotonicNow } as CognitoAuthOptions)
    t.teardown(() => started.close())
    isRefused(t, surface, await started.ask(`Bearer ${token}`), 'ERR_KEYS_UNAVAILABLE', 'the new')
    t.equal(started.server.status().ready, false)
    isReached(t, await ask(token), 'the old')
    t.equal(door.server.status().ready, true)
    await pool.setJwksFault(null)
    clocks.advance(MINUTE)
    isReached(t, await started.ask(`Bearer ${token}`), 'the new one, once it is over')
    t.equal(started.server.status().ready, true)
  },
)

onEverySurface(
  t,
  'an instance started in an outage with initial keys serves from its first request',
  async (t, surface) => {
    const { pool, clocks, door, ask } = await openStage(t, surface, {
      fault: 'refuse',
      options: (pool) => ({ jwks: { initial: pool.jwks() } }) as Partial<CognitoAuthOptions>,
    })
    isReached(t, await ask(), 'at once')
    await door.server.ready()
    t.match(door.server.status(), { ready: true })
    t.match(door.server.status().userPools, [{ lastError: 'ERR_JWKS_NETWORK' }])
    await pool.setJwksFault(null)
    pool.rotateKeys({ keepOld: true })
    clocks.advance(MINUTE)
    isReached(t, await ask(), 'a key that is not among them, once it is over')
  },
)

t.test("with startup: 'require' an instance does not start in an outage", async (t) => {
  const pool = await startUserPool()
  t.teardown(() => pool.close())
  await pool.setJwksFault('500')
  const server = createResourceServer({ ...pool.options(), keyStore: { startup: 'require' } })
  t.teardown(() => server.close())
  await t.rejects(server.ready(), {
    code: 'ERR_KEYS_UNAVAILABLE',
    message: /^cognito-m2m: no keys for user pool .*: check issuer, jwksUri and egress/,
  })
})

onEverySurface(
  t,
  'in an outage unauthenticated callers get 503 for made-up kids, and authenticated callers are served',
  async (t, surface) => {
    const { pool, clocks, ask } = await openStage(t, surface)
    const token = pool.accessToken()
    isReached(t, await ask(token), 'before')
    await pool.setJwksFault('500')
    clocks.advance(10 * SECOND)
    for (let turn = 0; turn < 20; turn += 1) {
      const unauthenticated = await ask(pool.tampered.unknownKey())
      isRefused(t, surface, unauthenticated, 'ERR_KEYS_UNAVAILABLE', 'a made-up kid')
      isReached(t, await ask(token), 'a known key beside it')
    }
    t.ok(pool.jwksRequests <= 5, `${pool.jwksRequests} fetches`)
    for (const [code, sent] of [
      ['ERR_TOKEN_INVALID', 'garbage'],
      ['ERR_TOKEN_EXPIRED', pool.tampered.expired()],
      ['ERR_TOKEN_SIGNATURE', pool.tampered.wrongKey()],
    ] as const) {
      isRefused(t, surface, await ask(sent), code, 'judged without the endpoint')
    }
  },
)

onEverySurface(t, 'healthy again, a made-up kid is 401 and no longer 503', async (t, surface) => {
  const limit = fetchLimit()
  const { pool, clocks, ask } = await openStage(t, surface, {
    options: () => ({ keyStore: { fetchTimeout: limit.milliseconds / 1000 } }),
  })
  isReached(t, await ask(), 'before')
  await pool.setJwksFault('hang')
  limit.shorten()
  clocks.advance(MINUTE)
  isRefused(t, surface, await ask(pool.tampered.unknownKey()), 'ERR_KEYS_UNAVAILABLE', 'in it')
  await pool.setJwksFault(null)
  limit.lengthen()
  clocks.advance(MINUTE)
  isRefused(t, surface, await ask(pool.tampered.unknownKey()), 'ERR_KEY_UNKNOWN', 'after it')
})

onEverySurface(
  t,
  'what is refused in health is refused in an outage, with the same code',
  async (t, surface) => {
    const { pool, clocks, ask } = await openStage(t, surface, {
      requirement: { scopes: 'orders/read' },
    })
    const { tampered } = pool
    const reader = pool.accessToken({ scopes: 'orders/read' })
    const refused = [
      ['ERR_TOKEN_INVALID', tampered.unsigned()],
      ['ERR_TOKEN_ISSUER', tampered.wrongPool()],
      ['ERR_TOKEN_EXPIRED', tampered.expired()],
      ['ERR_TOKEN_SIGNATURE', tampered.wrongKey()],
      ['ERR_TOKEN_SIGNATURE', tampered.altered()],
      ['ERR_TOKEN_USE', pool.idToken()],
    ] as const
    for (const state of ['health', 'an outage']) {
      isReached(t, await ask(reader), state)
      for (const [code, token] of refused) isRefused(t, surface, await ask(token), code, state)
      t.equal((await ask(pool.accessToken({ scopes: 'x/y' }))).code, 'ERR_SCOPE_INSUFFICIENT')
      await pool.setJwksFault('500')
      clocks.advance(6 * MINUTE)
    }
  },
)
