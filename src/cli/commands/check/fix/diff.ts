/** Formats the changes of a file as a unified diff, which `git apply` and `patch` read. */
import { toPrintable } from '../../../../core/util/text.ts'

/** Unchanged lines around a change. */
const CONTEXT = 3
/** Longest line of a template, and longest path, in characters. */
const MAX_LINE_LENGTH = 1_048_576

/** Lines of a text that were replaced by other lines. Indexes count from 0. */
interface Change {
  readonly start: number
  readonly removed: readonly string[]
  readonly added: readonly string[]
}

export function formatDiff(file: string, before: string, after: string): string {
  const oldLines = splitLines(before)
  const hunks = groupChanges(findChanges(oldLines, splitLines(after)))
  const name = toPrintable(file, MAX_LINE_LENGTH)
  let offset = 0
  const parts = hunks.map((changes) => {
    const part = formatHunk(oldLines, changes, offset)
    for (const { removed, added } of changes) offset += added.length - removed.length
    return part
  })
  return `--- a/${name}\n+++ b/${name}\n${parts.join('')}`
}

/** Lines with their line breaks. */
const splitLines = (text: string): readonly string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? []

/**
 * Compares line by line. Edits change or insert a line or two. After a difference, the nearest equal line is searched
 * in both texts.
 */
function findChanges(before: readonly string[], after: readonly string[]): readonly Change[] {
  const changes: Change[] = []
  let old = 0
  let current = 0
  while (old < before.length || current < after.length) {
    if (before[old] === after[current]) {
      old += 1
      current += 1
      continue
    }
    const [removed, added] = findNextEqual(before, after, old, current)
    changes.push({
      start: old,
      removed: before.slice(old, old + removed),
      added: after.slice(current, current + added),
    })
    old += removed
    current += added
  }
  return changes
}

/** Returns how many lines to skip in both texts, as few as possible in total. */
function findNextEqual(
  before: readonly string[],
  after: readonly string[],
  old: number,
  current: number,
): readonly [removed: number, added: number] {
  const most = before.length - old + after.length - current
  for (let total = 1; total < most; total += 1) {
    for (let removed = 0; removed <= total; removed += 1) {
      const line = before[old + removed]
      if (line !== undefined && line === after[current + total - removed])
        return [removed, total - removed]
    }
  }
  return [before.length - old, after.length - current]
}

/** Changes with at most twice the context between them share a hunk. */
function groupChanges(changes: readonly Change[]): readonly (readonly Change[])[] {
  const groups: Change[][] = []
  let end = Number.NEGATIVE_INFINITY
  for (const change of changes) {
    if (change.start - end <= 2 * CONTEXT) groups.at(-1)?.push(change)
    else groups.push([change])
    end = change.start + change.removed.length
  }
  return groups
}

function formatHunk(lines: readonly string[], changes: readonly Change[], offset: number): string {
  const [first] = changes as [Change]
  const last = changes.at(-1) as Change
  const start = Math.max(first.start - CONTEXT, 0)
  const end = Math.min(last.start + last.removed.length + CONTEXT, lines.length)
  const body: string[] = []
  let next = start
  let growth = 0
  for (const { start: at, removed, added } of changes) {
    body.push(...lines.slice(next, at).map((line) => formatLine(' ', line)))
    body.push(...removed.map((line) => formatLine('-', line)))
    body.push(...added.map((line) => formatLine('+', line)))
    next = at + removed.length
    growth += added.length - removed.length
  }
  body.push(...lines.slice(next, end).map((line) => formatLine(' ', line)))
  const size = end - start
  const range = `-${start + 1},${size} +${start + 1 + offset},${size + growth}`
  return `@@ ${range} @@\n${body.join('')}`
}

/** Escapes what a terminal would obey, except tabs and line breaks. */
function formatLine(mark: string, line: string): string {
  const text = line.replace(/\r?\n$/, '')
  const printable = text
    .split('\t')
    .map((part) => toPrintable(part, MAX_LINE_LENGTH))
    .join('\t')
  const ending = line.slice(text.length)
  return `${mark}${printable}${ending === '' ? '\n\\ No newline at end of file\n' : ending}`
}
