/** Keys that come, go and change, over a real endpoint: when each surface takes notice. */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import t from 'tap'
import type { JwksHandler } from '../../../src/testing/index.ts'
import { MINUTE, SECOND } from '../../support/key-endpoint.ts'
import { openStage, type Stage } from './surface-fixture.ts'
import { isReached, isRefused, keysOf, onEverySurface, until } from './surface-proof.ts'

/** The longest an interval gets: five minutes and a tenth. */
const INTERVAL = 5.5 * MINUTE

/** A day, so that no token expires before its key goes. */
const lasting = ({ pool }: Stage): string => pool.accessToken({ expiresIn: 86_400 })

const serving =
  (keySet: unknown): JwksHandler =>
  (_request, response) =>
    response.end(JSON.stringify(keySet))

/** What traffic does past an interval: one request starts the refresh, and does not wait for it. */
async function refreshUnderTraffic({ clocks, door, ask }: Stage, token: string): Promise<void> {
  clocks.advance(INTERVAL)
  await ask(token)
  await until(() => keysOf(door).keysAge === 0)
}

onEverySurface(t, 'a new key is accepted at its first use', async (t, surface) => {
  const stage = await openStage(t, surface)
  const { pool, ask } = stage
  const old = lasting(stage)
  isReached(t, await ask(old), 'the old key')
  pool.rotateKeys({ keepOld: true })
  isReached(t, await ask(), 'the new key')
  t.equal(pool.jwksRequests, 2, 'for one fetch')
  pool.rotateKeys({ keepOld: true })
  isReached(t, await ask(), 'the next one, right after a fetch')
  t.equal(pool.jwksRequests, 3)
  isReached(t, await ask(old), 'the old key, still published')
  t.equal(pool.jwksRequests, 3)
})

onEverySurface(
  t,
  'a key used before it is published is accepted at its next use',
  async (t, surface) => {
    const { pool, ask } = await openStage(t, surface)
    isReached(t, await ask(), 'before')
    await pool.setJwksFault(serving(pool.jwks()))
    pool.rotateKeys({ keepOld: true })
    const early = pool.accessToken()
    isRefused(t, surface, await ask(early), 'ERR_KEY_UNKNOWN', 'too early')
    await pool.setJwksFault(null)
    isReached(t, await ask(early), 'the same token, once published')
  },
)

onEverySurface(
  t,
  'a key used while the endpoint fails is accepted once that is over',
  async (t, surface) => {
    const { pool, clocks, door, ask } = await openStage(t, surface)
    const known = pool.accessToken()
    isReached(t, await ask(known), 'before')
    await pool.setJwksFault('500')
    pool.rotateKeys({ keepOld: true })
    const early = pool.accessToken()
    isRefused(t, surface, await ask(early), 'ERR_KEYS_UNAVAILABLE', 'it could not be judged')
    isReached(t, await ask(known), 'a known key meanwhile')
    await pool.setJwksFault(null)
    clocks.advance(Math.ceil((keysOf(door).nextAttempt as number) * SECOND))
    isReached(t, await ask(early), 'the same token, after one backoff step')
  },
)

onEverySurface(
  t,
  'in a flood, a new key is accepted one cooldown after its publication at most',
  async (t, surface) => {
    // The budget is spent, and so is the one fetch that came back.
    for (const moment of [400, 5200]) {
      const { pool, clocks, ask } = await openStage(t, surface)
      await ask()
      const codes = new Set<string | undefined>()
      const flood = async (): Promise<void> => {
        codes.add((await ask(pool.tampered.unknownKey())).code)
        clocks.advance(200)
      }
      for (let time = 0; time <= moment; time += 200) await flood()
      pool.rotateKeys({ keepOld: true })
      const published = clocks.monotonic
      const token = pool.accessToken()
      isRefused(t, surface, await ask(token), 'ERR_KEY_UNKNOWN', 'right after its publication')
      do await flood()
      while ((await ask(token)).status !== 200 && clocks.monotonic < published + MINUTE)
      const waited = clocks.monotonic - published
      t.ok(waited <= 5 * SECOND, `accepted after ${waited} ms`)
      t.ok(pool.jwksRequests <= 1 + 3 + 2, `${pool.jwksRequests} fetches`)
      t.strictSame([...codes], ['ERR_KEY_UNKNOWN'], 'the flood is refused')
    }
  },
)

