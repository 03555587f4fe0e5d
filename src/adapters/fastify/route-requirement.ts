/** The requirement of one route: compiled when the route is declared, so that later changes have no effect. */
import { types } from 'node:util'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { OptionError } from '../../core/options/validate.ts'
import { compileRequirement } from '../../core/requirement.ts'
import {
  type CompiledRouteRequirement,
  findRegistration,
  getDefaultRequirement,
  type Registration,
} from './registrations.ts'

/** Holds the compiled requirement in the route's config, which Fastify copies. */
const declared: unique symbol = Symbol('cognito-m2m.declared')

interface Config {
  readonly auth?: unknown
  readonly [declared]?: { readonly auth: unknown; readonly requirement: CompiledRouteRequirement }
}

/** An `onRoute` hook: compiles the requirement of a route, or throws. `this` is the route's context. */
export function compileRouteRequirement(this: FastifyInstance, route: RouteOptions): void {
  const config: Config = route.config ?? {}
  const optionPath = `config.auth of ${route.method} ${route.url}`
  // Fastify copies only the members that a Proxy lists.
  if (types.isProxy(config)) {
    throw new OptionError(
      optionPath.replace('.auth', ''),
      'expected a plain object, got a Proxy. Pass a plain object.',
    )
  }
  if (!Object.prototype.propertyIsEnumerable.call(config, 'auth')) {
    // Fastify copies only own enumerable members of a config: this one would be lost without an error.
    if ('auth' in config)
      throw new OptionError(
        optionPath,
        'expected an own enumerable property, got an inherited or hidden one. Use a plain object.',
      )
    return
  }
  // Copies the config: the app may use the same object for several routes.
  const { auth } = config
  const requirement = compile(auth, optionPath)
  // A later registration in this context is the nearer one, and may have other user pools.
  if (requirement !== false) {
    this.addHook('onReady', async () => findRegistration(this)?.active?.server.declare(requirement))
  }
  route.config = { ...config, auth, [declared]: { auth, requirement } } as never
}

/** The requirement of a route, or the default of its context if it declares none. */
export function getRouteRequirement(
  config: Config,
  context: FastifyInstance,
  registration: Registration,
): CompiledRouteRequirement {
  // First, because it throws if the context is blocked.
  const requirement = getDefaultRequirement(context, registration)
  if (!Object.hasOwn(config, 'auth')) return requirement
  const known = config[declared]
  // Another plugin's onRoute may have replaced the requirement.
  return known !== undefined && known.auth === config.auth
    ? known.requirement
    : compile(config.auth, 'config.auth')
}

function compile(auth: unknown, optionPath: string): CompiledRouteRequirement {
  return auth === false ? false : compileRequirement(auth, optionPath)
}
