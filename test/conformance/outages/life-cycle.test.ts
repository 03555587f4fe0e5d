/** Closing, and waking up: what ends with a server, and what a process that slept does first. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { type Clocks, HOUR, MINUTE } from '../../support/key-endpoint.ts'
import type { Answer } from '../behavior/endpoint.ts'
import { openStage } from './surface-fixture.ts'
import { isReached, isRefused, keysOf, onEverySurface, until } from './surface-proof.ts'

/** Real milliseconds between two refreshes, where the timer is the subject. */
const SHORT = 20

onEverySurface(
  t,
  'close aborts the fetch under way: the endpoint sees the connection end, who waits gets 503',
  async (t, surface) => {
    let fetching: ServerResponse | undefined
    const { pool, door, ask } = await openStage(t, surface, {
      fault: (_request, response) => {
        fetching = response
      },
    })
    const token = pool.accessToken()
    const waiting = [ask(token), ask(token), ask(token)]
    await until(() => fetching !== undefined)
    const response = fetching as unknown as ServerResponse
    const ended = once(response, 'close')
    door.server.close()
    await ended
    t.equal(response.writableFinished, false, 'ended by the other side')
    for (const answer of await Promise.all(waiting)) {
      isRefused(t, surface, answer, 'ERR_KEYS_UNAVAILABLE', 'who waited')
    }
    isRefused(t, surface, await ask(token), 'ERR_KEYS_UNAVAILABLE', 'who came later')
    t.equal(pool.jwksRequests, 1, 'nothing is fetched any more')
  },
)

onEverySurface(
  t,
  'close ends the timer: 503 from then on, for known keys too, and no fetch',
  async (t, surface) => {
    const { pool, clocks, door, ask } = await openStage(t, surface, {
      options: () => ({ keyStore: { refreshInterval: SHORT / 1000 } }),
    })
    const token = pool.accessToken()
    isReached(t, await ask(token), 'before')
    clocks.advance(2 * SHORT)
    await until(() => pool.jwksRequests === 2)
    await until(() => keysOf(door).nextAttempt !== 0)
    door.server.close()
    door.server.close()
    clocks.advance(HOUR)
    // Timers fire in the order they are due: one of the server's would have fired before this one.
    await setTimeout(3 * SHORT)
    t.equal(pool.jwksRequests, 2)
    isRefused(t, surface, await ask(token), 'ERR_KEYS_UNAVAILABLE', 'a known key')
    const unauthenticated = await ask(pool.tampered.unknownKey())
    isRefused(t, surface, unauthenticated, 'ERR_KEYS_UNAVAILABLE', 'an unknown one')
    t.equal(pool.jwksRequests, 2)
  },
)

/** What sleep does to clocks. More than two intervals: less is an ordinary refresh that is late. */
const sleeps: readonly [string, (clocks: Clocks) => void][] = [
  ['both clocks went on', (clocks) => clocks.advance(3 * HOUR)],
  ['both went on for two intervals', (clocks) => clocks.advance(11 * MINUTE)],
  [
    'the monotonic clock stood still',
    (clocks) => {
      clocks.wall += 3 * HOUR
    },
  ],
  [
    'the wall clock stood still',
    (clocks) => {
      clocks.monotonic += 3 * HOUR
    },
  ],
  [
    'the wall clock was set back',
    (clocks) => {
      clocks.wall -= 3 * HOUR
    },
  ],
  [
    'the monotonic clock began anew',
    (clocks) => {
      clocks.wall += 3 * HOUR
      clocks.monotonic = 0
    },
  ],
]

onEverySurface(
  t,
  'after a sleep, however the clocks show it, the first request already refuses a revoked key',
  async (t, surface) => {
    for (const [name, sleep] of sleeps) {
      const { pool, clocks, ask } = await openStage(t, surface)
      // Good whatever the wall clock says: the key is what it has to be refused for.
      const claims = { iat: 1, exp: 4_000_000_000 }
      const token = pool.accessToken({ claims })
      isReached(t, await ask(token), `${name}: before`)
      pool.rotateKeys()
      sleep(clocks)
      const herd = await Promise.all(Array.from({ length: 5 }, () => ask(token)))
      for (const answer of herd) {
        const { auth: _, ...told } = answer
        const alone: Answer = { ...told, auth: undefined }
        isRefused(t, surface, alone, 'ERR_KEY_UNKNOWN', `${name}: on wake`)
      }
      isReached(t, await ask(pool.accessToken({ claims })), `${name}: the key that is published`)
      t.ok(pool.jwksRequests <= 1 + 1 + 3, `${pool.jwksRequests} fetches`)
    }
  },
)

onEverySurface(
  t,
  'a wake while the endpoint is down keeps the old keys, and asks once',
  async (t, surface) => {
    const { pool, clocks, ask } = await openStage(t, surface)
    const token = pool.accessToken({ expiresIn: 86_400 })
    isReached(t, await ask(token), 'before')
    await pool.setJwksFault('500')
    clocks.advance(3 * HOUR)
    isReached(t, await ask(token), 'on wake')
    isReached(t, await ask(token), 'and after')
    t.equal(pool.jwksRequests, 2)
  },
)
