/** A validated price list, and the cost of an amount of tokens. */
import {
  describeValue,
  type Members,
  OptionError,
  readMembers,
  readNumber,
} from '../../core/options/validate.ts'
import { parseDay } from './history/days.ts'
import type { UsagePrice } from './price-types.ts'

const MAX_TIERS = 20
const MAX_AMOUNT = 1e15

interface Tier {
  /** Infinity in the last tier. */
  readonly upTo: number
  readonly price: number
}

/** A validated {@link UsagePrice}. */
export interface Price {
  readonly currency: string
  /** `YYYY-MM-DD`. null if the list has no date. */
  readonly asOf: string | null
  /** Returns the price of the tokens of one month, in the currency. */
  cost(tokens: number): number
}

/** @throws {OptionError} `ERR_OPTION_INVALID`. */
export function readPrice(value: unknown): Price {
  if (value === undefined) {
    throw new OptionError(
      'price',
      "expected a price list, got undefined. Pass { currency, tiers } from Cognito's current price list.",
    )
  }
  const members = readMembers(
    value,
    ['currency', 'per', 'tiers', 'asOf'] satisfies (keyof UsagePrice)[],
    'price',
  )
  const { currency, asOf = null } = members
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency)) {
    throw new OptionError(
      'price.currency',
      `expected three capital letters of ISO 4217, got ${describeValue(currency)}. Use for example "USD".`,
    )
  }
  if (asOf !== null && (typeof asOf !== 'string' || parseDay(asOf) === undefined)) {
    throw new OptionError(
      'price.asOf',
      `expected a day as YYYY-MM-DD, got ${describeValue(asOf)}. Pass the day of the price list.`,
    )
  }
  const per = readNumber(members, 'per', 'price', {
    defaultValue: 1000,
    min: 1,
    max: 1e9,
    integer: true,
    unit: 'tokens',
  })
  const tiers = readTiers(members)
  return {
    currency,
    asOf,
    cost(tokens) {
      let below = 0
      let sum = 0
      for (const { upTo, price } of tiers) {
        sum += ((Math.min(tokens, upTo) - below) / per) * price
        if (tokens <= upTo) break
        below = upTo
      }
      return sum
    },
  }
}

function readTiers({ tiers }: Members): readonly Tier[] {
  if (!Array.isArray(tiers) || tiers.length === 0 || tiers.length > MAX_TIERS) {
    throw new OptionError(
      'price.tiers',
      `expected an array of 1 to ${MAX_TIERS} tiers, got ${Array.isArray(tiers) ? `${tiers.length} tiers` : describeValue(tiers)}. Pass objects with upTo and price.`,
    )
  }
  let below = 0
  return Array.from(tiers, (value: unknown, index) => {
    const optionPath = `price.tiers[${index}]`
    const members = readMembers(value, ['upTo', 'price'], optionPath)
    const isLast = index === tiers.length - 1
    if (!('price' in members)) {
      throw new OptionError(
        `${optionPath}.price`,
        'expected a number, got undefined. Set the price of price.per tokens.',
      )
    }
    const price = readNumber(members, 'price', optionPath, {
      defaultValue: 0,
      min: 0,
      max: MAX_AMOUNT,
    })
    if (isLast && 'upTo' in members) {
      throw new OptionError(
        `${optionPath}.upTo`,
        'expected no upTo in the last tier, got one. Remove it, or add a last tier without it.',
      )
    }
    if (isLast) return { upTo: Number.POSITIVE_INFINITY, price }
    if (!('upTo' in members)) {
      throw new OptionError(
        `${optionPath}.upTo`,
        'expected a number of tokens, got undefined. Set it in each tier except the last.',
      )
    }
    below = readNumber(members, 'upTo', optionPath, {
      defaultValue: 0,
      min: below + 1,
      max: MAX_AMOUNT,
      integer: true,
      unit: 'tokens',
    })
    return { upTo: below, price }
  })
}
