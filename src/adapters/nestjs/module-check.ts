/** A guard that lets every request pass. It exists to fail at startup where the module is not imported. */
import { type CanActivate, Inject, Injectable, Optional } from '@nestjs/common'
import { OptionError } from '../../core/options/validate.ts'

/** What the module provides to all modules of the app. */
export const HANDLER_GUARDS = 'cognito-m2m:handler-guards'

/** Nest creates it for each controller with `@Auth`, when the app starts. Without the module, nothing would guard. */
export class ModuleCheck implements CanActivate {
  constructor(guards: unknown) {
    if (guards !== undefined) return
    throw new OptionError(
      '@Auth',
      'expected CognitoAuthModule among the imports of the app, got none. Add CognitoAuthModule.forRoot(options) to the root module.',
    )
  }

  canActivate(): boolean {
    return true
  }
}
Injectable()(ModuleCheck)
Optional()(ModuleCheck, undefined, 0)
Inject(HANDLER_GUARDS)(ModuleCheck, undefined, 0)
