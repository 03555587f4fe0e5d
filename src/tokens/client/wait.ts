/** Waiting that ends early: when the client is closed, at a caller's timeout, or by a caller's signal. */
import { type Members, OptionError, readNumber, show } from '../../core/options/validate.ts'
import { TokenClientError } from './errors.ts'

/** Seconds a caller without a token waits, where no option says otherwise. */
const DEFAULT_TIMEOUT = 20
/** Seconds: longer than any token request with all its retries takes. */
const MAX_TIMEOUT = 300
/** Seconds; zero would be a request that nobody waits for. */
const MIN_TIMEOUT = 0.001

/** What ends the wait of one caller. */
export interface WaitLimits {
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/**
 * The option `timeout` of a client or a call, in milliseconds.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`.
 */
export function readTimeout(members: Members): number {
  const range = { fallback: DEFAULT_TIMEOUT, min: MIN_TIMEOUT, max: MAX_TIMEOUT, unit: 'seconds' }
  return readNumber(members, 'timeout', '', range) * 1000
}

/**
 * What ends one call's wait.
 *
 * @param usual What holds where the call says nothing.
 * @throws {OptionError} `ERR_OPTION_INVALID`.
 * @throws The signal's reason, if it is aborted.
 */
export function readWaitLimits(
  options: { readonly timeout?: unknown; readonly signal?: unknown } | undefined,
  usual: WaitLimits,
): WaitLimits {
  // `in` would find what somebody put on every object.
  const hasTimeout = options !== undefined && Object.hasOwn(options, 'timeout')
  const hasSignal = options !== undefined && Object.hasOwn(options, 'signal')
  if (!hasTimeout && !hasSignal) return usual
  const timeoutMs = hasTimeout ? readTimeout({ timeout: options.timeout }) : usual.timeoutMs
  return { timeoutMs, signal: hasSignal ? readSignal(options.signal) : usual.signal }
}

/**
 * @throws {OptionError} `ERR_OPTION_INVALID` for what is no AbortSignal.
 * @throws The signal's reason, if it is aborted.
 */
export function readSignal(signal: unknown): AbortSignal {
  if (!(signal instanceof AbortSignal)) {
    throw new OptionError('signal', `is ${show(signal)}: pass an AbortSignal or leave it out`)
  }
  signal.throwIfAborted()
  return signal
}

/** @throws {TokenClientError} `ERR_CLIENT_CLOSED`, as a rejection. */
export function waitOpen(milliseconds: number, closed: AbortSignal): Promise<void> {
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
