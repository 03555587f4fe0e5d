/**
 * Strict decoding of a compact JWS (RFC 7515 section 7.1) with the one header accepted here: `alg`
 * exactly RS256, a `kid`, no `crit`. Keys a header may bring along (`jwk`, `jku`, `x5u`, `x5c`) are
 * never looked at. Nothing is verified yet.
 */
import type { JsonObject } from './strict-json.ts'
import { parseStrictObject } from './strict-json.ts'

/** A decoded, unverified token. */
export interface Jws {
  /** As it came: base64url. */
  readonly header: string
  readonly kid: string
  readonly claims: JsonObject
  /** `header.payload`: what is signed, in ASCII. */
  readonly signingInput: string
  /** Canonical base64url, not decoded yet: most refusals never look at it. */
  readonly signature: string
}

/** Three parts, one pass: looking at each by itself takes three times as long. */
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
/** Headers of tokens whose kid is kept: two or three a pool, and those of keys that went. */
const MAX_HEADERS = 100
/** Last characters whose unused bits are zero, where 2 or 3 characters remain of the last four. */
const CANONICAL_END = { 2: 'AQgw', 3: 'AEIMQUYcgkosw048' } as const

/**
 * Decodes a token, or answers undefined where it is not exactly what is accepted.
 *
 * @param kids The kids of headers that were read before: a pool's tokens share a few.
 */
export function decodeJws(token: string, kids: ReadonlyMap<string, string>): Jws | undefined {
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  // Dots are found in no time, so that the longest garbage is not looked through twice.
  if (second === -1 || !COMPACT.test(token)) return undefined
  const header = token.slice(0, first)
  const kid = kids.get(header) ?? readKid(header)
  const signature = token.slice(second + 1)
  if (kid === undefined || !isCanonical(signature)) return undefined
  const claims = decodePart(token.slice(first + 1, second))
  return claims && { header, kid, claims, signingInput: token.slice(0, second), signature }
}

/** Keeps the kid of a header. Of verified tokens alone, so that strangers can fill nothing. */
export function rememberKid(kids: Map<string, string>, { header, kid }: Jws): void {
  if (kids.get(header) === kid) return
  if (kids.size >= MAX_HEADERS) kids.clear()
  kids.set(header, kid)
}

/** The kid of a header that has nothing else to it than what is accepted. */
function readKid(part: string): string | undefined {
  const header = decodePart(part)
  if (header === undefined || header['alg'] !== 'RS256' || 'crit' in header) return undefined
  return typeof header['kid'] === 'string' ? header['kid'] : undefined
}

function decodePart(part: string): JsonObject | undefined {
  return isCanonical(part) ? parseStrictObject(Buffer.from(part, 'base64url')) : undefined
}

/** Of base64url characters; Node's own decoder takes any end for one that is canonical. */
function isCanonical(part: string): boolean {
  const rest = part.length % 4
  if (rest === 0) return true
  return rest !== 1 && CANONICAL_END[rest as 2 | 3].includes(part.charAt(part.length - 1))
}
