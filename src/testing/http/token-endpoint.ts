/** Handles requests to `/oauth2/token` for client credentials, with the responses of Cognito. */
import { randomUUID } from 'node:crypto'
import { isForm, parseForm } from '../../tokens/oauth/protocol.ts'
import { parseClientMetadata } from '../../tokens/oauth/user-pools-api.ts'
import { authenticate } from './client-credentials.ts'
import type { TokenIssuer } from './token-issuer.ts'

/** The errors of this endpoint, as Cognito documents them. */
export type TokenError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  /** Over the quota. The name is that of Cognito's API: this endpoint has no documented body. */
  | 'TooManyRequestsException'
  /** Faults, with the names of the API's exceptions. */
  | 'InternalErrorException'
  | 'OperationNotEnabledException'

/** A token request, with its body. */
export interface TokenRequest {
  readonly method: string
  readonly contentType: string | undefined
  /** All Authorization headers: Node's `headers` contains only the first. */
  readonly authorization: readonly string[]
  /** Undefined if it is larger than the limit of forms. */
  readonly body: Buffer | undefined
}

/** A response with a JSON body. */
export interface JsonResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** The response to a token request, with facts for its log. */
export interface TokenResponse extends JsonResponse {
  /** Parameters of the request. Empty if the body could not be parsed. */
  readonly form: ReadonlyMap<string, string>
  /** The authenticated app client. */
  readonly clientId: string | null
  readonly error: TokenError | null
}

type RequestFacts = Pick<TokenResponse, 'form' | 'clientId'>

const NO_FACTS: RequestFacts = { form: new Map(), clientId: null }

/** Handles one token request. */
export async function handleTokenRequest(
  issuer: TokenIssuer,
  request: TokenRequest,
): Promise<TokenResponse> {
  if (request.method !== 'POST') {
    return createTokenError('invalid_request', 405, NO_FACTS, { allow: 'POST' })
  }
  if (!isForm(request.contentType)) return createTokenError('invalid_request')
  if (request.body === undefined) return createTokenError('invalid_request', 413)
  const form = parseForm(request.body)
  if (form === undefined) return createTokenError('invalid_request')
  return handleForm(issuer, form, request.authorization)
}

async function handleForm(
  issuer: TokenIssuer,
  form: ReadonlyMap<string, string>,
  authorization: readonly string[],
): Promise<TokenResponse> {
  const reject = (error: TokenError, clientId: string | null = null): TokenResponse =>
    createTokenError(error, 400, { form, clientId })
  const grantType = form.get('grant_type')
  if (grantType === undefined) return reject('invalid_request')
  if (grantType !== 'client_credentials') return reject('unsupported_grant_type')
  const client = authenticate(issuer.pool.clients, authorization, form)
  if (typeof client === 'string') return reject(client)
  const { clientId } = client
  if (!client.oauth) return reject('invalid_grant', clientId)
  if (!client.flows.includes('client_credentials')) return reject('unauthorized_client', clientId)
  const metadata = form.get('aws_client_metadata')
  const clientMetadata = metadata === undefined ? undefined : parseClientMetadata(metadata)
  if (metadata !== undefined && clientMetadata === undefined) {
    return reject('invalid_request', clientId)
  }
  const scopes = form.get('scope')?.split(' ')
  const result = await issuer.issue({ client, scopes, clientMetadata })
  if (result.kind === 'scope') return reject('invalid_scope', clientId)
  if (result.kind === 'trigger') {
    const { body, ...rejection } = reject('invalid_request', clientId)
    return { ...rejection, body: { ...Object(body), error_description: result.error.message } }
  }
  const body = {
    access_token: result.accessToken,
    expires_in: result.expiresIn,
    token_type: 'Bearer',
  }
  return { ...createResponse(200, body), form, clientId, error: null }
}

/** @param facts Facts of the request before the error. */
export function createTokenError(
  error: TokenError,
  status = 400,
  facts: RequestFacts = NO_FACTS,
  headers = {},
): TokenResponse {
  return { ...createResponse(status, { error }, headers), ...facts, error }
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
