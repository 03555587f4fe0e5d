/** Public types of price lists, without code: the page of the dashboard is compiled with them. */

/**
 * A price list of tokens. Take it from Cognito's current price list: the package contains no prices.
 *
 * @see https://aws.amazon.com/cognito/pricing/
 */
export interface UsagePrice {
  /** Three letters of ISO 4217, for example `USD`. */
  readonly currency: string
  /**
   * Number of tokens that the `price` of a tier is for, from 1 to 10^9.
   *
   * @defaultValue `1000`
   */
  readonly per?: number
  /**
   * Day of the price list, `YYYY-MM-DD`. Reports have a note if it is older than 180 days.
   *
   * @defaultValue No date; reports have a note
   */
  readonly asOf?: string
  /** 1 to 20 tiers by the tokens of one month, lowest first. The last tier has no `upTo`. */
  readonly tiers: readonly PriceTier[]
}

/** One tier of a {@link UsagePrice}. */
export interface PriceTier {
  /** Last token of the month in this tier, counted from the first tier on. Absent in the last tier. */
  readonly upTo?: number
  /** Price of {@link UsagePrice.per} tokens in the currency. */
  readonly price: number
}
