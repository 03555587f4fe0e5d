/** Who asks for a token: Basic or body credentials, either of a client's two secrets. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { PoolClient } from './clients.ts'
import { decodeFormPart } from './form.ts'

interface Credentials {
  readonly clientId: string
  readonly secret: string
}

/**
 * @returns The client, or the error of the answer.
 */
export function authenticate(
  clients: readonly PoolClient[],
  [authorization, ...further]: readonly string[],
  form: ReadonlyMap<string, string>,
): PoolClient | 'invalid_request' | 'invalid_client' {
  const clientId = form.get('client_id')
  const secret = form.get('client_secret')
  if (authorization === undefined) {
    if (clientId === undefined || secret === undefined) return 'invalid_client'
    return clientOf(clients, [{ clientId, secret }]) ?? 'invalid_client'
  }
  if (secret !== undefined || further.length > 0) return 'invalid_request'
  const client = clientOf(clients, basicCredentials(authorization)) ?? 'invalid_client'
  const contradicts =
    client !== 'invalid_client' && (clientId ?? client.clientId) !== client.clientId
  return contradicts ? 'invalid_request' : client
}

/**
 * RFC 6749 section 2.3.1 form-encodes both halves, most clients of Cognito send them as they are:
 * a header is read both ways, so that secrets with `+` and `%` work for either kind.
 */
function basicCredentials(authorization: string): Credentials[] {
  const [, encoded] = /^basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? []
  const text = Buffer.from(encoded ?? '', 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon === -1) return []
  const raw = { clientId: text.slice(0, colon), secret: text.slice(colon + 1) }
  const clientId = decodeFormPart(raw.clientId)
  const secret = decodeFormPart(raw.secret)
  return clientId === undefined || secret === undefined ? [raw] : [raw, { clientId, secret }]
}

function clientOf(
  clients: readonly PoolClient[],
  candidates: readonly Credentials[],
): PoolClient | undefined {
  return clients.find((client) =>
    candidates.some(
      ({ clientId, secret }) =>
        clientId === client.clientId && client.clientSecrets.some((known) => same(known, secret)),
    ),
  )
}

/** Takes as long for a wrong secret as for a right one, whatever their lengths. */
function same(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(left), digest(right))
}
