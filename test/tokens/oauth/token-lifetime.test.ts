/** Phases of a cached token, for client and proxy. */
import t from 'tap'
import { phaseAt, tokenLifetime } from '../../../src/tokens/oauth/token-lifetime.ts'

const MINUTE = 60_000
const phases = (limits: Parameters<typeof tokenLifetime>[0], ages: readonly number[]) =>
  ages.map((age) => phaseAt(tokenLifetime(limits), age))

for (const [minutes, expiringAt] of [
  [5, 262_500],
  [15, 787_500],
  [20, 1_050_000],
  [60, 3_300_000],
] as const) {
  t.test(`a token of ${minutes} minutes`, async (t) => {
    const lifetimeMs = minutes * MINUTE
    const limits = { lifetimeMs, minRemainingMs: 300_000 }
    const refreshAt = 0.75 * lifetimeMs
    t.strictSame(tokenLifetime(limits), { refreshAt, expiringAt, endsAt: lifetimeMs - 5000 })
    t.strictSame(phases(limits, [0, refreshAt - 1, refreshAt, expiringAt - 1]), [
      'fresh',
      'fresh',
      'refreshDue',
      'refreshDue',
    ])
    t.strictSame(phases(limits, [expiringAt, lifetimeMs - 5001, lifetimeMs - 5000, lifetimeMs]), [
      'expiring',
      'expiring',
      'ended',
      'ended',
    ])
  })
}

t.test('maxAge ends a token earlier, and the phases before it move with it', async (t) => {
  const limits = { lifetimeMs: 24 * 60 * MINUTE, minRemainingMs: 300_000, maxAgeMs: 60 * MINUTE }
  t.strictSame(tokenLifetime(limits), {
    refreshAt: 45 * MINUTE,
    expiringAt: 55 * MINUTE,
    endsAt: 60 * MINUTE,
  })
})

t.test('minRemaining of 0: no caller waits while the token is served', async (t) => {
  const limits = { lifetimeMs: 60 * MINUTE, minRemainingMs: 0 }
  t.strictSame(phases(limits, [60 * MINUTE - 5001, 60 * MINUTE - 5000]), ['refreshDue', 'ended'])
})

t.test('a lifetime of seconds has all phases, in order', async (t) => {
  const { refreshAt, expiringAt, endsAt } = tokenLifetime({
    lifetimeMs: 4000,
    minRemainingMs: 300_000,
  })
  t.strictSame([refreshAt, expiringAt, endsAt], [3000, 3500, 3750])
})

t.test('a clock that failed ends the token', async (t) => {
  t.strictSame(phases({ lifetimeMs: 60 * MINUTE, minRemainingMs: 0 }, [Number.NaN]), ['ended'])
})