onEverySurface(
  t,
  'a stale edge that brings the old key set back once does no lasting harm',
  async (t, surface) => {
    const stage = await openStage(t, surface)
    const { pool, ask } = stage
    const revoked = lasting(stage)
    isReached(t, await ask(revoked), 'the first key')
    const before = pool.jwks()
    pool.rotateKeys()
    const token = lasting(stage)
    isReached(t, await ask(token), 'the new key')
    isRefused(t, surface, await ask(revoked), 'ERR_KEY_UNKNOWN', 'the first key is gone')
    await pool.setJwksFault(serving(before))
    await refreshUnderTraffic(stage, token)
    await pool.setJwksFault(null)
    isReached(t, await ask(token), 'the new key, at its first use after the edge')
    isRefused(t, surface, await ask(revoked), 'ERR_KEY_UNKNOWN', 'and the first one is gone again')
  },
)

onEverySurface(
  t,
  'under steady traffic a removed key is refused from the next refresh on, a used token too',
  async (t, surface) => {
    const stage = await openStage(t, surface)
    const { pool, clocks, door, ask } = stage
    const token = lasting(stage)
    isReached(t, await ask(token), 'before')
    pool.rotateKeys()
    let trusted = 0
    for (; trusted <= 10 * MINUTE; trusted += 30 * SECOND) {
      const answer = await ask(token)
      if (answer.status !== 200) {
        isRefused(t, surface, answer, 'ERR_KEY_UNKNOWN', 'the very token that was accepted')
        break
      }
      // Due means that the request began a refresh: real time has to pass for it, not the clocks'.
      await until(() => keysOf(door).nextAttempt !== 0)
      clocks.advance(30 * SECOND)
    }
    t.ok(trusted >= 4.5 * MINUTE, 'known keys cost no fetch before')
    t.ok(trusted <= INTERVAL + 30 * SECOND, `trusted for ${trusted / SECOND} s`)
    isReached(t, await ask(), 'the key that is published')
  },
)

onEverySurface(
  t,
  'without traffic a removed key is refused at the first request after the refresh',
  async (t, surface) => {
    // The timer is the subject: a real one, and short. It looks at the clock moved by hand.
    const stage = await openStage(t, surface, {
      options: () => ({ keyStore: { refreshInterval: 0.05 } }),
    })
    const { pool, clocks, door, ask } = stage
    const token = lasting(stage)
    isReached(t, await ask(token), 'before')
    pool.rotateKeys()
    clocks.advance(60)
    await until(() => keysOf(door).keysAge === 0)
    t.equal(pool.jwksRequests, 2, 'refreshed by the timer')
    isRefused(t, surface, await ask(token), 'ERR_KEY_UNKNOWN', 'the very token that was accepted')
    isReached(t, await ask(), 'the key that is published')
  },
)

onEverySurface(
  t,
  'new key material under the same kid is noticed at the next refresh',
  async (t, surface) => {
    const stage = await openStage(t, surface)
    const { pool, ask } = stage
    const { kid } = pool.jwks().keys[1] as { kid: string }
    const old = lasting(stage)
    isReached(t, await ask(old), 'before')
    pool.rotateKeys()
    const [id, access] = pool.jwks().keys
    await pool.setJwksFault(serving({ keys: [id, { ...access, kid }] }))
    const changed = pool.accessToken({ expiresIn: 86_400, header: { kid } })
    isRefused(t, surface, await ask(changed), 'ERR_TOKEN_SIGNATURE', 'until then the old one holds')
    await refreshUnderTraffic(stage, old)
    isRefused(t, surface, await ask(old), 'ERR_TOKEN_SIGNATURE', 'the old material')
    isReached(t, await ask(changed), 'the new material')
    t.equal(pool.jwksRequests, 2, 'a kid that is known costs no fetch')
  },
)

onEverySurface(t, 'a refresh that changes nothing imports nothing anew', async (t, surface) => {
  // A surface shows no KeyObject: the missing import shows that it was kept.
  const { createPublicKey } = crypto
  let imported = 0
  crypto.createPublicKey = (...args) => {
    imported += 1
    return createPublicKey(...args)
  }
  syncBuiltinESMExports()
  t.teardown(() => {
    crypto.createPublicKey = createPublicKey
    syncBuiltinESMExports()
  })
  const stage = await openStage(t, surface)
  const token = lasting(stage)
  isReached(t, await stage.ask(token), 'before')
  t.equal(imported, 2, 'both keys of the set')
  for (let refresh = 0; refresh < 3; refresh += 1) await refreshUnderTraffic(stage, token)
  t.equal(stage.pool.jwksRequests, 4)
  t.equal(imported, 2, 'unchanged keys were kept')
  isReached(t, await stage.ask(token), 'after')
  stage.pool.rotateKeys({ keepOld: true })
  isReached(t, await stage.ask(), 'a new key')
  t.equal(imported, 4, 'only what is new was imported')
})
