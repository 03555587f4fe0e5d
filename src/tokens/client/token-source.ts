/** Obtains tokens: secret, token request, retries, and a new secret after `invalid_client`. */
import { setMaxListeners } from 'node:events'
import { withTimeout } from '../../core/util/async.ts'
import type { StoreStatus } from '../store/resilient-store.ts'
import { TokenClientError } from './errors.ts'
import type { ClientOptions, WaitLimits } from './options.ts'
import { SharedTokens } from './shared-tokens.ts'
import { type Grant, requestToken, type TokenRequester } from './token-request.ts'
import type { SecretSource } from './types.ts'

/** @throws {TokenClientError} `ERR_CLIENT_CLOSED`, as a rejection. */
function sleep(milliseconds: number, closed: AbortSignal): Promise<void> {
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
class AbortListeners {
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

const listenersOf = new WeakMap<AbortSignal, AbortListeners>()

/** @returns Ends it. */
function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const waiters = listenersOf.get(signal) ?? new AbortListeners(signal)
  listenersOf.set(signal, waiters)
  waiters.add(callback)
  return () => waiters.delete(callback)
}

/** Token requests of one flight. */
const MAX_ATTEMPTS = 4
/** Milliseconds after which no retry starts, delays included. */
const MAX_RETRY_MS = 12_000
/** Milliseconds before the first retry. Each delay is twice the one before. */
const FIRST_DELAY_MS = 200
/** Longest wait for a Retry-After, in milliseconds. A longer one counts for the backoff alone. */
const MAX_RETRY_AFTER_MS = 5000

/** Clock and timer of the retries. */
interface RetryTiming {
  /** Milliseconds that never run back. */
  readonly elapsed: () => number
  /** Settles after so many milliseconds, or rejects with the signal's end. */
  readonly wait: (milliseconds: number) => Promise<unknown>
}

/**
 * Exponential backoff with jitter: a delay is between half of its step and all of it, so that a fleet does
 * not retry at once.
 *
 * @throws The last error, if it is final or the limits are reached.
 */
export async function callWithRetries<Value>(
  attempt: () => Promise<Value>,
  { elapsed, wait }: RetryTiming,
): Promise<Value> {
  const startedAt = elapsed()
  const next = async (attempts: number): Promise<Value> => {
    try {
      return await attempt()
    } catch (error) {
      const waitMs = retryDelayMs(error, attempts)
      if (
        attempts === MAX_ATTEMPTS ||
        waitMs === undefined ||
        elapsed() - startedAt + waitMs > MAX_RETRY_MS
      ) {
        throw error
      }
      await wait(waitMs)
    }
    return next(attempts + 1)
  }
  return next(1)
}

/** Undefined for an error that a retry would repeat. */
function retryDelayMs(error: unknown, attempts: number): number | undefined {
  if (!(error instanceof TokenClientError)) return undefined
  const passing =
    error.code === 'ERR_TOKEN_REQUEST_NETWORK' ||
    error.code === 'ERR_TOKEN_REQUEST_TIMEOUT' ||
    error.code === 'ERR_TOKEN_REQUEST_STATUS'
  if (!passing) return undefined
  const delayMs = FIRST_DELAY_MS * 2 ** (attempts - 1)
  const retryAfterMs = Math.min(MAX_RETRY_AFTER_MS, (error.retryAfter ?? 0) * 1000)
  return Math.max(retryAfterMs, delayMs * (0.5 + Math.random() * 0.5))
}

/** Longest call of the function given as `clientSecret`. */
const SECRET_TIMEOUT_MS = 5000
/** Milliseconds between two reloads after `invalid_client`. */
const MIN_SECRET_RELOAD_INTERVAL_MS = 30_000

/** Caches the client secret, and reloads it after Cognito rejected it. */
export class ClientSecret {
  readonly #source: SecretSource
  readonly #elapsed: () => number
  #secret: string | undefined
  #loading: Promise<string> | undefined
  #nextReload = 0

  /** @param elapsed Milliseconds that never run back. */
  constructor(source: SecretSource, elapsed: () => number) {
    this.#source = source
    this.#elapsed = elapsed
    this.#secret = typeof source === 'string' ? source : undefined
  }

  /** @throws {TokenClientError} `ERR_CLIENT_SECRET_UNAVAILABLE`. */
  async get(): Promise<string> {
    return this.#secret ?? this.#load()
  }

  /**
   * Reloads a secret that was rejected: it may have been rotated.
   *
   * @returns The new secret. Undefined if it is the same, or was loaded less than 30 s ago.
   */
  async replaceRejected(rejected: string): Promise<string | undefined> {
    if (this.#secret === rejected && this.#canReload()) {
      // A failed reload changes nothing: the caller gets the error of the token request.
      await Promise.allSettled([this.#load()])
    }
    return this.#secret === rejected ? undefined : this.#secret
  }

  #canReload(): boolean {
    if (typeof this.#source === 'string') return false
    if (this.#loading !== undefined) return true
    const now = this.#elapsed()
    if (now < this.#nextReload) return false
    this.#nextReload = now + MIN_SECRET_RELOAD_INTERVAL_MS
    return true
  }

  /** Single-flight: all callers wait for one call of the function. */
  #load(): Promise<string> {
    this.#loading ??= loadSecret(this.#source as () => string | Promise<string>)
      .then((secret) => {
        this.#secret = secret
        return secret
      })
      .finally(() => {
        this.#loading = undefined
      })
    return this.#loading
  }
}

/** Drops the function's error: its message may quote the secret. */
async function loadSecret(source: () => string | Promise<string>): Promise<string> {
  try {
    const secret: unknown = await withTimeout(SECRET_TIMEOUT_MS, (async () => source())())
    if (typeof secret === 'string' && secret !== '') return secret
  } catch {
    // The error below replaces it.
  }
  throw new TokenClientError('ERR_CLIENT_SECRET_UNAVAILABLE')
}

/** Obtains tokens for all scope sets of a client, from the shared store or the token endpoint. */
export class TokenSource {
  readonly #requester: TokenRequester
  readonly #secret: ClientSecret
  readonly #shared: SharedTokens | undefined
  readonly #closed = new AbortController()
  readonly #sleep = (milliseconds: number): Promise<void> =>
    sleep(milliseconds, this.#closed.signal)

  /** @throws {OptionError} `ERR_OPTION_INVALID` for a store that is none. */
  constructor(options: ClientOptions, elapsed: () => number) {
    this.#requester = { ...options, elapsed }
    // Every scope set's request listens: no leak.
    setMaxListeners(0, this.#closed.signal)
    this.#secret = new ClientSecret(options.clientSecret, elapsed)
    const { store } = options
    this.#shared =
      store === undefined
        ? undefined
        : new SharedTokens({ ...options, store, elapsed }, this.#sleep)
  }

  /** Aborted once the client is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** @returns Undefined without a store. */
  storeStatus(): StoreStatus | undefined {
    return this.#shared?.status()
  }

  /** Ends requests and waits. Later calls reject with `ERR_CLIENT_CLOSED`. */
  close(): void {
    this.#closed.abort()
  }

  /**
   * @param previousToken A token that is not wanted again.
   * @throws {TokenClientError} as a rejection, and nothing else.
   */
  async obtain(
    scopes: readonly string[] | undefined,
    previousToken: string | undefined,
  ): Promise<Grant> {
    const secret = await this.#secret.get()
    try {
      return await this.#obtainWithSecret(secret, scopes, previousToken)
    } catch (error) {
      const rejected = error instanceof TokenClientError && error.error === 'invalid_client'
      const newSecret = rejected ? await this.#secret.replaceRejected(secret) : undefined
      if (newSecret === undefined) throw error
      return await this.#obtainWithSecret(newSecret, scopes, previousToken)
    }
  }

  #obtainWithSecret(
    secret: string,
    scopes: readonly string[] | undefined,
    previousToken: string | undefined,
  ): Promise<Grant> {
    const { signal } = this.#closed
    const request = async (): Promise<Grant> => {
      // The client may have been closed during the wait for the store.
      if (signal.aborted) throw new TokenClientError('ERR_CLIENT_CLOSED')
      return callWithRetries(() => requestToken(this.#requester, { scopes, secret, signal }), {
        elapsed: this.#requester.elapsed,
        wait: this.#sleep,
      })
    }
    return this.#shared?.obtain({ secret, scopes, previousToken, request }) ?? request()
  }
}
