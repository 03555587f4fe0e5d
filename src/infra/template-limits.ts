/** What a template may cost before it is read: parsers are generous, their authors trust their input. */
import { TemplateError } from './template-error.ts'

/** CloudFormation's own limit for a template; Terraform files are far smaller. */
const MAX_LENGTH = 1_000_000
/** CloudFormation takes far less; parsers recurse, and the stack ends somewhere. */
const MAX_NESTING = 200
/** Values a template may amount to once aliases are followed. */
const MAX_VALUES = 200_000

/** Refuses what would keep a parser busy or overflow its stack. Counts brackets, wherever they stand. */
export function checkLimits(file: string, text: string): void {
  const start = { file, line: 1, column: 1 }
  if (text.length > MAX_LENGTH) {
    throw new TemplateError(
      start,
      `is ${text.length} characters long: split it, at most ${MAX_LENGTH} are read`,
    )
  }
  // Lists in lists on one line nest without brackets.
  const dashes = text.search(/(?:[-?:][ \t]+){201}/)
  if (dashes >= 0) {
    const line = text.slice(0, dashes).split('\n').length
    const at = { file, line, column: 1 }
    throw new TemplateError(at, `nests more than ${MAX_NESTING} levels on one line: split it`)
  }
  let depth = 0
  let line = 1
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit === 0x0a) line += 1
    else if (unit === 0x5b || unit === 0x7b) depth += 1
    else if (unit === 0x5d || unit === 0x7d) depth = Math.max(0, depth - 1)
    if (depth > MAX_NESTING) {
      throw new TemplateError(
        { file, line, column: 1 },
        `opens more than ${MAX_NESTING} brackets inside each other: close them`,
      )
    }
  }
}

/** Counts the values of one template. */
export type Budget = (at: { file: string; line: number; column: number }) => void

/** Stops aliases that multiply (a billion laughs), and values that nest without end. */
export function valueBudget(): Budget {
  let left = MAX_VALUES
  return (at) => {
    left -= 1
    if (left < 0) {
      throw new TemplateError(
        at,
        `amounts to more than ${MAX_VALUES} values: aliases multiply them`,
      )
    }
  }
}
