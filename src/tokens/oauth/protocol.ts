/**
 * The protocol of a token endpoint for client credentials (RFC 6749 sections 2.3.1, 4.4, 5.1 and 5.2). Forms and Basic
 * headers are parsed strictly: ambiguous input is rejected. Responses are JSON, never cacheable.
 * A `TokenApi` sends such requests: to the endpoint itself, or by GetClientToken.
 */
import { isUtf8 } from 'node:buffer'
import { parseStrictObject } from '../../core/token/strict-json.ts'
import {
  type BoundedResponse,
  boundedFetch,
  type FetchLimits,
} from '../../core/util/bounded-fetch.ts'
import { BoundedMap } from '../../core/util/bounded-map.ts'

/** The id of an app client with one of its secrets. */
export interface ClientCredentials {
  readonly clientId: string
  readonly secret: string
}

/**
 * How the app client authenticates at the token endpoint.
 *
 * @see RFC 7591 section 2 (`token_endpoint_auth_method`)
 */
export type AuthMethod = 'client_secret_basic' | 'client_secret_post'

/** A parsed token request with the grant `client_credentials`. */
export interface TokenRequest {
  /** The app client, unverified. */
  readonly clientId: string
  readonly authMethod: AuthMethod
  /** Not form-decoded: an endpoint may decode the header's parts or not. */
  readonly credentials: ClientCredentials
  /** Sorted, without duplicates. Undefined without the parameter. */
  readonly scopes: readonly string[] | undefined
  /** `aws_client_metadata`. */
  readonly metadata: string | undefined
}

/** The parts of an incoming request that are parsed. */
export interface IncomingTokenRequest {
  readonly contentType: string | undefined
  /** All Authorization lines. Node's `headers` has only the first. */
  readonly authorization: string | readonly string[] | undefined
  readonly body: unknown
}

/** Largest form, in bytes. */
export const MAX_FORM_BYTES: number = 16 * 1024

const CONTENT_TYPE = /^application\/x-www-form-urlencoded(?:\s*;\s*charset=(?:"utf-8"|utf-8))?$/i

/** Whether a content type is that of a form in UTF-8. */
export function isForm(contentType: string | undefined): boolean {
  return CONTENT_TYPE.test(contentType ?? '')
}

/**
 * Parses a form. A parameter without a value counts as omitted (RFC 6749 section 3.2).
 *
 * @param keepEmpty Name of the parameter whose empty value is kept.
 * @param ignored Name of the parameter that is dropped, even if it is repeated.
 * @returns Undefined for a repeated parameter, an invalid escape or invalid UTF-8.
 */
export function parseForm(
  body: Buffer,
  keepEmpty?: string,
  ignored?: string,
): ReadonlyMap<string, string> | undefined {
  if (!isUtf8(body)) return undefined
  const parameters = new Map<string, string>()
  const seen = new Set<string>()
  for (const pair of body.toString('utf8').split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decodeFormPart(equals === -1 ? pair : pair.slice(0, equals))
    const value = decodeFormPart(equals === -1 ? '' : pair.slice(equals + 1))
    if (name === undefined || value === undefined || seen.has(name)) return undefined
    if (name === ignored) continue
    seen.add(name)
    if (value !== '' || name === keepEmpty) parameters.set(name, value)
  }
  return parameters
}

