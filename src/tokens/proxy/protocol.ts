/**
 * The protocol of the token endpoint: requests as they are parsed, responses as they are written. A request is
 * parsed strictly and never forwarded as it came. Responses are JSON (RFC 6749 sections 5.1 and 5.2), never cacheable.
 */
import { BoundedMap } from '../../core/util/bounded-map.ts'
import { type ClientCredentials, readBasic } from '../oauth/basic.ts'
import { isForm, parseForm } from '../oauth/form.ts'

/** Where a token is cached. Flight and lock have the same name. */
export interface CacheKey {
  readonly name: string
  readonly group: string
}

/** Characters of Cognito's secrets (`ClientSecretType` of its API). */
const COGNITO_SECRET = /^[\w+]+$/

/**
 * All that an answer depends on. Basic and form credentials share a token. Only a text that Cognito never
 * makes a secret of keeps its method: the header's halves may be decoded where they are checked, so it
 * can be a right secret there and a wrong one in a body.
 */
export function encodeTokenIdentity(endpoint: string, request: TokenRequest): Uint8Array {
  const { authMethod, credentials, scopes, metadata } = request
  return encode([
    endpoint,
    COGNITO_SECRET.test(credentials.secret) ? null : authMethod,
    credentials.clientId,
    credentials.secret,
    // Left out, empty and listed are three things: null, '' and names, which have no blanks.
    scopes === undefined ? null : scopes.join(' '),
    metadata ?? null,
  ])
}

/** An app client with one of its secrets, whatever it asks for: proven together, dropped together. */
export function encodeCredentialIdentity(
  endpoint: string,
  { credentials }: TokenRequest,
): Uint8Array {
  return encode([endpoint, credentials.clientId, credentials.secret])
}

function encode(parts: readonly (string | null)[]): Uint8Array {
  return Buffer.from(JSON.stringify(parts))
}

/** The spelling that nearly all send; others are read each time. */
const FORM = 'application/x-www-form-urlencoded'
const MAX_REQUESTS = 1000
/** Bytes of a form; longer ones are read each time. */
const MAX_CACHED_BYTES = 1024

/**
 * Requests that were read before and served: callers repeat themselves to the byte, and reading costs
 * more than everything else about a held token. What it takes is that their bytes, a secret among
 * them, stay in this process's memory, where their tokens are too; so only what Cognito took stays.
 */
export class ParsedRequestCache {
  readonly #requests = new BoundedMap<TokenRequest>(MAX_REQUESTS)
  /** Those that come from it, or go to it: told without putting their key together again. */
  readonly #cached = new WeakSet<TokenRequest>()

  /** @returns The same object for the same bytes, once they are {@link add kept}. */
  read(incoming: IncomingTokenRequest): TokenRequest | ReadError {
    const key = encodeCacheKey(incoming)
    const known = key === undefined ? undefined : this.#requests.get(key)
    return known ?? readTokenRequest(incoming)
  }

  /** @param request What `incoming` was read as, and Cognito's token was the answer. */
  add(incoming: IncomingTokenRequest, request: TokenRequest): void {
    const key = this.#cached.has(request) ? undefined : encodeCacheKey(incoming)
    if (key === undefined) return
    this.#requests.set(key, request)
    this.#cached.add(request)
  }
}

/** All that is read, and nothing else has it: no header line has a line break in it. */
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

/** How credentials travel, in RFC 7591's words: a proxy passes them on as they came. */
export type AuthMethod = 'client_secret_basic' | 'client_secret_post'

/** A request for client credentials, read. */
export interface TokenRequest {
  /** The app client, as Cognito knows it; not proven. */
  readonly clientId: string
  readonly authMethod: AuthMethod
  /** As they were sent: who checks a header may form-decode its halves or not. */
  readonly credentials: ClientCredentials
  /** Sorted, each once; undefined where the parameter was left out. */
  readonly scopes: readonly string[] | undefined
  /** `aws_client_metadata`. */
  readonly metadata: string | undefined
}

/** The parts of an incoming request that are read. */
interface IncomingTokenRequest {
  readonly contentType: string | undefined
  /** Every Authorization line: Node's `headers` keeps the first and hides the others. */
  readonly authorization: string | readonly string[] | undefined
  readonly body: unknown
}

/** `error` of an answer, as RFC 6749 section 5.2 names it. */
type ReadError = 'invalid_request' | 'invalid_client' | 'invalid_scope' | 'unsupported_grant_type'

/** The characters of Cognito's client IDs. Other IDs cannot exist. */
const CLIENT_ID = /^[\w+.-]{1,128}$/
/** RFC 6749 section 3.3. */
const SCOPES = /^[\x20\x21\x23-\x5B\x5D-\x7E]*$/
/** What invalid UTF-8 is decoded to: two secrets would become one. */
const REPLACEMENT_CHARACTER = '\ufffd'

/** @returns The request, or the error of the answer. */
function readTokenRequest(incoming: IncomingTokenRequest): TokenRequest | ReadError {
  const { contentType, authorization, body } = incoming
  if (!isForm(contentType) || !Buffer.isBuffer(body)) return 'invalid_request'
  // RFC 8707 allows several `resource`. Cognito reads it for other grants, so a token does not depend
  // on it: it is neither forwarded nor part of what a token is kept under.
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
  const readings = readBasic(authorization)
  const [credentials] = readings
  // At most one: a well-formed id has no escape in it, and a blank for each plus that is decoded.
  const known = readings.find((reading) => CLIENT_ID.test(reading.clientId))
  if (credentials === undefined || known === undefined) return 'invalid_client'
  if (credentials.secret.includes(REPLACEMENT_CHARACTER)) return 'invalid_client'
  if (clientId !== undefined && clientId !== known.clientId) return 'invalid_request'
  return { clientId: known.clientId, authMethod: 'client_secret_basic', credentials }
}

/** Order and repetition mean nothing (RFC 6749 section 3.3). */
function readScopes(scope: string | undefined): readonly string[] | undefined {
  if (scope === undefined) return undefined
  if (!scope.includes(' ')) return scope === '' ? [] : [scope]
  return [...new Set(scope.split(' '))].filter((it) => it !== '').sort()
}

/** An answer, its body written. */
export interface ProxyResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** `error` of the proxy's own responses. The last two are from RFC 6749 section 4.1.2.1, the closest match. */
export type ProxyError =
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

/** Seconds: what Cognito may ask callers to wait through us. */
const MAX_RETRY_AFTER = 60

/** @param body JSON, written. */
export function createJsonResponse(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): ProxyResponse {
  return { status, headers: { ...HEADERS, ...headers }, body }
}

/** A token; the hot path, so its headers are always the same object. */
export function createTokenResponse(body: string): ProxyResponse {
  return { status: 200, headers: HEADERS, body }
}

export function createErrorResponse(
  error: ProxyError,
  status = 400,
  headers: Readonly<Record<string, string>> = {},
): ProxyResponse {
  return createJsonResponse(status, JSON.stringify({ error }), headers)
}

/** @param seconds Until it is worth asking again; at least 1, at most 60. */
export function createUnavailableResponse(seconds: number): ProxyResponse {
  return createErrorResponse('temporarily_unavailable', 503, createRetryAfter(seconds))
}

/** @param seconds NaN, from a clock that failed, counts as 1. */
export function createRetryAfter(seconds: number): { readonly 'retry-after': string } {
  return { 'retry-after': String(Math.ceil(Math.min(MAX_RETRY_AFTER, Math.max(1, seconds || 1)))) }
}
