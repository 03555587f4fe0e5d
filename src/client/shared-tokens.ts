/** Tokens that processes with one store and one secret share: one of them asks, the others find. */
import { hkdfSync, randomUUID } from 'node:crypto'
import { phaseAt } from '../oauth/token-lifetime.ts'
import { SteadyStore, type StoreStatus } from '../store/steady-store.ts'
import type { Found, TokenStore } from '../store/token-store.ts'
import type { ClientOptions } from './client-options.ts'
import { lifetimeOf } from './held-token.ts'
import type { Grant } from './token-request.ts'

/** Milliseconds a process may ask before others take its place: longer than its tries take. */
const LOCK = 20_000
/** Looks for what another process asked for, 50 to 150 ms apart, before asking oneself. */
const LOOKS = 50
/** Milliseconds the clocks of two machines may differ: a token from later than that would be older than it looks. */
const MAX_SKEW = 60_000

/** What entries are; another form of them has another name, and with it other keys. */
const FORM = 'cognito-m2m/client 1'

/** What is in the store: when the token was requested is told by the wall clock. */
type SharedGrant = Omit<Grant, 'begunAt' | 'isShared'>

/** What is needed of a client. */
export interface SharedTokensOptions extends ClientOptions {
  readonly store: TokenStore
  /** Milliseconds that never run back. */
  readonly elapsed: () => number
}

/** One question. */
export interface SharedQuestion {
  readonly secret: string
  readonly scopes: readonly string[] | undefined
  /** A token that is not wanted again. */
  readonly held: string | undefined
  readonly ask: () => Promise<Grant>
}

/** See the module. The store never fails and is never slow: that is `SteadyStore`'s part. */
export class SharedTokens {
  readonly #options: SharedTokensOptions
  readonly #wait: (milliseconds: number) => Promise<void>
  #sealed: { readonly secret: string; readonly store: SteadyStore } | undefined

  /** @throws {OptionError} `ERR_OPTION_INVALID` for a store that is none. */
  constructor(options: SharedTokensOptions, wait: (milliseconds: number) => Promise<void>) {
    this.#options = options
    this.#wait = wait
    // A secret that has to be asked for is not known yet; whether the store is one, is.
    const { clientSecret } = options
    this.#storeFor(typeof clientSecret === 'string' ? clientSecret : randomUUID())
  }

  /** A token another process put there, else one's own, for the others to find. */
  async obtain({ secret, scopes, held, ask }: SharedQuestion): Promise<Grant> {
    const { tokenEndpoint, clientId } = this.#options
    const store = this.#storeFor(secret)
    const identity = [tokenEndpoint, clientId, secret, scopes ?? null]
    const name = store.name(Buffer.from(JSON.stringify(identity)))
    const group = store.group(clientId)
    const owner = randomUUID()
    const asking = async ({ epoch }: Found): Promise<Grant> => {
      const grant = await ask()
      const { begunAt, isShared, ...shared } = grant
      const value = Buffer.from(JSON.stringify(shared satisfies SharedGrant))
      const ttl = grant.life - (this.#options.elapsed() - begunAt)
      await store.keep(name, group, { value, epoch, ttl })
      return grant
    }
    for (let looks = 0; looks < LOOKS; looks += 1) {
      const locked = await store.lock(name, owner, LOCK)
      try {
        const found = await store.find(name, group)
        const theirs = this.#read(found.value)
        if (theirs !== undefined && theirs.accessToken !== held) return theirs
        if (locked) return await asking(found)
      } finally {
        if (locked) await store.unlock(name, owner)
      }
      await this.#wait(50 + Math.random() * 100)
    }
    return asking(await store.find(name, group))
  }

  /** Of the store under the secret in use. */
  status(): StoreStatus {
    return (this.#sealed as { readonly store: SteadyStore }).store.status()
  }

  /** Another secret has other keys: entries and locks of the old one are out of reach with it. */
  #storeFor(secret: string): SteadyStore {
    if (this.#sealed?.secret !== secret) {
      const { store, logger, now, monotonicNow } = this.#options
      const encryptionKeys = store.shared ? [keyFrom(secret)] : undefined
      const steady = new SteadyStore({ store, encryptionKeys, logger, now, monotonicNow })
      this.#sealed = { secret, store: steady }
    }
    return this.#sealed.store
  }

  /** Only a client with the same secret and {@link FORM} can have put it there: its form is ours. */
  #read(value: Uint8Array | undefined): Grant | undefined {
    if (value === undefined) return undefined
    const grant = JSON.parse(Buffer.from(value).toString('utf8')) as SharedGrant
    const age = this.#options.now() - grant.issuedAt
    if (!(age >= -MAX_SKEW) || phaseAt(lifetimeOf(grant.life), age) === 'ended') return undefined
    return { ...grant, begunAt: this.#options.elapsed() - Math.max(0, age), isShared: true }
  }
}

/** Whoever knows the secret can have tokens, so a key made of it opens nothing new to anybody. */
function keyFrom(secret: string): { readonly id: string; readonly key: Uint8Array } {
  const derived = (what: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, '', `${FORM} ${what}`, length))
  return { id: derived('key id', 6).toString('hex'), key: derived('key', 32) }
}
