/**
 * What the proxy keeps of earlier token requests: the cached token with its phase, the negative cache of refusals and
 * failures, and verified credentials. The name of a request includes the secret, so a wrong secret never delays the
 * right one.
 */
import { type JsonObject, parseStrictObject } from '../../core/token/strict-json.ts'
import { Backoff } from '../../core/util/backoff.ts'
import { BoundedMap } from '../../core/util/bounded-map.ts'
import { sleepWithJitter } from '../../core/util/time.ts'
import type { JsonResponse, TokenRequest } from '../oauth/protocol.ts'
import { phaseAt, type TokenPhase, tokenLifetime } from '../oauth/token-lifetime.ts'
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
    void lock?.release()
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

/** The form of Cognito's secrets (`ClientSecretType` of its API). */
const COGNITO_SECRET = /^[\w+]+$/

/**
 * Encodes all that a response depends on. Basic and form credentials of a secret share a token. Other texts than
 * secrets of Cognito are encoded with their method. An endpoint may form-decode the header's parts, so such a text can
 * be valid in the header and invalid in a body.
 */
export function encodeTokenIdentity(endpoint: string, request: TokenRequest): Uint8Array {
  const { authMethod, credentials, scopes, metadata } = request
  return encode([
    endpoint,
    COGNITO_SECRET.test(credentials.secret) ? null : authMethod,
    credentials.clientId,
    credentials.secret,
    // Absent, empty and listed scopes differ: null, '' and names, which contain no spaces.
    scopes === undefined ? null : scopes.join(' '),
    metadata ?? null,
  ])
}

/** Encodes an app client with one of its secrets, for all scopes: verified together, dropped together. */
export function encodeCredentialIdentity(
  endpoint: string,
  { credentials }: TokenRequest,
): Uint8Array {
  return encode([endpoint, credentials.clientId, credentials.secret])
}

function encode(parts: readonly (string | null)[]): Uint8Array {
  return Buffer.from(JSON.stringify(parts))
}

/** A token that was issued once and may be served again. */
export interface TokenEntry {
  /** When the token request was sent, in milliseconds, by the clock that dates entries. Never after Cognito issued it. */
  readonly requestedAt: number
  /** Lifetime of the token in seconds: `expires_in` of the response. */
  readonly lifetime: number
  /** The user pool that issued it. Null if the token has no such `iss`. */
  readonly userPoolId: string | null
  /** JSON of the response up to `expires_in`, which is computed again for each caller. */
  readonly text: string
}

/** When a cached token is replaced. Seconds. */
export interface EntryLimits {
  readonly minRemaining: number
  readonly maxAge: number
}

/** A token, and the whole seconds until it expires. */
export interface ServedToken {
  readonly entry: TokenEntry
  readonly secondsLeft: number
}

/** A cached token that may be served at the moment. */
export interface CachedToken extends ServedToken {
  readonly phase: Exclude<TokenPhase, 'ended'>
}

/** Milliseconds the wall clocks of two machines may differ. An entry dated further ahead is not served. */
const MAX_SKEW_MS = 60_000
/** Seconds: the longest lifetime that Cognito allows. */
const MAX_LIFETIME = 86_400
const TOKEN = /^[\x21-\x7e]{1,65536}$/
const VERSION = '1'

/**
 * Reads a response with status 200: a bearer token with a lifetime of at least a second (RFC 6749 section 5.1).
 *
 * @param requestedAt Milliseconds, or NaN if the clock failed.
 * @returns Undefined for anything else, which must be neither served nor cached.
 */
export function readEntry(body: JsonObject, requestedAt: number): TokenEntry | undefined {
  const { access_token, expires_in, token_type, ...others } = body
  if (typeof access_token !== 'string' || !TOKEN.test(access_token)) return undefined
  if (typeof token_type !== 'string' || !/^bearer$/i.test(token_type)) return undefined
  if (typeof expires_in !== 'number' || !(expires_in >= 1)) return undefined
  const text = JSON.stringify({ access_token, token_type, ...others }).slice(0, -1)
  const cappedLifetime = Math.min(MAX_LIFETIME, Math.floor(expires_in))
  return { requestedAt, lifetime: cappedLifetime, userPoolId: readUserPoolId(access_token), text }
}

/** Encodes an entry for a store: one line of metadata, then the JSON. */
export function encodeEntry({ requestedAt, lifetime, userPoolId, text }: TokenEntry): Uint8Array {
  return Buffer.from(`${VERSION} ${requestedAt} ${lifetime} ${userPoolId ?? ''}\n${text}`)
}

/** @returns Undefined for an entry of another format version. */
export function decodeEntry(bytes: Uint8Array): TokenEntry | undefined {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  const end = all.indexOf('\n')
  const [version, requestedAt, lifetime, userPoolId] = all.slice(0, end).split(' ')
  if (version !== VERSION || userPoolId === undefined) return undefined
  return {
    requestedAt: Number(requestedAt),
    lifetime: Number(lifetime),
    userPoolId: userPoolId === '' ? null : userPoolId,
    text: all.slice(end + 1),
  }
}

/** Milliseconds since the token request. NaN if the clock failed or shows a much earlier time. */
function getAgeMs({ requestedAt }: TokenEntry, now: number): number {
  const age = now - requestedAt
  return age >= -MAX_SKEW_MS ? Math.max(0, age) : Number.NaN
}

/**
 * Computes phase and remaining lifetime of an entry.
 *
 * @param now Time of the clock that dated the entry, in milliseconds. NaN if it failed.
 * @returns Undefined if the entry must not be served any more.
 */
