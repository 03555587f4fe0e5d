/** The hook that guards the routes of one registration. */
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { InternalError } from '../../core/errors.ts'
import type { CoreGuard } from '../../core/resource-server.ts'
import { readAuthorizationHeaders } from '../../core/token/bearer.ts'
import type { VerifiedToken } from '../../core/token/verified-token.ts'
import { isThenable } from '../../core/util/async.ts'
import { passError, toResponseError } from '../respond.ts'
import { findRegistration, type Registration } from './registrations.ts'
import { getRouteRequirement } from './route-requirement.ts'
import { type Done, sendError } from './send-error.ts'

/** How requests of one route are handled. */
type RoutePolicy = CoreGuard | 'public' | 'another registration' | 'invalid'

let hooks = 0

/** Creates the hook. Its `this` is the route's own context, whichever context it was added to. */
export function guardRequests(registration: Registration): onRequestHookHandler {
  // Keyed by context and config: not-found handlers of several contexts may share one config.
  const policies = new WeakMap<FastifyInstance, WeakMap<object, RoutePolicy>>()

  function policyFor(context: FastifyInstance, request: FastifyRequest): RoutePolicy {
    const { config } = request.routeOptions
    const known = policies.get(context)?.get(config)
    if (known !== undefined) return known
    const policy = createPolicy(context, request, registration)
    const ofContext = policies.get(context) ?? new WeakMap<object, RoutePolicy>()
    policies.set(context, ofContext.set(config, policy))
    return policy
  }

  function onRequest(
    this: FastifyInstance,
    request: FastifyRequest,
    reply: FastifyReply,
    done: Done,
  ): void {
    if (registration.active === undefined && findRegistration(this) === registration) {
      sendError(registration.createError(), request, reply, done)
      return
    }
    const policy = policyFor(this, request)
    if (policy === 'another registration') {
      done()
      return
    }
    if (policy === 'invalid') {
      const message = 'The access requirement of this route is invalid'
      sendError(new InternalError('ERR_OPTION_INVALID', message), request, reply, done)
      return
    }
    request.auth = null
    if (policy === 'public') done()
    else runGuard(policy, request, reply, done)
  }
  // Fastify lists the hooks of a route by name: the name identifies this registration.
  hooks += 1
  return Object.defineProperty(failClosed(onRequest), 'name', { value: `cognitoAuth #${hooks}` })
}

/** Decides at a route's first request which registration guards it: the nearest one. */
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
    const requirement = getRouteRequirement(config, context, registration)
    return requirement === false
      ? 'public'
      : active.server.createGuard(requirement, () => url ?? null)
  } catch (error) {
    request.log.error(
      { err: error, method, route: url },
      'cognito-m2m: invalid auth config of a route; answering 500',
    )
    return 'invalid'
  }
}

/** For a cached token, the decision is synchronous, and no function is created per request. */
function runGuard(
  guard: CoreGuard,
  request: FastifyRequest,
  reply: FastifyReply,
  done: Done,
): void {
  let decision: ReturnType<typeof guard>
  try {
    decision = guard(readAuthorizationHeaders(request.raw), request)
  } catch (error) {
    refuse(error, request, reply, done)
    return
  }
  if (isThenable(decision)) {
    decision
      .then(
        (token) => allow(token, request, done),
        (thrown) => refuse(thrown, request, reply, done),
      )
      .then(undefined, (thrown) => passError(thrown, done, reply.raw))
  } else allow(decision, request, done)
}

function allow(token: VerifiedToken | null, request: FastifyRequest, done: Done): void {
  request.auth = token
  done()
}

function refuse(thrown: unknown, request: FastifyRequest, reply: FastifyReply, done: Done): void {
  sendError(toResponseError(thrown, request.log), request, reply, done)
}

/** Wraps a hook so that a request is not served if a logger or another plugin throws in the hook. */
export function failClosed(hook: onRequestHookHandler): onRequestHookHandler {
  return function (request, reply, done): void {
    try {
      hook.call(this, request, reply, done)
    } catch (thrown) {
      passError(thrown, done, reply.raw)
    }
  }
}
