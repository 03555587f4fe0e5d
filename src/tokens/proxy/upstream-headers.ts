/** Headers the proxy adds towards Cognito: constants, or secrets that rotate. */
import { OptionError, readMembers, show } from '../../core/options/validate.ts'

/** A header's value, or a function that is asked for it before each request to Cognito. */
export type UpstreamHeader = string | (() => string | Promise<string>)

const NAME = /^[!#$%&'*+.^`|~\w-]{1,128}$/
/** Visible ASCII with blanks inside: no line break begins another header. */
const VALUE = /^[\x21-\x7e](?:[\x20-\x7e]{0,4094}[\x21-\x7e])?$/

/** What the proxy writes itself, and what belongs to the connection. */
const RESERVED = new Set([
  ...['accept', 'authorization', 'content-length', 'content-type', 'cookie', 'host'],
  ...['connection', 'expect', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
])

/** @throws {OptionError} `ERR_OPTION_INVALID`, without the value: it is a secret. */
export function readUpstreamHeaders(value: unknown = {}): ReadonlyMap<string, UpstreamHeader> {
  const names = Object.keys(Object(value) as object)
  const members = readMembers(value, names, 'headers')
  const headers = new Map<string, UpstreamHeader>()
  for (const [given, header] of Object.entries(members)) {
    const name = given.toLowerCase()
    const place = `headers.${given}`
    if (!NAME.test(given)) {
      throw new OptionError('headers', `has ${show(given)}: that is no name of a header`)
    }
    if (RESERVED.has(name) || headers.has(name)) {
      throw new OptionError(place, 'is written by the proxy or named twice: leave it out')
    }
    if (typeof header !== 'function' && !isValue(header)) {
      throw new OptionError(
        place,
        'has no value a header can have: pass visible ASCII, or a function that answers it',
      )
    }
    headers.set(name, header as UpstreamHeader)
  }
  return headers
}

/**
 * Asks for the values of this moment.
 *
 * @returns Undefined where one of them cannot be had: without its secret header a request would
 *   only be refused by a firewall, or pass where none is asked for.
 */
export async function valuesOf(
  headers: ReadonlyMap<string, UpstreamHeader>,
): Promise<Record<string, string> | undefined> {
  const values: Record<string, string> = Object.create(null)
  try {
    for (const [name, header] of headers) {
      const value: unknown = typeof header === 'string' ? header : await header()
      if (!isValue(value)) return undefined
      values[name] = value
    }
    return values
  } catch {
    return undefined
  }
}

function isValue(value: unknown): value is string {
  return typeof value === 'string' && VALUE.test(value)
}
