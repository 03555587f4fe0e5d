/** The share of mistakes that must be found. */
export const TARGET: number

/** The counts of one kind of mistake. */
export interface MutationRow {
  readonly kind: string
  readonly planted: number
  readonly equivalent: number
  readonly found: number
  readonly missed: number
}

/** A mistake that no finding reports. */
export interface MissedMistake {
  readonly unit: string
  /** File, line and kind. */
  readonly place: string
  readonly change: readonly (readonly [before: string, after: string])[]
  readonly expected: readonly string[]
  readonly codes: readonly string[]
}

export interface MutationRun {
  readonly units: number
  readonly rows: readonly MutationRow[]
  readonly missed: readonly MissedMistake[]
  readonly problems: readonly string[]
}

/** Plants every mistake in every unit, or in every nth one. */
export function runMutations(options?: { readonly every?: number }): Promise<MutationRun>

export function sumRows(rows: readonly MutationRow[]): MutationRow

/** The share of found mistakes among those that are not equivalent. */
export function getShare(row: Pick<MutationRow, 'found' | 'missed'>): number

export function formatTable(rows: readonly MutationRow[]): string
