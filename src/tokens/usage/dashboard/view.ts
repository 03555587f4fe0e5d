/** Types of `data.json` and `chart.json`, shared by the plugin and the page's scripts. */
import type { RequestCounts, TokenCounts, UsageStatus, UsageSubject } from '../types.ts'

/** A subject with its name for display. */
export interface NamedSubject extends UsageSubject {
  /** From the option `clients`. null without one. */
  readonly name: string | null
}

/** Counts and cost of one subject. */
export interface ClientView extends NamedSubject {
  readonly team: string | null
  readonly tags: Readonly<Record<string, string>>
  /** Since counting began. */
  readonly tokens: TokenCounts
  /** Since counting began. */
  readonly requests: RequestCounts
  /** Last use in epoch seconds. null without a use. */
  readonly lastUsed: number | null
  readonly unused: boolean
  /** Cost of the current month until now. */
  readonly monthCost: number
  /** Projected cost of the whole current month. */
  readonly forecastCost: number
}

/** Tokens and cost of a user pool or a Region. */
export interface GroupView {
  /** User pool, or Region. null for the subjects without one. */
  readonly group: string | null
  /** Of the current month until now. */
  readonly issued: number
  readonly cached: number
  readonly monthCost: number
  readonly forecastCost: number
  readonly lastMonthCost: number
}

/** A day on which a subject had many more tokens than on its earlier days. */
export interface AnomalyView extends NamedSubject {
  /** Start of the day in epoch seconds. */
  readonly start: number
  /** Issued tokens of that day, and the median of the earlier days. */
  readonly value: number
  readonly median: number
  /** `value` divided by `median`. */
  readonly factor: number
}

/** What a client that ignores caching could save. */
export interface SavingView extends NamedSubject {
  /** Tokens issued in the last 30 days. */
  readonly issued: number
  /** Tokens that are enough with a cache. */
  readonly needed: number
  /** Cost of the others. */
  readonly saving: number
}

/** Tokens and cost of a month. */
export interface MonthView {
  /** Start of the month in epoch seconds. */
  readonly start: number
  readonly issued: number
  readonly cached: number
  readonly cost: number
  /** Cost that the cache saved. */
  readonly saved: number
}

/** Cost of a day. */
export interface DayCost {
  /** Start of the day in epoch seconds. */
  readonly start: number
  readonly cost: number
}

/** The document `data.json`. */
export interface SummaryView {
  /** Time of the report in epoch seconds. */
  readonly at: number
  /** First count in epoch seconds. null if nothing was counted yet. */
  readonly since: number | null
  readonly status: UsageStatus
  readonly currency: string
  /** Cost that a month may have. null without the option. */
  readonly budget: number | null
  /** What a reader has to know about the amounts. One sentence each. */
  readonly notes: readonly string[]
  /** The current month until now. */
  readonly month: MonthView
  /** The whole current month. */
  readonly forecast: MonthView
  readonly lastMonth: MonthView
  /** Each day of the last month, and of the current one until today. */
  readonly days: readonly DayCost[]
  readonly clients: readonly ClientView[]
  /** By cost of the current month, highest first. */
  readonly pools: readonly GroupView[]
  readonly regions: readonly GroupView[]
  /** Of the last 30 days, latest first. */
  readonly anomalies: readonly AnomalyView[]
  /** At most ten, largest first. */
  readonly savings: readonly SavingView[]
}

/** The tokens of a layer. `all` is `issued` plus `cached`. */
export type TokenCount = 'issued' | 'cached' | 'all'

/** What the chart shows: tokens, or the cost of the issued ones. */
export type ChartCount = TokenCount | 'cost'

export const CHART_COUNTS: readonly ChartCount[] = ['issued', 'cached', 'all', 'cost']

/** Time range of the chart. */
export type Range = '24h' | '7d' | '30d' | '90d'

/** One layer of the chart: an app client, or several together. */
export interface LayerView {
  /** null for the layer of all clients without a separate layer. */
  readonly subject: NamedSubject | null
  /** Number of clients in the layer. */
  readonly clients: number
  /** What the layer shows. */
  readonly count: ChartCount
  /** One for each of {@link ChartView.starts}. */
  readonly values: readonly number[]
}

/** The document `chart.json`. */
export interface ChartView {
  /** Currency of the values. null for tokens. */
  readonly currency: string | null
  /** Seconds of a bucket. */
  readonly step: number
  /** Start of each bucket in epoch seconds, oldest first. */
  readonly starts: readonly number[]
  /** Largest layer first. The layer of the remaining clients is last. */
  readonly layers: readonly LayerView[]
  /** Anomalies of the shown days. Empty for hours, and for tokens from the cache. */
  readonly anomalies: readonly AnomalyView[]
}
