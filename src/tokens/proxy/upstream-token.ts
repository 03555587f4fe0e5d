/** Classifies Cognito's response to a token request: issued, refused or failed. */

import { readEntry, type TokenEntry } from './cache-entry.ts'
import type { FailureCause, UpstreamError } from './negative-cache.ts'
import {
  createJsonResponse,
  createRetryAfter,
  createUnavailableResponse,
  type ProxyResponse,
} from './responses.ts'
import type { UpstreamAnswer, UpstreamFailure } from './upstream.ts'

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
