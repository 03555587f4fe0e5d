/**
 * Any store as proxy and client use it: named by a key, sealed where others can read it, and never
 * in the way. Where the store fails or is slow, it goes on with copies in memory.
 */
import { randomUUID } from 'node:crypto'
import { type Logger, safeLogger } from '../../core/options/logger.ts'
import { OptionError } from '../../core/options/validate.ts'
import { safeClock, steadyClock } from '../../core/util/clock.ts'
import { type EncryptionKey, readEncryptionKeys, type StoreKey } from './encryption-keys.ts'
import type { Entries, Held } from './entries.ts'
import { MemoryStore, memoryStore } from './memory-store.ts'
import { type FoundSealed, SealedStore } from './sealed-store.ts'
import { groupOf, nameOf } from './sealing.ts'
import { COMMAND_TIMEOUT_MS, StoreCaller } from './store-caller.ts'
import { StoreClock } from './store-clock.ts'
import { LOCK_TTL_MS, RENEWAL_DELAY_MS, RenewedLock, type StoreLock } from './store-lock.ts'
import { checkStore, type StoreEntry, type StoreLookup, type TokenStore } from './token-store.ts'

/** Things remembered; beyond that the first is forgotten. */
const MAX_UNTOLD = 10_000

/** What a failing store could not be told yet, bounded. */
export class PendingWrites {
  readonly #tellers = new Map<string, () => Promise<void>>()

