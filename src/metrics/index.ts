/**
 * `cognito-m2m/metrics`: metrics for Prometheus or OpenTelemetry. It imports neither: the app passes a register or a
 * meter.
 *
 * @module
 */
export type { Metrics, MetricsCommonOptions, MetricsOptions } from './create-metrics.ts'
export { createMetrics } from './create-metrics.ts'
export type { InstrumentSettings, MetricsMeter } from './open-telemetry.ts'
export type { PrometheusRegister } from './prometheus.ts'
export type { MetricsSource } from './status.ts'
