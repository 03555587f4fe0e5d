/** Checks days that a program passes: a wrong count would be a wrong bill. */
import { describeValue, OptionError, readList } from '../../../core/options/validate.ts'
import { parseDay } from './days.ts'
import type { UsageDay } from './types.ts'

/** A day with its number of days since 1970. */
export interface DatedDay extends UsageDay {
  readonly at: number
}

/**
 * @param name Name of the parameter in messages.
 * @throws {OptionError} for another value, and for a day with an invalid date or count.
 */
export function readDatedDays(days: unknown, name: string): readonly DatedDay[] {
  const dated = readList(days, name, readDay)
  if (dated !== undefined) return dated
  throw new OptionError(
    name,
    `expected an array, got ${describeValue(days)}. Pass the days of usage.days() or importUsage().`,
  )
}

function readDay(value: unknown, optionPath: string): DatedDay {
  const day = Object(value) as UsageDay
  const at = typeof day.day === 'string' ? parseDay(day.day) : undefined
  if (at === undefined) {
    throw new OptionError(
      `${optionPath}.day`,
      `expected a day as YYYY-MM-DD, got ${describeValue(day.day)}. Correct the date.`,
    )
  }
  for (const name of ['issued', 'cached'] as const) {
    if (Number.isFinite(day[name]) && day[name] >= 0) continue
    throw new OptionError(
      `${optionPath}.${name}`,
      `expected a number from 0 on, got ${describeValue(day[name])}. Correct the count.`,
    )
  }
  return { ...day, at }
}
