/** Refuses a wrong option, requirement or definition when it is given, never at the first request. */
import { types } from 'node:util'

/** Longest part of an offending value that is repeated in a message. */
const SHOWN = 80

/**
 * A wrong option, requirement, scope or pool definition. Thrown at registration, so a misconfigured
 * API does not start. The message is one line: which option, what is wrong, how to mend it.
 */
export class OptionError extends TypeError {
  override readonly name = 'OptionError'
  /** Stable across releases; the message is not. */
  readonly code = 'ERR_OPTION_INVALID'
  /** The place of the fault, for example `userPools[1].clientId`. */
  readonly option: string
  /** What is wrong with it, and the fix. */
  readonly problem: string

  constructor(option: string, problem: string) {
    super(`cognito-m2m: ${option} ${problem}`)
    this.option = option
    this.problem = problem
  }
}

/** Says what a value is without repeating objects, secrets in them, or line breaks. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value)
  }
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  if (value === null || typeof value !== 'object') {
    return typeof value === 'function' ? 'a function' : String(value)
  }
  return 'an object'
}

/** Members of an options object, after the object itself was checked. */
export type Members = Readonly<Record<string, unknown>>

/**
 * Checks that `value` is a plain object with none but the `allowed` members, none of them undefined,
 * and answers a copy: what the caller changes later has no effect.
 */
export function readMembers(value: unknown, allowed: readonly string[], place: string): Members {
  const prefix = place === '' ? '' : `${place}.`
  const label = place === '' ? 'options' : place
  refuseProxy(value, label, 'object')
  if (!isPlain(value, allowed)) {
    throw new OptionError(label, `is ${describeValue(value)}: pass a plain object`)
  }
  const copy: Record<string, unknown> = Object.create(null)
  // Hidden members and symbols too: what is left out in silence is a requirement that is not there.
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key === 'symbol' || !allowed.includes(key)) {
      const name = /^[\w$.-]+$/.test(String(key)) ? String(key) : describeValue(String(key))
      throw new OptionError(`${prefix}${name}`, `is unknown: use one of ${allowed.join(', ')}`)
    }
    copy[key] = value[key]
    if (copy[key] === undefined) {
      throw new OptionError(`${prefix}${key}`, 'is undefined: give it a value or leave it out')
    }
  }
  return copy
}

/** Members that are inherited would be left out in silence, so an object may inherit none. */
function isPlain(value: unknown, allowed: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: object | null = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || isForeign(prototype, allowed)
}

/** Object.prototype of another realm is told by what it has: tests often run in a realm of their own. */
function isForeign(prototype: object, allowed: readonly string[]): boolean {
  return (
    !types.isProxy(prototype) &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'isPrototypeOf') &&
    !allowed.some((name) => name in prototype)
  )
}

/** A Proxy can hide members from whoever lists them: a requirement would lose its scopes. */
function refuseProxy(value: unknown, place: string, kind: 'object' | 'array'): void {
  if (types.isProxy(value)) throw new OptionError(place, `is a Proxy: pass a plain ${kind}`)
}

/**
 * Reads an array by its indexes, or undefined where the value is not an array. An iterator, a class
 * or a `length` of the caller's own cannot hide items, because an array's own length is exact.
 *
 * @param read Reads one item; `at` is its place, for messages. A hole is passed as undefined.
 */
export function readList<Item>(
  value: unknown,
  place: string,
  read: (item: unknown, at: string) => Item,
): Item[] | undefined {
  refuseProxy(value, place, 'array')
  if (!Array.isArray(value)) return undefined
  const { length } = value
  const items: Item[] = []
  for (let index = 0; index < length; index += 1) {
    items.push(read(value[index], `${place}[${index}]`))
  }
  return items
}

/** A finite number within limits, or `fallback` where the member is absent. */
export function readNumber(
  members: Members,
  key: string,
  place: string,
  range: { fallback: number; min: number; max: number; unit?: string; integer?: boolean },
): number {
  const value = key in members ? members[key] : range.fallback
  const inRange = typeof value === 'number' && value >= range.min && value <= range.max
  if (!inRange || (range.integer === true && !Number.isInteger(value))) {
    const kind = range.integer === true ? 'a whole number' : 'a number'
    const unit = range.unit === undefined ? '' : ` of ${range.unit}`
    throw new OptionError(
      place === '' ? key : `${place}.${key}`,
      `is ${describeValue(value)}: use ${kind}${unit} from ${range.min} to ${range.max}`,
    )
  }
  return value
}

/** A function, or undefined where the member is absent. */
export function readFunction<T>(members: Members, key: string, place = ''): T | undefined {
  const value = members[key]
  if (value !== undefined && typeof value !== 'function') {
    throw new OptionError(
      place === '' ? key : `${place}.${key}`,
      `is ${describeValue(value)}: pass a function`,
    )
  }
  return value as T | undefined
}

/** One non-empty string, or a non-empty array of them. */
export function readStrings(value: unknown, place: string, what: string): string[] {
  const readOne = (item: unknown, at: string): string => {
    if (typeof item === 'string' && /^\S+$/.test(item)) return item
    throw new OptionError(
      at,
      `is ${describeValue(item)}: pass the ${what} as a non-empty string without blanks`,
    )
  }
  const list = readList(value, place, readOne) ?? [readOne(value, place)]
  if (list.length > 0) return list
  throw new OptionError(place, `is an empty array: name at least one ${what}`)
}

/** One app client ID or several. A list in one string would match no client. */
export function readClientIds(value: unknown, place: string): string[] {
  const ids = readStrings(value, place, 'app client id')
  for (const [index, id] of ids.entries()) {
    if (!id.includes(',')) continue
    const at = Array.isArray(value) ? `${place}[${index}]` : place
    throw new OptionError(
      at,
      `is ${describeValue(id)}, and no app client id has a comma: pass several as an array`,
    )
  }
  return ids
}