export function toCachedToken(
  entry: TokenEntry,
  now: number,
  limits: EntryLimits,
): CachedToken | undefined {
  const age = getAgeMs(entry, now)
  const lifetime = tokenLifetime({
    lifetimeMs: 1000 * entry.lifetime,
    minRemainingMs: 1000 * limits.minRemaining,
    maxAgeMs: 1000 * limits.maxAge,
  })
  const phase = phaseAt(lifetime, age)
  if (phase === 'ended') return undefined
  return { entry, phase, secondsLeft: Math.floor(entry.lifetime - age / 1000) }
}

/** Milliseconds until an entry must be gone from every store. NaN if the clock failed. */
export function getTtlMs(entry: TokenEntry, now: number, { maxAge }: EntryLimits): number {
  return Math.ceil(1000 * Math.min(entry.lifetime, maxAge) - getAgeMs(entry, now))
}

/** The response body, with the remaining seconds as `expires_in`. */
export function writeTokenBody({ entry, secondsLeft }: ServedToken): string {
  return `${entry.text},"expires_in":${secondsLeft}}`
}

/** The last segment of `iss`, unverified. Null without the `iss` of a user pool. */
function readUserPoolId(token: string): string | null {
  const [, payload = ''] = token.split('.')
  const { iss } = parseStrictObject(Buffer.from(payload, 'base64url')) ?? {}
  if (typeof iss !== 'string') return null
  return /\/([\w-]{1,55}_[0-9A-Za-z]{1,64})$/.exec(iss)?.[1] ?? null
}

/** A rejection by Cognito, with the response for the caller. */
export interface Refusal {
  readonly kind: 'refused'
  readonly response: JsonResponse
  /** `error` of RFC 6749 section 5.2. */
  readonly error: string
  /** The client, if its secret was accepted before. */
  readonly client: VerifiedClient | undefined
}

/** Scope of a failure: with `endpoint`, every token request would have failed. */
export type FailureCause = 'endpoint' | 'request'

/** A failure of Cognito, for this caller and later ones. */
export interface UpstreamError {
  readonly cause: FailureCause
  /** Repeats the response, with the remaining seconds of the backoff. */
  readonly createResponse: (seconds: number) => JsonResponse
  /** Seconds of Cognito's `Retry-After`. */
  readonly retryAfter: number | undefined
}

/** A failed token request. */
interface FailedRequest extends UpstreamError {
  /** The client, if its secret was accepted before. */
  readonly client: VerifiedClient | undefined
}

/** Milliseconds: for this long, a new secret or a newly granted scope may still be rejected. */
const REFUSAL_TTL_MS = 10_000
/** Longest backoff of one name without Retry-After, in milliseconds. */
const MAX_BACKOFF_MS = 30_000
/** Beyond it the oldest entry is dropped: its next request goes to Cognito. */
const MAX_ENTRIES = 10_000
/** Characters of a refusal's body. Bodies of Cognito have about 30. Longer ones would fill the memory. */
const MAX_BODY_LENGTH = 2048

interface FailureEntry {
  readonly backoff: Backoff
  failure: FailedRequest
  /** Of the last failure; see {@link NegativeCache.endOutageBackoffs}. */
  generation: number
}

/** Refusals and failures by the name of a token request: at most 10,000 of each, the oldest dropped first. */
export class NegativeCache {
  readonly #refusals = new BoundedMap<{ readonly refusal: Refusal; readonly until: number }>(
    MAX_ENTRIES,
  )
  readonly #failures = new BoundedMap<FailureEntry>(MAX_ENTRIES)
  readonly #monotonicNow: () => number
  #generation = 0

  /** @param monotonicNow Milliseconds. */
  constructor(monotonicNow: () => number) {
    this.#monotonicNow = monotonicNow
  }

  findRefusal(name: string): Refusal | undefined {
    const entry = this.#refusals.get(name)
    if (entry === undefined) return undefined
    if (this.#monotonicNow() < entry.until) return entry.refusal
    this.#refusals.delete(name)
    return undefined
  }

  addRefusal(name: string, refusal: Refusal): void {
    this.#failures.delete(name)
    if (refusal.response.body.length > MAX_BODY_LENGTH) return
    this.#refusals.set(name, { refusal, until: this.#monotonicNow() + REFUSAL_TTL_MS })
  }

  /** @returns The failure whose backoff has not ended, with its remaining seconds. */
  findFailure(
    name: string,
  ): { readonly failure: FailedRequest; readonly seconds: number } | undefined {
    const entry = this.#failures.get(name)
    if (entry === undefined || this.#hasRecovered(entry)) return undefined
    const leftMs = entry.backoff.until - this.#monotonicNow()
    // While the clock fails, there is no backoff: the request goes to Cognito.
    return leftMs > 0 ? { failure: entry.failure, seconds: leftMs / 1000 } : undefined
  }

  /** @returns Seconds until the backoff of the name ends. */
  addFailure(name: string, failure: FailedRequest): number {
    const entry = this.#failures.get(name)
    const backoff =
      entry === undefined || this.#hasRecovered(entry) ? new Backoff(MAX_BACKOFF_MS) : entry.backoff
    const now = this.#monotonicNow()
    backoff.failed(now, failure.retryAfter)
    this.#failures.set(name, { backoff, failure, generation: this.#generation })
    return (backoff.until - now) / 1000
  }

  deleteFailure(name: string): void {
    this.#failures.delete(name)
  }

  /** Ends every backoff that an outage caused, once the endpoint has recovered. */
  endOutageBackoffs(): void {
    this.#generation += 1
  }

  #hasRecovered({ failure, generation }: FailureEntry): boolean {
    return failure.cause === 'endpoint' && generation !== this.#generation
  }
}
