/** Shares tokens between processes with the same store and secret: one of them sends the token request. */
import { hkdfSync, randomUUID } from 'node:crypto'
import { phaseAt, tokenLifetime } from '../oauth/token-lifetime.ts'
import { ResilientStore, type StoreStatus, type TimedLookup } from '../store/resilient-store.ts'
import type { TokenStore } from '../store/token-store.ts'
import type { ClientOptions } from './options.ts'
import type { Grant, RequestedToken } from './token-request.ts'

/** Milliseconds to wait for a stalled store. Without the store, each process sends its own token request. */
const STALL_WAIT_MS = 1500
/** Lookups of the token that another process requests, about 5 s together. Then this process requests it. */
const MAX_LOOKUPS = 66
/** Milliseconds between two lookups. They are random, so that processes do not query the store in step. */
const MIN_INTERVAL_MS = 50
const MAX_INTERVAL_MS = 99
/**
 * Milliseconds that the clocks of two machines may differ if the store has no clock. A token issued later than
 * that in the future is rejected, because its age is unknown.
 */
const MAX_SKEW_MS = 60_000

/** Format of the entries. It is part of the key derivation, so that another format has other keys. */
const FORMAT = 'cognito-m2m/client 3'

/** A token in the store. `issuedAt` is a time of the store's clock: the clock of Redis for Redis. */
interface StoredGrant {
  readonly accessToken: string
  readonly scopes: readonly string[]
  /** Lifetime in milliseconds. A rename needs another {@link FORMAT}. */
  readonly life: number
  /** Epoch milliseconds. */
  readonly issuedAt: number
}

/** Options of a token client that has a store. */
export interface SharedTokensOptions extends ClientOptions {
  readonly store: TokenStore
  /** Monotonic milliseconds. */
  readonly elapsed: () => number
}

/** One token to find in the store or to request. */
export interface SharedTokenRequest {
  readonly secret: string
  readonly requested: RequestedToken
  /** The token to replace. An entry with this token is ignored. */
  readonly previousToken: string | undefined
  /** Sends the token request. */
  readonly request: () => Promise<Grant>
}

/** Single-flight across processes by a lock in the store. `ResilientStore` limits each wait for the store. */
export class SharedTokens {
  readonly #options: SharedTokensOptions
  readonly #sleep: (milliseconds: number) => Promise<void>
  #current: { readonly secret: string; readonly store: ResilientStore } | undefined

  /** @throws {OptionError} `ERR_OPTION_INVALID` for an invalid store. */
  constructor(options: SharedTokensOptions, sleep: (milliseconds: number) => Promise<void>) {
    this.#options = options
    this.#sleep = sleep
    // Validates the store at once. A random secret replaces the one that a function returns later.
    const { clientSecret } = options
    this.#storeFor(typeof clientSecret === 'string' ? clientSecret : randomUUID())
  }

  /** Returns a token that another process stored, or requests one and stores it. */
  async obtain({ secret, requested, previousToken, request }: SharedTokenRequest): Promise<Grant> {
    const { api, clientId, elapsed } = this.#options
    const { scopes, metadata } = requested
    const store = this.#storeFor(secret)
    const identity = [api.url, clientId, secret, scopes ?? null, metadata ?? null]
    const name = store.deriveName(Buffer.from(JSON.stringify(identity)))
    const group = store.deriveGroup(clientId)
    const requestAndStore = async ({ epoch, now }: TimedLookup): Promise<Grant> => {
      const lookedUpAt = elapsed()
      const grant = await request()
      const { accessToken, scopes, lifetimeMs, startedAt } = grant
      const issuedAt = now + startedAt - lookedUpAt
      const stored: StoredGrant = { accessToken, scopes, life: lifetimeMs, issuedAt }
      const value = Buffer.from(JSON.stringify(stored))
      const ttl = lifetimeMs - (elapsed() - startedAt)
      await store.set(name, group, { value, epoch, ttl })
      return grant
    }
    for (let lookup = 0; lookup < MAX_LOOKUPS; lookup += 1) {
      const lock = await store.acquire(name, STALL_WAIT_MS)
      try {
        const found = await store.get(name, group, STALL_WAIT_MS)
        const shared = this.#read(found)
        if (shared !== undefined && shared.accessToken !== previousToken) return shared
        if (lock !== undefined) return await requestAndStore(found)
      } finally {
        void lock?.release()
      }
      await this.#sleep(MIN_INTERVAL_MS + Math.random() * (MAX_INTERVAL_MS - MIN_INTERVAL_MS))
    }
    return requestAndStore(await store.get(name, group))
  }

  /** The status of the store that belongs to the current secret. */
  status(): StoreStatus {
    return (this.#current as { readonly store: ResilientStore }).store.status()
  }

  /** Each secret has its own keys: entries and locks of a rotated secret cannot be read with the new one. */
  #storeFor(secret: string): ResilientStore {
    if (this.#current?.secret !== secret) {
      const { store, logger, now, monotonicNow } = this.#options
      const encryptionKeys = store.shared ? [deriveKey(secret)] : undefined
      const resilient = new ResilientStore({ store, encryptionKeys, logger, now, monotonicNow })
      this.#current = { secret, store: resilient }
    }
    return this.#current.store
  }

  /** Needs no validation: only a client with the same secret and {@link FORMAT} can have sealed the entry. */
  #read({ value, now: storeNow }: TimedLookup): Grant | undefined {
    if (value === undefined) return undefined
    const stored = JSON.parse(Buffer.from(value).toString('utf8')) as StoredGrant
    const ageMs = storeNow - stored.issuedAt
    const lifetime = tokenLifetime({ lifetimeMs: stored.life })
    if (!(ageMs >= -MAX_SKEW_MS) || phaseAt(lifetime, ageMs) === 'ended') return undefined
    const { elapsed, now } = this.#options
    const spentMs = Math.max(0, ageMs)
    return {
      accessToken: stored.accessToken,
      scopes: stored.scopes,
      lifetimeMs: stored.life,
      startedAt: elapsed() - spentMs,
      issuedAt: now() - spentMs,
      isShared: true,
    }
  }
}

/** HKDF of the client secret. Anyone with the secret can request tokens, so the key gives no further access. */
function deriveKey(secret: string): { readonly id: string; readonly key: Uint8Array } {
  const derive = (purpose: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, '', `${FORMAT} ${purpose}`, length))
  return { id: derive('key id', 6).toString('hex'), key: derive('key', 32) }
}
