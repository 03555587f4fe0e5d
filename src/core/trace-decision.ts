/** Watches one decision for who listens, and changes nothing about it. */

import { type DecisionEvent, publish, secondsBetween } from './diagnostics.ts'
import { AuthError } from './errors.ts'
import { isThenable } from './util/async.ts'

/** What becomes known on the way to a decision. */
export interface DecisionTrace {
  userPoolId: string | null
  clientId: string | null
  /** Which claim is wrong. */
  reason: string | null
}

/** Whose decisions, and the clock they are timed by, in milliseconds. */
export interface TraceContext {
  readonly instance: number
  readonly monotonicNow: () => number
}

/** Decides and tells; at once or as a promise, as the decision itself is. */
export function traceDecision<Decision>(
  { instance, monotonicNow }: TraceContext,
  decide: (seen: DecisionTrace) => Decision | Promise<Decision>,
): Decision | Promise<Decision> {
  const seen: DecisionTrace = { userPoolId: null, clientId: null, reason: null }
  const begun = monotonicNow()
  const tellDecision = (code: DecisionEvent['code']): void =>
    publish('cognito-m2m:decision', () => ({
      ...{ instance, userPoolId: seen.userPoolId, clientId: seen.clientId, code },
      reason: seen.reason,
      duration: secondsBetween(begun, monotonicNow()),
    }))
  const refused = (error: unknown): never => {
    tellDecision(error instanceof AuthError ? error.code : 'ERR_INTERNAL')
    throw error
  }
  const admitted = (decision: Decision): Decision => {
    tellDecision(null)
    return decision
  }
  let decision: Decision | Promise<Decision>
  try {
    decision = decide(seen)
  } catch (error) {
    return refused(error)
  }
  return isThenable(decision) ? decision.then(admitted, refused) : admitted(decision)
}
