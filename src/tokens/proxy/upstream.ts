/**
 * Cognito's token endpoint or GetClientToken: one bounded request for a token, the classification of its response, and the circuit
 * breaker of the endpoint.
 */
import { setMaxListeners } from 'node:events'
import type { Logger } from '../../core/options/logger.ts'
import { type JsonObject, parseStrictObject } from '../../core/token/strict-json.ts'
import type { BoundedFetchError, FetchFailure } from '../../core/util/bounded-fetch.ts'
import { withTimeout } from '../../core/util/time.ts'
import { createTokenSender, type RegionalTokenApis } from '../oauth/failover.ts'
import {
  createJsonResponse,
  createRetryAfter,
  createUnavailableResponse,
  decodeFormPart,
  type JsonResponse,
  type OAuthResponse,
  type TokenApiRequest,
  type TokenParameters,
  type TokenRegion,
  type TokenRequest,
  type TokenSender,
} from '../oauth/protocol.ts'
import {
  type FailureCause,
  readEntry,
  type TokenEntry,
  type UpstreamError,
} from './cached-results.ts'

/** Bytes of a response, counted after decompression. A token with many claims has a few thousand. */
const MAX_RESPONSE_BYTES = 256 * 1024
const REQUEST_ID = /^[\w-]{1,128}$/

/** Visible ASCII with spaces inside. A line break would begin another header. */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]{0,4094}[\x21-\x7e])?$/

/** A JSON response of Cognito. */
interface UpstreamResponse {
  readonly kind: 'response'
  readonly status: number
  readonly body: JsonObject
  /** The unchanged body. */
  readonly text: string
  /** `x-amz-cognito-request-id`, or `x-amzn-requestid` of GetClientToken. */
  readonly requestId: string | undefined
  /** Seconds of `Retry-After`, not clamped. */
  readonly retryAfter: number | undefined
}

/** Why there is no response. */
type UpstreamFailureCode =
  | 'ERR_UPSTREAM_TIMEOUT'
  | 'ERR_UPSTREAM_NETWORK'
  | 'ERR_UPSTREAM_REDIRECT'
  | 'ERR_UPSTREAM_STATUS'
  | 'ERR_UPSTREAM_TOO_LARGE'
  | 'ERR_UPSTREAM_NOT_JSON'
  | 'ERR_UPSTREAM_HEADERS'
  | 'ERR_UPSTREAM_CLOSED'

/** Codes and numbers only: messages of a transport may quote its arguments, which include secrets. */
interface UpstreamFailure {
  readonly kind: 'failure'
  readonly code: UpstreamFailureCode
  readonly status?: number | undefined
  readonly errno?: string | undefined
  readonly retryAfter?: number | undefined
}

/** Value of a header, or a function that returns it. The function is called before each token request. */
export type UpstreamHeader = string | (() => string | Promise<string>)

/** Options of {@link Upstream}. */
interface UpstreamOptions {
  readonly api: RegionalTokenApis
  readonly headers: ReadonlyMap<string, UpstreamHeader>
  readonly fetch: typeof globalThis.fetch
  /** Longest token request in milliseconds. One that waited before has less. */
  readonly timeoutMs: number
  /** Wall clock in milliseconds, for a `Retry-After` with a date. */
  readonly now: () => number
  /** Milliseconds, NaN where the clock failed. */
  readonly monotonicNow: () => number
  readonly logger: Logger
}

type UpstreamResult = UpstreamResponse | UpstreamFailure

const FAILURE_CODES: Readonly<Record<FetchFailure, UpstreamFailureCode>> = {
  timeout: 'ERR_UPSTREAM_TIMEOUT',
  network: 'ERR_UPSTREAM_NETWORK',
  redirect: 'ERR_UPSTREAM_REDIRECT',
  'too-large': 'ERR_UPSTREAM_TOO_LARGE',
  aborted: 'ERR_UPSTREAM_CLOSED',
}

/** Part of the time that the functions of `headers` may take. The rest is for Cognito. */
const HEADERS_SHARE = 1 / 2

/** Sends token requests to Cognito. */
export class Upstream {
  readonly #options: UpstreamOptions
  readonly #sender: TokenSender
  readonly #closed = new AbortController()

