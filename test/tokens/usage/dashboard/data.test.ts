/** data.json and chart.json: the numbers of the report, limited to what a chart can show. */
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { usageDashboard } from '../../../../src/tokens/usage/dashboard/index.ts'
import type { ChartView, SummaryView } from '../../../../src/tokens/usage/dashboard/view.ts'
import type { Usage } from '../../../../src/tokens/usage/index.ts'
import { COMPANY, NOW, type SeededClient, seededUsage } from '../../../support/dashboard-data.ts'

function serve(usage: Usage): FastifyInstance {
  const app = Fastify()
  app.register(usageDashboard, { usage, authorize: () => true })
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

t.test('data.json has the rows of the report, each with its share of the cost', async (t) => {
  const { statusCode, headers, body } = await app.inject('/data.json')
  t.equal(statusCode, 200)
  t.equal(headers['content-type'], 'application/json; charset=utf-8')
  t.equal(headers['cache-control'], 'no-store')
  const summary = JSON.parse(body) as SummaryView
  const [{ at, since, rows }, { clients: parts, ...cost }] = [
    await usage.report(),
    await usage.cost(),
  ]
  t.equal(summary.at, NOW)
  t.strictSame([summary.at, summary.since, summary.cost], [at, since, cost])
  t.strictSame(summary.status, usage.status())
  const expected = rows.map(({ firstUsed: _, ...row }) => ({
    ...row,
    monthlyCost: parts.find((it) => it.clientId === row.clientId)?.cost ?? null,
  }))
  t.strictSame(summary.clients, expected)
  t.strictSame(
    summary.clients.filter((it) => it.unused).map((it) => [it.clientId, it.monthlyCost]),
    [
      ['legacy-export', null],
      ['partner-acme', null],
    ],
  )
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
  const subject = { kind: 'client', userPoolId: pool, clientId: 'web-shop' }
  const layer = (count: 'issued' | 'cached') => ({
    ...{ subject, clients: 1, count, values: line?.[count] },
  })
  t.strictSame((await chart(`${query}&count=all`)).layers, [layer('issued'), layer('cached')])
  t.strictSame((await chart(`${query}&count=cached`)).layers, [layer('cached')])
  query.set('client', 'nobody')
  t.strictSame((await chart(`${query}`)).layers, [])
  t.strictSame((await chart('kind=unverified')).layers, [])
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
    ['report', 'series', 'cost', 'csv', 'status'].map((it) => [
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
      ...{ statusCode: 503, code: 'ERR_USAGE_UNAVAILABLE', error: 'Service Unavailable' },
      message: 'The counts cannot be read now',
    })
  }
  t.equal(lines.length, 3)
})
