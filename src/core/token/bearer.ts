/** Reads the bearer credential of a request: RFC 6750 section 2.1, RFC 9110 section 11.4. */
import type { AuthErrorCode } from '../errors.ts'

/** The token that the Authorization header carried, or why there is none. */
export type Credential =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'rejected'; readonly code: AuthErrorCode }

/** The parts of an incoming message that hold the header. */
export interface HeaderSource {
  readonly headers: { readonly authorization?: string | undefined }
  readonly rawHeaders?: readonly string[]
}

const MISSING: Credential = { kind: 'rejected', code: 'ERR_TOKEN_MISSING' }
const TOO_LONG: Credential = { kind: 'rejected', code: 'ERR_TOKEN_INVALID' }
const MALFORMED: Credential = { kind: 'rejected', code: 'ERR_REQUEST_INVALID' }

const SCHEME = 'bearer'
/** Characters an auth-scheme may consist of: one after "Bearer" makes it another scheme. */
const TOKEN_CHARACTER = /[!#$%&'*+.^_`|~0-9A-Za-z-]/
/** A blank or a comma inside the credential: a second token, or parameters. */
const SEPARATOR = /[\s,]/

/**
 * Returns every Authorization header of a request. Node keeps the first in `headers` and drops the rest, so
 * only `rawHeaders` shows a second credential.
 */
export function readAuthorizationHeaders(message: HeaderSource): string | string[] | undefined {
  const { rawHeaders } = message
  // Some in-process upgrade injectors pass a request without them. Sockets always have them.
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
 * Reads the credential from the header. Nothing is decoded here.
 *
 * @param maxTokenLength In characters. A longer header is rejected before the rest of it is read.
 */
export function readBearer(
  authorization: string | readonly string[] | undefined,
  maxTokenLength: number,
): Credential {
  let header: unknown = authorization
  if (Array.isArray(authorization)) {
    if (authorization.length > 1) return MALFORMED
    header = authorization[0]
  }
  if (header === undefined || header === null) return MISSING
  if (typeof header !== 'string') return MALFORMED
  if (header.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return MISSING
  const next = header.charAt(SCHEME.length)
  if (TOKEN_CHARACTER.test(next)) return MISSING
  // Blanks between scheme and token count too, which bounds the loop below.
  if (header.length - SCHEME.length - 1 > maxTokenLength) return TOO_LONG
  if (next !== ' ') return MALFORMED
  let start = SCHEME.length + 1
  while (header.charCodeAt(start) === 0x20) start += 1
  const token = header.slice(start)
  return token === '' ? MALFORMED : { kind: 'token', token }
}

/**
 * Why a token that cannot be decoded is rejected: it is several tokens, or one malformed token. Called only
 * then, because scanning a token costs more than decoding it.
 */
export function classifyMalformed(token: string): 'ERR_REQUEST_INVALID' | 'ERR_TOKEN_INVALID' {
  return SEPARATOR.test(token) ? 'ERR_REQUEST_INVALID' : 'ERR_TOKEN_INVALID'
}