  constructor(options: UpstreamOptions) {
    this.#options = options
    this.#sender = createTokenSender(options.api, options)
    // Each request in flight adds a listener. The quota bounds their number, so Node's leak warning is off.
    setMaxListeners(0, this.#closed.signal)
  }

  /** The Region that serves token requests. */
  get region(): TokenRegion {
    return this.#sender.region
  }

  /**
   * Sends one token request. Never rejects.
   *
   * The functions of `headers` are called before the time of a Region begins, so a slow one is no failure of a Region.
   *
   * @param timeoutMs Milliseconds for configured headers, connection, response and body together.
   */
  async requestToken(request: TokenRequest, timeoutMs: number): Promise<UpstreamResult> {
    const { api, fetch, now, monotonicNow } = this.#options
    const startedAt = monotonicNow()
    const configured = await this.#resolveHeaders(timeoutMs * HEADERS_SHARE)
    const { signal } = this.#closed
    if (signal.aborted) return { kind: 'failure', code: 'ERR_UPSTREAM_CLOSED' }
    if (configured === undefined) return { kind: 'failure', code: 'ERR_UPSTREAM_HEADERS' }
    const send: typeof fetch = (url, init) =>
      fetch(url, { ...init, headers: { ...configured, ...(init as TokenApiRequest).headers } })
    // At least half is left, also where the clock failed or ran ahead.
    const minTimeoutMs = timeoutMs * (1 - HEADERS_SHARE)
    const limits = {
      fetch: send,
      timeoutMs: Math.max(minTimeoutMs, timeoutMs - (monotonicNow() - startedAt) || 0),
      maxBytes: MAX_RESPONSE_BYTES,
      signal,
      now,
    }
    try {
      const response = await this.#sender.send(toParameters(request, api), limits)
      return response === undefined ? INVALID_REQUEST : parseUpstreamResponse(response)
    } catch (error) {
      const { reason, status, errno, retryAfter } = error as BoundedFetchError
      return { kind: 'failure', code: FAILURE_CODES[reason], status, errno, retryAfter }
    }
  }

  /** @returns Undefined if a header has no valid value in time, or the proxy is closed. */
  async #resolveHeaders(timeoutMs: number): Promise<Record<string, string> | undefined> {
    const { signal } = this.#closed
    if (signal.aborted) return undefined
    const ended = new AbortController()
    const closed = new Promise<undefined>((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined), { signal: ended.signal })
    })
    try {
      const resolved = resolveHeaders(this.#options.headers)
      return await withTimeout(timeoutMs, Promise.race([resolved, closed]))
    } finally {
      ended.abort()
    }
  }

  /** Aborts requests in flight. */
  close(): void {
    this.#closed.abort()
  }
}

/**
 * Reads the current value of each header.
 *
 * @returns Undefined if one has no valid value. The request is not sent then: a firewall would reject it without its
 *   secret header.
 */
async function resolveHeaders(
  headers: ReadonlyMap<string, UpstreamHeader>,
): Promise<Record<string, string> | undefined> {
  const values: Record<string, string> = Object.create(null)
  try {
    for (const [name, header] of headers) {
      const value: unknown = typeof header === 'string' ? header : await header()
      if (!isHeaderValue(value)) return undefined
      values[name] = value
    }
    return values
  } catch {
    return undefined
  }
}

export function isHeaderValue(value: unknown): value is string {
  return typeof value === 'string' && HEADER_VALUE.test(value)
}

/** What `/oauth2/token` returns for parameters that GetClientToken cannot express: metadata other than strings. */
const INVALID_REQUEST: UpstreamResponse = {
  kind: 'response',
  status: 400,
  body: { error: 'invalid_request' },
  text: '{"error":"invalid_request"}',
  requestId: undefined,
  retryAfter: undefined,
}

/**
 * The parsed members of a request. Nothing else of it is forwarded. GetClientToken takes the secret itself: secrets of
 * Cognito contain no `%`, so a header with one is form-encoded (RFC 6749 section 2.3.1).
 */
function toParameters(request: TokenRequest, { kind }: RegionalTokenApis): TokenParameters {
  if (kind === 'tokenEndpoint') return request
  const { clientId, authMethod, credentials } = request
  const isEncoded = authMethod === 'client_secret_basic' && credentials.secret.includes('%')
  const decoded = isEncoded ? decodeFormPart(credentials.secret) : undefined
  return { ...request, credentials: { clientId, secret: decoded ?? credentials.secret } }
}

