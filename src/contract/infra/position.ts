/** Positions in templates, and the error for text that cannot be read as a template. */
import { toPrintable } from '../../core/util/text.ts'

/** Where a fact stands. Lines and columns count from 1, columns in UTF-16 units. */
export interface Position {
  /** The file name that was passed to `readTemplate`. */
  readonly file: string
  readonly line: number
  readonly column: number
}

/** The place of one character of a text. */
export function positionAt(file: string, text: string, offset: number): Position {
  const before = text.slice(0, offset).split('\n')
  return { file, line: before.length, column: (before.at(-1) as string).length + 1 }
}

/** A template that is not well-formed, too large, or has a cycle of references. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  /** Stable across releases; the message is not. */
  readonly code = 'ERR_TEMPLATE_INVALID'
  readonly file: string
  readonly line: number
  readonly column: number

  constructor(at: Position, problem: string) {
    super(`${toPrintable(at.file)}:${at.line}:${at.column}: ${problem}`)
    this.file = at.file
    this.line = at.line
    this.column = at.column
  }
}
