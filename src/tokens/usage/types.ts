/** Public types of `cognito-m2m/usage`: sources, counts, reports, series and cost. */

import type { UsageDay, UsageForecast, UsageHistory, UsageHistoryOptions } from './history/types.ts'

/** The subject of counts: an app client, or several callers together. */
export interface UsageSubject {
  /**
   * `client`: an app client that a signature or an issued token authenticates. `other`: the clients beyond the
   * store's `maxClients`, together. `unverified`: all other callers.
   */
  readonly kind: 'client' | 'other' | 'unverified'
  /** null unless `kind` is `client`. */
  readonly userPoolId: string | null
  /** null unless `kind` is `client`. Escape it for display: it can contain any character. */
  readonly clientId: string | null
}

/** Token requests by outcome. */
export interface TokenCounts {
  /** Issued by the user pool. Cognito bills these. */
  readonly issued: number
  /** Served by a proxy from its cache. */
  readonly cached: number
  /** Rejected because of an error of the caller. */
  readonly refused: number
  /** Failed because no token was available. */
  readonly unavailable: number
}

/** API requests by decision. */
export interface RequestCounts {
  /** Requests with access. */
  readonly accepted: number
  /** Requests with an error response. */
  readonly refused: number
  /** The refused requests by error code, for example `ERR_SCOPE_INSUFFICIENT`. Only codes that occurred. */
  readonly byCode: Readonly<Record<string, number>>
}

/** Counts of one subject since counting began. */
export interface UsageRow extends UsageSubject {
  readonly tokens: TokenCounts
  readonly requests: RequestCounts
  /** First use in epoch seconds. null without a use. */
  readonly firstUsed: number | null
  /** Last token request or API request in epoch seconds. null without a use. */
  readonly lastUsed: number | null
  /** Whether the last use of an app client is at least 90 days ago. */
  readonly unused: boolean
}

/** Result of {@link Usage.report}. */
export interface UsageReport {
  /** Time of the report in epoch seconds. */
  readonly at: number
  /** First count in epoch seconds. null if nothing was counted yet. */
  readonly since: number | null
  /** App clients by user pool and id, then `other` if it has counts, and always `unverified` last. */
  readonly rows: readonly UsageRow[]
}

/** Resolution of a series: hours of the last 7 days, or days (UTC) of the last 92. */
export type UsageUnit = 'hour' | 'day'

/** Result of {@link Usage.series}. */
export interface UsageSeries {
  /** The unit of the call. */
  readonly unit: UsageUnit
  /** Seconds of a bucket: 3,600 or 86,400. */
  readonly step: number
  /** Start of each bucket in epoch seconds, oldest first. The last bucket is not complete. */
  readonly starts: readonly number[]
  /** Subjects with tokens in that time, in the order of the report's rows. */
  readonly lines: readonly UsageLine[]
}

/** Tokens of one subject over time, one number for each of {@link UsageSeries.starts}. */
export interface UsageLine extends UsageSubject {
  /** Tokens that the user pool issued. */
  readonly issued: readonly number[]
  /** Tokens that a proxy served from its cache. */
  readonly cached: readonly number[]
}

/** A projection to a month of 30 days. Amounts are in the currency of {@link UsageCost}. */
export interface MonthlyCost {
  /** Tokens the user pools would issue. */
  readonly issued: number
  /** Tokens that would be served from the cache. */
  readonly cached: number
  /** Cost of the issued tokens. */
  readonly cost: number
  /** Cost of all tokens if none were served from the cache. */
  readonly withoutCache: number
  /** `withoutCache` less `cost`: the savings of the cache. */
  readonly saved: number
}

/** Result of {@link Usage.cost}. */
export interface UsageCost {
  /** Currency of the {@link UsagePrice}. */
  readonly currency: string
  /** Seconds of counting that the projection is based on, from 3,600 to 30 days. */
  readonly observed: number
  /** Share of the tokens in that time that were served from the cache, from 0 to 1. */
  readonly cachedShare: number
  /** Projection of all subjects together. */
  readonly monthly: MonthlyCost
  /** Cost and savings of each subject by its share of the tokens, highest cost first. The sums are `monthly`. */
  readonly clients: readonly ClientCost[]
}

/** Share of one subject in {@link UsageCost}. */
export interface ClientCost extends UsageSubject, MonthlyCost {}

/** A source of counts: a token proxy, a resource server, or a local user pool. */
export interface UsageSource {
  /** `instance` is the number of the source in its process, as in its events. */
  status(): { readonly instance: number }
  /** Excludes token clients: the proxy or user pool that issued a token reports it. */
  readonly getToken?: never
}

/**
 * Options of {@link Usage.json} and {@link Usage.csv}. With `by`, `from`, `to` or `group`, they write the rows of
 * {@link Usage.history} instead of the report.
 */
export interface UsageTableOptions extends UsageHistoryOptions {
  /**
   * `true` adds `kind`, `first_used`, `unused` and a column for each count to the columns `user_pool_id`,
   * `client_id`, `count` and `last_used`. It cannot be combined with the options of a history.
   *
   * @defaultValue `false`
   */
  readonly wide?: boolean
}

