/** Metrics in a meter of OpenTelemetry. The app passes the meter, so nothing here imports its API. */
import type { MetricsBackend, ReadGauge } from './backend.ts'
import {
  ATTRIBUTES,
  BUCKETS,
  type Label,
  type Labels,
  METRICS,
  type MetricDefinition,
  type MetricKey,
} from './catalog.ts'

/** What a meter gets with the name of an instrument. */
export interface InstrumentSettings {
  description?: string
  unit?: string
  advice?: { explicitBucketBoundaries?: number[] }
}

/** A `Meter` of `@opentelemetry/api`. */
export interface MetricsMeter {
  createCounter(
    name: string,
    options: InstrumentSettings,
  ): { add(value: number, attributes: Record<string, string>): void }
  createHistogram(
    name: string,
    options: InstrumentSettings,
  ): { record(value: number, attributes: Record<string, string>): void }
  createObservableGauge(
    name: string,
    options: InstrumentSettings,
  ): { addCallback(callback: never): void; removeCallback(callback: never): void }
}

/** What a callback of a gauge gets. */
interface ObservableResult {
  observe(value: number, attributes: Record<string, string>): void
}

/** `error.type` is left out on success. */
function toAttributes(labels: Labels): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const [label, value] of Object.entries(labels) as [Label, string][]) {
    if (label !== 'code' || value !== 'ok') attributes[ATTRIBUTES[label]] = value
  }
  return attributes
}

/** @param meter Gets one instrument per metric. */
export function createOpenTelemetryBackend(
  meter: MetricsMeter,
  readGauge: ReadGauge,
): MetricsBackend {
  const counters = new Map<string, ReturnType<MetricsMeter['createCounter']>>()
  const histograms = new Map<string, ReturnType<MetricsMeter['createHistogram']>>()
  const removals: (() => void)[] = []

  const createInstrument = (key: string, { name, type, unit, help }: MetricDefinition): void => {
    const options = { description: help, ...(unit !== '' && { unit }) }
    switch (type) {
      case 'counter':
        counters.set(key, meter.createCounter(name, options))
        return
      case 'histogram': {
        const advice = { explicitBucketBoundaries: [...BUCKETS] }
        histograms.set(key, meter.createHistogram(name, { ...options, advice }))
        return
      }
      case 'gauge': {
        const gauge = meter.createObservableGauge(name, options)
        const callback = (result: ObservableResult): void => {
          for (const { labels, value } of readGauge(key as MetricKey<'gauge'>)) {
            result.observe(value, toAttributes(labels))
          }
        }
        gauge.addCallback(callback as never)
        removals.push(() => gauge.removeCallback(callback as never))
      }
    }
  }

  for (const [key, definition] of Object.entries(METRICS)) createInstrument(key, definition)
  return {
    count: (key, labels) => counters.get(key)?.add(1, toAttributes(labels)),
    measure: (key, labels, seconds) => histograms.get(key)?.record(seconds, toAttributes(labels)),
    close: () => {
      for (const remove of removals) remove()
    },
  }
}
