/** What a refusal must look like to the last header, and whether it does. */
import { isDeepStrictEqual } from 'node:util'
import { AUTH_ERRORS } from '../../../src/core/errors.ts'
import { parseChallenge } from '../../support/forge.ts'
import type { Answer } from '../behavior/surfaces.ts'
import type { AcceptedCase, HostileCase } from './hostile-case.ts'
import { SCOPE } from './options.ts'

/** A response in the form that is compared: one object per case. */
export type Seen = Readonly<Record<string, unknown>>

/** One wrong decision: what was seen and what should have been. */
export interface Wrong {
  readonly hostile: string
  readonly seen: Seen
  readonly expected: Seen
}

/** Of an authorizer API Gateway takes no 400 and no 503, and shows neither body nor headers. */
const isBare = (surface: string) => surface.includes('Lambda')

/** In printable characters: TAP is read line by line. */
export function nameOf({ clause, field, mutation }: AcceptedCase): string {
  const escaped = (it: string) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`
  return `${clause}, ${field}: ${mutation}`.replace(/[^\x20-\x7E§]/g, escaped)
}

export function expected({ code }: HostileCase, surface: string): Seen {
  const { statusCode, error, message, challenge } = AUTH_ERRORS[code]
  if (isBare(surface)) {
    const status = { 400: 401, 503: 500 }[statusCode as number] ?? statusCode
    return { status, code, reached: false, leaks: [] }
  }
  const params: Record<string, string> = { realm: 'api' }
  if (!['bare', 'none'].includes(challenge)) {
    Object.assign(params, { error: challenge, error_description: message })
  }
  if (code === 'ERR_SCOPE_INSUFFICIENT') params['scope'] = SCOPE
  return {
    status: statusCode,
    code,
    reached: false,
    leaks: [],
    body: { statusCode, code, error, message },
    cacheControl: 'no-store',
    challenge: challenge === 'none' ? undefined : params,
    retryAfter: challenge === 'none',
  }
}

export function observed(hostile: HostileCase, answer: Answer, surface: string): Seen {
  const { status, code, headers, body, auth } = answer
  const leaks = leaksOf(hostile, JSON.stringify([headers, body]))
  const seen = { status, code, reached: auth !== undefined, leaks }
  if (isBare(surface)) return seen
  const challenge = headers['www-authenticate']
  return {
    ...seen,
    body,
    cacheControl: headers['cache-control'],
    challenge: challenge === undefined ? undefined : { ...parseChallenge(challenge) },
    retryAfter: /^(?:[1-9]|[1-5]\d|60)$/.test(headers['retry-after'] ?? ''),
  }
}

/** The wrong decision an answer is, or undefined where it is right. */
export function judge(hostile: HostileCase, answer: Answer, surface: string): Wrong | undefined {
  const should = expected(hostile, surface)
  const seen = observed(hostile, answer, surface)
  return isDeepStrictEqual(seen, should)
    ? undefined
    : { hostile: nameOf(hostile), seen, expected: should }
}

/** Pieces of the request that show up in the answer, other than in its fixed text. */
function leaksOf(hostile: HostileCase, shown: string): string[] {
  const fixed = `${JSON.stringify(expected(hostile, ''))} Bearer application/json; charset=utf-8`
  return pieces(hostile.authorization).filter((it) => shown.includes(it) && !fixed.includes(it))
}

/** First characters of each part, and what a decoder finds in it: kid, claims. */
function pieces(authorization: string | readonly string[]): string[] {
  const parts = [authorization].flat().flatMap((line) => line.slice(0, 20_000).split(/[\s,.]/))
  const texts = parts.flatMap((part) => [part.slice(0, 20), ...valuesIn(part)])
  return [...new Set(texts)].filter((it) => it.length >= 8)
}

function valuesIn(part: string): string[] {
  if (part.length < 8) return []
  const text = Buffer.from(part, 'base64url').toString()
  return Array.from(text.matchAll(/"((?:[^"\\]|\\.){8,200})"/g), ([, value]) => value as string)
}
