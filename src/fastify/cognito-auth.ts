/** The Fastify plugin: protects every route of its context and below, declared earlier or later. */
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { isToCome } from '../core/at-once.ts'
import { authorizationLines } from '../core/bearer.ts'
import { AuthError } from '../core/errors.ts'
import { tellNeeds } from '../core/inspectable.ts'
import { InternalError } from '../core/internal-error.ts'
import { OptionError } from '../core/option-error.ts'
import { type CognitoAuthOptions, readOptions } from '../core/options.ts'
import { rejecting } from '../core/rejecting.ts'
import { type Guard, openResourceServer } from '../core/resource-server.ts'
import type { VerifiedToken } from '../core/verified-token.ts'
import {
  addRegistration,
  hasRegistration,
  type Registration,
  registrationOf,
} from './registrations.ts'
import { declareNeed, needOf } from './route-need.ts'
import { serveMetadata } from './well-known.ts'

const CORS = '@fastify/cors'

type Door = Guard<VerifiedToken | null> | 'open' | 'elsewhere'
type Done = (error?: Error) => void

/** `this` of the hook is the route's own context, wherever the hook was added. */
function protect(registration: Registration) {
  // By context and config: not-found handlers of several contexts may share one config.
  const doors = new WeakMap<FastifyInstance, WeakMap<object, Door>>()

  function doorOf(context: FastifyInstance, config: object): Door {
    const known = doors.get(context) ?? new WeakMap<object, Door>()
    const door = known.get(config) ?? openDoor(context, config, registration)
    doors.set(context, known.set(config, door))
    return door
  }

  return function onRequest(
    this: FastifyInstance,
    request: FastifyRequest,
    reply: FastifyReply,
    done: Done,
  ): void {
    let door: Door
    try {
      door = doorOf(this, request.routeOptions.config)
    } catch (error) {
      request.log.error({ err: error }, 'cognito-m2m: a route cannot be opened')
      const message = 'The access requirement of this route is invalid'
      refuse(new InternalError('ERR_OPTION_INVALID', message), request, reply, done)
      return
    }
    if (door === 'elsewhere') {
      done()
      return
    }
    request.auth = null
    if (door === 'open') done()
    else pass(door, request, reply, done)
  }
}

/** Decides at a route's first request who guards it. In nested contexts the nearest does. */
function openDoor(context: FastifyInstance, config: object, registration: Registration): Door {
  if (registrationOf(context) !== registration) return 'elsewhere'
  const need = needOf(config, context, registration)
  return need === false ? 'open' : registration.server.guardOf(need)
}

function pass(
  guard: Guard<VerifiedToken | null>,
  request: FastifyRequest,
  reply: FastifyReply,
  done: Done,
): void {
  const admit = (token: VerifiedToken | null): void => {
    request.auth = token
    done()
  }
  const decline = (error: unknown): void => {
    if (error instanceof AuthError) {
      refuse(error, request, reply, done)
      return
    }
    // Only code of the owner's gets here, say an injected clock: its error is for the log.
    request.log.error({ err: error }, 'cognito-m2m: access cannot be decided')
    refuse(new InternalError('ERR_INTERNAL', 'Access cannot be decided'), request, reply, done)
  }
  let decision: ReturnType<typeof guard>
  try {
    decision = guard(authorizationLines(request.raw), request)
  } catch (error) {
    decline(error)
    return
  }
  if (isToCome(decision)) decision.then(admit, decline)
  else admit(decision)
}

/** Status and headers are set before the error is thrown, for an error handler that sets neither. */
function refuse(
  error: AuthError | InternalError,
  request: FastifyRequest,
  reply: FastifyReply,
  done: Done,
): void {
  reply.code(error.statusCode).headers(error.headers)
  endUpgrade(request, reply)
  done(error)
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

async function register(app: FastifyInstance, given: CognitoAuthOptions): Promise<void> {
  if (hasRegistration(app)) {
    throw new OptionError(
      'cognitoAuth',
      'is registered twice in one context: list several pools under userPools',
    )
  }
  if (registrationOf(app) === undefined && app.hasRequestDecorator('auth')) {
    throw new OptionError('request.auth', 'is taken by another plugin: remove one of the two')
  }
  const options = readOptions(given, { logger: app.log })
  const server = openResourceServer(options)
  const registration = { server, fallback: options.fallback }
  addRegistration(app, registration)
  tellNeeds(app, (context, config) => needOf(config, context as FastifyInstance, registration))
  app.addHook('onClose', async () => server.close())
  app.decorate('cognito', server)
  if (!app.hasRequestDecorator('auth')) app.decorateRequest('auth', null)
  if (options.fallback !== false) server.declare(options.fallback)
  app.addHook('onRoute', declareNeed)
  app.addHook('onRequest', protect(registration))
  refuseLateCors(app)
  if (options.metadata !== undefined) serveMetadata(app, server, options.metadata.path)
  if (options.timing.startup === 'require') await server.ready()
}

const plugin: FastifyPluginAsync<CognitoAuthOptions> = (app, options) =>
  rejecting(() => register(app, options))

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
