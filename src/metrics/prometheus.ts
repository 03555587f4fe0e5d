/**
 * Metrics in a register of prom-client. A register calls `get()` of each metric, so these objects need no import of
 * prom-client, whichever copy of it the app has.
 */
import type { MetricsBackend, ReadGauge } from './backend.ts'
import {
  BUCKETS,
  type Labels,
  METRICS,
  type MetricDefinition,
  type MetricKey,
  toPrometheusName,
} from './catalog.ts'

/** A `Registry` of prom-client 14 or 15. */
export interface PrometheusRegister {
  registerMetric(metric: never): void
  removeSingleMetric(name: string): void
}

/** One line of the exposition. */
interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  /** Undefined for the name of the metric, which prom-client changes for OpenMetrics. */
  readonly metricName?: string
}

/** What a register reads. */
class RegisteredMetric {
  /** prom-client removes `_total` from it for OpenMetrics. */
  name: string
  readonly help: string
  readonly type: MetricDefinition['type']
  readonly aggregator = 'sum'
  readonly #collect: (name: string) => Sample[]
  readonly #clear: () => void

  constructor(definition: MetricDefinition, collect: (name: string) => Sample[], clear = () => {}) {
    this.name = toPrometheusName(definition)
    this.help = definition.help
    this.type = definition.type
    this.#collect = collect
    this.#clear = clear
  }

  async get(): Promise<object> {
    const { name, help, type, aggregator } = this
    return { name, help, type, aggregator, values: this.#collect(name) }
  }

  /** Called by `register.resetMetrics()`. */
  reset(): void {
    this.#clear()
  }
}

/** A count per combination of labels. */
interface Series<State> {
  readonly labels: Labels
  readonly state: State
}

/** The time series of one metric, by their labels. */
class SeriesMap<State> {
  readonly #series = new Map<string, Series<State>>()
  readonly #definition: MetricDefinition
  readonly #create: () => State

  constructor(definition: MetricDefinition, create: () => State) {
    this.#definition = definition
    this.#create = create
  }

  get(labels: Labels): State {
    const key = this.#definition.labels.map((label) => labels[label] ?? '').join('\n')
    let series = this.#series.get(key)
    if (series === undefined) {
      series = { labels, state: this.#create() }
      this.#series.set(key, series)
    }
    return series.state
  }

  list(): readonly Series<State>[] {
    return [...this.#series.values()]
  }

  clear(): void {
    this.#series.clear()
  }
}

interface Histogram {
  /** Observations per bucket; the last one has no upper boundary. */
  readonly buckets: number[]
  sum: number
}

const createHistogram = (): Histogram => ({
  buckets: new Array(BUCKETS.length + 1).fill(0),
  sum: 0,
})

/** Buckets are cumulative: each counts all observations up to its boundary. */
function listSamples(name: string, { labels, state }: Series<Histogram>): Sample[] {
  let count = 0
  const samples: Sample[] = state.buckets.map((observed, index) => {
    count += observed
    const le = BUCKETS[index] ?? '+Inf'
    return { labels: { ...labels, le }, value: count, metricName: `${name}_bucket` }
  })
  return [
    ...samples,
    { labels, value: state.sum, metricName: `${name}_sum` },
    { labels, value: count, metricName: `${name}_count` },
  ]
}

/** @throws What the register throws, for example for a name that is registered already. None is registered then. */
export function createPrometheusBackend(
  register: PrometheusRegister,
  readGauge: ReadGauge,
): MetricsBackend {
  const counters = new Map<string, SeriesMap<{ value: number }>>()
  const histograms = new Map<string, SeriesMap<Histogram>>()
  const names: string[] = []
  const close = (): void => {
    for (const name of names) register.removeSingleMetric(name)
  }

  const createMetric = (key: string, definition: MetricDefinition): RegisteredMetric => {
    switch (definition.type) {
      case 'counter': {
        const series = new SeriesMap(definition, () => ({ value: 0 }))
        counters.set(key, series)
        const collect = () =>
          series.list().map(({ labels, state }) => ({ labels, value: state.value }))
        return new RegisteredMetric(definition, collect, () => series.clear())
      }
      case 'histogram': {
        const series = new SeriesMap(definition, createHistogram)
        histograms.set(key, series)
        const collect = (name: string) => series.list().flatMap((it) => listSamples(name, it))
        return new RegisteredMetric(definition, collect, () => series.clear())
      }
      case 'gauge':
        return new RegisteredMetric(definition, () => [...readGauge(key as MetricKey<'gauge'>)])
    }
  }

  try {
    for (const [key, definition] of Object.entries(METRICS)) {
      register.registerMetric(createMetric(key, definition) as never)
      names.push(toPrometheusName(definition))
    }
  } catch (error) {
    close()
    throw error
  }
  return {
    count: (key, labels) => {
      ;(counters.get(key) as SeriesMap<{ value: number }>).get(labels).value += 1
    },
    measure: (key, labels, seconds) => {
      const histogram = (histograms.get(key) as SeriesMap<Histogram>).get(labels)
      const index = BUCKETS.findIndex((boundary) => seconds <= boundary)
      const bucket = index === -1 ? BUCKETS.length : index
      histogram.buckets[bucket] = (histogram.buckets[bucket] as number) + 1
      histogram.sum += seconds
    },
    close,
  }
}
