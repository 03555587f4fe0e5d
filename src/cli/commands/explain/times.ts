/** Times as people read them, and as they write them. */
import { OptionError, show } from '../../../core/options/validate.ts'

const UNITS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]
/** A year beyond which a time is no time: Date ends in the year 275,760. */
const LAST = 8_640_000_000_000

const relative = new Intl.RelativeTimeFormat('en')

/**
 * `2026-11-21 14:52:16 UTC (2 hours ago)`.
 *
 * @param seconds Epoch seconds.
 * @param now Milliseconds.
 */
export function timeText(seconds: number, now: number): string {
  if (!(Math.abs(seconds) <= LAST)) return `${seconds} (no time of this calendar)`
  const absolute = new Date(seconds * 1000).toISOString().replace('T', ' ')
  const distance = Math.trunc(seconds - now / 1000)
  return `${absolute.replace(/\.\d+Z$/, ' UTC')} (${distanceText(distance)})`
}

/** `in 5 minutes`, `2 hours ago`, `now`; days are the largest unit, nothing of a token is older. */
function distanceText(seconds: number): string {
  if (seconds === 0) return 'now'
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) as (typeof UNITS)[number]
  return relative.format(Math.trunc(seconds / size), unit)
}

/**
 * Epoch seconds, or a date with or without a time (ISO 8601).
 *
 * @returns Milliseconds.
 */
export function readTime(text: string, option: string): number {
  const time = /^\d{1,12}$/.test(text) ? Number(text) * 1000 : isoTime(text)
  if (!Number.isNaN(time)) return time
  throw new OptionError(
    option,
    `is ${show(text)}: use epoch seconds or a time as 2026-11-21T14:52:16Z`,
  )
}

function isoTime(text: string): number {
  return /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
}
