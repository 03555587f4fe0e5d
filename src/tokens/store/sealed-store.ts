/** A store of sealed values under keys that rotate. */
import type { StoreKey } from './encryption-keys.ts'
import { seal, splitNames, type UnsealedValue, unseal } from './sealing.ts'
import type { StoreClock } from './store-clock.ts'
import type { StoreCommandOptions, StoreEntry, TokenStore } from './token-store.ts'

/** What a look-up finds and can open. */
export interface SealedLookup {
  readonly unsealed: UnsealedValue | undefined
  readonly epoch: string
}

/** Seals values before they reach the store. Rejects if the store does. */
export class SealedStore {
  readonly #store: TokenStore
  readonly #keys: readonly StoreKey[]
  readonly #clock: StoreClock
  #unreadable = 0

  /** @param clock Dates what is sealed. It learns the store's time from each look-up. */
  constructor(store: TokenStore, keys: readonly StoreKey[], clock: StoreClock) {
    this.#store = store
    this.#keys = keys
    this.#clock = clock
  }

  get unreadable(): number {
    return this.#unreadable
  }

  /**
   * Looked up under all its names at once, each in the group of the same key: while keys rotate,
   * processes differ in which comes first. Of two that are found, the one that lives longer.
   */
  async get(name: string, group: string, options: StoreCommandOptions): Promise<SealedLookup> {
    const locations = listLocations(name, group)
    const sentAt = this.#clock.monotonicNow()
    const all = await Promise.all(locations.map((place) => this.#store.get(...place, options)))
    for (const { now: reading } of all) this.#clock.observe(reading, sentAt)
    const now = this.#clock.latest()
    let longest: UnsealedValue | undefined
    for (const [index, { value }] of all.entries()) {
      const unsealed =
        value === undefined ? undefined : this.#open(value, (locations[index] as StoreLocation)[0])
      if (unsealed !== undefined && now < unsealed.expiresAt) {
        if (longest === undefined || longest.expiresAt < unsealed.expiresAt) longest = unsealed
      }
    }
    // Of the group that is written to. An invalidation ends the epochs of all groups.
    const epoch = all[0]?.epoch
    if (typeof epoch !== 'string') throw new TypeError('The store found no epoch')
    return { unsealed: longest, epoch }
  }

  /** @returns Whether it is kept. */
  set(name: string, group: string, { value, epoch, ttl }: StoreEntry): Promise<boolean> {
    const [key] = this.#keys as readonly [StoreKey, ...StoreKey[]]
    const [[first, itsGroup]] = listLocations(name, group) as readonly [
      StoreLocation,
      ...StoreLocation[],
    ]
    const sealed = seal({ value, expiresAt: this.#clock.earliest() + ttl }, first, key)
    return this.#store.set(first, itsGroup, { value: sealed, epoch, ttl })
  }

  /** From every group: a name that was remembered while keys rotated has them in another order. */
  async delete(name: string, group: string): Promise<void> {
    const groups = splitNames(group)
    const locations = splitNames(name).flatMap((candidate) =>
      groups.map((its): StoreLocation => [candidate, its]),
    )
    await Promise.all(locations.map((place) => this.#store.delete(...place)))
  }

  async invalidate(group: string): Promise<void> {
    await Promise.all(splitNames(group).map((candidate) => this.#store.invalidate(candidate)))
  }

  lock(name: string, owner: string, ttl: number, options: StoreCommandOptions): Promise<boolean> {
    return this.#store.lock(getLockName(name), owner, ttl, options)
  }

  unlock(name: string, owner: string): Promise<void> {
    return this.#store.unlock(getLockName(name), owner)
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #open(value: unknown, name: string): UnsealedValue | undefined {
    const unsealed = value instanceof Uint8Array ? unseal(value, name, this.#keys) : undefined
    if (unsealed === undefined) this.#unreadable += 1
    return unsealed
  }
}

type StoreLocation = readonly [name: string, group: string]

/** Where an entry may be: its name under each key, and the group's under the same key. */
function listLocations(name: string, group: string): readonly StoreLocation[] {
  const groups = splitNames(group)
  return splitNames(name).map((candidate, index) => [candidate, groups[index] as string])
}

/** One lock whichever key comes first. */
function getLockName(name: string): string {
  return [...splitNames(name)].sort()[0] as string
}
