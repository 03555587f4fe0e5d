/** The forecast of a month, and the cost of the month in fixtures, which is calculated here by hand. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  createUsageHistory,
  forecastUsage,
  importUsage,
  type UsageDay,
  type UsagePrice,
} from '../../../../src/tokens/usage/index.ts'
import { createDay as day, POOL } from '../../../support/usage.ts'

const PRICE: UsagePrice = { currency: 'USD', per: 1, tiers: [{ price: 2 }] }
const DAY = 86_400
const seconds = (text: string): number => Date.parse(text) / 1000
const at = (text: string) => () => Date.parse(text)

/** Days of a month in a row, with one number of tokens. */
function daily(from: number, to: number, clientId: string, issued: number, cached = 0): UsageDay[] {
  return Array.from({ length: to - from + 1 }, (_, index) =>
    day(`2026-03-${String(from + index).padStart(2, '0')}`, clientId, issued, { cached }),
  )
}

t.test('the rest of the month has the rate of the last seven days', (t) => {
  const days = [
    day('2026-02-28', 'a', 1000),
    ...daily(1, 2, 'a', 500),
    ...daily(3, 9, 'a', 100, 10),
    day('2026-03-10', 'a', 50, { cached: 5 }),
  ]
  const forecast = forecastUsage(days, { price: PRICE, now: at('2026-03-10T12:00:00Z') })
  // 1,750 tokens in the month, and 21.5 days at 100.
  const issued = 1750 + 2150
  t.strictSame(forecast, {
    month: '2026-03',
    at: seconds('2026-03-10T12:00:00Z'),
    currency: 'USD',
    monthToDate: { issued: 1750, cached: 75, cost: 3500, withoutCache: 3650, saved: 150 },
    lastMonth: { issued: 1000, cached: 0, cost: 2000, withoutCache: 2000, saved: 0 },
    forecast: { issued, cached: 290, cost: 7800, withoutCache: 8380, saved: 580 },
    clients: [
      {
        kind: 'client',
        userPoolId: POOL,
        clientId: 'a',
        name: null,
        team: null,
        issuedPerDay: 100,
        cachedPerDay: 10,
        issued,
        cached: 290,
        cost: 7800,
        withoutCache: 8380,
        saved: 580,
      },
    ],
  })
  t.end()
})

t.test('a client that began two days ago is projected from its own rate', (t) => {
  const began = seconds('2026-03-08T12:00:00Z')
  const days = [
    ...daily(1, 10, 'old', 70),
    day('2026-03-08', 'new', 50, { firstUsed: began }),
    day('2026-03-09', 'new', 100, { firstUsed: began }),
    day('2026-03-10', 'new', 30, { firstUsed: began }),
    day('2026-03-10', 'today', 40, { firstUsed: seconds('2026-03-10T02:00:00Z') }),
    day('2026-03-10', 'just now', 2, { firstUsed: seconds('2026-03-10T11:59:59Z') }),
    { ...day('2026-03-10', null, 12), kind: 'unattributed' as const },
    day('2026-03-11', 'tomorrow', 1),
  ]
  const { clients } = forecastUsage(days, {
    now: at('2026-03-10T12:00:00Z'),
    clients: [{ clientId: 'new', name: 'New', team: 'shop' }],
  })
  t.strictSame(
    clients.map(({ clientId, name, team, issuedPerDay, cost }) => [
      ...[clientId, name, team, Math.round(issuedPerDay), cost],
    ]),
    [
      ['new', 'New', 'shop', 100, null],
      ['old', null, null, 70, null],
      ['today', null, null, 96, null],
      ['just now', null, null, 48, null],
      [null, null, null, 24, null],
    ],
  )
  t.end()
})

