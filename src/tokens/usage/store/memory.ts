/** `memoryUsageStore`: keeps counts in memory. A restart of the process clears them. */
import { readMembers, readNumber } from '../../../core/options/validate.ts'
import {
  DEFAULT_MAX_CLIENTS,
  isShared,
  MAX_CLIENTS_LIMIT,
  OTHER,
  STORED_DAYS,
  STORED_HOURS,
  type UsageBatch,
  type UsageBucket,
  type UsageCell,
  type UsageStore,
  type UsageTotal,
} from './types.ts'

/** Options of {@link memoryUsageStore}. */
export interface MemoryUsageStoreOptions {
  /**
   * App clients with a separate row, from 1 to 20,000. Further clients are counted as `other`.
   *
   * @defaultValue `1000`
   */
  readonly maxClients?: number
}

interface Total {
  first: number
  last: number
  readonly counts: Map<string, number>
}

type Bucket = Map<string, { issued: number; cached: number }>

const EMPTY: UsageBucket = new Map()

class MemoryUsageStore implements UsageStore {
  readonly #maxClients: number
  readonly #totals = new Map<string, Total>()
  readonly #buckets = { hour: new Map<number, Bucket>(), day: new Map<number, Bucket>() }
  readonly #written = new Map<string, number>()
  #clients = 0

  constructor(maxClients: number) {
    this.#maxClients = maxClients
  }

  async add({ writer, sequence, hour, cells }: UsageBatch): Promise<void> {
    if (sequence <= (this.#written.get(writer) ?? 0)) return
    this.#written.set(writer, sequence)
    const buckets = [
      getBucket(this.#buckets.hour, hour, STORED_HOURS),
      getBucket(this.#buckets.day, Math.floor(hour / 24), STORED_DAYS),
    ]
    for (const cell of cells) this.#addCell(cell, buckets)
  }

  async totals(): Promise<readonly UsageTotal[]> {
    return [...this.#totals].map(([subject, { first, last, counts }]) => ({
      subject,
      first,
      last,
      counts: new Map(counts),
    }))
  }

  async buckets(unit: 'hour' | 'day', from: number, count: number): Promise<UsageBucket[]> {
    const buckets = this.#buckets[unit]
    return Array.from({ length: count }, (_, index) => buckets.get(from + index) ?? EMPTY)
  }

  async close(): Promise<void> {}

  #addCell(cell: UsageCell, buckets: readonly Bucket[]): void {
    const { subject, total } = this.#getTotal(cell)
    total.first = Math.min(total.first, cell.first)
    total.last = Math.max(total.last, cell.last)
    for (const [name, count] of cell.counts) {
      total.counts.set(name, (total.counts.get(name) ?? 0) + count)
      if (name !== 'issued' && name !== 'cached') continue
      for (const bucket of buckets) {
        const tokens = bucket.get(subject) ?? { issued: 0, cached: 0 }
        tokens[name] += count
        bucket.set(subject, tokens)
      }
    }
  }

  /** A full store counts a new client as `other` and evicts none, so that no counts are lost. */
  #getTotal({ subject, first, last }: UsageCell): { subject: string; total: Total } {
    const existing = this.#totals.get(subject)
    if (existing !== undefined) return { subject, total: existing }
    const isFull = !isShared(subject) && this.#clients >= this.#maxClients
    const row = isFull ? OTHER : subject
    const total = this.#totals.get(row) ?? { first, last, counts: new Map() }
    this.#totals.set(row, total)
    if (!isShared(row)) this.#clients += 1
    return { subject: row, total }
  }
}

/** Evicts by number instead of age, so that a clock step does not clear all buckets. */
function getBucket(buckets: Map<number, Bucket>, index: number, maxBuckets: number): Bucket {
  const existing = buckets.get(index)
  if (existing !== undefined) return existing
  const bucket: Bucket = new Map()
  buckets.set(index, bucket)
  // One more than a report reads, because the clocks of several processes differ.
  if (buckets.size > maxBuckets + 1) buckets.delete(Math.min(...buckets.keys()))
  return bucket
}

/**
 * Creates a store in memory, for one process. It takes up to 3 KB for each client with tokens in an hour or day.
 *
 * @param options `maxClients` limits the rows.
 * @returns A store for the option `store` of `createUsage`.
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 * @example
 * ```ts
 * const usage = createUsage({ store: memoryUsageStore({ maxClients: 5000 }), price })
 * ```
 */
export function memoryUsageStore(options: MemoryUsageStoreOptions = {}): UsageStore {
  const members = readMembers(options, ['maxClients'], '')
  return new MemoryUsageStore(readMaxClients(members))
}

/** Reads the option `maxClients` of a store. */
export function readMaxClients(members: ReturnType<typeof readMembers>): number {
  return readNumber(members, 'maxClients', '', {
    defaultValue: DEFAULT_MAX_CLIENTS,
    min: 1,
    max: MAX_CLIENTS_LIMIT,
    integer: true,
    unit: 'app clients',
  })
}
