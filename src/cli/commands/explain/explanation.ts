/** A token explained: what it says, every check, and what an API answers. */
import type { AuthErrorBody } from '../../../core/errors.ts'
import type { JsonObject } from '../../../core/token/strict-json.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import { checksOf } from './checks.ts'
import type { GivenToken } from './decode.ts'
import type { Check, Expectations } from './judgements.ts'
import { obtainKeys } from './keys.ts'
import { readingOf } from './token-reading.ts'
import { type TrustFlags, trustOf } from './trust.ts'
import { guardVerdict } from './verdict.ts'

/** See the module. Holds neither the token nor its signature. */
export interface Explanation {
  readonly verdict: 'accepted' | 'refused' | 'unjudged'
  /** What an API answers instead of letting it pass. */
  readonly answer: AuthErrorBody | null
  readonly checks: readonly Check[]
  /** Null where they cannot be read. */
  readonly header: JsonObject | null
  readonly claims: JsonObject | null
  /** Where keys were had from; null where nowhere. */
  readonly keys: string | null
  /** What was taken off the text to have the token. */
  readonly notes: readonly string[]
  /** For when it was judged, milliseconds. */
  readonly now: number
}

export type Conditions = Omit<Expectations, 'trust' | 'keys'> & TrustFlags

export async function explain(
  { token, notes }: GivenToken,
  conditions: Conditions,
  terminal: Terminal,
): Promise<Explanation> {
  const reading = readingOf(token)
  const { header = null, claims = null } = reading
  const trust = trustOf(conditions, reading.claims?.['iss'])
  const keys = await obtainKeys(trust, conditions.jwks, terminal)
  const expected = { ...conditions, trust, keys }
  const checks = await checksOf(reading, expected)
  const answer = (await guardVerdict(token, expected)) ?? null
  const verdict = answer === null ? 'accepted' : answer.statusCode === 503 ? 'unjudged' : 'refused'
  const { now } = conditions
  const source = keys.source === '' ? null : keys.source
  return { verdict, answer, checks, header, claims, keys: source, notes, now }
}
