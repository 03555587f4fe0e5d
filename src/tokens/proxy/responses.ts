/** What callers are answered: JSON as RFC 6749 sections 5.1 and 5.2 write it, kept by nobody. */

/** An answer, its body written. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** `error` of an answer of ours; the last two are of section 4.1.2.1, the nearest there is. */
export type OwnError =
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
const LONGEST_WAIT = 60

/** @param body JSON, written. */
export function json(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, headers: { ...HEADERS, ...headers }, body }
}

/** A token; the hot path, so its headers are always the same object. */
export function token(body: string): Answer {
  return { status: 200, headers: HEADERS, body }
}

export function refusal(
  error: OwnError,
  status = 400,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return json(status, JSON.stringify({ error }), headers)
}

/** @param seconds Until it is worth asking again; at least 1, at most 60. */
export function unavailable(seconds: number): Answer {
  return refusal('temporarily_unavailable', 503, retryAfter(seconds))
}

/** @param seconds NaN, from a clock that failed, counts as 1. */
export function retryAfter(seconds: number): { readonly 'retry-after': string } {
  return { 'retry-after': String(Math.ceil(Math.min(LONGEST_WAIT, Math.max(1, seconds || 1)))) }
}
