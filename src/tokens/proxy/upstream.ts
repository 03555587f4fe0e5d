/**
 * Cognito's token endpoint: one bounded request for a token, the classification of its response, and the circuit
 * breaker of the endpoint.
 */
import { setMaxListeners } from 'node:events'
import type { Logger } from '../../core/options/logger.ts'
import { type JsonObject, parseStrictObject } from '../../core/token/strict-json.ts'
import {
  type BoundedFetchError,
  type BoundedResponse,
  boundedFetch,
  type FetchFailure,
} from '../../core/util/bounded-fetch.ts'
import { basicHeader } from '../oauth/basic.ts'
import {
  type FailureCause,
  readEntry,
  type TokenEntry,
  type UpstreamError,
} from './cached-results.ts'
import type { TokenRequest } from './protocol.ts'
import {
  createJsonResponse,
  createRetryAfter,
  createUnavailableResponse,
  type ProxyResponse,
} from './protocol.ts'

/** Bytes of an answer, counted after decompression. A token with many claims has some thousand. */
const MAX_BYTES = 256 * 1024
const REQUEST_ID = /^[\w-]{1,128}$/

/** Visible ASCII with blanks inside: no line break begins another header. */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]{0,4094}[\x21-\x7e])?$/

/** What Cognito said, in JSON. */
interface UpstreamAnswer {
  readonly kind: 'answer'
  readonly status: number
  readonly body: JsonObject
  /** The body as it came. */
  readonly text: string
  /** `x-amz-cognito-request-id`. */
  readonly requestId: string | undefined
  /** Seconds it asked to wait; not clamped. */
  readonly retryAfter: number | undefined
}

/** Why there is no answer. */
type UpstreamFailureCode =
  | 'ERR_UPSTREAM_TIMEOUT'
  | 'ERR_UPSTREAM_NETWORK'
  | 'ERR_UPSTREAM_REDIRECT'
  | 'ERR_UPSTREAM_STATUS'
  | 'ERR_UPSTREAM_TOO_LARGE'
  | 'ERR_UPSTREAM_NOT_JSON'
  | 'ERR_UPSTREAM_HEADERS'
  | 'ERR_UPSTREAM_CLOSED'

/** Facts, never foreign text: messages of a transport quote what they were given. */
interface UpstreamFailure {
  readonly kind: 'failure'
  readonly code: UpstreamFailureCode
  readonly status?: number | undefined
  readonly errno?: string | undefined
  readonly retryAfter?: number | undefined
}

/** A header's value, or a function that is asked for it before each request to Cognito. */
export type UpstreamHeader = string | (() => string | Promise<string>)

/** How Cognito is asked. */
interface UpstreamOptions {
  readonly tokenEndpoint: string
  readonly headers: ReadonlyMap<string, UpstreamHeader>
  readonly fetch: typeof globalThis.fetch
  /** Wall clock in milliseconds, for a Retry-After given as a date. */
  readonly now: () => number
}

type Result = UpstreamAnswer | UpstreamFailure

const CODES: Readonly<Record<FetchFailure, UpstreamFailureCode>> = {
  timeout: 'ERR_UPSTREAM_TIMEOUT',
  network: 'ERR_UPSTREAM_NETWORK',
  redirect: 'ERR_UPSTREAM_REDIRECT',
  'too-large': 'ERR_UPSTREAM_TOO_LARGE',
  aborted: 'ERR_UPSTREAM_CLOSED',
}

/** Cognito's token endpoint. */
export class Upstream {
  readonly #options: UpstreamOptions
  readonly #closed = new AbortController()

