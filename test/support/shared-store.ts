/** Set-up of the store tests: a shared store with faults, and the stores of several processes over it. */
import { randomBytes } from 'node:crypto'
import { mock } from 'node:test'
import type { Test } from 'tap'
import type { Logger } from '../../src/core/options/logger.ts'
import type { EncryptionKey } from '../../src/tokens/store/encryption-keys.ts'
import { memoryStore } from '../../src/tokens/store/memory-store.ts'
import { ResilientStore, type StoreLock } from '../../src/tokens/store/resilient-store.ts'
import type { StoreEntry, StoreLookup, TokenStore } from '../../src/tokens/store/token-store.ts'
import { settle } from './client.ts'

export const NOW = Date.UTC(2026, 0, 1)
export const KEY: EncryptionKey = { id: '2026-01', key: randomBytes(32).toString('base64') }

/** How a store fails: it rejects, throws, never responds, rejects writes, or stalls until it resumes. */
export type Fault = 'rejects' | 'throws' | 'hangs' | 'is full' | 'stalls' | undefined

/** Clocks that are set by hand, milliseconds. */
export class Clock {
  wall = NOW
  monotonic = 0
  readonly now = (): number => this.wall
  readonly monotonicNow = (): number => this.monotonic
  readonly options = { now: this.now, monotonicNow: this.monotonicNow }

  pass(milliseconds: number): void {
    this.wall += milliseconds
    this.monotonic += milliseconds
  }
}

/** Milliseconds a caller waits for a store that stalls. */
export const WAIT = 1250

/** A store of several processes, which records its commands. */
export class SharedStore implements TokenStore {
  readonly shared = true
  readonly #store: TokenStore
  fault: Fault
  /** Whether lookups return the time of the store. */
  hasClock = true
  readonly commands: string[] = []
  readonly #stalled: (() => void)[] = []
  /** The stored values, by key. */
  readonly values = new Map<string, Uint8Array>()

  constructor(clock: Clock) {
    this.#store = memoryStore(clock.options)
  }

  get(key: string, group: string): Promise<StoreLookup> {
    return this.#fail('get', async () => {
      const { now, ...found } = await this.#store.get(key, group)
      return this.hasClock ? { ...found, now } : found
    })
  }

  set(key: string, group: string, entry: StoreEntry): Promise<boolean> {
    return this.#fail('set', () => {
      this.values.set(key, entry.value)
      return this.#store.set(key, group, entry)
    })
  }

  delete(key: string, group: string): Promise<void> {
    return this.#fail('delete', () => this.#store.delete(key, group))
  }

  invalidate(group: string): Promise<void> {
    return this.#fail('invalidate', () => this.#store.invalidate(group))
  }

  lock(key: string, owner: string, ttl: number): Promise<boolean> {
    return this.#fail('lock', () => this.#store.lock(key, owner, ttl))
  }

  unlock(key: string, owner: string): Promise<void> {
    return this.#fail('unlock', () => this.#store.unlock(key, owner))
  }

  close(): Promise<void> {
    return this.#fail('close', async () => {})
  }

  /** Executes in order the commands that arrived while it stalled. */
  resume(): void {
    this.fault = undefined
    for (const execute of this.#stalled.splice(0)) execute()
  }

  #fail<Answer>(command: string, work: () => Promise<Answer>): Promise<Answer> {
    this.commands.push(command)
    const error = Object.assign(new Error('secret inside'), { code: 'ECONNREFUSED' })
    if (this.fault === 'throws') throw error
    if (this.fault === 'hangs') return new Promise(() => {})
    if (this.fault === 'stalls') {
      return new Promise((resolve, reject) => {
        this.#stalled.push(() => work().then(resolve, reject))
      })
    }
    if (this.fault === 'is full' && command !== 'get') {
      return Promise.reject(new Error("OOM command not allowed when used memory > 'maxmemory'"))
    }
    return this.fault === 'rejects' ? Promise.reject(error) : work()
  }
}

/** Passes all calls to a store, except for the members of `overrides`. */
export function wrapStore(
  store: TokenStore,
  overrides: Partial<TokenStore>,
): { -readonly [Member in keyof TokenStore]: TokenStore[Member] } {
  return {
    shared: store.shared,
    get: (...args) => store.get(...args),
    set: (...args) => store.set(...args),
    delete: (...args) => store.delete(...args),
    invalidate: (...args) => store.invalidate(...args),
    lock: (...args) => store.lock(...args),
    unlock: (...args) => store.unlock(...args),
    close: () => store.close(),
    ...overrides,
  }
}

/** A logger that records its lines. */
export function recorder(): { readonly lines: string[]; readonly logger: Logger } {
  const lines: string[] = []
  const write =
    (level: string) =>
    (details: object, message: string): void => {
      lines.push(`${level} ${message} ${JSON.stringify(details)}`)
    }
  return { lines, logger: { info: write('info'), warn: write('warn'), error: write('error') } }
}

export interface Process {
  readonly store: ResilientStore
  readonly lines: string[]
}

/** The store of one process. */
export function process(
  store: TokenStore,
  clock: Clock,
  encryptionKeys: readonly EncryptionKey[] = [KEY],
): Process {
  const { lines, logger } = recorder()
  return { store: new ResilientStore({ store, encryptionKeys, logger, ...clock.options }), lines }
}

export const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString()

/** Looks up an entry, and stores `value` if there is none. */
export async function fill(
  store: ResilientStore,
  name: string,
  group: string,
  value: string,
  ttl = 3_600_000,
): Promise<string | undefined> {
  const found = await store.get(name, group)
  if (found.value !== undefined) return text(found.value)
  await store.set(name, group, { value: Buffer.from(value), epoch: found.epoch, ttl })
  return undefined
}

export const found = async (
  store: ResilientStore,
  name: string,
  group: string,
): Promise<string | undefined> => text((await store.get(name, group)).value)

/** Acquires a lock that was released a moment ago, without waiting for the release. Bounded. */
export async function acquireReleased(store: ResilientStore, name: string): Promise<StoreLock> {
  for (let turn = 0; turn < 1000; turn += 1) {
    const lock = await store.acquire(name, WAIT)
    if (lock !== undefined) return lock
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('The lock was not released')
}

/** A shared store whose clock and timers, and those of its processes, are advanced by `pass`. */
export function setUpTimedStore(t: Test) {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  t.teardown(() => mock.timers.reset())
  const clock = new Clock()
  return {
    clock,
    shared: new SharedStore(clock),
    async pass(milliseconds: number): Promise<void> {
      await settle()
      clock.pass(milliseconds)
      mock.timers.tick(milliseconds)
      await settle()
    },
  }
}
