/**
 * Lets a tool read an app's requirements without sending it a request. Symbols are registered ones: the
 * app may run another copy of this package than the tool.
 */
import type { CompiledRequirement } from './requirement.ts'

/** On a middleware: the requirement of its guard. */
const REQUIREMENT = Symbol.for('cognito-m2m.requirement')
/** On a Fastify context: resolves the requirement of a route there or below. */
const REQUIREMENT_RESOLVER = Symbol.for('cognito-m2m.needs')
/** On the root of a Fastify app: whether it rejects routes that declare a requirement and have no guard. */
const REJECTS_UNGUARDED = Symbol.for('cognito-m2m.refusesUnguardedRoutes')

/** The part of a requirement that documents and templates can express. */
export type RequirementSummary = Pick<CompiledRequirement, 'allOf' | 'anyOf' | 'optional'>

/** Returns the requirement of a route by its context and config; `false` for a public route. */
export type RequirementResolver<Requirement = RequirementSummary> = (
  context: object,
  config: object,
) => Requirement | false

/** A frozen copy: code that has the middleware must not be able to change what its guard checks. */
function summarize({ allOf, anyOf, optional }: RequirementSummary): RequirementSummary {
  return Object.freeze({
    allOf: Object.freeze([...allOf]),
    anyOf: Object.freeze([...anyOf]),
    optional,
  })
}

/** Attaches a summary of the requirement to a middleware, and returns the middleware. */
export function attachRequirement<Middleware extends object>(
  middleware: Middleware,
  requirement: RequirementSummary,
): Middleware {
  return Object.defineProperty(middleware, REQUIREMENT, { value: summarize(requirement) })
}

/** The requirement of a middleware; undefined if it has no guard. */
export function getRequirement(middleware: object): RequirementSummary | undefined {
  return (middleware as { [REQUIREMENT]?: RequirementSummary })[REQUIREMENT]
}

/** Applies to one context and to those below, until one of them has its own resolver. */
export function attachRequirementResolver(
  context: object,
  resolve: RequirementResolver<CompiledRequirement>,
): void {
  const value: RequirementResolver = (inner, config) => {
    const requirement = resolve(inner, config)
    return requirement === false ? false : summarize(requirement)
  }
  Object.defineProperty(context, REQUIREMENT_RESOLVER, { value })
}

/** Undefined if nothing guards the context. */
export function getRequirementResolver(context: object): RequirementResolver | undefined {
  return (context as { [REQUIREMENT_RESOLVER]?: RequirementResolver })[REQUIREMENT_RESOLVER]
}

interface Root {
  [REJECTS_UNGUARDED]?: () => boolean
}

/** The check runs when a tool asks: a later registration may change its result. */
export function attachUnguardedCheck(root: object, rejectsUnguarded: () => boolean): void {
  const previous = (root as Root)[REJECTS_UNGUARDED]
  const value = (): boolean => rejectsUnguarded() || previous?.() === true
  Object.defineProperty(root, REJECTS_UNGUARDED, { value, configurable: true })
}

/** Whether the app rejects routes that declare a requirement and that no registration guards. */
export function hasUnguardedCheck(root: object): boolean {
  return (root as Root)[REJECTS_UNGUARDED]?.() === true
}
