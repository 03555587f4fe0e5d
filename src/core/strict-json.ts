/**
 * JSON objects read strictly (RFC 8725 section 2.4, RFC 7515 section 5.2): UTF-8 without BOM, no
 * duplicate and no prototype-named members, bounded depth. `JSON.parse` alone keeps the last of two
 * members, so two readers of one token could see two different claims.
 */
import { isUtf8 } from 'node:buffer'

/** Deepest nesting that is read. */
const MAX_DEPTH = 32

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

/** Reads an object, or answers undefined where anything about it is not strict. */
export function parseStrictObject(bytes: Buffer): JsonObject | undefined {
  if (!isUtf8(bytes)) return undefined
  const text = bytes.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return hasStrictMembers(text) ? (value as JsonObject) : undefined
}

/** Walks text that is known to be well-formed JSON; members are recognised by the colon behind. */
function hasStrictMembers(text: string): boolean {
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      if (open.length === MAX_DEPTH) return false
      open.push(code === OPEN_OBJECT ? new Set() : undefined)
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      open.pop()
    } else if (code === QUOTE) {
      const end = endOfString(text, at)
      if (isMember(text, end)) {
        const name = JSON.parse(text.slice(at, end)) as string
        const names = open[open.length - 1] as Set<string>
        if (names.has(name) || name === 'prototype' || name in Object.prototype) return false
        names.add(name)
      }
      at = end - 1
    }
  }
  return true
}

/** The index behind the closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  for (let code = text.charCodeAt(at); code !== QUOTE; code = text.charCodeAt(at)) {
    at += code === BACKSLASH ? 2 : 1
  }
  return at + 1
}

function isMember(text: string, end: number): boolean {
  let at = end
  while (text.charCodeAt(at) <= 0x20) at += 1
  return text.charCodeAt(at) === COLON
}
