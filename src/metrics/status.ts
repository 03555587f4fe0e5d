/** Reads gauges from the status of resource servers, token proxies and token clients. */
import { describeValue, OptionError } from '../core/options/validate.ts'
import type { ServerStatus } from '../core/resource-server.ts'
import type { GaugeValue, ReadGauge } from './backend.ts'
import { type Labels, METRICS, type MetricDefinition, type MetricKey } from './catalog.ts'
import type { LabelLimits } from './label-limits.ts'

/** A resource server, token proxy or token client: anything with a `status()` of this package. */
export interface MetricsSource {
  /** `instance` is the number of the source in its process. */
  status(): { readonly instance: number }
}

interface Store {
  readonly degraded: boolean
}

/** The members of `TokenProxyStatus` that are reported. */
interface ProxyStatus {
  readonly inFlight: number
  readonly queued: { readonly proven: number; readonly unproven: number }
  readonly budget: { readonly perSecond: number; readonly used: number }
  readonly region: string
  readonly endpoint: { readonly available: boolean }
  readonly store: Store
}

/** The members of `TokenClientStatus` that are reported. */
interface ClientStatus {
  readonly scopeSets: readonly {
    readonly cachedUntil: number | null
    readonly lastError: unknown
  }[]
  readonly store: Store | null
}

/** Reports one value. */
type Report = (key: MetricKey<'gauge'>, value: number, labels?: Labels) => void

function reportServer({ userPools }: ServerStatus, report: Report): void {
  for (const { userPoolId: pool, ready, keysAge } of userPools) {
    report('ready', Number(ready), { pool })
    if (keysAge !== null) report('keysAge', keysAge, { pool })
  }
}

function reportProxy(status: ProxyStatus, report: Report): void {
  const { inFlight, queued, budget, region, endpoint, store } = status
  report('proxyAvailable', Number(endpoint.available))
  report('proxySecondary', Number(region === 'secondary'))
  report('proxyInFlight', inFlight)
  report('proxyQueued', queued.proven, { credentials: 'proven' })
  report('proxyQueued', queued.unproven, { credentials: 'unproven' })
  report('proxyBudgetUsed', budget.used)
  report('proxyBudgetLimit', budget.perSecond)
  report('storeDegraded', Number(store.degraded), { component: 'proxy' })
}

/** @param nowSeconds Epoch seconds. */
function reportClient(
  { scopeSets, store }: ClientStatus,
  report: Report,
  nowSeconds: number,
): void {
  const counts = { ok: 0, failing: 0, down: 0 }
  for (const { cachedUntil, lastError } of scopeSets) {
    // An idle scope set lets its token expire, which is no fault.
    const left = (cachedUntil ?? 0) - nowSeconds
    if (left > 0) report('clientTokenRemaining', left)
    if (lastError === null) counts.ok += 1
    else counts[left > 0 ? 'failing' : 'down'] += 1
  }
  for (const [state, count] of Object.entries(counts)) report('clientScopeSets', count, { state })
  if (store !== null) report('storeDegraded', Number(store.degraded), { component: 'client' })
}

type Kind = 'server' | 'proxy' | 'client'

/** @throws {OptionError} `ERR_OPTION_INVALID` for anything else. */
function kindOf(source: MetricsSource): Kind {
  const status: unknown = typeof source?.status === 'function' ? source.status() : undefined
  const members = Object(status) as object
  if ('userPools' in members) return 'server'
  if ('endpoint' in members) return 'proxy'
  if ('scopeSets' in members) return 'client'
  throw new OptionError(
    'source',
    `expected a resource server, a token proxy or a token client, got ${describeValue(source)}. Pass app.cognito, app.tokenProxy or a token client.`,
  )
}

/** The sources of one `createMetrics`. */
export class StatusSources {
  readonly #sources = new Map<MetricsSource, Kind>()
  readonly #limits: LabelLimits
  readonly #now: () => number

  /** @param now Milliseconds since 1970. */
  constructor(limits: LabelLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  add(source: MetricsSource): () => void {
    this.#sources.set(source, kindOf(source))
    return () => void this.#sources.delete(source)
  }

  clear(): void {
    this.#sources.clear()
  }

  /** Several sources with the same labels become one value. */
  readonly read: ReadGauge = (key) => {
    const values = new Map<string, GaugeValue>()
    const { combine } = METRICS[key] as MetricDefinition
    for (const [source, kind] of this.#sources) {
      this.#report(source, kind, (reported, value, given = {}) => {
        if (reported !== key) return
        const labels = this.#limits.limitAll(given)
        const name = JSON.stringify(labels)
        const other = values.get(name)?.value
        const combined =
          other === undefined
            ? value
            : combine === 'sum'
              ? other + value
              : Math[combine as 'max'](other, value)
        values.set(name, { labels, value: combined })
      })
    }
    return [...values.values()]
  }

  /** A source whose status throws is left out: a clock of the app may fail. */
  #report(source: MetricsSource, kind: Kind, report: Report): void {
    try {
      const status: unknown = source.status()
      if (kind === 'server') reportServer(status as ServerStatus, report)
      else if (kind === 'proxy') reportProxy(status as ProxyStatus, report)
      else reportClient(status as ClientStatus, report, this.#now() / 1000)
    } catch {
      // The other sources and metrics of this scrape do not depend on it.
    }
  }
}
