/** Going on without a turn of the event loop where nothing has to be waited for. */

/**
 * Waits for a promise that never rejects, but no longer than so many milliseconds.
 *
 * @returns Undefined where the time is over first.
 */
export async function withTimeout<Value>(
  milliseconds: number,
  promise: Promise<Value>,
): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Whether a value is still to come. Not told by `instanceof`: where the global `Promise` is not the one
 * that async functions and Node answer with (bluebird, zone.js, Jest's realms), a promise would pass for
 * a value, and a promise of no for a yes.
 */
export function isThenable<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
}

/** Goes on at once with a value that is there, else when it is. */
export function chain<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return isThenable(value) ? value.then(next) : next(value)
}
