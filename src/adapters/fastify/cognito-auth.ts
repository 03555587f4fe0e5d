/** The Fastify plugin: protects every route of its context and below, declared earlier or later. */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { createAuthErrorFactory } from '../../core/challenge.ts'
import { rejectWithError } from '../../core/errors.ts'
import { attachRequirementResolver } from '../../core/introspection.ts'
import { StartupError } from '../../core/keys/key-store.ts'
import {
  type CognitoAuthOptions,
  readOptions,
  type ServerOptions,
} from '../../core/options/options.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import { type CoreServer, openResourceServer } from '../../core/resource-server.ts'
import { guardRequests } from './on-request.ts'
import { REGISTER_OPTIONS, routeOptionsOf } from './register-options.ts'
import { addRegistration, ancestors, type Registration } from './registrations.ts'
import { declareNeed, getRouteRequirement } from './route-requirement.ts'
import { refuseUnguardedRoutes, refuseWithoutRoutes, watchNewApps } from './unguarded-routes.ts'
import { serveMetadata } from './well-known.ts'

const CORS = '@fastify/cors'
const OWN = ['unguardedRoutes', 'allowNoRoutes', ...REGISTER_OPTIONS]
/** A blocked context stays blocked until the app is started anew: there is no hurry, in milliseconds. */
const BLOCKED_RETRY_AFTER = 60_000

// Here, in the module that apps import for its plugin, so that no bundler leaves it out.
watchNewApps()

/** The options every surface shares, and what Fastify adds. */
export type FastifyAuthOptions = CognitoAuthOptions & {
  /**
   * What happens if a route declares `config.auth` and no registration reaches it: `'refuse'`
   * (default) refuses to start and names the route, or answers 500 where Fastify shows the route too
   * late. `'ignore'` is for apps whose `config.auth` belongs to another plugin; every registration of
   * the app has to say it.
   */
  readonly unguardedRoutes?: 'refuse' | 'ignore'
  /**
   * A registration below the root that guards no route refuses to start, because it was most likely
   * meant for routes elsewhere. `true` permits it where only `app.cognito` is wanted. Default false.
   */
  readonly allowNoRoutes?: boolean
}

/** Where `request.auth` is this plugin's. */
const decorated = new WeakSet<FastifyInstance>()

async function register(app: FastifyInstance, given: FastifyAuthOptions): Promise<void> {
  const registration = addRegistration(app)
  const hook = guardRequests(registration)
  app.addHook('onRequest', hook)
  refuseUnguardedRoutes(app, registration)
  // Fastify loses the hooks of a plugin that fails unless they were added before: from here on every
  // request is denied until setup succeeded, whoever swallows the error.
  await app
  try {
    attachRequirementResolver(app, (context, config) =>
      getRouteRequirement(config, context as FastifyInstance, registration),
    )
    const options = readOptions(given, { logger: app.log, own: OWN })
    readOwn(options, registration)
    if (options.adapterOptions['allowNoRoutes'] !== true) refuseWithoutRoutes(app, hook)
    await setUp(app, options, registration)
  } catch (error) {
    // Without keys it is already known what is answered.
    if (!(error instanceof StartupError)) registration.fail(error)
    app.log.error(
      { err: error },
      'cognito-m2m: registration failed; every route of its context is denied',
    )
    throw error
  }
}

function readOwn({ adapterOptions: own }: ServerOptions, registration: Registration): void {
  const { unguardedRoutes = 'refuse', allowNoRoutes = false } = own
  if (unguardedRoutes !== 'refuse' && unguardedRoutes !== 'ignore') {
    const problem = `is ${describeValue(unguardedRoutes)}: use 'refuse' or 'ignore'`
    throw new OptionError('unguardedRoutes', problem)
  }
  if (typeof allowNoRoutes !== 'boolean') {
    throw new OptionError('allowNoRoutes', `is ${describeValue(allowNoRoutes)}: pass true or false`)
  }
  registration.ignoresUnguardedRoutes = unguardedRoutes === 'ignore'
}

async function setUp(
  app: FastifyInstance,
  options: ServerOptions,
  registration: Registration,
): Promise<void> {
  const isDecorated = [...ancestors(app)].some((it) => decorated.has(it))
  if (!isDecorated && app.hasRequestDecorator('auth')) {
    throw new OptionError('request.auth', 'is taken by another plugin: remove one of the two')
  }
  const server = openResourceServer(options)
  app.addHook('onClose', async () => server.close())
  app.decorate('cognito', server)
  if (!isDecorated) app.decorateRequest('auth', null)
  decorated.add(app)
  const { defaultRequirement: fallback, metadata, adapterOptions: own } = options
  if (fallback !== false) server.declare(fallback)
  app.addHook('onRoute', declareNeed)
  refuseLateCors(app)
  if (metadata !== undefined) serveMetadata(app, server, metadata.path, routeOptionsOf(own))
  if (options.timing.startup === 'require') await requireKeys(server, options, registration)
  registration.active = { server, fallback }
}

/** @throws {StartupError} where there are none; every request of the context gets 503 then. */
async function requireKeys(
  server: CoreServer,
  { realm }: ServerOptions,
  registration: Registration,
): Promise<void> {
  const { unavailable } = createAuthErrorFactory(realm)
  registration.failure = () => unavailable('ERR_KEYS_UNAVAILABLE', BLOCKED_RETRY_AFTER)
  await server.ready()
}

const plugin: FastifyPluginAsync<FastifyAuthOptions> = (app, options) =>
  rejectWithError(() => register(app, options))

/** A preflight carries no token: answered behind this plugin it would be refused. */
function refuseLateCors(app: FastifyInstance): void {
  if (app.hasPlugin(CORS)) return
  app.addHook('onReady', async () => {
    if (app.hasPlugin(CORS)) {
      throw new OptionError('cognitoAuth', `is registered before ${CORS}: register ${CORS} first`)
    }
  })
}

/**
 * Protects every route of its context and below: each needs a valid access token unless its
 * `config: { auth: … }` asks for more, or `auth: false` opens it. The verified token is
 * `request.auth`; refusals go through the app's error handler.
 *
 * Register it first, after @fastify/cors, at the root or in a plugin wrapped in fastify-plugin: it does
 * not reach the contexts beside its own. A second registration in a nested context decides alone there.
 * If a registration fails and the app swallows the error, every request of its context is denied: 503
 * without keys, else 500. Out of reach: hooks that answer by themselves before it, raw listeners.
 *
 * ```ts
 * await app.register(cognitoAuth, { userPoolId: 'eu-west-1_AbCdEfGhI', clientId: ['…'] })
 * app.get('/orders', { config: { auth: { scopes: 'orders/read' } } }, async (request) => request.auth.clientId)
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` at registration, and when a route declares a wrong
 *   requirement.
 */
export const cognitoAuth: FastifyPluginAsync<FastifyAuthOptions> = fastifyPlugin(plugin, {
  fastify: '5.x',
  name: 'cognito-m2m',
})
