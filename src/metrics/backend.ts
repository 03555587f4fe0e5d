/** What the metrics need of Prometheus or OpenTelemetry. */
import type { Labels, MetricKey } from './catalog.ts'

/** The value of a gauge under its labels. */
export interface GaugeValue {
  readonly labels: Labels
  readonly value: number
}

/** Returns the current values of a gauge. */
export type ReadGauge = (key: MetricKey<'gauge'>) => readonly GaugeValue[]

/** Receives what was counted and measured. It reads gauges itself. */
export interface MetricsBackend {
  count(key: MetricKey<'counter'>, labels: Labels): void
  /** @param seconds The duration. */
  measure(key: MetricKey<'histogram'>, labels: Labels, seconds: number): void
  /** Removes the metrics. */
  close(): void
}
