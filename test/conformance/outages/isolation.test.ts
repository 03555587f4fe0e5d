/** What is sick stays alone: one pool of several, one issuer form of two. */
import t, { type Test } from 'tap'
import type { CognitoAuthOptions } from '../../../src/index.ts'
import { type JwksFault, startUserPool } from '../../../src/testing/index.ts'
import { Clocks } from '../../support/key-endpoint.ts'
import type { Answer, Surface } from '../behavior/endpoint.ts'
import { CLIENT } from './surface-fixture.ts'
import { isReached, isRefused, keysOf, onEverySurface, until } from './surface-proof.ts'

/** Requests that wait for the sick pool. */
const WAITING = 300

/** One server for several local pools, the last of them sick. */
async function openPools(t: Test, surface: Surface, count: number, fault: JwksFault | null) {
  const clocks = new Clocks()
  const pools = []
  for (let index = 0; index < count; index += 1) {
    const pool = await startUserPool({ clients: [{ clientId: CLIENT }], now: clocks.now })
    t.teardown(() => pool.close())
    pools.push(pool)
  }
  const sick = pools[count - 1] as (typeof pools)[0]
  await sick.setJwksFault(fault)
  const door = await surface.open({
    userPools: pools.map((pool) => {
      const { now: _, ...options } = pool.options()
      return options
    }),
    now: clocks.now,
    monotonicNow: clocks.monotonicNow,
    // As long as possible: a request that waited for a hanging fetch would be noticed.
    keyStore: { fetchTimeout: 30 },
  } as CognitoAuthOptions)
  t.teardown(() => door.close())
  const ask = (token: string): Promise<Answer> => door.ask(`Bearer ${token}`)
  return { healthy: pools.slice(0, -1), sick, door, clocks, ask }
}

/** A door's handler is one for all its requests: what one was given shows up with those that wait. */
const unshared = (answer: Answer): Answer => ({ ...answer, auth: undefined })

onEverySurface(
  t,
  'a pool whose key set hangs keeps no other pool waiting, with hundreds waiting for it',
  async (t, surface) => {
    for (const count of [2, 3]) {
      const { healthy, sick, door, ask } = await openPools(t, surface, count, 'hang')
      const token = sick.accessToken()
      let answered = 0
      const waiting = Array.from({ length: WAITING }, async () => {
        const answer = await ask(token)
        answered += 1
        return answer
      })
      await until(() => sick.jwksRequests === 1)
      for (const pool of healthy) {
        isReached(t, await ask(pool.accessToken()), 'the first request of another pool')
        pool.rotateKeys({ keepOld: true })
        isReached(t, await ask(pool.accessToken()), 'a rotation of another pool')
      }
      t.equal(answered, 0, 'the sick pool has not answered yet')
      t.equal(door.server.status().ready, false)
      for (const index of healthy.keys()) {
        t.match(keysOf(door, index), { ready: true, keysAge: 0, lastError: null })
      }
      t.match(keysOf(door, count - 1), { ready: false, keysAge: null, lastError: null })
      // Ends the only fetch; requests that waited for it get its error.
      await sick.setJwksFault('refuse')
      const [first, ...others] = (await Promise.all(waiting)) as [Answer, ...Answer[]]
      isRefused(t, surface, unshared(first), 'ERR_KEYS_UNAVAILABLE', 'who waited')
      t.ok(others.every(({ status, code }) => status === first.status && code === first.code))
      t.match(keysOf(door, count - 1), { ready: false, lastError: 'ERR_JWKS_NETWORK' })
      t.equal(keysOf(door, 0).lastError, null)
    }
  },
)

const told = { refuse: 'ERR_JWKS_NETWORK', 500: 'ERR_JWKS_STATUS' } as const

for (const fault of ['refuse', '500'] as const) {
  onEverySurface(
    t,
    `a pool whose endpoint fails (${fault}) is refused alone, and told apart by status`,
    async (t, surface) => {
      const { healthy, sick, door, ask, clocks } = await openPools(t, surface, 3, fault)
      const [first, second] = healthy as [typeof sick, typeof sick]
      const unjudged = await ask(sick.accessToken())
      isRefused(t, surface, unjudged, 'ERR_KEYS_UNAVAILABLE', 'the sick pool')
      isReached(t, await ask(first.accessToken()), 'the first pool')
      isReached(t, await ask(second.accessToken()), 'the second pool')
      const unauthenticated = await ask(first.tampered.unknownKey())
      isRefused(t, surface, unauthenticated, 'ERR_KEY_UNKNOWN', 'an unknown kid, which is rejected')
      t.strictSame(
        door.server.status().userPools.map(({ ready, lastError }) => [ready, lastError]),
        [
          [true, null],
          [true, null],
          [false, told[fault]],
        ],
      )
      await sick.setJwksFault(null)
      clocks.advance(60_000)
      isReached(t, await ask(sick.accessToken()), 'the sick pool, once it is well')
      t.equal(door.server.status().ready, true)
    },
  )
}

onEverySurface(
  t,
  'a pool that falls sick in mid-life keeps its known keys, and the others all of theirs',
  async (t, surface) => {
    const { healthy, sick, door, ask } = await openPools(t, surface, 2, null)
    const [other] = healthy as [typeof sick]
    const known = sick.accessToken()
    isReached(t, await ask(known), 'before')
    isReached(t, await ask(other.accessToken()), 'before')
    await sick.setJwksFault('hang')
    sick.rotateKeys({ keepOld: true })
    let answered = 0
    const rotated = sick.accessToken()
    const waiting = Array.from({ length: 20 }, async () => {
      const answer = await ask(rotated)
      answered += 1
      return answer
    })
    await until(() => sick.jwksRequests === 2)
    isReached(t, await ask(known), 'a known key of the sick pool')
    other.rotateKeys({ keepOld: true })
    isReached(t, await ask(other.accessToken()), 'a new key of the other')
    t.equal(answered, 0, 'only the unknown key waits')
    await sick.setJwksFault('refuse')
    for (const answer of await Promise.all(waiting)) {
      isRefused(t, surface, unshared(answer), 'ERR_KEYS_UNAVAILABLE', 'who waited')
    }
    t.equal(keysOf(door, 0).lastError, null)
    t.equal(keysOf(door, 1).lastError, 'ERR_JWKS_NETWORK')
  },
)
