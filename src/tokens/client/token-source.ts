/** Has tokens: the secret, the request, another try, and another secret where the first was refused. */
import { setMaxListeners } from 'node:events'
import { withTimeout } from '../../core/util/async.ts'
import type { StoreStatus } from '../store/resilient-store.ts'
import { TokenClientError } from './errors.ts'
import type { ClientOptions, WaitLimits } from './options.ts'
import { SharedTokens } from './shared-tokens.ts'
import { type Grant, requestToken, type TokenRequester } from './token-request.ts'
import type { SecretSource } from './types.ts'

/** @throws {TokenClientError} `ERR_CLIENT_CLOSED`, as a rejection. */
function waitOpen(milliseconds: number, closed: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer)
      reject(new TokenClientError('ERR_CLIENT_CLOSED'))
    }
    const timer = setTimeout(() => {
      closed.removeEventListener('abort', end)
      resolve()
    }, milliseconds)
    if (closed.aborted) end()
    else closed.addEventListener('abort', end, { once: true })
  })
}

/**
 * One caller's wait for a promise that others wait for too: its end is nobody else's.
 *
 * @throws {TokenClientError} `ERR_TOKEN_TIMEOUT` or `ERR_CLIENT_CLOSED`, the signal's reason, or what
 *   the promise rejects with; as a rejection.
 */
export function waitFor<Value>(
  promise: Promise<Value>,
  { timeoutMs, signal }: WaitLimits,
  closed: AbortSignal,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const fail = (reason: unknown): void => {
      end()
      reject(reason)
    }
    const timer = setTimeout(() => {
      // It has run: only the others are left to be undone.
      ends.shift()
      fail(new TokenClientError('ERR_TOKEN_TIMEOUT'))
    }, timeoutMs)
    const ends = [
      () => clearTimeout(timer),
      onAbort(closed, () => fail(new TokenClientError('ERR_CLIENT_CLOSED'))),
    ]
    if (signal !== undefined) ends.push(onAbort(signal, () => fail(signal.reason)))
    // Once: the promise may settle after the caller has gone.
    const end = (): void => {
      for (const each of ends.splice(0)) each()
    }
    promise.then((value) => {
      end()
      resolve(value)
    }, fail)
  })
}

/**
 * One listener on a signal, however many callers wait by it, and none once they are gone. Node warns
 * of a leak from eleven listeners on.
 */
class Waiters {
  readonly #signal: AbortSignal
  readonly #callbacks = new Set<() => void>()
  readonly #notify = (): void => {
    for (const callback of this.#callbacks) callback()
  }

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  add(callback: () => void): void {
    if (this.#callbacks.size === 0) this.#signal.addEventListener('abort', this.#notify)
    this.#callbacks.add(callback)
    // An aborted signal dispatches no event any more.
    if (this.#signal.aborted) queueMicrotask(callback)
  }

  delete(callback: () => void): void {
    this.#callbacks.delete(callback)
    if (this.#callbacks.size === 0) this.#signal.removeEventListener('abort', this.#notify)
  }
}

const waitersOf = new WeakMap<AbortSignal, Waiters>()

/** @returns Ends it. */
function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const waiters = waitersOf.get(signal) ?? new Waiters(signal)
  waitersOf.set(signal, waiters)
  waiters.add(callback)
  return () => waiters.delete(callback)
}

/** Requests of one flight. */
const ATTEMPTS = 4
/** Milliseconds after which none is begun, waiting included. */
const TOTAL = 12_000
/** Milliseconds of the first step; each is twice the one before. */
const FIRST_STEP = 200
/** Longest Retry-After that is waited for, in milliseconds; what is longer counts for the backoff. */
const LONGEST_WAIT = 5000

/** The world outside. */
interface Retrying {
  /** Milliseconds that never run back. */
  readonly elapsed: () => number
  /** Settles after so many milliseconds, or rejects with the signal's end. */
  readonly wait: (milliseconds: number) => Promise<unknown>
}

/**
 * Tries until it succeeds, fails for good, or has to give up: then the last error is thrown.
 *
 * A step is between half of it and the whole, so that a fleet does not come back at once.
 */
export async function retrying<Value>(
  attempt: () => Promise<Value>,
  { elapsed, wait }: Retrying,
): Promise<Value> {
  const begun = elapsed()
  const next = async (tried: number): Promise<Value> => {
    try {
      return await attempt()
    } catch (error) {
      const pause = pauseBefore(error, tried)
      if (tried === ATTEMPTS || pause === undefined || elapsed() - begun + pause > TOTAL) {
        throw error
      }
      await wait(pause)
    }
    return next(tried + 1)
  }
  return next(1)
}

/** Undefined where asking again would get the same answer. */
function pauseBefore(error: unknown, tried: number): number | undefined {
  if (!(error instanceof TokenClientError)) return undefined
  const passing =
    error.code === 'ERR_TOKEN_REQUEST_NETWORK' ||
    error.code === 'ERR_TOKEN_REQUEST_TIMEOUT' ||
    error.code === 'ERR_TOKEN_REQUEST_STATUS'
  if (!passing) return undefined
  const step = FIRST_STEP * 2 ** (tried - 1)
  const asked = Math.min(LONGEST_WAIT, (error.retryAfter ?? 0) * 1000)
  return Math.max(asked, step * (0.5 + Math.random() * 0.5))
}

/** Milliseconds the owner's function may take. */
const ASK_TIMEOUT = 5000
/** Milliseconds between two questions that a refused secret causes. */
const ASK_AGAIN = 30_000

/** Holds what is believed to be the secret. */
export class ClientSecret {
  readonly #source: SecretSource
  readonly #elapsed: () => number
  #held: string | undefined
  #asking: Promise<string> | undefined
  #notBefore = 0

  /** @param elapsed Milliseconds that never run back. */
  constructor(source: SecretSource, elapsed: () => number) {
    this.#source = source
    this.#elapsed = elapsed
    this.#held = typeof source === 'string' ? source : undefined
  }

  /** @throws {TokenClientError} `ERR_CLIENT_SECRET_UNAVAILABLE`. */
  async get(): Promise<string> {
    return this.#held ?? this.#ask()
  }

  /**
   * Another secret than the refused one, where there is one: it may have been rotated.
   *
   * @returns undefined where there is none, or it was asked for less than 30 s ago.
   */
  async insteadOf(refused: string): Promise<string | undefined> {
    if (this.#held === refused && this.#mayAskAgain()) {
      // A failed question changes nothing: the refusal is what the caller has to be told.
      await Promise.allSettled([this.#ask()])
    }
    return this.#held === refused ? undefined : this.#held
  }

  #mayAskAgain(): boolean {
    if (typeof this.#source === 'string') return false
    if (this.#asking !== undefined) return true
    const now = this.#elapsed()
    if (now < this.#notBefore) return false
    this.#notBefore = now + ASK_AGAIN
    return true
  }

  /** One question at a time, whoever waits for the answer. */
  #ask(): Promise<string> {
    this.#asking ??= askOwner(this.#source as () => string | Promise<string>)
      .then((secret) => {
        this.#held = secret
        return secret
      })
      .finally(() => {
        this.#asking = undefined
      })
    return this.#asking
  }
}

/** What the owner's function throws stays out: it may quote what it asked for. */
async function askOwner(source: () => string | Promise<string>): Promise<string> {
  try {
    const secret: unknown = await withTimeout(ASK_TIMEOUT, (async () => source())())
    if (typeof secret === 'string' && secret !== '') return secret
  } catch {
    // Told below.
  }
  throw new TokenClientError('ERR_CLIENT_SECRET_UNAVAILABLE')
}

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
