/** Unauthenticated requests with an unknown kid at a slow pace: what they can delay, and what they cannot. */
import t, { type Test } from 'tap'
import { MINUTE, SECOND } from '../../support/key-endpoint.ts'
import type { Surface } from '../behavior/endpoint.ts'
import { createUnknownKidToken, openCrowd } from './concurrent-requests.ts'
import { openStage } from './surface-fixture.ts'
import { keysOf, onEverySurface, until } from './surface-proof.ts'

const COOLDOWN = 5 * SECOND
/** The longest an interval gets: five minutes and a tenth. */
const INTERVAL = 5.5 * MINUTE
/** Steps of the clock between two questions after a rotation. */
const STEP = 500

/** A surface with a key set endpoint in memory: hours of a trickle are many fetches. */
async function openTrickle(t: Test, surface: Surface) {
  const stage = await openStage(t, surface, {
    options: (pool) => ({ fetch: async () => Response.json(pool.jwks()) }),
  })
  const { pool, clocks, door } = stage
  const crowd = await openCrowd(door, 1)
  t.teardown(() => crowd.close())
  const ask = async (token: string): Promise<string> => {
    const [answer = ''] = (await crowd.ask([token])).keys()
    return answer
  }
  const known = pool.accessToken({ expiresIn: 86_400 })
  t.equal(await ask(known), '200')
  const refusals = new Set<string>()
  /** One unauthenticated request every `pace` milliseconds, `times` times. */
  const trickle = async (pace: number, times: number): Promise<void> => {
    for (let count = 0; count < times; count += 1) {
      refusals.add(await ask(createUnknownKidToken(known)))
      clocks.advance(pace)
    }
  }
  return { ...stage, ask, known, trickle, refusals }
}

onEverySurface(
  t,
  'unauthenticated requests no faster than the cooldown delay no rotation',
  async (t, surface) => {
    for (const pace of [COOLDOWN, 4 * MINUTE]) {
      for (const moment of [0, pace / 2, pace - 1]) {
        const { pool, clocks, ask, trickle, refusals } = await openTrickle(t, surface)
        for (let rotation = 0; rotation < 2; rotation += 1) {
          await trickle(pace, 9)
          await trickle(moment, 1)
          pool.rotateKeys({ keepOld: true })
          t.equal(await ask(pool.accessToken()), '200', 'at its first use')
          clocks.advance(pace - moment)
        }
        t.strictSame([...refusals], ['401 ERR_KEY_UNKNOWN'], `one each ${pace} ms`)
      }
    }
  },
)

onEverySurface(
  t,
  'faster unauthenticated requests delay a rotation by at most one cooldown after publication',
  async (t, surface) => {
    // Each for so long that the budget is spent.
    for (const [pace, times] of [
      [4900, 160],
      [SECOND, 10],
      [100, 50],
    ] as const) {
      const { pool, clocks, ask, trickle, refusals } = await openTrickle(t, surface)
      await trickle(pace, times)
      let longest = 0
      for (let rotation = 0; rotation < 3; rotation += 1) {
        // Each time at another moment of the cooldown.
        await trickle(pace, Math.ceil(COOLDOWN / pace))
        clocks.advance(rotation * 1130)
        pool.rotateKeys({ keepOld: true })
        const published = clocks.monotonic
        const token = pool.accessToken()
        let lastRequestAt = published
        while ((await ask(token)) !== '200' && clocks.monotonic < published + MINUTE) {
          clocks.advance(STEP)
          if (clocks.monotonic < lastRequestAt + pace) continue
          lastRequestAt = clocks.monotonic
          await trickle(0, 1)
        }
        longest = Math.max(longest, clocks.monotonic - published)
      }
      t.ok(longest <= COOLDOWN, `one each ${pace} ms: accepted after ${longest} ms at the latest`)
      t.strictSame([...refusals], ['401 ERR_KEY_UNKNOWN'])
    }
  },
)

onEverySurface(
  t,
  'unauthenticated requests do not postpone the refresh that removes a revoked key',
  async (t, surface) => {
    for (const pace of [COOLDOWN, 4.4 * MINUTE, 5.2 * MINUTE]) {
      const { pool, clocks, door, ask, known, trickle } = await openTrickle(t, surface)
      await trickle(pace, 5)
      pool.rotateKeys()
      const revoked = clocks.monotonic
      while (clocks.monotonic + pace < revoked + INTERVAL) {
        clocks.advance(pace)
        await trickle(0, 1)
      }
      clocks.advance(revoked + INTERVAL - clocks.monotonic)
      // The request of any caller starts the due refresh; the old keys answer that request at most.
      await ask(pool.accessToken({ expiresIn: 86_400 }))
      await until(() => keysOf(door).nextAttempt !== 0)
      t.equal(await ask(known), '401 ERR_KEY_UNKNOWN', `one each ${pace} ms`)
    }
  },
)
