/**
 * Which registration and which default decide about a route. Fastify's contexts inherit from each
 * other by prototype, and one made before the plugin was registered inherits all the same, so the
 * nearest is found by walking up from the route's own context.
 */
import type { FastifyInstance } from 'fastify'
import { OptionError } from '../core/option-error.ts'
import type { CompiledRequirement } from '../core/requirement.ts'
import type { CoreServer } from '../core/resource-server.ts'

/** What a route needs, compiled; `false` is open. */
export type RouteNeed = CompiledRequirement | false

/** One `cognitoAuth` in one context. */
export interface Registration {
  readonly server: CoreServer
  readonly fallback: RouteNeed
}

const registrations = new WeakMap<object, Registration>()
const fallbacks = new WeakMap<object, RouteNeed>()

/** Puts a registration in force for one context and those below. */
export function addRegistration(context: FastifyInstance, registration: Registration): void {
  registrations.set(context, registration)
}

/** Whether this very context has a registration of its own. */
export function hasRegistration(context: FastifyInstance): boolean {
  return registrations.has(context)
}

/** Sets what unannotated routes of one context and below need. */
export function addFallback(context: FastifyInstance, need: RouteNeed): void {
  if (fallbacks.has(context)) {
    throw new OptionError('authDefault', 'is registered twice in one context: keep one')
  }
  fallbacks.set(context, need)
}

/** The registration that decides about the routes of a context. */
export function registrationOf(context: FastifyInstance): Registration | undefined {
  for (const it of lineage(context)) {
    const registration = registrations.get(it)
    if (registration !== undefined) return registration
  }
  return undefined
}

/** What an unannotated route of a context needs: the nearest default, its own context's first. */
export function fallbackOf(context: FastifyInstance, registration: Registration): RouteNeed {
  for (const it of lineage(context)) {
    const fallback = fallbacks.get(it)
    if (fallback !== undefined) return fallback
    if (registrations.get(it) === registration) break
  }
  return registration.fallback
}

/** The app's outermost context. */
export function rootOf(context: FastifyInstance): FastifyInstance {
  let root = context
  for (const it of lineage(context)) if (it !== Object.prototype) root = it as FastifyInstance
  return root
}

function* lineage(context: FastifyInstance): Generator<object> {
  for (let it: object | null = context; it !== null; it = Object.getPrototypeOf(it)) yield it
}
