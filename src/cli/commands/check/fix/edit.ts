/** Edits of text: the only way in which `--fix` changes a file, so comments and formatting stay. */

/** Replaces the characters from `start` to `end`, which is exclusive. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

export const applyEdit = (text: string, edit: Edit): string =>
  text.slice(0, edit.start) + edit.text + text.slice(edit.end)

/** Returns the offset of a position. Lines and columns count from 1. */
export function findOffset(text: string, line: number, column: number): number {
  let start = 0
  for (let number = 1; number < line; number += 1) start = text.indexOf('\n', start) + 1
  return start + column - 1
}

/** Returns the line break of a file. */
export const getLineBreak = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n')

/** Returns the white space at the beginning of the line that contains the offset. */
export function getIndent(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1
  return (/^[ \t]*/.exec(text.slice(start, offset)) as RegExpExecArray)[0]
}
