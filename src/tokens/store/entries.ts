/** What memory holds: values in groups, bounded, and gone in time by either clock. */
import { BoundedMap } from '../../core/util/bounded-map.ts'
import { MAX_GROUP } from './token-store.ts'

/** What {@link Entries} go by. */
export interface EntriesLimits {
  /** Most entries of all groups together. */
  readonly maxEntries: number
  /** Wall clock and monotonic clock, milliseconds; NaN where they cannot be read. */
  readonly now: () => number
  readonly monotonicNow: () => number
}

/** What is held under a key. */
export interface Held {
  readonly value: Uint8Array
  /** Milliseconds by the clock that dates entries: the shared store's, else the wall clock. */
  readonly expiresAt: number
  /** Of a copy: the epoch its group has in the shared store; undefined where that is not known. */
  readonly sharedEpoch?: string | undefined
  /** Of a copy: whether the shared store has it too. */
  isShared?: boolean
}

interface Entry {
  readonly held: Held
  /** By the wall clock: it goes on while the machine sleeps. */
  readonly wallEnd: number
  /** By the monotonic clock: a wall clock that is set back gives no longer life. */
  readonly end: number
}

/** See the module. */
export class Entries {
  readonly #limits: EntriesLimits
  /** The group that was set longest ago stands first, and in it the entry that was. */
  readonly #groups = new Map<string, Map<string, Entry>>()
  /** Epochs of groups that were invalidated. All others are in the epoch `#others`. */
  readonly #epochs: BoundedMap<string>
  #others = '0'
  #ended = 0
  #size = 0

  constructor(limits: EntriesLimits) {
    this.#limits = limits
    this.#epochs = new BoundedMap(limits.maxEntries)
  }

  get size(): number {
    return this.#size
  }

  epoch(group: string): string {
    return this.#epochs.get(group) ?? this.#others
  }

  /** A clock that cannot be read finds nothing. */
  get(key: string, group: string): Held | undefined {
    const entry = this.#groups.get(group)?.get(key)
    if (entry === undefined) return undefined
    const { held, wallEnd, end } = entry
    if (this.#limits.now() < wallEnd && this.#limits.monotonicNow() < end) return held
    this.delete(key, group)
    return undefined
  }

  /** The group's entries by key, those included that are over but not gone. */
  *of(group: string): Generator<readonly [string, Held]> {
    for (const [key, { held }] of this.#groups.get(group) ?? []) yield [key, held]
  }

  /**
   * Keeps it, unless the epoch it was asked for in has ended.
   *
   * @param ttl Milliseconds. Default: until `expiresAt` by the wall clock.
   */
  set(
    key: string,
    group: string,
    held: Held,
    epoch: string,
    ttl: number = held.expiresAt - this.#limits.now(),
  ): void {
    const wallEnd = this.#limits.now() + ttl
    const end = this.#limits.monotonicNow() + ttl
    if (epoch !== this.epoch(group) || !(ttl > 0) || Number.isNaN(end + wallEnd)) return
    this.delete(key, group)
    const entries = this.#groups.get(group) ?? new Map<string, Entry>()
    if (entries.size >= MAX_GROUP) this.#deleteOldest(entries, group)
    entries.set(key, { held, wallEnd, end })
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
    this.#ended += 1
    const isDropped = this.#epochs.set(group, String(this.#ended))
    if (!isDropped) return
    // Forgetting that a group's epoch ended would let an answer from before it in. So every group
    // that is not remembered gets an epoch nobody was told yet: it costs what is under way its place.
    this.#ended += 1
    this.#others = String(this.#ended)
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

  #deleteOldest(entries: Map<string, Entry>, group: string): void {
    for (const key of entries.keys()) {
      this.delete(key, group)
      break
    }
  }
}