  add(key: string, teller: () => Promise<void>): void {
    this.#tellers.set(key, teller)
    if (this.#tellers.size <= MAX_UNTOLD) return
    for (const first of this.#tellers.keys()) {
      this.#tellers.delete(first)
      break
    }
  }

  has(key: string): boolean {
    return this.#tellers.has(key)
  }

  keys(): readonly string[] {
    return [...this.#tellers.keys()]
  }

  /** Tells it, and forgets it unless it was added anew meanwhile. Rejects as telling rejects. */
  async tell(key: string): Promise<void> {
    const teller = this.#tellers.get(key)
    await teller?.()
    if (this.#tellers.get(key) === teller) this.#tellers.delete(key)
  }
}

/** See {@link ResilientStore}. */
interface SteadyStoreOptions {
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

/** How a store is. */
export interface StoreStatus {
  /** Whether other processes share it. */
  readonly shared: boolean
  /** Whether it goes on in memory because the store fails. */
  readonly degraded: boolean
  /** Entries that could not be opened: another key sealed them, or somebody changed them. */
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
const MAX_TTL = 86_400_000

/** Nobody can hold a lock of a store that is closed. */
const NO_LOCK: StoreLock = { release() {} }

/** Milliseconds until a store that could not be told something is told again. */
const TELL_AGAIN = 1000

/**
 * See the module. Nothing rejects. Nothing takes longer than 100 ms, unless the caller says how long
 * to wait for a store that stalls.
 *
 * The store's word counts while it answers. A copy says which epoch of the store it belongs to, so
 * one look-up that shows another epoch ends all copies of the group. What the store would not take
 * (it was full, or away) is served from memory as long as that epoch lasts.
 */
export class ResilientStore {
  readonly #keys: readonly StoreKey[]
  readonly #memory: MemoryStore
  readonly #copies: Entries
  readonly #store: SealedStore | undefined
  readonly #isShared: boolean
  readonly #reach: StoreCaller
  readonly #logger: Logger
  readonly #clock: StoreClock
  readonly #invalidations = new PendingWrites()
  readonly #drops = new PendingWrites()
  #telling: NodeJS.Timeout | undefined
  #isClosed = false

  /** @throws {OptionError} `ERR_OPTION_INVALID`, naming `store` or `encryptionKeys`. */
  constructor({ store, encryptionKeys, logger, now, monotonicNow }: SteadyStoreOptions) {
    if (store !== undefined) checkStore(store)
    this.#keys = readEncryptionKeys(encryptionKeys)
    if (store?.shared === true && encryptionKeys === undefined) {
      throw new OptionError(
        'encryptionKeys',
        'is missing: a shared store needs [{ id, key }], the key from `openssl rand -base64 32`',
      )
    }
    this.#logger = safeLogger(logger)
    const elapsed = steadyClock(safeClock(monotonicNow))
    this.#reach = new StoreCaller(this.#logger, elapsed)
    this.#clock = new StoreClock({
      now: safeClock(now),
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
  name(identity: Uint8Array): string {
    return nameOf(identity, this.#keys)
  }

  /** The group of an app client's entries. */
  group(clientId: string): string {
    return groupOf(clientId, this.#keys)
  }

  /**
   * Looks up an entry. A good copy in memory is served after 100 ms.
   *
   * @param waitMs Longest wait in milliseconds for a store that stalls, for a caller that would request a token
   *   otherwise: the copy is the one to replace. It ends 1.25 s after the store began to fail.
   */
  async find(name: string, group: string, waitMs?: number): Promise<TimedLookup> {
    const store = this.#store
    const epoch = this.#copies.epoch(group)
    if (store === undefined || this.#isClosed || this.#isUntold(name, group)) {
      return this.#copied(name, group)
    }
    const hasCopy = waitMs === undefined && this.#copies.get(name, group) !== undefined
    const found = await this.#reach.ask(
      'read',
      (maxDelayMs) => store.get(name, group, { maxDelayMs }),
      { waitMs: waitMs ?? COMMAND_TIMEOUT_MS, hasCopy },
    )
    if (found === undefined) return this.#copied(name, group)
    return this.#agreed(found.answer, name, group, epoch)
  }

  async keep(name: string, group: string, { value, epoch, ttl }: StoreEntry): Promise<void> {
    const [own, sharedEpoch] = epochsIn(epoch)
    if (this.#isClosed || own !== this.#copies.epoch(group) || !(ttl > 0)) return
    const store = this.#store
    const life = Math.min(ttl, MAX_TTL)
    const begun = this.#clock.monotonicNow()
    const expiresAt = this.#clock.earliest() + life
    const copy: Held = { value, expiresAt, sharedEpoch, isShared: false }
    if (store !== undefined && sharedEpoch !== undefined) {
      const kept = { value, epoch: sharedEpoch, ttl: life }
      let isRefused = (): boolean => false
      await this.#reach.deliver('write', async () => {
        const isTaken = await store.set(name, group, kept)
        copy.isShared = isTaken
        isRefused = () => !isTaken
        // The answer may come late: then the copy is here already.
        if (!isTaken && this.#copies.get(name, group) === copy) this.#copies.delete(name, group)
      })
      if (isRefused()) return this.#copies.delete(name, group)
    }
    const waited = this.#clock.monotonicNow() - begun
    this.#copies.set(name, group, copy, own, life - waited)
  }

  async drop(name: string, group: string): Promise<void> {
    this.#copies.delete(name, group)
    const store = this.#store
    if (store === undefined || this.#isClosed) return
    this.#drops.add(name, () => store.delete(name, group))
    const told = await this.#reach.ask('write', () => this.#drops.tell(name))
    if (told === undefined) this.#tellAgain()
  }

  /**
   * @returns Whether the store was told. If not, this process obeys at once and goes on telling it
   *   every second while it lives; other processes obey once it succeeds.
   */
  async invalidate(group: string): Promise<boolean> {
    this.#copies.invalidate(group)
    const store = this.#store
    if (store === undefined || this.#isClosed) return store === undefined
    this.#invalidations.add(group, () => store.invalidate(group))
    const told = await this.#reach.callAlways('write', () => this.#invalidations.tell(group))
    if (told !== undefined) return true
    this.#logger.warn(
      {},
      'cognito-m2m: the token store missed an invalidation; sending it again when the store is back',
    )
    this.#tellAgain()
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
    const reach = this.#reach
    const owner = randomUUID()
    const store = this.#store
    if (store === undefined) return this.#acquireInMemory(name, owner)
    let isSent = false
    const lock = (maxDelayMs: number): Promise<boolean> => {
      isSent = true
      return store.lock(name, owner, LOCK_TTL_MS, { maxDelayMs })
    }
    const taken = await reach.ask('write', lock, { waitMs, hasCopy: false })
    if (taken?.answer === false) return undefined
    return new RenewedLock({
      // A lock that could not be taken is taken by a renewal, unless another process has it.
      renew: async () => this.#isClosed || reach.isDown('write') || lock(RENEWAL_DELAY_MS),
      // Sent even if nobody knows whether it was taken.
      free: async () => {
        if (isSent) await reach.deliver('write', () => store.unlock(name, owner))
      },
    })
  }

  status(): StoreStatus {
    const unreadable = this.#store?.unreadable ?? 0
    return { shared: this.#isShared, degraded: this.#reach.isDegraded, unreadable }
  }

  /** Closes the store too. What is asked later finds and keeps nothing. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#telling)
    this.#copies.clear()
    const store = this.#store ?? this.#memory
    await this.#reach.callAlways('write', () => store.close())
  }

  #isUntold(name: string, group: string): boolean {
    return this.#invalidations.has(group) || this.#drops.has(name)
  }

  /** Memory fails where somebody who shares it closed it. Then nobody holds its locks. */
  async #acquireInMemory(name: string, owner: string): Promise<StoreLock | undefined> {
    const memory = this.#memory
    const lock = (): Promise<boolean> => memory.lock(name, owner, LOCK_TTL_MS)
    if (!(await lock().catch(() => true))) return undefined
    return new RenewedLock({ renew: lock, free: () => memory.unlock(name, owner) })
  }

  /** What memory has, and the last epoch of the store it knows of. */
  #copied(name: string, group: string): TimedLookup {
    const value = this.#copies.get(name, group)?.value
    const own = this.#copies.epoch(group)
    const now = this.#clock.earliest()
    if (this.#store === undefined) return { value, epoch: own, now }
    for (const [, { sharedEpoch }] of this.#copies.of(group)) {
      if (sharedEpoch !== undefined) return { value, epoch: `${own} ${sharedEpoch}`, now }
    }
    return { value, epoch: own, now }
  }

  /** What the store says, and memory is held to it. */
  #agreed({ opened, epoch }: FoundSealed, name: string, group: string, own: string): TimedLookup {
    for (const [key, { sharedEpoch, isShared }] of this.#copies.of(group)) {
      const isGone = key === name && isShared
      if (isGone || sharedEpoch !== epoch) this.#copies.delete(key, group)
    }
    const both = `${own} ${epoch}`
    const now = this.#clock.earliest()
    const copy = this.#copies.get(name, group)
    if (opened === undefined || (copy !== undefined && copy.expiresAt > opened.expiresAt)) {
      return { value: copy?.value, epoch: both, now }
    }
    const held = { ...opened, sharedEpoch: epoch, isShared: true }
    this.#copies.set(name, group, held, own, opened.expiresAt - this.#clock.latest())
    return { value: opened.value, epoch: both, now }
  }

  /** In the order it came, and no further where the store still fails. */
  #tellAgain(): void {
    this.#telling ??= setTimeout(async () => {
      const isTold =
        (await this.#tellAll(this.#invalidations)) && (await this.#tellAll(this.#drops))
      this.#telling = undefined
      if (!isTold && !this.#isClosed) this.#tellAgain()
    }, TELL_AGAIN).unref()
  }

  async #tellAll(untold: PendingWrites): Promise<boolean> {
    for (const key of untold.keys()) {
      const told = await this.#reach.callAlways('write', () => untold.tell(key))
      if (told === undefined) return false
    }
    return true
  }
}

/** Loggers that have a line about the skew: a process has one clock, and may have several stores. */
const informed = new WeakSet<Logger>()

/** @param skew Seconds by which this process is ahead of the store. */
function reportSkew(logger: Logger | undefined, skew: number): void {
  if (logger === undefined || informed.has(logger)) return
  informed.add(logger)
  const log = safeLogger(logger)
  log.warn({ skew }, 'cognito-m2m: the clocks of this process and of the token store differ')
}

/**
 * Whether two look-ups saw the same epoch. One that the store did not answer does not know the store's, and
 * knows of no invalidation either.
 */
export function isSameEpoch(one: string, other: string): boolean {
  const [[own, shared], [otherOwn, otherShared]] = [epochsIn(one), epochsIn(other)]
  const isKnown = shared !== undefined && otherShared !== undefined
  return own === otherOwn && (!isKnown || shared === otherShared)
}

/**
 * Whether a token requested in the epoch `begun` obeys all invalidations that a look-up which saw `seen` knows
 * of. A look-up that the store did not answer knows of none.
 */
export function isCurrentEpoch(begun: string, seen: string): boolean {
  const [[own, shared], [ownSeen, sharedSeen]] = [epochsIn(begun), epochsIn(seen)]
  return own === ownSeen && (sharedSeen === undefined || shared === sharedSeen)
}

/** Memory's epoch, and the shared store's where it is known. */
function epochsIn(epoch: string): readonly [string, string | undefined] {
  const space = epoch.indexOf(' ')
  return space < 0 ? [epoch, undefined] : [epoch.slice(0, space), epoch.slice(space + 1)]
}