t.test('the rate of a client that began yesterday includes today', (t) => {
  const days = [
    day('2026-03-09', 'a', 1, { firstUsed: seconds('2026-03-09T23:59:59Z') }),
    day('2026-03-10', 'a', 50),
  ]
  const { clients } = forecastUsage(days, { now: at('2026-03-10T12:00:00Z') })
  t.equal(Math.round(clients[0]?.issuedPerDay ?? 0), 102)
  t.end()
})

t.test(
  'data that ended before now is projected from its end; a client that stopped has no rate',
  (t) => {
    const days = [...daily(1, 20, 'a', 10), day('2026-03-02', 'stopped', 5, { cached: 1 })]
    const {
      month,
      at: end,
      forecast,
      clients,
    } = forecastUsage(days, { now: at('2027-01-01T00:00:00Z') })
    t.strictSame([month, end, forecast.issued], ['2026-03', seconds('2026-03-21T00:00:00Z'), 315])
    t.match(clients, [{ issued: 310 }, { clientId: 'stopped', issued: 5, issuedPerDay: 0 }])
    const complete = forecastUsage(daily(1, 31, 'a', 10), { now: at('2026-04-01T00:00:00Z') })
    t.match(complete, { month: '2026-03', forecast: { issued: 310 }, monthToDate: { issued: 310 } })
    t.equal(complete.at, seconds('2026-03-31T00:00:00Z') + DAY)
    t.end()
  },
)

t.test('without data everything is 0, and cached tokens alone cost nothing', (t) => {
  const none = { issued: 0, cached: 0, cost: 0, withoutCache: 0, saved: 0 }
  t.match(forecastUsage([], { price: PRICE }), {
    month: null,
    at: null,
    currency: 'USD',
    clients: [],
    monthToDate: none,
    lastMonth: none,
    forecast: none,
  })
  t.match(forecastUsage([]), { currency: null, forecast: { cost: null } })
  const cached = [
    day('2026-03-31', 'a', 0, { cached: 4 }),
    day('2026-03-31', 'b', 0, { cached: 5 }),
  ]
  t.match(forecastUsage(cached, { price: PRICE }).clients, [
    { clientId: 'b', cost: 0, saved: 10, withoutCache: 10 },
    { clientId: 'a', cost: 0, saved: 8 },
  ])
  t.throws(() => forecastUsage([], { by: 'day' } as object), { code: 'ERR_OPTION_INVALID' })
  t.end()
})

const FIXTURE = 'fixtures/usage/insights-2026-03.csv'
const FIXTURE_PRICE = JSON.parse(readFileSync('fixtures/usage/price.json', 'utf8')) as UsagePrice

/** The bill of the fixture: its counts, and the two tiers of its price list. */
function billByHand(): number {
  const rows = readFileSync(FIXTURE, 'utf8').trim().split('\n').slice(1)
  const tokens = rows.reduce((sum, row) => sum + Number(row.split(',')[3]), 0)
  t.ok(tokens > 500_000, `${tokens} tokens`)
  return (250_000 * 2.25 + (tokens - 250_000) * 2) / 1000
}

t.test(
  'the cost of the month in fixtures is within 1 %, also as a forecast from its third week',
  async (t) => {
    const { days, summary } = await importUsage([FIXTURE])
    t.match(summary, { countedRows: 124, malformed: 0 })
    const bill = billByHand()
    const isClose = (cost: number | null, message: string) =>
      t.ok(Math.abs((cost as number) - bill) < bill / 100, `${message}: ${cost}, expected ${bill}`)
    const { total, rows } = createUsageHistory(days, {
      price: FIXTURE_PRICE,
      from: '2026-03',
      to: '2026-03',
    })
    isClose(total.cost, 'month')
    t.ok(Math.abs((total.cost as number) - bill) < 1e-6, 'and exact')
    t.equal(rows.length, 4)
    for (const last of ['2026-03-15', '2026-03-22', '2026-03-30']) {
      const known = days.filter(({ day }) => day <= last)
      isClose(forecastUsage(known, { price: FIXTURE_PRICE }).forecast.cost, last)
    }
  },
)
