/** The Fastify plugin `cognitoAuth`: protects all routes of its context and the contexts below it. */
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
import { type CoreServer, createCoreServer } from '../../core/resource-server.ts'
import { guardRequests } from './on-request.ts'
import { REGISTER_OPTIONS, toRouteOptions } from './register-options.ts'
import { addRegistration, type Registration } from './registrations.ts'
import { compileRouteRequirement, getRouteRequirement } from './route-requirement.ts'
import { rejectUnguardedRoutes, rejectWithoutRoutes, watchNewApps } from './unguarded-routes.ts'
import { serveMetadata } from './well-known.ts'

const CORS = '@fastify/cors'
const ADAPTER_OPTIONS = ['unguardedRoutes', 'allowNoRoutes', ...REGISTER_OPTIONS]
/** A blocked context stays blocked until the app restarts, so clients retry late. */
const BLOCKED_RETRY_AFTER_MS = 60_000

// In the module of the plugin, so that no bundler drops the call.
watchNewApps()

/** The options of every adapter, and those of Fastify. */
export type FastifyAuthOptions = CognitoAuthOptions & {
  /**
   * What happens if a route declares `config.auth` and no registration guards it. `'refuse'`: the app
   * fails to start with the name of the route, or answers 500 if Fastify shows the route too late.
   * `'ignore'` is for apps whose `config.auth` belongs to another plugin; every registration of the app
   * must set it.
   *
   * @defaultValue `'refuse'`
   */
  readonly unguardedRoutes?: 'refuse' | 'ignore'
  /**
   * Whether a registration below the root may guard no route. By default the app fails to start, because
   * the registration was most likely meant for other contexts. Set `true` to use only `app.cognito`.
   *
   * @defaultValue false
   */
  readonly allowNoRoutes?: boolean
}

/** A property of contexts whose `request.auth` this plugin added; contexts below inherit it. */
const DECORATED: unique symbol = Symbol('cognito-m2m.decorated')

async function register(app: FastifyInstance, given: FastifyAuthOptions): Promise<void> {
  const registration = addRegistration(app)
  const hook = guardRequests(registration)
  app.addHook('onRequest', hook)
  rejectUnguardedRoutes(app, registration)
  // Fastify drops the hooks of a plugin that fails, unless they were added before. From here on, every
  // request is denied until setup succeeds, even if the app swallows the error.
  await app
  try {
    attachRequirementResolver(app, (context, config) =>
      getRouteRequirement(config, context as FastifyInstance, registration),
    )
    const options = readOptions(given, { logger: app.log, adapterMembers: ADAPTER_OPTIONS })
    readAdapterOptions(options, registration)
    if (options.adapterOptions['allowNoRoutes'] !== true) rejectWithoutRoutes(app, hook)
    await setUp(app, options, registration)
  } catch (error) {
    // Without keys, requests get the 503 that was set before.
    if (!(error instanceof StartupError)) registration.block(error)
    app.log.error(
      { err: error },
      'cognito-m2m: registration failed; every route of its context is denied',
    )
    throw error
  }
}

function readAdapterOptions({ adapterOptions }: ServerOptions, registration: Registration): void {
  const { unguardedRoutes = 'refuse', allowNoRoutes = false } = adapterOptions
  if (unguardedRoutes !== 'refuse' && unguardedRoutes !== 'ignore') {
    const problem = `expected 'refuse' or 'ignore', got ${describeValue(unguardedRoutes)}. Use one of the two.`
    throw new OptionError('unguardedRoutes', problem)
  }
  if (typeof allowNoRoutes !== 'boolean') {
    throw new OptionError(
      'allowNoRoutes',
      `expected a boolean, got ${describeValue(allowNoRoutes)}. Pass true or false.`,
    )
  }
  registration.ignoresUnguardedRoutes = unguardedRoutes === 'ignore'
}

async function setUp(
  app: FastifyInstance,
  options: ServerOptions,
  registration: Registration,
): Promise<void> {
  const isDecorated = DECORATED in app
  if (!isDecorated && app.hasRequestDecorator('auth')) {
    throw new OptionError(
      'request.auth',
      'another plugin already decorates the request with `auth`. Remove one of the two.',
    )
  }
  const server = createCoreServer(options)
  app.addHook('onClose', async () => server.close())
  app.decorate('cognito', server)
  if (!isDecorated) app.decorateRequest('auth', null)
  Object.defineProperty(app, DECORATED, { value: true, configurable: true })
  const { defaultRequirement, metadata, adapterOptions } = options
  if (defaultRequirement !== false) server.declare(defaultRequirement)
  app.addHook('onRoute', compileRouteRequirement)
  rejectLateCors(app)
  if (metadata !== undefined)
    serveMetadata(app, server, metadata.path, toRouteOptions(adapterOptions))
  if (options.timing.startup === 'require') await requireKeys(server, options, registration)
  registration.active = { server, defaultRequirement }
}

/** @throws {StartupError} if no keys are available; every request of the context gets 503 then. */
async function requireKeys(
  server: CoreServer,
  { realm }: ServerOptions,
  registration: Registration,
): Promise<void> {
  const errors = createAuthErrorFactory(realm)
  registration.createError = () =>
    errors.createUnavailableError('ERR_KEYS_UNAVAILABLE', BLOCKED_RETRY_AFTER_MS)
  await server.ready()
}

const plugin: FastifyPluginAsync<FastifyAuthOptions> = (app, options) =>
  rejectWithError(() => register(app, options))

/** A preflight request carries no token, so @fastify/cors must answer it before this plugin. */
function rejectLateCors(app: FastifyInstance): void {
  if (app.hasPlugin(CORS)) return
  app.addHook('onReady', async () => {
    if (app.hasPlugin(CORS)) {
      throw new OptionError(
        'cognitoAuth',
        `expected ${CORS} before cognitoAuth, got it after. Register ${CORS} first.`,
      )
    }
  })
}

/**
 * Fastify plugin that protects every route of its context and below. Each route requires a valid access
 * token. A route requires more with `config: { auth: … }`, and is public with `auth: false`. The
 * verified token is `request.auth`. Errors go through the app's error handler.
 *
 * Register it first, after @fastify/cors, at the root or in a plugin wrapped in fastify-plugin: it does
 * not reach sibling contexts. In a nested context, a second registration decides alone. If a registration
 * fails and the app swallows the error, every request of its context is denied: 503 without keys,
 * otherwise 500. It does not protect earlier hooks that answer by themselves, nor raw listeners.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` at registration, and when a route declares an invalid
 *   requirement.
 * @example
 * ```ts
 * await app.register(cognitoAuth, { userPoolId: 'eu-west-1_AbCdEfGhI', clientId: ['…'] })
 * app.get('/orders', { config: { auth: { scopes: 'orders/read' } } }, async (request) => request.auth.clientId)
 * ```
 */
export const cognitoAuth: FastifyPluginAsync<FastifyAuthOptions> = fastifyPlugin(plugin, {
  fastify: '5.x || 6.x',
  name: 'cognito-m2m',
})
