/** What fails at startup where the module is not imported, or is imported without its options. */
import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  Optional,
} from '@nestjs/common'
import { OptionError } from '../../core/options/validate.ts'
import type { HandlerGuards } from './handler-guards.ts'

/** What the module provides to all modules of the app. */
export const HANDLER_GUARDS = 'cognito-m2m:handler-guards'
/** Provided with them. It does not depend on the options, so invalid ones are not reported as a missing module. */
export const MODULE_MARKER = 'cognito-m2m:module'

/** @throws {OptionError} `ERR_OPTION_INVALID` without the marker. */
export function requireModule(marker: unknown, option: string, found: string): void {
  if (marker !== undefined) return
  throw new OptionError(
    option,
    `expected CognitoAuthModule.forRoot(options) among the imports of the app, got ${found}. Add it to the root module.`,
  )
}

/**
 * Nest creates it for each class with a decorator of this package, when the app starts. Without the module, nothing would guard. Nest
 * applies it to gateways and message handlers too, which the global guard of an HTTP app never sees.
 */
export class ModuleCheck implements CanActivate {
  readonly #guards: HandlerGuards

  constructor(marker: unknown, guards: HandlerGuards) {
    requireModule(marker, '@Auth, @Public and @Caller', 'none')
    this.#guards = guards
  }

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') this.#guards.find(context)
    return true
  }
}
Injectable()(ModuleCheck)
for (const [index, token] of [MODULE_MARKER, HANDLER_GUARDS].entries()) {
  Optional()(ModuleCheck, undefined, index)
  Inject(token)(ModuleCheck, undefined, index)
}
