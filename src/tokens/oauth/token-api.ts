/**
 * The APIs of Cognito that issue tokens for client credentials, behind one interface, and its first implementation:
 * `/oauth2/token` (RFC 6749 section 4.4). The second one is GetClientToken.
 */
import type { BoundedResponse } from '../../core/util/bounded-fetch.ts'
import { type AuthMethod, basicHeader, type ClientCredentials } from './protocol.ts'

/** Parameters of one token request. */
export interface TokenParameters {
  readonly credentials: ClientCredentials
  /** Where `/oauth2/token` expects the credentials. GetClientToken has one place for them. */
  readonly authMethod: AuthMethod
  /** Undefined requests all scopes of the app client. */
  readonly scopes: readonly string[] | undefined
  /** Client metadata for the trigger: the text of a JSON object. */
  readonly metadata: string | undefined
}

/** A token request, for `fetch`. */
export interface TokenApiRequest {
  readonly method: 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A response in the form of `/oauth2/token` (RFC 6749 sections 5.1 and 5.2). */
export interface OAuthResponse {
  readonly status: number
  readonly body: Buffer
  /** Seconds that `Retry-After` asks to wait; not clamped. */
  readonly retryAfter: number | undefined
  /** ID of the request, for AWS Support. Not validated. */
  readonly requestId: string | null
  /** Name of the exception of the user pools API. */
  readonly exception: string | null
}

/** An API that issues tokens. */
export interface TokenApi {
  readonly kind: 'tokenEndpoint' | 'userPoolsApi'
  /** Where requests are sent. Cache keys contain it. */
  readonly url: string
  /** @returns Undefined if the API cannot express the parameters. */
  createRequest(parameters: TokenParameters): TokenApiRequest | undefined
  /** Converts a response of the API to that of `/oauth2/token`. */
  toOAuthResponse(response: BoundedResponse): OAuthResponse
}

/** @param url The token endpoint of Cognito, or of a proxy in front of it. */
export function createTokenEndpointApi(url: string): TokenApi {
  return { kind: 'tokenEndpoint', url, createRequest, toOAuthResponse }
}

/** Sends id and secret in the header without form encoding, as Cognito documents it. */
function createRequest({
  credentials,
  authMethod,
  scopes,
  metadata,
}: TokenParameters): TokenApiRequest {
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  const headers: Record<string, string> = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  }
  if (authMethod === 'client_secret_basic') headers['authorization'] = basicHeader(credentials)
  else {
    form.set('client_id', credentials.clientId)
    form.set('client_secret', credentials.secret)
  }
  if (scopes !== undefined) form.set('scope', scopes.join(' '))
  if (metadata !== undefined) form.set('aws_client_metadata', metadata)
  return { method: 'POST', headers, body: form.toString() }
}

function toOAuthResponse({ status, headers, body, retryAfter }: BoundedResponse): OAuthResponse {
  const requestId = headers.get('x-amz-cognito-request-id')
  return { status, body, retryAfter, requestId, exception: null }
}
