/** Types of `data.json` and `chart.json`, shared by the plugin and the page's scripts. */
import type {
  MonthlyCost,
  RequestCounts,
  TokenCounts,
  UsageStatus,
  UsageSubject,
} from '../types.ts'

/** Counts and cost of one subject. */
export interface ClientView extends UsageSubject {
  readonly tokens: TokenCounts
  readonly requests: RequestCounts
  /** Last use in epoch seconds. null without a use. */
  readonly lastUsed: number | null
  readonly unused: boolean
  /** Projected monthly cost in the currency of {@link CostView}. null without tokens in the last 30 days. */
  readonly monthlyCost: number | null
}

/** `UsageCost` without `clients`. */
export interface CostView {
  readonly currency: string
  /** Seconds of counting that the projection is based on. */
  readonly observed: number
  /** Share of the tokens that were served from the cache, from 0 to 1. */
  readonly cachedShare: number
  readonly monthly: MonthlyCost
}

/** The document `data.json`. */
export interface SummaryView {
  /** Time of the report in epoch seconds. */
  readonly at: number
  /** First count in epoch seconds. null if nothing was counted yet. */
  readonly since: number | null
  readonly status: UsageStatus
  readonly cost: CostView
  readonly clients: readonly ClientView[]
}

/** The tokens that the chart shows. `all` is `issued` plus `cached`. */
export type TokenCount = 'issued' | 'cached' | 'all'

export const TOKEN_COUNTS: readonly TokenCount[] = ['issued', 'cached', 'all']

/** Time range of the chart. */
export type Range = '24h' | '7d' | '30d' | '90d'

/** One layer of the chart: an app client, or several together. */
export interface LayerView {
  /** null for the layer of all clients without a separate layer. */
  readonly subject: UsageSubject | null
  /** Number of clients in the layer. */
  readonly clients: number
  /** The tokens that the layer shows. */
  readonly count: TokenCount
  /** One for each of {@link ChartView.starts}. */
  readonly values: readonly number[]
}

/** The document `chart.json`. */
export interface ChartView {
  /** Seconds of a bucket. */
  readonly step: number
  /** Start of each bucket in epoch seconds, oldest first. */
  readonly starts: readonly number[]
  /** Largest layer first. The layer of the remaining clients is last. */
  readonly layers: readonly LayerView[]
}
