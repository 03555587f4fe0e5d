/** Strict parser of `application/x-www-form-urlencoded`: ambiguous input is rejected, not repaired. */
import { isUtf8 } from 'node:buffer'

/** Largest form, in bytes. */
export const MAX_FORM_BYTES: number = 16 * 1024

const CONTENT_TYPE = /^application\/x-www-form-urlencoded(?:\s*;\s*charset=(?:"utf-8"|utf-8))?$/i

export function isForm(contentType: string | undefined): boolean {
  return CONTENT_TYPE.test(contentType ?? '')
}

/**
 * Parses a form. A parameter without a value counts as omitted (RFC 6749 section 3.2).
 *
 * @param keepEmpty Name of the parameter whose empty value is kept.
 * @param ignored Name of the parameter that is dropped, even if it is repeated.
 * @returns Undefined for a repeated parameter, an invalid escape or invalid UTF-8.
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

/** Decodes a name or value. Returns undefined if it cannot be decoded. */
export function decodeFormPart(text: string): string | undefined {
  // Most values contain no escape, and this check is much cheaper than decoding.
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
