/** The store of one process, in its memory. */
import { performance } from 'node:perf_hooks'
import { readFunction, readMembers, readNumber } from '../../core/options/validate.ts'
import { BoundedMap } from '../../core/util/bounded-map.ts'
import { safeClock, steadyClock } from '../../core/util/clock.ts'
import { MemoryEntries } from './entries.ts'
import type { StoreEntry, StoreLookup, TokenStore } from './token-store.ts'

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
