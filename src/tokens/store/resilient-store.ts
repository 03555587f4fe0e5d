/**
 * The token store as proxy and client use it. Names are keyed hashes, and values of a shared store are sealed.
 * While the store fails or is slow, copies in memory replace it.
 */
import { randomUUID } from 'node:crypto'
import { type Logger, safeLogger } from '../../core/options/logger.ts'
import { OptionError } from '../../core/options/validate.ts'
import { safeClock, steadyClock } from '../../core/util/clock.ts'
import { type EncryptionKey, readEncryptionKeys, type StoreKey } from './encryption-keys.ts'
import { type MemoryEntries, type MemoryEntry, MemoryStore, memoryStore } from './memory-store.ts'
import { type SealedLookup, SealedStore } from './sealed-store.ts'
import { deriveGroup, deriveName } from './sealing.ts'
import { COMMAND_TIMEOUT_MS, PendingWrites, StoreCaller } from './store-caller.ts'
import { StoreClock } from './store-clock.ts'
import { checkStore, type StoreEntry, type StoreLookup, type TokenStore } from './token-store.ts'

/** Options of {@link ResilientStore}. */
interface ResilientStoreOptions {
  /** Default a `memoryStore()`. */
  readonly store?: TokenStore | undefined
  /** Required for a shared store. The first seals and names, the others still find and open. */
  readonly encryptionKeys?: readonly EncryptionKey[] | undefined
  readonly logger: Logger | undefined
  /** Wall clock, milliseconds: expiry, where the store has no clock. */
  readonly now: () => number
  /** Milliseconds: when a failing store is tried again, and the age of copies. */
  readonly monotonicNow: () => number
}

/** Status of a token store. */
export interface StoreStatus {
  /** Whether other processes share it. */
  readonly shared: boolean
  /** Whether tokens are kept in memory because the store fails. */
  readonly degraded: boolean
  /** Entries that could not be decrypted: they were sealed under an unknown key, or changed. */
  readonly unreadable: number
}

/** What one look-up finds, and when. */
export interface TimedLookup extends StoreLookup {
  /**
   * Milliseconds since 1970 by the clock that dates entries: the store's where it has one, else the
   * wall clock of this process. In memory, the store's clock is carried forward by the monotonic clock.
   */
  readonly now: number
}

/** No token of Cognito's lives longer than a day, and no epoch is remembered much longer. */
const MAX_TTL_MS = 86_400_000

/** Nobody can hold a lock of a store that is closed. */
const NO_LOCK: StoreLock = { release() {} }

/** Milliseconds between two retries of pending writes. */
const RETRY_DELAY_MS = 1000

/**
 * A store that never rejects. No call takes longer than 100 ms, unless the caller says how long
 * to wait for a store that stalls.
 *
 * The store decides while it responds. Each copy has an epoch of the store, so one look-up that shows
 * another epoch ends all copies of the group. An entry that the store did not accept is served from
 * memory until that epoch ends.
 */
export class ResilientStore {
  readonly #keys: readonly StoreKey[]
  readonly #memory: MemoryStore
  readonly #copies: MemoryEntries
  readonly #store: SealedStore | undefined
  readonly #isShared: boolean
  readonly #caller: StoreCaller
  readonly #logger: Logger
  readonly #clock: StoreClock
  readonly #now: () => number
  readonly #invalidations = new PendingWrites()
  readonly #deletions = new PendingWrites()
  #retryTimer: NodeJS.Timeout | undefined
  #isClosed = false

