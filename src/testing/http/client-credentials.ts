/** Authenticates the app client of a token request: HTTP Basic or body credentials, with either of its secrets. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { type ClientCredentials, readBasic } from '../../tokens/oauth/protocol.ts'
import type { PoolClient } from '../clients.ts'

/**
 * @returns The client, or the OAuth error of the response.
 */
export function authenticate(
  clients: readonly PoolClient[],
  [authorization, ...otherHeaders]: readonly string[],
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
  if (secret !== undefined || otherHeaders.length > 0) return 'invalid_request'
  const client = findClient(clients, readBasic(authorization)) ?? 'invalid_client'
  const isContradiction =
    client !== 'invalid_client' && (clientId ?? client.clientId) !== client.clientId
  return isContradiction ? 'invalid_request' : client
}

function findClient(
  clients: readonly PoolClient[],
  candidates: readonly ClientCredentials[],
): PoolClient | undefined {
  return clients.find((client) =>
    candidates.some(
      ({ clientId, secret }) => clientId === client.clientId && hasSecret(client, secret),
    ),
  )
}

/** Whether a secret is one of the client's. */
export function hasSecret({ clientSecrets }: PoolClient, secret: string): boolean {
  return clientSecrets.some((expected) => isSameSecret(expected, secret))
}

/** Constant-time comparison: digests have one length, whatever the lengths of the secrets. */
function isSameSecret(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(left), digest(right))
}
