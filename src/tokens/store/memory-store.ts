/** The memory store: token entries and locks of one process. */
import { performance } from 'node:perf_hooks'
import { readFunction, readMembers, readNumber } from '../../core/options/validate.ts'
import { BoundedMap } from '../../core/util/bounded-map.ts'
import { safeClock, steadyClock } from '../../core/util/time.ts'
import { MAX_GROUP, type StoreEntry, type StoreLookup, type TokenStore } from './token-store.ts'

/** Options of {@link MemoryEntries}. */
interface MemoryEntriesLimits {
  /** Most entries of all groups together. */
  readonly maxEntries: number
  /** Wall clock and monotonic clock in milliseconds, NaN if they failed. */
  readonly now: () => number
  readonly monotonicNow: () => number
}

/** One entry. */
export interface MemoryEntry {
  readonly value: Uint8Array
  /** Milliseconds by the clock that dates entries: that of the shared store, else the wall clock. */
  readonly expiresAt: number
  /** In a copy: the epoch of its group in the shared store. Undefined if it is unknown. */
  readonly sharedEpoch?: string | undefined
  /** In a copy: whether the shared store has the entry too. */
  isShared?: boolean
}

interface StoredEntry {
  readonly entry: MemoryEntry
  /** End by the wall clock, which includes the time that the machine sleeps. */
  readonly wallEnd: number
  /** End by the monotonic clock: setting the wall clock back does not extend the lifetime. */
  readonly end: number
}

/** Entries in memory, in groups. Bounded, with expiry by wall clock and monotonic clock, whichever is first. */
export class MemoryEntries {
  readonly #limits: MemoryEntriesLimits
  /** In the order of the last `set`, oldest first: the groups, and the entries of each group. */
  readonly #groups = new Map<string, Map<string, StoredEntry>>()
  /** Epochs of invalidated groups. All other groups are in the epoch `#defaultEpoch`. */
  readonly #epochs: BoundedMap<string>
  #defaultEpoch = '0'
  #epochCount = 0
  #size = 0

  constructor(limits: MemoryEntriesLimits) {
    this.#limits = limits
    this.#epochs = new BoundedMap(limits.maxEntries)
  }

  get size(): number {
    return this.#size
  }

  epoch(group: string): string {
    return this.#epochs.get(group) ?? this.#defaultEpoch
  }

  /** Finds nothing while a clock fails. */
  get(key: string, group: string): MemoryEntry | undefined {
    const stored = this.#groups.get(group)?.get(key)
    if (stored === undefined) return undefined
    const { entry, wallEnd, end } = stored
    if (this.#limits.now() < wallEnd && this.#limits.monotonicNow() < end) return entry
    this.delete(key, group)
    return undefined
  }

  /** The group's entries by key, including expired entries that are not deleted yet. */
  *list(group: string): Generator<readonly [string, MemoryEntry]> {
    for (const [key, { entry }] of this.#groups.get(group) ?? []) yield [key, entry]
  }

  /**
   * Stores an entry, unless its epoch has ended.
   *
   * @param epoch The epoch of the group when the token was requested.
   * @param ttl Milliseconds. Default: until `expiresAt` by the wall clock.
   */
  set(
    key: string,
    group: string,
    entry: MemoryEntry,
    epoch: string,
    ttl: number = entry.expiresAt - this.#limits.now(),
  ): void {
    const wallEnd = this.#limits.now() + ttl
    const end = this.#limits.monotonicNow() + ttl
    if (epoch !== this.epoch(group) || !(ttl > 0) || Number.isNaN(end + wallEnd)) return
    this.delete(key, group)
    const entries = this.#groups.get(group) ?? new Map<string, StoredEntry>()
    if (entries.size >= MAX_GROUP) this.#deleteOldest(entries, group)
    entries.set(key, { entry, wallEnd, end })
    this.#groups.delete(group)
    this.#groups.set(group, entries)
    this.#size += 1
    if (this.#size > this.#limits.maxEntries) this.#evict()
  }

  delete(key: string, group: string): void {
    const entries = this.#groups.get(group)
    if (entries?.delete(key) !== true) return
    this.#size -= 1
    if (entries.size === 0) this.#groups.delete(group)
  }

  invalidate(group: string): void {
    this.#size -= this.#groups.get(group)?.size ?? 0
    this.#groups.delete(group)
    this.#epochCount += 1
    const isDropped = this.#epochs.set(group, String(this.#epochCount))
    if (!isDropped) return
    // Without a record of its ended epoch, a group would accept a response from before the end. So every group
    // without a record gets a new epoch: tokens of requests in flight are not stored.
    this.#epochCount += 1
    this.#defaultEpoch = String(this.#epochCount)
  }

  clear(): void {
    this.#groups.clear()
    this.#size = 0
  }

  #evict(): void {
    for (const [group, entries] of this.#groups) {
      this.#deleteOldest(entries, group)
      break
    }
  }

  #deleteOldest(entries: Map<string, StoredEntry>, group: string): void {
    for (const key of entries.keys()) {
      this.delete(key, group)
      break
    }
  }
}

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /**
   * Most entries, from 1 to 1,000,000. Beyond it, the oldest entry is evicted.
   *
   * @defaultValue `10_000`
   */
  readonly maxEntries?: number
  /**
   * Wall clock in milliseconds.
   *
   * @defaultValue `Date.now`
   */
  readonly now?: () => number
  /**
   * Monotonic clock in milliseconds.
   *
   * @defaultValue `performance.now`
   */
  readonly monotonicNow?: () => number
}

