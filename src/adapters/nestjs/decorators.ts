/** The decorators of handlers and controllers: `@Auth`, `@Public` and `@Caller`. */
import {
  applyDecorators,
  createParamDecorator,
  type ExecutionContext,
  SetMetadata,
  UseGuards,
} from '@nestjs/common'
import { toSecurity } from '../../contract/openapi/scheme.ts'
import { OptionError } from '../../core/options/validate.ts'
import {
  type AccessRequirement,
  type CompiledRequirement,
  compileRequirement,
} from '../../core/requirement.ts'
import { declareRequirement, hasDeclaration } from './declarations.ts'
import { ModuleCheck } from './module-check.ts'
import { requestAuth } from './request.ts'

/** Where @nestjs/swagger keeps the security requirements of an operation. */
const SWAGGER_SECURITY = 'swagger/apiSecurity'
/** The security scheme that `openApiParts` names by default. */
const SCHEME_NAME = 'cognito'

/** A decorator of handlers and controllers. */
export type RouteDecorator = ClassDecorator & MethodDecorator

/**
 * Declares what a handler requires, or all handlers of a controller. On a handler it replaces the requirement of
 * the controller. It also documents the requirement for @nestjs/swagger, with the security scheme `cognito`.
 *
 * @param requirement What a request needs. Without it, any valid token.
 * @returns A decorator.
 * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid requirement, when the class is loaded; when the app
 *   starts, without `CognitoAuthModule`.
 * @example
 * ```ts
 * @Get()
 * @Auth({ scopes: 'orders/read' })
 * list(@Caller() caller: VerifiedToken) {
 *   return { caller: caller.clientId }
 * }
 * ```
 */
export function Auth(requirement?: AccessRequirement): RouteDecorator
export function Auth(...args: readonly unknown[]): RouteDecorator {
  rejectBareDecorator('Auth', args)
  const compiled = compileRequirement(args.length === 0 ? {} : args[0], '@Auth')
  return applyDecorators(
    setRequirement('@Auth', compiled),
    SetMetadata(SWAGGER_SECURITY, toSecurity(compiled, SCHEME_NAME)),
    UseGuards(ModuleCheck),
  )
}

/**
 * Opens a handler, or all handlers of a controller, to requests without a token.
 *
 * @returns A decorator.
 * @throws {OptionError} `ERR_OPTION_INVALID` when the app starts, without `CognitoAuthModule`.
 */
export function Public(): RouteDecorator
export function Public(...args: readonly unknown[]): RouteDecorator {
  rejectBareDecorator('Public', args)
  return applyDecorators(
    setRequirement('@Public', false),
    SetMetadata(SWAGGER_SECURITY, toSecurity(false, SCHEME_NAME)),
    UseGuards(ModuleCheck),
  )
}

const injectToken = createParamDecorator(
  (options: { readonly optional: true } | undefined, context: ExecutionContext) =>
    requestAuth.get(context.switchToHttp().getRequest<object>(), options),
)

/**
 * Injects the verified token of the request into a parameter of a handler.
 *
 * @param options With `{ optional: true }`, null is injected for a request without a token.
 * @returns A decorator of parameters. It throws an `OptionError` at a request without a token, and at one that
 *   the guard did not let pass.
 * @throws {OptionError} `ERR_OPTION_INVALID` when the app starts, without `CognitoAuthModule`.
 */
export function Caller(options?: { readonly optional: true }): ParameterDecorator {
  return (target, key, index) => {
    injectToken(options)(target, key, index)
    const method = Object.getOwnPropertyDescriptor(target, key as string) as PropertyDescriptor
    UseGuards(ModuleCheck)(target, key as string, method)
  }
}

/** TypeScript passes the class, or the prototype with name and descriptor. */
function rejectBareDecorator(name: string, args: readonly unknown[]): void {
  if (args.length <= 1 && typeof args[0] !== 'function') return
  const expected = name === 'Auth' ? 'a plain object' : 'no argument'
  const got = typeof args[0] === 'function' ? 'a function, perhaps the class' : 'the method'
  throw new OptionError(`@${name}`, `expected ${expected}, got ${got}. Write @${name}().`)
}

function setRequirement(name: string, requirement: CompiledRequirement | false): RouteDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    if (hasDeclaration(target, key)) {
      throw new OptionError(
        name,
        `expected one of @Auth and @Public on ${String(key ?? (target as { name?: string }).name)}, got two. Remove one.`,
      )
    }
    declareRequirement(target, key, descriptor?.value, requirement)
  }
}
