/** One token request by OAuth 2.0 client credentials (RFC 6749 section 4.4), and its response. */
import {
  processClientCredentialsResponse,
  ResponseBodyError,
  type TokenEndpointResponse,
} from 'oauth4webapi'
import { BoundedFetchError } from '../../core/util/bounded-fetch.ts'
import type { RegionalTokenApis } from '../oauth/failover.ts'
import type { AuthMethod, OAuthResponse, TokenSender } from '../oauth/protocol.ts'
import { TokenClientError, type TokenClientFacts } from './errors.ts'

/** Milliseconds of one request: connection, headers and body. With two Regions, of both together. */
export const REQUEST_TIMEOUT_MS = 5000
/** Bytes of a response body. A response of Cognito has about 1,000. */
const MAX_RESPONSE_BYTES = 64 * 1024
/** Seconds, for a response without `expires_in`. It is Cognito's shortest lifetime. */
const DEFAULT_LIFETIME = 300
/** Seconds. Cognito's longest lifetime. */
const MAX_LIFETIME = 86_400
/** `b64token` of RFC 6750 section 2.1: the syntax of a token in an Authorization header. */
const BEARER_TOKEN = /^[\w.~+/-]+=*$/

/** Token API, app client and transport of token requests. */
export interface TokenRequester {
  readonly api: RegionalTokenApis
  /** Sends the requests to the APIs. */
  readonly sender: TokenSender
  readonly clientId: string
  readonly authMethod: AuthMethod
  readonly fetch: typeof globalThis.fetch
  /** Wall clock, milliseconds. */
  readonly now: () => number
  /** Monotonic milliseconds. */
  readonly elapsed: () => number
}

/** What a token of the app client depends on, in addition to the secret. */
export interface RequestedToken {
  /** In alphabetical order. Undefined requests all scopes of the app client. */
  readonly scopes: readonly string[] | undefined
  /** Client metadata: JSON with sorted names. */
  readonly metadata: string | undefined
}

/** A token and its lifetime. */
export interface Grant {
  readonly accessToken: string
  /** In alphabetical order. */
  readonly scopes: readonly string[]
  /** `expires_in` in milliseconds, at most a day. */
  readonly lifetimeMs: number
  /** Time before the request was sent, in milliseconds of the clock `elapsed`. The lifetime begins no earlier. */
  readonly startedAt: number
  /** The same moment by the wall clock, in milliseconds. */
  readonly issuedAt: number
  /** Whether the token is from the store, where another client or process put it. */
  readonly isShared: boolean
}

/** Parameters of one token request. */
export interface TokenRequestParameters extends RequestedToken {
  readonly secret: string
  readonly signal: AbortSignal
}

/**
 * Sends one token request, without retries.
 *
 * @throws {TokenClientError} No other error.
 */
export async function requestToken(
  { api, sender, clientId, authMethod, fetch, now, elapsed }: TokenRequester,
  { scopes, metadata, secret, signal }: TokenRequestParameters,
): Promise<Grant> {
  const parameters = { credentials: { clientId, secret }, authMethod, scopes, metadata }
  const limits = {
    fetch,
    timeoutMs: REQUEST_TIMEOUT_MS,
    maxBytes: MAX_RESPONSE_BYTES,
    signal,
    now,
  }
  const startedAt = elapsed()
  const issuedAt = now()
  // An error contains these facts only. An error of the library would contain the whole response.
  let facts: TokenClientFacts = {}
  try {
    // Both APIs can express the options of a client.
    const response = (await sender.send(parameters, limits)) as OAuthResponse
    facts = toErrorFacts(response, secret)
    const body = await processClientCredentialsResponse(
      { issuer: api.url },
      { client_id: clientId },
      toLibraryResponse(response, facts),
    )
    return { ...readGrant(body, scopes), startedAt, issuedAt, isShared: false }
  } catch (error) {
    throw toTokenClientError(error, facts, secret)
  }
}

function toErrorFacts(
  { status, requestId, exception }: OAuthResponse,
  secret: string,
): TokenClientFacts {
  return {
    status,
    requestId: safeText(requestId, /^[\w-]{1,64}$/, secret),
    exception: safeText(exception, /^[A-Za-z]+$/, secret),
  }
}

/** Removes the headers: the library does not read the body of a 401 response that has a challenge. */
function toLibraryResponse(
  { status, body, retryAfter }: OAuthResponse,
  facts: TokenClientFacts,
): Response {
  if (status === 429 || status >= 500) {
    throw new TokenClientError('ERR_TOKEN_REQUEST_STATUS', { ...facts, retryAfter })
  }
  if (status !== 200 && status < 400) {
    throw new TokenClientError('ERR_TOKEN_RESPONSE_INVALID', facts)
  }
  return new Response(body, { status, headers: { 'content-type': 'application/json' } })
}

function readGrant(
  { access_token, token_type, expires_in = DEFAULT_LIFETIME, scope }: TokenEndpointResponse,
  requested: readonly string[] | undefined,
): Pick<Grant, 'accessToken' | 'scopes' | 'lifetimeMs'> {
  // An expired token would cause a token request at every call.
  if (token_type !== 'bearer' || !BEARER_TOKEN.test(access_token) || !(expires_in >= 1)) {
    throw new TokenClientError('ERR_TOKEN_RESPONSE_INVALID', { status: 200 })
  }
  const granted = readScopeClaim(access_token) ?? scope
  const scopes =
    granted === undefined ? (requested ?? []) : granted.split(' ').filter(Boolean).sort()
  return {
    accessToken: access_token,
    scopes,
    lifetimeMs: Math.min(expires_in, MAX_LIFETIME) * 1000,
  }
}

/** Reads `scope` without verification, for information only: a response of Cognito contains no scopes. */
function readScopeClaim(token: string): string | undefined {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')
    const { scope } = JSON.parse(payload) as { readonly scope?: unknown }
    return typeof scope === 'string' ? scope : undefined
  } catch {
    return undefined
  }
}

function toTokenClientError(
  error: unknown,
  facts: TokenClientFacts,
  secret: string,
): TokenClientError {
  if (error instanceof TokenClientError) return error
  if (error instanceof BoundedFetchError) return fromFetchError(error)
  if (!(Number(facts.status) >= 400))
    return new TokenClientError('ERR_TOKEN_RESPONSE_INVALID', facts)
  const reported = error instanceof ResponseBodyError ? error.error : null
  const oauthError = safeText(reported, /^[a-z_]{1,40}$/, secret)
  return new TokenClientError('ERR_TOKEN_REQUEST_REFUSED', { ...facts, error: oauthError })
}

function fromFetchError({ reason, errno, status }: BoundedFetchError): TokenClientError {
  const facts = { errno, status }
  switch (reason) {
    case 'timeout':
      return new TokenClientError('ERR_TOKEN_REQUEST_TIMEOUT')
    case 'network':
      return new TokenClientError('ERR_TOKEN_REQUEST_NETWORK', facts)
    case 'redirect':
      return new TokenClientError('ERR_TOKEN_RESPONSE_REDIRECT', facts)
    case 'too-large':
      return new TokenClientError('ERR_TOKEN_RESPONSE_TOO_LARGE', facts)
    case 'aborted':
      return new TokenClientError('ERR_CLIENT_CLOSED')
  }
}

/** Drops text that contains the secret: an endpoint may echo it, and errors are logged. */
function safeText(text: string | null, pattern: RegExp, secret: string): string | undefined {
  return text !== null && pattern.test(text) && !text.includes(secret) ? text : undefined
}
