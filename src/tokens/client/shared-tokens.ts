/** Tokens that processes with one store and one secret share: one of them asks, the others find. */
import { hkdfSync, randomUUID } from 'node:crypto'
import { phaseAt, tokenLifetime } from '../oauth/token-lifetime.ts'
import { ResilientStore, type StoreStatus, type TimedLookup } from '../store/resilient-store.ts'
import type { TokenStore } from '../store/token-store.ts'
import type { ClientOptions } from './options.ts'
import type { Grant } from './token-request.ts'

/** Milliseconds to wait for a store that stalls: going on without it repeats the requests of other processes. */
const STALL_WAIT_MS = 1500
/** Looks for what another process asked for, before asking oneself: 5 s together. */
const MAX_LOOKUPS = 66
/** Milliseconds between two looks, drawn so that processes do not look in step. */
const MIN_INTERVAL_MS = 50
const MAX_INTERVAL_MS = 99
/**
 * Milliseconds the clocks of two machines may differ, where the store has none of its own: a token from later
 * than that would be older than it looks.
 */
const MAX_SKEW_MS = 60_000

/** What entries are; another form of them has another name, and with it other keys. */
const FORMAT = 'cognito-m2m/client 2'

/** What is in the store: `issuedAt` is by the clock that dates entries, Redis's own where the store is Redis. */
type SharedGrant = Omit<Grant, 'begunAt' | 'isShared'>

/** What is needed of a client. */
export interface SharedTokensOptions extends ClientOptions {
  readonly store: TokenStore
  /** Milliseconds that never run back. */
  readonly elapsed: () => number
}

/** One question. */
export interface SharedTokenRequest {
  readonly secret: string
  readonly scopes: readonly string[] | undefined
  /** A token that is not wanted again. */
  readonly previousToken: string | undefined
  readonly request: () => Promise<Grant>
}

/** Requests each token once for all processes of a store. `ResilientStore` bounds each wait for the store. */
export class SharedTokens {
  readonly #options: SharedTokensOptions
  readonly #sleep: (milliseconds: number) => Promise<void>
  #current: { readonly secret: string; readonly store: ResilientStore } | undefined

  /** @throws {OptionError} `ERR_OPTION_INVALID` for a store that is none. */
  constructor(options: SharedTokensOptions, wait: (milliseconds: number) => Promise<void>) {
    this.#options = options
    this.#sleep = wait
    // A secret that has to be asked for is not known yet; whether the store is one, is.
    const { clientSecret } = options
    this.#storeFor(typeof clientSecret === 'string' ? clientSecret : randomUUID())
  }

  /** A token another process put there, else one's own, for the others to find. */
  async obtain({ secret, scopes, previousToken, request }: SharedTokenRequest): Promise<Grant> {
    const { tokenEndpoint, clientId, elapsed } = this.#options
    const store = this.#storeFor(secret)
    const identity = [tokenEndpoint, clientId, secret, scopes ?? null]
    const name = store.deriveName(Buffer.from(JSON.stringify(identity)))
    const group = store.deriveGroup(clientId)
    const requestAndStore = async ({ epoch, now }: TimedLookup): Promise<Grant> => {
      const foundAt = elapsed()
      const grant = await request()
      const { accessToken, scopes, life, begunAt } = grant
      const issuedAt = now + begunAt - foundAt
      const shared: SharedGrant = { accessToken, scopes, life, issuedAt }
      const value = Buffer.from(JSON.stringify(shared))
      await store.set(name, group, { value, epoch, ttl: life - (elapsed() - begunAt) })
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
        lock?.release()
      }
      await this.#sleep(MIN_INTERVAL_MS + Math.random() * (MAX_INTERVAL_MS - MIN_INTERVAL_MS))
    }
    return requestAndStore(await store.get(name, group))
  }

  /** Of the store under the secret in use. */
  status(): StoreStatus {
    return (this.#current as { readonly store: ResilientStore }).store.status()
  }

  /** Another secret has other keys: entries and locks of the old one are out of reach with it. */
  #storeFor(secret: string): ResilientStore {
    if (this.#current?.secret !== secret) {
      const { store, logger, now, monotonicNow } = this.#options
      const encryptionKeys = store.shared ? [deriveKey(secret)] : undefined
      const resilient = new ResilientStore({ store, encryptionKeys, logger, now, monotonicNow })
      this.#current = { secret, store: resilient }
    }
    return this.#current.store
  }

  /** Only a client with the same secret and {@link FORMAT} can have stored it, so its form is known. */
  #read({ value, now: found }: TimedLookup): Grant | undefined {
    if (value === undefined) return undefined
    const shared = JSON.parse(Buffer.from(value).toString('utf8')) as SharedGrant
    const age = found - shared.issuedAt
    if (!(age >= -MAX_SKEW_MS) || phaseAt(tokenLifetime({ lifeMs: shared.life }), age) === 'ended')
      return undefined
    const { elapsed, now } = this.#options
    const spent = Math.max(0, age)
    return { ...shared, begunAt: elapsed() - spent, issuedAt: now() - spent, isShared: true }
  }
}

/** Whoever knows the secret can have tokens, so a key made of it opens nothing new to anybody. */
function deriveKey(secret: string): { readonly id: string; readonly key: Uint8Array } {
  const derived = (what: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, '', `${FORMAT} ${what}`, length))
  return { id: derived('key id', 6).toString('hex'), key: derived('key', 32) }
}
