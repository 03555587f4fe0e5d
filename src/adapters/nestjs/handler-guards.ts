/** Compiles the requirements of all handlers when the app starts, and finds the guard of a handler. */
import type { ExecutionContext, OnModuleDestroy, OnModuleInit } from '@nestjs/common'
import type { DiscoveryService, MetadataScanner } from '@nestjs/core'
import type { ServerOptions } from '../../core/options/options.ts'
import { OptionError } from '../../core/options/validate.ts'
import type { CompiledRequirement } from '../../core/requirement.ts'
import {
  type CoreGuard,
  type CoreServer,
  createCoreServer,
  requireProtectedDefault,
} from '../../core/resource-server.ts'
import { type Declaration, findDeclaration, type HandlerClass } from './declarations.ts'
import { readRoute } from './request.ts'

interface HandlerGuard {
  readonly declaration: Declaration
  readonly guard: CoreGuard | 'public'
}

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number]

/** The guards of one app. */
export class HandlerGuards implements OnModuleInit, OnModuleDestroy {
  readonly options: ServerOptions
  readonly server: CoreServer
  readonly #defaultRequirement: CompiledRequirement
  readonly #discovery: DiscoveryService
  readonly #scanner: MetadataScanner
  /** By the class that a context names, then by handler: an inherited handler may have another requirement. */
  readonly #guards = new WeakMap<object, Map<unknown, HandlerGuard>>()

  constructor(options: ServerOptions, discovery: DiscoveryService, scanner: MetadataScanner) {
    this.options = options
    this.#defaultRequirement = requireProtectedDefault(options)
    this.#discovery = discovery
    this.#scanner = scanner
    this.server = createCoreServer(options)
  }

  /** An invalid user pool of a requirement ends the start here, and not the first request. */
  async onModuleInit(): Promise<void> {
    for (const wrapper of this.#discovery.getControllers()) this.#compile(wrapper)
    await this.server.ready()
  }

  onModuleDestroy(): void {
    this.server.close()
  }

  /**
   * @throws {OptionError} `ERR_OPTION_INVALID` for a context without an HTTP request, unless its handler is
   *   public. Also for a handler that is no method of its class: its declaration is unknown.
   */
  find(context: ExecutionContext): CoreGuard | 'public' {
    const handlerClass = context.getClass()
    const handlers = this.#guards.get(handlerClass) ?? this.#compileLate(handlerClass)
    const guard = handlers.get(context.getHandler())?.guard
    const type = context.getType<string>()
    if (type !== 'http' && guard !== 'public') {
      throw new OptionError(
        'CognitoAuthModule',
        `expected an HTTP request, got a context of ${type}. Verify its token with server.guard() of cognito-m2m, and declare @Public().`,
      )
    }
    if (guard !== undefined) return guard
    throw new OptionError(
      'CognitoAuthModule',
      `expected handlers that are methods of ${handlerClass.name}, got another function. Declare the handler as a method.`,
    )
  }

  /** Message handlers, which may run before `onModuleInit`, and gateways and resolvers, which are providers. */
  #compileLate(handlerClass: HandlerClass): Map<unknown, HandlerGuard> {
    const all = [...this.#discovery.getControllers(), ...this.#discovery.getProviders()]
    for (const wrapper of all) {
      if (wrapper.instance?.constructor === handlerClass) this.#compile(wrapper)
    }
    return this.#handlersOf(handlerClass)
  }

  /** The methods of an instance may be bound copies of those of its class. */
  #compile({ metatype, instance, isNotMetatype }: Wrapper): void {
    // That of a factory, also of `useExisting`, is a function without declarations.
    const handlerClass = (isNotMetatype ? instance.constructor : metatype) as HandlerClass
    const prototype = Object.getPrototypeOf(instance) as Record<string, unknown>
    const handlers = this.#handlersOf(instance.constructor)
    for (const name of this.#scanner.getAllMethodNames(prototype)) {
      const declaration = findDeclaration(prototype, handlerClass, name) ?? this.#defaultRequirement
      const guard =
        declaration === false ? 'public' : this.server.createGuard(declaration, readRoute)
      for (const handler of new Set([prototype[name], instance[name]])) {
        if (typeof handler !== 'function') continue
        const other = handlers.get(handler)?.declaration ?? declaration
        if (other !== declaration) throw createConflictError(instance.constructor, name)
        handlers.set(handler, { declaration, guard })
      }
    }
  }

  #handlersOf(handlerClass: object): Map<unknown, HandlerGuard> {
    const handlers = this.#guards.get(handlerClass) ?? new Map<unknown, HandlerGuard>()
    this.#guards.set(handlerClass, handlers)
    return handlers
  }
}

/** A context names the `constructor` property and the function, so both look the same to the guard. */
function createConflictError(handlerClass: HandlerClass, name: string): OptionError {
  return new OptionError(
    '@Auth',
    `expected one requirement of ${handlerClass.name}.${name}, got two. Give each class a separate constructor property, and each method a separate function.`,
  )
}
