/** The orders API watched through an outage: prints the metrics and spans an exporter would send. */
import { context, metrics, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { createOrdersApi } from '../orders/app.js'
import { startOrdersPool } from '../orders/pool.js'
import { observeCognito } from './telemetry.js'

const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({ exporter: metricExporter })
const spanExporter = new InMemorySpanExporter()
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] }),
)

const cognito = observeCognito()
const pool = await startOrdersPool()
let passed = 0
const app = await createOrdersApi({
  ...pool.options(),
  monotonicNow: () => performance.now() + passed,
})
cognito.watch(app.cognito)

/** A request as HTTP instrumentation shows it: in a span of its own. */
async function request(authorization: string): Promise<void> {
  await trace.getTracer('http').startActiveSpan('GET /orders', async (span) => {
    await app.inject({ url: '/orders', headers: { authorization } })
    span.end()
  })
}

try {
  await app.cognito.ready()
  await request(`Bearer ${pool.accessToken()}`)
  await request(`Bearer ${pool.tampered.expired()}`)
  await pool.setJwksFault('503')
  pool.rotateKeys({ keepOld: true })
  await request(`Bearer ${pool.accessToken()}`)
  await pool.setJwksFault(null)
  passed += 60_000
  await request(`Bearer ${pool.accessToken()}`)
  await reader.forceFlush()
} finally {
  await app.close()
  await pool.close()
  cognito.stop()
}

const points = metricExporter.getMetrics().flatMap(({ scopeMetrics }) =>
  scopeMetrics.flatMap((scope) =>
    scope.metrics.flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ attributes, value }) => ({
        metric: descriptor.name,
        'error.type': attributes['error.type'] ?? '',
        client: attributes['cognito_m2m.client_id'] ?? '',
        value: typeof value === 'number' ? value : (value as Histogram).count,
      })),
    ),
  ),
)
const finished = spanExporter.getFinishedSpans()
const spans = finished.map((span) => ({
  span: span.name,
  parent: finished.find((it) => it.spanContext().spanId === span.parentSpanContext?.spanId)?.name,
  'error.type': span.attributes['error.type'] ?? '',
  status: span.status.code === SpanStatusCode.ERROR ? 'error' : 'unset',
}))
for (const rows of [points, spans]) {
  // biome-ignore lint/suspicious/noConsole: tables for people are what this program is for
  console.table(rows)
}
