/** What the decorators declared: by class and method name, because other decorators may replace a method. */
import 'reflect-metadata'
import type { CompiledRequirement } from '../../core/requirement.ts'

const REQUIREMENT = 'cognito-m2m:requirement'

/** The requirement, or `false` for `@Public`. */
export type Declaration = CompiledRequirement | false

/** A class of handlers. */
export type Controller = abstract new (...args: never[]) => unknown

/** @param target A class without `key`, else the prototype that has the method. */
export function declareRequirement(
  target: object,
  key: string | symbol | undefined,
  declaration: Declaration,
): void {
  if (key === undefined) Reflect.defineMetadata(REQUIREMENT, declaration, target)
  else Reflect.defineMetadata(REQUIREMENT, declaration, target, key)
}

/** Whether the same class or method has a declaration already. */
export function hasDeclaration(target: object, key: string | symbol | undefined): boolean {
  return key === undefined
    ? Reflect.hasOwnMetadata(REQUIREMENT, target)
    : Reflect.hasOwnMetadata(REQUIREMENT, target, key)
}

/**
 * The declaration of a handler, else that of its controller. Requirements are inherited by subclasses and by
 * methods that override others; `@Public` is not, so that nothing is open without its decorator.
 */
export function findDeclaration(controller: Controller, name: string): Declaration | undefined {
  const prototype = controller.prototype as object
  const ofMethod: Declaration | undefined = Reflect.getMetadata(REQUIREMENT, prototype, name)
  if (ofMethod) return ofMethod
  const owner = findOwner(prototype, name)
  if (Reflect.getOwnMetadata(REQUIREMENT, owner, name) === false) return false
  const ofClass: Declaration | undefined = Reflect.getMetadata(REQUIREMENT, controller)
  return ofClass || (Reflect.getOwnMetadata(REQUIREMENT, controller) as Declaration | undefined)
}

/** The prototype that has the method. */
function findOwner(prototype: object, name: string): object {
  let owner = prototype
  while (!Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner) as object
  return owner
}
