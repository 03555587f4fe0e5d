/** Reads members of untrusted JSON objects. */

/** Characters. Cognito's names are shorter. */
const MAX_NAME_LENGTH = 256

/** Own members alone: an object has inherited ones such as `constructor`. */
export function getMember(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined
}

/** An object without members for every other value. */
export function readObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}

/** A non-empty text of at most 256 characters, the longest name that usage counts. */
export function readName(value: unknown): string | undefined {
  const isName = typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH
  return isName ? value : undefined
}
