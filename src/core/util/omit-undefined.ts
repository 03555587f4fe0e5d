/** Creates objects whose optional members are missing instead of undefined, which option validation rejects. */

/** Copies the members that are not undefined. */
export function omitUndefined<T extends object>(
  members: { [Key in keyof T]: T[Key] | undefined },
): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T
}
