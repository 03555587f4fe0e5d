/** Metrics are typed on what they call: they compile without prom-client and OpenTelemetry. */
import {
  createMetrics,
  type Metrics,
  type MetricsMeter,
  type PrometheusRegister,
} from 'cognito-m2m/metrics'

declare const register: PrometheusRegister
declare const meter: MetricsMeter
export const prometheus: Metrics = createMetrics({ register, clientId: true })
export const telemetry: Metrics = createMetrics({ meter })
export const end: () => void = prometheus.watch({ status: () => ({ instance: 1 }) })
// @ts-expect-error one of the two
createMetrics({ register, meter })
// @ts-expect-error one of the two
createMetrics({})
