/** Going on without a turn of the event loop where nothing has to be waited for. */

/** Goes on at once with a value that is there, else when it is. */
export function following<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value)
}
