/**
 * Finds routes that declare `config.auth` and that no registration of `cognitoAuth` guards, for example
 * because the registration is in a separate plugin without fastify-plugin. Fastify would serve them to every caller.
 *
 * No single hook of Fastify shows every such route:
 * - an `onRoute` hook of the root sees all routes of apps created after this module was loaded;
 * - an `onRoute` hook added by a registration sees the routes declared after it;
 * - an `onRequest` hook of the root reaches all routes, but only at their first request.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { InternalError } from '../../core/errors.ts'
import { attachUnguardedCheck, getRequirementResolver } from '../../core/introspection.ts'
import { OptionError } from '../../core/options/validate.ts'
import { failClosed } from './on-request.ts'
import {
  ancestors,
  findRegistration,
  getRoot,
  isSameOrBelow,
  type Registration,
} from './registrations.ts'
import { type Done, sendError } from './send-error.ts'

const REGISTRATION_FIX =
  'Wrap the plugin that registers cognitoAuth in fastify-plugin (fp), or register cognitoAuth in a context around the route.'

/** The routes and registrations of one app. */
interface App {
  /** Options and context of each route. Options are read late, because other plugins may change them. */
  readonly routes: Map<RouteOptions, FastifyInstance>
  readonly registrations: Set<Registration>
  /** Whether the root has the hooks that reject unguarded routes: one registration adds them for all. */
  isHooked: boolean
}

const apps = new WeakMap<FastifyInstance, App>()
const watched = new WeakSet<FastifyInstance>()

/** Watches every app that is created from now on. */
export function watchNewApps(): void {
  subscribe('fastify.initialization', (message) => {
    const { fastify: root } = message as { readonly fastify: FastifyInstance }
    const app = watchApp(root)
    watchRoutes(root, app)
    root.addHook('onReady', async () => {
      if (app.registrations.size === 0) warnUnguardedRoute(root, app)
    })
  })
}

/**
 * Makes the app fail to start, or answer 500, if a route declares `config.auth` and no registration
 * guards it. Not if every registration of the app sets `unguardedRoutes: 'ignore'`.
 */
export function rejectUnguardedRoutes(context: FastifyInstance, registration: Registration): void {
  const root = getRoot(context)
  const app = apps.get(root) ?? watchApp(root)
  app.registrations.add(registration)
  // A registration at the root guards every route.
  if (findRegistration(root) !== undefined) return
  for (const it of ancestors(context)) watchRoutes(it, app)
  if (app.isHooked) return
  app.isHooked = true
  attachUnguardedCheck(root, () => isRejecting(app))
  root.addHook('onReady', async () => {
    if (isRejecting(app)) throwUnguardedRoute(app)
  })
  root.addHook('onRequest', failClosed(createUnguardedHook(app)))
}

/**
 * Makes the app fail to start if a registration guards no route: it was most likely meant for other
 * contexts.
 *
 * @param hook The registration's `onRequest` hook, whose name is unique.
 */
export function rejectWithoutRoutes(
  context: FastifyInstance,
  hook: { readonly name: string },
): void {
  const root = getRoot(context)
  if (context === root) return
  context.addHook('onReady', async () => {
    const { routes } = apps.get(root) as App
    if ([...routes.values()].some((it) => isSameOrBelow(it, context))) return
    // Fastify lists the hooks of routes that were declared before this module was loaded.
    if (root.printRoutes({ includeHooks: true }).includes(`"${hook.name}()"`)) return
    throw new OptionError(
      'cognitoAuth',
      'expected routes in the context of the registration, got none: a registration in a plugin guards only that plugin. Wrap the plugin in fastify-plugin (fp), or set allowNoRoutes: true if only app.cognito is needed.',
    )
  })
}

function watchApp(root: FastifyInstance): App {
  const app: App = { routes: new Map(), registrations: new Set(), isHooked: false }
  apps.set(root, app)
  return app
}

/** Contexts that are created later inherit the hook. */
function watchRoutes(context: FastifyInstance, { routes }: App): void {
  if (watched.has(context)) return
  watched.add(context)
  context.addHook('onRoute', function (this: FastifyInstance, options) {
    routes.set(options, this)
  })
}

function isRejecting({ registrations }: App): boolean {
  for (const { ignoresUnguardedRoutes } of registrations) if (!ignoresUnguardedRoutes) return true
  return false
}

/** Lists one route per URL: Fastify adds a HEAD route to each GET route, with the same config. */
function listUnguardedRoutes({ routes }: App): RouteOptions[] {
  const byUrl = new Map<string, RouteOptions>()
  for (const [options, context] of routes) {
    const { url } = options
    // Fastify accepts any value as a config.
    const config = Object(options.config) as NonNullable<RouteOptions['config']>
    const isUnguarded = 'auth' in config && config.auth !== false && !isGuarded(context)
    if (isUnguarded && !byUrl.has(url)) byUrl.set(url, options)
  }
  return [...byUrl.values()]
}

/** Whether a registration of this copy of the package, or of another copy, guards the context. */
function isGuarded(context: FastifyInstance): boolean {
  return getRequirementResolver(context) !== undefined || findRegistration(context) !== undefined
}

function throwUnguardedRoute(app: App): void {
  const [first, ...others] = listUnguardedRoutes(app)
  if (first === undefined) return
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  throw new OptionError(
    `config.auth of ${first.method} ${first.url}${more}`,
    `expected a registration of cognitoAuth around the route, got none. ${REGISTRATION_FIX} If config.auth belongs to another plugin, set unguardedRoutes: 'ignore'.`,
  )
}

/** Only warns: in apps without the plugin, `config.auth` may belong to another plugin. */
function warnUnguardedRoute(root: FastifyInstance, app: App): void {
  const [first] = listUnguardedRoutes(app)
  if (first === undefined) return
  root.log.warn(
    { method: first.method, route: first.url },
    'cognito-m2m: a route declares config.auth, but cognitoAuth is not registered in this app',
  )
}

/** Creates the hook that answers 500 for an unguarded route that no `onRoute` hook saw. */
function createUnguardedHook(app: App) {
  const logged = new WeakSet<object>()
  return function onUnguardedRequest(
    this: FastifyInstance,
    request: FastifyRequest,
    reply: FastifyReply,
    done: Done,
  ): void {
    if (isGuarded(this) || !isRejecting(app)) {
      done()
      return
    }
    const { config, method, url } = request.routeOptions
    if (!Object.hasOwn(config, 'auth') || config.auth === false) {
      done()
      return
    }
    if (!logged.has(config)) {
      logged.add(config)
      request.log.error(
        { method, route: url },
        'cognito-m2m: no cognitoAuth registration guards a route; answering 500',
      )
    }
    const message = 'The access requirement of this route is not enforced'
    sendError(new InternalError('ERR_OPTION_INVALID', message), request, reply, done)
  }
}
