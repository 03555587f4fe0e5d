/** Who asks for a token: Basic or body credentials, either of a client's two secrets; public clients say who they are. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { type ClientCredentials, readBasic } from '../tokens/oauth/basic.ts'
import type { PoolClient } from './clients.ts'

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
    if (clientId === undefined) return 'invalid_client'
    const client =
      secret === undefined
        ? clients.find((it) => it.clientId === clientId && it.clientSecrets.length === 0)
        : findClient(clients, [{ clientId, secret }])
    return client ?? 'invalid_client'
  }
  if (secret !== undefined || further.length > 0) return 'invalid_request'
  const client = findClient(clients, readBasic(authorization)) ?? 'invalid_client'
  const contradicts =
    client !== 'invalid_client' && (clientId ?? client.clientId) !== client.clientId
  return contradicts ? 'invalid_request' : client
}

function findClient(
  clients: readonly PoolClient[],
  candidates: readonly ClientCredentials[],
): PoolClient | undefined {
  return clients.find((client) =>
    candidates.some(
      ({ clientId, secret }) =>
        clientId === client.clientId &&
        client.clientSecrets.some((known) => isSameSecret(known, secret)),
    ),
  )
}

/** Takes as long for a wrong secret as for a right one, whatever their lengths. */
function isSameSecret(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(left), digest(right))
}
