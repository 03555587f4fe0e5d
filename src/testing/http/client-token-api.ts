/** Handles GetClientToken of Cognito's user pools API: JSON 1.1, with the errors and headers of AWS. */
import { randomUUID } from 'node:crypto'
import {
  AMZ_JSON,
  CLIENT_TOKEN_FLOW,
  GET_CLIENT_TOKEN,
  isStringMap,
} from '../../tokens/oauth/user-pools-api.ts'
import type { PoolClient } from '../clients.ts'
import { hasSecret } from './client-credentials.ts'
import type { JsonResponse } from './token-endpoint.ts'
import type { TokenIssuer } from './token-issuer.ts'

/** A request to the user pools API, with its body. */
export interface ApiRequest {
  readonly contentType: string | undefined
  /** Header `x-amz-target`. */
  readonly target: string | undefined
  /** Undefined if it is larger than the limit of forms. */
  readonly body: Buffer | undefined
}

/** A response of the user pools API, with facts for events. */
export interface ApiResponse extends JsonResponse {
  /** The authenticated app client. */
  readonly clientId: string | null
  /** Name of the exception. */
  readonly error: string | null
}

interface Parameters {
  readonly ClientId: string
  readonly Secret: string
  readonly Scopes?: readonly string[] | null
  readonly ClientMetadata?: Readonly<Record<string, string>> | null
}

/** Handles one request. */
export async function handleApiRequest(
  issuer: TokenIssuer,
  { contentType, target, body }: ApiRequest,
): Promise<ApiResponse> {
  if (target !== GET_CLIENT_TOKEN || contentType !== AMZ_JSON) {
    return createException('UnknownOperationException', 'The operation is not served.')
  }
  const input = parseInput(body)
  if ('status' in input) return input
  const fault = findFault(input.members)
  if (fault !== undefined) return createException('InvalidParameterException', fault)
  return getClientToken(issuer, input.members as unknown as Parameters)
}

/** @returns The members of the body, or the error response to anything but a JSON object. */
export function parseInput(
  body: Buffer | undefined,
): { readonly members: Readonly<Record<string, unknown>> } | ApiResponse {
  if (body === undefined) {
    return createException('RequestEntityTooLargeException', 'Request too large', { status: 413 })
  }
  const members = parseJson(body)
  return members === undefined
    ? createException('SerializationException', 'Expected JSON')
    : { members }
}

async function getClientToken(
  issuer: TokenIssuer,
  { ClientId, Secret, Scopes, ClientMetadata }: Parameters,
): Promise<ApiResponse> {
  const client = issuer.pool.clients.find(({ clientId }) => clientId === ClientId)
  if (client === undefined) {
    return createException(
      'ResourceNotFoundException',
      `User pool client ${ClientId} does not exist.`,
    )
  }
  if (!hasSecret(client, Secret)) {
    return createException('NotAuthorizedException', 'Invalid client or secret')
  }
  const { clientId } = client
  if (!client.clientToken) {
    const message = `${CLIENT_TOKEN_FLOW} flow not enabled for this client`
    return createException('InvalidParameterException', message, { clientId })
  }
  const result = await issuer.issue({
    client,
    scopes: Scopes ?? undefined,
    clientMetadata: ClientMetadata ?? undefined,
  })
  switch (result.kind) {
    case 'scope':
      return createException('InvalidParameterException', 'Invalid scope requested.', { clientId })
    case 'trigger':
      return createException(result.error.exception, result.error.message, { clientId })
    case 'issued':
      return createTokenResult(client, result)
  }
}

function createTokenResult(
  { clientId }: PoolClient,
  { accessToken, expiresIn }: { readonly accessToken: string; readonly expiresIn: number },
): ApiResponse {
  const result = { AccessToken: accessToken, ExpiresIn: expiresIn, TokenType: 'Bearer' }
  return {
    status: 200,
    headers: createHeaders(),
    body: { ClientAuthenticationResult: result },
    clientId,
    error: null,
  }
}

/** @returns The constraint that a parameter violates, in the words of AWS. */
function findFault(input: Readonly<Record<string, unknown>>): string | undefined {
  const { Scopes = null, ClientMetadata = null } = input
  for (const name of ['ClientId', 'Secret']) {
    const value = input[name]
    if (typeof value === 'string' && value !== '') continue
    return describeConstraint(name, 'Member must not be null')
  }
  const isScopes = Array.isArray(Scopes) && Scopes.every((scope) => typeof scope === 'string')
  if (Scopes !== null && !isScopes) return describeConstraint('Scopes', 'Member must be a list')
  if (ClientMetadata === null || isStringMap(ClientMetadata)) return undefined
  return describeConstraint('ClientMetadata', 'Member must be a map of strings')
}

/** A violated constraint of a parameter, in the words of AWS. */
export function describeConstraint(name: string, constraint: string): string {
  const member = `${name.charAt(0).toLowerCase()}${name.slice(1)}`
  return `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${constraint}`
}

function parseJson(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Creates an error response. */
export function createException(
  name: string,
  message: string,
  { status = 400, clientId = null }: { status?: number; clientId?: string | null } = {},
): ApiResponse {
  return {
    status,
    // A colon ends the name, before an optional URL.
    headers: { ...createHeaders(), 'x-amzn-errortype': `${name}:` },
    body: { __type: name, message },
    clientId,
    error: name,
  }
}

/** Headers of every response. */
export function createHeaders(): Record<string, string> {
  return { 'content-type': AMZ_JSON, 'x-amzn-requestid': randomUUID() }
}
