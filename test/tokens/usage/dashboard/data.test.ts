/** data.json and chart.json: the numbers of the report, limited to what a chart can show. */
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import {
  type UsageDashboardOptions,
  usageDashboard,
} from '../../../../src/tokens/usage/dashboard/index.ts'
import type {
  AnomalyView,
  ChartView,
  SummaryView,
} from '../../../../src/tokens/usage/dashboard/view.ts'
import {
  createUsage,
  memoryUsageStore,
  type Usage,
  type UsagePeriod,
} from '../../../../src/tokens/usage/index.ts'
import {
  COMPANY,
  fill,
  NOW,
  PRICE,
  type SeededClient,
  seededUsage,
} from '../../../support/dashboard-data.ts'

function serve(usage: Usage, options: Partial<UsageDashboardOptions> = {}): FastifyInstance {
  const app = Fastify()
  app.register(usageDashboard, { usage, authorize: () => true, ...options })
  return app
}

const usage = await seededUsage(COMPANY)
const app = serve(usage)
const sum = (values: readonly number[]): number => values.reduce((total, it) => total + it, 0)

async function chart(query: string): Promise<ChartView> {
  const { statusCode, headers, body } = await app.inject(`/chart.json?${query}`)
  t.equal(statusCode, 200, query)
  t.equal(headers['cache-control'], 'no-store')
  return JSON.parse(body) as ChartView
}

async function readSummary(from: FastifyInstance): Promise<SummaryView> {
  const { statusCode, headers, body } = await from.inject('/data.json')
  t.equal(statusCode, 200)
  t.equal(headers['content-type'], 'application/json; charset=utf-8')
  t.equal(headers['cache-control'], 'no-store')
  return JSON.parse(body) as SummaryView
}

function isClose(t: Test, actual: number, expected: number | null | undefined, what = ''): void {
  t.ok(Math.abs(actual - (expected ?? 0)) < 1e-6, `${what}: ${actual} is not ${expected}`)
}

t.test('data.json has the rows of the report, each with its cost of the month', async (t) => {
  const summary = await readSummary(app)
  const { at, since, rows } = await usage.report()
  t.equal(summary.at, NOW)
  t.strictSame([summary.at, summary.since, summary.budget], [at, since, null])
  t.strictSame(summary.status, usage.status())
  t.strictSame(
    summary.clients.map(({ monthCost: _, forecastCost: __, ...row }) => row),
    rows.map(({ firstUsed: _, ...row }) => ({ ...row, name: null, team: null, tags: {} })),
  )
  const [month, forecast] = [await usage.history({ from: '2026-11' }), await usage.forecast()]
  for (const { clientId, monthCost, forecastCost } of summary.clients) {
    const isClient = (it: { clientId: string | null }) => it.clientId === clientId
    isClose(t, monthCost, month.rows.find(isClient)?.cost, `${clientId}`)
    isClose(t, forecastCost, forecast.clients.find(isClient)?.cost, `${clientId}`)
  }
  t.strictSame(
    summary.clients.filter((it) => it.unused).map((it) => [it.clientId, it.monthCost]),
    [
      ['legacy-export', 0],
      ['partner-acme', 0],
    ],
  )
})

t.test('data.json has the current month, its forecast and the last month', async (t) => {
  const { month, forecast, lastMonth, days, ...summary } = await readSummary(app)
  const projected = await usage.forecast()
  const { periods } = await usage.history()
  for (const [view, amounts, period] of [
    [month, projected.monthToDate, '2026-11'],
    [forecast, projected.forecast, '2026-11'],
    [lastMonth, projected.lastMonth, '2026-10'],
  ] as const) {
    const { withoutCache: _, ...shown } = amounts
    t.strictSame(view, { start: Date.parse(`${period}-01`) / 1000, ...shown })
    if (view === forecast) continue
    isClose(t, view.cost, periods.find((it) => it.period === period)?.cost, period)
  }
  t.ok(forecast.cost > month.cost)
  t.strictSame(
    [days[0]?.start, days.at(-1)?.start],
    [lastMonth.start, Date.UTC(2026, 10, 21) / 1000],
  )
  t.equal(days.length, 31 + 21)
  isClose(t, sum(days.slice(31).map(({ cost }) => cost)), month.cost, 'days')
  t.equal(summary.currency, 'USD')
  t.match(summary.notes, [/no as-of date/])
})

