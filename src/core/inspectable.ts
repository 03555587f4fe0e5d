/**
 * What a tool finds on an app that it reads without sending it a request. Under registered symbols: the
 * app may run another copy of this package than the tool.
 */
import type { CompiledRequirement } from './requirement.ts'

/** On a middleware: what its guard asks for. */
const REQUIREMENT = Symbol.for('cognito-m2m.requirement')
/** On a context of Fastify: what a route of it, or of one below, needs. */
const NEEDS = Symbol.for('cognito-m2m.needs')

/** What a route with this config, declared in this context, needs; `false` is open. */
export type Needs = (context: object, config: object) => CompiledRequirement | false

/** Guards run on what they were made of, whatever becomes of what is told here. */
export function tellRequirement<It extends object>(it: It, requirement: CompiledRequirement): It {
  return Object.defineProperty(it, REQUIREMENT, { value: requirement })
}

/** Undefined for what is no guard. */
export function toldRequirement(it: object): CompiledRequirement | undefined {
  return (it as { [REQUIREMENT]?: CompiledRequirement })[REQUIREMENT]
}

/** For one context and those below, until one of them has its own. */
export function tellNeeds(context: object, needs: Needs): void {
  Object.defineProperty(context, NEEDS, { value: needs })
}

/** Undefined where nothing guards the context. */
export function toldNeeds(context: object): Needs | undefined {
  return (context as { [NEEDS]?: Needs })[NEEDS]
}
