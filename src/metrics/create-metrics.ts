/** `createMetrics`: metrics for Prometheus or OpenTelemetry from the events and states of this process. */
import { describeValue, OptionError, readFunction, readMembers } from '../core/options/validate.ts'
import type { MetricsBackend } from './backend.ts'
import { recordEvents } from './events.ts'
import { LabelLimits } from './label-limits.ts'
import { createOpenTelemetryBackend, type MetricsMeter } from './open-telemetry.ts'
import { createPrometheusBackend, type PrometheusRegister } from './prometheus.ts'
import { type MetricsSource, StatusSources } from './status.ts'

/** Either a register of prom-client or a meter of OpenTelemetry. */
export type MetricsOptions = MetricsCommonOptions &
  (
    | {
        /** A `Registry` of prom-client 14 or 15. */
        readonly register: PrometheusRegister
        readonly meter?: never
      }
    | {
        /** A `Meter` of `@opentelemetry/api`. */
        readonly meter: MetricsMeter
        readonly register?: never
      }
  )

/** What both backends have. */
export interface MetricsCommonOptions {
  /**
   * Whether decisions, token requests and token clients have the label `client`. It has at most 100 values, then
   * `other`. A client counts only once its token or secret was verified.
   *
   * @defaultValue false
   */
  readonly clientId?: boolean
  /**
   * Wall clock in milliseconds, for the remaining time of cached tokens.
   *
   * @defaultValue `Date.now`
   */
  readonly now?: () => number
}

/** Metrics of one process. */
export interface Metrics {
  /**
   * Adds gauges of a source: readiness and key age, state and budget of a proxy, tokens of a client. Events are counted
   * without it. Sources with the same labels are reported together, by their worst value or their sum.
   *
   * @param source `app.cognito`, `auth.server`, `app.tokenProxy` or a token client.
   * @returns A function that removes the gauges of this source.
   * @throws {OptionError} `ERR_OPTION_INVALID` for anything else.
   */
  watch(source: MetricsSource): () => void
  /** Ends all subscriptions and removes the metrics from the register, or the callbacks from the meter. */
  close(): void
}

/**
 * Counts decisions, fetches of keys, token requests and tokens into Prometheus or OpenTelemetry. It opens no port and
 * no route: the app serves `/metrics` itself, on loopback or a port that the internet cannot reach.
 *
 * @param options `register` or `meter`, and whether clients are a label.
 * @returns `watch` and `close`.
 * @throws {OptionError} `ERR_OPTION_INVALID`, with the option and the fix.
 * @throws What prom-client throws if the register already has these metrics.
 * @example
 * ```ts
 * import { Registry } from 'prom-client'
 *
 * const register = new Registry()
 * const metrics = createMetrics({ register })
 * metrics.watch(app.cognito)
 * ```
 * @see docs/metrics.md
 */
export function createMetrics(options: MetricsOptions): Metrics {
  const members = readMembers(options, ['register', 'meter', 'clientId', 'now'], '')
  const { clientId = false } = members
  if (typeof clientId !== 'boolean') {
    const problem = `expected a boolean, got ${describeValue(clientId)}. Pass true or false.`
    throw new OptionError('clientId', problem)
  }
  const now = readFunction<() => number>(members, 'now') ?? Date.now
  const limits = new LabelLimits()
  const sources = new StatusSources(limits, now)
  const backend = createBackend(members, sources)
  const stop = recordEvents(backend, limits, clientId)
  return {
    watch: (source) => sources.add(source),
    close: () => {
      stop()
      sources.clear()
      backend.close()
    },
  }
}

function createBackend(
  { register, meter }: Readonly<Record<string, unknown>>,
  sources: StatusSources,
): MetricsBackend {
  if (register !== undefined && meter !== undefined) {
    throw new OptionError('meter', 'expected no meter with register, got both. Pass one of them.')
  }
  if (register === undefined) {
    requireMethod(meter, 'meter', 'createObservableGauge', 'a Meter of @opentelemetry/api')
    return createOpenTelemetryBackend(meter as MetricsMeter, sources.read)
  }
  requireMethod(register, 'register', 'registerMetric', 'a Registry of prom-client')
  return createPrometheusBackend(register as PrometheusRegister, sources.read)
}

function requireMethod(value: unknown, option: string, method: string, expected: string): void {
  if (typeof (Object(value) as Record<string, unknown>)[method] === 'function') return
  throw new OptionError(
    option,
    `expected ${expected}, got ${describeValue(value)}. Pass register or meter.`,
  )
}
