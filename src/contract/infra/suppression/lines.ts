/** Finds the lines that a comment applies to: the element that begins on its line, or on the next line with content. */
import type { Position } from '../position.ts'
import type { LineRange } from './suppression.ts'

/** The lines of a text, and conversions of offsets. Lines count from 1. */
export interface LineIndex {
  readonly lines: readonly string[]
  /** Returns the first line with content at or after a line, or the number after the last line. */
  readonly findContent: (line: number) => number
  readonly lineAt: (offset: number) => number
  readonly positionAt: (file: string, offset: number) => Position
  /** Adds the lines from the first character to the last one that is no blank. The longest range of a line counts. */
  readonly addElement: (elements: Map<number, number>, start: number, end: number) => void
}

/** Lines without content: blank lines and comments. */
const NO_CONTENT = /^\s*(?:#|\/\/|$)/

export function createLineIndex(text: string): LineIndex {
  const lines = text.split('\n')
  const starts = [0]
  for (const line of lines) starts.push((starts.at(-1) as number) + line.length + 1)
  /** Binary search: the last line that starts at or before the offset. */
  const lineAt = (offset: number): number => {
    let low = 1
    let high = lines.length
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((starts[middle - 1] as number) <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
  // Computed once, from the end: a search for each comment would take quadratic time.
  const contentLines: number[] = [lines.length + 1]
  for (let line = lines.length; line >= 1; line -= 1) {
    const next = contentLines.at(-1) as number
    contentLines.push(NO_CONTENT.test(lines[line - 1] as string) ? next : line)
  }
  contentLines.reverse()
  return {
    lines,
    findContent: (line) => contentLines[line - 1] as number,
    lineAt,
    positionAt(file, offset) {
      const line = lineAt(offset)
      return { file, line, column: offset - (starts[line - 1] as number) + 1 }
    },
    addElement(elements, start, end) {
      let last = Math.max(start, end - 1)
      while (last > start && /\s/.test(text[last] as string)) last -= 1
      const firstLine = lineAt(start)
      elements.set(firstLine, Math.max(elements.get(firstLine) ?? 0, lineAt(last)))
    },
  }
}

/**
 * @param elements The last line of the longest element that begins on a line.
 * @param firstLine The first line of the comment.
 * @param lastLine The last line of the comment.
 */
export function findTarget(
  { lines, findContent }: LineIndex,
  elements: ReadonlyMap<number, number>,
  firstLine: number,
  lastLine: number,
): LineRange {
  const before = (lines[firstLine - 1] as string).trimStart()
  const isAlone = /^(?:#|\/\/|\/\*)/.test(before)
  const line = isAlone ? findContent(lastLine + 1) : firstLine
  return { firstLine: line, lastLine: elements.get(line) ?? line }
}
