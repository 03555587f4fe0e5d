/** The store of one process, in its memory. */
import { performance } from 'node:perf_hooks'
import { readFunction, readMembers, readNumber } from '../../core/options/validate.ts'
import { BoundedMap } from '../../core/util/bounded-map.ts'
import { safeClock, steadyClock } from '../../core/util/clock.ts'
import { MAX_GROUP, type StoreEntry, type StoreLookup, type TokenStore } from './token-store.ts'

/** Options of {@link MemoryEntries}. */
interface MemoryEntriesLimits {
  /** Most entries of all groups together. */
  readonly maxEntries: number
  /** Wall clock and monotonic clock, milliseconds; NaN where they cannot be read. */
  readonly now: () => number
  readonly monotonicNow: () => number
}

/** One entry. */
export interface MemoryEntry {
  readonly value: Uint8Array
  /** Milliseconds by the clock that dates entries: the shared store's, else the wall clock. */
  readonly expiresAt: number
  /** Of a copy: the epoch its group has in the shared store; undefined where that is not known. */
  readonly sharedEpoch?: string | undefined
  /** Of a copy: whether the shared store has it too. */
  isShared?: boolean
}

interface StoredEntry {
  readonly entry: MemoryEntry
  /** By the wall clock: it goes on while the machine sleeps. */
  readonly wallEnd: number
  /** By the monotonic clock: a wall clock that is set back gives no longer life. */
  readonly end: number
}

/** Entries in memory, in groups. Bounded, with expiry by wall clock and monotonic clock. */
export class MemoryEntries {
  readonly #limits: MemoryEntriesLimits
  /** The group that was set longest ago stands first, and in it the entry that was. */
  readonly #groups = new Map<string, Map<string, StoredEntry>>()
  /** Epochs of groups that were invalidated. All others are in the epoch `#defaultEpoch`. */
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

  /** A clock that cannot be read finds nothing. */
  get(key: string, group: string): MemoryEntry | undefined {
    const stored = this.#groups.get(group)?.get(key)
    if (stored === undefined) return undefined
    const { entry, wallEnd, end } = stored
    if (this.#limits.now() < wallEnd && this.#limits.monotonicNow() < end) return entry
    this.delete(key, group)
    return undefined
  }

  /** The group's entries by key, those included that are over but not gone. */
  *list(group: string): Generator<readonly [string, MemoryEntry]> {
    for (const [key, { entry }] of this.#groups.get(group) ?? []) yield [key, entry]
  }

  /**
   * Keeps it, unless the epoch it was asked for in has ended.
   *
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
    // Forgetting an ended epoch would accept a response from before its end. So every group without a
    // record gets a new epoch: responses that are in flight are not stored.
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

/** See {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** Default 10,000, at most 1,000,000: beyond it the entry that was kept longest ago goes. */
  readonly maxEntries?: number
  /** Wall clock in milliseconds; default `Date.now`. */
  readonly now?: () => number
  /** Milliseconds that only grow; default `performance.now`. */
  readonly monotonicNow?: () => number
}

interface Lock {
  readonly owner: string
  readonly end: number
}

/** See {@link memoryStore}. */
export class MemoryStore implements TokenStore {
  readonly shared = false
  /** `ResilientStore` reads memory without a promise. */
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
    const held = this.#locks.get(key)
    if (held !== undefined && held.owner !== owner && now < held.end) return false
    // A dropped lock has an end that nobody waited for: two may then ask at once, which costs one request.
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
 * Keeps tokens in the memory of this process, unsealed: what a proxy or client does by default, with
 * other bounds. Expired entries go when they are next asked for or pushed out, without a timer.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`.
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
