/** Public types of usage by day and month: days, client information, histories and comparisons. */
import type { UsagePrice } from '../price-types.ts'

/** Who tokens of a day belong to. */
export interface DaySubject {
  /**
   * `client`: an app client. `other`: clients beyond a limit, together. `unattributed`: requests in AWS records that
   * name no client, for example with HTTP Basic. `unverified`: unauthenticated callers.
   */
  readonly kind: 'client' | 'other' | 'unattributed' | 'unverified'
  /** null if it is unknown, or if `kind` is `other` or `unverified`. */
  readonly userPoolId: string | null
  /** null unless `kind` is `client`. Escape it for display: it can contain any character. */
  readonly clientId: string | null
}

/** Tokens of one subject on one day (UTC). Counts of this package and AWS records have this shape. */
export interface UsageDay extends DaySubject {
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string
  /** Tokens that the user pool issued. Cognito bills these. */
  readonly issued: number
  /** Tokens that a proxy served from its cache. 0 in AWS records: these requests never reached AWS. */
  readonly cached: number
  /** First and last use on that day or overall, in epoch seconds. null if unknown. */
  readonly firstUsed: number | null
  readonly lastUsed: number | null
  /** Identifiers of the resource servers of the requested scopes, sorted. Absent if unknown. */
  readonly resourceServers?: readonly string[]
}

/** Highest request rate of a Region on one day. */
export interface UsagePeak {
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string
  readonly region: string
  /** Token requests in the busiest second, successful or not. */
  readonly requests: number
  /** That second in epoch seconds. */
  readonly at: number
}

/** What people call an app client. */
export interface ClientInfo {
  readonly clientId: string
  /**
   * Restricts the entry to one user pool.
   *
   * @defaultValue Any user pool
   */
  readonly userPoolId?: string
  /**
   * Name for display.
   *
   * @defaultValue No name
   */
  readonly name?: string
  /**
   * Team that owns the client.
   *
   * @defaultValue No team
   */
  readonly team?: string
  /**
   * Values by name, for example `{ env: 'prod' }`.
   *
   * @defaultValue `{}`
   */
  readonly tags?: Readonly<Record<string, string>>
  /**
   * Identifiers of the resource servers whose scopes the client may have.
   *
   * @defaultValue Those of `templates`, by the name or the id of the client
   */
  readonly resourceServers?: readonly string[]
}

/**
 * Finds the information of a client.
 *
 * @param client User pool and app client. The user pool is null if it is unknown.
 * @returns Undefined for an unknown client.
 */
export type FindClient = (client: {
  readonly userPoolId: string | null
  readonly clientId: string
}) => Omit<ClientInfo, 'clientId' | 'userPoolId'> | undefined

/** The used part of an `InfraModel`, the result of `readTemplate`. */
export interface ClientTemplate {
  readonly clients: readonly {
    readonly id: string
    readonly name?: { readonly value: string | undefined }
    readonly scopes?: { readonly items: readonly { readonly value: string | undefined }[] }
  }[]
}

/** Dimension of the rows. `tag:env` groups by the value of the tag `env`. */
export type UsageGroup =
  | 'client'
  | 'pool'
  | 'region'
  | 'resourceServer'
  | 'team'
  | 'total'
  | `tag:${string}`

/** Options that select and group rows. */
export interface UsageHistoryOptions {
  /**
   * First day, `YYYY-MM-DD` in UTC, or a month, `YYYY-MM`.
   *
   * @defaultValue The first day with data
   */
  readonly from?: string
  /**
   * Last day, inclusive: `YYYY-MM-DD` in UTC, or a month, `YYYY-MM`.
   *
   * @defaultValue The last day with data
   */
  readonly to?: string
  /**
   * Length of a period.
   *
   * @defaultValue `'month'`
   */
  readonly by?: 'day' | 'month'
  /**
   * What a row stands for: an app client, user pool, Region, resource server, team, value of a tag, or everything.
   *
   * @defaultValue `'client'`
   */
  readonly group?: UsageGroup
  /**
   * Names, teams and tags of app clients: a list, or a function.
   *
   * @defaultValue `[]`
   */
  readonly clients?: readonly ClientInfo[] | FindClient
  /**
   * Results of `readTemplate`. They add the resource servers of a client, found by its name or its id.
   *
   * @defaultValue `[]`
   */
  readonly templates?: readonly ClientTemplate[]
  /**
   * Request rates, for the line of the quota: `peaks` of `importUsage`.
   *
   * @defaultValue `[]`
   */
  readonly peaks?: readonly UsagePeak[]
  /**
   * Cognito's quota in token requests a second, per account and Region.
   *
   * @defaultValue `150`
   */
  readonly quota?: number
}

/** Options of `createUsageHistory`. */
export interface CreateUsageHistoryOptions extends UsageHistoryOptions {
  /**
   * Price list. Without one, costs are null.
   *
   * @defaultValue No price
   */
  readonly price?: UsagePrice
  /**
   * Wall clock in milliseconds.
   *
   * @defaultValue `Date.now`
   */
  readonly now?: () => number
}

/** Tokens and cost of a row, a period, or everything. Amounts are in the currency of {@link UsageHistory}. */
export interface UsageAmounts {
  readonly issued: number
  readonly cached: number
  /** Cost of the issued tokens. null without a price. */
  readonly cost: number | null
  /** Cost of all tokens if none were served from the cache. null without a price. */
  readonly withoutCache: number | null
  /** `withoutCache` less `cost`. null without a price. */
  readonly saved: number | null
}

