/** The contract of token stores, which custom stores implement too. */
import { describeValue, OptionError } from '../../core/options/validate.ts'

const STORE_METHODS = ['get', 'set', 'delete', 'invalidate', 'lock', 'unlock', 'close'] as const

/** @throws {OptionError} `ERR_OPTION_INVALID`, naming `store`. */
export function checkStore(store: unknown): void {
  const members = (typeof store === 'object' && store !== null ? store : {}) as Record<
    string,
    unknown
  >
  const missing = STORE_METHODS.find((method) => typeof members[method] !== 'function')
  if (missing !== undefined || typeof members['shared'] !== 'boolean') {
    const what = missing === undefined ? 'a boolean `shared`' : `a method \`${missing}\``
    throw new OptionError(
      'store',
      `expected a token store, got ${describeValue(store)} without ${what}. Pass memoryStore(), redisStore({ redis }) or a TokenStore.`,
    )
  }
}

/** Rejection of a late command. `StoreCaller` sends the command again while its caller waits. */
export class LateError extends Error {
  constructor() {
    super('LATE: the store executed the command after its deadline')
    this.name = 'LateError'
  }
}

/** Result of a look-up. */
export interface StoreLookup {
  /** The stored value. Undefined without a valid entry. */
  readonly value: Uint8Array | undefined
  /**
   * The epoch of the group. Each `invalidate` ends it for good. Callers read it before a token request and pass it to
   * `set` with the token. So the token of a request in flight does not outlive an invalidation.
   */
  readonly epoch: string
  /**
   * Time of the store's clock at the look-up, in milliseconds since 1970. It dates tokens, so that the clocks of the
   * processes do not matter. Optional: without it, the wall clock of each process dates tokens.
   */
  readonly now?: number | undefined
}

/** Options of one command. A store may ignore all of them. */
export interface StoreCommandOptions {
  /**
   * Longest time, in milliseconds from the call, until the store executes the command. After that, the caller has
   * stopped waiting: a late `lock` must take no lock, and a late `get` may reject. A store that executes commands at
   * once may ignore it. With late commands, a store that ignores it may have a lock without a holder until its `ttl`
   * ends.
   */
  readonly maxDelayMs?: number | undefined
}

/** An entry to store. */
export interface StoreEntry {
  /** Opaque bytes, sealed if the store is shared. */
  readonly value: Uint8Array
  /** The epoch of the group before the token request. */
  readonly epoch: string
  /**
   * Lifetime in milliseconds from the call. A store that executes the command later subtracts the delay, and stores
   * nothing if no time is left.
   */
  readonly ttl: number
}

/**
 * A store of opaque values under opaque keys, in groups of at most 16 entries. Each app client has one group.
 * `tokenStoreTests` of `cognito-m2m/testing` tests this contract.
 *
 * A store may reject or never respond: proxy and client limit each call to a timeout and continue without the store.
 */
export interface TokenStore {
  /** Whether other processes can read the store. Its values are sealed then. */
  readonly shared: boolean
  /**
   * Looks up an entry in one round trip. A value of an ended epoch is not found.
   *
   * @param key Opaque name of the entry.
   * @param group Opaque name of the group.
   * @returns The value, if there is one, and the epoch of the group.
   */
  get(key: string, group: string, options?: StoreCommandOptions): Promise<StoreLookup>
  /**
   * Stores a value. If the group is full, its oldest entry is dropped.
   *
   * @param key Opaque name of the entry. An entry with the same name is replaced.
   * @param group Opaque name of the group.
   * @param entry Value, epoch and lifetime.
   * @returns False if the epoch has ended. The value is not stored then.
   */
  set(key: string, group: string, entry: StoreEntry): Promise<boolean>
  /** Deletes one entry. Does nothing if the entry does not exist. */
  delete(key: string, group: string): Promise<void>
  /** Ends the group's epoch and deletes its entries. A later `set` with the ended epoch stores nothing. */
  invalidate(group: string): Promise<void>
  /**
   * Takes the lock `key` unless another owner holds it. The holder extends it: it lasts `ttl` from now on.
   *
   * @param key Opaque name of the lock. An entry may have the same name; the two are separate.
   * @param owner Unique id of the owner. Only the same owner can unlock.
   * @param ttl Milliseconds until the lock is free again without `unlock`.
   * @returns Whether `owner` holds the lock.
   */
  lock(key: string, owner: string, ttl: number, options?: StoreCommandOptions): Promise<boolean>
  /** Frees the lock if `owner` holds it. */
  unlock(key: string, owner: string): Promise<void>
  /** Closes the connections of the store. Later calls reject. */
  close(): Promise<void>
}

/** Most entries of one group: an app client's scope sets, secrets and metadata in use at once. */
export const MAX_GROUP = 16
