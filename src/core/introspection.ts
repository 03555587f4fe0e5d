/**
 * What a tool finds on an app that it reads without sending it a request. Under registered symbols: the
 * app may run another copy of this package than the tool.
 */
import type { CompiledRequirement } from './requirement.ts'

/** On a middleware: what its guard asks for. */
const REQUIREMENT = Symbol.for('cognito-m2m.requirement')
/** On a context of Fastify: what a route of it, or of one below, needs. */
const NEEDS = Symbol.for('cognito-m2m.needs')
/** On the root of a Fastify app: whether it refuses routes that ask for a guard and have none. */
const REFUSES_UNGUARDED = Symbol.for('cognito-m2m.refusesUnguardedRoutes')

/** What of a requirement documents and templates can say. */
export type RequirementSummary = Pick<CompiledRequirement, 'allOf' | 'anyOf' | 'optional'>

/** What a route with this config, declared in this context, needs; `false` is open. */
export type RequirementResolver<Told = RequirementSummary> = (
  context: object,
  config: object,
) => Told | false

/** Whoever holds a guard can reach what is told here: a frozen copy, never what the guard runs on. */
function summarize({ allOf, anyOf, optional }: CompiledRequirement): RequirementSummary {
  return Object.freeze({
    allOf: Object.freeze([...allOf]),
    anyOf: Object.freeze([...anyOf]),
    optional,
  })
}

export function attachRequirement<It extends object>(it: It, requirement: CompiledRequirement): It {
  return Object.defineProperty(it, REQUIREMENT, { value: summarize(requirement) })
}

/** Undefined for what is no guard. */
export function getRequirement(it: object): RequirementSummary | undefined {
  return (it as { [REQUIREMENT]?: RequirementSummary })[REQUIREMENT]
}

/** For one context and those below, until one of them has its own. */
export function attachRequirementResolver(
  context: object,
  needOf: RequirementResolver<CompiledRequirement>,
): void {
  const needs: RequirementResolver = (inner, config) => {
    const need = needOf(inner, config)
    return need === false ? false : summarize(need)
  }
  Object.defineProperty(context, NEEDS, { value: needs })
}

/** Undefined where nothing guards the context. */
export function getRequirementResolver(context: object): RequirementResolver | undefined {
  return (context as { [NEEDS]?: RequirementResolver })[NEEDS]
}

interface Root {
  [REFUSES_UNGUARDED]?: () => boolean
}

/** Asked late: a registration that comes later may have a say. */
export function attachUnguardedCheck(root: object, refuses: () => boolean): void {
  const other = (root as Root)[REFUSES_UNGUARDED]
  const value = (): boolean => refuses() || other?.() === true
  Object.defineProperty(root, REFUSES_UNGUARDED, { value, configurable: true })
}

/** Whether routes that declare what they need, and that no registration reaches, are refused. */
export function hasUnguardedCheck(root: object): boolean {
  return (root as Root)[REFUSES_UNGUARDED]?.() === true
}
