/** Reads times of AWS records as epoch seconds. */

/** Years in which Cognito has had records. Other times would create days without end. */
const MIN_SECONDS = Date.UTC(2014, 0) / 1000
const MAX_SECONDS = Date.UTC(2100, 0) / 1000

/** ISO 8601 with a zone. */
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/
/** Logs Insights prints UTC without a zone. */
const INSIGHTS = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d{1,9})?$/
/** Epoch milliseconds: `max(@timestamp)` of Logs Insights. */
const MILLISECONDS = /^\d{13}(?:\.\d+)?$/

/**
 * Reads the time of a CloudTrail event. A time without a zone would be another day elsewhere.
 *
 * @returns Undefined for other values, and for times before 2014 or after 2099.
 */
export function parseEventTime(value: unknown): number | undefined {
  return typeof value === 'string' && ISO.test(value) ? toSeconds(Date.parse(value)) : undefined
}

/**
 * Reads a time of Logs Insights: as in an event, `2026-03-10 12:00:00.000` in UTC, or epoch milliseconds.
 *
 * @returns Undefined for other values, and for times before 2014 or after 2099.
 */
export function parseRowTime(value: unknown): number | undefined {
  const text = String(value)
  const [, day, time] = INSIGHTS.exec(text) ?? []
  if (day !== undefined) return toSeconds(Date.parse(`${day}T${time}Z`))
  return MILLISECONDS.test(text) ? toSeconds(Number(text)) : parseEventTime(text)
}

function toSeconds(milliseconds: number): number | undefined {
  const seconds = Math.floor(milliseconds / 1000)
  return seconds >= MIN_SECONDS && seconds < MAX_SECONDS ? seconds : undefined
}
