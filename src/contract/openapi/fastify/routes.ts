/** The routes a document describes, each with the context that decides what it needs. */
import type { FastifyInstance, RouteOptions } from 'fastify'
import { registrationOf } from '../../../adapters/fastify/registrations.ts'
import { needOf } from '../../../adapters/fastify/route-requirement.ts'
import type { OperationAccess } from '../objects.ts'
import { responsesOf } from '../responses.ts'
import { type Scheme, securityOf } from '../scheme.ts'
import { admitValidationErrors } from './validation.ts'

/** On the route itself, as @fastify/swagger makes a copy of some HEAD routes. */
const context: unique symbol = Symbol('cognito-m2m.context')

/** A route whose context is known. */
export interface KnownRoute extends RouteOptions {
  readonly [context]: FastifyInstance
}

/** For `onRoute`, whose `this` is the route's context. */
export function knownRoute(it: FastifyInstance, route: RouteOptions): KnownRoute {
  return Object.assign(route, { [context]: it })
}

/**
 * What its guard does, asked of what the guard asks; undefined where nobody guards it. Only after the
 * app is ready: defaults may be declared behind a route.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` for a scope that nothing defines.
 */
export function accessTo(route: KnownRoute, scheme: Scheme): OperationAccess | undefined {
  const registration = registrationOf(route[context])
  const server = registration?.active?.server
  // A registration that failed denies everything: there is nothing to describe.
  if (registration === undefined || server === undefined) return undefined
  const need = needOf(route.config ?? {}, route[context], registration)
  scheme.checkScopes(need, `config.auth of ${route.method} ${route.url}`)
  const responses = need === false ? {} : responsesOf(server.refusalsOf(need))
  admitValidationErrors(responses, route)
  return { security: securityOf(need, scheme.name), responses }
}
