/** Reads and writes client credentials in a Basic Authorization header. */
import { decodeFormPart } from './form.ts'

/** The id of an app client with one of its secrets. */
export interface ClientCredentials {
  readonly clientId: string
  readonly secret: string
}

/**
 * Reads a Basic header in two ways, so that secrets with `+` and `%` work. RFC 6749 section 2.3.1 form-encodes id
 * and secret, but most clients of Cognito do not.
 *
 * @returns The credentials as sent, and decoded if they can be decoded. Empty for any other header.
 */
export function readBasic(authorization: string): ClientCredentials[] {
  const [, encoded] = /^basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? []
  const text = Buffer.from(encoded ?? '', 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon === -1) return []
  const raw = { clientId: text.slice(0, colon), secret: text.slice(colon + 1) }
  const clientId = decodeFormPart(raw.clientId)
  const secret = decodeFormPart(raw.secret)
  return clientId === undefined || secret === undefined ? [raw] : [raw, { clientId, secret }]
}

/** Returns the header without form encoding, as Cognito documents it. */
export function basicHeader({ clientId, secret }: ClientCredentials): string {
  return `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`
}
