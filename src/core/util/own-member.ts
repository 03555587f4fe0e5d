/**
 * Tells the kinds of an answer apart by what it has itself. `in` finds what a fault elsewhere put on
 * every object too, and a polluted prototype would make a verified token of a failure.
 */
export function has<Value extends object, Name extends string>(
  value: Value,
  name: Name,
): value is Extract<Value, Readonly<Record<Name, unknown>>> {
  return Object.hasOwn(value, name)
}
