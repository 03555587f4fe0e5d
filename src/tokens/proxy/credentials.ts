/**
 * Client credentials that Cognito accepted, each with the names of its cache entries. The entries are deleted
 * together once Cognito rejects the secret. Records are in the store too, for other and new processes.
 */

import { BoundedMap } from '../../core/util/bounded-map.ts'
import { sleepWithJitter } from '../../core/util/time.ts'
import type { ResilientStore, StoreLock } from '../store/resilient-store.ts'
import { MAX_GROUP } from '../store/token-store.ts'

/** Key of a cached token. Its flight and lock have the same name. */
export interface CacheKey {
  readonly name: string
  readonly group: string
}

/** An app client whose secret was accepted, and the user pool of its tokens. */
export interface VerifiedClient {
  readonly clientId: string
  readonly userPoolId: string | null
}

/** An app client with one of its secrets, verified or not. */
export interface ClientCredential {
  readonly clientId: string
  /** Key of its record, in a separate group: an invalidation ends tokens, not records. */
  readonly recordKey: CacheKey
  /** Group of its cache entries. */
  readonly entryGroup: string
}

interface CredentialRecord {
  readonly userPoolId: string | null
  /** Names of entries, the newest last. */
  readonly names: readonly string[]
}

const MAX_CREDENTIALS = 10_000
/** A day, so that nightly jobs stay verified. */
const RECORD_TTL_MS = 86_400_000
/** Attempts to lock a record that another process changes, and milliseconds between them. */
const MAX_LOCK_ATTEMPTS = 10
const LOCK_POLL_MS = 20
/** Longest wait for a store that stalls, in milliseconds. No caller waits for it. */
const LOCK_WAIT_MS = 1250

/** Credentials that Cognito accepted: at most 10,000 in memory, and one record for each in a shared store. */
export class VerifiedCredentials {
  readonly #store: ResilientStore
  readonly #verified = new BoundedMap<VerifiedClient>(MAX_CREDENTIALS)

  constructor(store: ResilientStore) {
    this.#store = store
  }

  /** @returns The client, if its secret was accepted before. */
  async find({ clientId, recordKey }: ClientCredential): Promise<VerifiedClient | undefined> {
    const verified = this.#verified.get(recordKey.name)
    // No other process writes to the store, so it has no further records.
    if (verified !== undefined || !this.#store.isShared) return verified
    const { record } = await this.#read(recordKey)
    if (record === undefined) return undefined
    const client = { clientId, userPoolId: record.userPoolId }
    this.#verified.set(recordKey.name, client)
    return client
  }

  /** Adds a credential that Cognito accepted, in this process. */
  add({ clientId, recordKey }: ClientCredential, userPoolId: string | null): void {
    this.#verified.set(recordKey.name, { clientId, userPoolId })
  }

  /**
   * Adds an entry to the record of a credential. A lock admits one process at a time: with two, an entry could be lost
   * and outlive its secret.
   */
  async recordEntry(
    { recordKey }: ClientCredential,
    entry: string,
    userPoolId: string | null,
  ): Promise<void> {
    const { name, group } = recordKey
    let lock: StoreLock | undefined
    for (let attempt = 0; attempt < MAX_LOCK_ATTEMPTS && lock === undefined; attempt += 1) {
      if (attempt > 0) await sleepWithJitter(LOCK_POLL_MS)
      lock = await this.#store.acquire(name, LOCK_WAIT_MS)
    }
    const { record, epoch } = await this.#read(recordKey)
    const names = [...(record?.names ?? []).filter((it) => it !== entry), entry].slice(-MAX_GROUP)
    const value = Buffer.from(JSON.stringify({ userPoolId, names } satisfies CredentialRecord))
    await this.#store.set(name, group, { value, epoch, ttl: RECORD_TTL_MS })
    lock?.release()
  }

  /** Deletes the entries of one credential. */
  async remove({ recordKey, entryGroup }: ClientCredential): Promise<void> {
    const { record } = await this.#read(recordKey)
    this.#verified.delete(recordKey.name)
    if (record === undefined) return
    const deletions = record.names.map((name) => this.#store.delete(name, entryGroup))
    await Promise.all([...deletions, this.#store.delete(recordKey.name, recordKey.group)])
  }

  async #read({
    name,
    group,
  }: CacheKey): Promise<{ record: CredentialRecord | undefined; epoch: string }> {
    const { value, epoch } = await this.#store.get(name, group)
    return { record: value === undefined ? undefined : readRecord(value), epoch }
  }
}

/** The JSON is not validated: a store that other programs can write to is sealed. */
function readRecord(value: Uint8Array): CredentialRecord | undefined {
  try {
    return JSON.parse(Buffer.from(value).toString('utf8')) as CredentialRecord
  } catch {
    return undefined
  }
}
