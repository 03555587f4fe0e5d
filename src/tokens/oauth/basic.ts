/** Client credentials in an Authorization header, in the two spellings clients of Cognito send. */
import { decodeFormPart } from './form.ts'

/** An app client's id with one of its secrets. */
export interface ClientCredentials {
  readonly clientId: string
  readonly secret: string
}

/**
 * RFC 6749 section 2.3.1 form-encodes both halves, most clients of Cognito send them as they are: a
 * header is read both ways, so that secrets with `+` and `%` work for either kind.
 *
 * @returns As sent, then decoded where that is possible; empty where the header is no Basic one.
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

/** The header for a pair, as Cognito documents it: neither half form-encoded. */
export function basicHeader({ clientId, secret }: ClientCredentials): string {
  return `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`
}
