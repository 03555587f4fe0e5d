/** Adds `security` to the schema of a route, and error responses to its operation in the document. */
import type { SwaggerTransform } from '@fastify/swagger'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { findRegistration } from '../../../adapters/fastify/registrations.ts'
import { getRouteRequirement } from '../../../adapters/fastify/route-requirement.ts'
import type { ErrorResponses, OperationAccess, SecurityRequirement } from '../objects.ts'
import { toResponses } from '../responses.ts'
import { type Scheme, toSecurity } from '../scheme.ts'
import { addValidationErrors } from './validation.ts'

/** A member of the route, not a key of a WeakMap: @fastify/swagger copies some HEAD routes. */
const CONTEXT: unique symbol = Symbol('cognito-m2m.context')

/** A route with the Fastify context that it was declared in. */
export interface ContextRoute extends RouteOptions {
  readonly [CONTEXT]: FastifyInstance
}

/** @param context `this` of the `onRoute` hook. */
export function attachContext(context: FastifyInstance, route: RouteOptions): ContextRoute {
  return Object.assign(route, { [CONTEXT]: context })
}

/**
 * Reads the requirement where the guard reads it. Call it once the app is ready, because a default may be declared
 * after a route.
 *
 * @returns Undefined if no guard protects the route.
 * @throws {OptionError} `ERR_OPTION_INVALID` for a scope that the option `scopes` does not define.
 */
export function describeAccess(route: ContextRoute, scheme: Scheme): OperationAccess | undefined {
  const registration = findRegistration(route[CONTEXT])
  const server = registration?.active?.server
  // A failed registration denies every request, so it has no requirement to describe.
  if (registration === undefined || server === undefined) return undefined
  const requirement = getRouteRequirement(route.config ?? {}, route[CONTEXT], registration)
  scheme.checkScopes(requirement, `config.auth of ${route.method} ${route.url}`)
  const responses = requirement === false ? {} : toResponses(server.listErrors(requirement))
  addValidationErrors(responses, route)
  return { security: toSecurity(requirement, scheme.name), responses }
}

/** Passes responses from a route to its operation. @fastify/swagger would rewrite them in `schema.response`. */
const RESPONSES = 'x-cognito-m2m-responses'

type Alternatives = readonly { readonly [scheme: string]: readonly string[] }[]

/** An operation that @fastify/swagger generates. */
interface Operation {
  responses?: object
  [RESPONSES]?: ErrorResponses
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/**
 * Creates transforms that run after the app's transform.
 *
 * @param documentSecurity `security` of the document, for routes whose schema has none.
 */
export function createTransformFactory(
  scheme: Scheme,
  documentSecurity: Alternatives = [],
): (appTransform: SwaggerTransform | false | undefined) => SwaggerTransform {
  return (appTransform = false) =>
    (input) => {
      const { schema, url } = appTransform === false ? input : appTransform(input)
      // A route may have no schema, although its type is not optional.
      const routeSchema: typeof schema | undefined = schema
      const access =
        routeSchema?.hide === true ? undefined : describeAccess(input.route as ContextRoute, scheme)
      if (access === undefined) return { schema, url }
      const { security, responses } = access
      const described = {
        ...routeSchema,
        security: combineSecurity(security, routeSchema?.security ?? documentSecurity),
        [RESPONSES]: responses,
      }
      return { schema: described, url }
    }
}

/** The guard runs in addition to other protection of a route, so each pair of both is one alternative. */
function combineSecurity(
  guard: readonly SecurityRequirement[],
  others: Alternatives,
): Alternatives {
  if (guard.length === 0 || others.length === 0) return [...guard, ...others]
  return guard.flatMap((one) => others.map((other) => ({ ...other, ...one })))
}

/** Adds the responses of the guard. A response that the route declares takes precedence. */
export function addResponses(document: Document): void {
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path)) {
      const responses = operation[RESPONSES]
      // Methods of one declaration share their operation, which is complete after the first one.
      if (responses === undefined) continue
      operation.responses = { ...responses, ...operation.responses }
      delete operation[RESPONSES]
    }
  }
}
