/** Rejects at startup what the module can never protect. */
import 'reflect-metadata'
import type { DiscoveryService, MetadataScanner } from '@nestjs/core'
import { OptionError } from '../../core/options/validate.ts'
import {
  findClassDeclaration,
  findDeclaration,
  type HandlerClass,
  hasOwnRequirement,
} from './declarations.ts'

/**
 * What decorators of other packages of Nest set. Nest runs no global guard of an HTTP app for gateways and
 * message handlers, and passes no HTTP request to any of these. The app may not have these packages.
 */
const METHOD_KEYS: Readonly<Record<string, string>> = {
  'microservices:handler_type': 'the message handler',
  'websockets:message_mapping': 'the websocket handler',
  'graphql:resolver_type': 'the GraphQL resolver',
  'graphql:resolve_property': 'the GraphQL resolver',
  'graphql:resolve_reference': 'the GraphQL resolver',
}
const GATEWAY_KEY = 'websockets:is_gateway'
/** Set by decorators of routes and of controllers. */
const PATH_KEY = 'path'

/**
 * Runs before Nest creates controllers and gateways, which may listen before the hooks of modules run.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` for `@Auth` on what is no HTTP handler, and for handlers of other
 *   transports without `@Public`.
 */
export function checkHandlers(discovery: DiscoveryService, scanner: MetadataScanner): void {
  const wrappers = [...discovery.getControllers(), ...discovery.getProviders()]
  for (const { metatype } of wrappers) {
    const handlerClass = metatype as HandlerClass | null
    if (typeof handlerClass !== 'function' || !handlerClass.prototype) continue
    checkClass(handlerClass)
    for (const name of scanner.getAllMethodNames(handlerClass.prototype as object)) {
      checkMethod(handlerClass, name)
    }
  }
}

function checkClass(handlerClass: HandlerClass): void {
  const declaration = findClassDeclaration(handlerClass.prototype as object)
  if (Reflect.hasMetadata(GATEWAY_KEY, handlerClass)) {
    if (declaration !== false) throw createError(declaration, 'the gateway', handlerClass.name)
  } else if (declaration && !Reflect.hasMetadata(PATH_KEY, handlerClass)) {
    throw new OptionError(
      '@Auth',
      `expected a controller, got the class ${handlerClass.name}. Move @Auth to a controller.`,
    )
  }
}

function checkMethod(handlerClass: HandlerClass, name: string): void {
  const prototype = handlerClass.prototype as Record<string, object>
  const method = prototype[name] as object
  const label = `${handlerClass.name}.${name}`
  const key = Object.keys(METHOD_KEYS).find((it) => Reflect.hasMetadata(it, method))
  if (key !== undefined) {
    const declaration = findDeclaration(prototype, handlerClass, name)
    if (declaration !== false) throw createError(declaration, METHOD_KEYS[key] as string, label)
  } else if (hasOwnRequirement(prototype, name) && !Reflect.hasMetadata(PATH_KEY, method)) {
    throw new OptionError(
      '@Auth',
      `expected an HTTP handler, got the method ${label}. Add @Get or another decorator of routes, or remove @Auth.`,
    )
  }
}

function createError(declaration: unknown, kind: string, label: string): OptionError {
  return new OptionError(
    declaration === undefined ? 'CognitoAuthModule' : '@Auth',
    `expected an HTTP handler, got ${kind} ${label}. Verify its token with server.guard() of cognito-m2m, and declare @Public().`,
  )
}
