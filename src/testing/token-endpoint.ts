/** `/oauth2/token` for client credentials, with Cognito's answers and errors. */
import { randomUUID } from 'node:crypto'
import type { Scope } from '../core/scopes.ts'
import { isForm, parseForm } from '../tokens/oauth/form.ts'
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
  /** Over the quota: what its API says; for this endpoint no body is documented. */
  | 'TooManyRequestsException'

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
export interface JsonResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** The answer to a token request, and what became known on the way. */
export interface TokenResponse extends JsonResponse {
  /** What was asked; empty where it could not be read. */
  readonly form: ReadonlyMap<string, string>
  /** The app client, once its secret, where it has one, was right. */
  readonly clientId: string | null
  readonly error: TokenError | null
}

type RequestFacts = Pick<TokenResponse, 'form' | 'clientId'>

const NO_FACTS: RequestFacts = { form: new Map(), clientId: null }

/** Answers one token request. */
export function handleTokenRequest(pool: UserPoolAuthority, request: TokenRequest): TokenResponse {
  if (request.method !== 'POST') {
    return createTokenError('invalid_request', 405, NO_FACTS, { allow: 'POST' })
  }
  if (!isForm(request.contentType)) return createTokenError('invalid_request')
  if (request.body === undefined) return createTokenError('invalid_request', 413)
  const form = parseForm(request.body)
  if (form === undefined) return createTokenError('invalid_request')
  return handleForm(pool, form, request.authorization)
}

function handleForm(
  pool: UserPoolAuthority,
  form: ReadonlyMap<string, string>,
  authorization: readonly string[],
): TokenResponse {
  const refuse = (error: TokenError, clientId: string | null = null): TokenResponse =>
    createTokenError(error, 400, { form, clientId })
  const grantType = form.get('grant_type')
  if (grantType === undefined) return refuse('invalid_request')
  if (grantType !== 'client_credentials') return refuse('unsupported_grant_type')
  const client = authenticate(pool.clients, authorization, form)
  if (typeof client === 'string') return refuse(client)
  const { clientId } = client
  if (!client.oauth) return refuse('invalid_grant', clientId)
  if (!client.flows.includes('client_credentials')) return refuse('unauthorized_client', clientId)
  const scopes = selectScopes(client, form.get('scope'))
  if (scopes === undefined) return refuse('invalid_scope', clientId)
  if (!isMetadata(form.get('aws_client_metadata'))) return refuse('invalid_request', clientId)
  const body = {
    access_token: pool.accessToken({ clientId, scopes: scopes as readonly Scope[] }),
    expires_in: client.accessTokenValidity,
    token_type: 'Bearer',
  }
  return { ...createResponse(200, body), form, clientId, error: null }
}

/** Omitted means all the client may have. */
function selectScopes(client: PoolClient, asked?: string): readonly string[] | undefined {
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

/** @param seen What became known before it was refused. */
export function createTokenError(
  error: TokenError,
  status = 400,
  seen: RequestFacts = NO_FACTS,
  headers = {},
): TokenResponse {
  return { ...createResponse(status, { error }, headers), ...seen, error }
}

function createResponse(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): JsonResponse {
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
