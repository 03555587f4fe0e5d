/**
 * Parses JSON objects strictly (RFC 8725 section 2.4, RFC 7515 section 5.2). The text is UTF-8 without BOM,
 * and depth and number of members are bounded. Duplicate members and names of prototype members are rejected.
 * `JSON.parse` alone keeps the last of two members, so two readers of one token could see different claims.
 */
import { isUtf8 } from 'node:buffer'

/** Deepest nesting that is accepted. */
const MAX_DEPTH = 32
/**
 * Most members, and most objects and arrays, at every depth together. Tokens of Cognito have a dozen.
 * Building thousands of them would make an unauthenticated caller's token cost several verifications.
 */
export const MAX_MEMBERS = 256

/** A JSON value. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue }

/** A JSON object. */
export type JsonObject = { readonly [member: string]: JsonValue }

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/**
 * Parses an object.
 *
 * @param maxMembers Members at every depth that are accepted. They are counted before anything is parsed.
 * @returns Undefined if anything about it is not strict.
 */
export function parseStrictObject(
  bytes: Buffer,
  maxMembers: number = MAX_MEMBERS,
): JsonObject | undefined {
  if (!isUtf8(bytes)) return undefined
  const text = bytes.toString('utf8')
  const memberCount = countColons(text, maxMembers)
  if (memberCount === undefined) return undefined
  let value: JsonValue
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isContainer(value) || Array.isArray(value)) return undefined
  // JSON.parse keeps one of two members with the same name, even if one is written with escapes.
  return countMembers(value) === memberCount ? (value as JsonObject) : undefined
}

/**
 * Counts colons outside strings: in well-formed JSON, one per member.
 *
 * @returns Undefined for too many members, for a string that does not end, and for nesting that is too deep,
 *   before anything recurses.
 */
function countColons(text: string, maxMembers: number): number | undefined {
  let members = 0
  let containers = 0
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = findStringEnd(text, at)
      if (at === -1) return undefined
    } else if (code === COLON) {
      members += 1
      if (members > maxMembers) return undefined
    } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      depth += 1
      containers += 1
      if (depth > MAX_DEPTH || containers > MAX_MEMBERS) return undefined
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      depth -= 1
    }
  }
  return members
}

/** The index of the closing quote, or -1. */
function findStringEnd(text: string, start: number): number {
  let at = text.indexOf('"', start + 1)
  while (at !== -1 && isEscaped(text, at)) at = text.indexOf('"', at + 1)
  return at
}

function isEscaped(text: string, at: number): boolean {
  let first = at
  while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1
  return (at - first) % 2 === 1
}

/** Counts members at every depth. NaN, which equals no count, if Object.prototype has one of the names. */
export function countMembers(value: object): number {
  let members = 0
  if (Array.isArray(value)) {
    // Without a call per item: hostile tokens have thousands of numbers.
    for (const item of value) if (isContainer(item)) members += countMembers(item)
    return members
  }
  for (const name of Object.keys(value)) {
    if (name === 'prototype' || name in Object.prototype) return Number.NaN
    const member = (value as JsonObject)[name]
    members += isContainer(member) ? 1 + countMembers(member) : 1
  }
  return members
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