  /** @throws {OptionError} `ERR_OPTION_INVALID`, naming `store` or `encryptionKeys`. */
  constructor({ store, encryptionKeys, logger, now, monotonicNow }: ResilientStoreOptions) {
    if (store !== undefined) checkStore(store)
    this.#keys = readEncryptionKeys(encryptionKeys)
    if (store?.shared === true && encryptionKeys === undefined) {
      throw new OptionError(
        'encryptionKeys',
        'expected [{ id, key }] for a shared store, got undefined. Create a key with `openssl rand -base64 32`.',
      )
    }
    this.#logger = safeLogger(logger)
    const elapsed = steadyClock(safeClock(monotonicNow))
    this.#caller = new StoreCaller(this.#logger, elapsed)
    this.#now = safeClock(now)
    this.#clock = new StoreClock({
      now: this.#now,
      monotonicNow: elapsed,
      onSkew: (skew) => reportSkew(logger, skew),
    })
    this.#memory = store instanceof MemoryStore ? store : memoryStore({ now, monotonicNow })
    this.#copies = this.#memory.entries
    this.#isShared = store?.shared ?? false
    if (store !== undefined && store !== this.#memory) {
      this.#store = new SealedStore(store, this.#keys, this.#clock)
    }
  }

  /**
   * The name of entry, flight and lock alike.
   *
   * @param identity An injective encoding of all that a token depends on.
   */
  deriveName(identity: Uint8Array): string {
    return deriveName(identity, this.#keys)
  }

  /** The group of an app client's entries. */
  deriveGroup(clientId: string): string {
    return deriveGroup(clientId, this.#keys)
  }

  /**
   * Looks up an entry. A good copy in memory is served after 100 ms.
   *
   * @param waitMs Longest wait in milliseconds for a store that stalls, for a caller that would request a token
   *   otherwise: the copy is the one to replace. It ends 1.25 s after the store began to fail.
   */
  async get(name: string, group: string, waitMs?: number): Promise<TimedLookup> {
    const store = this.#store
    const epoch = this.#copies.epoch(group)
    if (store === undefined || this.#isClosed || this.#hasPendingWrite(name, group)) {
      return this.#getCopy(name, group)
    }
    const hasCopy = waitMs === undefined && this.#copies.get(name, group) !== undefined
    const found = await this.#caller.call(
      'read',
      (maxDelayMs) => store.get(name, group, { maxDelayMs }),
      { waitMs: waitMs ?? COMMAND_TIMEOUT_MS, hasCopy },
    )
    if (found === undefined) return this.#getCopy(name, group)
    return this.#reconcile(found.answer, name, group, epoch)
  }

  async set(name: string, group: string, { value, epoch, ttl }: StoreEntry): Promise<void> {
    const [own, sharedEpoch] = splitEpoch(epoch)
    if (this.#isClosed || own !== this.#copies.epoch(group) || !(ttl > 0)) return
    const store = this.#store
    const ttlMs = Math.min(ttl, MAX_TTL_MS)
    if (store === undefined) {
      return this.#copies.set(name, group, { value, expiresAt: this.#now() + ttlMs }, own, ttlMs)
    }
    const startedAt = this.#clock.monotonicNow()
    const expiresAt = this.#clock.earliest() + ttlMs
    const copy: MemoryEntry = { value, expiresAt, sharedEpoch, isShared: false }
    if (sharedEpoch !== undefined) {
      const entry = { value, epoch: sharedEpoch, ttl: ttlMs }
      let isRefused = (): boolean => false
      await this.#caller.send('write', async () => {
        const isTaken = await store.set(name, group, entry)
        copy.isShared = isTaken
        isRefused = () => !isTaken
        // The answer may come late: then the copy is here already.
        if (!isTaken && this.#copies.get(name, group) === copy) this.#copies.delete(name, group)
      })
      if (isRefused()) return this.#copies.delete(name, group)
    }
    const waited = this.#clock.monotonicNow() - startedAt
    this.#copies.set(name, group, copy, own, ttlMs - waited)
  }

  async delete(name: string, group: string): Promise<void> {
    this.#copies.delete(name, group)
    const store = this.#store
    if (store === undefined || this.#isClosed) return
    this.#deletions.add(name, () => store.delete(name, group))
    const result = await this.#caller.call('write', () => this.#deletions.write(name))
    if (result === undefined) this.#scheduleRetry()
  }

  /**
   * @returns Whether the store has the invalidation. If not, it holds in this process at once, and is retried
   *   each second. Other processes follow once a retry succeeds.
   */
  async invalidate(group: string): Promise<boolean> {
    this.#copies.invalidate(group)
    const store = this.#store
    if (store === undefined || this.#isClosed) return store === undefined
    this.#invalidations.add(group, () => store.invalidate(group))
    const result = await this.#caller.callAlways('write', () => this.#invalidations.write(group))
    if (result !== undefined) return true
    this.#logger.warn(
      {},
      'cognito-m2m: the token store missed an invalidation; sending it again when the store is back',
    )
    this.#scheduleRetry()
    return false
  }

  /**
   * Takes the lock of an entry. It lasts 2 s and is renewed every 500 ms until it is released.
   *
   * @param waitMs Longest wait in milliseconds for a store that stalls. It ends 1.25 s after the store
   *   began to fail.
   * @returns Undefined where another process holds it. Where the store does not answer, a lock that
   *   stands for the real one: then nothing keeps two processes from asking for the same token.
   */
  async acquire(name: string, waitMs: number): Promise<StoreLock | undefined> {
    if (this.#isClosed) return NO_LOCK
    const caller = this.#caller
    const owner = randomUUID()
    const store = this.#store
    if (store === undefined) return this.#acquireInMemory(name, owner)
    let isSent = false
    const lock = (maxDelayMs: number): Promise<boolean> => {
      isSent = true
      return store.lock(name, owner, LOCK_TTL_MS, { maxDelayMs })
    }
    const taken = await caller.call('write', lock, { waitMs, hasCopy: false })
    if (taken?.answer === false) return undefined
    return new RenewedLock({
      // A lock that could not be taken is taken by a renewal, unless another process has it.
      renew: async () => this.#isClosed || caller.isDown('write') || lock(RENEWAL_DELAY_MS),
      // Sent even if nobody knows whether it was taken.
      unlock: async () => {
        if (isSent) await caller.send('write', () => store.unlock(name, owner))
      },
    })
  }

  /** Whether other processes share the store. */
  get isShared(): boolean {
    return this.#isShared
  }

  status(): StoreStatus {
    const unreadable = this.#store?.unreadable ?? 0
    return { shared: this.#isShared, degraded: this.#caller.isDegraded, unreadable }
  }

  /** Closes the store too. What is asked later finds and keeps nothing. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#retryTimer)
    this.#copies.clear()
    const store = this.#store ?? this.#memory
    await this.#caller.callAlways('write', () => store.close())
  }

  #hasPendingWrite(name: string, group: string): boolean {
    return this.#invalidations.has(group) || this.#deletions.has(name)
  }

  /** Memory fails where somebody who shares it closed it. Then nobody holds its locks. */
  async #acquireInMemory(name: string, owner: string): Promise<StoreLock | undefined> {
    const memory = this.#memory
    const lock = (): Promise<boolean> => memory.lock(name, owner, LOCK_TTL_MS)
    if (!(await lock().catch(() => true))) return undefined
    return new RenewedLock({ renew: lock, unlock: () => memory.unlock(name, owner) })
  }

  /** The copy in memory, with the last known epoch of the store. */
  #getCopy(name: string, group: string): TimedLookup {
    const value = this.#copies.get(name, group)?.value
    const memoryEpoch = this.#copies.epoch(group)
    if (this.#store === undefined) return { value, epoch: memoryEpoch, now: this.#now() }
    const now = this.#clock.earliest()
    for (const [, { sharedEpoch }] of this.#copies.list(group)) {
      if (sharedEpoch !== undefined) return { value, epoch: `${memoryEpoch} ${sharedEpoch}`, now }
    }
    return { value, epoch: memoryEpoch, now }
  }

  /** The store's entry. Copies that contradict it are deleted. */
  #reconcile(
    { unsealed, epoch }: SealedLookup,
    name: string,
    group: string,
    memoryEpoch: string,
  ): TimedLookup {
    for (const [key, { sharedEpoch, isShared }] of this.#copies.list(group)) {
      const isGone = key === name && isShared
      if (isGone || sharedEpoch !== epoch) this.#copies.delete(key, group)
    }
    const both = `${memoryEpoch} ${epoch}`
    const now = this.#clock.earliest()
    const copy = this.#copies.get(name, group)
    if (unsealed === undefined || (copy !== undefined && copy.expiresAt > unsealed.expiresAt)) {
      return { value: copy?.value, epoch: both, now }
    }
    const held = { ...unsealed, sharedEpoch: epoch, isShared: true }
    this.#copies.set(name, group, held, memoryEpoch, unsealed.expiresAt - this.#clock.latest())
    return { value: unsealed.value, epoch: both, now }
  }

  /** Retries pending writes in order, up to the first that fails. */
  #scheduleRetry(): void {
    this.#retryTimer ??= setTimeout(async () => {
      const isDone =
        (await this.#retryAll(this.#invalidations)) && (await this.#retryAll(this.#deletions))
      this.#retryTimer = undefined
      if (!isDone && !this.#isClosed) this.#scheduleRetry()
    }, RETRY_DELAY_MS).unref()
  }

  async #retryAll(pending: PendingWrites): Promise<boolean> {
    for (const key of pending.keys()) {
      const result = await this.#caller.callAlways('write', () => pending.write(key))
      if (result === undefined) return false
    }
    return true
  }
}

