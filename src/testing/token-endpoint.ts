/** `/oauth2/token` for client credentials, with Cognito's answers and errors. */
import { randomUUID } from 'node:crypto'
import type { Scope } from '../core/register.ts'
import { isForm, parseForm } from '../oauth/form.ts'
import { authenticate } from './client-credentials.ts'
import type { PoolClient } from './clients.ts'
import type { UserPoolAuthority } from './test-user-pool.ts'

/** The errors Cognito documents for this endpoint. */
export type TokenError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'

/** A request, its body read. */
export interface TokenRequest {
  readonly method: string
  readonly contentType: string | undefined
  /** Every Authorization line: Node's `headers` keeps the first and hides the others. */
  readonly authorization: readonly string[]
  /** undefined: larger than a form may be. */
  readonly body: Buffer | undefined
}

/** An answer in JSON. */
export interface JsonAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** Answers one token request. */
export function answerTokenRequest(pool: UserPoolAuthority, request: TokenRequest): JsonAnswer {
  if (request.method !== 'POST') return refuse('invalid_request', 405, { allow: 'POST' })
  if (!isForm(request.contentType)) return refuse('invalid_request')
  if (request.body === undefined) return refuse('invalid_request', 413)
  const form = parseForm(request.body)
  const grantType = form?.get('grant_type')
  if (form === undefined || grantType === undefined) return refuse('invalid_request')
  if (grantType !== 'client_credentials') return refuse('unsupported_grant_type')
  const client = authenticate(pool.clients, request.authorization, form)
  if (typeof client === 'string') return refuse(client)
  if (!client.oauth) return refuse('invalid_grant')
  if (!client.flows.includes('client_credentials')) return refuse('unauthorized_client')
  const scopes = grantedScopes(client, form.get('scope'))
  if (scopes === undefined) return refuse('invalid_scope')
  if (!isMetadata(form.get('aws_client_metadata'))) return refuse('invalid_request')
  return answer(200, {
    access_token: pool.accessToken({
      clientId: client.clientId,
      scopes: scopes as readonly Scope[],
    }),
    expires_in: client.accessTokenValidity,
    token_type: 'Bearer',
  })
}

/** Omitted means all the client may have. */
function grantedScopes(client: PoolClient, asked?: string): readonly string[] | undefined {
  if (asked === undefined) return client.scopes
  const scopes = [...new Set(asked.split(' '))]
  return scopes.every((scope) => client.scopes.includes(scope)) ? scopes : undefined
}

/** A JSON object of strings, for the pre-token-generation trigger this pool does not have. */
function isMetadata(text: string | undefined): boolean {
  if (text === undefined) return true
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

function refuse(error: TokenError, status = 400, headers = {}): JsonAnswer {
  return answer(status, { error }, headers)
}

function answer(status: number, body: unknown, headers: Record<string, string> = {}): JsonAnswer {
  return {
    status,
    headers: {
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'x-amz-cognito-request-id': randomUUID(),
      ...headers,
    },
    body,
  }
}
