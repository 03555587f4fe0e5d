/** Notes of a history: what a reader has to know about its numbers. */
import type { Price } from '../price.ts'
import { parseDay, SECONDS_PER_DAY } from './days.ts'
import type { DaySubject } from './types.ts'

/** Days after which prices should be compared with the current list. */
const STALE_AFTER_DAYS = 180

interface Facts {
  readonly price: Price | undefined
  /** Time of the report in epoch seconds. */
  readonly at: number
  readonly subjects: readonly DaySubject[]
}

export function listNotes({ price, at, subjects }: Facts): readonly string[] {
  const notes = price === undefined ? [] : listPriceNotes(price, at)
  if (subjects.some(({ kind }) => kind === 'unattributed')) {
    notes.push(
      'Records of unattributed requests name no client, for example because it used HTTP Basic.',
    )
  }
  if (subjects.some(({ kind }) => kind === 'other')) {
    notes.push('Clients beyond the limit are counted together as other.')
  }
  return notes
}

function listPriceNotes({ asOf }: Price, at: number): string[] {
  if (asOf === null) {
    return ['The price list has no as-of date. Compare it with the current one of Cognito.']
  }
  const age = Math.floor(at / SECONDS_PER_DAY) - (parseDay(asOf) as number)
  return age > STALE_AFTER_DAYS
    ? [`The price list is of ${asOf}, ${age} days old. Compare it with the current one of Cognito.`]
    : []
}
