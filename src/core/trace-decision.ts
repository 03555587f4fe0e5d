/** Publishes the event of a guard's decision without changing the decision. */

import { type DecisionEvent, publish, secondsBetween } from './diagnostics.ts'
import { AuthError } from './errors.ts'
import { isThenable } from './util/async.ts'

/** Facts that a guard learns on the way to its decision. */
export interface DecisionTrace {
  userPoolId: string | null
  clientId: string | null
  /** Which claim is malformed. */
  reason: string | null
}

/** The server that decides, and the clock that times its decisions. */
export interface TraceContext {
  readonly instance: number
  /** Milliseconds. */
  readonly monotonicNow: () => number
}

/** Decides, then publishes the event. Synchronous if the decision is. */
export function traceDecision<Decision>(
  { instance, monotonicNow }: TraceContext,
  decide: (trace: DecisionTrace) => Decision | Promise<Decision>,
): Decision | Promise<Decision> {
  const trace: DecisionTrace = { userPoolId: null, clientId: null, reason: null }
  const startedAt = monotonicNow()
  const publishDecision = (code: DecisionEvent['code']): void =>
    publish('cognito-m2m:decision', () => ({
      instance,
      userPoolId: trace.userPoolId,
      clientId: trace.clientId,
      code,
      reason: trace.reason,
      duration: secondsBetween(startedAt, monotonicNow()),
    }))
  const onError = (error: unknown): never => {
    publishDecision(error instanceof AuthError ? error.code : 'ERR_INTERNAL')
    throw error
  }
  const onDecision = (decision: Decision): Decision => {
    publishDecision(null)
    return decision
  }
  let decision: Decision | Promise<Decision>
  try {
    decision = decide(trace)
  } catch (error) {
    return onError(error)
  }
  return isThenable(decision) ? decision.then(onDecision, onError) : onDecision(decision)
}
