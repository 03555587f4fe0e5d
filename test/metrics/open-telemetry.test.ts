/** Metrics in a meter of OpenTelemetry: names, units, attributes, boundaries and gauges. */
import {
  AggregationTemporality,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import t, { type Test } from 'tap'
import { BUCKETS, METRIC_LIST } from '../../src/metrics/catalog.ts'
import { createMetrics } from '../../src/metrics/index.ts'
import { serve } from '../support/forge.ts'
import { decide, POOL } from './support.ts'

function begin(t: Test) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 })
  const provider = new MeterProvider({ readers: [reader] })
  t.teardown(() => provider.shutdown())
  const metrics = createMetrics({ meter: provider.getMeter('cognito-m2m') })
  t.teardown(() => metrics.close())
  const read = async () => {
    exporter.reset()
    await reader.forceFlush()
    const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
    return all.flatMap(({ metrics }) => metrics)
  }
  return { metrics, read }
}

t.test('attributes of semantic conventions; no error.type on success', async (t) => {
  const { read } = begin(t)
  decide()
  decide({ code: 'ERR_SCOPE_INSUFFICIENT', route: null, duration: 0.3 })
  const all = await read()
  const decisions = all.find(({ descriptor }) => descriptor.name === 'cognito_m2m.decisions')
  t.match(decisions?.descriptor, { unit: '{decision}', description: 'Decisions of guards' })
  t.strictSame(
    decisions?.dataPoints.map(({ attributes, value }) => [attributes, value]),
    [
      [{ 'http.route': '/orders/:id', 'cognito_m2m.user_pool_id': POOL }, 1],
      [
        {
          'error.type': 'ERR_SCOPE_INSUFFICIENT',
          'http.route': '(unmatched)',
          'cognito_m2m.user_pool_id': POOL,
        },
        1,
      ],
    ],
  )
  const duration = all.find(({ descriptor }) => descriptor.name === 'cognito_m2m.decision.duration')
  t.equal(duration?.descriptor.unit, 's')
  const histogram = duration?.dataPoints[0]?.value as Histogram
  t.strictSame(histogram.buckets.boundaries, BUCKETS)
  t.strictSame(histogram.count, 2)
})

t.test('gauges of watched sources, until close', async (t) => {
  const { metrics, read } = begin(t)
  const server = serve()
  metrics.watch(server)
  const gauges = (await read()).filter(({ descriptor }) => /ready|age/.test(descriptor.name))
  t.match(
    gauges.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints[0]?.value,
      dataPoints[0]?.attributes,
    ]),
    [['cognito_m2m.ready', 1, { 'cognito_m2m.user_pool_id': POOL }]],
  )
  let reads = 0
  const counted = () => {
    reads += 1
    return { instance: 1, userPools: [] }
  }
  metrics.watch({ status: counted })
  await read()
  const before = reads
  t.ok(before > 1)
  metrics.close()
  decide()
  const after = (await read()).map(({ descriptor }) => descriptor.name)
  t.equal(reads, before)
  t.notOk(after.includes('cognito_m2m.decisions'))
})

t.test('every metric has an instrument with its unit', async (t) => {
  const created: [string, string, object][] = []
  const create = (type: string) => (name: string, options: object) => {
    created.push([type, name, options])
    const nothing = () => {}
    return { add: nothing, record: nothing, addCallback: nothing, removeCallback: nothing }
  }
  const meter = {
    createCounter: create('counter'),
    createHistogram: create('histogram'),
    createObservableGauge: create('gauge'),
  }
  createMetrics({ meter }).close()
  t.strictSame(
    created.map(([type, name, { unit = '' }]: [string, string, { unit?: string }]) => [
      ...[type, name, unit],
    ]),
    METRIC_LIST.map(({ type, name, unit }) => [type, name, unit]),
  )
})
