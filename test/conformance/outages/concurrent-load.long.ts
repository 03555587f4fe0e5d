/** Too many at once: a herd of good first requests, and a flood of tokens that name unknown keys. */
import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import type { JwksHandler } from '../../../src/testing/index.ts'
import { SECOND } from '../../support/key-endpoint.ts'
import { createUnknownKidToken, openCrowd } from './concurrent-requests.ts'
import { openStage } from './surface-fixture.ts'
import { isReached, isRefused, keysOf, onEverySurface, until } from './surface-proof.ts'

/** As many as may wait for a fetch. */
const HERD = 1000
/** Connections they come on, where there are any: one each would cost a second more. */
const CONNECTIONS = 200
/** Concurrent requests of a flood: more than may wait would get 503. */
const WAVE = 1000
/** Waves on the bare core, and on what only carries requests to it and costs many times as much. */
const WAVES = { core: 20, carried: 2 }
/** Waves before memory is looked at: what runs for the first time is compiled, and leaves that. */
const WARM = 2
/** Characters of all kids of a flood: if they were kept, three times what may be left behind. */
const KIDS = 6_000_000
/** Bytes that a flood may leave behind, whatever its size: the noise of a heap. */
const LEFT = 2_000_000
/** A thousand requests in one process may hold its event loop up longer than a fetch may take. */

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

function heapUsed(): number {
  gc()
  return process.memoryUsage().heapUsed
}

onEverySurface(
  t,
  '1,000 simultaneous first requests make one fetch and are all let in',
  async (t, surface) => {
    let open: () => void = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const gated: JwksHandler = (_request, response) => {
      gate.then(() => response.end(JSON.stringify(stage.pool.jwks())))
    }
    let looks = 0
    const stage = await openStage(t, surface, {
      fault: (request, response) => gated(request, response),
      options: (_pool, clocks) => ({
        // Each token is checked against the clock once, right before the key lookup.
        now: () => {
          looks += 1
          return clocks.now()
        },
      }),
    })
    const { pool, door } = stage
    const crowd = await openCrowd(door, CONNECTIONS)
    t.teardown(() => crowd.close())
    const before = looks
    const token = pool.accessToken()
    const answers = crowd.ask(Array.from({ length: HERD }, () => token))
    await until(() => looks - before >= HERD && pool.jwksRequests > 0)
    open()
    t.strictSame([...(await answers)], [['200', HERD]])
    t.equal(pool.jwksRequests, 1)
  },
)

onEverySurface(
  t,
  'a flood of random kids, 20,000 on core, costs the budget and leaves nothing behind',
  async (t, surface) => {
    const { pool, clocks, door, ask } = await openStage(t, surface)
    const known = pool.accessToken()
    isReached(t, await ask(known), 'before')
    const crowd = await openCrowd(door, 20)
    t.teardown(() => crowd.close())
    const waves = surface.name === 'core' ? WAVES.core : WAVES.carried
    const bytes = Math.ceil(((KIDS / (waves * WAVE)) * 3) / 4)
    const kid = (): string => randomBytes(bytes).toString('base64')
    const wave = async (): Promise<void> => {
      const tokens = Array.from({ length: WAVE }, () => createUnknownKidToken(known, kid()))
      t.strictSame([...(await crowd.ask(tokens))], [['401 ERR_KEY_UNKNOWN', WAVE]])
      clocks.advance(SECOND)
    }
    for (let warm = 0; warm < WARM; warm += 1) await wave()
    // What stays would stay of both halves; what the runtime makes for itself comes once.
    const halves: number[] = []
    for (const half of [1, 2]) {
      const heap = heapUsed()
      for (let flood = 0; flood < waves / 2; flood += 1) await wave()
      halves.push(heapUsed() - heap)
      t.equal(halves.length, half)
    }
    const left = Math.min(...halves)
    t.ok(left < LEFT / 2, `${halves.join(' and ')} bytes left behind`)
    const seconds = WARM + waves
    const allowed = 3 + Math.floor(seconds / 5)
    const fetches = pool.jwksRequests - 1
    t.ok(fetches > 0 && fetches <= allowed, `${fetches} fetches in ${seconds} s`)
    isReached(t, await ask(known), 'a known key, in the flood')
    t.comment(`${seconds * WAVE} requests, ${fetches} fetches, ${left} bytes left`)
  },
)

onEverySurface(
  t,
  'who waits in vain beyond the 1,000 waiters gets 503, known keys are not touched',
  async (t, surface) => {
    let hanging = 0
    const { pool, door, ask } = await openStage(t, surface)
    const known = pool.accessToken()
    isReached(t, await ask(known), 'before')
    await pool.setJwksFault(() => {
      hanging += 1
    })
    const crowd = await openCrowd(door, 20)
    t.teardown(() => crowd.close())
    const answers = crowd.ask(Array.from({ length: HERD }, () => createUnknownKidToken(known)))
    await until(() => hanging === 1)
    if (door.port === undefined) {
      // Where requests are sockets, it is not visible from outside that all of them wait by now.
      const late = await ask(createUnknownKidToken(known))
      isRefused(t, surface, late, 'ERR_KEYS_UNAVAILABLE', 'one too many')
    }
    isReached(t, await ask(known), 'a known key meanwhile')
    await pool.setJwksFault('500')
    const unjudged = surface.name.startsWith('Lambda') ? 500 : 503
    t.strictSame([...(await answers)], [[`${unjudged} ERR_KEYS_UNAVAILABLE`, HERD]])
    t.equal(keysOf(door).lastError !== null, true)
    t.equal(pool.jwksRequests, 2, 'one fetch for all')
  },
)
