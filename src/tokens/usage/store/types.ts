/** `UsageStore`: the interface of stores for counts, its types and limits. */

/** Shared subjects: app clients beyond the limit of a store, and unauthenticated callers. */
export const OTHER = 'other'
export const UNVERIFIED = 'unverified'

/** Counts of one subject in one hour. */
export interface UsageCell {
  /** Opaque key of the subject. A store accepts `other` and `unverified` even at its limit. */
  readonly subject: string
  /** Hours since 1970. */
  readonly hour: number
  /** First and last use in the cell, in epoch seconds. */
  readonly first: number
  readonly last: number
  /** Counts by name: an outcome such as `issued` and `cached`, `accepted`, or an error code. A closed set. */
  readonly counts: ReadonlyMap<string, number>
}

/** Cells of one hour, which a store adds atomically. */
export interface UsageBatch {
  /** Unique id of the writer. A process creates a new one when it starts. */
  readonly writer: string
  /** Increases by one with each batch of the writer. */
  readonly sequence: number
  readonly hour: number
  readonly cells: readonly UsageCell[]
}

/** Counts of a subject since counting began. */
export interface UsageTotal extends Omit<UsageCell, 'hour'> {}

/** Tokens of one bucket, by subject. */
export type UsageBucket = ReadonlyMap<string, { readonly issued: number; readonly cached: number }>

/**
 * Adds up the counts of several processes. A store may reject or never respond: each call has a timeout of 2 s,
 * and a failed batch is sent again.
 */
export interface UsageStore {
  /**
   * Adds a batch once. A batch that was sent again because its response was lost changes nothing. A subject beyond
   * the limit of the store is counted as `other`.
   *
   * @param batch Cells of one hour. Its `writer` and `sequence` identify it.
   */
  add(batch: UsageBatch): Promise<void>
  /** Returns the totals of all subjects with counts. */
  totals(): Promise<readonly UsageTotal[]>
  /**
   * Returns the tokens of consecutive hours or days. Hours are stored for at least 168 hours, days for at least 92
   * days.
   *
   * @param unit Resolution of the buckets. Days are in UTC.
   * @param from Index of the first bucket: hours or days since 1970.
   * @param count Number of buckets.
   * @returns `count` buckets, oldest first. A bucket without counts is empty.
   */
  buckets(unit: 'hour' | 'day', from: number, count: number): Promise<readonly UsageBucket[]>
  /** Closes the connections of the store. Later calls reject. */
  close(): Promise<void>
}

/** Hours and days that a store keeps. */
export const STORED_HOURS: number = 7 * 24
export const STORED_DAYS = 92

/** Default number of app clients with a separate row. */
export const DEFAULT_MAX_CLIENTS = 1000

/** Upper limit of `maxClients`: 92 days of each client must fit into memory. */
export const MAX_CLIENTS_LIMIT = 20_000

export function isShared(subject: string): boolean {
  return subject === OTHER || subject === UNVERIFIED
}
