/** Injected clocks: half a minute off, or broken, on a request and in the background. */
import t, { type Test } from 'tap'
import { type Clocks, SECOND } from '../../support/key-endpoint.ts'
import type { Surface } from '../behavior/endpoint.ts'
import { openStage } from './surface-fixture.ts'
import { isReached, isRefused, onEverySurface, until } from './surface-proof.ts'

/** Seconds, of Cognito's tokens and of the default tolerance. */
const LIFETIME = 3600
const TOLERANCE = 5

for (const [name, ahead] of [
  ['30 s fast', 30],
  ['30 s slow', -30],
] as const) {
  const shift = TOLERANCE - ahead
  const end = shift < 0 ? `${-shift} s before` : `${shift} s after`
  onEverySurface(
    t,
    `an API whose clock is ${name} lets fresh tokens in, and every token until ${end} exp`,
    async (t, surface) => {
      const { pool, clocks, ask } = await openStage(t, surface, {
        options: (_pool, clocks) => ({ now: () => clocks.now() + ahead * SECOND }),
      })
      const token = pool.accessToken({ expiresIn: LIFETIME })
      isReached(t, await ask(token), 'fresh')
      clocks.advance((LIFETIME + shift) * SECOND - 1)
      isReached(t, await ask(token), `a millisecond before it is ${end} exp`)
      clocks.advance(1)
      isRefused(t, surface, await ask(token), 'ERR_TOKEN_EXPIRED', `${end} exp`)
      isReached(t, await ask(), 'the next fresh one')
      // The shortest life that Cognito gives.
      isReached(t, await ask(pool.accessToken({ expiresIn: 300 })), 'one of five minutes')
    },
  )
}

const fails = (): never => {
  throw new Error('secret clock')
}

const senseless: readonly [string, () => unknown][] = [
  ['NaN', () => Number.NaN],
  ['undefined', () => undefined],
  ['text', () => 'soon'],
  ['Infinity', () => Number.POSITIVE_INFINITY],
  ['an object', () => ({})],
]

/** A surface one of whose clocks does what `broken` says, while it says anything. */
async function openBreakable(
  t: Test,
  surface: Surface,
  option: 'now' | 'monotonicNow',
  refreshInterval = 300,
) {
  const clock = { broken: undefined as (() => unknown) | undefined, readings: 0 }
  const read = (clocks: Clocks) => () => {
    clock.readings += 1
    return (clock.broken ?? clocks[option])() as number
  }
  const stage = await openStage(t, surface, {
    options: (_pool, clocks) => ({ [option]: read(clocks), keyStore: { refreshInterval } }),
  })
  isReached(t, await stage.ask(), 'while it is sound')
  return { ...stage, clock, token: stage.pool.accessToken() }
}

onEverySurface(
  t,
  'a wall clock that throws or talks nonsense opens nothing, and is over when it is',
  async (t, surface) => {
    const { clock, pool, ask, token } = await openBreakable(t, surface, 'now')
    clock.broken = fails
    if (surface.name === 'core') {
      // A guard without an adapter rethrows the error of the hook: it has no log.
      await t.rejects(ask(token), { message: 'secret clock' })
    } else {
      const answer = await ask(token)
      t.match(answer, { status: 500, code: 'ERR_INTERNAL' })
      t.equal(answer.headers['retry-after'], undefined)
      t.notMatch(JSON.stringify(answer), /secret/)
      if (surface.transport === 'http') t.equal(answer.headers['cache-control'], 'no-store')
    }
    for (const [what, broken] of senseless) {
      clock.broken = broken
      isRefused(t, surface, await ask(token), 'ERR_TOKEN_EXPIRED', what)
    }
    clock.broken = () => Number.NEGATIVE_INFINITY
    isRefused(t, surface, await ask(token), 'ERR_TOKEN_NOT_ACTIVE', 'before all time')
    clock.broken = undefined
    isReached(t, await ask(token), 'once it is sound again')
    t.equal(pool.jwksRequests, 1)
  },
)

onEverySurface(
  t,
  'a monotonic clock that throws or talks nonsense opens nothing, fetches nothing, and is over when it is',
  async (t, surface) => {
    const { clock, pool, ask, token } = await openBreakable(t, surface, 'monotonicNow')
    for (const [what, broken] of [['an error', fails] as const, ...senseless]) {
      clock.broken = broken
      isRefused(t, surface, await ask(token), 'ERR_KEYS_UNAVAILABLE', what)
      const unauthenticated = await ask(pool.tampered.unknownKey())
      isRefused(t, surface, unauthenticated, 'ERR_KEYS_UNAVAILABLE', `${what}, an unknown kid`)
    }
    t.equal(pool.jwksRequests, 1, 'no request became a fetch')
    clock.broken = undefined
    isReached(t, await ask(token), 'once it is sound again')
    pool.rotateKeys({ keepOld: true })
    isReached(t, await ask(), 'and rotations are noticed as before')
    t.equal(pool.jwksRequests, 2)
  },
)

for (const option of ['now', 'monotonicNow'] as const) {
  onEverySurface(
    t,
    `an idle process outlives a broken ${option}, and goes on refreshing`,
    async (t, surface) => {
      for (const broken of [fails, () => Number.NaN]) {
        // The timer is the subject: a real one, and short.
        const stage = await openBreakable(t, surface, option, 0.02)
        const { clock, clocks, pool, ask, token } = stage
        clock.broken = broken
        clocks.advance(60)
        // What is thrown in a timer, or rejects there, would end the process, and fail this test.
        const { readings } = clock
        await until(() => clock.readings > readings)
        // Without elapsed time nothing is due, and the age of what is there stays known.
        if (option === 'now') await until(() => pool.jwksRequests >= 2)
        else t.ok(pool.jwksRequests <= 2, `${pool.jwksRequests} fetches`)
        clock.broken = undefined
        isReached(t, await ask(token), 'once it is sound again')
        pool.rotateKeys()
        const before = pool.jwksRequests
        await until(() => {
          clocks.advance(1)
          return pool.jwksRequests >= before + 3
        })
        isRefused(t, surface, await ask(token), 'ERR_KEY_UNKNOWN', 'a key removed meanwhile')
      }
    },
  )
}
