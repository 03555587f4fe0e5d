/** An explanation as text for people. Everything foreign in it is made printable. */

import type { JsonObject, JsonValue } from '../../../core/token/strict-json.ts'
import { printable } from '../../../core/util/text.ts'
import { styleOf } from '../../terminal/format.ts'
import type { Check } from './checks.ts'
import type { Explanation } from './command.ts'
import { timeText } from './times.ts'

/** Longest value of a claim, and name of one, that is shown. */
const LONGEST = { value: 300, name: 40 } as const
/** Claims that are times. */
const TIMES: readonly string[] = ['exp', 'iat', 'nbf', 'auth_time']

/** @param colors Marks are signs in colour, else words. */
export function reportOf(explanation: Explanation, colors: boolean): string {
  const { header, claims, checks, keys, notes, now } = explanation
  const rows = [
    ...table('header', header, now),
    ...table('claims', claims, now),
    ...checkLines(checks, colors),
    '',
    ...(keys === null ? [] : [`Keys from ${printable(keys, LONGEST.value)}`]),
    ...notes.map((note) => `Note: ${note}`),
    verdictLine(explanation, colors),
  ]
  return `${rows.join('\n')}\n`
}

function table(title: string, members: JsonObject | null, now: number): readonly string[] {
  if (members === null) return []
  const rows = Object.entries(members).map(
    ([name, value]) => [printable(name, LONGEST.name), valueText(name, value, now)] as const,
  )
  const width = Math.max(...rows.map(([name]) => name.length))
  return [title, ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`), '']
}

function valueText(name: string, value: JsonValue, now: number): string {
  if (TIMES.includes(name) && typeof value === 'number') return timeText(value, now)
  return printable(typeof value === 'string' ? value : JSON.stringify(value), LONGEST.value)
}

function checkLines(checks: readonly Check[], colors: boolean): readonly string[] {
  const { green, red, yellow, dim } = styleOf({ colors })
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

function verdictLine({ verdict, answer, keys }: Explanation, colors: boolean): string {
  const { bold, green, red, yellow } = styleOf({ colors })
  if (answer === null) return bold(green('An API with these options lets it pass.'))
  const { statusCode, code, message } = answer
  const told = `An API answers ${statusCode} ${code}: ${message}.`
  if (verdict === 'refused') return bold(red(told))
  // An API that has keys answers something else.
  return bold(
    yellow(keys === null ? 'It cannot be judged without keys.' : `It could not be judged. ${told}`),
  )
}
