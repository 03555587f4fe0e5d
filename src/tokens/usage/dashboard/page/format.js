/** Formats numbers, amounts and times in the viewer's locale and time zone. */
import { element } from './dom.js'

const DAY = 86_400

const whole = new Intl.NumberFormat()
const compact = new Intl.NumberFormat(undefined, { notation: 'compact' })
const percent = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 })

/** @type {Intl.DateTimeFormatOptions} */
const TIME = { hour: '2-digit', minute: '2-digit' }
/** @type {Intl.DateTimeFormatOptions} */
const DATE = { month: 'short', day: 'numeric' }
/** Day buckets are UTC days in every time zone. */
const UTC = { timeZone: 'UTC' }

const forms = {
  /** Date and time of an event. */
  moment: new Intl.DateTimeFormat(undefined, { ...DATE, ...TIME, year: 'numeric' }),
  clock: new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' }),
}
const hourBucket = new Intl.DateTimeFormat(undefined, { ...DATE, ...TIME, weekday: 'short' })
const dayBucket = new Intl.DateTimeFormat(undefined, { ...DATE, ...UTC, weekday: 'short' })
const ticks = {
  hour: new Intl.DateTimeFormat(undefined, TIME),
  day: new Intl.DateTimeFormat(undefined, DATE),
  utcDay: new Intl.DateTimeFormat(undefined, { ...DATE, ...UTC }),
}
const month = new Intl.DateTimeFormat(undefined, { month: 'long', ...UTC })

/** @param {number} value */
export const number = (value) => whole.format(value)
/** @param {number} value */
export const short = (value) => compact.format(value)
/** @param {number} part 0 to 1 */
export const share = (part) => percent.format(part)

/** @param {string} currency of ISO 4217 */
export function money(currency) {
  const format = new Intl.NumberFormat(undefined, { style: 'currency', currency })
  const { maximumFractionDigits: digits = 2 } = format.resolvedOptions()
  const least = 10 ** -digits
  return (/** @type {number} */ amount) =>
    amount > 0 && amount < least ? `< ${format.format(least)}` : format.format(amount)
}

/**
 * Formats amounts on an axis.
 *
 * @param {string} currency of ISO 4217
 */
export function shortMoney(currency) {
  const format = new Intl.NumberFormat(undefined, {
    style: 'currency',
    currency,
    notation: 'compact',
    minimumFractionDigits: 0,
    maximumFractionDigits: 2,
  })
  return (/** @type {number} */ amount) => format.format(amount)
}

/** @param {number} factor of an anomaly */
export const times = (factor) => `×${number(Math.round(factor))}`

/** @param {number} start of a month in epoch seconds */
export const monthName = (start) => month.format(1000 * start)

/** @param {number} start of a day (UTC) in epoch seconds */
export const dayName = (start) => ticks.utcDay.format(1000 * start)

/**
 * Creates a time in the viewer's time zone, with UTC in its title to compare with logs.
 *
 * @param {number} seconds since the epoch
 * @param {'moment' | 'clock'} form
 */
export function timeElement(seconds, form = 'moment') {
  const date = new Date(1000 * seconds)
  const datetime = date.toISOString()
  const title = `${datetime.slice(0, 19).replace('T', ' ')} UTC`
  return element('time', { datetime, title }, forms[form].format(date))
}

/**
 * @param {number} start in epoch seconds
 * @param {number} step in seconds
 */
export const bucket = (start, step) => (step < DAY ? hourBucket : dayBucket).format(1000 * start)

/**
 * Formats the label of a bar.
 *
 * @param {number} start
 * @param {number} step
 * @param {'hour' | 'day'} form
 */
export const tick = (start, step, form) => ticks[step < DAY ? form : 'utcDay'].format(1000 * start)

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds >= 2 * DAY) return `${Math.round(seconds / DAY)} days`
  return plural(Math.max(1, Math.round(seconds / 3600)), 'hour')
}

/** @param {number} count @param {string} one */
export const plural = (count, one) => `${number(count)} ${one}${count === 1 ? '' : 's'}`
