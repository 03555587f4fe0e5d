/**
 * Pairs of app client and secret that Cognito took: who they are, and which entries are theirs, so
 * that they go together once it takes the pair no longer. Kept in the store too, for processes that
 * share one and for those that were just started.
 */

import { pause } from '../../core/util/async.ts'
import { BoundedMap } from '../../core/util/bounded-map.ts'
import type { ResilientStore } from '../store/resilient-store.ts'
import type { StoreLock } from '../store/store-lock.ts'
import { MAX_GROUP } from '../store/token-store.ts'
import type { CacheKey } from './request.ts'

/** Whose secret was proven, and by the tokens of which pool. */
export interface Proof {
  readonly clientId: string
  readonly userPoolId: string | null
}

/** A pair, proven or not. */
export interface Pair {
  readonly clientId: string
  /** Where its record is kept, in a group of its own: an invalidation ends tokens, not proofs. */
  readonly record: CacheKey
  /** The group of its entries. */
  readonly entries: string
}

interface PairRecord {
  readonly userPoolId: string | null
  /** Names of entries, the newest last. */
  readonly names: readonly string[]
}

const MAX_PAIRS = 10_000
/** Milliseconds a proof outlives the last token: a day, so that nightly jobs stay proven. */
const PROOF_TTL = 86_400_000
/** How often a change of a record is tried, milliseconds apart, while another process makes one. */
const CHANGE_TRIES = 10
const CHANGE_PAUSE = 20
/** Longest wait for a store that stalls, in milliseconds. No caller waits for it. */
const CHANGE_WAIT = 1250

/** See the module. */
export class Pairs {
  readonly #store: ResilientStore
  readonly #proven = new BoundedMap<Proof>(MAX_PAIRS)

  constructor(store: ResilientStore) {
    this.#store = store
  }

  /** The proof of a pair, if there is one. */
  async proofOf({ clientId, record }: Pair): Promise<Proof | undefined> {
    const known = this.#proven.get(record.name)
    // Where nobody else writes to the store, it knows no more than we do.
    if (known !== undefined || !this.#store.status().shared) return known
    const read = await this.#read(record)
    if (read.record === undefined) return undefined
    const proof = { clientId, userPoolId: read.record.userPoolId }
    this.#proven.set(record.name, proof)
    return proof
  }

  prove({ clientId, record }: Pair, userPoolId: string | null): void {
    this.#proven.set(record.name, { clientId, userPoolId })
  }

  /**
   * Adds an entry to the pair's record. One process at a time: two that wrote at once would lose an
   * entry, and it would outlive its secret.
   */
  async remember({ record }: Pair, entry: string, userPoolId: string | null): Promise<void> {
    const { name, group } = record
    let lock: StoreLock | undefined
    for (let tries = 0; tries < CHANGE_TRIES && lock === undefined; tries += 1) {
      if (tries > 0) await pause(CHANGE_PAUSE)
      lock = await this.#store.acquire(name, CHANGE_WAIT)
    }
    const { record: read, epoch } = await this.#read(record)
    const names = [...(read?.names ?? []).filter((it) => it !== entry), entry].slice(-MAX_GROUP)
    const value = Buffer.from(JSON.stringify({ userPoolId, names } satisfies PairRecord))
    await this.#store.keep(name, group, { value, epoch, ttl: PROOF_TTL })
    lock?.release()
  }

  /** Drops the pair's entries, and no other's. */
  async forget({ record, entries }: Pair): Promise<void> {
    const { record: read } = await this.#read(record)
    this.#proven.delete(record.name)
    if (read === undefined) return
    const drops = read.names.map((name) => this.#store.drop(name, entries))
    await Promise.all([...drops, this.#store.drop(record.name, record.group)])
  }

  async #read({
    name,
    group,
  }: CacheKey): Promise<{ record: PairRecord | undefined; epoch: string }> {
    const { value, epoch } = await this.#store.find(name, group)
    return { record: value === undefined ? undefined : readRecord(value), epoch }
  }
}

/** What is there was written by us: a store that others could write to without a key is sealed. */
function readRecord(value: Uint8Array): PairRecord | undefined {
  try {
    return JSON.parse(Buffer.from(value).toString('utf8')) as PairRecord
  } catch {
    return undefined
  }
}
