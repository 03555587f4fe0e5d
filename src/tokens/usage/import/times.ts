/** Reads times of AWS records as epoch seconds. */
import { parseDay } from '../history/days.ts'

/** Years in which Cognito has had records. Other times would create days without end. */
const MIN_SECONDS = Date.UTC(2014, 0) / 1000
const MAX_SECONDS = Date.UTC(2100, 0) / 1000

/** ISO 8601 with a zone. */
const ISO = /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/
/** Logs Insights prints UTC without a zone. */
const INSIGHTS = /^(\d{4}-\d\d-\d\d) ((?:[01]\d|2[0-3]):\d\d:\d\d)(?:\.\d{1,9})?$/
/** Epoch milliseconds: `max(@timestamp)` of Logs Insights. */
const MILLISECONDS = /^\d{13}(?:\.\d+)?$/

/**
 * Reads the time of a CloudTrail event. A time without a zone would be another day elsewhere.
 *
 * @returns Undefined for other values, and for times before 2014 or after 2099.
 */
export function parseEventTime(value: unknown): number | undefined {
  const day = typeof value === 'string' ? ISO.exec(value)?.[1] : undefined
  return day === undefined ? undefined : parseOnDay(day, value as string)
}

/**
 * Reads a time of Logs Insights: as in an event, `2026-03-10 12:00:00.000` in UTC, or epoch milliseconds.
 *
 * @returns Undefined for other values, and for times before 2014 or after 2099.
 */
export function parseRowTime(value: unknown): number | undefined {
  const text = String(value)
  const [, day, time] = INSIGHTS.exec(text) ?? []
  if (day !== undefined) return parseOnDay(day, `${day}T${time}Z`)
  return MILLISECONDS.test(text) ? toSeconds(Number(text)) : parseEventTime(text)
}

/** `Date.parse` reads February 30 as March 2. */
function parseOnDay(day: string, text: string): number | undefined {
  return parseDay(day) === undefined ? undefined : toSeconds(Date.parse(text))
}

function toSeconds(milliseconds: number): number | undefined {
  const seconds = Math.floor(milliseconds / 1000)
  return seconds >= MIN_SECONDS && seconds < MAX_SECONDS ? seconds : undefined
}
