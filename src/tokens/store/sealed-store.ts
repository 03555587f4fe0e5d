/** A store of sealed values under keys that rotate. */
import type { StoreKey } from './encryption-keys.ts'
import { namesIn, type Opened, open, seal } from './sealing.ts'
import type { StoreClock } from './store-clock.ts'
import type { StoreCommandOptions, StoreEntry, TokenStore } from './token-store.ts'

/** What a look-up finds and can open. */
export interface FoundSealed {
  readonly opened: Opened | undefined
  readonly epoch: string
}

/** See the module. It fails as the store fails. */
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
  async get(name: string, group: string, options: StoreCommandOptions): Promise<FoundSealed> {
    const places = placesOf(name, group)
    const sentAt = this.#clock.monotonicNow()
    const all = await Promise.all(places.map((place) => this.#store.get(...place, options)))
    for (const { now: reading } of all) this.#clock.observe(reading, sentAt)
    const now = this.#clock.latest()
    let longest: Opened | undefined
    for (const [index, { value }] of all.entries()) {
      const opened =
        value === undefined ? undefined : this.#open(value, (places[index] as Place)[0])
      if (opened !== undefined && now < opened.expiresAt) {
        if (longest === undefined || longest.expiresAt < opened.expiresAt) longest = opened
      }
    }
    // Of the group that is written to. An invalidation ends the epochs of all groups.
    const epoch = all[0]?.epoch
    if (typeof epoch !== 'string') throw new TypeError('The store found no epoch')
    return { opened: longest, epoch }
  }

  /** @returns Whether it is kept. */
  set(name: string, group: string, { value, epoch, ttl }: StoreEntry): Promise<boolean> {
    const [key] = this.#keys as readonly [StoreKey, ...StoreKey[]]
    const [[first, itsGroup]] = placesOf(name, group) as readonly [Place, ...Place[]]
    const sealed = seal({ value, expiresAt: this.#clock.earliest() + ttl }, first, key)
    return this.#store.set(first, itsGroup, { value: sealed, epoch, ttl })
  }

  /** From every group: a name that was remembered while keys rotated has them in another order. */
  async delete(name: string, group: string): Promise<void> {
    const groups = namesIn(group)
    const places = namesIn(name).flatMap((one) => groups.map((its): Place => [one, its]))
    await Promise.all(places.map((place) => this.#store.delete(...place)))
  }

  async invalidate(group: string): Promise<void> {
    await Promise.all(namesIn(group).map((one) => this.#store.invalidate(one)))
  }

  lock(name: string, owner: string, ttl: number, options: StoreCommandOptions): Promise<boolean> {
    return this.#store.lock(lockIn(name), owner, ttl, options)
  }

  unlock(name: string, owner: string): Promise<void> {
    return this.#store.unlock(lockIn(name), owner)
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #open(value: unknown, name: string): Opened | undefined {
    const opened = value instanceof Uint8Array ? open(value, name, this.#keys) : undefined
    if (opened === undefined) this.#unreadable += 1
    return opened
  }
}

type Place = readonly [name: string, group: string]

/** Where an entry may be: its name under each key, and the group's under the same key. */
function placesOf(name: string, group: string): readonly Place[] {
  const groups = namesIn(group)
  return namesIn(name).map((one, index) => [one, groups[index] as string])
}

/** One lock whichever key comes first. */
function lockIn(name: string): string {
  return [...namesIn(name)].sort()[0] as string
}
