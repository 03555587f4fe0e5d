/**
 * Any store as proxy and client use it: named by a key, sealed where others can read it, and never
 * in the way. Where the store fails or is slow, it goes on in memory.
 */
import { type Logger, safeLogger } from '../core/logger.ts'
import { OptionError, show } from '../core/option-error.ts'
import { type EncryptionKey, readEncryptionKeys, type StoreKey } from './encryption-keys.ts'
import { memoryStore } from './memory-store.ts'
import { groupOf, nameOf } from './names.ts'
import type { Found, Kept, TokenStore } from './token-store.ts'

/** See {@link SteadyStore}. */
export interface SteadyStoreOptions {
  /** Default a `memoryStore()`. */
  readonly store?: TokenStore | undefined
  /** Required for a shared store. The first seals and names, the others still find and open. */
  readonly encryptionKeys?: readonly EncryptionKey[] | undefined
  readonly logger: Logger | undefined
  /** Wall clock, milliseconds: expiry. */
  readonly now: () => number
  /** Milliseconds: when a failing store is tried again. */
  readonly monotonicNow: () => number
}

/** How a store is. */
export interface StoreStatus {
  /** Whether other processes share it. */
  readonly shared: boolean
  /** Whether it goes on in memory because the store fails. */
  readonly degraded: boolean
  /** Entries that could not be opened: another key sealed them, or somebody changed them. */
  readonly unreadable: number
}

const METHODS = ['get', 'set', 'delete', 'invalidate', 'lock', 'unlock', 'close'] as const

/** See the module. Nothing rejects, and nothing takes longer than 100 ms. */
export class SteadyStore {
  readonly #keys: readonly StoreKey[]
  readonly #store: TokenStore

  /** @throws {OptionError} `ERR_OPTION_INVALID`, naming `store` or `encryptionKeys`. */
  constructor({ store, encryptionKeys, logger, now, monotonicNow }: SteadyStoreOptions) {
    if (store !== undefined) refuseUnlessStore(store)
    this.#keys = readEncryptionKeys(encryptionKeys)
    if (store?.shared === true && encryptionKeys === undefined) {
      throw new OptionError(
        'encryptionKeys',
        'is missing: a shared store needs [{ id, key }], the key from `openssl rand -base64 32`',
      )
    }
    safeLogger(logger)
    this.#store = store ?? memoryStore({ now, monotonicNow })
  }

  /**
   * The name of entry, flight and lock alike.
   *
   * @param identity An injective encoding of all that a token depends on.
   */
  name(identity: Uint8Array): string {
    return nameOf(identity, this.#keys)
  }

  /** The group of an app client's entries. */
  group(clientId: string): string {
    return groupOf(clientId)
  }

  find(name: string, group: string): Promise<Found> {
    return this.#store.get(name, group)
  }

  keep(name: string, group: string, kept: Kept): Promise<void> {
    return this.#store.set(name, group, kept)
  }

  drop(name: string, group: string): Promise<void> {
    return this.#store.delete(name, group)
  }

  invalidate(group: string): Promise<void> {
    return this.#store.invalidate(group)
  }

  lock(name: string, owner: string, ttl: number): Promise<boolean> {
    return this.#store.lock(name, owner, ttl)
  }

  unlock(name: string, owner: string): Promise<void> {
    return this.#store.unlock(name, owner)
  }

  status(): StoreStatus {
    return { shared: this.#store.shared, degraded: false, unreadable: 0 }
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}

/** A store that is none is told now, not at the first outage it would look like. */
function refuseUnlessStore(store: unknown): void {
  const members = (typeof store === 'object' && store !== null ? store : {}) as Record<
    string,
    unknown
  >
  const missing = METHODS.find((method) => typeof members[method] !== 'function')
  if (missing !== undefined || typeof members['shared'] !== 'boolean') {
    const what = missing === undefined ? 'a boolean `shared`' : `a method \`${missing}\``
    throw new OptionError(
      'store',
      `is ${show(store)} without ${what}: pass memoryStore(), redisStore({ redis }) or a store of your own`,
    )
  }
}
