/**
 * Strict decoding of a compact JWS (RFC 7515 section 7.1) with the one header accepted here: `alg`
 * exactly RS256, a `kid`, no `crit`. Keys in a header (`jwk`, `jku`, `x5u`, `x5c`) are ignored. Nothing is
 * verified yet.
 */
import { type JsonObject, parseStrictObject } from './strict-json.ts'

/** A decoded, unverified token. */
export interface Jws {
  /** As received: base64url. */
  readonly header: string
  readonly kid: string
  readonly claims: JsonObject
  /** `header.payload`, in ASCII: the signature covers it. */
  readonly signingInput: string
  /** Canonical base64url, not decoded yet: most rejections never need it. */
  readonly signature: string
}

/** Tests all three parts in one pass: a test per part takes three times as long. */
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
/** Cached headers. A pool has two or three, plus those of retired keys. */
const MAX_HEADERS = 100
/** Last characters whose unused bits are zero, if the last group has 2 or 3 characters. */
const CANONICAL_END = { 2: 'AQgw', 3: 'AEIMQUYcgkosw048' } as const

/**
 * Decodes a token.
 *
 * @param kids Kids by headers that were decoded before: the tokens of a pool share a few headers.
 * @returns Undefined for anything that does not have exactly the accepted form.
 */
export function decodeJws(token: string, kids: ReadonlyMap<string, string>): Jws | undefined {
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  // Finding the dots first is cheap, and rejects long garbage without a second pass.
  if (second === -1 || !COMPACT.test(token)) return undefined
  const header = token.slice(0, first)
  const kid = kids.get(header) ?? readKid(header)
  const signature = token.slice(second + 1)
  if (kid === undefined || !isCanonical(signature)) return undefined
  const claims = decodePart(token.slice(first + 1, second))
  return claims && { header, kid, claims, signingInput: token.slice(0, second), signature }
}

/** Caches the kid of a header. For verified tokens only, so that unauthenticated callers cannot fill it. */
export function rememberKid(kids: Map<string, string>, { header, kid }: Jws): void {
  if (kids.get(header) === kid) return
  if (kids.size >= MAX_HEADERS) kids.clear()
  kids.set(header, kid)
}

/** The kid of a header; undefined if the header is not accepted. */
function readKid(part: string): string | undefined {
  const header = decodePart(part)
  if (header === undefined || header['alg'] !== 'RS256' || 'crit' in header) return undefined
  return typeof header['kid'] === 'string' ? header['kid'] : undefined
}

function decodePart(part: string): JsonObject | undefined {
  return isCanonical(part) ? parseStrictObject(Buffer.from(part, 'base64url')) : undefined
}

/** Expects base64url characters. Node's own decoder ignores unused bits that are not zero. */
function isCanonical(part: string): boolean {
  const remainder = part.length % 4
  if (remainder === 0) return true
  return remainder !== 1 && CANONICAL_END[remainder as 2 | 3].includes(part.charAt(part.length - 1))
}
