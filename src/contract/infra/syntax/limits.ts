/** What a template may cost before it is read: parsers are generous, their authors trust their input. */
import { type Position, positionAt, TemplateError } from '../position.ts'

/** CloudFormation's own limit for a template, 1 MiB. */
const MAX_LENGTH = 1_048_576
/** Half of it for HCL, whose parser takes its time over what is not well-formed. */
export const MAX_HCL_LENGTH = 524_288
/** CloudFormation takes far less; parsers recurse, and the stack ends somewhere. */
const MAX_NESTING = 200
const NUL = 0
const BLANK: ReadonlySet<number> = new Set([0x20, 0x09])
/** `-`, `?`, `:` */
const MARKS: ReadonlySet<number> = new Set([0x2d, 0x3f, 0x3a])
/** Values a template may amount to once aliases are followed. */
const MAX_VALUES = 200_000
const TOO_MANY = `expected at most ${MAX_VALUES} values, got more. Split the file.`
/** Line ends, commas and braces: a template has about as many as it has values. */
const SEPARATORS: ReadonlySet<number> = new Set([0x0a, 0x0d, 0x2c, 0x7b, 0x7d])
/** Values, parts of texts and references that they may amount to once names are followed. */
const MAX_WORK = 1_000_000

/**
 * Refuses what would keep a parser busy or overflow its stack, in one pass. Counts brackets, wherever
 * they stand, and YAML's lists in lists on one line, which nest without.
 *
 * @param placeOf Where a character stands. Default: in the file, whose text this is.
 */
export function checkLimits(
  file: string,
  text: string,
  longest: number = MAX_LENGTH,
  placeOf: (index: number) => Position = (index) => positionAt(file, text, index),
): void {
  const refuse = (problem: string, index: number): never => {
    throw new TemplateError(placeOf(index), problem)
  }
  if (text.length > longest) {
    throw new TemplateError(
      placeOf(0),
      `expected at most ${longest} characters, got ${text.length}. Split the file.`,
    )
  }
  let depth = 0
  let marks = 0
  let members = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit === NUL) refuse('expected text, got a NUL character. Save the file as UTF-8.', index)
    if (SEPARATORS.has(unit)) members += 1
    if (members > MAX_VALUES) refuse(TOO_MANY, index)
    if (unit === 0x5b || unit === 0x7b) depth += 1
    else if (unit === 0x5d || unit === 0x7d) depth = Math.max(0, depth - 1)
    if (!BLANK.has(unit))
      marks = MARKS.has(unit) && BLANK.has(text.charCodeAt(index + 1)) ? marks + 1 : 0
    if (Math.max(depth, marks) <= MAX_NESTING) continue
    const what = depth > MAX_NESTING ? 'nested brackets' : 'levels on one line'
    refuse(`expected at most ${MAX_NESTING} ${what}, got more. Close or split them.`, index)
  }
}

/** Takes what something amounts to from what a template may amount to. */
export type Budget = (at: Position, amount?: number) => void

/** Stops aliases that multiply (a billion laughs), and values that nest without end. */
export const createValueBudget = (): Budget => createBudget(MAX_VALUES, 'Use fewer aliases.')

/** Stops names whose values are made of values of names. */
export const createWorkBudget = (): Budget => createBudget(MAX_WORK, 'Use fewer references.')

function createBudget(most: number, fix: string): Budget {
  let left = most
  return (at, amount = 1) => {
    left -= amount
    if (left < 0) throw new TemplateError(at, `expected at most ${most} values, got more. ${fix}`)
  }
}
