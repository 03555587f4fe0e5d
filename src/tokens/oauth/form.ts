/** Reads `application/x-www-form-urlencoded` strictly: what is ambiguous is refused, not repaired. */
import { isUtf8 } from 'node:buffer'

/** Largest form that is read, in bytes. */
export const MAX_FORM_BYTES: number = 16 * 1024

const CONTENT_TYPE = /^application\/x-www-form-urlencoded(?:\s*;\s*charset=(?:"utf-8"|utf-8))?$/i

export function isForm(contentType: string | undefined): boolean {
  return CONTENT_TYPE.test(contentType ?? '')
}

/**
 * The parameters, or undefined for a repeated one, a broken escape or invalid UTF-8. One without a
 * value counts as left out (RFC 6749 section 3.2).
 *
 * @param keepEmpty Name of the one parameter that is told apart: empty where it is sent without a value.
 * @param ignored Name of the one parameter that is left out, however often it is sent.
 */
export function parseForm(
  body: Buffer,
  keepEmpty?: string,
  ignored?: string,
): ReadonlyMap<string, string> | undefined {
  if (!isUtf8(body)) return undefined
  const parameters = new Map<string, string>()
  const seen = new Set<string>()
  for (const pair of body.toString('utf8').split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decodeFormPart(equals === -1 ? pair : pair.slice(0, equals))
    const value = decodeFormPart(equals === -1 ? '' : pair.slice(equals + 1))
    if (name === undefined || value === undefined || seen.has(name)) return undefined
    if (name === ignored) continue
    seen.add(name)
    if (value !== '' || name === keepEmpty) parameters.set(name, value)
  }
  return parameters
}

/** One name or value; undefined where it cannot be decoded. */
export function decodeFormPart(text: string): string | undefined {
  // Most have nothing to decode, and looking is far cheaper than decoding.
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
