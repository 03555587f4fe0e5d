/** Validates options, requirements and definitions when they are passed, never at the first request. */
import { types } from 'node:util'

/** Characters of an invalid value that a message shows. */
const MAX_SHOWN_LENGTH = 80

/**
 * An invalid option, requirement, scope or pool definition. Thrown at registration, so a misconfigured API
 * does not start. The message is one line: `<option>: expected <what>, got <what>. <How to fix it>.`
 */
export class OptionError extends TypeError {
  override readonly name = 'OptionError'
  /** Stable across releases; the message is not. */
  readonly code = 'ERR_OPTION_INVALID'
  /** Path of the option, for example `userPools[1].clientId`. */
  readonly option: string
  /** What was expected, what was found, and the fix. */
  readonly problem: string

  constructor(option: string, problem: string) {
    super(`cognito-m2m: ${option}: ${problem}`)
    this.option = option
    this.problem = problem
  }
}

/** Describes a value for a message. Shows no objects, which may have secrets, and no line breaks. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(
      value.length > MAX_SHOWN_LENGTH ? `${value.slice(0, MAX_SHOWN_LENGTH)}…` : value,
    )
  }
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  if (value === null || typeof value !== 'object') {
    return typeof value === 'function' ? 'a function' : String(value)
  }
  return 'an object'
}

/** Members of a validated options object. */
export type Members = Readonly<Record<string, unknown>>

/**
 * Checks that `value` is a plain object with only the `allowed` members, none of them undefined.
 * Returns a copy, so that later changes by the caller have no effect.
 */
export function readMembers(
  value: unknown,
  allowed: readonly string[],
  optionPath: string,
): Members {
  const prefix = optionPath === '' ? '' : `${optionPath}.`
  const label = optionPath === '' ? 'options' : optionPath
  refuseProxy(value, label, 'object')
  if (!isPlain(value, allowed)) {
    throw new OptionError(
      label,
      `expected a plain object, got ${describeValue(value)}. Pass an object literal.`,
    )
  }
  const copy: Record<string, unknown> = Object.create(null)
  // Non-enumerable members and symbols too: a requirement that is silently ignored protects nothing.
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key === 'symbol' || !allowed.includes(key)) {
      const name = /^[\w$.-]+$/.test(String(key)) ? String(key) : describeValue(String(key))
      throw new OptionError(
        `${prefix}${name}`,
        `expected one of ${allowed.join(', ')}, got an unknown name. Rename or remove it.`,
      )
    }
    copy[key] = value[key]
    if (copy[key] === undefined) {
      throw new OptionError(
        `${prefix}${key}`,
        'expected a value, got undefined. Set it or leave it out.',
      )
    }
  }
  return copy
}

/** Inherited members would be silently ignored, so an object cannot have any. */
function isPlain(value: unknown, allowed: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: object | null = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || isForeign(prototype, allowed)
}

/** Recognizes the Object.prototype of another realm by its members: tests often run in one. */
function isForeign(prototype: object, allowed: readonly string[]): boolean {
  return (
    !types.isProxy(prototype) &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'isPrototypeOf') &&
    !allowed.some((name) => name in prototype)
  )
}

/** A Proxy can hide members when they are listed: a requirement would lose its scopes. */
function refuseProxy(value: unknown, optionPath: string, kind: 'object' | 'array'): void {
  if (types.isProxy(value))
    throw new OptionError(
      optionPath,
      `expected a plain ${kind}, got a Proxy. Pass a copy of its content.`,
    )
}

/**
 * Reads an array by its indexes. A custom iterator, class or `length` cannot hide items, because an array's
 * own length is exact.
 *
 * @param read Reads one item; `at` is its option path, for messages. A hole is passed as undefined.
 * @returns Undefined if the value is not an array.
 */
export function readList<Item>(
  value: unknown,
  optionPath: string,
  read: (item: unknown, at: string) => Item,
): Item[] | undefined {
  refuseProxy(value, optionPath, 'array')
  if (!Array.isArray(value)) return undefined
  const { length } = value
  const items: Item[] = []
  for (let index = 0; index < length; index += 1) {
    items.push(read(value[index], `${optionPath}[${index}]`))
  }
  return items
}

/** A finite number within limits, or `defaultValue` if the member is absent. */
export function readNumber(
  members: Members,
  key: string,
  optionPath: string,
  range: { defaultValue: number; min: number; max: number; unit?: string; integer?: boolean },
): number {
  const value = key in members ? members[key] : range.defaultValue
  const inRange = typeof value === 'number' && value >= range.min && value <= range.max
  if (!inRange || (range.integer === true && !Number.isInteger(value))) {
    const kind = range.integer === true ? 'a whole number' : 'a number'
    const unit = range.unit === undefined ? '' : ` of ${range.unit}`
    throw new OptionError(
      optionPath === '' ? key : `${optionPath}.${key}`,
      `expected ${kind}${unit} from ${range.min} to ${range.max}, got ${describeValue(value)}. Pass a number in this range.`,
    )
  }
  return value
}

/** A function, or undefined if the member is absent. */
export function readFunction<T>(members: Members, key: string, optionPath = ''): T | undefined {
  const value = members[key]
  if (value !== undefined && typeof value !== 'function') {
    throw new OptionError(
      optionPath === '' ? key : `${optionPath}.${key}`,
      `expected a function, got ${describeValue(value)}. Pass a function or leave it out.`,
    )
  }
  return value as T | undefined
}

/** One non-empty string, or a non-empty array of them. */
export function readStrings(value: unknown, optionPath: string, what: string): string[] {
  const readOne = (item: unknown, at: string): string => {
    if (typeof item === 'string' && /^\S+$/.test(item)) return item
    throw new OptionError(
      at,
      `expected the ${what} as a non-empty string without spaces, got ${describeValue(item)}. Pass the exact ${what}.`,
    )
  }
  const list = readList(value, optionPath, readOne) ?? [readOne(value, optionPath)]
  if (list.length > 0) return list
  throw new OptionError(optionPath, `expected at least one ${what}, got an empty array. Add one.`)
}

/** One app client ID or several. A comma-separated list in one string would match no client. */
export function readClientIds(value: unknown, optionPath: string): string[] {
  const ids = readStrings(value, optionPath, 'app client id')
  for (const [index, id] of ids.entries()) {
    if (!id.includes(',')) continue
    const at = Array.isArray(value) ? `${optionPath}[${index}]` : optionPath
    throw new OptionError(
      at,
      `expected one app client id, got ${describeValue(id)}. Pass several as an array.`,
    )
  }
  return ids
}

/** Copies the members that are not undefined: {@link readMembers} rejects those that are present but undefined. */
export function omitUndefined<T extends object>(
  members: { [Key in keyof T]: T[Key] | undefined },
): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T
}