  constructor(options: UpstreamOptions) {
    this.#options = options
    // Every request in flight listens: as many as the budget has, and no leak.
    setMaxListeners(0, this.#closed.signal)
  }

  /** @param timeoutMs Milliseconds for everything: configured headers, connection, response and its body. */
  async ask(request: TokenRequest, timeoutMs: number): Promise<Result> {
    const { tokenEndpoint, headers, fetch, now } = this.#options
    let hasHeaders = true
    const send: typeof fetch = async (url, init) => {
      const configured = await resolveHeaders(headers)
      hasHeaders = configured !== undefined
      if (configured === undefined) throw new TypeError('no headers')
      const { signal } = init as { readonly signal: AbortSignal }
      signal.throwIfAborted()
      return fetch(url, { ...init, ...write(request, configured) })
    }
    const { signal } = this.#closed
    try {
      const limits = { fetch: send, timeoutMs, maxBytes: MAX_BYTES, signal, now }
      return read(await boundedFetch(tokenEndpoint, {}, limits))
    } catch (error) {
      if (!hasHeaders) return { kind: 'failure', code: 'ERR_UPSTREAM_HEADERS' }
      const { reason, status, errno, retryAfter } = error as BoundedFetchError
      return { kind: 'failure', code: CODES[reason], status, errno, retryAfter }
    }
  }

  /** Ends requests in flight. */
  close(): void {
    this.#closed.abort()
  }
}

/**
 * Reads the current value of each header.
 *
 * @returns Undefined if one has no value. A firewall would reject a request without its secret header.
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

/** Only what is known of a request goes out, whatever else came in. */
function write(
  { authMethod, credentials, scopes, metadata }: TokenRequest,
  configured: Readonly<Record<string, string>>,
): RequestInit {
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  const headers: Record<string, string> = {
    ...configured,
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

function read({ status, headers, body: bytes, retryAfter }: BoundedResponse): Result {
  // 304 is no redirect, but as little a token.
  if (status >= 300 && status < 400) {
    return { kind: 'failure', code: 'ERR_UPSTREAM_REDIRECT', status }
  }
  const body = parseStrictObject(bytes)
  if (body === undefined)
    return { kind: 'failure', code: 'ERR_UPSTREAM_NOT_JSON', status, retryAfter }
  if (status !== 200 && status < 400)
    return { kind: 'failure', code: 'ERR_UPSTREAM_STATUS', status }
  const [requestId] = REQUEST_ID.exec(headers.get('x-amz-cognito-request-id') ?? '') ?? []
  return { kind: 'answer', status, body, text: bytes.toString('utf8'), requestId, retryAfter }
}

/** See {@link readUpstreamToken}. */
export type UpstreamToken =
  /** A token. `response` is Cognito's own. */
  | { readonly kind: 'issued'; readonly entry: TokenEntry; readonly response: ProxyResponse }
  /** Cognito refused the request. `error` is of RFC 6749 section 5.2. */
  | { readonly kind: 'refused'; readonly error: string; readonly response: ProxyResponse }
  /** Cognito said nothing about the request. */
  | { readonly kind: 'failed'; readonly failure: UpstreamError }

/** Characters of a failed answer that is kept for later callers; Cognito's have less. */
const MAX_REPEATED_BODY_LENGTH = 2048

/** @param requestedAt When Cognito was asked, in milliseconds, by the clock that dates entries. */
export function readUpstreamToken(
  upstream: UpstreamAnswer | UpstreamFailure,
  requestedAt: number,
): UpstreamToken {
  if (upstream.kind === 'failure')
    return createFailed(classifyFailure(upstream), upstream.retryAfter)
  const { status, body, text } = upstream
  if (status === 200) {
    const entry = readEntry(body, requestedAt)
    // A 200 without a valid token is never forwarded: its caller would send whatever it holds to an API.
    if (entry === undefined) return createFailed('request', undefined)
    return {
      kind: 'issued',
      entry,
      response: createJsonResponse(200, text, createRequestIdHeader(upstream)),
    }
  }
  if (!isRefusal(upstream)) {
    return createFailed(status >= 500 ? 'endpoint' : 'request', upstream.retryAfter, upstream)
  }
  return {
    kind: 'refused',
    error: readErrorCode(body['error']),
    response: createJsonResponse(status, text, createRequestIdHeader(upstream)),
  }
}

/**
 * Whether any other token request would have failed too. An owner's `headers` say nothing of that, nor does a
 * page with 4xx or 202. A firewall sends those (AWS WAF its challenge with 202), so whoever writes what it
 * blocks could otherwise open the circuit breaker for all callers.
 */
function classifyFailure({ code, status = 0 }: UpstreamFailure): FailureCause {
  const isOfRequest = status === 202 || (status >= 400 && status < 500)
  return isOfRequest || code === 'ERR_UPSTREAM_HEADERS' ? 'request' : 'endpoint'
}

/**
 * Whether an answer says something about the request, and not only about the moment. One without
 * `error` is of who stands before Cognito, a firewall for one.
 */
function isRefusal({ status, body }: UpstreamAnswer): boolean {
  return status < 500 && status !== 408 && status !== 429 && typeof body['error'] === 'string'
}

function createFailed(
  cause: FailureCause,
  retryAfter: number | undefined,
  upstream?: UpstreamAnswer,
): UpstreamToken {
  return {
    kind: 'failed',
    failure: { cause, retryAfter, createResponse: createResponseFactory(upstream) },
  }
}

/** Cognito's body and request ID, with 503 in place of 5xx. Without a response of Cognito, the proxy's own. */
function createResponseFactory(
  upstream: UpstreamAnswer | undefined,
): (seconds: number) => ProxyResponse {
  if (upstream === undefined || upstream.text.length > MAX_REPEATED_BODY_LENGTH)
    return createUnavailableResponse
  const { status, text } = upstream
  const id = createRequestIdHeader(upstream)
  return (seconds) =>
    createJsonResponse(status >= 500 ? 503 : status, text, { ...id, ...createRetryAfter(seconds) })
}

function createRequestIdHeader({ requestId }: UpstreamAnswer): Readonly<Record<string, string>> {
  return requestId === undefined ? {} : { 'x-amz-cognito-request-id': requestId }
}

/** Only what is a code, for an event that carries no foreign text. */
function readErrorCode(error: unknown): string {
  return typeof error === 'string' && /^[a-z_]{1,64}$/.test(error) ? error : 'invalid_request'
}

/** Failures in a row that open the breaker. */
const FAILURES_TO_OPEN = 5
/** Milliseconds between two probes. */
const PROBE_INTERVAL_MS = 1000
/** Milliseconds between two warnings: whoever makes single requests fail must not fill the log. */
const WARNING_INTERVAL_MS = 60_000

/** Facts of a failed token request: no text of Cognito's. */
interface EndpointError {
  /** `ERR_UPSTREAM_TOKEN`: status 200 without a valid bearer token. */
  readonly code: UpstreamFailureCode | 'ERR_UPSTREAM_TOKEN'
  /** HTTP status, if Cognito answered. */
  readonly status?: number
  /** System error code of the transport, if there is one. */
  readonly errno?: string
}

/** How Cognito's token endpoint is, as this process sees it. */
export interface EndpointStatus {
  /** False while the circuit breaker is open: then one request a second is sent. */
  readonly available: boolean
  /** Of the last request; null if it brought a token or a refusal. */
  readonly lastError: EndpointError | null
  /** Seconds until a request may be sent; null while the circuit breaker is closed. */
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

  /** Whether a request may be sent. While the breaker is open, yes once a second: that request is the probe. */
  admitRequest(): boolean {
    if (!this.isOpen) return true
    const now = this.#monotonicNow()
    if (now < this.#nextProbe) return false
    this.#nextProbe = now + PROBE_INTERVAL_MS
    return true
  }

  /** @returns Whether the breaker closed by it. */
  record(upstream: UpstreamAnswer | UpstreamFailure, result: UpstreamToken): boolean {
    const wasOpen = this.isOpen
    if (result.kind !== 'failed') this.#failures = 0
    else if (result.failure.cause === 'endpoint') this.#fail()
    // A firewall's answer tells nothing of Cognito. Whoever causes it must not use up the probes of others.
    else if (upstream.status !== 429 && upstream.status !== 200) {
      this.#nextProbe = Number.NEGATIVE_INFINITY
    }
    this.#log(result.kind === 'failed' ? describeUpstreamError(upstream) : null)
    return wasOpen && !this.isOpen
  }

  #fail(): void {
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

function describeUpstreamError(upstream: UpstreamAnswer | UpstreamFailure): EndpointError {
  if (upstream.kind === 'answer') {
    const { status } = upstream
    return { code: status === 200 ? 'ERR_UPSTREAM_TOKEN' : 'ERR_UPSTREAM_STATUS', status }
  }
  const { code, status, errno } = upstream
  return {
    code,
    ...(status === undefined ? {} : { status }),
    ...(errno === undefined ? {} : { errno }),
  }
}
