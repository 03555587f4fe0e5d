/** What the page asks for and is told: the contract of the plugin and the page's own scripts. */
import type {
  MonthlyCost,
  RequestCounts,
  TokenCounts,
  UsageStatus,
  UsageSubject,
} from '../types.ts'

/** One app client: what is counted of it, and its part of the cost. */
export interface ClientView extends UsageSubject {
  readonly tokens: TokenCounts
  readonly requests: RequestCounts
  /** Epoch seconds; null where there was no use. */
  readonly lastUsed: number | null
  readonly unused: boolean
  /** Projected to a month, in the currency of {@link CostView}; null where no token was had of late. */
  readonly monthlyCost: number | null
}

/** `UsageCost` without its part for each client. */
export interface CostView {
  readonly currency: string
  /** Seconds the projection rests on. */
  readonly observed: number
  /** 0 to 1. */
  readonly cachedShare: number
  readonly monthly: MonthlyCost
}

/** `data.json` */
export interface SummaryView {
  /** When it was made, in epoch seconds. */
  readonly at: number
  /** When counting began, in epoch seconds; null where nothing was counted yet. */
  readonly since: number | null
  readonly status: UsageStatus
  readonly cost: CostView
  readonly clients: readonly ClientView[]
}

/** Which tokens are drawn. */
export type TokenCount = 'issued' | 'cached' | 'all'

export const TOKEN_COUNTS: readonly TokenCount[] = ['issued', 'cached', 'all']

/** How far the chart looks back. */
export type Range = '24h' | '7d' | '30d' | '90d'

/** One layer of the chart: an app client, or several together. */
export interface LayerView {
  /** null for the clients beyond those that are drawn by themselves. */
  readonly subject: UsageSubject | null
  /** How many are in it. */
  readonly clients: number
  /** Which of its tokens: `all` is issued and served from the cache together. */
  readonly count: TokenCount
  /** One for each of {@link ChartView.starts}. */
  readonly values: readonly number[]
}

/** `chart.json` */
export interface ChartView {
  /** Seconds from one bucket to the next. */
  readonly step: number
  /** Where each bucket begins, in epoch seconds, oldest first. */
  readonly starts: readonly number[]
  /** Largest first, the rest last. */
  readonly layers: readonly LayerView[]
}
