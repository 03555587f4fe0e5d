/**
 * Strict decoding of a compact JWS (RFC 7515 section 7.1) with the one header accepted here: `alg`
 * exactly RS256, a `kid`, no `crit`. Keys in a header (`jwk`, `jku`, `x5u`, `x5c`) are ignored. Nothing is
 * verified yet.
 */
import { countMembers, type JsonObject, MAX_MEMBERS, parseStrictObject } from './strict-json.ts'

/** A header that is accepted. */
export interface JwsHeader {
  readonly kid: string
  /** The payload may have the members that the header leaves of the limit. */
  readonly memberCount: number
}

/** A decoded, unverified token. */
export interface Jws {
  readonly header: JwsHeader
  /** As received: base64url. */
  readonly encodedHeader: string
  readonly claims: JsonObject
  /** `header.payload`, in ASCII: the signature covers it. */
  readonly signingInput: string
  /** Canonical base64url, not decoded yet: most rejections never need it. */
  readonly signature: string
}

/** Tests all three parts in one pass: a test per part takes three times as long. */
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
/**
 * The header as Cognito writes it: two members, and a kid in ASCII without escapes. A flood of unknown kids would cost a
 * microsecond more per token if each header was parsed as JSON.
 */
const COGNITO_HEADER = /^\{"kid":"([ !#-[\]-~]+)","alg":"RS256"\}$/
/** Cached headers. A pool has two or three, plus those of retired keys. */
const MAX_HEADERS = 100
/** Last characters whose unused bits are zero, if the last group has 2 or 3 characters. */
const CANONICAL_END = { 2: 'AQgw', 3: 'AEIMQUYcgkosw048' } as const

/**
 * Decodes a token.
 *
 * @param headers Headers that were decoded before, by their text: the tokens of a pool share a few.
 * @returns Undefined for anything that does not have exactly the accepted form.
 */
export function decodeJws(token: string, headers: ReadonlyMap<string, JwsHeader>): Jws | undefined {
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  // Finding the dots first is cheap, and rejects long garbage without a second pass.
  if (second === -1 || !COMPACT.test(token)) return undefined
  const encodedHeader = token.slice(0, first)
  const header = headers.get(encodedHeader) ?? readHeader(encodedHeader)
  const signature = token.slice(second + 1)
  if (header === undefined || !isCanonical(signature)) return undefined
  const payload = decodePart(token.slice(first + 1, second))
  const claims = payload && parseStrictObject(payload, MAX_MEMBERS - header.memberCount)
  return (
    claims && { header, encodedHeader, claims, signingInput: token.slice(0, second), signature }
  )
}

/** Caches a header. For verified tokens only, so that unauthenticated callers cannot fill the cache. */
export function rememberHeader(
  headers: Map<string, JwsHeader>,
  { header, encodedHeader }: Jws,
): void {
  if (headers.has(encodedHeader)) return
  if (headers.size >= MAX_HEADERS) headers.clear()
  headers.set(encodedHeader, header)
}

/** Undefined if the header is not accepted. */
function readHeader(part: string): JwsHeader | undefined {
  const bytes = decodePart(part)
  if (bytes === undefined) return undefined
  const [, kid] = COGNITO_HEADER.exec(bytes.toString('latin1')) ?? []
  return kid === undefined ? parseHeader(bytes) : { kid, memberCount: 2 }
}

function parseHeader(bytes: Buffer): JwsHeader | undefined {
  const header = parseStrictObject(bytes, MAX_MEMBERS)
  if (header === undefined || header['alg'] !== 'RS256' || 'crit' in header) return undefined
  const { kid } = header
  return typeof kid === 'string' ? { kid, memberCount: countMembers(header) } : undefined
}

function decodePart(part: string): Buffer | undefined {
  return isCanonical(part) ? Buffer.from(part, 'base64url') : undefined
}

/** Expects base64url characters. Node's own decoder ignores unused bits that are not zero. */
function isCanonical(part: string): boolean {
  const remainder = part.length % 4
  if (remainder === 0) return true
  return remainder !== 1 && CANONICAL_END[remainder as 2 | 3].includes(part.charAt(part.length - 1))
}