t.test('data.json has totals per user pool and Region', async (t) => {
  const { pools, regions, month, forecast, lastMonth } = await readSummary(app)
  t.strictSame(
    pools.map(({ group }) => group),
    ['eu-west-1_Ab12Cd34E', 'us-east-1_Xy98Zw76V'],
  )
  t.strictSame(
    regions.map(({ group }) => group),
    ['eu-west-1', 'us-east-1'],
  )
  for (const groups of [pools, regions]) {
    isClose(t, sum(groups.map(({ issued }) => issued)), month.issued)
    isClose(t, sum(groups.map(({ cached }) => cached)), month.cached)
    isClose(t, sum(groups.map(({ monthCost }) => monthCost)), month.cost)
    isClose(t, sum(groups.map(({ forecastCost }) => forecastCost)), forecast.cost)
    isClose(t, sum(groups.map(({ lastMonthCost }) => lastMonthCost)), lastMonth.cost)
  }
})

t.test('a pool that was used in one of the months has a row', async (t) => {
  const { pools } = await readSummary(
    serve(
      await seededUsage([
        { clientId: 'new', userPoolId: 'eu-west-1_New', age: 3 },
        { clientId: 'old', userPoolId: 'eu-west-1_Old', age: 60, idleDays: 25 },
        { clientId: 'older', userPoolId: 'eu-west-1_Older', perHour: 50, age: 60, idleDays: 25 },
      ]),
    ),
  )
  t.match(pools, [
    { group: 'eu-west-1_New', lastMonthCost: 0 },
    { group: 'eu-west-1_Old', monthCost: 0, forecastCost: 0 },
    { group: 'eu-west-1_Older', monthCost: 0, forecastCost: 0 },
  ])
})

t.test(
  'tokens without a user pool, or of a pool without a Region, are in the totals',
  async (t) => {
    const store = memoryUsageStore({ maxClients: 1 })
    await fill(store, [
      { clientId: 'a', userPoolId: '<b>pool</b>', age: 3, perHour: 50 },
      { clientId: 'b', age: 3 },
    ])
    const full = createUsage({ price: PRICE, store, now: () => NOW * 1000 })
    const { pools, regions, month } = await readSummary(serve(full))
    t.strictSame(
      pools.map(({ group }) => group),
      [null, '<b>pool</b>'],
    )
    t.strictSame(
      regions.map(({ group }) => group),
      [null],
    )
    isClose(t, regions[0]?.monthCost ?? 0, month.cost)
  },
)

t.test('an anomaly has its day, its median and its factor', async (t) => {
  const { anomalies } = await readSummary(app)
  t.equal(anomalies.length, 1)
  const [{ value, median, factor, ...anomaly }] = anomalies as [AnomalyView]
  const start = Date.UTC(2026, 10, 17) / 1000
  const subject = { kind: 'client', userPoolId: 'eu-west-1_Ab12Cd34E', clientId: 'reporting' }
  t.strictSame(anomaly, { ...subject, name: null, start })
  const { rows } = await usage.history({ by: 'day', from: '2026-11-17', to: '2026-11-17' })
  t.equal(value, rows.find(({ clientId }) => clientId === 'reporting')?.issued)
  t.equal(factor, value / median)
  t.ok(factor > 15 && factor < 40, `${factor}`)
})

t.test('anomalies of more than 30 days ago are not listed, and the latest is first', async (t) => {
  const spike = (clientId: string, daysAgo: number, factor = 20): SeededClient => ({
    clientId,
    cachedShare: 0,
    spike: { daysAgo, factor },
  })
  const { anomalies } = await readSummary(
    serve(await seededUsage([spike('a', 31), spike('b', 29), spike('c', 2), spike('d', 2, 40)])),
  )
  t.strictSame(
    anomalies.map(({ clientId }) => clientId),
    ['d', 'c', 'b'],
  )
})

t.test('clients that ignore caching are listed by their savings', async (t) => {
  const { savings } = await readSummary(app)
  t.ok(savings.length > 3 && savings.length <= 10)
  t.strictSame(
    savings,
    [...savings].sort((a, b) => b.saving - a.saving),
  )
  const [first] = savings
  t.equal(first?.clientId, 'warehouse-sync')
  t.equal(first?.needed, 30 * 24)
  const { rows } = await usage.history({ by: 'day', from: '2026-10-23' })
  const own = rows.filter(
    ({ clientId, start }) => clientId === first?.clientId && start >= NOW - 30 * 86_400,
  )
  const issued = sum(own.map((row) => row.issued))
  t.equal(first?.issued, issued)
  isClose(t, first?.saving ?? 0, sum(own.map((row) => row.cost as number)) * (1 - 720 / issued))
})

