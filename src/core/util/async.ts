/** Values that may or may not be promises. A value that is known already costs no turn of the event loop. */

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
