/** Limits of templates. They are checked before parsing, because the parsers have no limits. */
import { type Position, positionAt, TemplateError } from '../position.ts'

/** Longest file, in characters: the limit of CloudFormation, 1 MiB. */
const MAX_LENGTH = 1_048_576
/** Longest HCL file, in characters. The HCL parser is slow on malformed text. */
export const MAX_HCL_LENGTH = 524_288
/** Deepest nesting. CloudFormation accepts less. The parsers are recursive, so it bounds the call stack. */
const MAX_NESTING = 200
const NUL = 0
const BLANK: ReadonlySet<number> = new Set([0x20, 0x09])
/** `-`, `?` and `:`, which nest YAML collections on one line. */
const INDICATORS: ReadonlySet<number> = new Set([0x2d, 0x3f, 0x3a])
/** Most values of a file, after aliases are resolved. */
const MAX_VALUES = 200_000
/** Line ends, commas and braces. A template has about as many as values. */
const SEPARATORS: ReadonlySet<number> = new Set([0x0a, 0x0d, 0x2c, 0x7b, 0x7d])
/** Most values, pieces of text and references, after references are resolved. */
const MAX_WORK = 1_000_000

/**
 * Rejects text that would make a parser slow or overflow its stack, in one pass. It counts brackets, including those in
 * strings, and YAML collections that are nested on one line.
 *
 * @param getPosition Returns the position of a character. By default, `text` is the content of the file.
 */
export function checkLimits(
  file: string,
  text: string,
  maxLength: number = MAX_LENGTH,
  getPosition: (index: number) => Position = (index) => positionAt(file, text, index),
): void {
  const fail = (problem: string, index: number): never => {
    throw new TemplateError(getPosition(index), problem)
  }
  if (text.length > maxLength) {
    fail(`expected at most ${maxLength} characters, got ${text.length}. Split the file.`, 0)
  }
  let depth = 0
  let indicators = 0
  let separators = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit === NUL) fail('expected text, got a NUL character. Save the file as UTF-8.', index)
    if (SEPARATORS.has(unit)) separators += 1
    if (separators > MAX_VALUES) {
      fail(`expected at most ${MAX_VALUES} values, got more. Split the file.`, index)
    }
    if (unit === 0x5b || unit === 0x7b) depth += 1
    else if (unit === 0x5d || unit === 0x7d) depth = Math.max(0, depth - 1)
    if (!BLANK.has(unit)) {
      const isIndicator = INDICATORS.has(unit) && BLANK.has(text.charCodeAt(index + 1))
      indicators = isIndicator ? indicators + 1 : 0
    }
    if (Math.max(depth, indicators) <= MAX_NESTING) continue
    const levels = depth > MAX_NESTING ? 'nested brackets' : 'levels on one line'
    fail(`expected at most ${MAX_NESTING} ${levels}, got more. Close or split them.`, index)
  }
}

/** Subtracts an amount from the budget, and throws once the budget is exhausted. */
export type Budget = (at: Position, amount?: number) => void

/** Limits exponential aliases (the "billion laughs" attack). */
export const createValueBudget = (): Budget => createBudget(MAX_VALUES, 'Use fewer aliases.')

/** Limits exponential growth through references to values that contain references. */
export const createWorkBudget = (): Budget => createBudget(MAX_WORK, 'Use fewer references.')

function createBudget(max: number, fix: string): Budget {
  let remaining = max
  return (at, amount = 1) => {
    remaining -= amount
    if (remaining < 0)
      throw new TemplateError(at, `expected at most ${max} values, got more. ${fix}`)
  }
}
