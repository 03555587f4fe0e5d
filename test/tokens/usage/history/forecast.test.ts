/** The forecast of a month: each client at its own rate of the last seven days. */
import t from 'tap'
import { projectDays } from '../../../../src/tokens/usage/history/forecast.ts'
import type { UsageDay } from '../../../../src/tokens/usage/index.ts'
import { begin, DAY, NOON, POOL } from '../../../support/usage.ts'

/** Noon of 21 March 2026: 10.5 days of the month remain. */
const AT = Date.UTC(2026, 2, 21, 12) / 1000

function day(date: string, issued: number, more: Partial<UsageDay> = {}): UsageDay {
  const subject = { kind: 'client', userPoolId: POOL, clientId: 'a' } as const
  return { day: date, ...subject, issued, cached: 0, firstUsed: 0, lastUsed: AT, ...more }
}

/** Days of March with the tokens of a steady rate. */
function steady(first: number, last: number, perDay: number, more: Partial<UsageDay> = {}) {
  return Array.from({ length: last - first + 1 }, (_, index) =>
    day(`2026-03-${String(first + index).padStart(2, '0')}`, perDay, more),
  )
}

const total = (days: readonly UsageDay[]): number =>
  Math.round(1e6 * days.reduce((sum, { issued }) => sum + issued, 0)) / 1e6

t.test('a steady rate goes on until the end of the month', (t) => {
  const known = [...steady(1, 20, 240), day('2026-03-21', 120)]
  const projected = projectDays(known, AT)
  t.equal(total(projected), 10.5 * 240)
  t.strictSame(
    [projected.length, projected[0]?.day, projected.at(-1)?.day],
    [11, '2026-03-21', '2026-03-31'],
  )
  t.equal(projected[0]?.issued, 120, 'the rest of the current day')
  t.equal(projected.at(-1)?.issued, 240)
  t.end()
})

t.test('only the last seven days count, the oldest one in part', (t) => {
  t.equal(total(projectDays(steady(1, 13, 1000), AT)), 0)
  t.equal(total(projectDays([day('2026-03-14', 70)], AT)), (35 / 7) * 10.5)
  t.equal(total(projectDays([day('2026-03-15', 70)], AT)), (70 / 7) * 10.5)
  t.end()
})

t.test('a client that began two days ago is projected from its own rate', (t) => {
  const firstUsed = AT - 2 * DAY
  const known = [...steady(19, 19, 50, { firstUsed }), ...steady(20, 21, 100, { firstUsed })]
  t.equal(total(projectDays(known, AT)), (250 / 2) * 10.5)
  const unknown = [day('2026-03-19', 250, { firstUsed: null })]
  t.equal(total(projectDays(unknown, AT)), (250 / 2.5) * 10.5, 'without a time: from its first day')
  const first = [day('2026-03-14', 70, { firstUsed: AT - 7 * DAY + 3600 })]
  t.equal(
    total(projectDays(first, AT)),
    Math.round((1e6 * 70 * 10.5 * DAY) / (7 * DAY - 3600)) / 1e6,
  )
  t.end()
})

t.test('the first minutes of a client count as a day', (t) => {
  t.equal(total(projectDays([day('2026-03-21', 20, { firstUsed: AT - 60 })], AT)), 20 * 10.5)
  t.end()
})

t.test('subjects are projected separately, with cached tokens and resource servers', (t) => {
  const known = [
    day('2026-03-20', 70),
    day('2026-03-20', 7, { clientId: 'b', cached: 700 }),
    day('2026-03-20', 14, { resourceServers: ['orders'] }),
    day('2026-03-20', 0, { clientId: 'c' }),
    day('2026-03-25', 900, { clientId: 'd' }),
  ]
  const last = projectDays(known, AT).filter((it) => it.day === '2026-03-31')
  t.match(last, [
    { clientId: 'a', issued: 10, cached: 0 },
    { clientId: 'b', issued: 1, cached: 100 },
    { clientId: 'a', issued: 2, resourceServers: ['orders'] },
  ])
  t.equal(last.length, 3, 'without tokens, or with a time in the future, there is no rate')
  t.strictSame(projectDays([], AT), [])
  t.end()
})

t.test('at the last second of a month, one second is projected', (t) => {
  const at = Date.UTC(2026, 3, 1) / 1000 - 1
  const projected = projectDays(steady(1, 31, 86_400), at)
  t.equal(projected.length, 1)
  t.ok(Math.abs(total(projected) - 1) < 0.001)
  t.end()
})

t.test('usage.forecast() is the history with the projected month and its cost', async (t) => {
  const tiers = [{ upTo: 10, price: 2 }, { price: 1 }]
  const { usage, source, clock } = begin(t, { price: { currency: 'USD', per: 1, tiers } })
  for (let index = 0; index < 4; index += 1) source.token('issued', 'a')
  await usage.report()
  clock.seconds += 2 * DAY
  const forecast = await usage.forecast({ clients: [{ clientId: 'a', name: 'Orders' }] })
  const issued = 4 + 2 * 19.5
  t.match(forecast, {
    at: NOON + 2 * DAY,
    periods: [{ period: '2026-03', issued, complete: false }],
    rows: [{ clientId: 'a', name: 'Orders', issued }],
  })
  t.equal(forecast.total.cost, 10 * 2 + (issued - 10))
  t.match(await usage.history(), { periods: [{ period: '2026-03', issued: 4 }] })
  t.match(await usage.forecast(), { group: 'client' })
  await t.rejects(usage.forecast({ by: 'year' as 'day' }), { code: 'ERR_OPTION_INVALID' })
})
