/** Timeouts, and values that may or may not be promises: what is known already costs no turn of the event loop. */

/**
 * Waits for a promise, but not longer than a timeout. What it does later has no effect.
 *
 * @returns Undefined on timeout.
 * @throws What the promise rejects with.
 */
export function withTimeout<Value>(
  timeoutMs: number,
  promise: Promise<Value>,
): Promise<Value | undefined>
/** @throws The error of `createError` on timeout, or what the promise rejects with. */
export function withTimeout<Value>(
  timeoutMs: number,
  promise: Promise<Value>,
  createError: () => Error,
): Promise<Value>
export async function withTimeout<Value>(
  timeoutMs: number,
  promise: Promise<Value>,
  createError?: () => Error,
): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<undefined>((resolve, reject) => {
    timer = setTimeout(() => {
      if (createError === undefined) resolve(undefined)
      else reject(createError())
    }, timeoutMs)
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Whether a value is a promise. `instanceof` is not enough: the global `Promise` may not be the one that async
 * functions and Node return (bluebird, zone.js, Jest's realms). A promise would then pass for a value, and a
 * promise of `false` for `true`.
 */
export function isThenable<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
}

/** Calls `next` synchronously with a value, or once a promise has resolved to one. */
export function chain<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return isThenable(value) ? value.then(next) : next(value)
}

/** @param milliseconds The longest wait; the shortest is half of it. The timer keeps the process alive. */
export function sleepWithJitter(milliseconds: number): Promise<void> {
  const jittered = milliseconds * (0.5 + Math.random() / 2)
  return new Promise((resolve) => {
    setTimeout(resolve, jittered)
  })
}
