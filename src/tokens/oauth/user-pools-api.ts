/**
 * GetClientToken of Cognito's user pools API: unsigned JSON 1.1 over POST. Exceptions become the errors of
 * `/oauth2/token`, so that callers handle one set of errors.
 */
import { type JsonObject, parseStrictObject } from '../../core/token/strict-json.ts'
import type { BoundedResponse } from '../../core/util/bounded-fetch.ts'
import {
  INACTIVE_REGION,
  type OAuthResponse,
  type TokenApi,
  type TokenApiRequest,
  type TokenParameters,
} from './protocol.ts'

/** Content type of requests and responses. */
export const AMZ_JSON = 'application/x-amz-json-1.1'
/** Header `x-amz-target` of a token request. */
export const GET_CLIENT_TOKEN = 'AWSCognitoIdentityProviderService.GetClientToken'
/** The authentication flow that an app client needs for it. */
export const CLIENT_TOKEN_FLOW = 'ALLOW_CLIENT_TOKEN_AUTH'

/** @param url `https://cognito-idp.<region>.<suffix>/`, or a VPC interface endpoint. */
export function createUserPoolsApi(url: string): TokenApi {
  return { kind: 'userPoolsApi', url, createRequest, toOAuthResponse }
}

function createRequest({
  credentials: { clientId, secret },
  scopes = [],
  metadata,
}: TokenParameters): TokenApiRequest | undefined {
  const clientMetadata = metadata === undefined ? undefined : parseClientMetadata(metadata)
  if (metadata !== undefined && clientMetadata === undefined) return undefined
  return {
    method: 'POST',
    headers: { accept: AMZ_JSON, 'content-type': AMZ_JSON, 'x-amz-target': GET_CLIENT_TOKEN },
    // Members that are undefined are not sent.
    body: JSON.stringify({
      ClientId: clientId,
      Secret: secret,
      Scopes: scopes.length === 0 ? undefined : scopes,
      ClientMetadata: clientMetadata,
    }),
  }
}

/** @returns Undefined for anything but a JSON object of strings. */
export function parseClientMetadata(text: string): Readonly<Record<string, string>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isStringMap(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether a value is an object whose members are strings. */
export function isStringMap(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((member) => typeof member === 'string')
}

function toOAuthResponse(response: BoundedResponse): OAuthResponse {
  const { headers, retryAfter } = response
  const body = parseStrictObject(response.body)
  const exception = response.status < 400 ? null : readException(headers, body)
  const { status, content } = convert(response.status, body, exception)
  return {
    status,
    retryAfter,
    exception,
    requestId: headers.get('x-amzn-requestid') ?? headers.get('x-amz-cognito-request-id'),
    // What is not a response of the API is checked by the same rules as at the token endpoint.
    body: content === undefined ? response.body : Buffer.from(JSON.stringify(content)),
  }
}

/** Name of an exception in `x-amzn-errortype` or `__type`, which may have a namespace and a URL. */
const EXCEPTION = /^(?:[\w.]{1,128}#)?([A-Za-z]{1,64})(?::|$)/

function readException(headers: Headers, body: JsonObject | undefined): string | null {
  const type = headers.get('x-amzn-errortype') ?? body?.['__type']
  const [, name = null] = EXCEPTION.exec(typeof type === 'string' ? type : '') ?? []
  return name
}

interface ConvertedResponse {
  readonly status: number
  /** Undefined keeps the body. */
  readonly content?: object
}

function convert(
  status: number,
  body: JsonObject | undefined,
  exception: string | null,
): ConvertedResponse {
  if (status === 200 && body !== undefined) return { status, content: toTokenBody(body) }
  if (exception === null) return { status }
  const message = body?.['message'] ?? body?.['Message']
  return toOAuthError(status, exception, typeof message === 'string' ? message : '')
}

function toTokenBody({ ClientAuthenticationResult: result }: JsonObject): object {
  const { AccessToken, ExpiresIn, TokenType } = Object(result) as JsonObject
  return { access_token: AccessToken, expires_in: ExpiresIn, token_type: TokenType }
}

/** Exceptions that say nothing about the request: a later request may succeed. */
const TEMPORARY: ReadonlyMap<string, number> = new Map([
  ['TooManyRequestsException', 429],
  ['LimitExceededException', 429],
  ['ThrottlingException', 429],
  ['InternalErrorException', 500],
  [INACTIVE_REGION, 503],
])

/**
 * `invalid_client` makes a client load its secret again. Cognito documents no separate exceptions for scopes
 * and flows, so these two are recognized by the message. Both results are final errors, as `invalid_request` is.
 */
function toOAuthError(status: number, exception: string, message: string): ConvertedResponse {
  const temporary = TEMPORARY.get(exception) ?? (status >= 500 ? status : undefined)
  if (temporary !== undefined) return { status: temporary, content: { error: exception } }
  // A firewall rejected the request. At the token endpoint it sends a page without `error`.
  if (exception === 'ForbiddenException') return { status: 403, content: {} }
  return { status, content: { error: toErrorCode(exception, message) } }
}

function toErrorCode(exception: string, message: string): string {
  const isParameter = exception === 'InvalidParameterException'
  const isCredential = exception === 'NotAuthorizedException'
  if ((isParameter || isCredential) && message.includes(CLIENT_TOKEN_FLOW)) {
    return 'unauthorized_client'
  }
  if (isCredential || exception === 'ResourceNotFoundException') return 'invalid_client'
  return isParameter && /\bscopes?\b/i.test(message) ? 'invalid_scope' : 'invalid_request'
}
