/** Has tokens: the secret, the request, another try, and another secret where the first was refused. */
import { setMaxListeners } from 'node:events'
import type { StoreStatus } from '../store/resilient-store.ts'
import { ClientSecret } from './client-secret.ts'
import { TokenClientError } from './errors.ts'
import type { ClientOptions } from './options.ts'
import { retrying } from './retrying.ts'
import { SharedTokens } from './shared-tokens.ts'
import { type Grant, requestToken, type TokenRequester } from './token-request.ts'
import { waitOpen } from './wait.ts'

/** See the module. */
export class TokenSource {
  readonly #requester: TokenRequester
  readonly #secret: ClientSecret
  readonly #shared: SharedTokens | undefined
  readonly #closed = new AbortController()
  readonly #wait = (milliseconds: number): Promise<void> =>
    waitOpen(milliseconds, this.#closed.signal)

  /** @throws {OptionError} `ERR_OPTION_INVALID` for a store that is none. */
  constructor(options: ClientOptions, elapsed: () => number) {
    this.#requester = { ...options, elapsed }
    // Every scope set's request listens: no leak.
    setMaxListeners(0, this.#closed.signal)
    this.#secret = new ClientSecret(options.clientSecret, elapsed)
    const { store } = options
    this.#shared =
      store === undefined ? undefined : new SharedTokens({ ...options, store, elapsed }, this.#wait)
  }

  /** Aborted once the client is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** @returns Undefined without a store. */
  storeStatus(): StoreStatus | undefined {
    return this.#shared?.status()
  }

  /** Ends requests and waiting; what is asked later is refused. */
  close(): void {
    this.#closed.abort()
  }

  /**
   * @param held A token that is not wanted again.
   * @throws {TokenClientError} as a rejection, and nothing else.
   */
  async obtain(scopes: readonly string[] | undefined, held: string | undefined): Promise<Grant> {
    const secret = await this.#secret.get()
    try {
      return await this.#with(secret, scopes, held)
    } catch (error) {
      const refused = error instanceof TokenClientError && error.error === 'invalid_client'
      const other = refused ? await this.#secret.insteadOf(secret) : undefined
      if (other === undefined) throw error
      return await this.#with(other, scopes, held)
    }
  }

  #with(
    secret: string,
    scopes: readonly string[] | undefined,
    held: string | undefined,
  ): Promise<Grant> {
    const { signal } = this.#closed
    const ask = async (): Promise<Grant> => {
      // It may have been closed while the store was waited for.
      if (signal.aborted) throw new TokenClientError('ERR_CLIENT_CLOSED')
      return retrying(() => requestToken(this.#requester, { scopes, secret, signal }), {
        elapsed: this.#requester.elapsed,
        wait: this.#wait,
      })
    }
    return this.#shared?.obtain({ secret, scopes, held, ask }) ?? ask()
  }
}
