/**
 * Finds routes that declare `config.auth` where no registration of `cognitoAuth` reaches them, say
 * because it is in a plugin of its own without fastify-plugin. Their author believes them protected,
 * and Fastify would serve them to everyone.
 *
 * No single place of Fastify shows every such route:
 * - an `onRoute` hook of the root sees all routes of apps made after this module was loaded;
 * - an `onRoute` hook added by a registration sees what is declared after it;
 * - an `onRequest` hook of the root reaches all routes, but only when a request comes.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { InternalError } from '../../core/errors.ts'
import { attachUnguardedCheck, getRequirementResolver } from '../../core/introspection.ts'
import { OptionError } from '../../core/options/validate.ts'
import { ancestors, findRegistration, type Registration, rootOf } from './registrations.ts'
import { type Done, failClosed, refuse } from './send-error.ts'

const FIX =
  'wrap the plugin that registers cognitoAuth in fastify-plugin (fp), or register cognitoAuth in a context around the route'

/** What is known of one app. */
interface App {
  /** Options and context of each route. Options are read late, as other plugins may change them. */
  readonly routes: Map<RouteOptions, FastifyInstance>
  readonly registrations: Set<Registration>
  /** Hooks of the root refuse what is unguarded: one registration adds them for all. */
  isHooked: boolean
}

const apps = new WeakMap<FastifyInstance, App>()
const watched = new WeakSet<FastifyInstance>()

/** Watches every app that is made from now on. */
export function watchNewApps(): void {
  subscribe('fastify.initialization', (message) => {
    const { fastify: root } = message as { readonly fastify: FastifyInstance }
    const app = watchApp(root)
    watchRoutes(root, app)
    root.addHook('onReady', async () => {
      if (app.registrations.size === 0) warnOfUnguarded(root, app)
    })
  })
}

/**
 * Refuses to start, or to answer, while routes declare `config.auth` that no registration reaches.
 * Unless every registration of the app sets `unguardedRoutes: 'ignore'`.
 */
export function refuseUnguardedRoutes(context: FastifyInstance, registration: Registration): void {
  const root = rootOf(context)
  const app = apps.get(root) ?? watchApp(root)
  app.registrations.add(registration)
  // A registration at the root reaches every route.
  if (findRegistration(root) !== undefined) return
  for (const it of ancestors(context)) watchRoutes(it, app)
  if (app.isHooked) return
  app.isHooked = true
  attachUnguardedCheck(root, () => isRefused(app))
  root.addHook('onReady', async () => {
    if (isRefused(app)) refuseToStart(app)
  })
  root.addHook('onRequest', failClosed(refuseUnguardedRequest(app)))
}

/**
 * Refuses to start with a registration that reaches no route: it was meant for the contexts beside it.
 *
 * @param hook The registration's own `onRequest`, whose name no other has.
 */
export function refuseWithoutRoutes(
  context: FastifyInstance,
  hook: { readonly name: string },
): void {
  const root = rootOf(context)
  if (context === root) return
  context.addHook('onReady', async () => {
    const { routes } = apps.get(root) as App
    const isBelow = (it: FastifyInstance): boolean => [...ancestors(it)].includes(context)
    if ([...routes.values()].some(isBelow)) return
    // Of a route that was declared before anybody watched, Fastify knows which hooks run.
    if (root.printRoutes({ includeHooks: true }).includes(`"${hook.name}()"`)) return
    throw new OptionError(
      'cognitoAuth',
      'guards no route: it is registered in a plugin of its own, and reaches that plugin alone; wrap the plugin in fastify-plugin (fp), or set allowNoRoutes: true where only app.cognito is wanted',
    )
  })
}

function watchApp(root: FastifyInstance): App {
  const app: App = { routes: new Map(), registrations: new Set(), isHooked: false }
  apps.set(root, app)
  return app
}

/** Contexts that are made later inherit the hook. */
function watchRoutes(context: FastifyInstance, { routes }: App): void {
  if (watched.has(context)) return
  watched.add(context)
  context.addHook('onRoute', function (this: FastifyInstance, options) {
    routes.set(options, this)
  })
}

function isRefused({ registrations }: App): boolean {
  for (const { ignoresUnguardedRoutes } of registrations) if (!ignoresUnguardedRoutes) return true
  return false
}

/** One of each URL: Fastify makes a HEAD route of each GET route, with the same config. */
function unguardedRoutes({ routes }: App): RouteOptions[] {
  const byUrl = new Map<string, RouteOptions>()
  for (const [options, context] of routes) {
    const { url } = options
    // Fastify takes any value for a config.
    const config = Object(options.config) as NonNullable<RouteOptions['config']>
    const isUnguarded = 'auth' in config && config.auth !== false && !isGuarded(context)
    if (isUnguarded && !byUrl.has(url)) byUrl.set(url, options)
  }
  return [...byUrl.values()]
}

/** By a registration of this copy of the package, or of another one. The first question is the cheap one. */
function isGuarded(context: FastifyInstance): boolean {
  return getRequirementResolver(context) !== undefined || findRegistration(context) !== undefined
}

function refuseToStart(app: App): void {
  const [first, ...others] = unguardedRoutes(app)
  if (first === undefined) return
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  throw new OptionError(
    `config.auth of ${first.method} ${first.url}${more}`,
    `has no effect, because no registration of cognitoAuth reaches it: ${FIX}; where config.auth belongs to another plugin, set unguardedRoutes: 'ignore'`,
  )
}

/** Apps without the plugin may mean something else by `config.auth`, so they start. */
function warnOfUnguarded(root: FastifyInstance, app: App): void {
  const [first] = unguardedRoutes(app)
  if (first === undefined) return
  root.log.warn(
    { method: first.method, route: first.url },
    'cognito-m2m: a route declares config.auth, but cognitoAuth is not registered in this app',
  )
}

/** Answers 500 for a route that no `onRoute` saw. */
function refuseUnguardedRequest(app: App) {
  const logged = new WeakSet<object>()
  return function onUnguardedRequest(
    this: FastifyInstance,
    request: FastifyRequest,
    reply: FastifyReply,
    done: Done,
  ): void {
    if (isGuarded(this) || !isRefused(app)) {
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
        'cognito-m2m: no registration of cognitoAuth guards a route that declares config.auth; answering 500',
      )
    }
    const message = 'The access requirement of this route is not enforced'
    refuse(new InternalError('ERR_OPTION_INVALID', message), request, reply, done)
  }
}