interface Lock {
  readonly owner: string
  readonly end: number
}

/** The store that {@link memoryStore} returns. */
export class MemoryStore implements TokenStore {
  readonly shared = false
  /** For synchronous access by `ResilientStore`. */
  readonly entries: MemoryEntries
  readonly #now: () => number
  readonly #locks: BoundedMap<Lock>
  readonly #monotonicNow: () => number
  #isClosed = false

  constructor(limits: Required<MemoryStoreOptions>) {
    this.#monotonicNow = steadyClock(safeClock(limits.monotonicNow))
    this.#locks = new BoundedMap(limits.maxEntries)
    this.#now = safeClock(limits.now)
    this.entries = new MemoryEntries({
      maxEntries: limits.maxEntries,
      now: this.#now,
      monotonicNow: this.#monotonicNow,
    })
  }

  async get(key: string, group: string): Promise<StoreLookup> {
    this.#assertOpen()
    const value = this.entries.get(key, group)?.value
    return { value, epoch: this.entries.epoch(group), now: this.#now() }
  }

  async set(key: string, group: string, { value, epoch, ttl }: StoreEntry): Promise<boolean> {
    this.#assertOpen()
    this.entries.set(key, group, { value, expiresAt: this.#now() + ttl }, epoch)
    return epoch === this.entries.epoch(group)
  }

  async delete(key: string, group: string): Promise<void> {
    this.#assertOpen()
    this.entries.delete(key, group)
  }

  async invalidate(group: string): Promise<void> {
    this.#assertOpen()
    this.entries.invalidate(group)
  }

  async lock(key: string, owner: string, ttl: number): Promise<boolean> {
    this.#assertOpen()
    const now = this.#monotonicNow()
    const lock = this.#locks.get(key)
    if (lock !== undefined && lock.owner !== owner && now < lock.end) return false
    // BoundedMap may drop the lock of another key early. That costs one further token request.
    this.#locks.set(key, { owner, end: now + ttl })
    return true
  }

  async unlock(key: string, owner: string): Promise<void> {
    this.#assertOpen()
    if (this.#locks.get(key)?.owner === owner) this.#locks.delete(key)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.entries.clear()
    this.#locks.clear()
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new Error('The store is closed')
  }
}

/**
 * Creates a token store in the memory of this process. Its entries are not sealed. Pass one store to several proxies or
 * clients of a process to share tokens. Expired entries are deleted at their next look-up or by eviction, without a
 * timer.
 *
 * @param options `maxEntries` limits the memory.
 * @returns A store for the option `store` of proxy and client.
 * @throws {OptionError} `ERR_OPTION_INVALID` for the first invalid option.
 * @example
 * ```ts
 * const store = memoryStore({ maxEntries: 1000 })
 * ```
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const members = readMembers(options, ['maxEntries', 'now', 'monotonicNow'], '')
  return new MemoryStore({
    maxEntries: readNumber(members, 'maxEntries', '', {
      defaultValue: 10_000,
      min: 1,
      max: 1_000_000,
      integer: true,
    }),
    now: readFunction(members, 'now') ?? Date.now,
    monotonicNow: readFunction(members, 'monotonicNow') ?? (() => performance.now()),
  })
}
