/** Where counts are kept: what a store of them promises, whoever writes it. */

/** Counted apart from all app clients: those beyond a store's bound, and who proved nothing. */
export const OTHER = 'other'
export const UNVERIFIED = 'unverified'

/** What one app client did in one hour. */
export interface UsageCell {
  /** Opaque; `other` and `unverified` stand for many and are always taken. */
  readonly subject: string
  /** Hours since 1970. */
  readonly hour: number
  /** First and last use in the cell, in epoch seconds. */
  readonly first: number
  readonly last: number
  /** By name: `issued`, `cached`, … or the code of a refusal; a closed set. */
  readonly counts: ReadonlyMap<string, number>
}

/** Cells of one hour that are added together or not at all. */
export interface UsageBatch {
  /** Names whoever counted, and nobody else: a process makes a new one when it starts. */
  readonly writer: string
  /** Grows by one with each of the writer's batches. */
  readonly sequence: number
  readonly hour: number
  readonly cells: readonly UsageCell[]
}

/** Everything a subject did since counting began. */
export interface UsageTotal extends Omit<UsageCell, 'hour'> {}

/** Tokens of one bucket, by subject. */
export type UsageBucket = ReadonlyMap<string, { readonly issued: number; readonly cached: number }>

/**
 * Adds up what several processes count. Who uses it bounds it in time and keeps what it did not
 * take, so a store may reject or never answer.
 */
export interface UsageStore {
  /**
   * Adds a batch, once: one that comes again, because its answer was lost, changes nothing. A subject
   * beyond the store's bound is counted as `other`.
   */
  add(batch: UsageBatch): Promise<void>
  /** All subjects; `other` and `unverified` only if something was counted there. */
  totals(): Promise<readonly UsageTotal[]>
  /**
   * Tokens of hours or days since 1970, one bucket each, empty where nothing is kept: an hour for at
   * least {@link STORED_HOURS} hours, a day for at least {@link STORED_DAYS} days.
   */
  buckets(unit: 'hour' | 'day', from: number, count: number): Promise<readonly UsageBucket[]>
  /** Lets go of connections; what is asked later rejects. */
  close(): Promise<void>
}

/** Hours and days that are kept one by one. */
export const STORED_HOURS: number = 7 * 24
export const STORED_DAYS = 92

/** App clients with rows of their own, where a store is not told otherwise. */
export const DEFAULT_MAX_CLIENTS = 1000

/** Most anybody may ask a store to keep: 92 days of each have to fit into memory. */
export const MAX_CLIENTS_LIMIT = 20_000

export function isShared(subject: string): boolean {
  return subject === OTHER || subject === UNVERIFIED
}
