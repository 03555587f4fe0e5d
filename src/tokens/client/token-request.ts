/** One token request by OAuth 2.0 client credentials (RFC 6749 section 4.4), and its response. */
import {
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretPost,
  clientCredentialsGrantRequest,
  customFetch,
  processClientCredentialsResponse,
  ResponseBodyError,
  type TokenEndpointResponse,
} from 'oauth4webapi'
import {
  BoundedFetchError,
  type BoundedResponse,
  boundedFetch,
} from '../../core/util/bounded-fetch.ts'
import { basicHeader } from '../oauth/basic.ts'
import { TokenClientError, type TokenClientFacts } from './errors.ts'

/** Milliseconds of one request: connection, headers and body. */
const REQUEST_TIMEOUT_MS = 5000
/** Bytes of a response body. Cognito's have about 1,000. */
const MAX_RESPONSE_BYTES = 64 * 1024
/** Seconds, for a response without `expires_in`: Cognito's shortest lifetime. */
const DEFAULT_LIFETIME = 300
/** Seconds: the longest lifetime that Cognito permits. */
const MAX_LIFETIME = 86_400
/** RFC 6750 section 2.1: what may stand behind `Bearer `. */
const BEARER_TOKEN = /^[\w.~+/-]+=*$/

/** How the app client authenticates, in the words of RFC 7591. */
export type AuthMethod = 'client_secret_basic' | 'client_secret_post'

/** Endpoint, app client and transport of token requests. */
export interface TokenRequester {
  readonly tokenEndpoint: string
  readonly clientId: string
  readonly authMethod: AuthMethod
  readonly fetch: typeof globalThis.fetch
  /** Wall clock, milliseconds. */
  readonly now: () => number
  /** Milliseconds that never run back. */
  readonly elapsed: () => number
}

/** A token and how long it lives. */
export interface Grant {
  readonly accessToken: string
  /** In alphabetical order. */
  readonly scopes: readonly string[]
  /** Milliseconds, as `expires_in` says, at most a day. */
  readonly life: number
  /** Of the clock `elapsed`, in milliseconds, before the token was requested: its life begins no earlier. */
  readonly begunAt: number
  /** The same moment by the wall clock, in milliseconds. */
  readonly issuedAt: number
  /** Whether it was found in the store, where another client or process put it. */
  readonly isShared: boolean
}

/** Parameters of one token request. */
export interface TokenRequestParameters {
  /** In alphabetical order; undefined: all the client may have. */
  readonly scopes: readonly string[] | undefined
  readonly secret: string
  readonly signal: AbortSignal
}

/**
 * Asks once.
 *
 * @throws {TokenClientError} and nothing else.
 */
export async function requestToken(
  requester: TokenRequester,
  { scopes, secret, signal }: TokenRequestParameters,
): Promise<Grant> {
  const { tokenEndpoint, clientId, now, elapsed } = requester
  const server = { issuer: tokenEndpoint, token_endpoint: tokenEndpoint }
  const client = { client_id: clientId }
  const begun = { begunAt: elapsed(), issuedAt: now() }
  // What an error may repeat of the answer; the library's own errors carry all of it.
  let facts: TokenClientFacts = {}
  try {
    const response = await clientCredentialsGrantRequest(
      server,
      client,
      requester.authMethod === 'client_secret_basic'
        ? createRawBasicAuth(secret)
        : ClientSecretPost(secret),
      scopes === undefined ? {} : { scope: scopes.join(' ') },
      {
        // The endpoint was checked when the client was made: https, or loopback.
        [allowInsecureRequests]: true,
        [customFetch]: async (url, { body, headers, method }) => {
          const answer = await boundedFetch(
            url,
            { body, headers, method },
            {
              fetch: requester.fetch,
              timeoutMs: REQUEST_TIMEOUT_MS,
              maxBytes: MAX_RESPONSE_BYTES,
              signal,
              now,
            },
          )
          facts = readFacts(answer, secret)
          return toLibraryResponse(answer, facts)
        },
      },
    )
    const answer = await processClientCredentialsResponse(server, client, response)
    return { ...readGrant(answer, scopes), ...begun, isShared: false }
  } catch (error) {
    throw toTokenClientError(error, facts, secret)
  }
}

/** Neither half form-encoded, as Cognito documents it; the library's own encodes both. */
function createRawBasicAuth(secret: string): ClientAuth {
  return (_server, { client_id: clientId }, _body, headers) => {
    headers.set('authorization', basicHeader({ clientId, secret }))
  }
}

function readFacts({ status, headers }: BoundedResponse, secret: string): TokenClientFacts {
  const requestId = safeText(headers.get('x-amz-cognito-request-id'), /^[\w-]{1,64}$/, secret)
  return requestId === undefined ? { status } : { status, requestId }
}

/** What the library is to read: the body alone, as a challenge would hide it (401 in some reports). */
function toLibraryResponse(
  { status, body, retryAfter }: BoundedResponse,
  facts: TokenClientFacts,
): Response {
  if (status === 429 || status >= 500) {
    throw new TokenClientError('ERR_TOKEN_REQUEST_STATUS', {
      ...facts,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    })
  }
  if (status !== 200 && status < 400) {
    throw new TokenClientError('ERR_TOKEN_RESPONSE_INVALID', facts)
  }
  return new Response(body, { status, headers: { 'content-type': 'application/json' } })
}

function readGrant(
  { access_token, token_type, expires_in = DEFAULT_LIFETIME, scope }: TokenEndpointResponse,
  requested: readonly string[] | undefined,
): Pick<Grant, 'accessToken' | 'scopes' | 'life'> {
  // A token that is dead when it comes would be asked for again at every call.
  if (token_type !== 'bearer' || !BEARER_TOKEN.test(access_token) || !(expires_in >= 1)) {
    throw new TokenClientError('ERR_TOKEN_RESPONSE_INVALID', { status: 200 })
  }
  const granted = readScopeClaim(access_token) ?? scope
  const scopes =
    granted === undefined ? (requested ?? []) : granted.split(' ').filter(Boolean).sort()
  return {
    accessToken: access_token,
    scopes,
    life: Math.min(expires_in, MAX_LIFETIME) * 1000,
  }
}

/** Cognito's answers name no scopes, its tokens do. Told to the caller, trusted by nobody. */
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
  const name = safeText(reported, /^[a-z_]{1,40}$/, secret)
  return new TokenClientError('ERR_TOKEN_REQUEST_REFUSED', {
    ...facts,
    ...(name === undefined ? {} : { error: name }),
  })
}

function fromFetchError({ reason, errno, status }: BoundedFetchError): TokenClientError {
  const facts = {
    ...(errno === undefined ? {} : { errno }),
    ...(status === undefined ? {} : { status }),
  }
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

/** Drops text with the secret in it: an endpoint that repeats the secret must not get it into an error. */
function safeText(text: string | null, shape: RegExp, secret: string): string | undefined {
  return text !== null && shape.test(text) && !text.includes(secret) ? text : undefined
}
