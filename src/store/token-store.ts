/** Where tokens are kept between requests: what a store promises, whoever writes it. */

/** What one look-up finds. */
export interface Found {
  /** What was kept under the key; undefined where nothing holds any more. */
  readonly value: Uint8Array | undefined
  /**
   * The epoch of the group, which ends with each `invalidate` and never comes back: read before a
   * token is asked for, and handed to `set` with the answer, so that an answer that was under way
   * does not outlive an invalidation.
   */
  readonly epoch: string
}

/** What is kept under a key. */
export interface Kept {
  readonly value: Uint8Array
  /** The group's epoch when the value was asked for. */
  readonly epoch: string
  /** Milliseconds until it is gone. */
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
  get(key: string, group: string): Promise<Found>
  /**
   * Keeps a value; where the group is full, its oldest entry goes.
   *
   * @returns False where the epoch it was asked for in has ended: then it is not kept.
   */
  set(key: string, group: string, kept: Kept): Promise<boolean>
  /** Drops one entry. */
  delete(key: string, group: string): Promise<void>
  /** Ends the group's epoch, and with it every entry of the group, those still to be set included. */
  invalidate(group: string): Promise<void>
  /**
   * Takes the lock `key` unless somebody holds it.
   *
   * @param owner Nobody else's: who released a lock has to be who took it.
   * @param ttl Milliseconds until it is free again, whatever becomes of its owner.
   */
  lock(key: string, owner: string, ttl: number): Promise<boolean>
  /** Frees the lock if `owner` still holds it. */
  unlock(key: string, owner: string): Promise<void>
  /** Lets go of connections; what is asked later rejects. */
  close(): Promise<void>
}

/** Most entries of one group: an app client's scope sets, secrets and metadata in use at once. */
export const MAX_GROUP = 16