function parseUpstreamResponse({
  status,
  body: bytes,
  retryAfter,
  ...response
}: OAuthResponse): UpstreamResult {
  // 304 is not a redirect, but has no token either.
  if (status >= 300 && status < 400) {
    return { kind: 'failure', code: 'ERR_UPSTREAM_REDIRECT', status }
  }
  const body = parseStrictObject(bytes)
  if (body === undefined)
    return { kind: 'failure', code: 'ERR_UPSTREAM_NOT_JSON', status, retryAfter }
  if (status !== 200 && status < 400)
    return { kind: 'failure', code: 'ERR_UPSTREAM_STATUS', status }
  const [requestId] = REQUEST_ID.exec(response.requestId ?? '') ?? []
  return { kind: 'response', status, body, text: bytes.toString('utf8'), requestId, retryAfter }
}

/** The result of {@link readUpstreamToken}. */
export type UpstreamToken =
  /** A token. `response` is Cognito's. */
  | { readonly kind: 'issued'; readonly entry: TokenEntry; readonly response: JsonResponse }
  /** Cognito rejected the request. `error` is defined in RFC 6749 section 5.2. */
  | { readonly kind: 'refused'; readonly error: string; readonly response: JsonResponse }
  /** No token, and no decision about the request either. */
  | { readonly kind: 'failed'; readonly failure: UpstreamError }

/** Characters of a failed response that is repeated to later callers. Responses of Cognito are shorter. */
const MAX_REPEATED_BODY_LENGTH = 2048

/**
 * Classifies the result of a token request.
 *
 * @param requestedAt When the request was sent, in milliseconds, by the clock that dates entries.
 */
export function readUpstreamToken(upstream: UpstreamResult, requestedAt: number): UpstreamToken {
  if (upstream.kind === 'failure')
    return createFailedResult(classifyFailure(upstream), upstream.retryAfter)
  const { status, body, text } = upstream
  if (status === 200) {
    const entry = readEntry(body, requestedAt)
    // A 200 without a valid token is never forwarded: the caller would send its content to an API as a token.
    if (entry === undefined) return createFailedResult('request', undefined)
    return {
      kind: 'issued',
      entry,
      response: createJsonResponse(200, text, createRequestIdHeader(upstream)),
    }
  }
  if (!isRefusal(upstream)) {
    return createFailedResult(status >= 500 ? 'endpoint' : 'request', upstream.retryAfter, upstream)
  }
  return {
    kind: 'refused',
    error: readErrorCode(body['error']),
    response: createJsonResponse(status, text, createRequestIdHeader(upstream)),
  }
}

/**
 * `endpoint` if any other token request would have failed too. A failed function of `headers` does not show that, and
 * neither does a page with 4xx or 202. A firewall sends such pages (AWS WAF sends its challenge with 202). With
 * `endpoint`, a caller that triggers the firewall could open the circuit breaker for all callers.
 */
function classifyFailure({ code, status = 0 }: UpstreamFailure): FailureCause {
  const isRequestStatus = status === 202 || (status >= 400 && status < 500)
  return isRequestStatus || code === 'ERR_UPSTREAM_HEADERS' ? 'request' : 'endpoint'
}

/**
 * Whether the response rejects this request for good. 5xx, 408 and 429 are temporary. A response without `error` comes
 * from a firewall or proxy in front of Cognito.
 */
function isRefusal({ status, body }: UpstreamResponse): boolean {
  return status < 500 && status !== 408 && status !== 429 && typeof body['error'] === 'string'
}

function createFailedResult(
  cause: FailureCause,
  retryAfter: number | undefined,
  upstream?: UpstreamResponse,
): UpstreamToken {
  return {
    kind: 'failed',
    failure: { cause, retryAfter, createResponse: createResponseFactory(upstream) },
  }
}

/** Repeats Cognito's body and request ID, with 503 in place of 5xx. Without a response of Cognito: the proxy's 503. */
function createResponseFactory(
  upstream: UpstreamResponse | undefined,
): (seconds: number) => JsonResponse {
  if (upstream === undefined || upstream.text.length > MAX_REPEATED_BODY_LENGTH)
    return createUnavailableResponse
  const { status, text } = upstream
  const id = createRequestIdHeader(upstream)
  return (seconds) =>
    createJsonResponse(status >= 500 ? 503 : status, text, { ...id, ...createRetryAfter(seconds) })
}

function createRequestIdHeader({ requestId }: UpstreamResponse): Readonly<Record<string, string>> {
  return requestId === undefined ? {} : { 'x-amz-cognito-request-id': requestId }
}

/** Returns `error` if it has the form of a code. Events have no free text of a response. */
function readErrorCode(error: unknown): string {
  return typeof error === 'string' && /^[a-z_]{1,64}$/.test(error) ? error : 'invalid_request'
}

