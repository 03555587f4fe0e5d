/** Days and months in UTC, which have no daylight-saving time: every day has 24 hours. */
import { describeValue, type Members, OptionError } from '../../../core/options/validate.ts'

export const SECONDS_PER_DAY = 86_400
const DAY_MS = SECONDS_PER_DAY * 1000

/** Most days of a history: ten years. */
const MAX_DAYS = 3660

/** First and last day of a range, in days since 1970. */
export interface DayRange {
  readonly first: number
  readonly last: number
}

/** `YYYY-MM-DD` of a day since 1970. */
export function formatDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

/** @returns Days since 1970. Undefined for a text that is no day of 1970 to 9999. */
export function parseDay(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined
  const day = Date.parse(`${text}T00:00:00Z`) / DAY_MS
  // Date.parse accepts February 30 in some engines.
  return day >= 0 && formatDay(day) === text ? day : undefined
}

/** First and last day of a day or a month. Undefined for other texts. */
function parsePeriod(text: string): DayRange | undefined {
  const day = parseDay(text)
  if (day !== undefined) return { first: day, last: day }
  const first = parseDay(`${text}-01`)
  return first === undefined ? undefined : { first, last: getMonthEnd(first) }
}

/** First day of the month of a day. */
export function getMonthStart(day: number): number {
  const date = new Date(day * DAY_MS)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / DAY_MS
}

/** Last day of the month of a day. */
export function getMonthEnd(day: number): number {
  const date = new Date(day * DAY_MS)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0) / DAY_MS
}

/**
 * Reads `from` and `to`.
 *
 * @param known Range of the data. Undefined without data.
 * @returns Undefined without data and options.
 * @throws {OptionError} for another text, and for a range that ends before it begins or is too long.
 */
export function readDayRange(
  { from, to }: Members,
  known: DayRange | undefined,
): DayRange | undefined {
  const first = from === undefined ? undefined : readPeriod(from, 'from').first
  const last = to === undefined ? undefined : readPeriod(to, 'to').last
  const range = {
    first:
      first ?? Math.min(known?.first ?? Number.POSITIVE_INFINITY, last ?? Number.POSITIVE_INFINITY),
    last: last ?? Math.max(known?.last ?? 0, first ?? 0),
  }
  if (range.first === Number.POSITIVE_INFINITY) return undefined
  if (range.last < range.first) {
    throw new OptionError(
      'to',
      `expected a day from ${formatDay(range.first)} on, got ${describeValue(to)}. Pass a later day.`,
    )
  }
  if (range.last - range.first < MAX_DAYS) return range
  throw new OptionError(
    'from',
    `expected a range of at most ${MAX_DAYS} days, got ${range.last - range.first + 1}. Pass a shorter range.`,
  )
}

function readPeriod(value: unknown, option: string): DayRange {
  const range = typeof value === 'string' ? parsePeriod(value) : undefined
  if (range !== undefined) return range
  throw new OptionError(
    option,
    `expected a day as YYYY-MM-DD or a month as YYYY-MM, got ${describeValue(value)}. Correct the date.`,
  )
}

/** Picks the earlier or later of two times. One that is unknown does not count. */
export function pickTime(
  pick: (...times: number[]) => number,
  left: number | null,
  right: number | null,
): number | null {
  return left === null || right === null ? (left ?? right) : pick(left, right)
}
