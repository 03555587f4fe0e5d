/** OpenTelemetry metrics, if its API is installed. */
import { metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import t from 'tap'
import { createTelemetry, findMetrics } from '../../../src/tokens/usage/telemetry.ts'
import { begin, POOL } from '../../support/usage.ts'

t.test('an SDK that starts later gets the counts from then on', async (t) => {
  const { source } = begin(t)
  source.token('issued', 'before')
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 })
  const provider = new MeterProvider({ readers: [reader] })
  metrics.setGlobalMeterProvider(provider)
  t.teardown(async () => {
    metrics.disable()
    await provider.shutdown()
  })
  source.token('issued', 'a')
  source.token('issued', 'a')
  source.token('cached', 'a')
  source.token('refused', null)
  source.decision(null, 'a')
  source.decision('ERR_SCOPE_INSUFFICIENT', 'a')
  await reader.forceFlush()
  const exported = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap(({ scope, metrics }) => metrics.map((it) => ({ scope: scope.name, ...it })))
    .map(({ scope, descriptor: { name, unit }, dataPoints }) => [
      ...[scope, name, unit],
      dataPoints.map(({ attributes, value }) => [attributes, value]),
    ])
  const client = { 'cognito_m2m.client_id': 'a', 'cognito_m2m.user_pool_id': POOL }
  const nobody = { 'cognito_m2m.client_id': 'unverified' }
  t.strictSame(exported, [
    [
      ...['cognito-m2m', 'cognito_m2m.tokens', '{token}'],
      [
        [{ ...client, 'cognito_m2m.outcome': 'issued' }, 2],
        [{ ...client, 'cognito_m2m.outcome': 'cached' }, 1],
        [{ ...nobody, 'cognito_m2m.outcome': 'refused' }, 1],
      ],
    ],
    [
      ...['cognito-m2m', 'cognito_m2m.requests', '{request}'],
      [
        [client, 1],
        [{ ...client, 'error.type': 'ERR_SCOPE_INSUFFICIENT' }, 1],
      ],
    ],
  ])
})

t.test('the API is loaded by its name, and a missing API has no effect', async (t) => {
  const names: string[] = []
  const api = findMetrics((name) => {
    names.push(name)
    throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' })
  })
  t.equal(api, undefined)
  t.strictSame(names, ['@opentelemetry/api'])
  createTelemetry(api)('token', 'other', 'issued')
  t.equal(findMetrics()?.metrics.getMeterProvider(), metrics.getMeterProvider(), 'it is here')
})

t.test('an SDK that throws loses no count', async (t) => {
  const { usage, source } = begin(t)
  const fails = () => {
    throw new Error('out of instruments')
  }
  metrics.setGlobalMeterProvider({ getMeter: fails } as unknown as MeterProvider)
  t.teardown(() => metrics.disable())
  source.token('issued', 'a')
  source.token('issued', 'a')
  t.equal((await usage.report()).rows[0]?.tokens.issued, 2)
})