/** Consecutive failures that open the circuit breaker. */
const FAILURES_TO_OPEN = 5
/** Milliseconds between two probes. */
const PROBE_INTERVAL_MS = 1000
/** Milliseconds between two warnings: callers that make single requests fail must not fill the log. */
const WARNING_INTERVAL_MS = 60_000

/** Codes of a failed token request, without text of the response. */
interface EndpointError {
  /** `ERR_UPSTREAM_TOKEN`: status 200 without a valid bearer token. */
  readonly code: UpstreamFailureCode | 'ERR_UPSTREAM_TOKEN'
  /** HTTP status, if there was a response. */
  readonly status?: number
  /** System error code of the transport, if there is one. */
  readonly errno?: string
}

/** Status of Cognito's token endpoint, from the requests of this process. */
export interface EndpointStatus {
  /** False while the circuit breaker is open, after 5 consecutive failures. Then the proxy sends one request a second. */
  readonly available: boolean
  /** Error of the last token request. Null if Cognito issued a token or rejected the request. */
  readonly lastError: EndpointError | null
  /** Seconds until the next request may be sent. Null while the circuit breaker is closed. */
  readonly nextAttempt: number | null
}

/** Circuit breaker of one token endpoint, for all token requests of this process. */
export class EndpointHealth {
  readonly #logger: Logger
  readonly #monotonicNow: () => number
  #failures = 0
  #nextProbe = 0
  #lastError: EndpointError | null = null
  #hasWarned = false
  #nextWarning = Number.NEGATIVE_INFINITY

  /** @param monotonicNow Milliseconds, NaN where the clock failed. */
  constructor(logger: Logger, monotonicNow: () => number) {
    this.#logger = logger
    this.#monotonicNow = monotonicNow
  }

  get isOpen(): boolean {
    return this.#failures >= FAILURES_TO_OPEN
  }

  get status(): EndpointStatus {
    const { isOpen } = this
    const left = Math.max(0, this.#nextProbe - this.#monotonicNow()) / 1000
    return {
      available: !isOpen,
      lastError: this.#lastError,
      nextAttempt: isOpen ? left || 0 : null,
    }
  }

  /** Whether a request may be sent. While the breaker is open, one a second may: that request is the probe. */
  admitRequest(): boolean {
    if (!this.isOpen) return true
    const now = this.#monotonicNow()
    if (now < this.#nextProbe) return false
    this.#nextProbe = now + PROBE_INTERVAL_MS
    return true
  }

  /** Records the result of a token request. @returns Whether the breaker closed. */
  record(upstream: UpstreamResult, result: UpstreamToken): boolean {
    // The proxy ended the request itself.
    if (upstream.kind === 'failure' && upstream.code === 'ERR_UPSTREAM_CLOSED') return false
    const wasOpen = this.isOpen
    if (result.kind !== 'failed') this.#failures = 0
    else if (result.failure.cause === 'endpoint') this.#recordFailure()
    // A firewall's response does not show the state of Cognito. It must not use up the probe of other callers.
    else if (upstream.status !== 429 && upstream.status !== 200) {
      this.#nextProbe = Number.NEGATIVE_INFINITY
    }
    this.#log(result.kind === 'failed' ? describeUpstreamError(upstream) : null)
    return wasOpen && !this.isOpen
  }

  #recordFailure(): void {
    this.#failures += 1
    if (this.#failures === FAILURES_TO_OPEN) {
      this.#nextProbe = this.#monotonicNow() + PROBE_INTERVAL_MS
    }
  }

  #log(error: EndpointError | null): void {
    this.#lastError = error
    if ((error !== null) === this.#hasWarned) return
    if (error === null) this.#logger.info({}, 'cognito-m2m: Cognito issues tokens again')
    else {
      const now = this.#monotonicNow()
      if (now < this.#nextWarning) return
      this.#nextWarning = now + WARNING_INTERVAL_MS
      this.#logger.warn(error, 'cognito-m2m: Cognito issues no tokens')
    }
    this.#hasWarned = error !== null
  }
}

function describeUpstreamError(upstream: UpstreamResult): EndpointError {
  if (upstream.kind === 'response') {
    const { status } = upstream
    return { code: status === 200 ? 'ERR_UPSTREAM_TOKEN' : 'ERR_UPSTREAM_STATUS', status }
  }
  const { code, status, errno } = upstream
  const error: { -readonly [Name in keyof EndpointError]: EndpointError[Name] } = { code }
  if (status !== undefined) error.status = status
  if (errno !== undefined) error.errno = errno
  return error
}