/** Loggers that have the warning: a process has one clock, and may have several stores. */
const loggersWithSkewWarning = new WeakSet<Logger>()

/** @param skew Seconds by which this process is ahead of the store. */
function reportSkew(logger: Logger | undefined, skew: number): void {
  if (logger === undefined || loggersWithSkewWarning.has(logger)) return
  loggersWithSkewWarning.add(logger)
  const log = safeLogger(logger)
  log.warn({ skew }, 'cognito-m2m: the clocks of this process and of the token store differ')
}

/**
 * Whether two look-ups saw the same epoch. One that the store did not answer does not know the store's, and
 * knows of no invalidation either.
 */
export function isSameEpoch(one: string, other: string): boolean {
  const [[own, shared], [otherOwn, otherShared]] = [splitEpoch(one), splitEpoch(other)]
  const isKnown = shared !== undefined && otherShared !== undefined
  return own === otherOwn && (!isKnown || shared === otherShared)
}

/**
 * Whether a token requested in the epoch `begun` obeys all invalidations that a look-up which saw `seen` knows
 * of. A look-up that the store did not answer knows of none.
 */
export function isCurrentEpoch(startedAt: string, seen: string): boolean {
  const [[own, shared], [ownSeen, sharedSeen]] = [splitEpoch(startedAt), splitEpoch(seen)]
  return own === ownSeen && (sharedSeen === undefined || shared === sharedSeen)
}

