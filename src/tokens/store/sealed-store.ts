/** A store with sealed values, under encryption keys that can be rotated. */
import type { StoreKey } from './encryption-keys.ts'
import { seal, splitNames, type UnsealedValue, unseal } from './sealing.ts'
import type { StoreClock } from './store-clock.ts'
import type { StoreCommandOptions, StoreEntry, TokenStore } from './token-store.ts'

/** The decrypted result of a look-up. */
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

  /** @param clock Dates sealed values. Each look-up corrects it by the store's time. */
  constructor(store: TokenStore, keys: readonly StoreKey[], clock: StoreClock) {
    this.#store = store
    this.#keys = keys
    this.#clock = clock
  }

  get unreadable(): number {
    return this.#unreadable
  }

  /**
   * Looks up all names of an entry at once, each in the group of the same key. During a rotation, processes differ in
   * the first key. Returns the entry that expires last.
   */
  async get(name: string, group: string, options: StoreCommandOptions): Promise<SealedLookup> {
    const locations = listLocations(name, group)
    const sentAt = this.#clock.monotonicNow()
    const lookups = await Promise.all(
      locations.map((location) => this.#store.get(...location, options)),
    )
    for (const { now: reading } of lookups) this.#clock.observe(reading, sentAt)
    const now = this.#clock.latest()
    let longest: UnsealedValue | undefined
    for (const [index, { value }] of lookups.entries()) {
      const unsealed =
        value === undefined ? undefined : this.#open(value, (locations[index] as StoreLocation)[0])
      if (unsealed !== undefined && now < unsealed.expiresAt) {
        if (longest === undefined || longest.expiresAt < unsealed.expiresAt) longest = unsealed
      }
    }
    // The epoch of the group for writes. An invalidation ends the epochs of all groups.
    const epoch = lookups[0]?.epoch
    if (typeof epoch !== 'string') throw new TypeError('The store found no epoch')
    return { unsealed: longest, epoch }
  }

  /** @returns Whether the store has stored it. */
  set(name: string, group: string, { value, epoch, ttl }: StoreEntry): Promise<boolean> {
    const [key] = this.#keys as readonly [StoreKey, ...StoreKey[]]
    const [[firstName, firstGroup]] = listLocations(name, group) as readonly [
      StoreLocation,
      ...StoreLocation[],
    ]
    const sealed = seal({ value, expiresAt: this.#clock.earliest() + ttl }, firstName, key)
    return this.#store.set(firstName, firstGroup, { value: sealed, epoch, ttl })
  }

  /** Deletes in every group: a name from a rotation has its parts in another order. */
  async delete(name: string, group: string): Promise<void> {
    const groups = splitNames(group)
    const locations = splitNames(name).flatMap((candidate) =>
      groups.map((candidateGroup): StoreLocation => [candidate, candidateGroup]),
    )
    await Promise.all(locations.map((location) => this.#store.delete(...location)))
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

/** Possible locations of an entry: per key, its name and the name of its group. */
function listLocations(name: string, group: string): readonly StoreLocation[] {
  const groups = splitNames(group)
  return splitNames(name).map((candidate, index) => [candidate, groups[index] as string])
}

/** The same lock for each order of the keys. */
function getLockName(name: string): string {
  return [...splitNames(name)].sort()[0] as string
}
