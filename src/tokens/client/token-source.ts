/** Obtains tokens: secret, token request, retries, and a new secret after `invalid_client`. */
import { setMaxListeners } from 'node:events'
import { withTimeout } from '../../core/util/time.ts'
import { createTokenSender } from '../oauth/failover.ts'
import type { TokenRegion } from '../oauth/protocol.ts'
import type { StoreStatus } from '../store/resilient-store.ts'
import { TokenClientError } from './errors.ts'
import type { ClientOptions, WaitLimits } from './options.ts'
import { SharedTokens } from './shared-tokens.ts'
import {
  type Grant,
  REQUEST_TIMEOUT_MS,
  type RequestedToken,
  requestToken,
  type TokenRequester,
} from './token-request.ts'
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
 * Waits for a shared promise within the limits of one caller. Other callers are not affected.
 *
 * @throws {TokenClientError} `ERR_TOKEN_TIMEOUT` or `ERR_CLIENT_CLOSED`. Rejects with the signal's reason after an
 *   abort, or with the error of the promise.
 */
export function waitFor<Value>(
  promise: Promise<Value>,
  { timeoutMs, signal }: WaitLimits,
  closed: AbortSignal,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const fail = (reason: unknown): void => {
      cleanUp()
      reject(reason)
    }
    const timer = setTimeout(() => {
      // The timer has fired and needs no clearing.
      cleanups.shift()
      fail(new TokenClientError('ERR_TOKEN_TIMEOUT'))
    }, timeoutMs)
    const cleanups = [
      () => clearTimeout(timer),
      onAbort(closed, () => fail(new TokenClientError('ERR_CLIENT_CLOSED'))),
    ]
    if (signal !== undefined) cleanups.push(onAbort(signal, () => fail(signal.reason)))
    // Runs each cleanup once: the promise may settle after the wait has ended.
    const cleanUp = (): void => {
      for (const cleanup of cleanups.splice(0)) cleanup()
    }
    promise.then((value) => {
      cleanUp()
      resolve(value)
    }, fail)
  })
}

/**
 * Adds one listener to a signal for all callers that share it, and removes it after the last wait. Node warns
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
    // An aborted signal dispatches no further event.
    if (this.#signal.aborted) queueMicrotask(callback)
  }

  delete(callback: () => void): void {
    this.#callbacks.delete(callback)
    if (this.#callbacks.size === 0) this.#signal.removeEventListener('abort', this.#notify)
  }
}

const listenersBySignal = new WeakMap<AbortSignal, AbortListeners>()

/** @returns A function that removes the callback. */
function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const listeners = listenersBySignal.get(signal) ?? new AbortListeners(signal)
  listenersBySignal.set(signal, listeners)
  listeners.add(callback)
  return () => listeners.delete(callback)
}

/** Attempts of one token request. */
const MAX_ATTEMPTS = 4
/** Milliseconds after which no retry starts, delays included. A suspension of the process does not count. */
const MAX_RETRY_MS = 12_000
/** Milliseconds before the first retry. Each delay is twice the one before. */
const FIRST_DELAY_MS = 200
/** Longest wait for a Retry-After between attempts, in milliseconds. A longer one only extends the backoff. */
const MAX_RETRY_AFTER_MS = 5000

/** Clock and timer of the retries. */
interface RetryTiming {
  /** Monotonic milliseconds. */
  readonly elapsed: () => number
  /** Resolves after the given time. Rejects once the client is closed. */
  readonly sleep: (milliseconds: number) => Promise<unknown>
}

/**
 * Retries with exponential backoff and jitter, so that a fleet does not retry at the same time. Each delay is
 * random, between half of its step and the whole step.
 *
 * @throws The last error, if it is final or the limits are reached.
 */
export async function callWithRetries<Value>(
  attempt: () => Promise<Value>,
  { elapsed, sleep }: RetryTiming,
): Promise<Value> {
  let spentMs = 0
  const next = async (attempts: number): Promise<Value> => {
    const startedAt = elapsed()
    try {
      return await attempt()
    } catch (error) {
      // An attempt that took longer spans a suspension, such as the freeze of a function. Its callers begin to wait now.
      spentMs += Math.min(REQUEST_TIMEOUT_MS, elapsed() - startedAt)
      const delayMs = getRetryDelayMs(error, attempts)
      if (attempts === MAX_ATTEMPTS || delayMs === undefined || spentMs + delayMs > MAX_RETRY_MS) {
        throw error
      }
      spentMs += delayMs
      await sleep(delayMs)
    }
    return next(attempts + 1)
  }
  return next(1)
}

/** Returns undefined for a final error, which a retry would repeat. */
function getRetryDelayMs(error: unknown, attempts: number): number | undefined {
  if (!(error instanceof TokenClientError)) return undefined
  const isTransient =
    error.code === 'ERR_TOKEN_REQUEST_NETWORK' ||
    error.code === 'ERR_TOKEN_REQUEST_TIMEOUT' ||
    error.code === 'ERR_TOKEN_REQUEST_STATUS'
  if (!isTransient) return undefined
  const stepMs = FIRST_DELAY_MS * 2 ** (attempts - 1)
  const retryAfterMs = Math.min(MAX_RETRY_AFTER_MS, (error.retryAfter ?? 0) * 1000)
  return Math.max(retryAfterMs, stepMs * (0.5 + Math.random() * 0.5))
}

/** Longest call of the function `clientSecret`, in milliseconds. */
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

  /** @param elapsed Monotonic milliseconds. */
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
    // Replaced by the error below.
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

  /** @throws {OptionError} `ERR_OPTION_INVALID` for an invalid store. */
  constructor(options: ClientOptions, elapsed: () => number) {
    const { api, logger } = options
    const sender = createTokenSender(api, {
      timeoutMs: REQUEST_TIMEOUT_MS,
      monotonicNow: elapsed,
      logger,
    })
    this.#requester = { ...options, sender, elapsed }
    // Each token request adds a listener, so the default limit would warn of a leak.
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

  /** The Region that serves token requests. */
  get region(): TokenRegion {
    return this.#requester.sender.region
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
   * Obtains a token. After `invalid_client` it reloads the secret and tries once more.
   *
   * @param previousToken The token to replace. It is not returned again.
   * @throws {TokenClientError} As a rejection. No other error.
   */
  async obtain(requested: RequestedToken, previousToken: string | undefined): Promise<Grant> {
    const secret = await this.#secret.get()
    try {
      return await this.#obtainWithSecret(secret, requested, previousToken)
    } catch (error) {
      const isRejected = error instanceof TokenClientError && error.error === 'invalid_client'
      const newSecret = isRejected ? await this.#secret.replaceRejected(secret) : undefined
      if (newSecret === undefined) throw error
      return await this.#obtainWithSecret(newSecret, requested, previousToken)
    }
  }

  #obtainWithSecret(
    secret: string,
    requested: RequestedToken,
    previousToken: string | undefined,
  ): Promise<Grant> {
    const { signal } = this.#closed
    const request = async (): Promise<Grant> => {
      // The client may have been closed during the wait for the store.
      if (signal.aborted) throw new TokenClientError('ERR_CLIENT_CLOSED')
      return callWithRetries(
        () => requestToken(this.#requester, { ...requested, secret, signal }),
        {
          elapsed: this.#requester.elapsed,
          sleep: this.#sleep,
        },
      )
    }
    return this.#shared?.obtain({ secret, requested, previousToken, request }) ?? request()
  }
}
