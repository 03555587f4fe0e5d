/** Positions in templates, and the error for text that cannot be read as a template. */
import { toPrintable } from '../../core/util/text.ts'

/** A position in a file. */
export interface Position {
  /** The file name that was passed to `readTemplate`. */
  readonly file: string
  /** Counts from 1. */
  readonly line: number
  /** Counts from 1, in UTF-16 code units. */
  readonly column: number
}

/** Characters of a file name that an error shows. */
const MAX_FILE_LENGTH = 120

/** The end of a long file name is shown, because it identifies the file. */
function formatFile(file: string): string {
  const surplus = file.length - MAX_FILE_LENGTH
  return surplus > 0 ? `…${toPrintable(file.slice(surplus))}` : toPrintable(file)
}

/** Converts the offset of a character to its position. */
export function positionAt(file: string, text: string, offset: number): Position {
  const linesBefore = text.slice(0, offset).split('\n')
  return { file, line: linesBefore.length, column: (linesBefore.at(-1) as string).length + 1 }
}

/**
 * A template that is not well-formed, exceeds a limit, or has a cycle of references. The message is one printable
 * line that begins with `file:line:column`.
 */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  /** Stable across releases. The message is not. */
  readonly code = 'ERR_TEMPLATE_INVALID'
  /** The file name that was passed to `readTemplate`. */
  readonly file: string
  /** Counts from 1. */
  readonly line: number
  /** Counts from 1, in UTF-16 code units. */
  readonly column: number

  /**
   * @param at The position of the error.
   * @param problem What was expected, what was found, and how to fix it.
   */
  constructor(at: Position, problem: string) {
    super(`${formatFile(at.file)}:${at.line}:${at.column}: ${problem}`)
    this.file = at.file
    this.line = at.line
    this.column = at.column
  }
}