/** Decodes a name or value. Returns undefined if it cannot be decoded. */
export function decodeFormPart(text: string): string | undefined {
  // Most values contain no escape, and this check is much cheaper than decoding.
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/**
 * Reads a Basic header in two ways, so that secrets with `+` and `%` work. RFC 6749 section 2.3.1 form-encodes id
 * and secret, but most clients of Cognito do not.
 *
 * @returns The credentials as sent, and decoded if they can be decoded. Empty for any other header.
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

/** Returns the header without form encoding, as Cognito documents it. */
function basicHeader({ clientId, secret }: ClientCredentials): string {
  return `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`
}

/** `error` of a response (RFC 6749 section 5.2). */
type ReadError = 'invalid_request' | 'invalid_client' | 'invalid_scope' | 'unsupported_grant_type'

/** The form of Cognito's client IDs. */
const CLIENT_ID = /^[\w+.-]{1,128}$/
/** RFC 6749 section 3.3. */
const SCOPES = /^[\x20\x21\x23-\x5B\x5D-\x7E]*$/
/** The result of decoding invalid UTF-8. Two different secrets could become equal. */
const REPLACEMENT_CHARACTER = '\ufffd'

/** @returns The request, or the error of the response. */
function readTokenRequest(incoming: IncomingTokenRequest): TokenRequest | ReadError {
  const { contentType, authorization, body } = incoming
  if (!isForm(contentType) || !Buffer.isBuffer(body)) return 'invalid_request'
  // RFC 8707 allows several `resource`. Cognito ignores it for this grant, so a token does not depend on it.
  // It is neither forwarded nor part of the cache key.
  const form = parseForm(body, 'scope', 'resource')
  const grantType = form?.get('grant_type')
  if (form === undefined || grantType === undefined) return 'invalid_request'
  if (grantType !== 'client_credentials') return 'unsupported_grant_type'
  const client = readClient(authorization, form)
  if (typeof client === 'string') return client
  const scope = form.get('scope')
  if (scope !== undefined && !SCOPES.test(scope)) return 'invalid_scope'
  return { ...client, scopes: readScopes(scope), metadata: form.get('aws_client_metadata') }
}

type ParsedClient = Pick<TokenRequest, 'clientId' | 'authMethod' | 'credentials'>

function readClient(
  authorization: IncomingTokenRequest['authorization'],
  form: ReadonlyMap<string, string>,
): ParsedClient | ReadError {
  const clientId = form.get('client_id')
  const secret = form.get('client_secret')
  if (authorization === undefined) {
    if (clientId === undefined || secret === undefined) return 'invalid_client'
    if (!CLIENT_ID.test(clientId)) return 'invalid_client'
    return { clientId, authMethod: 'client_secret_post', credentials: { clientId, secret } }
  }
  if (typeof authorization !== 'string' || secret !== undefined) return 'invalid_request'
  const candidates = readBasic(authorization)
  const [credentials] = candidates
  // At most one has a valid id: an id contains no escape, and a decoded plus is a space.
  const valid = candidates.find((candidate) => CLIENT_ID.test(candidate.clientId))
  if (credentials === undefined || valid === undefined) return 'invalid_client'
  if (credentials.secret.includes(REPLACEMENT_CHARACTER)) return 'invalid_client'
  if (clientId !== undefined && clientId !== valid.clientId) return 'invalid_request'
  return { clientId: valid.clientId, authMethod: 'client_secret_basic', credentials }
}

/** Order and repetition have no meaning (RFC 6749 section 3.3). */
function readScopes(scope: string | undefined): readonly string[] | undefined {
  if (scope === undefined) return undefined
  if (!scope.includes(' ')) return scope === '' ? [] : [scope]
  return [...new Set(scope.split(' '))].filter((it) => it !== '').sort()
}

/** The content type that almost all callers send. Requests with others are not cached. */
const FORM = 'application/x-www-form-urlencoded'
const MAX_REQUESTS = 1000
/** Bytes of a form. Longer forms are not cached. */
const MAX_CACHED_BYTES = 1024

/**
 * Parsed requests by their bytes. Callers repeat identical requests, and parsing costs more than the rest of serving a
 * cached token. The bytes include a secret and stay in memory, as the token does. So only requests that got a token are
 * cached.
 */
export class ParsedRequestCache {
  readonly #requests = new BoundedMap<TokenRequest>(MAX_REQUESTS)
  /** Cached requests, recognized without encoding their key again. */
  readonly #cached = new WeakSet<TokenRequest>()

  /** @returns The same object for the same bytes, once they are {@link add cached}. */
  read(incoming: IncomingTokenRequest): TokenRequest | ReadError {
    const key = encodeCacheKey(incoming)
    const cached = key === undefined ? undefined : this.#requests.get(key)
    return cached ?? readTokenRequest(incoming)
  }

  /** @param request The parsed `incoming`, which got a token of Cognito. */
  add(incoming: IncomingTokenRequest, request: TokenRequest): void {
    const key = this.#cached.has(request) ? undefined : encodeCacheKey(incoming)
    if (key === undefined) return
    this.#requests.set(key, request)
    this.#cached.add(request)
  }
}

/** An injective encoding of all that is parsed: a header line contains no line break. */
function encodeCacheKey({
  contentType,
  authorization,
  body,
}: IncomingTokenRequest): string | undefined {
  if (contentType !== FORM || !Buffer.isBuffer(body)) return undefined
  if (body.length > MAX_CACHED_BYTES) return undefined
  if (authorization === undefined) return `-\n${body.toString('latin1')}`
  if (typeof authorization !== 'string') return undefined
  return `+${authorization}\n${body.toString('latin1')}`
}

/** A response with its serialized body. */
export interface JsonResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** `error` of a response that the endpoint creates itself. The last two are from RFC 6749 section 4.1.2.1, the closest match. */
export type TokenErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_scope'
  | 'unsupported_grant_type'
  | 'access_denied'
  | 'temporarily_unavailable'

const HEADERS = Object.freeze({
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  pragma: 'no-cache',
})

/** Longest `Retry-After` in seconds. Longer values of Cognito are capped. */
const MAX_RETRY_AFTER = 60

/** @param body Serialized JSON. */
export function createJsonResponse(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): JsonResponse {
  return { status, headers: { ...HEADERS, ...headers }, body }
}

/** A response with a token. On the hot path, so all have the same headers object. */
export function createTokenResponse(body: string): JsonResponse {
  return { status: 200, headers: HEADERS, body }
}

export function createErrorResponse(
  error: TokenErrorCode,
  status = 400,
  headers: Readonly<Record<string, string>> = {},
): JsonResponse {
  return createJsonResponse(status, JSON.stringify({ error }), headers)
}

/** @param seconds `Retry-After`, clamped to 1 to 60. */
export function createUnavailableResponse(seconds: number): JsonResponse {
  return createErrorResponse('temporarily_unavailable', 503, createRetryAfter(seconds))
}

/** @param seconds Clamped to 1 to 60. NaN, from a clock that failed, counts as 1. */
export function createRetryAfter(seconds: number): { readonly 'retry-after': string } {
  return { 'retry-after': String(Math.ceil(Math.min(MAX_RETRY_AFTER, Math.max(1, seconds || 1)))) }
}

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

/** A Region of a user pool with a replica. A pool without one has the primary Region only. */
export type TokenRegion = 'primary' | 'secondary'

/** Sends token requests to one Region, or to two with failover. */
export interface TokenSender {
  /** The Region that serves token requests. */
  readonly region: TokenRegion
  /**
   * @param limits `timeoutMs` limits all Regions together.
   * @returns Undefined if the API cannot express the parameters.
   * @throws {BoundedFetchError} No other error.
   */
  send(parameters: TokenParameters, limits: FetchLimits): Promise<OAuthResponse | undefined>
}

/** Sends token requests to the only Region of a user pool. */
export function createSingleSender(api: TokenApi): TokenSender {
  return {
    region: 'primary',
    async send(parameters, limits) {
      const request = api.createRequest(parameters)
      if (request === undefined) return undefined
      return api.toOAuthResponse(await boundedFetch(api.url, request, limits))
    },
  }
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

/** The exception of a Region whose replica of the user pool was not activated. */
export const INACTIVE_REGION = 'OperationNotEnabledException'

/** AWS documents the exception for its API only. As an error of this endpoint, it is temporary too. */
function toOAuthResponse({ status, headers, body, retryAfter }: BoundedResponse): OAuthResponse {
  const requestId = headers.get('x-amz-cognito-request-id')
  const error = status < 400 ? undefined : parseStrictObject(body)?.['error']
  if (error !== INACTIVE_REGION) return { status, body, retryAfter, requestId, exception: null }
  return { status: 503, body, retryAfter, requestId, exception: INACTIVE_REGION }
}
