/** Counts into OpenTelemetry, where its API is installed: the application chose it, not this package. */
import { createRequire } from 'node:module'
import { parseSubject } from './events.ts'

type Attributes = Record<string, string>

/** Subjects whose attributes are kept; then it begins anew. */
const MAX_SUBJECTS = 10_000

interface Counter {
  add(value: number, attributes: Attributes): void
}

interface MeterProvider {
  getMeter(name: string): {
    createCounter(name: string, options: { description: string; unit: string }): Counter
  }
}

/** What is used of `@opentelemetry/api`. */
export interface MetricsApi {
  readonly metrics: { getMeterProvider(): MeterProvider }
}

/** Counts one thing of a subject. */
export type Telemetry = (kind: 'token' | 'request', subject: string, name: string) => void

/**
 * undefined where it is not there. Required and not imported, so that no bundler fails over a module
 * that is optional, and the first count is not lost; its state is one for all copies of a process.
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

/** The provider is asked for each time: an SDK is often started later. */
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
      ...{ unit: '{token}', description: 'Answers to token requests, by outcome' },
    }),
    request: meter.createCounter('cognito_m2m.requests', {
      ...{ unit: '{request}', description: 'Decisions about API requests' },
    }),
  }
}

/** Made once for each: a request pays for a look-up. */
function createAttributeCache(): typeof toAttributes {
  const known = new Map<string, Map<string, Attributes>>()
  return (kind, subject, name) => {
    const ofSubject = known.get(subject) ?? new Map<string, Attributes>()
    const found = ofSubject.get(name)
    if (found !== undefined) return found
    if (known.size >= MAX_SUBJECTS) known.clear()
    const made = toAttributes(kind, subject, name)
    known.set(subject, ofSubject.set(name, made))
    return made
  }
}

/** As the spans and histograms of docs/observability.md name them. */
function toAttributes(kind: 'token' | 'request', subject: string, name: string): Attributes {
  const { kind: group, userPoolId, clientId } = parseSubject(subject)
  return {
    'cognito_m2m.client_id': clientId ?? group,
    ...(userPoolId === null ? {} : { 'cognito_m2m.user_pool_id': userPoolId }),
    ...(kind === 'token' ? { 'cognito_m2m.outcome': name } : {}),
    ...(kind === 'token' || name === 'accepted' ? {} : { 'error.type': name }),
  }
}
