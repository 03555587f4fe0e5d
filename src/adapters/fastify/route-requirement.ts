/** What one route needs: read when it is declared, kept apart from what its author may still change. */
import { types } from 'node:util'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { OptionError } from '../../core/options/validate.ts'
import { compileRequirement } from '../../core/requirement.ts'
import { defaultOf, findRegistration, type Registration, type RouteNeed } from './registrations.ts'

/** Where what was declared travels with the route's config, which Fastify copies. */
const declared: unique symbol = Symbol('cognito-m2m.declared')

interface Config {
  readonly auth?: unknown
  readonly [declared]?: { readonly auth: unknown; readonly need: RouteNeed }
}

/** For `onRoute`: compiles what the route declares, and refuses it there. `this` is its context. */
export function declareNeed(this: FastifyInstance, route: RouteOptions): void {
  const config: Config = route.config ?? {}
  const place = `config.auth of ${route.method} ${route.url}`
  // Fastify would copy only the members that the Proxy lists.
  if (types.isProxy(config)) {
    throw new OptionError(place.replace('.auth', ''), 'is a Proxy: use a plain object')
  }
  if (!Object.prototype.propertyIsEnumerable.call(config, 'auth')) {
    // Fastify copies a config by its own enumerable members: this one would be lost in silence.
    if ('auth' in config) throw new OptionError(place, 'is inherited or hidden: use a plain object')
    return
  }
  // A copy: the author's object may serve several routes.
  const { auth } = config
  const need = compile(auth, place)
  // A registration that comes later in this context is the nearer one, and knows other user pools.
  if (need !== false) {
    this.addHook('onReady', async () => findRegistration(this)?.active?.server.declare(need))
  }
  route.config = { ...config, auth, [declared]: { auth, need } } as never
}

/** What a route needs that is asked for the first time; its context decides where it is silent. */
export function getRouteRequirement(
  config: Config,
  context: FastifyInstance,
  registration: Registration,
): RouteNeed {
  // First, as it throws where the context is blocked.
  const need = defaultOf(context, registration)
  if (!Object.hasOwn(config, 'auth')) return need
  const known = config[declared]
  // Another plugin's onRoute may have put a requirement of its own in its place.
  return known !== undefined && known.auth === config.auth
    ? known.need
    : compile(config.auth, 'config.auth')
}

function compile(auth: unknown, place: string): RouteNeed {
  return auth === false ? false : compileRequirement(auth, place)
}
