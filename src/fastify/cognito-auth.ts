/** The Fastify plugin: protects every route of its context and below, declared earlier or later. */
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { authorizationLines } from '../core/bearer.ts'
import { AuthError } from '../core/errors.ts'
import { OptionError } from '../core/option-error.ts'
import type { CognitoAuthOptions } from '../core/options.ts'
import { compileRequirement } from '../core/requirement.ts'
import { openResourceServer } from '../core/resource-server.ts'
import type { VerifiedToken } from '../core/verified-token.ts'
import {
  addRegistration,
  type Door,
  fallbackOf,
  hasRegistration,
  type Registration,
  type RouteAuth,
  registrationOf,
} from './registrations.ts'

const CORS = '@fastify/cors'

/** A route's requirement was first seen, and found wrong, at a request: it stays shut. */
class RouteConfigError extends Error {
  override readonly name = 'RouteConfigError'
  readonly code = 'ERR_OPTION_INVALID'
  readonly statusCode = 500

  constructor() {
    super('The access requirement of this route is invalid')
  }
}

type Done = (error?: Error) => void

/** `this` of the hook is the route's own context, wherever the hook was added. */
function protect(registration: Registration) {
  const doors = new WeakMap<object, Door | 'elsewhere'>()

  function doorOf(context: FastifyInstance, config: object): Door | 'elsewhere' {
    let door = doors.get(config)
    if (door === undefined) {
      door = openDoor(context, config, registration)
      doors.set(config, door)
    }
    return door
  }

  return function onRequest(
    this: FastifyInstance,
    request: FastifyRequest,
    reply: FastifyReply,
    done: Done,
  ): void {
    let door: Door | 'elsewhere'
    try {
      door = doorOf(this, request.routeOptions.config)
    } catch (error) {
      request.log.error({ err: error }, 'cognito-m2m: a route cannot be opened')
      done(new RouteConfigError())
      return
    }
    if (door === 'elsewhere') {
      done()
      return
    }
    request.auth = null
    if (door === 'open') {
      done()
      return
    }
    pass(door, request, reply, done)
  }
}

/** Compiles what a route needs, at its first request. In nested contexts the nearest decides. */
function openDoor(
  context: FastifyInstance,
  config: object,
  registration: Registration,
): Door | 'elsewhere' {
  if (registrationOf(context) !== registration) return 'elsewhere'
  const auth = Object.hasOwn(config, 'auth')
    ? (config as { auth: RouteAuth }).auth
    : fallbackOf(context, registration)
  if (auth === false) return 'open'
  // Undefined is refused like any other slip, where a guard would take it for its default.
  compileRequirement(auth, 'config.auth')
  return registration.server.guard(auth)
}

function pass(
  guard: Exclude<Door, 'open'>,
  request: FastifyRequest,
  reply: FastifyReply,
  done: Done,
): void {
  const admit = (token: VerifiedToken | null): void => {
    request.auth = token
    done()
  }
  const refuse = (error: unknown): void => {
    if (error instanceof AuthError) reply.headers(error.headers)
    endUpgrade(request, reply)
    done(error as Error)
  }
  let decision: ReturnType<typeof guard>
  try {
    decision = guard(authorizationLines(request.raw), request)
  } catch (error) {
    refuse(error)
    return
  }
  if (decision instanceof Promise) decision.then(admit, refuse)
  else admit(decision)
}

/**
 * An upgrade has left Node's keeping: nothing closes its socket after an ordinary answer, and
 * @fastify/websocket only does so if its hook ran before ours.
 */
function endUpgrade(request: FastifyRequest, reply: FastifyReply): void {
  if (request.headers.upgrade === undefined) return
  reply.header('connection', 'close')
  const { socket } = reply.raw
  reply.raw.once('finish', () => socket?.end(() => socket.destroy()))
}

const plugin: FastifyPluginAsync<CognitoAuthOptions> = async (app, options) => {
  if (hasRegistration(app)) {
    throw new OptionError(
      'cognitoAuth',
      'is registered twice in one context: list several pools under userPools',
    )
  }
  if (registrationOf(app) === undefined && app.hasRequestDecorator('auth')) {
    throw new OptionError('request.auth', 'is taken by another plugin: remove one of the two')
  }
  const server = openResourceServer(options, app.log)
  const registration = { server, fallback: options.default ?? {} }
  addRegistration(app, registration)
  app.addHook('onClose', async () => server.close())
  app.decorate('cognito', server)
  if (!app.hasRequestDecorator('auth')) app.decorateRequest('auth', null)
  app.addHook('onRoute', ({ config, method, url }) => {
    if (config === undefined || !Object.hasOwn(config, 'auth') || config.auth === false) return
    compileRequirement(config.auth, `config.auth of ${method} ${url}`)
  })
  app.addHook('onRequest', protect(registration))
  refuseLateCors(app)
  if (options.keyStore?.startup === 'require') await server.ready()
}

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
 * Register it first, after @fastify/cors. A second registration in a nested context decides alone
 * there. Out of reach: hooks that answer by themselves before it, raw listeners, sibling contexts.
 *
 * ```ts
 * await app.register(cognitoAuth, { userPoolId: 'eu-west-1_AbCdEfGhI', clientId: ['…'] })
 * app.get('/orders', { config: { auth: { scopes: 'orders/read' } } }, async (request) => request.auth.clientId)
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` at registration, and when a route declares a wrong
 *   requirement.
 */
export const cognitoAuth: FastifyPluginAsync<CognitoAuthOptions> = fastifyPlugin(plugin, {
  fastify: '5.x',
  name: 'cognito-m2m',
})
