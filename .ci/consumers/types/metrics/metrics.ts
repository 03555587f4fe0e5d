/** A register of prom-client and a meter of OpenTelemetry are accepted. */
import { metrics } from '@opentelemetry/api'
import { createMetrics } from 'cognito-m2m/metrics'
import { Registry } from 'prom-client'

createMetrics({ register: new Registry() }).close()
createMetrics({ meter: metrics.getMeter('cognito-m2m') }).close()
// @ts-expect-error a provider is no meter
createMetrics({ meter: metrics })
