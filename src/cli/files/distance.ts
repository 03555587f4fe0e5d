/** Finds names that a misspelled name may mean. */

/** Shortest name that may have two mistakes. */
const LONG_LENGTH = 5
/** Longest name that is compared, in characters. The comparison takes quadratic time. */
const MAX_LENGTH = 256

/** Returns the candidate that differs by the fewest mistakes, at most two. Undefined if there is none. */
export function findNearest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > MAX_LENGTH) return undefined
  let limit = name.length < LONG_LENGTH ? 1 : 2
  let nearest: string | undefined
  for (const candidate of candidates) {
    const distance = measureDistance(name, candidate)
    if (distance > limit) continue
    nearest = candidate
    // The next one must be nearer.
    limit = distance - 1
  }
  return nearest
}

/**
 * Measures how many mistakes two words differ by. Optimal string alignment: insertions, deletions, replacements, and swaps
 * of neighbors.
 *
 * @returns Infinity for more than two insertions.
 */
export function measureDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Number.POSITIVE_INFINITY
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(get(last, j) + 1, get(row, j - 1) + 1, get(last, j - 1) + cost)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isSwap) best = Math.min(best, get(beforeLast, j - 2) + 1)
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return get(last, b.length)
}

const get = (row: readonly number[], index: number): number => row[index] as number
