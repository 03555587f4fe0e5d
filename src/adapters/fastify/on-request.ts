/** The hook that guards the routes of one registration. */
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { AuthError, InternalError } from '../../core/errors.ts'
import type { Guard } from '../../core/resource-server.ts'
import { readAuthorizationHeaders } from '../../core/token/bearer.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { isThenable } from '../../core/util/async.ts'
import { findRegistration, type Registration } from './registrations.ts'
import { getRouteRequirement } from './route-requirement.ts'
import { type Done, fail, failClosed, refuse } from './send-error.ts'

/** What happens to requests of one route. */
type RoutePolicy = Guard<VerifiedToken | null> | 'public' | 'another registration' | 'invalid'

let hooks = 0

/** `this` of the hook is the route's own context, wherever the hook was added. */
export function guardRequests(registration: Registration): onRequestHookHandler {
  // By context and config: not-found handlers of several contexts may share one config.
  const policies = new WeakMap<FastifyInstance, WeakMap<object, RoutePolicy>>()

  function policyFor(context: FastifyInstance, request: FastifyRequest): RoutePolicy {
    const { config } = request.routeOptions
    const known = policies.get(context) ?? new WeakMap<object, RoutePolicy>()
    const policy = known.get(config) ?? createPolicy(context, request, registration)
    policies.set(context, known.set(config, policy))
    return policy
  }

  function onRequest(
    this: FastifyInstance,
    request: FastifyRequest,
    reply: FastifyReply,
    done: Done,
  ): void {
    if (registration.active === undefined && findRegistration(this) === registration) {
      refuse(registration.failure(), request, reply, done)
      return
    }
    const policy = policyFor(this, request)
    if (policy === 'another registration') {
      done()
      return
    }
    if (policy === 'invalid') {
      const message = 'The access requirement of this route is invalid'
      refuse(new InternalError('ERR_OPTION_INVALID', message), request, reply, done)
      return
    }
    request.auth = null
    if (policy === 'public') done()
    else runGuard(policy, request, reply, done)
  }
  // Fastify lists the hooks of a route by name: this one says whose it is.
  hooks += 1
  return Object.defineProperty(failClosed(onRequest), 'name', { value: `cognitoAuth #${hooks}` })
}

/** Decides at a route's first request who guards it. In nested contexts the nearest does. */
function createPolicy(
  context: FastifyInstance,
  request: FastifyRequest,
  registration: Registration,
): RoutePolicy {
  const { active } = registration
  if (active === undefined || findRegistration(context) !== registration)
    return 'another registration'
  const { config, method, url } = request.routeOptions
  try {
    const need = getRouteRequirement(config, context, registration)
    return need === false ? 'public' : active.server.guardOf(need)
  } catch (error) {
    request.log.error(
      { err: error, method, route: url },
      'cognito-m2m: the access requirement of a route is invalid; answering 500',
    )
    return 'invalid'
  }
}

function runGuard(
  guard: Guard<VerifiedToken | null>,
  request: FastifyRequest,
  reply: FastifyReply,
  done: Done,
): void {
  const admit = (token: VerifiedToken | null): void => {
    request.auth = token
    done()
  }
  const decline = (error: unknown): void => {
    if (error instanceof AuthError) {
      refuse(error, request, reply, done)
      return
    }
    // Only code of the owner's gets here, say an injected clock: its error is for the log.
    request.log.error({ err: error }, 'cognito-m2m: access cannot be decided')
    refuse(new InternalError('ERR_INTERNAL', 'Access cannot be decided'), request, reply, done)
  }
  let decision: ReturnType<typeof guard>
  try {
    decision = guard(readAuthorizationHeaders(request.raw), request)
  } catch (error) {
    decline(error)
    return
  }
  if (isThenable(decision)) {
    decision.then(admit, decline).then(undefined, (fault) => fail(fault, reply, done))
  } else admit(decision)
}