/** Memory's epoch, and the shared store's where it is known. */
function splitEpoch(epoch: string): readonly [string, string | undefined] {
  const space = epoch.indexOf(' ')
  return space < 0 ? [epoch, undefined] : [epoch.slice(0, space), epoch.slice(space + 1)]
}

/** A lock that is held, or that stands for one while the store does not answer. */
export interface StoreLock {
  /** Frees the lock. Nobody waits for it. Later calls have no effect. */
  release(): void
}

/** Milliseconds until a lock is free whose owner stopped renewing it. */
export const LOCK_TTL_MS = 2000
/** Milliseconds between two renewals. */
const RENEWAL_INTERVAL_MS = 500
/** Milliseconds a renewal may be late: shorter than the lock, so that none outlives it by much. */
const RENEWAL_DELAY_MS: number = LOCK_TTL_MS - RENEWAL_INTERVAL_MS

/** Commands of one lock and owner. They may reject or throw. */
interface LockCommands {
  /** Resolves to false where another owner holds the lock. */
  readonly renew: () => Promise<boolean>
  readonly unlock: () => Promise<void>
}

/** Renews the lock of a store each 500 ms until it is released. */
class RenewedLock implements StoreLock {
  readonly #commands: LockCommands
  readonly #timer: NodeJS.Timeout
  #isReleased = false

  constructor(commands: LockCommands) {
    this.#commands = commands
    this.#timer = setInterval(() => void this.#renew(), RENEWAL_INTERVAL_MS).unref()
  }

  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    clearInterval(this.#timer)
    void this.#unlock()
  }

  async #renew(): Promise<void> {
    try {
      // Somebody else has it: a renewal could only take it from them once they are done.
      if (!(await this.#commands.renew())) clearInterval(this.#timer)
    } catch {
      // The next renewal may succeed.
    }
  }

  async #unlock(): Promise<void> {
    try {
      await this.#commands.unlock()
    } catch {
      // It ends by itself.
    }
  }
}
