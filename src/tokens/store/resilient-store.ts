/**
 * The token store as proxy and client use it. Names are keyed hashes, and values of a shared store are sealed.
 * While the store fails or is slow, copies in memory replace it.
 */
import { randomUUID } from 'node:crypto'
import { type Logger, safeLogger } from '../../core/options/logger.ts'
import { OptionError } from '../../core/options/validate.ts'
import { safeClock, steadyClock, withTimeout } from '../../core/util/time.ts'
import { type EncryptionKey, readEncryptionKeys, type StoreKey } from './encryption-keys.ts'
import { type MemoryEntries, type MemoryEntry, MemoryStore, memoryStore } from './memory-store.ts'
import { type SealedLookup, SealedStore } from './sealed-store.ts'
import { deriveGroup, deriveName } from './sealing.ts'
import { COMMAND_TIMEOUT_MS, PendingWrites, StoreCaller } from './store-caller.ts'
import { StoreClock } from './store-clock.ts'
import { checkStore, type StoreEntry, type StoreLookup, type TokenStore } from './token-store.ts'

/** Options of {@link ResilientStore}. */
interface ResilientStoreOptions {
  /** Default: a `memoryStore()`. */
  readonly store?: TokenStore | undefined
  /** Required for a shared store. The first key seals and names, the others find and decrypt. */
  readonly encryptionKeys?: readonly EncryptionKey[] | undefined
  readonly logger: Logger | undefined
  /** Wall clock in milliseconds, for expiry if the store has no clock. */
  readonly now: () => number
  /** Monotonic clock in milliseconds, for retries of a failing store and the age of copies. */
  readonly monotonicNow: () => number
}

/** Status of a token store. */
export interface StoreStatus {
  /** Whether other processes share the store. */
  readonly shared: boolean
  /** Whether tokens are kept in memory because the store fails. */
  readonly degraded: boolean
  /** Entries that could not be decrypted: they were sealed under an unknown key, or changed. */
  readonly unreadable: number
}

/** Result and time of a look-up. */
export interface TimedLookup extends StoreLookup {
  /**
   * Milliseconds since 1970 by the clock that dates entries: that of the store if it has one, else the wall clock of
   * this process. Between look-ups, the monotonic clock advances the store's time.
   */
  readonly now: number
}

/** Tokens of Cognito live at most a day, and a store remembers epochs for little longer. */
const MAX_TTL_MS = 86_400_000

/** The lock of a closed store. */
const NO_LOCK: StoreLock = { release: async () => {} }

/** Milliseconds between two retries of pending writes. */
const RETRY_DELAY_MS = 1000

