/** Where tokens are kept between requests: what a store promises, whoever writes it. */
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

/** Recognized by the caller, who sends the command again while somebody waits for it. */
export class LateError extends Error {
  constructor() {
    super('LATE: the store executed the command after its deadline')
    this.name = 'LateError'
  }
}

/** What one look-up finds. */
export interface StoreLookup {
  /** What was kept under the key; undefined where nothing holds any more. */
  readonly value: Uint8Array | undefined
  /**
   * The epoch of the group, which ends with each `invalidate` and never comes back: read before a
   * token is asked for, and handed to `set` with the answer, so that an answer that was under way
   * does not outlive an invalidation.
   */
  readonly epoch: string
  /**
   * The store's own clock while it executed the look-up: milliseconds since 1970. Tokens are dated by
   * it, so that the clocks of the processes do not matter. Optional: without it, tokens are dated by
   * the wall clock of each process.
   */
  readonly now?: number | undefined
}

/** Options of one command. A store may ignore all of them. */
export interface StoreCommandOptions {
  /**
   * Longest time, in milliseconds from the call, until the store executes the command. Afterwards
   * nobody waits for the answer: a late `lock` must take no lock, and a late `get` may reject. A store
   * that executes every command at once ignores it. A store that ignores it although its commands can
   * be late may keep a lock that nobody holds, until the lock's `ttl` ends it.
   */
  readonly maxDelayMs?: number | undefined
}

/** What is kept under a key. */
export interface StoreEntry {
  readonly value: Uint8Array
  /** The group's epoch when the value was asked for. */
  readonly epoch: string
  /**
   * Milliseconds, from the call, until it is gone. A store that executes the command later keeps it
   * for the time that is left, and not at all where none is left.
   */
  readonly ttl: number
}

/**
 * Keeps opaque values under opaque keys, in groups (one per app client) of at most
 * {@link MAX_GROUP} entries. `tokenStoreTests` of `cognito-m2m/testing` is this contract as tests.
 *
 * A store may reject or never answer: who uses it bounds it and goes on without.
 */
export interface TokenStore {
  /** Whether anything but this process can read it: what is put there is then sealed. */
  readonly shared: boolean
  /** One look-up, in one round trip; a value kept under an ended epoch is not found. */
  get(key: string, group: string, options?: StoreCommandOptions): Promise<StoreLookup>
  /**
   * Keeps a value; where the group is full, its oldest entry goes.
   *
   * @returns False where the epoch it was asked for in has ended: then it is not kept.
   */
  set(key: string, group: string, kept: StoreEntry): Promise<boolean>
  /** Drops one entry. */
  delete(key: string, group: string): Promise<void>
  /** Ends the group's epoch, and with it every entry of the group, those still to be set included. */
  invalidate(group: string): Promise<void>
  /**
   * Takes the lock `key` unless another owner holds it. The owner who holds it extends it: from now
   * on it lasts `ttl` again.
   *
   * @param owner Nobody else's: who released a lock has to be who took it.
   * @param ttl Milliseconds until it is free again, whatever becomes of its owner.
   */
  lock(key: string, owner: string, ttl: number, options?: StoreCommandOptions): Promise<boolean>
  /** Frees the lock if `owner` still holds it. */
  unlock(key: string, owner: string): Promise<void>
  /** Lets go of connections; what is asked later rejects. */
  close(): Promise<void>
}

/** Most entries of one group: an app client's scope sets, secrets and metadata in use at once. */
export const MAX_GROUP = 16
