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
  /** ASCII of `header.payload`: what is signed. */
  readonly signingInput: Buffer
  readonly signature: Buffer
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
  const headerPart = decodeBase64url(token.slice(0, first))
  const payloadPart = decodeBase64url(token.slice(first + 1, second))
  const signature = decodeBase64url(token.slice(second + 1))
  if (headerPart === undefined || payloadPart === undefined || signature === undefined) {
    return undefined
  }
  const header = parseStrictObject(headerPart)
  if (header === undefined || header['alg'] !== 'RS256' || 'crit' in header) return undefined
  const { kid } = header
  if (typeof kid !== 'string') return undefined
  const claims = parseStrictObject(payloadPart)
  if (claims === undefined) return undefined
  return { kid, claims, signingInput: Buffer.from(token.slice(0, second), 'latin1'), signature }
}

/** Unpadded, canonical, non-empty; Node's own decoder skips what it does not know. */
function decodeBase64url(part: string): Buffer | undefined {
  if (!BASE64URL.test(part)) return undefined
  const rest = part.length % 4
  if (rest === 1) return undefined
  if (rest !== 0 && !CANONICAL_END[rest as 2 | 3].includes(part.charAt(part.length - 1))) {
    return undefined
  }
  return Buffer.from(part, 'base64url')
}
