/** Adds counts to OpenTelemetry metrics if the application has installed `@opentelemetry/api`. */
import { createRequire } from 'node:module'
import { parseSubject } from './events.ts'

type Attributes = Record<string, string>

/** Subjects with cached attributes. The cache is cleared once it is full. */
const MAX_SUBJECTS = 10_000

interface Counter {
  add(value: number, attributes: Attributes): void
}

interface MeterProvider {
  getMeter(name: string): {
    createCounter(name: string, options: { description: string; unit: string }): Counter
  }
}

/** The used part of `@opentelemetry/api`. */
export interface MetricsApi {
  readonly metrics: { getMeterProvider(): MeterProvider }
}

/** Counts one token or request of a subject. */
export type Telemetry = (kind: 'token' | 'request', subject: string, name: string) => void

/**
 * Loads the metrics API synchronously, so that the first count is not lost. `require` instead of `import`: a bundler
 * would fail for a missing optional module. All copies of the API in a process share one state.
 *
 * @returns Undefined if the API is not installed.
 */
export function findMetrics(
  load: (name: string) => unknown = createRequire(import.meta.url),
): MetricsApi | undefined {
  try {
    return load('@opentelemetry/api') as MetricsApi
  } catch {
    return undefined
  }
}

/** Looks up the provider for each count, because an SDK is often started later. */
export function createTelemetry(api: MetricsApi | undefined): Telemetry {
  if (api === undefined) return () => {}
  let provider: MeterProvider | undefined
  let counters: Record<'token' | 'request', Counter>
  const attributes = createAttributeCache()
  return (kind, subject, name) => {
    const current = api.metrics.getMeterProvider()
    if (current !== provider) {
      counters = createCounters(current)
      provider = current
    }
    counters[kind].add(1, attributes(kind, subject, name))
  }
}

function createCounters(provider: MeterProvider): Record<'token' | 'request', Counter> {
  const meter = provider.getMeter('cognito-m2m')
  return {
    token: meter.createCounter('cognito_m2m.tokens', {
      unit: '{token}',
      description: 'Responses to token requests, by outcome',
    }),
    request: meter.createCounter('cognito_m2m.requests', {
      unit: '{request}',
      description: 'Decisions about API requests',
    }),
  }
}

/** Caches attributes, because creating them costs more than a look-up. */
function createAttributeCache(): typeof toAttributes {
  const subjects = new Map<string, Map<string, Attributes>>()
  return (kind, subject, name) => {
    const byName = subjects.get(subject) ?? new Map<string, Attributes>()
    const cached = byName.get(name)
    if (cached !== undefined) return cached
    if (subjects.size >= MAX_SUBJECTS) subjects.clear()
    const attributes = toAttributes(kind, subject, name)
    subjects.set(subject, byName.set(name, attributes))
    return attributes
  }
}

/** Uses the attribute names of the spans and histograms in docs/observability.md. */
function toAttributes(kind: 'token' | 'request', subject: string, name: string): Attributes {
  const { kind: group, userPoolId, clientId } = parseSubject(subject)
  const attributes: Attributes = { 'cognito_m2m.client_id': clientId ?? group }
  if (userPoolId !== null) attributes['cognito_m2m.user_pool_id'] = userPoolId
  if (kind === 'token') attributes['cognito_m2m.outcome'] = name
  else if (name !== 'accepted') attributes['error.type'] = name
  return attributes
}
