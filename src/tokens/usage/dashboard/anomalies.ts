/** Finds days on which a client had many more tokens than on its earlier days. */

/** A day that differs from the days before it. */
export interface DayAnomaly {
  /** Position of the day in the values. */
  readonly index: number
  /** Tokens of that day. */
  readonly value: number
  /** Median of the earlier days with tokens. */
  readonly median: number
  /** `value` divided by `median`. */
  readonly factor: number
}

/** Earlier days with tokens that a median needs, and days that it covers at most. */
const MIN_EARLIER_DAYS = 5
const MAX_EARLIER_DAYS = 28
/** A smaller number of tokens costs little, whatever its factor. */
const MIN_TOKENS = 100
const MIN_FACTOR = 5

/**
 * Compares each day with the median of the client's earlier days. Days without tokens are not part of the median: a job
 * that runs once a week is no anomaly.
 *
 * @param values Tokens by day, oldest first.
 * @returns Oldest first.
 */
export function findAnomalies(values: readonly number[]): readonly DayAnomaly[] {
  const earlier: number[] = []
  const found: DayAnomaly[] = []
  for (const [index, value] of values.entries()) {
    if (value === 0) continue
    if (earlier.length >= MIN_EARLIER_DAYS && value >= MIN_TOKENS) {
      const median = getMedian(earlier.slice(-MAX_EARLIER_DAYS))
      const factor = value / median
      if (factor >= MIN_FACTOR) found.push({ index, value, median, factor })
    }
    earlier.push(value)
  }
  return found
}

function getMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] as number
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2
}
