/** Formats an explanation as text. Untrusted text is escaped. */
import type { AuthErrorBody, AuthErrorCode } from '../../../core/errors.ts'
import { describeValue, OptionError } from '../../../core/options/validate.ts'
import type { JsonObject, JsonValue } from '../../../core/token/strict-json.ts'
import { toPrintable } from '../../../core/util/text.ts'
import { createStyle } from '../../terminal/format.ts'

/** The result of one check. Texts are printable lines. */
export interface Check {
  readonly check: string
  readonly state: 'passed' | 'failed' | 'unjudged'
  /** Error code of an API, unless an earlier check fails. */
  readonly code?: AuthErrorCode
  readonly message: string
  /** The fix of a failed check. */
  readonly fix?: string
}

/** Contents of a token, every check, and the response of an API. Has neither the token nor its signature. */
export interface Explanation {
  readonly verdict: 'accepted' | 'refused' | 'unjudged'
  /** The error that an API returns; null if it accepts the token. */
  readonly answer: AuthErrorBody | null
  readonly checks: readonly Check[]
  /** Null if it cannot be decoded. */
  readonly header: JsonObject | null
  readonly claims: JsonObject | null
  /** Source of the keys. Null if no request was sent. */
  readonly keys: string | null
  /** Notes about text that was removed around the token. */
  readonly notes: readonly string[]
  /** Time of the checks, milliseconds. */
  readonly now: number
}

const UNITS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]
/** Largest time of Date, in the year 275,760, in seconds. */
const MAX_TIME = 8_640_000_000_000

const relative = new Intl.RelativeTimeFormat('en')

/**
 * Formats a time, for example `2026-11-21 14:52:16 UTC (2 hours ago)`.
 *
 * @param seconds Epoch seconds.
 * @param now Milliseconds.
 */
export function formatTime(seconds: number, now: number): string {
  if (!(Math.abs(seconds) <= MAX_TIME)) return `${seconds} (out of range)`
  const absolute = new Date(seconds * 1000).toISOString().replace('T', ' ')
  const distance = Math.trunc(seconds - now / 1000)
  return `${absolute.replace(/\.\d+Z$/, ' UTC')} (${formatDistance(distance)})`
}

/** Formats a distance, for example `in 5 minutes`, `2 hours ago` or `now`. The largest unit is days. */
function formatDistance(seconds: number): string {
  if (seconds === 0) return 'now'
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) as (typeof UNITS)[number]
  return relative.format(Math.trunc(seconds / size), unit)
}

/**
 * Reads epoch seconds, or an ISO 8601 date with or without a time.
 *
 * @returns Milliseconds.
 */
export function readTime(text: string, option: string): number {
  const time = /^\d{1,12}$/.test(text) ? Number(text) * 1000 : parseIsoTime(text)
  if (!Number.isNaN(time)) return time
  throw new OptionError(
    option,
    `expected epoch seconds or an ISO 8601 time, got ${describeValue(text)}. Write, for example, 2026-11-21T14:52:16Z.`,
  )
}

function parseIsoTime(text: string): number {
  return /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
}

/** Longest shown value of a claim in characters. */
const MAX_VALUE_LENGTH = 300
/** Longest shown name of a claim in characters. */
const MAX_NAME_LENGTH = 40
/** Names of claims that are times. */
const TIME_CLAIMS: readonly string[] = ['exp', 'iat', 'nbf', 'auth_time']

/** @param colors Whether marks are colored signs instead of words. */
export function formatReport(explanation: Explanation, colors: boolean): string {
  const { header, claims, checks, keys, notes, now } = explanation
  const source = keys === null ? [] : [`Keys from ${toPrintable(keys, MAX_VALUE_LENGTH)}`]
  const rows = [
    ...formatTable('header', header, now),
    ...formatTable('claims', claims, now),
    ...formatChecks(checks, colors),
    '',
    ...source,
    ...notes.map((note) => `Note: ${note}`),
    formatVerdict(explanation, colors),
  ]
  return `${rows.join('\n')}\n`
}

function formatTable(title: string, members: JsonObject | null, now: number): readonly string[] {
  if (members === null) return []
  const rows = Object.entries(members).map(
    ([name, value]) => [toPrintable(name, MAX_NAME_LENGTH), formatValue(name, value, now)] as const,
  )
  const width = Math.max(...rows.map(([name]) => name.length))
  return [title, ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`), '']
}

function formatValue(name: string, value: JsonValue, now: number): string {
  if (TIME_CLAIMS.includes(name) && typeof value === 'number') return formatTime(value, now)
  return toPrintable(typeof value === 'string' ? value : JSON.stringify(value), MAX_VALUE_LENGTH)
}

function formatChecks(checks: readonly Check[], colors: boolean): readonly string[] {
  const { green, red, yellow, dim } = createStyle({ colors })
  const marks = colors
    ? { passed: green('✔'), failed: red('✖'), unjudged: yellow('?') }
    : { passed: 'ok  ', failed: 'FAIL', unjudged: '?   ' }
  const width = Math.max(...checks.map(({ check }) => check.length))
  return checks.flatMap(({ check, state, message, code, fix }) => {
    const answer = code === undefined ? '' : dim(` [${code}]`)
    const line = `${marks[state]} ${check.padEnd(width)}  ${message}${answer}`
    const margin = ' '.repeat(width + (colors ? 4 : 7))
    return fix === undefined ? [line] : [line, `${margin}fix: ${fix}`]
  })
}

function formatVerdict({ verdict, answer, keys }: Explanation, colors: boolean): string {
  const { bold, green, red, yellow } = createStyle({ colors })
  if (answer === null) return bold(green('An API with these options accepts the token.'))
  const { statusCode, code, message } = answer
  const response = `An API returns ${statusCode} ${code}: ${message}.`
  if (verdict === 'refused') return bold(red(response))
  // Without keys the response is unknown: an API with keys may return another one.
  return bold(
    yellow(
      keys === null
        ? 'The token could not be verified: no signing keys are available.'
        : `The token could not be verified. ${response}`,
    ),
  )
}
