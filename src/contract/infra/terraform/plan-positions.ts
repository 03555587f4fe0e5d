/** Finds resources, arguments and values of a Terraform plan in its text. `JSON.parse` keeps no positions. */
import type { Position } from '../position.ts'

export interface PlanPositions {
  readonly start: Position
  /** Returns the position of the address of a planned resource. */
  findResource(address: string): Position
  /** Returns the position of an argument, or else of its resource. */
  findMember(address: string, name: string): Position
  /** Returns the position of a text in an argument, or else of the argument. */
  findText(address: string, name: string, text: string | undefined): Position
}

/** Where the text of a resource begins and ends. */
interface Span {
  readonly start: number
  readonly end: number
}

export function createPlanPositions(file: string, text: string): PlanPositions {
  const spans = findSpans(text)
  const lines = [...text.matchAll(/\n/g)].map(({ index }) => index)
  const toPosition = (offset: number): Position => {
    const line = countBelow(lines, offset)
    return {
      file,
      line: line + 1,
      column: offset - (line === 0 ? -1 : (lines[line - 1] as number)),
    }
  }
  const getSpan = (address: string): Span => spans.get(address) ?? { start: 0, end: 0 }
  /** Searches a resource only: a search of the whole text for each value would take quadratic time. */
  const find = (searched: string, start: number, end: number): number => {
    const found = text.slice(start, end).indexOf(searched)
    return found < 0 ? start : start + found
  }
  const findMember = (address: string, name: string): number => {
    const { start, end } = getSpan(address)
    return find(`"${name}"`, start, end)
  }
  return {
    start: { file, line: 1, column: 1 },
    findResource: (address) => toPosition(getSpan(address).start),
    findMember: (address, name) => toPosition(findMember(address, name)),
    findText(address, name, value) {
      const start = findMember(address, name)
      if (value === undefined) return toPosition(start)
      return toPosition(find(JSON.stringify(value), start, getSpan(address).end))
    },
  }
}

/** Finds the planned resources: each extends from its address to the next one. */
function findSpans(text: string): ReadonlyMap<string, Span> {
  const spans = new Map<string, Span>()
  const planned = text.search(/"planned_values"\s*:\s*\{/)
  const start = planned < 0 ? text.search(/"values"\s*:\s*\{/) : planned
  const addresses = [...text.slice(start).matchAll(/"address"\s*:\s*("(?:[^"\\]|\\.)*")/g)]
  for (const [index, { index: offset, 1: quoted = '' }] of addresses.entries()) {
    const next = addresses[index + 1]?.index ?? text.length
    const address = JSON.parse(quoted) as string
    // Later sections of a plan repeat the address.
    if (!spans.has(address)) spans.set(address, { start: start + offset, end: start + next })
  }
  return spans
}

/** Counts the sorted numbers that are less than the limit, by binary search. */
function countBelow(numbers: readonly number[], limit: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((numbers[middle] as number) < limit) low = middle + 1
    else high = middle
  }
  return low
}
