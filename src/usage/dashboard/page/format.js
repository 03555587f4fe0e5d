/** Numbers, amounts and times as the viewer's language and zone have them. */
import { element } from './dom.js'

const whole = new Intl.NumberFormat()
const compact = new Intl.NumberFormat(undefined, { notation: 'compact' })
const percent = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 })
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })
const hour = new Intl.DateTimeFormat(undefined, {
  ...{ weekday: 'short', day: 'numeric', month: 'short' },
  ...{ hour: '2-digit', minute: '2-digit' },
})
/** Days are counted from midnight to midnight UTC, whatever the viewer's zone is. */
const day = new Intl.DateTimeFormat(undefined, {
  ...{ weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' },
})

/** @param {number} value */
export const number = (value) => whole.format(value)
/** @param {number} value */
export const short = (value) => compact.format(value)
/** @param {number} share 0 to 1 */
export const share = (share) => percent.format(share)

/** @param {string} currency of ISO 4217 */
export function money(currency) {
  const format = new Intl.NumberFormat(undefined, { style: 'currency', currency })
  const { maximumFractionDigits: digits = 2 } = format.resolvedOptions()
  const least = 10 ** -digits
  /** @param {number} amount */
  return (amount) =>
    amount > 0 && amount < least ? `< ${format.format(least)}` : format.format(amount)
}

/** @param {number} seconds @returns {string} 2026-11-21 14:05:09 UTC */
function utc(seconds) {
  return `${new Date(1000 * seconds).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/**
 * In the viewer's zone, with UTC beside it for whoever compares it with a log.
 *
 * @param {number} seconds since the epoch
 * @param {'moment' | 'clock'} form
 */
export function timeElement(seconds, form = 'moment') {
  const date = new Date(1000 * seconds)
  const text = (form === 'moment' ? moment : clock).format(date)
  return element('time', { datetime: date.toISOString(), title: utc(seconds) }, text)
}

/**
 * @param {number} start in epoch seconds
 * @param {number} step in seconds
 */
export const bucket = (start, step) => (step < 86_400 ? hour : day).format(1000 * start)

/** @param {number} seconds */
export function duration(seconds) {
  const days = Math.floor(seconds / 86_400)
  if (days > 1) return `${days} days`
  const hours = Math.max(1, Math.round(seconds / 3600))
  return hours === 1 ? '1 hour' : `${hours} hours`
}

/** @param {number} count @param {string} one @param {string} [several] */
export function plural(count, one, several = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : several}`
}
