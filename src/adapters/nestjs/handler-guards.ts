/** Compiles the requirements of all handlers when the app starts, and finds the guard of a handler. */
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common'
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
import { type Controller, findDeclaration } from './declarations.ts'
import { readRoute } from './request.ts'

type Handler = (...args: never[]) => unknown

/** The guards of one app. */
export class HandlerGuards implements OnModuleInit, OnModuleDestroy {
  readonly options: ServerOptions
  readonly server: CoreServer
  readonly #defaultRequirement: CompiledRequirement
  readonly #discovery: DiscoveryService
  readonly #scanner: MetadataScanner
  /** By controller, then by handler: a handler that is inherited may have another requirement. */
  readonly #guards = new WeakMap<Controller, WeakMap<Handler, CoreGuard | 'public'>>()

  constructor(options: ServerOptions, discovery: DiscoveryService, scanner: MetadataScanner) {
    this.options = options
    this.#defaultRequirement = requireProtectedDefault(options)
    this.#discovery = discovery
    this.#scanner = scanner
    this.server = createCoreServer(options)
  }

  /** An invalid user pool of a requirement ends the start here, and not the first request. */
  async onModuleInit(): Promise<void> {
    for (const { metatype, instance } of this.#discovery.getControllers()) {
      if (typeof metatype === 'function') this.#compile(metatype as Controller, instance)
    }
    await this.server.ready()
  }

  onModuleDestroy(): void {
    this.server.close()
  }

  /**
   * @throws {OptionError} `ERR_OPTION_INVALID` for a handler that is no method of its controller: its declaration
   *   is unknown.
   */
  find(controller: Controller, handler: Handler): CoreGuard | 'public' {
    // The controllers of a module that was loaded later are compiled at their first request.
    const handlers = this.#guards.get(controller) ?? this.#compile(controller, undefined)
    const guard = handlers.get(handler)
    if (guard !== undefined) return guard
    throw new OptionError(
      'CognitoAuthModule',
      `expected handlers that are methods of ${controller.name}, got another function. Declare the handler as a method.`,
    )
  }

  /** @param instance Its methods may be bound copies of those of the class. */
  #compile(controller: Controller, instance: unknown): WeakMap<Handler, CoreGuard | 'public'> {
    const handlers = new WeakMap<Handler, CoreGuard | 'public'>()
    const { prototype } = controller
    for (const name of this.#scanner.getAllMethodNames(prototype)) {
      const declaration = findDeclaration(controller, name) ?? this.#defaultRequirement
      const guard =
        declaration === false ? 'public' : this.server.createGuard(declaration, readRoute)
      for (const handler of [
        prototype[name],
        (instance as Record<string, unknown> | undefined)?.[name],
      ]) {
        if (typeof handler === 'function') handlers.set(handler as Handler, guard)
      }
    }
    this.#guards.set(controller, handlers)
    return handlers
  }
}
