/**
 * What the decorators declared: by prototype and method name, because other decorators may replace a class or a method. Also
 * by the function of a method, because a mixin may copy it to another prototype.
 */
import 'reflect-metadata'
import type { CompiledRequirement } from '../../core/requirement.ts'

const REQUIREMENT = 'cognito-m2m:requirement'

/** The requirement, or `false` for `@Public`. */
export type Declaration = CompiledRequirement | false

/** A class of handlers. */
export type HandlerClass = abstract new (...args: never[]) => unknown

/**
 * A class decorator may return another class. Both have the same prototype, or one inherits from the other's.
 *
 * @param target A class without `key`, else the prototype that has the method.
 * @param method The function of the method.
 */
export function declareRequirement(
  target: object,
  key: string | symbol | undefined,
  method: object | undefined,
  declaration: Declaration,
): void {
  if (key === undefined) Reflect.defineMetadata(REQUIREMENT, declaration, prototypeOf(target))
  else Reflect.defineMetadata(REQUIREMENT, declaration, target, key)
  // A copy is not public without its own decorator. The decorator of a copy does not change other copies.
  const isFirst = method !== undefined && !Reflect.hasOwnMetadata(REQUIREMENT, method)
  if (isFirst && declaration) Reflect.defineMetadata(REQUIREMENT, declaration, method)
}

/** Whether the same class or method has a declaration already. */
export function hasDeclaration(target: object, key: string | symbol | undefined): boolean {
  return getOwn(key === undefined ? prototypeOf(target) : target, key) !== undefined
}

/**
 * The declaration of a handler, else that of its class. Requirements are inherited by subclasses and by methods
 * that override others; `@Public` is not, so that nothing is open without its decorator.
 *
 * @param prototype That of the instance that has the handler.
 * @param handlerClass The class that the app registered. Its prototype may be another one.
 */
export function findDeclaration(
  prototype: object,
  handlerClass: HandlerClass,
  name: string,
): Declaration | undefined {
  const registered = handlerClass.prototype as object
  const ofMethod = findMethodDeclaration(prototype, name)
  if (ofMethod !== undefined) return ofMethod
  const ofClass = findClassDeclaration(registered)
  return ofClass || (findClassDeclaration(prototype) ?? ofClass)
}

/** The declaration of a class: the nearest requirement, or `@Public` of the class itself. */
export function findClassDeclaration(prototype: object): Declaration | undefined {
  const own = getOwn(prototype)
  return own === false ? false : findRequirement(chainOf(prototype))
}

/** Whether `@Auth` is on the method itself, and not on one that it overrides. */
export function hasOwnRequirement(prototype: object, name: string): boolean {
  const owner = chainOf(prototype).find((it) => Object.hasOwn(it, name)) as object
  return Boolean(getOwn(owner, name))
}

function findMethodDeclaration(prototype: object, name: string): Declaration | undefined {
  const chain = chainOf(prototype)
  const owner = chain.findIndex((it) => Object.hasOwn(it, name))
  const isPublic = owner >= 0 && getOwn(chain[owner] as object, name) === false
  if (!isPublic) return findRequirement(chain, name)
  // A subclass with `@Auth` protects the public methods that it inherits.
  return findRequirement(chain.slice(0, owner)) ?? false
}

/** The nearest requirement. `@Public` in between does not hide it. */
function findRequirement(chain: readonly object[], key?: string): CompiledRequirement | undefined {
  for (const prototype of chain) {
    const declaration = getOwn(prototype, key) || findCopied(prototype, key)
    if (declaration) return declaration
  }
  return undefined
}

/** The requirement of a method that a mixin has copied. */
function findCopied(prototype: object, key: string | undefined): Declaration | undefined {
  const method = key && Object.getOwnPropertyDescriptor(prototype, key)?.value
  return typeof method === 'function' ? Reflect.getOwnMetadata(REQUIREMENT, method) : undefined
}

function getOwn(prototype: object, key?: string | symbol): Declaration | undefined {
  return Reflect.getOwnMetadata(REQUIREMENT, prototype, key as string)
}

function chainOf(prototype: object): object[] {
  const chain: object[] = []
  for (let it: object | null = prototype; it !== null; it = Object.getPrototypeOf(it)) {
    chain.push(it)
  }
  return chain
}

function prototypeOf(target: object): object {
  return (target as HandlerClass).prototype as object
}
