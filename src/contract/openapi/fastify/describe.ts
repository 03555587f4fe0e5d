/** Puts access into the document: `security` by a route's schema, responses by its operation. */
import type { SwaggerTransform } from '@fastify/swagger'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { findRegistration } from '../../../adapters/fastify/registrations.ts'
import { getRouteRequirement } from '../../../adapters/fastify/route-requirement.ts'
import type { OperationAccess, RefusalResponses, SecurityRequirement } from '../objects.ts'
import { toResponses } from '../responses.ts'
import { type Scheme, toSecurity } from '../scheme.ts'
import { addValidationErrors } from './validation.ts'

/** On the route itself, as @fastify/swagger makes a copy of some HEAD routes. */
const CONTEXT: unique symbol = Symbol('cognito-m2m.context')

/** A route whose context is known. */
export interface ContextRoute extends RouteOptions {
  readonly [CONTEXT]: FastifyInstance
}

/** For `onRoute`, whose `this` is the route's context. */
export function attachContext(it: FastifyInstance, route: RouteOptions): ContextRoute {
  return Object.assign(route, { [CONTEXT]: it })
}

/**
 * What its guard does, asked of what the guard asks; undefined where nobody guards it. Only after the
 * app is ready: defaults may be declared behind a route.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` for a scope that nothing defines.
 */
export function describeAccess(route: ContextRoute, scheme: Scheme): OperationAccess | undefined {
  const registration = findRegistration(route[CONTEXT])
  const server = registration?.active?.server
  // A registration that failed denies everything: there is nothing to describe.
  if (registration === undefined || server === undefined) return undefined
  const requirement = getRouteRequirement(route.config ?? {}, route[CONTEXT], registration)
  scheme.checkScopes(requirement, `config.auth of ${route.method} ${route.url}`)
  const responses = requirement === false ? {} : toResponses(server.listErrors(requirement))
  addValidationErrors(responses, route)
  return { security: toSecurity(requirement, scheme.name), responses }
}

/**
 * Carries responses from a route to its operation. Within `schema.response` @fastify/swagger would
 * rewrite them.
 */
const RESPONSES = 'x-cognito-m2m-responses'

type Alternatives = readonly { readonly [scheme: string]: readonly string[] }[]

/** An operation as @fastify/swagger makes it. */
interface Operation {
  responses?: object
  [RESPONSES]?: RefusalResponses
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/**
 * Creates a transform that runs after the app's.
 *
 * @param everywhere The document's own `security`, which a route's replaces.
 */
export function createTransformFactory(
  scheme: Scheme,
  everywhere: Alternatives = [],
): (appTransform: SwaggerTransform | false | undefined) => SwaggerTransform {
  return (appTransform = false) =>
    (input) => {
      const { schema, url } = appTransform === false ? input : appTransform(input)
      // A route may have no schema, whatever the types say.
      const routeSchema: typeof schema | undefined = schema
      const access =
        routeSchema?.hide === true ? undefined : describeAccess(input.route as ContextRoute, scheme)
      if (access === undefined) return { schema, url }
      const { security, responses } = access
      const described = {
        ...routeSchema,
        security: combineSecurity(security, routeSchema?.security ?? everywhere),
        [RESPONSES]: responses,
      }
      return { schema: described, url }
    }
}

/** The guard runs in addition to other protection of a route, so both must hold: every pair is one alternative. */
function combineSecurity(
  guard: readonly SecurityRequirement[],
  others: Alternatives,
): Alternatives {
  if (guard.length === 0 || others.length === 0) return [...guard, ...others]
  return guard.flatMap((one) => others.map((other) => ({ ...other, ...one })))
}

/** Adds the guard's responses. A response that the route declares itself stays. */
export function addResponses(document: Document): void {
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path)) {
      const responses = operation[RESPONSES]
      // Methods declared together share their operation: the second one has it already.
      if (responses === undefined) continue
      operation.responses = { ...responses, ...operation.responses }
      delete operation[RESPONSES]
    }
  }
}
