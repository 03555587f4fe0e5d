/**
 * Random steps of both clocks, forward and backward, while the key set endpoint fails and recovers. Keys
 * are used exactly as long as `maxStale` allows, and no fetch is made without a reason.
 */
import t, { type Test } from 'tap'
import { seeded } from '../../support/forge.ts'
import { type Clocks, HOUR, MINUTE, SECOND, settle } from '../../support/key-endpoint.ts'
import type { Surface } from '../behavior/endpoint.ts'
import { openCrowd } from './concurrent-requests.ts'
import { openStage } from './surface-fixture.ts'
import { onEverySurface } from './surface-proof.ts'

const STEPS = 150
const SEEDS = [1, 20, 300]
const MAX_STALE = 2 * HOUR
/** The shortest an interval gets: five minutes less a tenth. */
const INTERVAL = 4.5 * MINUTE
/** The shortest that a failing endpoint is left alone for. */
const BACKOFF = SECOND
/** Wall and monotonic clock so far apart, since the last fetch, that the process must have slept. */
const DRIFT = 5 * MINUTE

type Random = (limit: number) => number

/** Moves both clocks at random, and returns by how much the monotonic one advanced. */
function step(clocks: Clocks, random: Random): number {
  const sizes = [1, 400, BACKOFF, 20 * SECOND, 3 * MINUTE, 6 * MINUTE, 11 * MINUTE, HOUR]
  const by = 1 + random(sizes[random(sizes.length)] as number)
  const before = clocks.monotonic
  const moves = [
    () => clocks.advance(by),
    () => clocks.advance(by),
    () => clocks.advance(by),
    () => {
      clocks.monotonic += by
    },
    () => {
      clocks.monotonic -= by
    },
    () => {
      clocks.wall += by * 5
    },
    () => {
      clocks.wall -= by * 5
    },
    () => {
      clocks.monotonic = 0
    },
  ]
  ;(moves[random(moves.length)] as () => void)()
  return Math.max(0, clocks.monotonic - before)
}

/** A model of the state of a key store, derived from outside observations. */
class Oracle {
  /** Time that passed: a step back is none, and takes none away. */
  elapsed = 0
  /** When the current keys were requested. */
  goodAt = Number.NEGATIVE_INFINITY
  readonly unreasoned: string[] = []
  fetches = 0
  #last: { at: number; end: number; apart: number; good: boolean } | undefined

  begin(apart: number): { end(good: boolean): void } {
    this.fetches += 1
    const at = this.elapsed
    const last = this.#last
    if (last !== undefined) {
      const slept = Math.abs(apart - last.apart) > DRIFT
      const due = at - last.end >= (last.good ? INTERVAL : BACKOFF)
      if (!slept && !due) this.unreasoned.push(`fetch ${this.fetches}, ${at - last.end} ms later`)
    }
    return {
      end: (good) => {
        this.#last = { at, end: this.elapsed, apart, good }
        if (good) this.goodAt = at
      },
    }
  }

  get isTrusted(): boolean {
    return this.elapsed - this.goodAt <= MAX_STALE
  }
}

async function walk(t: Test, surface: Surface, seed: number) {
  const random = seeded(seed)
  // Separate: the number of fetches depends on the jitter of the store.
  const fetchRandom = seeded(seed + 1)
  const oracle = new Oracle()
  let up = true
  const { pool, clocks, door } = await openStage(t, surface, {
    options: (pool, clocks) => ({
      keyStore: { maxStale: MAX_STALE / SECOND },
      fetch: async () => {
        // How far the wall clock is ahead of the time that passed: a step of either shows there.
        const fetching = oracle.begin(clocks.wall - oracle.elapsed)
        const good = up
        // Some take their time, which counts: keys are as old as the question.
        if (fetchRandom(4) === 0) {
          const slow = fetchRandom(2 * SECOND)
          clocks.advance(slow)
          oracle.elapsed += slow
        }
        fetching.end(good)
        return good ? Response.json(pool.jwks()) : new Response('down', { status: 500 })
      },
    }),
  })
  const crowd = await openCrowd(door, 1)
  t.teardown(() => crowd.close())
  // Good at any time of the wall clock: keys are the only reason to refuse it.
  const token = pool.accessToken({ claims: { iat: -4_000_000_000, exp: 8_000_000_000 } })
  const unjudged = surface.name.startsWith('Lambda') ? 500 : 503
  const refusal = `${unjudged} ERR_KEYS_UNAVAILABLE`
  const counted = { reached: 0, refused: 0 }
  for (let index = 0; index < STEPS; index += 1) {
    // Longer and longer outages, so that keys grow too old as well.
    if (random(up ? 12 : 20) === 0) up = !up
    oracle.elapsed += step(clocks, random)
    const before = oracle.isTrusted
    const [answer = ''] = (await crowd.ask([token])).keys()
    await settle()
    // A fetch meanwhile may bring new keys, or take so long that the old ones grow too old.
    const allowed = [before, oracle.isTrusted].map((trusted) => (trusted ? '200' : refusal))
    if (!allowed.includes(answer)) t.fail(`seed ${seed}, step ${index}: ${answer}`)
    if (answer === '200') counted.reached += 1
    else counted.refused += 1
  }
  t.strictSame(oracle.unreasoned, [], `seed ${seed}: every fetch has a reason`)
  return { ...counted, fetches: oracle.fetches }
}

onEverySurface(
  t,
  'no step of either clock extends or resets the age of keys, or makes a fetch of its own',
  async (t, surface) => {
    const total = { reached: 0, refused: 0, fetches: 0 }
    for (const seed of SEEDS) {
      const { reached, refused, fetches } = await walk(t, surface, seed)
      total.reached += reached
      total.refused += refused
      total.fetches += fetches
    }
    // A walk that never met an outage, or never came out of one, would prove nothing.
    t.ok(total.reached > STEPS / 2, `${total.reached} let in`)
    t.ok(total.refused > STEPS / 10, `${total.refused} refused`)
    t.comment(`${total.reached} let in, ${total.refused} refused, ${total.fetches} fetches`)
  },
)
