/** An explanation as text for people. Everything foreign in it is made printable. */

import type { AuthErrorBody, AuthErrorCode } from '../../../core/errors.ts'
import { describeValue, OptionError } from '../../../core/options/validate.ts'
import type { JsonObject, JsonValue } from '../../../core/token/strict-json.ts'
import { toPrintable } from '../../../core/util/text.ts'
import { createStyle } from '../../terminal/format.ts'

/** What came of one check. Texts are printable lines. */
export interface Check {
  readonly check: string
  readonly state: 'passed' | 'failed' | 'unjudged'
  /** What an API answers because of it, unless a check before it decides. */
  readonly code?: AuthErrorCode
  readonly message: string
  /** What to change; of failed checks alone. */
  readonly fix?: string
}

/** A token explained: what it says, every check, and what an API answers. Holds neither the token nor its signature. */
export interface Explanation {
  readonly verdict: 'accepted' | 'refused' | 'unjudged'
  /** The error that an API returns; null if it accepts the token. */
  readonly answer: AuthErrorBody | null
  readonly checks: readonly Check[]
  /** Null where they cannot be read. */
  readonly header: JsonObject | null
  readonly claims: JsonObject | null
  /** Where keys were had from; null where nowhere. */
  readonly keys: string | null
  /** What was taken off the text to have the token. */
  readonly notes: readonly string[]
  /** For when it was judged, milliseconds. */
  readonly now: number
}

const UNITS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]
/** A year beyond which a time is no time: Date ends in the year 275,760. */
const MAX_TIME = 8_640_000_000_000

const relative = new Intl.RelativeTimeFormat('en')

/**
 * `2026-11-21 14:52:16 UTC (2 hours ago)`.
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

/** `in 5 minutes`, `2 hours ago`, `now`; days are the largest unit, nothing of a token is older. */
function formatDistance(seconds: number): string {
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

/** Longest value of a claim, and name of one, that is shown. */
const LONGEST = { value: 300, name: 40 } as const
/** Claims that are times. */
const TIME_CLAIMS: readonly string[] = ['exp', 'iat', 'nbf', 'auth_time']

/** @param colors Marks are signs in colour, else words. */
export function formatReport(explanation: Explanation, colors: boolean): string {
  const { header, claims, checks, keys, notes, now } = explanation
  const rows = [
    ...formatTable('header', header, now),
    ...formatTable('claims', claims, now),
    ...formatChecks(checks, colors),
    '',
    ...(keys === null ? [] : [`Keys from ${toPrintable(keys, LONGEST.value)}`]),
    ...notes.map((note) => `Note: ${note}`),
    formatVerdict(explanation, colors),
  ]
  return `${rows.join('\n')}\n`
}

function formatTable(title: string, members: JsonObject | null, now: number): readonly string[] {
  if (members === null) return []
  const rows = Object.entries(members).map(
    ([name, value]) => [toPrintable(name, LONGEST.name), formatValue(name, value, now)] as const,
  )
  const width = Math.max(...rows.map(([name]) => name.length))
  return [title, ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`), '']
}

function formatValue(name: string, value: JsonValue, now: number): string {
  if (TIME_CLAIMS.includes(name) && typeof value === 'number') return formatTime(value, now)
  return toPrintable(typeof value === 'string' ? value : JSON.stringify(value), LONGEST.value)
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
  // An API that has keys answers something else.
  return bold(
    yellow(
      keys === null
        ? 'The token could not be verified: no signing keys are available.'
        : `The token could not be verified. ${response}`,
    ),
  )
}