/**
 * A store that never rejects. A call takes at most 100 ms, unless the caller accepts a longer wait for a store that
 * stalls.
 *
 * While the store responds, its state applies. Each copy has an epoch of the store, so a look-up with another epoch
 * deletes all copies of the group. An entry that the store has not stored is served from memory until its epoch ends.
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
   * The name of an entry, its flight and its lock.
   *
   * @param identity An injective encoding of all that a token depends on.
   */
  deriveName(identity: Uint8Array): string {
    return deriveName(identity, this.#keys)
  }

  /** The name of the group of an app client's entries. */
  deriveGroup(clientId: string): string {
    return deriveGroup(clientId, this.#keys)
  }

  /**
   * Looks up an entry. After 100 ms, the copy in memory is returned.
   *
   * @param waitMs Longest wait in milliseconds for a store that stalls. For callers that would request a token
   *   otherwise, because they have to replace their copy. The wait ends 1.25 s after the store began to fail.
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
    const [memoryEpoch, sharedEpoch] = splitEpoch(epoch)
    if (this.#isClosed || memoryEpoch !== this.#copies.epoch(group) || !(ttl > 0)) return
    const store = this.#store
    const ttlMs = Math.min(ttl, MAX_TTL_MS)
    if (store === undefined) {
      const entry = { value, expiresAt: this.#now() + ttlMs }
      return this.#copies.set(name, group, entry, memoryEpoch, ttlMs)
    }
    const startedAt = this.#clock.monotonicNow()
    const expiresAt = this.#clock.earliest() + ttlMs
    const copy: MemoryEntry = { value, expiresAt, sharedEpoch, isShared: false }
    if (sharedEpoch !== undefined) {
      const entry = { value, epoch: sharedEpoch, ttl: ttlMs }
      let isRefused = (): boolean => false
      await this.#caller.send('write', async () => {
        const isStored = await store.set(name, group, entry)
        copy.isShared = isStored
        isRefused = () => !isStored
        // A late response finds the copy already in memory.
        if (!isStored && this.#copies.get(name, group) === copy) this.#copies.delete(name, group)
      })
      if (isRefused()) return this.#copies.delete(name, group)
    }
    const waited = this.#clock.monotonicNow() - startedAt
    this.#copies.set(name, group, copy, memoryEpoch, ttlMs - waited)
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
   * Drops all entries of a group and ends its epoch.
   *
   * @returns Whether the store has the invalidation. If not, it applies to this process, and is retried each second.
   *   It applies to other processes once a retry succeeds.
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
   * @returns Undefined if another process holds the lock. If the store does not respond, a substitute: then two
   *   processes may request the same token.
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
    const result = await caller.call('write', lock, { waitMs, hasCopy: false })
    if (result?.answer === false) return undefined
    const commands: LockCommands = {
      // If the store did not respond, a renewal takes the lock, unless another process holds it.
      renew: async () => this.#isClosed || caller.isDown('write') || lock(RENEWAL_DELAY_MS),
      // Sent even if it is unknown whether the lock was taken.
      unlock: async () => {
        if (isSent) await caller.send('write', () => store.unlock(name, owner))
      },
    }
    return new RenewedLock(commands, this.#clock.monotonicNow)
  }

  /** Whether other processes share the store. */
  get isShared(): boolean {
    return this.#isShared
  }

  status(): StoreStatus {
    const unreadable = this.#store?.unreadable ?? 0
    return { shared: this.#isShared, degraded: this.#caller.isDegraded, unreadable }
  }

  /** Closes the store too, after a last attempt of pending writes. Later calls find and store nothing. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#retryTimer)
    this.#copies.clear()
    await withTimeout(RETRY_DELAY_MS, this.#retryPending())
    const store = this.#store ?? this.#memory
    await this.#caller.callAlways('write', () => store.close())
  }

  #hasPendingWrite(name: string, group: string): boolean {
    return this.#invalidations.has(group) || this.#deletions.has(name)
  }

  /** Memory rejects once another proxy or client that shares it has closed it. Then its locks have no holder. */
  async #acquireInMemory(name: string, owner: string): Promise<StoreLock | undefined> {
    const memory = this.#memory
    const lock = (): Promise<boolean> => memory.lock(name, owner, LOCK_TTL_MS)
    if (!(await lock().catch(() => true))) return undefined
    const commands: LockCommands = { renew: lock, unlock: () => memory.unlock(name, owner) }
    return new RenewedLock(commands, this.#clock.monotonicNow)
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

  /** The entry of the store, or a newer copy. Deletes copies that contradict the store. */
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
    const newCopy = { ...unsealed, sharedEpoch: epoch, isShared: true }
    this.#copies.set(name, group, newCopy, memoryEpoch, unsealed.expiresAt - this.#clock.latest())
    return { value: unsealed.value, epoch: both, now }
  }

  /** Retries pending writes in order, up to the first that fails. */
  #scheduleRetry(): void {
    this.#retryTimer ??= setTimeout(async () => {
      const isDone = await this.#retryPending()
      this.#retryTimer = undefined
      if (!isDone && !this.#isClosed) this.#scheduleRetry()
    }, RETRY_DELAY_MS).unref()
  }

  /** @returns Whether no write is left. */
  async #retryPending(): Promise<boolean> {
    return (await this.#retryAll(this.#invalidations)) && this.#retryAll(this.#deletions)
  }

  async #retryAll(pending: PendingWrites): Promise<boolean> {
    for (const key of pending.keys()) {
      const result = await this.#caller.callAlways('write', () => pending.write(key))
      if (result === undefined) return false
    }
    return true
  }
}

