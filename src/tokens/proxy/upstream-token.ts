/** What Cognito's answer to a token request means. */

import { type Entry, entryOf } from './cache-entry.ts'
import type { FailureCause, UpstreamError } from './negative-cache.ts'
import { type Answer, json, retryAfter, unavailable } from './responses.ts'
import type { UpstreamAnswer, UpstreamFailure } from './upstream.ts'

/** See {@link readUpstream}. */
export type UpstreamToken =
  /** A token. `answer` is Cognito's own. */
  | { readonly kind: 'issued'; readonly entry: Entry; readonly answer: Answer }
  /** Cognito refused the request. `error` is of RFC 6749 section 5.2. */
  | { readonly kind: 'refused'; readonly error: string; readonly answer: Answer }
  /** Cognito said nothing about the request. */
  | { readonly kind: 'failed'; readonly failure: UpstreamError }

/** Characters of a failed answer that is kept for later callers; Cognito's have less. */
const MAX_KEPT_BODY = 2048

/** @param askedAt When Cognito was asked, in milliseconds, by the clock that dates entries. */
export function readUpstream(
  upstream: UpstreamAnswer | UpstreamFailure,
  askedAt: number,
): UpstreamToken {
  if (upstream.kind === 'failure') return failed(causeOf(upstream), upstream.retryAfter)
  const { status, body, text } = upstream
  if (status === 200) {
    const entry = entryOf(body, askedAt)
    // A 200 without a valid token is never forwarded: its caller would send whatever it holds to an API.
    if (entry === undefined) return failed('request', undefined)
    return { kind: 'issued', entry, answer: json(200, text, requestId(upstream)) }
  }
  if (!isRefusal(upstream)) {
    return failed(status >= 500 ? 'endpoint' : 'request', upstream.retryAfter, upstream)
  }
  return {
    kind: 'refused',
    error: errorOf(body['error']),
    answer: json(status, text, requestId(upstream)),
  }
}

/**
 * Whether any other token request would have failed too. An owner's `headers` say nothing of that, nor does a
 * page with 4xx or 202. A firewall sends those (AWS WAF its challenge with 202), so whoever writes what it
 * blocks could otherwise open the circuit breaker for all callers.
 */
function causeOf({ code, status = 0 }: UpstreamFailure): FailureCause {
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

function failed(
  cause: FailureCause,
  asked: number | undefined,
  upstream?: UpstreamAnswer,
): UpstreamToken {
  return { kind: 'failed', failure: { cause, retryAfter: asked, answerIn: answering(upstream) } }
}

/** Cognito's own body and request id with a status of 503 in place of 5xx; ours where there is none. */
function answering(upstream: UpstreamAnswer | undefined): (seconds: number) => Answer {
  if (upstream === undefined || upstream.text.length > MAX_KEPT_BODY) return unavailable
  const { status, text } = upstream
  const id = requestId(upstream)
  return (seconds) => json(status >= 500 ? 503 : status, text, { ...id, ...retryAfter(seconds) })
}

function requestId({ requestId: id }: UpstreamAnswer): Readonly<Record<string, string>> {
  return id === undefined ? {} : { 'x-amz-cognito-request-id': id }
}

/** Only what is a code, for an event that carries no foreign text. */
function errorOf(error: unknown): string {
  return typeof error === 'string' && /^[a-z_]{1,64}$/.test(error) ? error : 'invalid_request'
}
