/** The module that protects a Nest app. */
import {
  type DynamicModule,
  type FactoryProvider,
  Inject,
  Logger,
  Module,
  type ModuleMetadata,
  Optional,
  type Provider,
} from '@nestjs/common'
import { APP_GUARD, DiscoveryModule, DiscoveryService, MetadataScanner } from '@nestjs/core'
import { type CognitoAuthOptions, readOptions } from '../../core/options/options.ts'
import { OptionError } from '../../core/options/validate.ts'
import { CognitoAuthGuard } from './cognito-auth-guard.ts'
import { HandlerGuards } from './handler-guards.ts'
import { HANDLER_GUARDS, MODULE_MARKER, requireModule } from './module-check.ts'
import { checkHandlers } from './startup-check.ts'

const OPTIONS = 'cognito-m2m:options'

/** Options that other providers supply, for example a configuration service. */
export interface CognitoAuthAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  /** Tokens of the providers that `useFactory` receives. */
  readonly inject?: FactoryProvider['inject']
  /** @returns The options of `forRoot`. */
  readonly useFactory: (...args: never[]) => CognitoAuthOptions | Promise<CognitoAuthOptions>
}

/**
 * Protects all HTTP handlers of the app: without a decorator, a handler requires the option `default`, by default
 * any valid token.
 *
 * @example
 * ```ts
 * @Module({
 *   imports: [CognitoAuthModule.forRoot({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: ['…'] })],
 *   controllers: [OrdersController],
 * })
 * class AppModule {}
 * ```
 */
export class CognitoAuthModule {
  /** @param marker Undefined where the class itself was imported: it would guard nothing. */
  constructor(marker?: unknown) {
    requireModule(marker, 'CognitoAuthModule', 'the class itself')
  }

  /**
   * @param options The user pools and the allowed app clients. Without a `logger`, Nest's logger is used.
   * @returns The module, for the imports of the root module.
   * @throws {OptionError} `ERR_OPTION_INVALID` when the app starts.
   */
  static forRoot(options: CognitoAuthOptions): DynamicModule {
    return createModule({ provide: OPTIONS, useValue: options })
  }

  /**
   * @param options A factory of the options, and what it needs.
   * @returns The module, for the imports of the root module.
   */
  static forRootAsync({
    imports = [],
    inject = [],
    useFactory,
  }: CognitoAuthAsyncOptions): DynamicModule {
    return createModule({ provide: OPTIONS, inject, useFactory: useFactory as never }, imports)
  }
}
Module({})(CognitoAuthModule)
Optional()(CognitoAuthModule, undefined, 0)
Inject(MODULE_MARKER)(CognitoAuthModule, undefined, 0)

function createModule(options: Provider, imports: ModuleMetadata['imports'] = []): DynamicModule {
  return {
    module: CognitoAuthModule,
    global: true,
    imports: [DiscoveryModule, ...imports],
    providers: [
      options,
      { provide: MODULE_MARKER, useValue: true },
      {
        provide: HANDLER_GUARDS,
        inject: [OPTIONS, DiscoveryService, MetadataScanner],
        useFactory: createHandlerGuards,
      },
      { provide: APP_GUARD, useClass: CognitoAuthGuard },
    ],
    exports: [HANDLER_GUARDS, MODULE_MARKER],
  }
}

function createHandlerGuards(
  options: unknown,
  discovery: DiscoveryService,
  scanner: MetadataScanner,
): HandlerGuards {
  const others = discovery.getProviders().filter(({ token }) => token === HANDLER_GUARDS)
  if (others.length > 1) {
    throw new OptionError(
      'CognitoAuthModule',
      `expected one import of the module, got ${others.length}. List several user pools in the option userPools.`,
    )
  }
  checkHandlers(discovery, scanner)
  const nest = new Logger('CognitoAuth')
  const logger = {
    debug: (details: object, message: string) => nest.debug({ message, ...details }),
    info: (details: object, message: string) => nest.log({ message, ...details }),
    warn: (details: object, message: string) => nest.warn({ message, ...details }),
    error: (details: object, message: string) => nest.error({ message, ...details }),
  }
  return new HandlerGuards(readOptions(options, { logger }), discovery, scanner)
}