/** Loggers that have logged the skew: a process has one clock, and may have several stores. */
const loggersWithSkewWarning = new WeakSet<Logger>()

/** @param skew Seconds by which this process is ahead of the store. */
function reportSkew(logger: Logger | undefined, skew: number): void {
  if (logger === undefined || loggersWithSkewWarning.has(logger)) return
  loggersWithSkewWarning.add(logger)
  const log = safeLogger(logger)
  log.warn({ skew }, 'cognito-m2m: the clocks of this process and of the token store differ')
}

/**
 * Whether two look-ups saw the same epoch. A look-up without a response of the store has no epoch of the store, and
 * matches each.
 */
export function isSameEpoch(first: string, second: string): boolean {
  const [firstMemory, firstShared] = splitEpoch(first)
  const [secondMemory, secondShared] = splitEpoch(second)
  const isKnown = firstShared !== undefined && secondShared !== undefined
  return firstMemory === secondMemory && (!isKnown || firstShared === secondShared)
}

/**
 * Whether a token that was requested in `startEpoch` is newer than all invalidations before `seenEpoch`, the epoch of
 * another look-up. A look-up without a response of the store shows none of the store's.
 */
export function isCurrentEpoch(startEpoch: string, seenEpoch: string): boolean {
  const [startMemory, startShared] = splitEpoch(startEpoch)
  const [seenMemory, seenShared] = splitEpoch(seenEpoch)
  return startMemory === seenMemory && (seenShared === undefined || startShared === seenShared)
}

/** The epoch in memory, and that of the shared store if it is known. */
function splitEpoch(epoch: string): readonly [string, string | undefined] {
  const space = epoch.indexOf(' ')
  return space < 0 ? [epoch, undefined] : [epoch.slice(0, space), epoch.slice(space + 1)]
}

/** A lock of the store, or a substitute while the store does not respond. */
export interface StoreLock {
  /**
   * Frees the lock. Later calls send nothing.
   *
   * @returns Resolves once the store has freed it, at most 100 ms later. No caller needs to wait for it, except a process
   *   that stops after it.
   */
  release(): Promise<void>
}

/** Milliseconds until a lock ends that its owner does not renew. */
export const LOCK_TTL_MS = 2000
/** Milliseconds between two renewals. */
const RENEWAL_INTERVAL_MS = 500
/** Milliseconds a renewal may be late. Shorter than the lock: a late renewal must not take a lock that has ended. */
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
  readonly #monotonicNow: () => number
  readonly #timer: NodeJS.Timeout
  /** Time of the last renewal, also of one that failed. */
  #renewedAt: number
  #released: Promise<void> | undefined

  constructor(commands: LockCommands, monotonicNow: () => number) {
    this.#commands = commands
    this.#monotonicNow = monotonicNow
    this.#renewedAt = monotonicNow()
    this.#timer = setInterval(() => void this.#renew(), RENEWAL_INTERVAL_MS).unref()
  }

  release(): Promise<void> {
    clearInterval(this.#timer)
    this.#released ??= this.#unlock()
    return this.#released
  }

  async #renew(): Promise<void> {
    const now = this.#monotonicNow()
    // The process was frozen, and the lock has ended. Another owner may have had it, whose token must not be replaced.
    if (now - this.#renewedAt >= LOCK_TTL_MS) return clearInterval(this.#timer)
    this.#renewedAt = now
    try {
      // Another owner holds it: further renewals would take the lock after that owner's release.
      if (!(await this.#commands.renew())) clearInterval(this.#timer)
    } catch {
      // The next renewal may succeed.
    }
  }

  async #unlock(): Promise<void> {
    try {
      await this.#commands.unlock()
    } catch {
      // The lock ends after its TTL.
    }
  }
}
