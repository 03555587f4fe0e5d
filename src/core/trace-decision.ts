/** Publishes the event of a guard's decision without changing the decision. */

import { type DecisionEvent, publish, secondsBetween } from './diagnostics.ts'
import { AuthError } from './errors.ts'
import type { RejectionLog } from './rejection-log.ts'
import { isThenable } from './util/async.ts'

/** Facts that a guard learns on the way to its decision. */
export interface DecisionTrace {
  userPoolId: string | null
  clientId: string | null
  /** Which claim is malformed. */
  reason: string | null
  /** Whether the verified token was in the token cache; null without one. */
  cached: boolean | null
}

/** Returns the pattern of a request's route; null if it is unknown. Adapters read it from their framework. */
export type RouteReader = (request: unknown) => string | null

/** The server that decides, and the clock that times its decisions. */
export interface TraceContext {
  readonly instance: number
  /** Milliseconds. */
  readonly monotonicNow: () => number
  readonly readRoute: RouteReader
  /** Undefined if rejections are not logged. */
  readonly rejectionLog: RejectionLog | undefined
}

/** Decides, then publishes the event and logs a rejection. Synchronous if the decision is. */
export function traceDecision<Decision>(
  { instance, monotonicNow, readRoute, rejectionLog }: TraceContext,
  request: unknown,
  decide: (trace: DecisionTrace) => Decision | Promise<Decision>,
): Decision | Promise<Decision> {
  const trace: DecisionTrace = { userPoolId: null, clientId: null, reason: null, cached: null }
  const startedAt = monotonicNow()
  const publishDecision = (code: DecisionEvent['code']): void =>
    publish('cognito-m2m:decision', () => ({
      instance,
      userPoolId: trace.userPoolId,
      clientId: trace.clientId,
      code,
      reason: trace.reason,
      route: safeRoute(readRoute, request),
      cached: trace.cached,
      duration: secondsBetween(startedAt, monotonicNow()),
    }))
  const onError = (error: unknown): never => {
    if (error instanceof AuthError && rejectionLog !== undefined) {
      const { userPoolId, clientId, reason } = trace
      const { code } = error
      const route = safeRoute(readRoute, request)
      rejectionLog.write({ code, route, clientId, userPoolId, reason })
    }
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

/** Other middleware may change a request: a getter that throws must not change the decision. */
function safeRoute(readRoute: RouteReader, request: unknown): string | null {
  try {
    const route: unknown = readRoute(request)
    return typeof route === 'string' ? route : null
  } catch {
    return null
  }
}
