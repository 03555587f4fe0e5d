/** The public face of `cognito-m2m/usage`: what is counted, and the forms it is read in. */

/** Whom counts are about. */
export interface UsageSubject {
  /**
   * `client`: an app client proven by a signature or by a token the user pool issued to it.
   * `other`: such clients beyond the store's `maxClients`, together. `unverified`: everybody else.
   */
  readonly kind: 'client' | 'other' | 'unverified'
  /** null unless `kind` is `client`. */
  readonly userPoolId: string | null
  /** null unless `kind` is `client`. Told by Cognito, but still to be escaped where it is shown. */
  readonly clientId: string | null
}

/** What token requests came to. */
export interface TokenCounts {
  /** Issued by the user pool: what Cognito bills. */
  readonly issued: number
  /** Served by a proxy from what had been issued before. */
  readonly cached: number
  /** Refused: an error of the caller's. */
  readonly refused: number
  /** None could be had. */
  readonly unavailable: number
}

/** What API requests came to. */
export interface RequestCounts {
  readonly accepted: number
  readonly refused: number
  /** The refused ones by code, `ERR_SCOPE_INSUFFICIENT` and the like; only codes that occurred. */
  readonly byCode: Readonly<Record<string, number>>
}

/** One app client's counts since counting began. */
export interface UsageRow extends UsageSubject {
  readonly tokens: TokenCounts
  readonly requests: RequestCounts
  /** First use, in epoch seconds; null where there was none. */
  readonly firstUsed: number | null
  /** Last use, in epoch seconds: a token had, or a request of the API accepted or refused. */
  readonly lastUsed: number | null
  /** Whether an app client was last used 90 days ago or longer: one to ask about, or to delete. */
  readonly unused: boolean
}

/** {@link Usage.report} */
export interface UsageReport {
  /** When it was made, in epoch seconds. */
  readonly at: number
  /** When counting began, in epoch seconds; null where nothing was counted yet. */
  readonly since: number | null
  /**
   * App clients by user pool and id, then `other` if anything was counted there, and `unverified`
   * last, which is always there.
   */
  readonly rows: readonly UsageRow[]
}

/** How fine a series is: hours of the last seven days, or days (UTC) of the last 92. */
export type UsageUnit = 'hour' | 'day'

/** {@link Usage.series} */
export interface UsageSeries {
  readonly unit: UsageUnit
  /** Seconds from one bucket to the next: 3,600 or 86,400. */
  readonly step: number
  /** Where each bucket begins, in epoch seconds, oldest first; the last one is still being filled. */
  readonly starts: readonly number[]
  /** Whoever had a token in that time, in the order of the report's rows. */
  readonly lines: readonly UsageLine[]
}

/** One app client's tokens over time, one number for each of {@link UsageSeries.starts}. */
export interface UsageLine extends UsageSubject {
  readonly issued: readonly number[]
  readonly cached: readonly number[]
}

/** What tokens cost, from the price list of the day: none is built in. */
export interface UsagePrice {
  /** Three letters of ISO 4217, such as `USD`. */
  readonly currency: string
  /** How many tokens a tier's `price` is for. Default 1,000. */
  readonly per?: number
  /** By the tokens of one month, lowest first; the last one has no end. */
  readonly tiers: readonly PriceTier[]
}

/** See {@link UsagePrice}. */
export interface PriceTier {
  /** Tokens of the month up to here, those of lower tiers included; absent in the last one. */
  readonly upTo?: number
  /** For {@link UsagePrice.per} tokens, in the currency. */
  readonly price: number
}

/** An amount projected to one month of 30 days, in the currency of {@link UsageCost}. */
export interface MonthlyCost {
  /** Tokens the user pools would issue. */
  readonly issued: number
  /** Tokens that would be served from the cache. */
  readonly cached: number
  /** What the issued ones cost. */
  readonly cost: number
  /** What all of them would cost if none were served from the cache. */
  readonly withoutCache: number
  /** The difference: what caching saves. */
  readonly saved: number
}

/** {@link Usage.cost} */
export interface UsageCost {
  /** As in {@link UsagePrice}. */
  readonly currency: string
  /** Seconds of counting the projection rests on: at least 3,600, at most 30 days. */
  readonly observed: number
  /** Tokens served from the cache among all that were had in that time, 0 to 1. */
  readonly cachedShare: number
  readonly monthly: MonthlyCost
  /** Each one's part, by its part of the tokens, highest cost first. The sums are `monthly`. */
  readonly clients: readonly ClientCost[]
}

/** See {@link UsageCost}. */
export interface ClientCost extends UsageSubject, MonthlyCost {}

/** What usage can be counted of: a token proxy, a resource server, a local user pool. */
export interface UsageSource {
  status(): { readonly instance: number }
  /** A token client is no source: what issued its tokens reports them. */
  readonly getToken?: never
}

/** Which form of a table. */
export interface UsageTableOptions {
  /**
   * Default false: `user_pool_id, client_id, count, last_used`. True adds a column for each count,
   * first use and `unused`.
   */
  readonly wide?: boolean
}

/** How counting goes. */
export interface UsageStatus {
  /** Sources that are attached. */
  readonly sources: number
  /** Counts that are still to be written, in cells of one client and hour. */
  readonly pending: number
  /** Whether the last write failed: counts are kept here, and written once the store takes them. */
  readonly degraded: boolean
}

/** Counts who asks how often, and says what it costs. */
export interface Usage {
  /**
   * Counts what the source tells from now on.
   *
   * ```ts
   * usage.attach(app.tokenProxy)
   * usage.attach(app.cognito)
   * usage.attach(pool)
   * ```
   *
   * @returns Ends it.
   * @throws {OptionError} `ERR_OPTION_INVALID` for what has no `status().instance`.
   */
  attach(source: UsageSource): () => void
  /** All counts, those of other processes that share the store included. */
  report(): Promise<UsageReport>
  /** Tokens over time. Default unit: `day`. */
  series(unit?: UsageUnit): Promise<UsageSeries>
  /** What a month costs at the pace of the last 30 days, and what it would without caching. */
  cost(): Promise<UsageCost>
  /** The rows as an array of objects, in JSON. */
  json(options?: UsageTableOptions): Promise<string>
  /**
   * The rows as CSV (RFC 4180). Text is quoted; `'` precedes what would begin a formula, in each cell and
   * after each separator in it.
   */
  csv(options?: UsageTableOptions): Promise<string>
  status(): UsageStatus
  /** Detaches from every source, and writes what is pending. */
  close(): Promise<void>
}
