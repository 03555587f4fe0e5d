/**
 * What a token depends on, as bytes that no other request has. A list of JSON strings ends where it
 * ends, whatever stands in them, so nothing a caller writes into one part reaches into the next.
 */
import type { TokenRequest } from './request.ts'

/** Where a token is cached. Flight and lock have the same name. */
export interface CacheKey {
  readonly name: string
  readonly group: string
}

/** Characters of Cognito's secrets (`ClientSecretType` of its API). */
const COGNITO_SECRET = /^[\w+]+$/

/**
 * All that an answer depends on. Basic and form credentials share a token. Only a text that Cognito never
 * makes a secret of keeps its method: the header's halves may be decoded where they are checked, so it
 * can be a right secret there and a wrong one in a body.
 */
export function identityOf(endpoint: string, request: TokenRequest): Uint8Array {
  const { authMethod, credentials, scopes, metadata } = request
  return encode([
    endpoint,
    COGNITO_SECRET.test(credentials.secret) ? null : authMethod,
    credentials.clientId,
    credentials.secret,
    // Left out, empty and listed are three things: null, '' and names, which have no blanks.
    scopes === undefined ? null : scopes.join(' '),
    metadata ?? null,
  ])
}

/** An app client with one of its secrets, whatever it asks for: proven together, dropped together. */
export function pairIdentityOf(endpoint: string, { credentials }: TokenRequest): Uint8Array {
  return encode([endpoint, credentials.clientId, credentials.secret])
}

function encode(parts: readonly (string | null)[]): Uint8Array {
  return Buffer.from(JSON.stringify(parts))
}
