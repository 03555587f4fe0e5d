/** Reads the bearer credential of a request: RFC 6750 section 2.1, RFC 9110 section 11.4. */
import type { AuthErrorCode } from '../errors.ts'

/** What Authorization carried: what should be a token, or the reason why there is none. */
export type Credential = { readonly token: string } | AuthErrorCode

/** The parts of an incoming message the header is read from. */
export interface HeaderSource {
  readonly headers: { readonly authorization?: string | undefined }
  readonly rawHeaders?: readonly string[]
}

const SCHEME = 'bearer'
/** Characters an auth-scheme may consist of: one after "Bearer" makes it another scheme. */
const TOKEN_CHARACTER = /[!#$%&'*+.^_`|~0-9A-Za-z-]/
/** A blank or a comma inside the credential: a second token, or parameters. */
const SEPARATOR = /[\s,]/

/**
 * Every Authorization line of a request. Node keeps the first in `headers` and hides the rest, so a
 * second credential is only seen in `rawHeaders`.
 */
export function readAuthorizationHeaders(message: HeaderSource): string | string[] | undefined {
  const { rawHeaders } = message
  // Some in-process upgrade injectors hand over a request without them; sockets always have them.
  if (rawHeaders === undefined) return message.headers.authorization
  let first: string | undefined
  let all: string[] | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (name.length !== 13 || name.toLowerCase() !== 'authorization') continue
    const value = rawHeaders[index + 1] as string
    if (first === undefined) first = value
    else if (all === undefined) all = [first, value]
    else all.push(value)
  }
  return all ?? first
}

/**
 * Reads the credential out of the header. Nothing is decoded here.
 *
 * @param maxTokenLength In characters. Longer is refused before anything looks at it.
 */
export function readBearer(
  authorization: string | readonly string[] | undefined,
  maxTokenLength: number,
): Credential {
  let header: unknown = authorization
  if (Array.isArray(authorization)) {
    if (authorization.length > 1) return 'ERR_REQUEST_INVALID'
    header = authorization[0]
  }
  if (header === undefined || header === null) return 'ERR_TOKEN_MISSING'
  if (typeof header !== 'string') return 'ERR_REQUEST_INVALID'
  if (header.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return 'ERR_TOKEN_MISSING'
  const next = header.charAt(SCHEME.length)
  if (TOKEN_CHARACTER.test(next)) return 'ERR_TOKEN_MISSING'
  // Blanks between scheme and token count too, so looking for its start is bounded as well.
  if (header.length - SCHEME.length - 1 > maxTokenLength) return 'ERR_TOKEN_INVALID'
  if (next !== ' ') return 'ERR_REQUEST_INVALID'
  let start = SCHEME.length + 1
  while (header.charCodeAt(start) === 0x20) start += 1
  const token = header.slice(start)
  return token === '' ? 'ERR_REQUEST_INVALID' : { token }
}

/**
 * Why a credential that cannot be read is refused: it is more than one token, or no good one. Asked
 * only then, because looking through a token costs more than decoding it.
 */
export function classifyMalformed(token: string): 'ERR_REQUEST_INVALID' | 'ERR_TOKEN_INVALID' {
  return SEPARATOR.test(token) ? 'ERR_REQUEST_INVALID' : 'ERR_TOKEN_INVALID'
}