t.test('names, teams and tags come from the option clients', async (t) => {
  const clients = [
    { clientId: 'web-shop', name: '<b>Shop</b>', team: 'web', tags: { env: 'prod' } },
    { clientId: 'reporting', name: 'Reports' },
    { clientId: 'warehouse-sync', name: 'Warehouse' },
  ]
  const named = serve(usage, { clients, budget: 120 })
  const summary = await readSummary(named)
  t.equal(summary.budget, 120)
  const shop = summary.clients.find(({ clientId }) => clientId === 'web-shop')
  t.match(shop, { name: '<b>Shop</b>', team: 'web', tags: { env: 'prod' } })
  t.match(summary.anomalies, [{ name: 'Reports' }])
  t.equal(summary.savings[0]?.name, 'Warehouse')
  t.match(summary.clients.at(-1), { kind: 'unverified', name: null })
  const view = JSON.parse((await named.inject('/chart.json')).body) as ChartView
  t.equal(view.layers[0]?.subject?.name, 'Warehouse')
  t.match(view.anomalies, [{ name: 'Reports' }])
  const find = serve(usage, { clients: ({ clientId }) => ({ name: clientId.toUpperCase() }) })
  t.equal((await readSummary(find)).clients[0]?.name, '5KEK0I61PGKOKOOB4FSM9FO9IT')
})

t.test('without counts, all amounts are 0', async (t) => {
  const summary = await readSummary(serve(await seededUsage([])))
  t.match(summary, {
    since: null,
    days: [],
    pools: [],
    regions: [],
    anomalies: [],
    savings: [],
    month: { start: Date.UTC(2026, 10, 1) / 1000, issued: 0, cached: 0, cost: 0, saved: 0 },
    forecast: { issued: 0, cost: 0 },
    lastMonth: { start: Date.UTC(2026, 9, 1) / 1000, issued: 0, cost: 0 },
  })
})

t.test('each range has its own buckets', async (t) => {
  for (const [range, step, length] of [
    ['24h', 3600, 24],
    ['7d', 3600, 168],
    ['30d', 86_400, 30],
    ['90d', 86_400, 90],
  ] as const) {
    const { starts, layers, ...rest } = await chart(`range=${range}`)
    t.equal(rest.step, step)
    t.equal(starts.length, length)
    t.equal(starts.at(-1), Math.floor(NOW / step) * step, 'the last one is still being filled')
    t.ok(layers.every(({ values }) => values.length === length))
  }
  t.strictSame(await chart(''), await chart('range=30d&count=issued'), 'the default')
})

t.test('the largest clients have separate layers, and all others share one', async (t) => {
  const series = await usage.series('day')
  for (const count of ['issued', 'cached', 'all'] as const) {
    const { layers } = await chart(`range=90d&count=${count}`)
    const totals = layers.map(({ values }) => sum(values))
    t.equal(layers.length, 8)
    t.strictSame(
      layers.map((it) => it.clients),
      [1, 1, 1, 1, 1, 1, 1, 3],
    )
    t.ok(layers.every((it) => it.count === count))
    t.strictSame(
      [...totals.slice(0, 7)].sort((a, b) => b - a),
      totals.slice(0, 7),
    )
    t.equal(layers[7]?.subject, null)
    const had = (line: (typeof series.lines)[0]): number =>
      (count === 'cached' ? 0 : sum(line.issued.slice(-90))) +
      (count === 'issued' ? 0 : sum(line.cached.slice(-90)))
    t.equal(sum(totals), sum(series.lines.map(had)))
  }
})

t.test('a single client beyond the largest has a separate layer', async (t) => {
  const clients = (count: number): SeededClient[] =>
    Array.from({ length: count }, (_, index) => ({ clientId: `c${index}`, age: 2 }))
  for (const [count, layers, others] of [
    [8, 8, 1],
    [9, 8, 2],
  ] as const) {
    const { body } = await serve(await seededUsage(clients(count))).inject('/chart.json')
    const view = JSON.parse(body) as ChartView
    t.equal(view.layers.length, layers)
    t.equal(view.layers.at(-1)?.clients, others)
    t.equal(view.layers.at(-1)?.subject === null, others > 1)
  }
})

t.test('for one client, the layers are issued and cached tokens', async (t) => {
  const pool = COMPANY[0]?.userPoolId ?? 'eu-west-1_Ab12Cd34E'
  const query = new URLSearchParams({ kind: 'client', pool, client: 'web-shop', range: '7d' })
  const line = (await usage.series('hour')).lines.find((it) => it.clientId === 'web-shop')
  const subject = { kind: 'client', userPoolId: pool, clientId: 'web-shop', name: null }
  const layer = (count: 'issued' | 'cached') => ({
    subject,
    clients: 1,
    count,
    values: line?.[count],
  })
  t.strictSame((await chart(`${query}&count=all`)).layers, [layer('issued'), layer('cached')])
  t.strictSame((await chart(`${query}&count=cached`)).layers, [layer('cached')])
  t.match((await chart(`${query}&count=cost`)).layers, [{ subject, count: 'cost' }])
  query.set('client', 'nobody')
  t.strictSame((await chart(`${query}`)).layers, [])
  t.strictSame((await chart('kind=unverified')).layers, [])
})