/** Tokens of one group in one period. */
export interface UsageHistoryRow extends UsageAmounts {
  /** `YYYY-MM-DD` or `YYYY-MM`. */
  readonly period: string
  /** Start of the period in epoch seconds. */
  readonly start: number
  /**
   * Value of the group: the client id, the user pool, the Region, the tag's value, and so on. Resource servers of one
   * client are joined by `, `, so that each token is in one row. null if it is unknown.
   */
  readonly group: string | null
  /** null unless the group is `client`. */
  readonly kind: DaySubject['kind'] | null
  /** null unless the group is `client` or `pool`. */
  readonly userPoolId: string | null
  /** Region of the user pool. null unless the group is `client`, `pool` or `region`. */
  readonly region: string | null
  /** null unless the group is `client`. */
  readonly clientId: string | null
  /** From `clients`. null unless the group is `client`. */
  readonly name: string | null
  readonly team: string | null
  readonly tags: Readonly<Record<string, string>>
  readonly resourceServers: readonly string[]
  /** First and last use of the row's clients in epoch seconds. null if unknown. */
  readonly firstUsed: number | null
  readonly lastUsed: number | null
}

/** All rows of one period together. */
export interface UsagePeriod extends UsageAmounts {
  readonly period: string
  readonly start: number
  /** Whether the period has ended, and lies inside of the range. */
  readonly complete: boolean
}

/** The quota in a history. */
export interface UsageQuota {
  /** Token requests a second, per account and Region. */
  readonly perSecond: number
  /** The busiest second of each Region and day in the range, by Region and day. Empty if no rates are known. */
  readonly peaks: readonly UsagePeak[]
}

/** Usage by day or month, with cost. */
export interface UsageHistory {
  /** Time of the report in epoch seconds. */
  readonly at: number
  /** First and last day, `YYYY-MM-DD`. null without data and range. */
  readonly from: string | null
  readonly to: string | null
  readonly by: 'day' | 'month'
  readonly group: UsageGroup
  /** Currency of the price. null without a price. */
  readonly currency: string | null
  /** As-of date of the price. null without one. */
  readonly priceAsOf: string | null
  /** By period, then by issued tokens, highest first. */
  readonly rows: readonly UsageHistoryRow[]
  /** Every period of the range, also those without tokens. */
  readonly periods: readonly UsagePeriod[]
  readonly total: UsageAmounts
  readonly quota: UsageQuota
  /** What a reader has to know, for example that prices are old. One sentence each. */
  readonly notes: readonly string[]
}

/** Options of `compareUsage`. */
export interface CompareUsageOptions
  extends Pick<CreateUsageHistoryOptions, 'clients' | 'templates' | 'price' | 'now'> {
  /**
   * First day, `YYYY-MM-DD` in UTC, or a month, `YYYY-MM`.
   *
   * @defaultValue The first day on which both sides have data
   */
  readonly from?: string
  /**
   * Last day, inclusive: `YYYY-MM-DD` in UTC, or a month, `YYYY-MM`.
   *
   * @defaultValue The last day on which both sides have data
   */
  readonly to?: string
}

/** Tokens of a client by both sides. Amounts are in the currency of {@link UsageComparison}. */
export interface ComparedTokens {
  /** Tokens in AWS records, which Cognito bills. */
  readonly billed: number
  /** Tokens that proxies of this package got from Cognito. */
  readonly counted: number
  /** Tokens that proxies served from their cache. */
  readonly cached: number
  /** Billed tokens that no proxy counted: the client called Cognito directly. */
  readonly direct: number
  /** Cost of the billed tokens. null without a price. */
  readonly cost: number | null
  /** Cost of the cached tokens, had Cognito issued them. null without a price. */
  readonly saved: number | null
}

/** One client in a comparison. */
export interface ComparedClient extends DaySubject, ComparedTokens {
  readonly name: string | null
  readonly team: string | null
  /**
   * `direct`: at least 99 % of its billed tokens bypass the proxies. `proxy`: at most 1 % do. `mixed`: in between.
   */
  readonly path: 'direct' | 'mixed' | 'proxy'
}

/** AWS records compared with the counts of this package. */
export interface UsageComparison {
  /** Compared days. null if no day has data of both sides. */
  readonly from: string | null
  readonly to: string | null
  readonly currency: string | null
  /** By direct tokens, highest first. */
  readonly clients: readonly ComparedClient[]
  readonly total: ComparedTokens
  /** Billed and cached tokens by day and client, for `createUsageHistory` and `forecastUsage`. */
  readonly days: readonly UsageDay[]
  readonly notes: readonly string[]
}

/** Options of `forecastUsage`. */
export interface ForecastUsageOptions
  extends Pick<CreateUsageHistoryOptions, 'clients' | 'templates' | 'price' | 'now'> {}

/** Forecast of one client. */
export interface ForecastClient extends DaySubject, UsageAmounts {
  readonly name: string | null
  readonly team: string | null
  /** Tokens a day that the forecast assumes for the rest of the month. */
  readonly issuedPerDay: number
  readonly cachedPerDay: number
}

/** Tokens and cost of a calendar month at its end. */
export interface UsageForecast {
  /** `YYYY-MM`: the month of the last day with data. null without data. */
  readonly month: string | null
  /** End of the data in epoch seconds: now, or the end of the last day. null without data. */
  readonly at: number | null
  readonly currency: string | null
  /** The month up to now. */
  readonly monthToDate: UsageAmounts
  /** The month before it. */
  readonly lastMonth: UsageAmounts
  /** The month at its end. */
  readonly forecast: UsageAmounts
  /** By forecast tokens, highest first. The sums are `forecast`. */
  readonly clients: readonly ForecastClient[]
}
