/** `usage.days()` and `usage.history()`: the counts of this package by day and month. */
import t from 'tap'
import { begin, DAY, NOON, POOL } from '../../../support/usage.ts'

t.test('days have the tokens of each subject, with the first and last use overall', async (t) => {
  const { usage, source, clock } = begin(t)
  source.token('issued', 'a')
  clock.seconds += DAY
  source.token('cached', 'a')
  source.token('issued', 'a')
  source.token('refused', null)
  const subject = { kind: 'client', userPoolId: POOL, clientId: 'a' }
  const times = { firstUsed: NOON, lastUsed: NOON + DAY }
  t.strictSame(await usage.days(), [
    { day: '2026-03-10', ...subject, issued: 1, cached: 0, ...times },
    { day: '2026-03-11', ...subject, issued: 1, cached: 1, ...times },
  ])
})

t.test('a history has the price of the usage, which is read once', async (t) => {
  const price = { currency: 'USD', per: 1, tiers: [{ price: 2 }] }
  const { usage, source, clock } = begin(t, { price })
  source.token('issued', 'a')
  price.tiers[0] = { price: 100 }
  clock.seconds += 30 * DAY
  source.token('cached', 'a')
  const history = await usage.history({ group: 'total' })
  t.match(history, { at: clock.seconds, from: '2026-03-10', to: '2026-04-09', by: 'month' })
  t.strictSame(
    history.periods.map(({ period, cost, saved }) => [period, cost, saved]),
    [
      ['2026-03', 2, 0],
      ['2026-04', 0, 2],
    ],
  )
  t.match(await usage.history(), { group: 'client', rows: [{ clientId: 'a' }, { clientId: 'a' }] })
})

t.test('a store without a total of the subject has no times', async (t) => {
  const { usage } = begin(t, {
    store: {
      add: async () => {},
      totals: async () => [],
      buckets: async (_, __, count) =>
        Array.from({ length: count }, (___, index) =>
          index === 0 ? new Map([['other', { issued: 1, cached: 0 }]]) : new Map(),
        ),
      close: async () => {},
    },
  })
  t.match(await usage.days(), [{ kind: 'other', firstUsed: null, lastUsed: null }])
})

t.test('csv and json by period', async (t) => {
  const { usage, source } = begin(t)
  source.token('issued', 'a')
  const csv = await usage.csv({ by: 'day', clients: [{ clientId: 'a', name: 'Orders' }] })
  t.match(csv, /^period,group,.*\r\n"2026-03-10","a",.*"Orders",.*,1,0,0.002,0,"USD",/)
  t.match(JSON.parse(await usage.json({ from: '2026-03' })), [{ period: '2026-03', group: 'a' }])
})

t.test('invalid options reject before the store is read', async (t) => {
  let reads = 0
  const read = async () => {
    reads += 1
    return []
  }
  const store = { add: async () => {}, totals: read, buckets: read, close: async () => {} }
  const { usage } = begin(t, { store })
  const code = 'ERR_OPTION_INVALID'
  await t.rejects(usage.history({ by: 'week' as 'day' }), { code, option: 'by' })
  await t.rejects(usage.history(5 as never), { code, option: 'options' })
  await t.rejects(usage.csv({ from: 'x' }), { code, option: 'from' })
  await t.rejects(usage.json({ wide: true, by: 'day' }), {
    code,
    message:
      'cognito-m2m: wide: expected no wide report with the options of a history, got true. Remove it.',
  })
  t.equal(reads, 0)
})

t.test(
  'a forecast has the price of the usage, and ends now also without recent tokens',
  async (t) => {
    const tiers = [{ upTo: 10, price: 2 }, { price: 1 }]
    const { usage, source, clock } = begin(t, { price: { currency: 'USD', per: 1, tiers } })
    t.match(await usage.forecast(), {
      month: '2026-03',
      at: NOON,
      clients: [],
      forecast: { cost: 0 },
    })
    for (let index = 0; index < 4; index += 1) source.token('issued', 'a')
    await usage.report()
    clock.seconds += 2 * DAY
    // From noon of the first day to the last midnight: 4 tokens in 1.5 days, and 19.5 days remain.
    const issued = 4 + (4 / 1.5) * 19.5
    const forecast = await usage.forecast({ clients: [{ clientId: 'a', name: 'Orders' }] })
    t.match(forecast, {
      month: '2026-03',
      at: NOON + 2 * DAY,
      currency: 'USD',
      monthToDate: { issued: 4, cost: 8 },
      lastMonth: { issued: 0, cost: 0 },
      forecast: { issued, cost: 20 + (issued - 10) },
      clients: [{ clientId: 'a', name: 'Orders', issued }],
    })
    clock.seconds += 21 * DAY
    const next = { month: '2026-04', lastMonth: { issued: 4 }, forecast: { issued: 0 } }
    t.match(await usage.forecast(), next)
    const invalid = { by: 'day' } as object
    await t.rejects(usage.forecast(invalid), { code: 'ERR_OPTION_INVALID' })
  },
)