t.test('the cost of a bucket has the price per token of its month', async (t) => {
  const days = await usage.history({ by: 'day', from: '2026-10-23', to: '2026-11-21' })
  const { layers, starts } = await chart('count=cost&range=30d')
  for (const [index, start] of starts.entries()) {
    const period = days.periods.find((it) => it.start === start)
    isClose(t, sum(layers.map(({ values }) => values[index] as number)), period?.cost)
  }
  const hours = await chart('count=cost&range=24h')
  const tokens = await chart('count=issued&range=24h')
  const [month] = (await usage.history({ from: '2026-11' })).periods as [UsagePeriod]
  const price = (month.cost as number) / month.issued
  const total = (view: ChartView) => sum(view.layers.map(({ values }) => sum(values)))
  isClose(t, total(hours), total(tokens) * price)
})

t.test('without tokens, there is no cost', async (t) => {
  for (const clients of [[], [{ clientId: 'a', age: 3, cachedShare: 1 }]]) {
    const { body } = await serve(await seededUsage(clients)).inject('/chart.json?count=cost')
    t.strictSame((JSON.parse(body) as ChartView).layers, [])
  }
})

t.test('a chart of days has the anomalies that it shows', async (t) => {
  const { anomalies } = await readSummary(app)
  for (const query of ['range=30d', 'range=90d&count=all', 'count=cost']) {
    t.strictSame((await chart(query)).anomalies, anomalies, query)
  }
  const client = 'kind=client&pool=eu-west-1_Ab12Cd34E&client='
  t.strictSame((await chart(`${client}reporting`)).anomalies, anomalies)
  for (const query of ['range=7d', 'count=cached', `${client}web-shop`]) {
    t.strictSame((await chart(query)).anomalies, [], query)
  }
})

t.test('an invalid query is rejected', async (t) => {
  for (const query of [
    'range=1y',
    'range=30d&range=7d',
    'range=',
    'count=refused',
    'count=toString',
    'kind=client',
    'kind=client&pool=a',
    'pool=a&client=b',
    'kind=other&client=b',
    'kind=all',
    'kind=client&pool=a&client=b&client=c',
    'unknown=1',
  ]) {
    const { statusCode, body } = await app.inject(`/chart.json?${query}`)
    t.equal(statusCode, 400, query)
    t.match(JSON.parse(body), { code: 'ERR_REQUEST_INVALID', message: 'The query is invalid' })
  }
})

t.test('if the function clients throws, the response is 503 without details', async (t) => {
  const find = () => {
    throw new Error('secret of the directory')
  }
  const failing = serve(usage, { clients: find })
  for (const path of ['/data.json', '/chart.json']) {
    const { statusCode, body } = await failing.inject(path)
    t.equal(statusCode, 503)
    t.match(JSON.parse(body), { code: 'ERR_USAGE_UNAVAILABLE' })
    t.notMatch(body, 'secret')
  }
})

t.test('usage.csv is the table of the usage, as a download', async (t) => {
  const { statusCode, headers, body } = await app.inject('/usage.csv')
  t.equal(statusCode, 200)
  t.equal(headers['content-type'], 'text/csv; charset=utf-8')
  t.equal(headers['content-disposition'], 'attachment; filename="usage.csv"')
  t.equal(headers['cache-control'], 'no-store')
  t.equal(body, await usage.csv({ wide: true }))
})

t.test('if the store cannot be read, the response is 503 without details', async (t) => {
  const lines: string[] = []
  const broken = Object.fromEntries(
    ['report', 'series', 'history', 'forecast', 'csv', 'status'].map((it) => [
      it,
      () => Promise.reject(new Error('redis://secret')),
    ]),
  ) as unknown as Usage
  const unavailable = Fastify({
    logger: { level: 'error', stream: { write: (it: string) => lines.push(it) } },
  })
  unavailable.register(usageDashboard, { usage: broken, authorize: () => true })
  for (const path of ['/data.json', '/chart.json', '/usage.csv']) {
    const { statusCode, headers, body } = await unavailable.inject(path)
    t.equal(statusCode, 503)
    t.equal(headers['retry-after'], '5')
    t.equal(headers['content-disposition'], undefined)
    t.strictSame(JSON.parse(body), {
      statusCode: 503,
      code: 'ERR_USAGE_UNAVAILABLE',
      error: 'Service Unavailable',
      message: 'The counts cannot be read now',
    })
  }
  t.equal(lines.length, 3)
})
