/**
 * Strict decoding of a compact JWS (RFC 7515 section 7.1) with the one header accepted here: `alg`
 * exactly RS256, a `kid`, no `crit`. Keys a header may bring along (`jwk`, `jku`, `x5u`, `x5c`) are
 * never looked at. Nothing is verified yet.
 */
import type { JsonObject } from './strict-json.ts'
import { parseStrictObject } from './strict-json.ts'

/** A decoded, unverified token. */
export interface Jws {
  readonly kid: string
  readonly claims: JsonObject
  /** `header.payload`: what is signed, in ASCII. */
  readonly signingInput: string
  /** Canonical base64url, not decoded yet: most refusals never look at it. */
  readonly signature: string
}

const BASE64URL = /^[A-Za-z0-9_-]+$/
/** Last characters whose unused bits are zero, where 2 or 3 characters remain of the last four. */
const CANONICAL_END = { 2: 'AQgw', 3: 'AEIMQUYcgkosw048' } as const

/** Decodes a token, or answers undefined where it is not exactly what is accepted. */
export function decodeJws(token: string): Jws | undefined {
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  // A third dot fails below: it is no base64url character.
  if (second === -1) return undefined
  const signature = token.slice(second + 1)
  const header = decodePart(token.slice(0, first))
  if (header === undefined || header['alg'] !== 'RS256' || 'crit' in header) return undefined
  const { kid } = header
  if (typeof kid !== 'string' || !isBase64url(signature)) return undefined
  const claims = decodePart(token.slice(first + 1, second))
  return claims && { kid, claims, signingInput: token.slice(0, second), signature }
}

function decodePart(part: string): JsonObject | undefined {
  return isBase64url(part) ? parseStrictObject(Buffer.from(part, 'base64url')) : undefined
}

/** Unpadded, canonical, non-empty; Node's own decoder skips what it does not know. */
function isBase64url(part: string): boolean {
  if (!BASE64URL.test(part)) return false
  const rest = part.length % 4
  if (rest === 0) return true
  return rest !== 1 && CANONICAL_END[rest as 2 | 3].includes(part.charAt(part.length - 1))
}