/** Result of {@link Usage.status}. */
export interface UsageStatus {
  /** Number of attached sources. */
  readonly sources: number
  /** Counts that are not written yet, in cells of one client and hour. */
  readonly pending: number
  /** Whether the last write failed. Counts are then kept in memory and written once the store recovers. */
  readonly degraded: boolean
}

/** Counts tokens and requests of attached sources, and projects their cost. */
export interface Usage {
  /**
   * Counts the events of a source from now on.
   *
   * @param source A token proxy, a resource server or a local user pool of this process.
   * @returns A function that detaches the source.
   * @throws {OptionError} `ERR_OPTION_INVALID` for any other object.
   * @example
   * ```ts
   * usage.attach(app.tokenProxy)
   * usage.attach(app.cognito)
   * usage.attach(pool)
   * ```
   */
  attach(source: UsageSource): () => void
  /**
   * Reads all counts, including those of other processes with the same store.
   *
   * @returns One row per app client with counts, and the shared rows.
   * @throws {UsageUnavailableError} `ERR_USAGE_UNAVAILABLE` if the store does not respond within 2 s.
   */
  report(): Promise<UsageReport>
  /**
   * Reads the tokens over time.
   *
   * @param unit `hour` for the last 7 days, `day` for the last 92. Default: `day`.
   * @returns One line per subject with tokens in that time.
   * @throws {UsageUnavailableError} `ERR_USAGE_UNAVAILABLE` if the store does not respond within 2 s.
   * @throws {OptionError} `ERR_OPTION_INVALID` for another unit.
   */
  series(unit?: UsageUnit): Promise<UsageSeries>
  /**
   * Reads the tokens of the last 92 days by day and subject, for `createUsageHistory` and `compareUsage`.
   *
   * @returns Days with tokens, oldest first.
   * @throws {UsageUnavailableError} `ERR_USAGE_UNAVAILABLE` if the store does not respond within 2 s.
   */
  days(): Promise<readonly UsageDay[]>
  /**
   * Reads usage by day or month, with the cost of each row. A store keeps 92 days.
   *
   * @param options Range, period, grouping, and names of clients.
   * @returns Rows, periods and totals, with the option `price`.
   * @throws {UsageUnavailableError} `ERR_USAGE_UNAVAILABLE` if the store does not respond within 2 s.
   * @throws {OptionError} `ERR_OPTION_INVALID` for invalid options.
   * @example
   * ```ts
   * const { rows } = await usage.history({ from: '2026-03', by: 'month', group: 'team', clients })
   * ```
   */
  history(options?: UsageHistoryOptions): Promise<UsageHistory>
  /**
   * Projects the current month (UTC) to its end, as `forecastUsage` does: the tokens so far, and for the rest the rate of
   * the last seven days. A client that began later is projected from its own rate.
   *
   * @param options Names of clients.
   * @returns The month to date, the last month, and the forecast of the month, with the option `price`.
   * @throws {UsageUnavailableError} `ERR_USAGE_UNAVAILABLE` if the store does not respond within 2 s.
   * @throws {OptionError} `ERR_OPTION_INVALID` for invalid options.
   * @example
   * ```ts
   * const { monthToDate, forecast, currency } = await usage.forecast()
   * console.info(monthToDate.cost, 'so far,', forecast.cost, currency, 'at the end of the month')
   * ```
   */
  forecast(options?: Pick<UsageHistoryOptions, 'clients' | 'templates'>): Promise<UsageForecast>
  /**
   * Projects the cost of a month from the last 30 days, with and without caching.
   *
   * @returns Amounts in the currency of the option `price`.
   * @throws {UsageUnavailableError} `ERR_USAGE_UNAVAILABLE` if the store does not respond within 2 s.
   */
  cost(): Promise<UsageCost>
  /**
   * Writes the rows of the report as a JSON array of objects. Client ids are not escaped for HTML.
   *
   * @param options `wide` adds columns.
   * @returns The JSON text.
   * @throws {UsageUnavailableError} `ERR_USAGE_UNAVAILABLE` if the store does not respond within 2 s.
   * @throws {OptionError} `ERR_OPTION_INVALID` for invalid options.
   */
  json(options?: UsageTableOptions): Promise<string>
  /**
   * Writes the rows of the report as CSV with quoted text. `'` is inserted before a character that would begin a
   * formula, at the beginning of a cell and after each separator in it.
   *
   * @param options `wide` adds columns.
   * @returns The CSV text, with a header line.
   * @throws {UsageUnavailableError} `ERR_USAGE_UNAVAILABLE` if the store does not respond within 2 s.
   * @throws {OptionError} `ERR_OPTION_INVALID` for invalid options.
   * @see RFC 4180
   */
  csv(options?: UsageTableOptions): Promise<string>
  /** Returns sources, pending counts and the state of the store, without a read of the store. */
  status(): UsageStatus
  /** Detaches all sources, writes pending counts and closes the store. Never rejects. */
  close(): Promise<void>
}
